"""What became of the events that were told: each has to be in Kafka, with its consumers by the version that judged it, in their table.

Judged by the evaluator, in this process. Some may come twice: each hop delivers at least once.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from chaos.outbox import Event
from chaos.sequences import missed
from chaos.world import World
from e2e.waiting import until
from flink.events import ORIGIN, body, origin, unstamped
from flink.records import Letter
from orchestration import fencing
from orchestration.filter_versions import read_said
from project.filters.models import Filter
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record
from project.models import Project, Stream

_RECOVERED = 300  # seconds
_HELD = "select id::text from business_events where id = any(%s::uuid[])"
_LATEST = "select distinct consumer from cars.received_events where event_uuid = any(%s)"
_RECEIVED = "select distinct consumer, topic, filter_id, event_uuid from cars.received_events where event_uuid = any(%s)"
_VERSIONS = """
select said, begins, ends from cars.filter_versions where stream = %s and (ended_at is null or ends is not null) order by began_at
"""
Place = tuple[int, int]  # partition and offset of a raw event


@dataclass(frozen=True)
class Version:
    """A filter, and by partition from where to where it has judged; None: it still does."""

    filter: Filter
    begins: Mapping[str, int]
    ends: Mapping[str, int] | None

    def had_begun(self, place: Place) -> bool:
        return place[1] >= self.begins[str(place[0])]

    def was_in_charge(self, place: Place) -> bool:
        return self.had_begun(place) and (self.ends is None or place[1] < self.ends[str(place[0])])


@dataclass(frozen=True)
class Copy:
    """An event in a consumer's topic."""

    topic: str
    entity: str
    place: Place  # of the raw event
    filter: str
    version: int
    content: bytes  # behind the stamp


def heard(world: World) -> None:
    """Return when every consumer has received something that was told from then on."""
    if world.dealership:
        before, consumers = len(world.outbox.told), set(world.cars.project.consumers)

        def receive() -> bool:
            return {name for (name,) in _rows(world, _LATEST, [one.uuid for one in world.outbox.told[before:]])} >= consumers

        until(receive, _RECOVERED, f"{consumers} receive new events")


def unheard(world: World, whole: bool) -> list[str]:
    """The promises for events that were not kept. Not `whole`: for those alone that the outbox still holds, in whatever order they came."""
    if not world.dealership or not (told := _told(world, whole)):
        return []
    cars = world.cars
    [stream] = cars.project.streams.values()
    fencing.wait(cars, stream, fencing.take(cars, stream))
    raw = _raw(world, cars.project, stream, told)
    taken = list(world.records_since(cars.project.written_topics(stream)[:-1], world.outbox.begun))
    routes = Routes(cars.project, stream, list(_versions(world, stream)))
    return [*uncaptured(told, raw, ordered=whole), *routes.misrouted(raw, taken), *_unreceived(world, told, taken)]


def _told(world: World, whole: bool) -> list[Event]:
    if whole:
        return world.outbox.told
    with world.source("events") as database:
        held = {uuid for (uuid,) in database.execute(_HELD, [[one.uuid for one in world.outbox.told]])}
    return [one for one in world.outbox.told if one.uuid in held]


def _raw(world: World, project: Project, stream: Stream, told: Sequence[Event]) -> list[Letter]:
    """What stands in the raw topic of events that were told."""
    uuids = {one.uuid for one in told}
    letters = world.records_since(project.sources[stream.source].topics(()), world.outbox.begun)
    return [one for one in letters if uuid_of(one) in uuids]


def uuid_of(letter: Letter) -> str | None:
    """None of what is no event of ours."""
    with suppress(ValueError, LookupError, TypeError, RecursionError):
        return str(json.loads(letter.value)["eventHeader"]["uuid"])
    return None


def uncaptured(told: Sequence[Event], raw: Iterable[Letter], ordered: bool) -> list[str]:
    """I2: every event that was told stands in the raw topic as it was told; if so asked, those of an entity in their order."""
    expected = defaultdict[str, deque[Any]](deque)
    for one in told:
        expected[one.entity if ordered else one.uuid].append(one.body)
    found = (((one.key or b"").decode() if ordered else str(uuid_of(one)), json.loads(one.value)) for one in raw)
    lacking = missed(expected, found)
    count, first = sum(map(len, lacking.values())), next((f"{key}: {waiting[0]}" for key, waiting in lacking.items()), "")
    return [f"I2: {count} of {len(told)} events are not in Kafka, or too early, first {first}"] if lacking else []


@dataclass(frozen=True)
class Routes:
    """Where a stream sends its events."""

    project: Project
    stream: Stream
    versions: Sequence[Version]  # of all its filters, as they began one after the other

    def misrouted(self, raw: Iterable[Letter], taken: Iterable[Letter]) -> list[str]:
        """I1: every event stands in the topics to which the versions in charge send it, stamped by them, those of an entity in their
        order; and nowhere else but by a version that ended before it."""
        expected, allowed, places = defaultdict[tuple[str, str], deque[Copy]](deque), set[Copy](), set[Place]()
        for letter in raw:
            places.add((letter.partition, letter.offset))
            for copy in self._copies(letter, self._in_charge(letter)):
                expected[copy.topic, copy.entity].append(copy)
            allowed.update(self._copies(letter, [one for one in self.versions if one.had_begun((letter.partition, letter.offset))]))
        found = [copy for letter in taken if (copy := copied(letter)) and copy.place in places]
        lacking = missed(expected, (((one.topic, one.entity), one) for one in found))
        missing = [waiting[0] for waiting in lacking.values()]
        surplus = [one for one in found if one not in allowed]
        said = {"are missing, or too early": missing, "are where no filter sends them": surplus}
        return [f"I1: events of {len(them)} entities {what}, first {them[0]}" for what, them in said.items() if them]

    def _in_charge(self, letter: Letter) -> Iterable[Version]:
        """One for each filter."""
        return {one.filter.id: one for one in self.versions if one.was_in_charge((letter.partition, letter.offset))}.values()

    def _copies(self, letter: Letter, versions: Iterable[Version]) -> Iterator[Copy]:
        event, fault = admitted(letter.value, self.stream.mandatory)
        if fault:
            return
        record, place = Record(event, datetime.fromtimestamp(letter.written_at / 1000, UTC)), (letter.partition, letter.offset)
        for one in (version.filter for version in versions):
            for topic in outcome(one, record)[0]:
                key = (letter.key or b"").decode()
                yield Copy(self.project.filtered_topic(topic), key, place, one.id, one.version, body(letter.value))


def copied(letter: Letter) -> Copy | None:
    """None of what no filter wrote."""
    stamped, place = unstamped(letter.value), origin(letter.headers.get(ORIGIN, ""))
    return Copy(letter.topic, (letter.key or b"").decode(), place, *stamped) if stamped and place else None


def _versions(world: World, stream: Stream) -> Iterator[Version]:
    for said, begins, ends in _rows(world, _VERSIONS, stream.name):
        if one := read_said(said):
            yield Version(one, begins, ends)


def _unreceived(world: World, told: Sequence[Event], taken: Iterable[Letter]) -> list[str]:
    """I1: what stands in a consumer's topic, the consumer has written down."""
    uuids, expected = [one.uuid for one in told], set[tuple[str, ...]]()
    known = set(uuids)
    for letter in taken:
        if (uuid := uuid_of(letter)) in known:
            stamp = json.loads(letter.value)["filterMetadata"]
            expected.add((stamp["consumerId"], letter.topic, stamp["filterId"], str(uuid)))
    try:
        until(lambda: set(_rows(world, _RECEIVED, uuids)) >= expected, _RECOVERED, "every event is written down")
    except AssertionError:
        lacking = expected - set(_rows(world, _RECEIVED, uuids))
        return [f"I1: {len(lacking)} events are not in the table of their consumers, first {min(lacking)}"]
    return []


def _rows(world: World, query: str, argument: object) -> list[tuple[Any, ...]]:
    """From the analytics database; none while it is away."""
    with suppress(psycopg.OperationalError), world.analytics() as analytics:
        return analytics.execute(query.encode(), [argument]).fetchall()
    return []
