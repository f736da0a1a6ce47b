"""What of an event was applied is known: what was changed since is refused, a new version is told in words, the way back is free."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from analytics_sql.tests.applied import Analytics
from orchestration.reconcile import Action, Change
from project.environment import Environment
from project.loader import load_project
from project.resources import Refused

EVENT = "event/LoanCreated"
AMOUNT, RATE = {"amount": {"type": "number", "required": True}}, {"rate": "number"}


class Loans:
    """A project whose loans are declared anew again and again, and the database that it is applied to."""

    def __init__(self, folder: Path, environment: Environment) -> None:
        self.folder = folder
        for part in ("sources", "events"):
            (folder / part).mkdir()
        (folder / "project.yaml").write_text("name: loans\ntitle: Loans\nowner: desk\n")
        (folder / "sources" / "events.yaml").write_text("database: loansdb\noutbox: {table: outbox}\n")
        self.analytics = Analytics(environment, load_project(folder))

    def declare(self, loan: dict[str, Any], version: int = 1, kept: int | None = None, **more: Any) -> None:
        said = {"source": "events", "version": version, **more, "entities": {"Loan": loan}}
        self.file(kept).write_text(yaml.safe_dump(said, sort_keys=False))

    def file(self, kept: int | None = None) -> Path:
        return self.folder / "events" / f"LoanCreated{f'@{kept}' if kept else ''}.yaml"

    def apply(self) -> list[str]:
        return self._read().apply()

    def plan(self) -> dict[str, Change]:
        return {change.resource.id: change for change in self._read().plan()}

    def rows(self) -> list[tuple[Any, ...]]:
        query = "select version, compatibility, applied_by from loans.event_versions order by applied_at"
        return [tuple(row.values()) for row in self._read().ask(query)]

    def _read(self) -> Analytics:
        self.analytics.use(load_project(self.folder))
        return self.analytics


@pytest.fixture
def loans(tmp_path: Path, environment: Environment) -> Loans:
    """Loans of which version 1 was applied."""
    found = Loans(tmp_path, environment)
    found.declare(AMOUNT)
    assert f"created {EVENT}" in found.apply()
    return found


def test_what_was_applied_is_entered_once_with_who_did_it(loans: Loans, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGNAME", "ann")
    assert loans.apply() == []
    loans.file().rename(loans.file(1))
    loans.declare(AMOUNT | RATE, 2, compatibility="full")
    planned = loans.plan()[EVENT]
    assert (planned.action, planned.refusal, planned.note) == (Action.UPDATE, None, "version 1 → 2: Loan.rate is new")
    assert [str(difference) for difference in planned.differences] == ["version: 1 → 2", 'compatibility: "backward" → "full"']
    assert loans.apply() == [f"updated {EVENT}"]
    assert [version for version, *_ in loans.rows()] == [1, 2]
    assert loans.rows()[1] == (2, "full", "ann") and loans.plan() == {}


def test_a_database_from_before_begins_with_what_is_declared(loans: Loans):
    loans.declare(AMOUNT, 1, kept=1)
    loans.declare(AMOUNT | RATE, 2)
    loans.analytics.ask("drop table loans.event_versions")
    assert loans.plan()[EVENT].note == "version 2 is entered as the first that was applied"
    assert loans.apply() == ["created table/event_versions", f"created {EVENT}"]
    assert [version for version, *_ in loans.rows()] == [2]


def test_another_schema_under_a_number_that_was_applied_is_refused(loans: Loans):
    loans.declare({"amount": {"type": "string"}} | RATE)
    refusal = (
        f"{loans.file()}:2: version 1 of LoanCreated is not what was applied: Loan.amount is of type string, and was of type number; "
        "Loan.rate is new; expected a new number for a change; keep events/LoanCreated@1.yaml as it was applied and say version: 2, or "
        "take the change back"
    )
    assert loans.plan()[EVENT].refusal == refusal
    with pytest.raises(Refused, match="version 1 of LoanCreated is not what was applied"):
        loans.apply()
    assert len(loans.rows()) == 1


def test_a_kept_version_that_was_changed_is_refused_though_nothing_else_has(loans: Loans):
    loans.file().rename(loans.file(1))
    loans.declare(AMOUNT | RATE, 2)
    loans.apply()
    loans.declare(AMOUNT | {"status": "string"}, 1, kept=1)
    what = "version 1 of LoanCreated is not what was applied: Loan.status is new"
    assert loans.plan()[EVENT].refusal == (
        f"{loans.file(1)}:2: {what}; expected a file that stays as it was; take it from your history, or from table event_versions"
    )
    loans.declare(AMOUNT, 1, kept=1)
    assert loans.plan() == {}


def test_what_people_are_told_and_what_is_promised_needs_no_new_number(loans: Loans):
    loans.declare({"amount": {**AMOUNT["amount"], "description": "In dollars."}}, description="A loan.")
    assert loans.plan() == {}
    loans.declare(AMOUNT, compatibility="none")
    assert [str(difference) for difference in loans.plan()[EVENT].differences] == ['compatibility: "backward" → "none"']
    loans.apply()
    assert [row[:2] for row in loans.rows()] == [(1, "backward"), (1, "none")]


def test_a_version_goes_with_the_one_in_force_whatever_the_files_have_between_them(loans: Loans):
    """Version 1 is kept no more, so `validate` has nothing to hold the second against."""
    needed = AMOUNT | {"status": {"type": "string", "required": True}}
    loans.declare(needed, 2, kept=2)
    loans.declare(needed | RATE, 3)
    what = "in version 2, Loan.status is new and required; expected backward compatibility: who knows version 2 reads events of version 1"
    refusal = loans.plan()[EVENT].refusal
    assert refusal == f"{loans.file(2)}:8: {what}; undo it, or agree on it and say compatibility: none"
    loans.declare(needed, 2, kept=2, compatibility="none")
    assert loans.plan()[EVENT].refusal is None
    assert loans.apply() == [f"updated {EVENT}"]


def test_an_earlier_version_is_in_force_again_and_what_it_does_not_read_is_told(loans: Loans):
    loans.file().rename(loans.file(1))
    loans.declare({"sum": "number"}, 2)
    loans.apply()
    loans.file(1).replace(loans.file())
    said = "version 2 → 1: Loan.sum is gone; Loan.amount is new and required"
    lost = "version 2 is taken back; its events stay where they are, and who knows version 1 does not read all of them"
    planned = loans.plan()[EVENT]
    assert (planned.refusal, planned.note) == (None, f"{said}\n{lost}: Loan.amount is new and required")
    assert loans.apply() == [f"updated {EVENT}"]
    assert [version for version, *_ in loans.rows()] == [1, 2, 1]
    loans.file().rename(loans.file(1))
    loans.declare({"sum": "number", "currency": "string"}, 2)
    refusal = loans.plan()[EVENT].refusal
    assert refusal and "keep events/LoanCreated@2.yaml as it was applied and say version: 3" in refusal, "2 is taken"
    loans.declare({"sum": "number"}, 2)
    assert loans.apply() == [f"updated {EVENT}"]


def test_a_version_that_its_predecessor_reads_is_taken_back_without_harm(loans: Loans):
    loans.file().rename(loans.file(1))
    loans.declare(AMOUNT | RATE, 2)
    loans.apply()
    loans.file(1).replace(loans.file())
    assert (loans.plan()[EVENT].note or "").endswith("who knows version 1 reads them")


def test_what_was_applied_can_be_taken_for_a_file_again(loans: Loans):
    before = load_project(loans.folder).events["LoanCreated"].model_dump()
    [row] = loans.analytics.ask("select said from loans.event_versions")
    loans.file().write_text(row["said"])
    assert load_project(loans.folder).events["LoanCreated"].model_dump() == before
    assert loans.plan() == {}


def test_an_event_that_is_no_more_is_forgotten_by_a_prune_and_its_table_with_the_last(loans: Loans):
    loans.file().rename(loans.folder / "events" / "LoanAgreed.yaml")
    assert loans.apply() == ["created event/LoanAgreed"]
    backend = loans.analytics.backend
    assert {EVENT, "event/LoanAgreed"} <= set(backend.owned())
    backend.delete(EVENT)
    assert EVENT not in backend.owned() and [version for version, *_ in loans.rows()] == [1]
    for resource_id in ("event/LoanAgreed", "table/event_versions"):
        backend.delete(resource_id)
    assert not [one for one in backend.owned() if one.startswith("event/") or one == "table/event_versions"]
