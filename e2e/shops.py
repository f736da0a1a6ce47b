"""A small project of its own for one test: a source database, its folder of specs, and all that an apply makes of it."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import yaml
from psycopg.sql import SQL, Identifier

from e2e.conftest import PLATFORM, connect, headrace
from infra import projects
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.exclusive import exclusive
from orchestration.kinds import PRUNE_ORDER
from orchestration.reconcile import Action, apply
from orchestration.rereading import reread
from project.environment import Environment
from project.loader import load_project
from project.resources import Health, State

_OUTBOX = "create table if not exists outbox (id uuid primary key default gen_random_uuid(), entity_id text not null, event jsonb)"


@dataclass
class Shop:
    """`source` and `analytics` are autocommitting connections; unqualified names are the shop's own."""

    name: str
    folder: Path
    environment: Environment
    source: psycopg.Connection
    analytics: psycopg.Connection

    def declare(self, tables: dict[str, Any], targets: dict[str, str] | None = None, **more: Any) -> None:
        """Capture these tables, and mirror each under its own name unless `targets` gives another; `more` stands in the stream as well."""
        connector = {"database": self.source.info.dbname, "connector": self.name, "tables": tables}
        _write(self.folder / "sources" / "shop.yaml", connector)
        named = targets or {table: table for table in tables}
        _write(self.folder / "streams" / "shop.yaml", {"kind": "mirror", "source": "shop", "tables": named, **more})

    def declare_filters(self, filters: Iterable[dict[str, Any]], **more: Any) -> None:
        """Capture an outbox, and route its events; `more` stands in the stream as well."""
        self.source.execute(_OUTBOX)
        outbox = {"database": self.source.info.dbname, "connector": self.name, "outbox": {"table": "outbox"}}
        _write(self.folder / "sources" / "shop.yaml", outbox)
        _write(self.folder / "streams" / "shop.yaml", {"kind": "filters", "source": "shop", "filters": list(filters), **more})

    def catalogue(self) -> Catalogue:
        return build_catalogue(load_project(self.folder), self.environment)

    def apply(self) -> dict[str, Action]:
        """What an apply did, but for Superset."""
        catalogue = self.catalogue()
        wanted = [resource for resource in catalogue.resources if resource.system != "superset"]
        with exclusive(self.environment.analytics, self.name):  # the sensors of one that a command has applied heal meanwhile
            return {resource.id: apply(catalogue.backend(resource), resource)[0].action for resource in wanted}

    def reread(self) -> None:
        list(reread(self.catalogue(), "shop"))

    def health(self, resource_id: str) -> Health:
        catalogue = self.catalogue()
        resource = catalogue.by_id[resource_id]
        return catalogue.backend(resource).health(resource)

    def failure(self, resource_id: str) -> str:
        """What a red check says; nothing of one that is not red."""
        health = self.health(resource_id)
        return health.text if health.state is State.FAILED else ""

    def owned(self) -> set[str]:
        """Ids of all that carries the project's mark, but for Superset."""
        return {owned for system, backend in self.catalogue().backends.items() if system != "superset" for owned in backend.owned()}

    def prune(self) -> None:
        """Remove all of it, as `erase` does: views read each other, and none of them is to stay."""
        shutil.rmtree(self.folder / "views", ignore_errors=True)
        backends = self.catalogue().backends
        kinds = {"capture": "postgres", "topic": "kafka", "connector": "connect", "job": "flink", "consumer": "consumers"}
        kinds["subject"] = "registry"
        for owned in sorted(self.owned(), key=lambda one: PRUNE_ORDER.index(one.partition("/")[0])):
            backends[kinds.get(owned.partition("/")[0], "analytics")].delete(owned)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """From the analytics database."""
        return self.analytics.execute(query.encode()).fetchall()


@contextmanager
def open_shop(folder: Path, environment: Environment) -> Iterator[Shop]:
    """A shop with an empty source; all that was made of it is removed at the end."""
    name = f"shop-{uuid4().hex[:8]}"
    server, target = environment.source("shop"), environment.analytics
    assert target.database
    database = Identifier(name.replace("-", "_"))
    for part in ("sources", "streams"):
        (folder / part).mkdir()
    _write(folder / "project.yaml", {"name": name, "title": name, "owner": "e2e@example.com"})
    with (
        connect(server.host, server.port, "postgres", server.admin) as admin,
        connect(target.host, target.port, target.database, target.admin) as analytics,
    ):
        admin.execute(SQL("create database {}").format(database))
        analytics.execute(SQL("set search_path to {}").format(database))
        try:
            with connect(server.host, server.port, name.replace("-", "_"), server.admin) as source:
                shop = Shop(name, folder, environment, source, analytics)
                try:
                    yield shop
                finally:
                    if name in {project.name for project in projects.read(PLATFORM)}:  # by a command that applied it
                        headrace("erase", "-p", str(folder), "--yes")
                    shop.prune()
        finally:
            admin.execute(SQL("drop database {} with (force)").format(database))


def _write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(document, sort_keys=False))
