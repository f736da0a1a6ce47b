"""The editors' schemas, asked by a real validator: good files pass, and mistakes of form are underlined while one types.

The validator is that of Superset's environment; ours has none. UPDATE_GOLDEN=1 writes the list of what editors see anew.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.environments import ensure
from project.located_yaml import read_yaml
from project.schemas import FOLDER
from project.starting import starter_files
from project.tests.test_bad_projects import edit
from project.text_files import read_text
from project.view_files import read_view

ROOT = Path(__file__).parents[2]
BAD = ROOT / "project/tests/bad_projects.yaml"
SEEN = ROOT / "project/tests/golden/seen-by-editors.txt"
_FILES = {"project": "", "source": "sources/", "event": "events/", "stream": "streams/", "view": "views/", "dashboard": "dashboards/"}
_VALIDATE = """
import json, sys
from jsonschema import Draft7Validator
schemas, documents = json.load(sys.stdin)
validators = {kind: Draft7Validator(schema) for kind, schema in schemas.items()}
for schema in schemas.values():
    Draft7Validator.check_schema(schema)
said = {name: [error.message for error in validators[kind].iter_errors(document)] for name, (kind, document) in documents.items()}
json.dump(said, sys.stdout)
"""
Documents = dict[str, tuple[str, Any]]


def errors(documents: Documents) -> dict[str, list[str]]:
    schemas = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
    asked = json.dumps([schemas, documents])
    done = subprocess.run([ensure("superset"), "-c", _VALIDATE], input=asked, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def documents_of(folder: Path) -> Documents:
    """Every document of a project that is YAML at all, by its path."""
    found: Documents = {}
    for kind, place in _FILES.items():
        for path in sorted(folder.glob(f"{place}*.sql" if kind == "view" else f"{place}*.yaml")):
            # What a machine has behind a link out of the project is no part of the test.
            if not path.parent.is_symlink() and (document := _document(path)) is not None:
                found[str(path)] = kind, document
    return found


def _document(path: Path) -> Any:
    text = read_text(path, [])
    if text is None:
        return None
    return read_view(text, str(path), [])[0] if path.suffix == ".sql" else read_yaml(text, str(path), [])


def test_every_good_file_passes(tmp_path: Path):
    for path, text in starter_files("new").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    good = [ROOT / "project/tests/good", tmp_path, *(path.parent for path in ROOT.glob("examples/*/project.yaml"))]
    found = errors({name: document for folder in good for name, document in documents_of(folder).items()})
    assert len(found) > 30
    assert {name: said for name, said in found.items() if said} == {}


def test_mistakes_of_form_are_seen_while_one_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    documents: Documents = {}
    for number, (name, case) in enumerate(yaml.safe_load(BAD.read_text()).items()):
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))
        documents |= {f"{name}: {path}": document for path, document in documents_of(edit(case["edit"])).items()}
    seen = "".join(f"{name}\n" for name, said in errors(documents).items() if said)
    if os.environ.get("UPDATE_GOLDEN"):
        SEEN.write_text(seen)
    assert seen == SEEN.read_text()
