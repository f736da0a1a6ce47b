"""Any filter means in Flink what it means to the evaluator: the use cases, and many at random, over the same events; by the very statements
of a stream's job. Filters are judged some at a time, by a job that is cancelled once it has judged the last event.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from confluent_kafka import Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from e2e.conftest import ROOT
from e2e.loans import LOANS, compare, origin, produce
from e2e.random_filters import random_event, random_filter
from e2e.shops import Shop, open_shop
from e2e.topics import headers, records
from e2e.waiting import until
from flink import offsets
from flink.cluster import Cluster
from flink.gateway import Gateway
from flink.sql import group, session, statements, topics
from project.environment import Environment
from project.filters.models import Filter
from project.filters.reading import pointless_filters, read_filters
from project.models import Project, Stream

_FILTERS, _EVENTS = int(os.environ.get("HEADRACE_FILTERS") or 75), 300  # `make verdicts` takes more
_TOGETHER = 25  # filters of one job, which is planned within the gateway's patience also on a busy machine
_JOBS = 2  # at the same time: one is planned while the other runs
_PATIENCE = 120  # seconds for one job


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    """Its topic of raw events, which no job reads."""
    with open_shop(tmp_path, environment) as opened:
        opened.declare_filters([LOANS])
        opened.apply()
        opened.catalogue().backends["flink"].delete("job/shop")
        yield opened


def test_flink_judges_by_any_filter_as_the_evaluator_does(shop: Shop):
    seed = os.environ.get("HEADRACE_SEED") or uuid4().hex
    rng = Random(seed)
    asked = [one.model_copy(update={"enabled": True}) for one in read_filters(ROOT / "project/filters/tests/use_cases.yaml").filters]
    samples = [json.dumps(sample.event).encode() for one in asked for sample in one.samples]
    produce(shop, [*(random_event(rng) for _ in range(_EVENTS)), *samples])
    raw = [one for one in records(shop.environment.kafka, f"{shop.name}.raw-business-events") if one.partition() == 0]
    filters = list(random_filters(rng, _FILTERS))
    parts = [asked, *(filters[at : at + _TOGETHER] for at in range(0, len(filters), _TOGETHER))]
    with ThreadPoolExecutor(_JOBS) as pool:
        verdicts = sum(pool.map(lambda part: _judge(shop, part, raw, seed), parts))
    print(f"seed {seed}: {len(asked)} use cases and {len(filters)} filters, {len(raw)} events, {verdicts:,} verdicts alike")
    assert verdicts == (len(asked) + _FILTERS) * (_EVENTS + len(samples))


def random_filters(rng: Random, count: int) -> Iterator[Filter]:
    """Those of the same job write to topics of their own."""
    number = 0
    while number < count:
        with suppress(ValueError):  # some cannot be meant, and are refused
            one = random_filter(rng, number, f"out-{number // _TOGETHER}")
            if not list(pointless_filters([one])):
                yield one
                number += 1


def _judge(shop: Shop, filters: Sequence[Filter], raw: Sequence[Message], seed: str) -> int:
    """How many verdicts were compared."""
    project = shop.catalogue().project
    topic = filters[0].outputs[0][0]
    stream = project.streams["shop"].model_copy(update={"name": topic, "filters": tuple(filters)})
    _run(shop, project, stream, len(raw))
    passed, aside = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for record in (one for written in project.written_topics(stream)[:-1] for one in records(shop.environment.kafka, written)):
        passed[origin(record), json.loads(record.value() or b"")["filterMetadata"]["filterId"]] += 1
    for record in records(shop.environment.kafka, project.dead_letter_topic(stream)):
        aside[origin(record), headers(record)["headrace.reason"].split(",")[0]] += 1
    for one in raw:
        compare(seed, filters, one, passed, aside)
    assert not +passed and not +aside
    return len(filters) * len(raw)


def _run(shop: Shop, project: Project, stream: Stream, end: int) -> None:
    """The job of a stream of these filters, which has judged all when this returns."""
    environment, name = shop.environment, f"{group(project, stream)}@{uuid4().hex}"
    admin = AdminClient(environment.kafka.client())
    for one in admin.create_topics([NewTopic(one, 1) for one in project.written_topics(stream)]).values():
        one.result(30)
    read = topics(project.sources[stream.source], stream)
    with offsets.consumer_of(environment.kafka, name) as consumer:
        places = {(topic, number): 0 for topic in read for number, *_ in offsets.bounds(consumer, topic)}
    offsets.advance(environment.kafka, group(project, stream), places)
    with Gateway(environment.flink.gateway_url).session(session(stream) | {"pipeline.name": name}) as opened:
        for statement in statements(project, stream, environment):
            opened.execute(statement)
    cluster = Cluster(environment.flink.url)
    jobs = [job for job in cluster.jobs() if job.name == name]
    with offsets.consumer_of(environment.kafka, group(project, stream)) as consumer:
        place = [TopicPartition(read[0], 0)]
        until(lambda: consumer.committed(place, _PATIENCE)[0].offset == end, _PATIENCE, "all is judged, and written")
    cluster.cancel(jobs)
