"""Records that a mirror's job cannot read or write are found beside it and kept, so that it goes on behind them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from analytics_sql.refusals import refusals
from flink.backends import FlinkBackend, Letter
from orchestration.catalogue import Catalogue
from orchestration.dead_letters import keep
from orchestration.exclusive import SENSORS_WAIT, exclusive
from orchestration.verifying import batches
from project.resources import Resource

_TRIED, _TOGETHER = 50_000, 2000  # records: more than a job reads between two checkpoints; of one trial


def set_aside(catalogue: Catalogue, job: Resource) -> str | None:
    """Keep what a job cannot read or write, write what stands between such records, and let it go on behind; what was done, or None if no
    record before it is to blame, or if it is not this job that runs: an apply may have put another in its place that this process has
    not loaded yet."""
    flink = catalogue.backend(job)
    assert isinstance(flink, FlinkBackend)
    # What is no event, filters set aside by themselves.
    if not catalogue.project.streams[job.name].tables or (sound := _sound(catalogue, job)) is None:
        return None
    count = 0
    with exclusive(catalogue.environment.analytics, catalogue.project.name, SENSORS_WAIT):
        if flink.read(job) != job.document:
            return None
        flink.delete(job.id)
        for part in batches(islice(flink.unread(job), sound + _TRIED), _TOGETHER):
            letters = _faults(catalogue, job, part, keep=True)
            keep(catalogue, job.name, letters)
            flink.advance(job, part)
            count += len(letters)
        flink.write(job, None)
    return f"{job.id} could not read or write {count} records; they were set aside: `headrace dead-letters list` shows them"


def _sound(catalogue: Catalogue, job: Resource) -> int | None:
    """About how many records stand before a job before the first that is to blame; None if none is."""
    flink = catalogue.backend(job)
    assert isinstance(flink, FlinkBackend)
    if (found := next((number for number, one in enumerate(flink.judged(job, flink.unread(job))) if one.reason), None)) is not None:
        return found
    tried = enumerate(batches(islice(flink.unread(job), _TRIED), _TOGETHER))
    return next((number * _TOGETHER for number, part in tried if _faults(catalogue, job, part, keep=False)), None)


def _faults(catalogue: Catalogue, job: Resource, records: Sequence[Letter], keep: bool) -> list[Letter]:
    """Those that no job can read and those whose rows the analytics tables do not take, with the reasons. The others are written for good
    if they are to keep: whether a row is to blame, and which, Flink does not say."""
    flink = catalogue.backend(job)
    assert isinstance(flink, FlinkBackend)
    judged = list(flink.judged(job, records))
    found = [record for record in judged if record.reason]
    readable = [record for record in judged if not record.reason]
    for captured in catalogue.project.streams[job.name].tables:
        found += _refused(catalogue, job, captured, readable, keep)
    return found


def _refused(catalogue: Catalogue, job: Resource, captured: str, records: Sequence[Letter], keep: bool) -> Iterator[Letter]:
    project = catalogue.project
    stream = project.streams[job.name]
    source, target, analytics = project.sources[stream.source], stream.tables[captured].table, catalogue.environment.analytics
    own = [record for record in records if record.topic == source.topic(captured)]
    changes = [json.loads(record.value) for record in own]
    for number, said in refusals(analytics, project.schema_, target, source.tables[captured], changes, keep).items():
        yield replace(own[number], reason=f"the analytics table does not take its row: {said}")
