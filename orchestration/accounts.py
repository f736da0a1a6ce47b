"""Every record that a stream has passed was read or is set aside; every event went where its filters send it. Looked at anew."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from flink.backends import FlinkBackend, Places
from orchestration.catalogue import Catalogue
from orchestration.dead_letters import collect, letter_id, noted, place_of, written_at
from orchestration.filter_accounts import FilterAccount, FilterAccounts
from orchestration.filter_counts import counts
from orchestration.replaying_events import require_applied
from project.models import Stream
from project.resources import Resource


@dataclass
class Account:
    """Of the records that a stream has passed in one topic, as far as Kafka still holds them: all are read or set aside."""

    topic: str
    records: int = 0
    read: int = 0
    set_aside: int = 0
    lost: list[str] = field(default_factory=list[str])  # passed, though nobody can read them, and not kept


def accounts(catalogue: Catalogue, since: int | None = None) -> Iterator[Account | FilterAccount]:
    """Of all streams, whatever was noted before. `since`: when the versions of the filters began to judge, in milliseconds since 1970."""
    flink = catalogue.backends["flink"]
    assert isinstance(flink, FlinkBackend)
    for job in catalogue.of_kind("job"):
        if job in catalogue.routing:
            yield from _of_events(catalogue, flink, job, since)
        else:
            yield from _of_changes(catalogue, flink, job)


def _of_changes(catalogue: Catalogue, flink: FlinkBackend, job: Resource) -> Iterator[Account]:
    # With the time: in a topic that was created anew another record stands at the same place.
    kept, found = {(*place_of(letter), written_at(letter)) for letter in noted(catalogue, job.name)}, dict[str, Account]()
    for record in flink.passed(job):
        account = found.setdefault(record.topic, Account(record.topic))
        account.records += 1
        if (record.topic, record.partition, record.offset, record.written_at) in kept:
            account.set_aside += 1
        elif record.reason:
            account.lost.append(letter_id(record))
        else:
            account.read += 1
    yield from found.values()


def _of_events(catalogue: Catalogue, flink: FlinkBackend, job: Resource, since: int | None) -> Iterator[FilterAccount]:
    require_applied(flink, job)
    log, stream = flink.event_log(job), catalogue.project.streams[job.name]
    first, ends = log.passed()  # before all else: what was passed by then has been written
    kept = min(int(catalogue.by_id[f"topic/{topic}"].document["config"]["retention.ms"]) for topic in log.written)
    held = log.since(round(time.time() * 1000) - kept)  # of what is older, Kafka may have removed one record and not yet the other
    first = {place: max(offset, held[place]) for place, offset in first.items()}
    collect(catalogue, job)
    with closing(FilterAccounts(catalogue.project, stream, log.raw)) as found:
        found.read(log.taken(), noted(catalogue, job.name))
        yield from found.judge(log.events(first, ends), _begun(catalogue, stream, None if since is None else log.since(since)))


def _begun(catalogue: Catalogue, stream: Stream, since: Places | None) -> dict[str, dict[int, int]]:
    """Filter → partition → the first raw event that it has judged as it is now, as `filter_versions` or a given time has it."""
    if since is not None:
        return {one.id: {partition: offset for (_, partition), offset in since.items()} for one in stream.running}
    begins = {row["filter_id"]: row["begins"] for row in counts(catalogue, stream)}
    return {name: {int(partition): offset for partition, offset in places.items()} for name, places in begins.items()}
