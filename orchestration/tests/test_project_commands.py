"""The commands that write files, and what any command says of a project that is wrong."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from orchestration import command_line
from project.described import DescribedColumn, DescribedDatabase, DescribedTable
from project.loader import load_project
from project.tests.test_bad_projects import edit

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / "orchestration/tests/environment.yaml"
CASES = yaml.safe_load((ROOT / "project/tests/bad_projects.yaml").read_text())
COLUMNS = DescribedColumn("id", "bigint"), DescribedColumn("spot", "point")
ORDERS = DescribedTable("public", "orders", COLUMNS, ("id",), estimated_rows=1200)
NOTES = DescribedTable("public", "notes", (DescribedColumn("body", "text"),))


def headrace(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs the command line as it is called, in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["headrace", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(ended.value.code or 0)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A database as its catalogue describes it; that a real one is described so is shown in cdc/tests/test_describing.py."""
    described = DescribedDatabase("shopdb", "", (NOTES, ORDERS))
    monkeypatch.setattr("cdc.describing.describe_database", lambda dsn, schema: (described, ("db.example", 5432)))
    monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(ENVIRONMENT))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_project_ends_with_2_and_its_problems_and_no_stack_trace(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert headrace(monkeypatch, "validate", "-p", str(edit(CASES[name]["edit"]))) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == ("", CASES[name]["says"])


def test_init_writes_a_project_that_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "My Shop"
    assert headrace(monkeypatch, "init", str(folder)) == 0
    assert headrace(monkeypatch, "validate", "-p", str(folder)) == 0
    assert "good: 1 sources, 1 streams, 2 views, 1 dashboards" in capsys.readouterr().out
    assert load_project(folder).name == "my-shop"
    assert {path.name for path in (folder / ".vscode/headrace").iterdir()} == {path.name for path in (ROOT / "project/schemas").iterdir()}


def test_a_topic_that_no_consumer_of_the_project_reads_is_told_and_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "cars"
    shutil.copytree(ROOT / "examples" / "cars", folder)
    routing = folder / "streams" / "routing.yaml"
    routing.write_text(routing.read_text().replace("consumerId: loan-consumer", "consumerId: loan-consumr", 1))
    assert headrace(monkeypatch, "validate", "-p", str(folder)) == 0
    said = (
        f'{routing}:8: no consumer of the project reads topic "filtered-loan-events" of filter loan-events-filter, which is for '
        '"loan-consumr"; there is car-consumer, loan-consumer, service-consumer; did you mean "loan-consumer"?'
    )
    assert capsys.readouterr().err.splitlines() == [said]
    assert headrace(monkeypatch, "validate", "-p", str(folder), "--json") == 0
    assert [f"{one['file']}:{one['line']}: {one['message']}" for one in json.loads(capsys.readouterr().out)["warnings"]] == [said]
    (folder / "consumers" / "loan-consumer.yaml").write_text("topics: [filtered-loan-events]\n")
    assert headrace(monkeypatch, "validate", "-p", str(folder)) == 0
    assert capsys.readouterr().err == "", "another one reads it"


def test_init_touches_no_folder_that_holds_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "notes.txt").write_text("mine")
    assert headrace(monkeypatch, "init", str(tmp_path)) == 2
    assert f"{tmp_path}: there is something already; expected a new or an empty folder; name another one" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.usefixtures("database")
def test_init_from_a_database_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert headrace(monkeypatch, "init", "shop", "--from", "postgresql://me:s3cr3t@db.example/shopdb") == 0
    said = capsys.readouterr().out
    assert "left out notes: it has no primary key; run `alter table public.notes add column id" in said
    assert 'left out orders.spot: type "point" has no mapping' in said
    assert "1,200" in said
    assert "shopdb was read from db.example:5432, and is looked for at source.example:5432. If that is another server, add it to" in said
    assert yaml.safe_load(said[said.index("sources:") :].partition("\n\n")[0])["sources"]["shopdb"]["host"] == "db.example"
    project = load_project(Path("shop"))
    assert project.sources.keys() == {"shopdb"}
    assert not any("s3cr3t" in path.read_text() for path in Path("shop").rglob("*") if path.is_file())


@pytest.mark.usefixtures("database")
def test_an_import_overwrites_only_when_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    headrace(monkeypatch, "init", "shop")
    arguments = ("import-source", "host=db.example", "-p", "shop", "--tables", "orders")
    assert headrace(monkeypatch, *arguments) == 0
    assert load_project(Path("shop")).streams["shopdb"].tables["orders"].table == "shopdb_orders"  # the example has an "orders"
    mine = Path("shop/sources/shopdb.yaml")
    mine.write_text(mine.read_text() + "# mine\n")
    assert headrace(monkeypatch, *arguments) == 2
    assert "shop/sources/shopdb.yaml, shop/streams/shopdb.yaml exists already" in capsys.readouterr().err
    assert mine.read_text().endswith("# mine\n")
    assert headrace(monkeypatch, *arguments, "--overwrite") == 0
    assert "# mine" not in mine.read_text()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("tables", "code", "said"),
    [("order", 2, "there is no table order in shopdb.public; it has notes, orders"), ("notes", 1, "nothing of shopdb can be captured")],
)
def test_an_import_of_nothing_writes_nothing(
    tables: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert headrace(monkeypatch, "init", "shop", "--from", "host=db.example", "--tables", tables) == code
    assert said in capsys.readouterr().err
    assert not Path("shop").exists()


def test_a_source_that_does_not_answer_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert headrace(monkeypatch, "init", str(tmp_path / "shop"), "--from", "postgresql://me@127.0.0.1:1/shop") == 1
    said = capsys.readouterr().err
    assert said.startswith("the source does not answer: ")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "shop").exists()


def commands(command: Any, name: str = "headrace") -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    yield from [(name, command)] if not inner else ()
    for word, one in inner.items():
        yield from commands(one, f"{name} {word}")


def test_the_help_of_every_command_has_an_example_and_says_what_each_word_is():
    found = dict(commands(typer.main.get_command(command_line.app)))
    assert {"headrace up", "headrace dead-letters replay"} <= found.keys()
    for name, command in found.items():
        assert command.help and "Example: " in (command.epilog or "") and f"{name} " in f"{command.epilog} ", name
        for one in command.params:
            assert one.help, f"{name}: {one.name}"


def test_what_is_done_elsewhere_has_to_be_known_to_a_dagster_and_what_is_only_asked_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    elsewhere = ("-e", str(ENVIRONMENT))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert headrace(monkeypatch, "apply", *elsewhere) == 1
    said = "environment.yaml: the Dagster that watches this place has to know what is done; name its folder in DAGSTER_HOME"
    assert said in capsys.readouterr().err
    monkeypatch.setattr("orchestration.catalogue.Catalogue.read_ahead", lambda _: sys.exit(7))
    assert headrace(monkeypatch, "plan", *elsewhere) == 7, "the systems are asked"
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "gone"))
    assert headrace(monkeypatch, "apply", *elsewhere) == 1
    assert f"its folder {tmp_path}/gone is not there; start it, or correct DAGSTER_HOME" in capsys.readouterr().err


@pytest.mark.parametrize("example", ["bookstore", "cars"])
def test_what_a_project_compiles_to_is_the_same_in_every_process(example: str):
    def rendered(seed: str) -> str:
        command = (sys.executable, "-m", "orchestration", "render", "-p", ROOT / "examples" / example, "-e", ENVIRONMENT)
        variables = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True).stdout

    assert rendered("1") == rendered("2") != ""
