"""Filters that cannot be meant are told; what might be met is left alone, which random events confirm."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project.filters.conditions import Group
from project.filters.contradictions import always, never
from project.filters.paths import read_event
from project.filters.reading import read_filters
from project.filters.verdicts import Record, judge
from project.problems import ProjectError


def one(operator: str, **operands: Any) -> dict[str, Any]:
    return {"field": "a", "operator": operator, **operands}


@pytest.mark.parametrize(
    "conditions",
    [
        [one("equals", value="x"), one("equals", value="y")],
        [one("in", values=["x", "y"]), one("notIn", values=["x", "y", "z"])],
        [one("isNull"), one("equals", value="x")],
        [one("isNull"), one("isNotNull")],
        [one("greaterThan", value=5), one("lessThan", value=5)],
        [one("greaterThan", value=5), one("lessThanOrEqual", value=5)],
        [one("between", min=1, max=2), one("between", min=3, max=4)],
        [one("greaterThan", value="NOW", valueType="timestamp"), one("lessThan", value="NOW-1H", valueType="timestamp")],
        [one("equals", value=7), {"all": [one("lessThan", value=7)]}],
        [{"any": [{"all": [one("equals", value=1), one("equals", value=2)]}]}],
        [{"not": {"any": [one("isNull"), one("isNotNull")]}}],
    ],
)
def test_what_excludes_each_other_is_never_true(conditions: list[Any]):
    assert never(Group.model_validate({"all": conditions}))


@pytest.mark.parametrize(
    "conditions",
    [
        [one("equals", value="x"), one("in", values=["x", "y"])],
        [one("greaterThanOrEqual", value=5), one("lessThanOrEqual", value=5)],
        [one("greaterThan", value="NOW-1H", valueType="timestamp"), one("lessThan", value="2020-01-01T00:00:00Z", valueType="timestamp")],
        [one("between", min="NOW-1H", max="2020-01-01T00:00:00Z", valueType="timestamp")],
        [one("greaterThan", value="NOW-1H", valueType="timestamp"), one("lessThan", value="NOW", valueType="timestamp")],
        [one("between", min="22:00", max="06:00", valueType="timeOfDay"), one("equals", value="23:00", valueType="timeOfDay")],
        [{**one("equals", value="x"), "field": "a[*]"}, {**one("equals", value="y"), "field": "a[*]"}],
        [{"any": [one("equals", value=1), one("equals", value=2)]}],
    ],
)
def test_what_might_be_true_is_left_alone(conditions: list[Any]):
    assert never(Group.model_validate({"all": conditions})) is None


NUMBERS = st.integers(0, 3)
CONDITIONS = st.one_of(
    st.builds(lambda name, value: one(name, value=value), st.sampled_from(["equals", "greaterThan", "lessThanOrEqual"]), NUMBERS),
    st.builds(lambda values: one("notIn", values=values), st.lists(NUMBERS, min_size=1, max_size=3)),
    st.sampled_from([one("isNull"), one("isNotNull")]),
)
TREES = st.recursive(
    CONDITIONS,
    lambda inside: st.one_of(
        st.builds(lambda name, nodes: {name: nodes}, st.sampled_from(["all", "any"]), st.lists(inside, min_size=1, max_size=3)),
        st.builds(lambda node: {"not": node}, inside),
    ),
    max_leaves=8,
)


@settings(deadline=None)  # a busy machine is no failure
@given(TREES, st.sampled_from(["null", "0", "1", "1.5", "2", "3", "4", '"x"']))
def test_no_event_says_otherwise(tree: dict[str, Any], value: str):
    group = Group.model_validate({"all": [tree]})
    truth = judge(group, Record(read_event(f'{{"a": {value}}}'), datetime(2026, 1, 1, tzinfo=UTC))).truth
    assert not (truth and never(group))
    assert truth or not always(group)


def test_they_are_told_with_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    head = "filters:\n  - {id: f, name: F, consumerId: c, enabled: true, "
    small = "{field: a, operator: lessThan, value: 5}"
    Path("never.yaml").write_text(f"{head}outputTopic: t, conditions: [{small}, {{field: a, operator: equals, value: 7}}]}}\n")
    Path("always.yaml").write_text(
        f"{head}outputTopic: t, conditions: [{{any: [{{field: a, operator: isNull}}, {{field: a, operator: isNotNull}}]}}]}}\n"
    )
    output = "{topic: big, condition: {field: a, operator: greaterThan, value: 9}}"
    Path("unreached.yaml").write_text(f"{head}outputTopics: [{output}], conditions: [{small}]}}\n")
    for name, said in (
        ("never.yaml", "nothing passes: a cannot be lessThan 5 and equals 7 at once"),
        ("always.yaml", "everything passes: a is either NULL or not"),
        ("unreached.yaml", "nothing goes to big: a cannot be lessThan 5 and greaterThan 9 at once"),
    ):
        with pytest.raises(ProjectError, match=f"{name}:2: {said}"):
            read_filters(Path(name))
