"""What is remembered of Superset's content, and for how long."""

from collections.abc import Iterable
from typing import Any

import pytest

from project.environment import Environment
from project.models import Project
from project.resources import Resource
from superset_bootstrap.client import SupersetClient
from superset_bootstrap.compile import compile_resources
from superset_bootstrap.contents import Contents


class Holding(SupersetClient):
    """A Superset that has just some rows."""

    def __init__(self, environment: Environment, rows: dict[str, dict[str, Any]]) -> None:
        super().__init__(environment.superset)
        self.held = rows

    def rows_by_uuid(self, kind: str, uuids: Iterable[str], columns: Iterable[str]) -> dict[str, dict[str, Any]]:
        return {uuid: self.held[uuid] for uuid in uuids if uuid in self.held}


@pytest.fixture
def chart(bookstore: Project, environment: Environment) -> Resource:
    return next(resource for resource in compile_resources(bookstore, environment) if resource.kind == "chart")


def test_what_was_deleted_by_hand_has_no_number_any_more(chart: Resource, environment: Environment):
    superset = Holding(environment, {chart.document["uuid"]: {"id": 7}})
    known = Contents(superset, [chart])
    assert known.number(chart) == 7
    superset.held.clear()
    assert known.number(chart) is None
