"""The tables of docs/filters.md are what happens: each line is judged."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project.filters.conditions import Condition
from project.filters.paths import read_event
from project.filters.verdicts import Record, Truth, conjunction, disjunction, judge, negation
from project.located_yaml import read_yaml

LINES = [
    [cell.strip().strip("`") for cell in line.strip("|\n").split(" | ")]
    for line in (Path(__file__).parents[3] / "docs" / "filters.md").read_text().splitlines()
    if line.startswith("|")
]
TRUTHS = {"true": True, "false": False, "unknown": None}
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPERATORS = [line for line in LINES if "operator:" in line[0]]


def condition(text: str) -> Condition:
    data = read_yaml(f"condition: {text}", "docs/filters.md", [])
    assert data
    return Condition.model_validate({"field": "here.value", **data["condition"]})


@pytest.mark.parametrize(("text", "value", "verdict"), OPERATORS)
def test_a_line_of_the_operators(text: str, value: str, verdict: str):
    found = judge(condition(text), Record(read_event(f'{{"here": {{"value": {value}}}}}'), AT))
    assert found.truth is TRUTHS[verdict], "\n".join(found.lines())


def test_every_operator_is_shown_with_null():
    shown = {condition(text).operator for text, value, _ in OPERATORS if value == "null"}
    assert {"equals", "in", "notIn", "lessThan", "matches", "isNull", "isNotNull"} <= shown
    assert {condition(text).operator for text, *_ in OPERATORS} == set(Condition.model_json_schema()["properties"]["operator"]["enum"])


LOGIC = [line for line in LINES if len(line) == 5 and line[0] in TRUTHS]


def test_every_pair_of_truths_has_its_line():
    assert {(a, b) for a, b, *_ in LOGIC} == {(a, b) for a in TRUTHS for b in TRUTHS}


@pytest.mark.parametrize("line", LOGIC)
def test_a_line_of_the_logic(line: list[str]):
    a, b, both, either, opposite = (TRUTHS[cell] for cell in line)
    assert (conjunction((a, b)), disjunction((a, b)), negation(a)) == (both, either, opposite)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.sampled_from([True, False, None]), min_size=1))
def test_order_never_matters_and_not_turns_and_into_or(truths: list[Truth]):
    assert conjunction(truths) is conjunction(reversed(truths))
    assert negation(conjunction(truths)) is disjunction(map(negation, truths))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["here", "value", "x"]), inside, max_size=3),
)
EVERY = [condition(text) for text in dict.fromkeys(text for text, *_ in OPERATORS)]


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from(["here", "x"]), JSON, max_size=2), st.sampled_from(EVERY))
def test_no_event_breaks_a_condition(event: Any, asked: Condition):
    found = judge(asked, Record(read_event(json.dumps(event)), AT))
    assert found.truth in (True, False, None)
    if "here" not in event:
        assert found.truth is ({"isNull": True, "isNotNull": False}.get(asked.operator))
