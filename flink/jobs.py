"""Jobs as resources: submitted when missing or changed, where they stood; never two of one stream."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from flink import offsets
from flink.cluster import Cluster, Job, writes_since
from flink.dead_letters import set_aside
from flink.event_log import EventLog, behind_written, counting
from flink.gateway import Gateway, Session
from flink.health import explain, judge_copies, judge_job
from flink.records import Letter, judged, unread
from flink.sql import group, session, statements, topics
from project.environment import Environment, Kafka
from project.models import Project, SourceTable, Stream
from project.resources import Difference, Document, Health, Judgement, Refused, Resource, State, Strength, Unreachable

_START = 60.0  # seconds until all tasks of a job run
_CHECKPOINT = 15.0  # seconds for one checkpoint
_FINISH = 60.0  # seconds in which a job writes what it has read; where it is cancelled instead, some events come twice
_YOUNG = 15.0  # seconds from its submission in which a job that does not run yet is waited for before it is judged


class FlinkBackend:
    system = "flink"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project, self._environment = project, environment
        self._cluster, self._gateway = Cluster(environment.flink.url), Gateway(environment.flink.gateway_url)
        # What a change of filters means, in words; why it may not be; and who is told with which raw events they begin, before they do.
        self.say_change: Callable[[Resource], str] = lambda job: ""
        self.refuse_change: Callable[[Resource], str | None] = lambda job: None
        self.waits: Callable[[Resource], str | None] = lambda job: None  # why a job may not run just now
        self.begins: Callable[[Resource, Mapping[int, int]], None] = lambda job, places: None

    def read(self, resource: Resource) -> Document | None:
        jobs = self._jobs(resource)
        return {"running": [job.digest for job in jobs]} if jobs else None

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        filters = self._project.streams[resource.name].filters
        what, refusal = (self.say_change(resource), self.refuse_change(resource)) if filters else ("", None)
        note = "it goes on where its committed offsets stand: nothing is lost, and no table is emptied"
        return Judgement(Strength.RESTART, refusal, "\n".join(filter(None, (what, note))))

    def write(self, resource: Resource, observed: Document | None) -> None:
        """Stop what runs under the stream's name but is not this, then submit it where the stream stands."""
        if reason := self.waits(resource):
            raise Refused(f"{resource.id} waits: {reason}")
        if not any(self._is_wanted(job, resource) for job in self._jobs(resource)):
            self._replace(resource)
        # Someone else may have submitted the same at the same time: both sides see both copies, and keep the older one.
        kept = self._keep_one(resource)
        if kept is None:
            raise Refused(f"Flink took {resource.id}, but it ended at once; its exceptions are at {self._cluster.rest.url}")
        self._wait_until_it_works(resource, kept)

    def _replace(self, resource: Resource) -> None:
        """What Flink cannot plan or has no slots for leaves the one running that it would replace."""
        self._refuse_without_slots(resource)
        if not (running := self._jobs(resource)):
            self._refuse_gap(resource)
        with self._prepared(resource) as (opened, statement_set):
            if running:
                opened.explain(statement_set)
                if self._keep_one(resource):
                    return
                self._refuse_gap(resource)
            offsets.prepare(*self._place(resource))
            if self._project.streams[resource.name].filters:
                self.begins(resource, self.event_log(resource).judged())
            opened.execute(statement_set)

    def checkpoint(self, resource: Resource) -> None:
        """Have the job commit now how far it has read and written, as far as it runs."""
        for job in self._jobs(resource):
            self._cluster.checkpoint(job, _CHECKPOINT)

    def skip(self, resource: Resource) -> None:
        """Stop the job and pass over all that it has not read, because its tables are about to be read again from their source."""
        self.delete(resource.id)
        offsets.skip(*self._place(resource))

    def cannot_go_on(self, resource: Resource) -> bool:
        """Whether records are gone that a stream has not read, or its topic is another one."""
        return self._gap(resource) is not None

    def resume(self, resource: Resource) -> None:
        """Where a stream cannot go on, go on with the first record that Kafka still holds. What its filters wrote is not counted any more:
        it may be of other raw events than stand at those places now."""
        self._cluster.cancel(self._jobs(resource))
        kafka, group_id, read = self._place(resource)
        offsets.skip(kafka, counting(group_id), self.event_log(resource).written)
        offsets.resume(kafka, group_id, read)
        self.write(resource, None)

    def leave(self, topic: str, wanted: Iterable[Resource]) -> None:
        """End the jobs that read a topic which is missing: in a new one they would pass over as much as they have read of the old one.
        A mirror whose spec has changed may be about to read it for the first time, and goes on."""
        for job in (one for one in wanted if topic in self._read(self._project.streams[one.name])):
            filters = self._project.streams[job.name].filters
            self._cluster.cancel([one for one in self._jobs(job) if filters or [one.digest] == job.document["running"]])

    def make_way(self, topics: set[str], wanted: Iterable[Resource]) -> None:
        """End the jobs that read some topics by a spec that has changed since; the next apply goes on where they stood."""
        for job in (one for one in wanted if topics.intersection(self._read(self._project.streams[one.name]))):
            self._stop([one for one in self._jobs(job) if [one.digest] != job.document["running"]])

    def has_begun(self, resource: Resource, topic: str) -> bool:
        """Whether a stream has read a topic, or is about to: what it has passed it will not read again by itself. How far it came its
        running job may not have committed yet."""
        kafka, group_id, _ = self._place(resource)
        partitions = self._project.sources[self._project.streams[resource.name].source].partitions
        return offsets.has_place(kafka, group_id, topic, partitions)

    def judged(self, resource: Resource, records: Iterable[Letter]) -> Iterator[Letter]:
        """Some records of what a mirror reads; with a reason those that it cannot read."""
        return judged(records, self._tables(resource))

    def passed(self, resource: Resource) -> Iterator[Letter]:
        """The records that a job has passed and Kafka still holds; with a reason those that it cannot have read."""
        kafka, group_id, read = self._place(resource)
        with offsets.consumer_of(kafka, group_id) as consumer:
            yield from judged(unread(consumer, *offsets.passed(consumer, read), whole=True), self._tables(resource))

    def event_log(self, resource: Resource) -> EventLog:
        """What a stream of filters has read and written."""
        kafka, group_id, (raw, *_) = self._place(resource)
        return EventLog(kafka, group_id, raw, self._project.written_topics(self._project.streams[resource.name])[:-1])

    def _tables(self, resource: Resource) -> dict[str, SourceTable]:
        stream = self._project.streams[resource.name]
        source = self._project.sources[stream.source]
        return {source.topic(name): source.tables[name] for name in stream.tables}

    def unread(self, resource: Resource) -> Iterator[Letter]:
        """The records that stand before a job; without a reason."""
        kafka, group_id, read = self._place(resource)
        with offsets.consumer_of(kafka, group_id) as consumer:
            yield from unread(consumer, *offsets.stands(consumer, read))

    def latest(self, resource: Resource, count: int, whole: bool = False) -> Iterator[Letter]:
        """The newest records of what a stream reads, about so many, whether the job has read them or not; if the whole is wanted,
        Unreachable where Kafka does not give it."""
        kafka, group_id, (first, *_) = self._place(resource)
        with offsets.consumer_of(kafka, group_id) as consumer:
            yield from unread(consumer, *offsets.last(consumer, first, count), whole=whole)

    def set_aside(self, resource: Resource, lost: Callable[[list[Letter]], None]) -> Iterator[list[Letter]]:
        """What a stream's filters have set aside and nobody has kept yet, in parts; one is taken for kept when the next is asked for, and
        `lost` is given what tells of those that are gone."""
        topic = self._project.dead_letter_topic(self._project.streams[resource.name])
        with offsets.consumer_of(self._environment.kafka, topic) as consumer:
            yield from set_aside(consumer, topic, lost)

    def advance(self, resource: Resource, records: Iterable[Letter]) -> None:
        """Go on behind these records. Only while the stream has no job."""
        kafka, group_id, _ = self._place(resource)
        offsets.advance(kafka, group_id, {(one.topic, one.partition): one.offset + 1 for one in records})

    def delete(self, resource_id: str) -> None:
        prefix = f"{self._project.name}.{resource_id.removeprefix('job/')}"
        self._stop([job for job in self._cluster.jobs() if job.stream == prefix])

    def owned(self) -> Iterable[str]:
        prefix = f"{self._project.name}."
        return sorted({f"job/{job.stream.removeprefix(prefix)}" for job in self._cluster.jobs() if job.stream.startswith(prefix)})

    def health(self, resource: Resource) -> Health:
        try:
            jobs = self._jobs(resource)
            if not jobs and (gap := self._gap(resource)):
                return Health(State.FAILED, f"{resource.id} does not run, and cannot go on: {gap}", {"jobs": 0})
            if not jobs and (reason := self.waits(resource)):
                return Health(State.FAILED, f"{resource.id} does not run, and waits: {reason}", {"jobs": 0})
            if len(jobs) != 1:
                return judge_copies(resource.id, len(jobs))
            job = self._started(jobs[0])
            return judge_job(resource.id, self._cluster.report(job), int(time.time() * 1000))
        except Unreachable as error:
            return Health(State.FAILED, str(error))
        except Refused as error:
            return Health(State.UNKNOWN, str(error))

    def url(self, resource: Resource) -> str | None:
        """The job's page; the overview when it does not run or Flink does not answer."""
        try:
            jobs = self._jobs(resource)
        except Refused:
            jobs = []
        return f"{self._cluster.rest.url}/#/job/running/{jobs[0].id}/overview" if jobs else f"{self._cluster.rest.url}/#/overview"

    def _gap(self, resource: Resource) -> str | None:
        """Why a job would not be submitted where its stream stands, or None."""
        try:
            self._refuse_gap(resource)
        except Refused as error:
            return str(error)
        return None

    def _refuse_gap(self, resource: Resource) -> None:
        offsets.check(*self._place(resource))
        if self._project.streams[resource.name].filters:
            offsets.refuse_anew(*self._place(resource))

    def _refuse_without_slots(self, resource: Resource) -> None:
        """Before anything is stopped. The slots of a job that is to be replaced will be free."""
        jobs, needed = self._jobs(resource), self._project.streams[resource.name].parallelism
        if any([job.digest] == resource.document["running"] for job in jobs) or (slots := self._cluster.slots()) is None:
            return
        free = slots.free + sum(map(self._cluster.slots_of, jobs))
        if needed > free:
            raise Refused(
                f"{resource.id} needs {needed} task slots, and of the {slots.total} of Flink {free} can be had; start a TaskManager, "
                f"or lower `parallelism` in {resource.declared_at.file}"
            )

    def _started(self, job: Job) -> Job:
        """The job once it runs, if someone has only just submitted it."""
        patience = min(_YOUNG, _YOUNG - (time.time() - job.started_at / 1000))  # its clock may be ahead
        return job if job.runs or patience <= 0 else self._cluster.wait_until_running(job.id, patience) or job

    def _place(self, resource: Resource) -> tuple[Kafka, str, tuple[str, ...]]:
        """Kafka, the stream's group and its topics."""
        stream = self._project.streams[resource.name]
        return self._environment.kafka, group(self._project, stream), self._read(stream)

    def _read(self, stream: Stream) -> tuple[str, ...]:
        return topics(self._project.sources[stream.source], stream)

    def _jobs(self, resource: Resource) -> list[Job]:
        name = f"{self._project.name}.{resource.name}"
        return [job for job in self._cluster.jobs() if job.stream == name]

    def _is_wanted(self, job: Job, resource: Resource) -> bool:
        return [job.digest] == resource.document["running"] and job.state != "CANCELLING"

    def _keep_one(self, resource: Resource) -> Job | None:
        """Stop all copies but the oldest with the wanted digest; that one, if there is any."""
        jobs = self._jobs(resource)
        kept = next((job for job in jobs if self._is_wanted(job, resource)), None)
        self._stop([job for job in jobs if job is not kept])
        return kept

    def _stop(self, jobs: list[Job]) -> None:
        for job in (job for job in jobs if job.runs):
            stream = self._project.streams.get(job.stream.removeprefix(f"{self._project.name}."))
            # Upserts by key bear a change that is read twice; who gets events does not have to.
            if stream and stream.filters:
                since = writes_since(job, self._cluster.failures(job))
                if self._cluster.finish(job, _FINISH):
                    self._go_behind_what_is_written(stream, since)
                    continue
            self._cluster.checkpoint(job, _CHECKPOINT)
        left = {job.id for job in self._cluster.jobs()}
        self._cluster.cancel([job for job in jobs if job.id in left])

    def _go_behind_what_is_written(self, stream: Stream, begun: int) -> None:
        """A job that finished has written all that it judged, but the offsets of its last moment may not be committed. What was written
        before it began (milliseconds since 1970) does not count: if it was set back then, others of these events were not written yet."""
        source = self._project.sources[stream.source]
        kafka, group_id = self._environment.kafka, group(self._project, stream)
        [raw, _] = topics(source, stream)
        with offsets.consumer_of(kafka, group_id) as consumer:
            if not offsets.exists(consumer, raw):  # as where the spec has another connector by now
                return
            stood, ends = offsets.stands(consumer, [raw])
            first = {(one.topic, one.partition): min(one.offset + 1, ends[one.topic, one.partition]) for one in stood}
            since = min((letter.written_at for letter in unread(consumer, stood, first, whole=True)), default=None)
            if since is None:
                return
            places = offsets.since(consumer, self._project.written_topics(stream), max(since, begun))
            written = unread(consumer, *places, tombstones=True, whole=True)
            behind = behind_written({one.partition: one.offset for one in stood if one.offset >= 0}, written)
        offsets.advance(kafka, group_id, {(raw, partition): offset for partition, offset in behind.items()})

    @contextmanager
    def _prepared(self, resource: Resource) -> Iterator[tuple[Session, str]]:
        """A session that has the stream's tables, and the statement set that is its job."""
        stream = self._project.streams[resource.name]
        [digest] = resource.document["running"]
        name = f"{group(self._project, stream)}@{digest}"
        with self._gateway.session(session(stream) | {"pipeline.name": name}) as opened:
            *tables, job = statements(self._project, stream, self._environment)
            for table in tables:
                opened.execute(table)
            yield opened, job

    def _wait_until_it_works(self, resource: Resource, job: Job) -> None:
        """It works when all tasks run and a checkpoint went through every one of them."""
        running = self._cluster.wait_until_running(job.id, _START)
        if running and self._cluster.checkpoint(running, _CHECKPOINT):
            return
        failures = self._cluster.failures(job)
        cause = explain(failures[0].cause) if failures else "Flink reports no failure; look at its web page."
        raise Refused(f"{resource.id} was submitted, but does not work yet. {cause}")
