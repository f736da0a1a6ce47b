"""All resources of a project in dependency order, and the systems that hold them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from graphlib import CycleError, TopologicalSorter
from threading import Thread

import analytics_sql.backends
import analytics_sql.compile
import cdc.backends
import cdc.compile
import consumers.backends
import consumers.compile
import flink.backends
import flink.compile
import superset_bootstrap.backends
import superset_bootstrap.compile
from cdc.lag import LagReader
from orchestration.filter_versions import enter_versions, refuse_change, say_change
from orchestration.reconcile import Change
from project.environment import Environment
from project.models import Project
from project.problems import Problem, ProjectError
from project.resources import Backend, Refused, Resource

_COMPILERS = (
    cdc.compile.compile_resources,
    analytics_sql.compile.compile_resources,
    flink.compile.compile_resources,
    consumers.compile.compile_resources,
    superset_bootstrap.compile.compile_resources,
)
_BACKENDS = (
    cdc.backends.open_backends,
    analytics_sql.backends.open_backends,
    flink.backends.open_backends,
    consumers.backends.open_backends,
    superset_bootstrap.backends.open_backends,
)


@dataclass(frozen=True)
class Catalogue:
    """What a project wants in an environment: every resource after those it depends on."""

    project: Project
    environment: Environment
    resources: tuple[Resource, ...]
    report: Callable[[Change], None] = lambda change: None  # told of each change that an apply has made
    resting: Callable[[str], AbstractContextManager[object]] = nullcontext  # has a consumer stand still, where it is ours to stop

    @cached_property
    def by_id(self) -> Mapping[str, Resource]:
        return {resource.id: resource for resource in self.resources}

    @cached_property
    def backends(self) -> Mapping[str, Backend]:
        """One backend per system. Opening them makes no connection."""
        opened = {
            backend.system: backend for open_backends in _BACKENDS for backend in open_backends(self.project, self.environment)
        }
        jobs, topics, connectors, tables = opened["flink"], opened["kafka"], opened["connect"], opened["analytics"]
        readers = opened["consumers"]
        assert isinstance(jobs, flink.backends.FlinkBackend) and isinstance(topics, cdc.backends.KafkaBackend)
        assert isinstance(connectors, cdc.backends.ConnectBackend) and isinstance(tables, analytics_sql.backends.AnalyticsBackend)
        assert isinstance(readers, cdc.backends.ConsumerBackend)
        readers.resting = self.resting
        jobs.begins = partial(enter_versions, self.project, self.environment)
        jobs.waits = self._why_it_waits
        jobs.refuse_change = partial(refuse_change, self.project, self.environment)
        jobs.say_change = partial(say_change, self.project, self.environment)
        topics.creates = partial(self._leave, jobs, connectors)
        connectors.reshapes = partial(jobs.make_way, wanted=self.of_kind("job"))
        tables.creates = partial(self._fill, jobs, connectors)
        return opened

    def _why_it_waits(self, job: Resource) -> str | None:
        return said(lost) if (lost := self.lost_columns(job)) else None

    def lost_columns(self, job: Resource) -> dict[str, list[str]] | None:
        """Of the tables (schema.table) that a mirror reads the captured columns that are gone at the source; None if that does not answer.
        A connector without a column that makes an event of a row fails by itself."""
        stream, postgres = self.project.streams[job.name], self.backends["postgres"]
        source = self.project.sources[stream.source]
        assert isinstance(postgres, cdc.backends.PostgresBackend)
        read = {f"{source.captured[table].schema_}.{table}" for table in stream.tables}
        try:
            lost = postgres.lost_columns(self.by_id[f"capture/{source.name}"]) if read else {}
        except Refused:
            return None
        return {table: columns for table, columns in lost.items() if table in read}

    def _leave(self, jobs: flink.backends.FlinkBackend, connectors: cdc.backends.ConnectBackend, topic: str) -> None:
        """End the jobs that read a topic which is about to be created, unless nobody is going to write to it."""
        for connector in self.of_kind("connector"):
            if f"topic/{topic}" in connector.depends_on:
                connectors.refuse_beside_another(connector)
        jobs.leave(topic, self.of_kind("job"))

    def _fill(self, jobs: flink.backends.FlinkBackend, connectors: cdc.backends.ConnectBackend, table: Resource) -> None:
        """Have every row of a mirrored table read again if its stream has begun: the table would begin with what changes next."""
        if table.name not in self.project.target_tables:
            return
        stream, captured = self.project.target_tables[table.name]
        source, job = self.project.sources[stream.source], self.by_id[f"job/{stream.name}"]
        if jobs.has_begun(job, source.topic(captured)):
            jobs.make_way({source.topic(captured)}, [job])
            connectors.read_tables_again(self.by_id[f"connector/{source.connector}"], [f"{source.tables[captured].schema_}.{captured}"])

    @cached_property
    def lag(self) -> LagReader:
        """Remembers what it saw of each stream, so it is one per process."""
        return LagReader(self.project, self.environment)

    def backend(self, resource: Resource) -> Backend:
        return self.backends[resource.system]

    def read_ahead(self) -> None:
        """Begin to read what Superset holds, which takes a second that Dagster's import can share; what fails then fails again later."""
        first = next((resource for resource in self.resources if resource.system == "superset"), None)

        def read(resource: Resource) -> None:
            with suppress(Refused):
                self.backend(resource).read(resource)

        if first:
            Thread(target=read, args=[first], daemon=True).start()

    @cached_property
    def routing(self) -> tuple[Resource, ...]:
        """The jobs of filters."""
        return tuple(job for job in self.of_kind("job") if self.project.streams[job.name].filters)

    def of_kind(self, kind: str) -> tuple[Resource, ...]:
        return tuple(resource for resource in self.resources if resource.kind == kind)


def said(lost: Mapping[str, list[str]]) -> str:
    """Captured columns that are gone, and the way out."""
    named = ", ".join(f"{table}.{column}" for table, columns in lost.items() for column in columns)
    return f"{named} is gone at the source; correct the source's spec and apply, or add the column: it then goes on by itself"


def build_catalogue(project: Project, environment: Environment) -> Catalogue:
    """Compile a project; raises ProjectError when two specs want the same thing."""
    compiled = [resource for compile_resources in _COMPILERS for resource in compile_resources(project, environment)]
    return Catalogue(project, environment, order(compiled))


def order(resources: list[Resource]) -> tuple[Resource, ...]:
    """Dependencies first, otherwise as compiled."""
    by_id = {resource.id: resource for resource in resources}
    _refuse_clashes(resources, by_id)
    try:
        ids = TopologicalSorter({resource.id: resource.depends_on for resource in resources}).static_order()
        return tuple(by_id[resource_id] for resource_id in ids)
    except CycleError as error:
        circle, place = " → ".join(error.args[1]), by_id[error.args[1][0]].declared_at
        raise ProjectError([Problem(place, f"the resources depend on each other in a circle: {circle}; break it")]) from None


def _refuse_clashes(resources: list[Resource], by_id: Mapping[str, Resource]) -> None:
    problems = [
        Problem(resource.declared_at, f"{resource.id} is also declared at {by_id[resource.id].declared_at}; names are unique; rename one")
        for resource in resources
        if by_id[resource.id] is not resource
    ]
    problems += [
        Problem(resource.declared_at, f"{resource.id} depends on {needed}, which nothing declares")
        for resource in resources
        for needed in resource.depends_on
        if needed not in by_id
    ]
    if problems:
        raise ProjectError(problems)
