"""A filter says again what it said, and nothing else in its file changes."""

from datetime import datetime
from pathlib import Path

import pytest

from orchestration.filter_rollback import earlier, replaced, write
from orchestration.filter_versions import again
from orchestration.tests.test_project_commands import headrace
from project.filters.models import Filter
from project.loader import load_project
from project.resources import Refused

PROJECT = {
    "project.yaml": "name: shop\ntitle: Shop\nowner: shop@example.com\n",
    "sources/events.yaml": "database: shopdb\noutbox: {table: outbox}\n",
    "streams/routing.yaml": """kind: filters
source: events
filters:
  # for the desk
  - id: loans
    name: Loans
    consumerId: desk
    outputTopic: loans
    enabled: true
    version: 4
    conditions: [{field: eventName, operator: equals, value: LoanClosed}]

  # for the workshop
  - {id: cars, name: Cars, consumerId: workshop, outputTopic: cars, enabled: true, conditions: [{field: a, operator: isNull}]}
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def filters(folder: Path) -> dict[str, Filter]:
    return {one.id: one for one in load_project(folder).streams["routing"].filters}


def row(one: Filter, hour: int) -> dict[str, object]:
    return {
        "filter_id": one.id, "rule_version": one.version, "began_at": datetime(2026, 1, 1, hour),
        "said": one.model_dump_json(exclude_unset=True, by_alias=True),
    }  # fmt: skip


def older(one: Filter, version: int, event: str) -> Filter:
    said = one.model_dump(mode="json", exclude_unset=True, by_alias=True)
    condition = {"field": "eventName", "operator": "equals", "value": event}
    return Filter.model_validate({**said, "version": version, "conditions": [condition]})


def test_it_says_again_what_it_said_and_the_rest_of_the_file_stays(folder: Path):
    one = filters(folder)["loans"]
    ran = [row(older(one, 1, "1e3"), 0), row(older(one, 2, "O'Hara: \n- x"), 1), row(older(one, 3, "LoanPaid"), 2), row(one, 3)]
    for to, event in ((1, "1e3"), (2, "O'Hara: \n- x"), (None, "LoanPaid")):
        new = earlier(filters(folder)["loans"], ran, to)
        write(folder, filters(folder)["loans"], new)
        found = filters(folder)["loans"]
        assert (found.version, found.conditions[0].value) == (5, event)  # type: ignore[union-attr] - a condition
        text = (folder / "streams" / "routing.yaml").read_text()
        assert text.startswith(PROJECT["streams/routing.yaml"].partition("  - id")[0])
        assert text.endswith(PROJECT["streams/routing.yaml"].partition("LoanClosed}]\n")[2])
        (folder / "streams" / "routing.yaml").write_text(PROJECT["streams/routing.yaml"])


def test_repeated_it_does_not_bring_back_what_was_given_up(folder: Path):
    good, bad = older(filters(folder)["loans"], 3, "LoanPaid"), filters(folder)["loans"]
    ran = [row(older(bad, 2, "LoanOpened"), 0), row(good, 1), row(bad, 2)]
    new = earlier(bad, ran, None)
    already = "version 5, already says what version 3 said; `headrace apply` lets it judge, or name another version by --to"
    for rows in (ran, [*ran, row(new, 3)]):  # its apply failed, or did not
        with pytest.raises(Refused, match=already):
            earlier(new, rows, None)
        assert earlier(new, rows, 2).conditions[0].value == "LoanOpened"  # type: ignore[union-attr] - a condition
    with pytest.raises(Refused, match="version 3, already says what version 3 said"):
        earlier(good, ran, None)  # the file alone was set back, as by git


def test_one_that_judged_anew_under_its_number_goes_back_as_any_other(folder: Path):
    one = filters(folder)["loans"]
    ran = [row(older(one, 3, "LoanPaid"), 0), row(one, 1), row(one, 2)]
    assert earlier(one, ran, None).conditions[0].value == "LoanPaid"  # type: ignore[union-attr] - a condition


@pytest.mark.parametrize(("to", "event"), [(None, "LoanClosed"), (3, "LoanPaid")])
@pytest.mark.parametrize("ending", ["enabled: false", "enabled: true\n    status: removed", "enabled: true\n    status: draft"])
def test_one_that_does_not_run_says_again_what_ran_last_and_runs(folder: Path, ending: str, to: int | None, event: str):
    one = filters(folder)["loans"]
    ran = [row(older(one, 3, "LoanPaid"), 1), row(one, 2)]
    file = folder / "streams" / "routing.yaml"
    file.write_text(file.read_text().replace("    enabled: true\n", f"    {ending}\n"))
    ended = filters(folder)["loans"]
    assert not ended.runs
    write(folder, ended, earlier(ended, ran, to))
    found = filters(folder)["loans"]
    assert (found.runs, found.version, found.conditions[0].value) == (True, 5, event)  # type: ignore[union-attr] - a condition


def test_one_that_stands_in_no_file_any_more_has_to_be_written_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    boats = older(filters(folder)["loans"], 2, "BoatSold").model_copy(update={"id": "boats"})
    monkeypatch.setattr("orchestration.filter_counts.counts", lambda catalogue, stream, ended: [row(boats, 1)])
    command = ("filters", "rollback", "boats", "-p", str(folder), "-e", str(Path(__file__).with_name("environment.yaml")))
    assert headrace(monkeypatch, *command) == 1
    told = capsys.readouterr().err
    assert f"filter boats has run, and stands in no file; write it again in {folder}/streams/routing.yaml, then apply:\n- id: boats" in told
    assert "version: 3" in told and "BoatSold" in told
    assert headrace(monkeypatch, *(one.replace("boats", "boots") for one in command)) == 2
    assert "no filter is called boots" in capsys.readouterr().err


@pytest.mark.parametrize("agreed", [True, False])
def test_who_agreed_to_it_then_has_agreed_to_it_again(folder: Path, agreed: bool):
    file = folder / "streams" / "routing.yaml"
    required = file.read_text().replace("kind: filters", "kind: filters\napproval: required").replace("isNull}]", "isNull}], status: draft")
    file.write_text(required.replace("    version: 4", "    version: 4\n    owner: Ann\n    approval: {by: Cid, version: 4}"))
    one = filters(folder)["loans"]
    said = older(one, 3, "LoanPaid").model_dump(mode="json", exclude_unset=True, by_alias=True, exclude={"approval"})
    before = Filter.model_validate({**said, "approval": {"by": "Bob", "version": 3}} if agreed else said)
    new = earlier(one, [row(before, 1), row(one, 2)], None)
    if not agreed:
        with pytest.raises(Refused, match="filter loans has no approval; expected that of a second person"):
            write(folder, one, new)
        return
    write(folder, one, new)
    found = filters(folder)["loans"]
    assert (found.version, found.approval and found.approval.by, found.approval and found.approval.version) == (5, "Bob", 5)


def test_what_never_ran_is_refused(folder: Path):
    one = filters(folder)["loans"]
    with pytest.raises(Refused, match="filter loans has run in no other version; it has run in: 4"):
        earlier(one, [row(one, 1)], None)
    with pytest.raises(Refused, match="filter loans has run in no version 7; it has run in: none"):
        earlier(one, [], 7)


def test_a_file_that_cannot_hold_it_stays_as_it_was(folder: Path):
    file = folder / "streams" / "routing.yaml"
    text = file.read_text()
    flow = "filters: [{id: loans, name: L, consumerId: d, outputTopic: l, enabled: true, conditions: [{field: a, operator: isNull}]}]\n"
    file.write_text(f"kind: filters\nsource: events\n{flow}")
    one = filters(folder)["loans"]
    with pytest.raises(Refused, match="write it by hand:\n- id: loans"):
        write(folder, one, older(one, 2, "LoanPaid"))
    assert file.read_text() == f"kind: filters\nsource: events\n{flow}" != text


def test_the_last_item_goes_up_to_the_end():
    said = {"id": "b", "name": "B", "consumerId": "c", "outputTopic": "t", "enabled": False}
    new = Filter.model_validate({**said, "conditions": [{"field": "x", "operator": "isNull"}]})
    assert replaced("filters:\n- id: a\n  name: A\n", 2, new).startswith("filters:\n- id: b\n  name: B\n")


def test_another_filter_under_a_number_that_ran_is_refused_and_what_people_read_is_free(folder: Path):
    one = filters(folder)["loans"]
    ran = [row(older(one, 3, "LoanCreated"), 1), row(one, 2)]
    told, raised = (one.model_copy(update=update) for update in ({"name": "All loans", "owner": "Ann"}, {"version": 5}))
    assert list(again(ran, [one, told, raised])) == []
    [said] = again(ran, [older(one, 4, "LoanOpened").placed_at("version", one.at("version"))])
    what = "filter loans was another in version 4, so its events would not tell which of them judged"
    assert said == f"{one.at('version')}: {what}; expected a new number for a change; say version: 5, or take the change back"
    assert len(list(again(ran, [older(one, 3, "LoanOpened")]))) == 1, "also under one that was given up"


def test_what_would_be_refused_by_now_is_told_as_that(folder: Path):
    one = filters(folder)["loans"]
    rows = [row(one, 2) | {"said": '{"id": "loans", "name": "Loans"}', "rule_version": 3}, row(older(one, 2, "LoanCreated"), 1)]
    with pytest.raises(Refused, match=r"what filter loans said in version 3 would be refused by now: .* name another version by --to"):
        earlier(one, rows, None)
    assert earlier(one, rows, 2).version == 5
