"""Capture as a resource: grants, publication, replica identity and our own two tables in a source database."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cdc.capture import comment, missed, quote, statements
from cdc.databases import Connection, connection, source_connection
from cdc.prerequisites import lost_columns, missing, read_as
from cdc.risks import Risk, of_drift, of_source
from cdc.signals import send, snapshot_signal
from project.environment import Environment, SourceDatabase
from project.models import Project
from project.resources import Difference, Document, Health, Judgement, Refused, Resource, State, Strength, Unreachable

_HERE = Path(__file__).parent
_SERVER, _PUBLICATION, _TABLES = ((_HERE / f"observed_{part}.sql").read_bytes() for part in ("server", "publication", "tables"))

_OPEN = """
select datname from pg_database
where datallowconn and not datistemplate and has_database_privilege(datname, 'connect') order by 1
"""
_SETTINGS = (_HERE / "risky_settings.sql").read_bytes()


class PostgresBackend:
    system = "postgres"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project, self._environment = project, environment

    def read(self, resource: Resource) -> Document | None:
        """Also refuses when nothing is there yet and the source lacks what it must bring along: a plan then says so."""
        with self._connection(resource.name) as source:
            observed = _observe(source, resource.document)
        if observed.get("publication") is not None:
            return observed
        _require(resource, observed)
        return None

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        refusal = "; ".join(missing(resource.document, observed)) or self._foreign(resource, observed)
        risks = tuple(map(str, of_drift(differences, self._environment.longest_outage_hours)))
        return Judgement(Strength.RECONFIGURE, refusal, _note(resource, observed), risks)

    def write(self, resource: Resource, observed: Document | None) -> None:
        """Tables that come (back) into the publication are read in full: nobody was told what happened to them before."""
        mark = comment(self._project.name, resource.name, resource.digest)
        with self._connection(resource.name) as source:
            now = _observe(source, resource.document)
            _require(resource, now)
            if foreign := self._foreign(resource, now):
                raise Refused(f"{resource.id}: {foreign}")
            for statement in statements(resource.document, now, source.info.dbname, mark):
                source.execute(statement.encode())
            if now.get("publication") and (tables := missed(resource.document, now)):
                send(source, snapshot_signal(tables))

    def delete(self, resource_id: str) -> None:
        """Drops the publication. The pulse and signal tables stay: other projects may use them, and nothing reads them else."""

        def drop(source: Connection) -> None:
            for publication in _marked(source, self._project.name, resource_id):
                source.execute(f"drop publication {quote(publication)}".encode())

        self._everywhere(drop)

    def owned(self) -> Iterable[str]:
        found: set[str] = set()
        self._everywhere(lambda source: found.update(_marked(source, self._project.name).values()))
        return sorted(found)

    def health(self, resource: Resource) -> Health:
        try:
            observed = self.read(resource)
        except Refused as error:
            return Health(State.FAILED, str(error))
        if observed is None:
            return Health(State.FAILED, f"{resource.id} is not set up; apply it")
        problems = missing(resource.document, observed)
        facts = {"publication": observed["publication"]["name"], "tables": len(observed["publication"]["tables"])}
        if problems:
            return Health(State.FAILED, "; ".join(problems), facts)
        return Health(State.PASSED, f"{resource.id} has all that Debezium needs", facts)

    def lost_columns(self, resource: Resource) -> dict[str, list[str]]:
        """The captured tables (schema.table) that lack captured columns at the source, with these."""
        with self._connection(resource.name) as source:
            return lost_columns(resource.document, _tables(source, resource.document))

    def url(self, resource: Resource) -> str | None:
        return None

    def risks(self, resource: Resource) -> list[Risk]:
        """Settings of the source under which changes can be lost, or be something else than they seem."""
        columns = [f"{name}.{column}" for name, table in resource.document["tables"].items() for column in table["columns"]]
        with self._connection(resource.name) as source:
            settings = source.execute(_SETTINGS, {"columns": columns}).fetchone() or {}
        return list(of_source(settings, self._environment.longest_outage_hours))

    def _connection(self, name: str) -> AbstractContextManager[Connection]:
        return source_connection(self._environment, self._project.sources[name])

    def _foreign(self, resource: Resource, observed: Document) -> str | None:
        publication = observed.get("publication")
        if publication is None or f"[headrace {self._project.name} " in (publication["comment"] or ""):
            return None
        return (
            f"publication {publication['name']} exists and lacks this project's mark; if nothing else uses it, "
            f"run `drop publication {quote(publication['name'])}` and apply again"
        )

    def _everywhere(self, do: Callable[[Connection], None]) -> None:
        """In every database behind the environment's sources. One of no source that pg_hba.conf closes (errors name that file in
        every language), such as a provider's own, has nothing of ours."""
        own = {one.database for one in self._project.sources.values()}
        for endpoint, database in self._databases():
            try:
                with connection(endpoint, database) as source:
                    do(source)
            except Unreachable as error:
                if endpoint.database or database in own or "pg_hba.conf" not in str(error):
                    raise

    def _databases(self) -> Iterator[tuple[SourceDatabase, str]]:
        """Where the environment names none, all of the server; which those are, a source's own is asked: `postgres` may be closed."""
        servers: set[tuple[str, int]] = set()
        for name, endpoint in self._environment.sources.items():
            if endpoint.database is not None:
                yield endpoint, endpoint.database
            elif (endpoint.host, endpoint.port) not in servers:
                servers.add((endpoint.host, endpoint.port))
                with connection(endpoint, self._a_database(name)) as server:
                    rows = server.execute(_OPEN).fetchall()
                yield from ((endpoint, row["datname"]) for row in rows)

    def _a_database(self, endpoint: str) -> str:
        """One that is there, as far as the project knows."""
        known = self._environment.sources
        served = (one.database for one in self._project.sources.values() if (one.name if one.name in known else "default") == endpoint)
        return next(served, "postgres")


def _note(resource: Resource, observed: Document) -> str | None:
    """What happens to the data."""
    tables = missed(resource.document, observed)
    way = "every row is read; `headrace verify --heal` finds rows deleted meanwhile"
    return f"not all changes of {', '.join(tables)} were published: {way}" if tables else None


def _observe(source: Connection, desired: Document) -> dict[str, Any]:
    role = desired["role"]["name"]
    server = source.execute(_SERVER, {"role": role, "schemas": desired["grants"]["usage"]}).fetchone() or {}
    publication = source.execute(_PUBLICATION, {"publication": desired["publication"]["name"]}).fetchone()
    return {
        **{field: server[field] for field in ("wal_level", "slots", "most_slots")},
        "role": {field: server[field] for field in ("name", "login", "replication")},
        "grants": {"connect": server["connect"], "usage": server["usage"]},
        "tables": {name: _table(found, desired["tables"][name]) for name, found in _tables(source, desired).items()},
        **({} if publication is None else {"publication": publication}),
    }


def _tables(source: Connection, desired: Document) -> dict[str, dict[str, Any]]:
    """Those of the desired tables that are there (observed_tables.sql)."""
    wanted = {"role": desired["role"]["name"], "tables": list(desired["tables"])}
    return {table["name"]: table for table in source.execute(_TABLES, wanted).fetchall()}


def _table(found: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: read_as(desired["columns"].get(name, ""), kind) for name, kind in found["columns"].items()}
    grants = [grant for grant in found["grants"] if grant in desired["grants"]]
    return {**{field: found[field] for field in ("partitioned", "key", "replica_identity")}, "columns": columns, "grants": grants}


def _require(resource: Resource, observed: Document) -> None:
    if problems := missing(resource.document, observed):
        raise Refused(f"{resource.declared_at}: {resource.id}: " + "; ".join(problems))


def _marked(source: Connection, project: str, resource_id: str | None = None) -> dict[str, str]:
    """Publication → resource id, of those with the project's mark."""
    rows = source.execute("select pubname, obj_description(oid, 'pg_publication') as comment from pg_publication").fetchall()
    pattern = re.compile(rf"(capture/\S+):.*\[headrace {re.escape(project)} \w+\]")
    marks = {row["pubname"]: match[1] for row in rows if (match := pattern.fullmatch(row["comment"] or ""))}
    return {publication: found for publication, found in marks.items() if resource_id in (None, found)}
