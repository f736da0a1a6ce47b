"""Whatever stands in a file: loading ends with a project or with problems that name the file, and with nothing else."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from project.loader import load_project
from project.problems import ProjectError

GOOD = Path(__file__).parent / "good"
FILES = ("project.yaml", "sources/shop.yaml", "streams/shop.yaml", "views/sold_orders.sql", "dashboards/sales.yaml")
HEADER = b"/*\ntitle: t\ndescription: d\ncolumns: {id: The order.}\n*/\n"
KEYS = re.findall(r"\w+", "title name kind source tables key columns type table rows items chart view metric filters expression id")
WORDS = re.findall(
    r"\S+", "select from where with as join on ( ) , . ; * 'x' \"x\" x fact_orders union all recursive lateral by order -- /* */ $$ :: 1"
)
STEADY = settings(derandomize=True, deadline=None, max_examples=40)

texts = st.text(st.characters(codec="utf-8"), max_size=60)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(KEYS)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=6)
)


def load_with(name: str, content: bytes) -> None:
    """Loads the good project with one file's content replaced."""
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(shutil.copytree(GOOD, Path(folder) / "shop"))
        (shop / name).write_bytes(content)
        try:
            load_project(shop)
        except ProjectError as error:
            assert all(problem.location.file.startswith(f"{shop}/") for problem in error.problems)
            assert len(str(error).splitlines()) == len(error.problems)
            str(error).encode()


@pytest.mark.parametrize("name", FILES)
@given(content=st.binary(max_size=400))
@STEADY
def test_any_bytes(name: str, content: bytes) -> None:
    load_with(name, content)


@pytest.mark.parametrize("name", FILES)
@given(content=texts)
@STEADY
def test_any_text(name: str, content: str) -> None:
    load_with(name, content.encode())


@pytest.mark.parametrize("name", FILES)
@given(document=documents)
@STEADY
def test_any_document(name: str, document: Any) -> None:
    text = yaml.safe_dump(document, allow_unicode=True)
    load_with(name, (f"/*\n{text}*/\nselect 1" if name.endswith(".sql") else text).encode())


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".yaml")])
@given(data=st.data())
@STEADY
def test_any_value_at_any_place(name: str, data: st.DataObject) -> None:
    document = yaml.safe_load((GOOD / name).read_text())
    place = document
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(documents)
    load_with(name, yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode())


@given(words=st.lists(st.sampled_from(WORDS), max_size=25))
@settings(STEADY, max_examples=200)
def test_any_sql(words: list[str]) -> None:
    load_with("views/sold_orders.sql", HEADER + " ".join(["select", *words]).encode())
