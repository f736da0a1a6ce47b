"""Wrong filters are told with line, expectation and fix, all in one run."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from project.filters.models import Filter
from project.filters.patterns import check_pattern
from project.filters.reading import read_filters
from project.models import Stream
from project.problems import ProjectError

HERE = Path(__file__).parent
IS_NULL = {"field": "a", "operator": "isNull"}


def test_everything_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(HERE)
    with pytest.raises(ProjectError) as found:
        read_filters(Path("wrong.yaml"))
    if os.environ.get("UPDATE_GOLDEN"):
        (HERE / "wrong.txt").write_text(f"{found.value}\n")
    assert f"{found.value}\n" == (HERE / "wrong.txt").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("filters:\n  - id: a\n    id: b\n", 'x.yaml:3: key "id" again'),
        ("filters: []\n", "expected 1 or more of them"),
        ("filters\n", "expected a mapping"),
        ("", "expected a mapping"),
    ],
)
def test_a_file_that_is_no_filters_is_refused(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(text)
    with pytest.raises(ProjectError, match=said):
        read_filters(Path("x.yaml"))


def test_a_streams_file_is_one_of_filters_as_well(tmp_path: Path):
    keys = {"kind": "filters", "source": "s", "description": "d", "approval": "optional", "mandatory": ["a"], "avro": ["a"]}
    keys["parallelism"] = 2
    assert keys.keys() | {"filters"} == Stream.model_fields.keys() - {"name", "declared_at", "tables"}
    one = {"id": "a", "name": "A", "consumerId": "c", "outputTopic": "a", "enabled": True, "conditions": [IS_NULL]}
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(keys | {"filters": [one]}))
    assert [found.id for found in read_filters(tmp_path / "x.yaml").filters] == ["a"]


def nested(groups: int) -> dict[str, Any]:
    return {"all": [nested(groups - 1)]} if groups else IS_NULL


@pytest.mark.parametrize("inside", [IS_NULL, nested(7), {"any": [IS_NULL] * 499}])
def test_groups_and_conditions_of_topics_are_limited_as_those_of_the_filter(inside: dict[str, Any]):
    said = {"id": "a", "name": "A", "consumerId": "c", "enabled": True, "conditions": [inside]}
    Filter.model_validate({**said, "outputTopic": "a"})
    said |= {"conditions": [IS_NULL], "outputTopics": [{"topic": "a", "condition": inside}]}
    Filter.model_validate(said)
    for condition in (nested(8), {"any": [IS_NULL] * 500}):
        with pytest.raises(ValueError, match="expected 8 and 500; split it"):
            Filter.model_validate({**said, "outputTopics": [{"topic": "a", "condition": condition}]})


def test_a_topic_has_one_consumer_and_a_filter_names_it_once(tmp_path: Path):
    outputs = [{"topic": "a", "condition": IS_NULL}] * 2
    one, other = ({"id": name, "name": name, "consumerId": name, "enabled": True, "conditions": [IS_NULL]} for name in "ab")
    (tmp_path / "x.yaml").write_text(json.dumps({"filters": [{**one, "outputTopic": "a"}, {**other, "outputTopics": outputs}]}))
    with pytest.raises(ProjectError, match='topic "a" of consumer b is also that of a, by filter a') as found:
        read_filters(tmp_path / "x.yaml")
    assert 'topic "a" again; expected each once' in str(found.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ProjectError, match="there is no such file"):
        read_filters(tmp_path / "x.yaml")


@pytest.mark.parametrize("text", [
    "^loan-.*-premium$", "[a-z]+@[a-z]+", "(?:ab){2}c*", r"\d{4}-\d{2}", r"a\(\?b", r"^(\d{3}-){2}\d+$", "(foo|bar)?x", "a b#",
    "[-a]", "[a-]", r"[\]\[]", "[^&]", "ünï", "^(LoanCreated|LoanPaid)$", r"\u00e9", "a|b|", "()", "x{2,5}?", "x{2}x*", r"[\w.]+", "^",
    "O'Hara", '"',
])  # fmt: skip
def test_a_regular_expression_that_all_engines_know_is_taken(text: str):
    check_pattern(text)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(a+)+", "more than one length"), ("(a|b*)*", "more than one length"), (r"(a)\1", "back-reference"), ("(?!a)", "look-around"),
        ("(?<=a)b", "look-around"), ("(?i)a", "write differently"), ("(?P<n>a)", "write differently"), (r"a\Z", "write differently"),
        ("a++", "expected none"), ("[", "no regular expression"), ("a" * 513, "at most 512"),
        *((text, "write differently") for text in (
            "a{", '{"a"', "x{,5}", "[[]", "[a&&b]", r"\v", r"\U0001F600", r"[\b]", r"\101", r"\bx", "]", "a}", "[]a]", "[a-z-9]", "(?#x)a",
            r"\ud83d\ude00", "a{1000}", r"\é",
        )),
        *((text, "endlessly slow") for text in ("(a|aa)+$", "(a?a?)*$", "(loan|car)+", "(a|a){30}b", "(?:ab)+", "(?:ab){1,200}", "()*")),
        ("a?" * 20 + "a" * 20, "more than 1000 ways"), ("(a|b|cd)" * 7, "more than 1000 ways"), ("x{1,99}x{1,99}", "more than 1000 ways"),
        (".*a", "leave .* out"), ("a*b+c*d*", "more than 3 of"), ("x{2,}", "expected an end"),
    ],
)  # fmt: skip
def test_a_regular_expression_that_could_mean_or_take_anything_is_refused(text: str, said: str):
    with pytest.raises(ValueError, match=said):
        check_pattern(text)
