"""Whatever stands in a schema: loading ends with a project or with problems that name a file."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from project.loader import load_project
from project.problems import ProjectError

CARS = Path(__file__).parents[3] / "examples" / "cars"
LOAN = yaml.safe_load((CARS / "events" / "LoanCreated.yaml").read_text())
KEYS = ["type", "required", "enum", "minimum", "maxLength", "fields", "items", "string", "number", "object", "list", "entities", "version"]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(KEYS)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
DOCUMENTS = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inside, max_size=4), max_leaves=8
)


@given(st.data(), DOCUMENTS)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_any_value_at_any_place(data: st.DataObject, value: Any):
    document = yaml.safe_load(yaml.safe_dump(LOAN))
    place = document
    while True:
        key = data.draw(st.sampled_from(list(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    with tempfile.TemporaryDirectory() as folder:
        cars = Path(shutil.copytree(CARS, Path(folder) / "cars", ignore=shutil.ignore_patterns("sample")))
        (cars / "events" / "LoanCreated.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
        try:
            load_project(cars)
        except ProjectError as error:
            assert all(problem.location.file.startswith(f"{cars}/") for problem in error.problems)
