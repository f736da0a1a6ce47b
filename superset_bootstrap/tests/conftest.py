"""A project of charts."""

from pathlib import Path

import pytest

from project.loader import load_project
from project.models import Project


@pytest.fixture
def gallery() -> Project:
    """A chart of every kind, over invented rows."""
    return load_project(Path(__file__).parent / "gallery")
