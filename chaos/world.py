"""A running platform with the bookstore, and with a dealership beside it if one was founded, and the hands that break it."""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import psutil
import psycopg
import requests
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cdc.names import slot
from chaos.links import Link
from chaos.outbox import Outbox
from e2e.command import run
from e2e.conftest import connect
from e2e.graph import Graph
from e2e.waiting import until
from flink.offsets import consumer_of, since
from flink.records import Letter, unread
from infra import lifecycle
from infra.platform import Platform
from orchestration.catalogue import Catalogue, build_catalogue
from project.environment import Environment, read_environment
from project.loader import load_project

_COMMAND_SECONDS = 600
_SQL_SECONDS = 120
_RED = 300  # seconds; drift is looked for every two minutes


@dataclass(frozen=True)
class Captured:
    """A source of a project, and what reads it."""

    folder: Path  # of the project
    source: str
    database: str
    connector: str
    slot: str


@dataclass(frozen=True)
class World:
    platform: Platform
    links: Sequence[Link] = ()  # that the platform's components reach each other by; none on one that chaos did not make
    dealership: Path | None = None  # the folder of a second project, whose events are told all the time

    @cached_property
    def environment(self) -> Environment:
        return read_environment(self.platform.environment_file)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Of all projects."""
        return self.platform.root / "examples" / "bookstore", *([self.dealership] if self.dealership else [])

    @property
    def catalogues(self) -> list[Catalogue]:
        """Of all projects, as their folders are now."""
        return [build_catalogue(load_project(folder), self.environment) for folder in self.folders]

    @cached_property
    def catalogue(self) -> Catalogue:
        """The bookstore's."""
        return self.catalogues[0]

    @property
    def cars(self) -> Catalogue:
        """The dealership's."""
        assert self.dealership
        return self.catalogues[1]

    @cached_property
    def captured(self) -> dict[str, Captured]:
        """All sources by their names."""
        return {
            one.name: Captured(folder, one.name, one.database, one.connector, slot(catalogue.project, one))
            for folder, catalogue in zip(self.folders, self.catalogues, strict=True) for one in catalogue.project.sources.values()
        }  # fmt: skip

    @cached_property
    def outbox(self) -> Outbox:
        """Where the dealership's programs tell of events."""
        return Outbox()

    @cached_property
    def graph(self) -> Graph:
        return Graph(self.platform.url("dagster"))

    @cached_property
    def kafka(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.environment.kafka.bootstrap_servers, "log_level": 0})

    def headrace(self, *arguments: str, check: bool = True) -> CompletedProcess[str]:
        """Run the command line against this platform."""
        module = "chaos.links" if self.links else "orchestration"
        return run(self.platform, *arguments, seconds=_COMMAND_SECONDS, check=check, module=module)

    def of_cars(self, *arguments: str, check: bool = True) -> CompletedProcess[str]:
        """The same for the dealership."""
        return self.headrace(*arguments, "-p", str(self.dealership), check=check)

    def up(self, check: bool = True) -> None:
        """Bring up all that is down, and apply all projects."""
        for folder in self.folders:
            self.headrace("up", "-p", str(folder), check=check)

    def pids(self) -> dict[str, int]:
        """The processes that run, by component."""
        return {one.name: one.pid for one in lifecycle.status(self.platform) if one.pid is not None}

    def kill(self, *components: str) -> None:
        """As an operating system without memory would; returns when the supervisor has started them again."""
        before = self.pids()
        for component in components:
            os.kill(before[component], signal.SIGKILL)
        until(lambda: all(self.pids().get(one) not in (None, before[one]) for one in components), 90, f"{components} are started again")

    def pause(self, component: str, seconds: float) -> None:
        """Stop a component's processes without their knowing, then let them go on."""
        process = psutil.Process(self.pids()[component])
        stopped = [process, *process.children(recursive=True)]
        for one in stopped:
            one.suspend()
        try:
            time.sleep(seconds)
        finally:
            for one in stopped:
                if one.is_running():
                    one.resume()

    def source(self, name: str = "ecom") -> psycopg.Connection:
        """An autocommitting connection to a source's database, as its admin."""
        place = self.environment.source(name)
        # Past the links: customers trade whatever becomes of the chain.
        return connect(place.host, self.platform.port("postgres source"), self.captured[name].database, place.admin)

    def analytics(self) -> psycopg.Connection:
        """The same to the analytics database."""
        place = self.environment.analytics
        return connect(place.host, place.port, str(place.database), place.admin)

    def wait_red(self, check: str, saying: str = "") -> None:
        """Until a check is red, with these words: what may lose data has to be seen, and the way out."""
        try:
            until(lambda: saying in (text := self.graph.red().get(check, "")) and text, _RED, f"{check} turns red, saying {saying!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the check says {self.graph.checks().get(check)}") from error

    def connector(self, action: str, name: str = "ecom-connector") -> None:
        """stop, pause or resume, as soon as Connect takes it."""
        url = f"{self.environment.connect.url}/connectors/{name}/{action}"
        until(lambda: requests.put(url, timeout=30).ok, 60, f"Connect takes {action}")

    def slot_is_free(self, name: str = "headrace_bookstore_ecom") -> None:
        with self.source() as source:
            query = "select count(*) from pg_replication_slots where slot_name = %s and active"
            until(lambda: source.execute(query, [name]).fetchone() == (0,), 60, f"nobody reads {name}")

    def produce(self, topic: str, value: bytes) -> None:
        """Write a record that no connector wrote."""
        producer = Producer({"bootstrap.servers": self.environment.kafka.bootstrap_servers})
        producer.produce(topic, value=value, key=b"{}")
        assert not producer.flush(30)

    def ends(self, stream: str) -> list[TopicPartition]:
        """The end of each partition that a stream reads."""
        return [TopicPartition(topic, number, seen.end) for (topic, number), seen in self.catalogue.lag.offsets(stream).items()]

    def records(self, places: list[TopicPartition]) -> Iterator[bytes]:
        """All that stands in topics from some places to their ends of this moment."""
        with consumer_of(self.environment.kafka, "chaos") as consumer:
            ends = {(place.topic, place.partition): consumer.get_watermark_offsets(place)[1] for place in places}
            yield from (record.value for record in unread(consumer, places, ends, whole=True))

    def records_since(self, topics: Iterable[str], at: float) -> Iterator[Letter]:
        """What was written to topics since a time, in seconds since 1970, each partition in its order."""
        with consumer_of(self.environment.kafka, "chaos") as consumer:
            yield from unread(consumer, *since(consumer, topics, int(at * 1000)), whole=True)

    def call(self, function: Any, *arguments: Any, seconds: float = _SQL_SECONDS) -> Any:
        """A call that may meet a database that is coming back."""

        def attempt() -> Any:
            try:
                return (function(*arguments),)
            except (psycopg.OperationalError, requests.ConnectionError):
                return None

        return until(attempt, seconds, f"{function.__name__} succeeds")[0]
