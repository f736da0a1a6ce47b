"""Counts of filters, exact: of the raw events that a filter has judged, how many it matched, rejected and could not judge.

An event is known by where it stands among the raw ones. What a filter writes of one raw partition stands in each partition of its
topic in order, so what is at or before the last counted one has been counted: whatever is written twice or read twice counts once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from analytics_sql.connections import Connection, connection
from flink.backends import FlinkBackend, Match
from flink.events import doubted
from orchestration.catalogue import Catalogue
from orchestration.dead_letters import collect
from orchestration.filter_versions import execute
from project.filters.models import Filter
from project.models import Stream
from project.references import FILTERS
from project.resources import Health, Refused, Resource, State

MATCHES = "matches"  # the name of the check that shows them
_ENOUGH = 1000  # events after which a filter that matches none, or all, is told
_RUNS = "select * from {filters} where stream = %s and not complete order by filter_id, topic, began_at for update"
_ASIDE = """
select reason, split_part(target, ':', 2)::int as partition, split_part(target, ':', 3)::bigint as offset, max(set_aside_at) as at
from {letters} where stream = %s and set_aside_at >= %s group by 1, 2, 3
"""
_COUNT = """
update {filters} set judged = %s, matched = %s, rejected = %s, set_aside = %s, first_match_at = least(first_match_at, %s),
  last_match_at = greatest(last_match_at, %s), counted = %s, counted_at = now() at time zone 'utc', complete = %s
where stream = %s and filter_id = %s and topic = %s and began_at = %s
"""
_ALL = """
select *, said::jsonb #>> '{{approval,by}}' as approved_by from {filters} where stream = %s and (ended_at is null or %s)
order by filter_id, topic, began_at
"""


# Letters by the filter and its version that could not judge them; None: they were no events to any filter.
Aside = dict[tuple[str, int] | None, list[dict[str, Any]]]


@dataclass
class Run:
    """A version of a filter from where it began to where it ended, as `filter_versions` has it."""

    row: dict[str, Any]

    def holds(self, partition: int, offset: int) -> bool:
        """Whether it judged this raw event, or will."""
        name = str(partition)
        return self.row["begins"].get(name, 0) <= offset < (self.row["ends"] or {}).get(name, float("inf"))

    def count(self, match: Match) -> None:
        """Once for each raw event."""
        name = f"{match.partition}/{match.raw_partition}"
        if self.holds(match.raw_partition, match.raw_offset) and match.raw_offset > self.row["counted"].get(name, -1):
            self.row["counted"][name] = match.raw_offset
            self.row["matched"] += 1
            moment = datetime.fromtimestamp(match.written_at / 1000, UTC).replace(tzinfo=None)
            self.row["first_match_at"] = self.row["first_match_at"] or moment
            self.row["last_match_at"] = max(self.row["last_match_at"] or moment, moment)

    def judge(self, upto: Mapping[int, int], aside: Aside) -> None:
        """What else became of the raw events before these."""
        ends, begins = self.row["ends"] or {}, self.row["begins"]
        spans = {number: (begins.get(str(number), 0), min(end, ends.get(str(number), end))) for number, end in upto.items()}
        judged = sum(max(0, end - begin) for begin, end in spans.values())

        def inside(by: tuple[str, int] | None) -> int:
            return sum(self._is_inside(one, spans) for one in aside.get(by, ()))

        self.row["set_aside"] = inside((self.row["filter_id"], self.row["rule_version"]))
        self.row["judged"] = judged - inside(None)  # those were no events to any filter
        self.row["rejected"] = self.row["judged"] - self.row["matched"] - self.row["set_aside"]
        self.row["complete"] = bool(ends) and all(upto[number] >= ends.get(str(number), 0) for number in upto)

    def end_uncounted(self) -> None:
        """Its topic is gone, and with it what was not counted: it ends as it was last counted. Raises Refused if it still runs."""
        if not self.row["ends"]:
            what = f"there is no topic {self.row['topic']}"
            raise Refused(f"{what}; expected it, filter {self.row['filter_id']} writes to it; apply the project")
        self.row["complete"] = True

    def add_up(self) -> None:
        """With the matches of a look that has not come to the end: what else was judged, the next one says."""
        self.row["judged"] = self.row["matched"] + self.row["rejected"] + self.row["set_aside"]

    def _is_inside(self, one: Mapping[str, Any], spans: Mapping[int, tuple[int, int]]) -> bool:
        """Whether it is of this run. Where its raw event stands, another one stood before, if the topic was created anew."""
        begin, end = spans.get(one["partition"], (0, 0))
        return begin <= one["offset"] < end and one["at"] >= self.row["began_at"]


def count(catalogue: Catalogue, job: Resource) -> list[dict[str, Any]]:
    """Bring the counts of a stream's filters up to all that it has judged by now: the rows of those that run. Raises Refused."""
    while (rows := _count_on(catalogue, job)) is None:
        pass
    return rows


def _count_on(catalogue: Catalogue, job: Resource) -> list[dict[str, Any]] | None:
    """As much as one look takes; None if that is not all."""
    flink, database, stream = catalogue.backend(job), catalogue.environment.analytics, catalogue.project.streams[job.name]
    assert isinstance(flink, FlinkBackend)
    log = flink.event_log(job)
    upto = log.judged()
    # What was judged before is written by now, the dead letters too.
    collect(catalogue, job)
    with connection(database, database.admin, f"table {FILTERS}") as connected:
        runs = [Run(row) for row in execute(connected, catalogue.project, _RUNS, [stream.name])]
        # What runs, or has ended and is not counted yet, may write elsewhere than the spec says by now.
        with log.matches({run.row["topic"] for run in runs}, upto) as found:
            _count_matches(runs, found)
            begun = min((run.row["began_at"] for run in runs), default=datetime.max)
            aside = by_filter(execute(connected, catalogue.project, _ASIDE, [stream.name, begun]))
            for run in runs:
                if run.row["topic"] in found.missing:
                    run.end_uncounted()
                elif found.whole:
                    run.judge(upto, aside)
                else:
                    run.add_up()
                _keep(connected, catalogue, run.row)
            connected.commit()  # before how far was read is kept
    return [run.row for run in runs if run.row["ended_at"] is None] if found.whole else None


def by_filter(letters: Iterable[dict[str, Any]]) -> Aside:
    """Once for all runs: there may be hundreds of them, and millions of letters."""
    found: Aside = defaultdict(list)
    for one in letters:
        found[doubted(one["reason"])].append(one)
    return found


def _count_matches(runs: Iterable[Run], found: Iterable[Match]) -> None:
    by_output = defaultdict[tuple[str, str, int], list[Run]](list)
    for run in runs:
        by_output[run.row["topic"], run.row["filter_id"], run.row["rule_version"]].append(run)
    for match in found:
        for run in by_output[match.topic, match.filter, match.version]:
            run.count(match)


def _keep(connected: Connection, catalogue: Catalogue, row: dict[str, Any]) -> None:
    counts = (row["judged"], row["matched"], row["rejected"], row["set_aside"], row["first_match_at"], row["last_match_at"])
    key = row["stream"], row["filter_id"], row["topic"], row["began_at"]
    execute(connected, catalogue.project, _COUNT, [*counts, Jsonb(row["counted"]), row["complete"], *key])


def counts(catalogue: Catalogue, stream: Stream, ended: bool = False) -> list[dict[str, Any]]:
    """The rows of `filter_versions` for those that run, or all."""
    database = catalogue.environment.analytics
    with connection(database, database.admin, f"table {FILTERS}") as connected:
        return execute(connected, catalogue.project, _ALL, [stream.name, ended])


def read_counts(catalogue: Catalogue, job: Resource) -> dict[str, Health]:
    """The health of each filter of a stream by its counts, which are brought up to date."""
    stream = catalogue.project.streams[job.name]
    try:
        rows = count(catalogue, job)
    except Refused as error:
        return {one.id: Health(State.UNKNOWN, str(error)) for one in stream.filters}
    return {one.id: judge_counts(one, [row for row in rows if row["filter_id"] == one.id]) for one in stream.filters}


def judge_counts(one: Filter, found: Sequence[Mapping[str, Any]]) -> Health:
    """A filter's health by its counts: rows of those of its runs that go on."""
    if not found:
        why = "its stream is not applied" if one.runs else f"its status is {one.status}" if one.enabled else "it is not enabled"
        return Health(State.UNKNOWN if one.runs else State.PASSED, f"it does not run: {why}")
    said = "\n".join(_said(row) for row in found)
    facts = {name: sum(row[name] for row in found) for name in ("judged", "matched", "rejected", "set_aside")} if len(found) == 1 else {}
    if any(row["judged"] >= _ENOUGH for row in found) and not any(row["matched"] for row in found):
        return Health(State.WARNING, f"{said}\nnothing has passed; are its conditions meant so?", facts)
    # An event may go to several topics: only one that took all shows that all passed.
    if any(row["matched"] >= row["judged"] >= _ENOUGH for row in found):
        return Health(State.WARNING, f"{said}\neverything has passed; are its conditions meant so?", facts)
    if one.status == "deprecated":
        return Health(State.WARNING, f"{said}\nit is deprecated: let its consumer go over to another, then remove it", facts)
    return Health(State.PASSED, said, facts)


def _said(row: Mapping[str, Any]) -> str:
    last = f", the last at {row['last_match_at']:%Y-%m-%d %H:%M:%S} UTC" if row["last_match_at"] else ""
    return (
        f"version {row['rule_version']}, to {row['topic']}: {row['judged']:,} judged = {row['matched']:,} matched{last} "
        f"+ {row['rejected']:,} rejected + {row['set_aside']:,} set aside"
    )
