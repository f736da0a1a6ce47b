"""Superset takes over what has the same name; we do not."""

from typing import Any

import pytest

from project.environment import Environment
from project.models import Project
from project.resources import Refused
from superset_bootstrap.backends import SupersetBackend
from superset_bootstrap.client import SupersetClient

Lists = dict[str, list[dict[str, Any]]]


class Written(Exception):
    """The import was reached."""


@pytest.fixture
def backend(bookstore: Project, environment: Environment) -> SupersetBackend:
    return SupersetBackend(bookstore, environment)


@pytest.fixture
def lists(backend: SupersetBackend, monkeypatch: pytest.MonkeyPatch) -> Lists:
    """What Superset's lists answer, by kind, but for what is ours: that the connection is there, and nothing else."""
    answers: Lists = {}
    database = backend._resources["database/bookstore"].document["uuid"]

    def rows(self: SupersetClient, kind: str, condition: str, columns: Any) -> dict[str, dict[str, Any]]:
        if "col:uuid" in condition:
            return {database: {"id": 1, "uuid": database}} if kind == "database" else {}
        return {row["uuid"]: row for row in answers.get(kind, [])}

    def import_archive(self: SupersetClient, *archive: Any) -> None:
        raise Written

    monkeypatch.setenv("PASSWORD", "secret")
    monkeypatch.setattr(SupersetClient, "rows", rows)
    monkeypatch.setattr(SupersetClient, "import_archive", import_archive)
    return answers


def over(database: str) -> dict[str, Any]:
    return {"id": 9, "uuid": "e0000000-0000-4000-8000-000000000009", "database": {"uuid": database}}


@pytest.mark.parametrize("written", ["dataset/vw_revenue_by_genre", "chart/inventory.genre_share"])
def test_a_dataset_that_a_person_made_over_our_view_is_left_alone(backend: SupersetBackend, lists: Lists, written: str):
    dataset = backend._resources["dataset/vw_revenue_by_genre"]
    lists["dataset"] = [over(dataset.document["database_uuid"])]
    told = r"another dataset over public\.vw_revenue_by_genre, which is not ours, at http.*; write the metrics to keep into views/"
    with pytest.raises(Refused, match=told):
        backend.write(backend._resources[written], None)


def test_a_dataset_of_the_same_name_in_another_database_is_no_matter(backend: SupersetBackend, lists: Lists):
    dataset = backend._resources["dataset/vw_revenue_by_genre"]
    lists["dataset"] = [over("e0000000-0000-4000-8000-000000000001")]
    with pytest.raises(Written):
        backend.write(dataset, None)
