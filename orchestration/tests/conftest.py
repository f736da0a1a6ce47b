"""Examples compiled for an environment that nothing connects to, and a clock that can be set."""

import time
from pathlib import Path

import pytest

from orchestration.catalogue import Catalogue, build_catalogue
from project.environment import read_environment
from project.loader import load_project

ROOT = Path(__file__).resolve().parents[2]


def compiled(example: str) -> Catalogue:
    project = load_project(ROOT / "examples" / example)
    return build_catalogue(project, read_environment(Path(__file__).with_name("environment.yaml")))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return compiled("bookstore")


def set_back(monkeypatch: pytest.MonkeyPatch) -> float:
    """The clock, by two hours; the time that it was."""
    before = time.time()
    monkeypatch.setattr(time, "time", lambda: before - 7200)
    return before
