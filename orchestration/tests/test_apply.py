"""Apply of one resource against a system held in memory."""

import pytest

from orchestration.assets import settled
from orchestration.reconcile import Action, apply, plan
from project.problems import Location
from project.resources import Difference, Document, Health, Judgement, Refused, Resource, State, Strength


class Memory:
    """A system that keeps documents in a dict and counts what is written to it."""

    system = "memory"

    def __init__(self, judgement: Judgement | None = None) -> None:
        self.documents: dict[str, Document] = {}
        self.judgement, self.writes = judgement or Judgement(Strength.RECONFIGURE), 0

    def read(self, resource: Resource) -> Document | None:
        return self.documents.get(resource.id)

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        return self.judgement

    def write(self, resource: Resource, observed: Document | None) -> None:
        self.writes += 1
        self.documents[resource.id] = dict(resource.document)

    def delete(self, resource_id: str) -> None:
        del self.documents[resource_id]

    def owned(self) -> list[str]:
        return list(self.documents)

    def health(self, resource: Resource) -> Health:
        return Health(State.PASSED, "there")

    def url(self, resource: Resource) -> str | None:
        return None


def thing(**document: object) -> Resource:
    return Resource("memory", "table", "things", document, declared_at=Location("shop/streams/shop.yaml", 7))


def test_a_missing_resource_is_created_and_then_in_sync():
    done, remaining = apply(Memory(), thing(size=1))
    assert (done.action, remaining.action) == (Action.CREATE, Action.NONE)


def test_a_second_apply_writes_nothing():
    memory = Memory()
    apply(memory, thing(size=1))
    done, _ = apply(memory, thing(size=1))
    assert (done.action, memory.writes) == (Action.NONE, 1)


@pytest.mark.parametrize(
    ("strength", "action"),
    [(Strength.RECONFIGURE, Action.UPDATE), (Strength.RESTART, Action.RESTART), (Strength.REBUILD, Action.REPLACE)],
)
def test_the_strength_of_a_change_is_its_action(strength: Strength, action: Action):
    memory = Memory(Judgement(strength))
    apply(memory, thing(size=1))
    assert plan(memory, thing(size=2)).action is action


def test_a_refused_change_is_not_written_and_says_where_it_stands():
    memory = Memory()
    apply(memory, thing(size=1))
    memory.judgement = Judgement(Strength.REBUILD, "size cannot shrink; make another one")
    with pytest.raises(Refused, match=r"shop/streams/shop\.yaml:7: table/things: size cannot shrink; make another one"):
        apply(memory, thing(size=0))
    assert memory.writes == 1


def test_plan_writes_nothing():
    memory = Memory()
    assert plan(memory, thing(size=1)).action is Action.CREATE
    assert memory.writes == 0


def test_a_digest_names_the_document_whatever_the_order_of_its_keys():
    assert thing(a=1, b=2).digest == thing(b=2, a=1).digest != thing(a=1, b=3).digest


@pytest.mark.parametrize(("failures", "patience", "state"), [(2, 20, State.PASSED), (2, 0, State.FAILED)])
def test_what_went_down_with_another_has_a_moment_to_come_back(failures: int, patience: int, state: State):
    class Restarting(Memory):
        looks = 0

        def health(self, resource: Resource) -> Health:
            self.looks += 1
            return Health(State.FAILED if self.looks <= failures else State.PASSED, "")

    assert settled(Restarting(), thing(), patience).state is state
