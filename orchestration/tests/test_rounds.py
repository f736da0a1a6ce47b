"""Tables compared again and again: whose turn it is, and what is told."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pytest

from orchestration import rounds
from orchestration.catalogue import Catalogue
from orchestration.certificates import Certificate, Key
from orchestration.fencing import Behind
from orchestration.rounds import Rounds
from project.resources import Health, Refused, State


def test_what_was_found_of_a_table_whose_spec_has_changed_since_is_not_told(catalogue: Catalogue):
    turn = Rounds()
    kept, changed = catalogue.by_id["table/fact_orders"], catalogue.by_id["table/dim_books"]
    turn._found.extend((table, Health(State.PASSED, "equal")) for table in (kept, changed))
    turn._due |= {kept.id: float("inf")}
    assert [table.id for table, _ in turn.watch(catalogue, (kept,), {})] == [kept.id]


def compared(monkeypatch: pytest.MonkeyPatch, answers: Iterator[Any], restless: Iterable[tuple[Key, ...]] = ()) -> None:
    """Comparisons find what these say, or raise it, and take so many seconds to count; rows with these keys keep changing."""
    changing = iter(restless)

    def verify(*_: object) -> Certificate:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        now = datetime(2026, 1, 31, 9, 30)
        return Certificate("table", "source", 1, (), next(changing, ()), True, "0/0", now, 0.0, answer, answer)

    monkeypatch.setattr(rounds, "verify", verify)
    monkeypatch.setattr(rounds, "enter", lambda _: None)
    monkeypatch.setattr(rounds, "read_age", lambda *_: Health(State.PASSED, "fresh"))


def test_what_is_compared_at_once_is_told_at_the_same_turn(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    compared(monkeypatch, iter([0.1]))
    table = catalogue.by_id["table/fact_orders"]
    assert [one for one, _ in Rounds().watch(catalogue, (table,), {})] == [table]


def test_a_comparison_that_fails_itself_says_so_and_keeps_no_other_from_its_turn(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    compared(monkeypatch, iter([RecursionError("too deep"), 0.1]))
    both = [catalogue.by_id["table/fact_orders"], catalogue.by_id["table/dim_books"]]
    turn = Rounds()
    turn._compare(catalogue, both)
    [(_, broken), (_, good)] = turn._found
    assert (broken.state, good.state) == (State.UNKNOWN, State.PASSED)
    assert "defect of Headrace: RecursionError: too deep" in broken.text
    assert turn._is_due(catalogue, both[0]) and not turn._is_due(catalogue, both[1])


def test_a_busy_moment_does_not_put_the_next_comparison_off(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    """One of a second may be made every hundred; one that took nine once does not make it wait for fifteen minutes."""
    compared(monkeypatch, iter([1.0, 9.0, 9.0]))
    monkeypatch.setattr(rounds.time, "monotonic", lambda: 0.0)
    table, turn, rests = catalogue.by_id["table/fact_orders"], Rounds(), list[float]()
    for _ in range(3):
        turn._compare(catalogue, [table])
        rests.append(turn._due[table.id])
    assert rests == [100, 100, 900]


def test_a_comparison_that_is_refused_rests_by_what_it_took(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    """A table that is too large to be read in time would be read all the time; a stream that was behind kept nobody busy."""
    clock = iter([0.0, 900.0, 900.0, 1000.0, 1001.0, 1001.0, 2000.0, 2060.0, 2060.0])
    compared(monkeypatch, iter([Refused("it took too long"), Refused("it does not answer"), Behind("its pulse has not arrived")]))
    monkeypatch.setattr(rounds.time, "monotonic", lambda: next(clock))
    table, turn, rests = catalogue.by_id["table/fact_orders"], Rounds(), list[float]()
    for _ in range(3):
        turn._compare(catalogue, [table])
        rests.append(turn._due[table.id])
    assert rests == [9900, 1011, 2070]


def test_a_row_that_keeps_changing_at_each_comparison_is_told(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    compared(monkeypatch, iter([0.1] * 4), [(("7",), ("8",)), (("7",),), (("7",),), ()])
    table, turn = catalogue.by_id["table/fact_orders"], Rounds()
    for _ in range(4):
        turn._compare(catalogue, [table])
    found = [health for _, health in turn._found]
    assert [health.state for health in found] == [State.PASSED, State.PASSED, State.WARNING, State.PASSED]
    assert "2 of them kept changing and were not compared" in found[0].text
    assert "nothing is known of 1 that kept changing at each comparison, the first by their keys: 7" in found[2].text
