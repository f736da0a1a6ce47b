"""An analytics database with a project in it, as the tests of this room use it."""

from graphlib import TopologicalSorter
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from analytics_sql.backends import open_backends
from analytics_sql.compile import compile_resources
from orchestration import reconcile
from orchestration.reconcile import Change
from project.environment import Environment
from project.models import Project
from project.resources import Resource


class Analytics:
    """Applies a project, and asks what is there as any of the three roles."""

    def __init__(self, environment: Environment, project: Project) -> None:
        self.environment = environment
        self.use(project)

    def use(self, project: Project) -> None:
        """Go on with a changed project."""
        self.project = project
        self.resources = {resource.id: resource for resource in compile_resources(project, self.environment)}
        [self.backend] = open_backends(project, self.environment)

    def plan(self) -> list[Change]:
        """What an apply of everything would do."""
        changes = [reconcile.plan(self.backend, resource) for resource in self._in_order()]
        return [change for change in changes if change.action is not reconcile.Action.NONE]

    def apply(self, *ids: str) -> list[str]:
        """Apply the named resources, or all; gives what was done, and fails if something was left to do."""
        done: list[str] = []
        for resource in self._in_order():
            if not ids or resource.id in ids:
                change, remaining = reconcile.apply(self.backend, resource)
                assert remaining.action is reconcile.Action.NONE, str(remaining)
                if change.action is not reconcile.Action.NONE:
                    done.append(f"{change.action.done} {resource.id}")
        return done

    def ask(self, query: str, parameters: Any = None, role: str = "admin", **settings: str) -> list[Any]:
        """Run SQL as one of the three roles; gives the rows, if there are any."""
        place = self.environment.analytics
        login = getattr(place, role)
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        with psycopg.Connection[DictRow].connect(
            host=place.host, port=place.port, dbname=place.database, user=login.user, password=login.password.reveal(),
            options=options, row_factory=dict_row,
        ) as connection:  # fmt: skip
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def _in_order(self) -> list[Resource]:
        order = TopologicalSorter({resource.id: resource.depends_on for resource in self.resources.values()}).static_order()
        return [self.resources[id] for id in order]
