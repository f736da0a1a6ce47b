"""The language reference and the editors' schemas are the models, told again. UPDATE_GOLDEN=1 writes them anew."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from project.loader import load_project
from project.reference import language_page
from project.schemas import FOLDER, as_text, editor_schemas

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCHEMAS = editor_schemas()


def golden(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text(), f"{path} is not what the models say; UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_what_the_models_say(kind: str):
    golden(FOLDER / f"{kind}.json", as_text(SCHEMAS[kind]))


def test_no_other_schema_lies_about():
    assert {path.stem for path in FOLDER.iterdir()} == SCHEMAS.keys()


def test_the_language_page_is_what_the_models_say():
    good = HERE / "good"
    files = {path.relative_to(good).as_posix(): path.read_text() for path in good.rglob("*") if path.is_file()}
    files["events/LoanCreated.yaml"] = (ROOT / "examples/cars/events/LoanCreated.yaml").read_text()
    projects = [load_project(folder) for folder in (good, *sorted(path.parent for path in ROOT.glob("examples/*/project.yaml")))]
    cases = yaml.safe_load((HERE / "bad_projects.yaml").read_text())
    golden(ROOT / "docs" / "language.md", language_page(files, projects, {name: case["says"] for name, case in cases.items()}))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_key_says_what_it_means(kind: str):
    def unsaid(definition: dict[str, Any]) -> list[str]:
        keys = definition.get("properties", {})
        return [f"{definition['title']}.{key}" for key, said in keys.items() if not said.get("description")]

    schema = SCHEMAS[kind]
    missing = [key for definition in (schema, *schema["$defs"].values()) for key in unsaid(definition)]
    assert missing == [], "write a comment beside the key in its model, or Field(description=…)"
