"""Consumers as resources: the consumer group in which each reads, there before its first member so that no event is missed."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, TopicPartition
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from cdc.administration import Administration
from cdc.lag import FRESH, LATE, Lag, Partition, read_lag, unknown_age, written_at
from cdc.lag_trend import Trend, Trends
from project.environment import Environment
from project.models import Project
from project.resources import Difference, Document, Health, Judgement, Refused, Resource, State, Strength, Unreachable

_TIMEOUT = 10.0  # seconds for one request
_LEAVES = 15.0  # seconds for the members of a group that is to go
_READS = 30.0  # seconds for them to read what is left where nobody writes any more


class ConsumerBackend:
    """`resting` has what receives for a consumer stand still within a block, where it is ours to stop."""

    system = "consumers"
    resting: Callable[[str], AbstractContextManager[object]] = nullcontext

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project, self._brokers = project, environment.kafka
        self._kafka, self._trends = Administration(self._brokers), Trends()

    def read(self, resource: Resource) -> Document | None:
        """The topics in which the group has a place that is still there; none if what it has not read stands in others alone."""
        lags = self._lags(resource)
        lost = {topic for (topic, _), lag in lags.items() if not lag.is_whole}
        topics = sorted({topic for topic, _ in lags} - lost)
        return {"topics": topics} if topics or self._left(resource) else None

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        note = "it goes on with the first event that these topics still hold"
        return Judgement(Strength.RECONFIGURE, note="; ".join(filter(None, (note, self._said_left(resource)))))

    def write(self, resource: Resource, observed: Document | None) -> None:
        """Members that run have their places already, or take them by themselves; other topics, once they have read the ones before."""
        group, lags = self._group(resource.name), self._lags(resource)
        if missing := _missing(resource, lags):
            raise Refused(f"{resource.id}: {missing}")
        firsts = [TopicPartition(*place, lag.first) for place, lag in lags.items() if not lag.is_whole]
        if not firsts:  # a member has taken its places meanwhile
            return
        if self._members(group):
            self._let_read(resource)
        with self.resting(resource.name):
            if members := self._members(group):
                where = "`headrace apply` does so on the embedded platform; elsewhere stop it, apply again, and start it"
                raise Refused(f"{resource.id}: it runs, with {members} members, and is moved only while it rests; {where}")
            wanted = ConsumerGroupTopicPartitions(group, firsts)
            self._kafka.result(self._kafka.client.alter_consumer_group_offsets([wanted], request_timeout=_TIMEOUT))

    def _let_read(self, resource: Resource) -> None:
        """Wait until members have read what the filters wrote where they do not write any more."""
        read = Retrying(
            retry=retry_if_result(bool), stop=stop_after_delay(_READS), wait=wait_fixed(0.5),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )  # fmt: skip
        if left := read(self._left, resource):
            what = " and ".join(f"{events:,} events of {topic}" for topic, events in left.items())
            way_out = "apply again when it has, or look at its log if they get no fewer"
            raise Refused(f"{resource.id}: it has not read {what} so far, where nobody writes any more; it is moved then; {way_out}")

    def delete(self, resource_id: str) -> None:
        group = self._group(resource_id.removeprefix("consumer/"))
        left = Retrying(
            retry=retry_if_result(lambda members: members > 0), stop=stop_after_delay(_LEAVES), wait=wait_fixed(0.5),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else 0,
        )  # fmt: skip
        if members := left(self._members, group):
            raise Refused(f"{resource_id}: it still runs, with {members} members of group {group}; stop it, then try again")
        deleted = self._kafka.client.delete_consumer_groups([group], request_timeout=_TIMEOUT)
        self._kafka.result(deleted, KafkaError.GROUP_ID_NOT_FOUND)

    def owned(self) -> Iterable[str]:
        """Groups that carry the project's name, whether a spec still names them or not."""
        prefix = self._group("")
        asked = self._kafka.client.list_consumer_groups(request_timeout=_TIMEOUT)
        listed = self._kafka.result({"the list of groups": asked})
        if listed.errors:  # each broker lists its own, and one may fail alone
            raise Unreachable(f"Kafka does not list all its groups: {listed.errors[0].str()}; start the missing brokers, then try again")
        return sorted(f"consumer/{one.group_id.removeprefix(prefix)}" for one in listed.valid if one.group_id.startswith(prefix))

    def health(self, resource: Resource) -> Health:
        """Whether somebody reads, and keeps up."""
        try:
            found = self._lags(resource)  # first: librdkafka may end the process where a client without Kafka is asked for a group
            members, left = self._members(self._group(resource.name)), self._said_left(resource)
        except Refused as error:
            return Health(State.UNKNOWN, str(error))
        events = sum(lag.observation.lag for lag in found.values())
        seconds = max((lag.seconds or 0.0 for lag in found.values()), default=0.0)
        facts = {"members": members, "events_behind": events, "seconds_behind": round(seconds, 1)}
        if missing := _missing(resource, found):
            return Health(State.FAILED, f"{resource.name}: {missing}", facts)
        if gone := [f"{topic}, partition {number}" for (topic, number), lag in found.items() if not lag.is_whole]:
            what = f"{resource.name} has no place in {gone[0]}, or what it has not read is gone"
            return Health(State.FAILED, f"{what}; apply {resource.id} to go on with what is there", facts)
        if left:
            return Health(State.FAILED, f"{resource.name}: {left}", facts)
        behind = f"{resource.name} is {seconds:.0f} s behind ({events} events)"
        if not members:
            state = State.FAILED if seconds > LATE else State.WARNING
            return Health(state, f"nobody receives for {behind}; start `headrace consume {resource.name}`", facts)
        catching_up = {self._trends.add(resource.name, place, lag.observation) for place, lag in found.items()} == {Trend.OK}
        if seconds <= (LATE if catching_up else FRESH):
            unknown = unknown_age(found)
            return Health(State.UNKNOWN, f"{resource.name}: {unknown}", facts) if unknown else Health(State.PASSED, behind, facts)
        if catching_up:
            return Health(State.WARNING, f"{behind}; it is catching up", facts)
        return Health(State.FAILED if seconds > LATE else State.WARNING, f"{behind}; look at its log", facts)

    def url(self, resource: Resource) -> str | None:
        return None

    def _lags(self, resource: Resource) -> dict[Partition, Lag]:
        return read_lag(self._brokers, self._group(resource.name), resource.document["topics"], written_at)

    def _left(self, resource: Resource) -> dict[str, int]:
        """Topics that the group has read, that the consumer does not read any more and that no filter writes to; and how many events in
        them it has not read. In a topic that goes on for others, nobody could tell what was still meant for this one."""
        group = self._group(resource.name)
        asked = self._kafka.client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT)
        stands = self._kafka.result(asked, KafkaError.GROUP_ID_NOT_FOUND)
        topics = {one.topic for one in stands.topic_partitions} if stands else set[str]()
        unread = Counter[str]()
        if gone := sorted(topics.difference(resource.document["topics"], self._written)):
            for (topic, _), lag in read_lag(self._brokers, group, gone, written_at).items():
                unread[topic] += max(lag.observation.end - max(lag.observation.committed or 0, lag.first), 0)
        return dict(+unread)

    @property
    def _written(self) -> set[str]:
        """All topics that consumers can read."""
        project = self._project
        return {topic for one in project.streams.values() for topic in (*project.written_topics(one), *project.avro_topics(one))}

    def _said_left(self, resource: Resource) -> str | None:
        if not (left := self._left(resource)):
            return None
        what = " and ".join(f"{events:,} events are left in topic {topic}" for topic, events in left.items())
        way_out = "have the filter write there again, apply, and change it once they are received; or `headrace prune` if nobody wants them"
        return f"{what}, which the consumer does not read any more; {way_out}"

    def _group(self, name: str) -> str:
        return self._project.consumer_group(name)

    def _members(self, group: str) -> int:
        described = self._kafka.client.describe_consumer_groups([group], request_timeout=_TIMEOUT)
        found = self._kafka.result(described, KafkaError.GROUP_ID_NOT_FOUND)
        return len(found.members) if found else 0


def _missing(resource: Resource, lags: Iterable[Partition]) -> str | None:
    """What to do about a topic of the consumer that is not there."""
    gone = sorted(set(resource.document["topics"]) - {topic for topic, _ in lags})
    return f"there is no topic {gone[0]}; apply topic/{gone[0]} first" if gone else None
