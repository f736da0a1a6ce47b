"""Settings under which changes can be lost: of the systems around us, and our own once somebody has changed them by hand.

Each rule has a name and says which loss it prevents.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from project.resources import Difference

_MIB = 2**20
_DAY = 86400.0  # seconds; what a server wrote in less says nothing of its pace
RULES = {
    "unlimited-wal": "while Kafka Connect is away the source keeps WAL until its disk is full, and then stops for everyone",
    "wal-limit": "Kafka Connect is away longer than the source keeps WAL for it: PostgreSQL gives up the slot, and the changes are gone",
    "slot-timeout": "PostgreSQL gives up a slot that nobody reads for a while, which is every outage of Kafka Connect",
    "crash-safety": "a source that does not sync its WAL comes back from a crash without changes that were captured already",
    "offsets-retention": "Kafka forgets where a stream stands that has not run for a while, so its tables have to be read again",
    "unclean-election": "a replica that lacks acknowledged changes becomes the leader of their partition",
    "in-sync-replicas": "a change is acknowledged while one broker alone has it, and is lost with that broker",
    "topic-made-anew": "a deleted topic is there again at once, and its streams pass over as much of it as they had read of the old one",
    "single-copy": "each change is on one broker alone, though there are several: it is lost with that broker's disk",
    "time-zone": "a time without its zone is read as UTC: it is hours off, and one hour in autumn stands for two",
    "position": "where the slot was lost or made anew Debezium goes on without a word, and what changed before never comes",
    "slot-kept": "each stop drops the slot, and what changes until the next start never comes",
    "first-snapshot": "rows that were there before never come, or a gap is read over without its deletions",
    "failed-records": "records that Kafka Connect cannot convert are left out without a word",
    "undeclared": "a setting that is not declared can leave changes out, such as a filter among the transforms",
    "left-out": "changes of rows, and columns, that a publication leaves out never come",
    "operations": "changes of a kind that is left out, such as deletions, never reach the tables",
    "identity": "a large value does not travel with an update that leaves it alone, and is lost where the key changes",
    "topic-retention": "Kafka removes changes before a stream that was away has read them",
    "compaction": "Kafka keeps the last record of each key alone: events are lost before somebody has read them",
}


@dataclass(frozen=True)
class Risk:
    """One setting that breaks a rule."""

    rule: str
    found: str
    fix: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.found}: {RULES[self.rule]}; {self.fix}"


class _Own(NamedTuple):
    """A setting that Headrace makes, by its path in a document; * stands for any name."""

    path: str
    rule: str
    loses: Callable[[Difference, int], bool]  # where an outage of so many hours must be survived


def _any_other(difference: Difference, hours: int) -> bool:
    return True


def _too_short(difference: Difference, hours: int) -> bool:
    found = int(difference.observed or -1)  # milliseconds; -1: for ever
    return 0 <= found < min(hours * 3_600_000, int(difference.desired))


def _in_part(difference: Difference, hours: int) -> bool:
    """A table that is not there at all may be one that the spec has only just been given."""
    return any(found.startswith(f"{table},") for found in difference.observed or () for table in difference.desired)


_OWN = (
    _Own("config.offset.mismatch.strategy", "position", _any_other),
    _Own("config.slot.drop.on.stop", "slot-kept", lambda one, _: one.observed == "true"),
    _Own("config.snapshot.mode", "first-snapshot", lambda one, _: one.observed is not None),
    _Own("config.errors.tolerance", "failed-records", lambda one, _: one.observed == "all"),
    _Own("config.skipped.operations", "operations", _any_other),
    _Own("undeclared", "undeclared", _any_other),
    _Own("publication.operations", "operations", _any_other),
    _Own("publication.tables", "left-out", _in_part),
    _Own("tables.*.replica_identity", "identity", lambda one, _: ".columns." not in one.path),
    _Own("config.retention.ms", "topic-retention", _too_short),
    _Own("config.retention.bytes", "topic-retention", _any_other),
    _Own("config.cleanup.policy", "compaction", _any_other),
)


def of_drift(differences: Iterable[Difference], hours: int) -> Iterator[Risk]:
    """Of what is not as declared, by the hand of somebody or because it was applied by an older spec."""
    for difference in differences:
        for own in _OWN:
            if fnmatchcase(difference.path, own.path) and own.loses(difference, hours):
                found = f"{difference.path} is {difference.observed}, not {difference.desired}"
                yield Risk(own.rule, found, "an apply brings it back")


def of_source(settings: Mapping[str, Any], hours: int) -> Iterator[Risk]:
    """Of a source's settings (risky_settings.sql), where an outage of so many hours must be survived."""
    limit, pace, seconds = settings["wal_limit"], settings["wal_per_second"] or 0.0, hours * 3600
    measured = (settings["wal_measured_for"] or 0.0) >= _DAY
    need = round(pace * seconds / _MIB) + 1
    if limit is not None and limit < 0:
        written = f", and {hours} h write about {need:,} MiB" if measured else ""
        fix = "limit it to what the disk holds (`alter system set max_slot_wal_keep_size = '…MB'`, or the server's parameters)"
        yield Risk("unlimited-wal", f"max_slot_wal_keep_size is unlimited{written}", fix)
    elif limit is not None and measured and pace * seconds > limit:
        found = f"max_slot_wal_keep_size is {limit / _MIB:,.0f} MiB, and {hours} h write about {need:,} MiB"
        yield Risk("wal-limit", found, f"run `alter system set max_slot_wal_keep_size = '{2 * need}MB'` and reload, if the disk holds it")
    if settings["slot_timeout"] and settings["slot_timeout"] < seconds:
        found = f"idle_replication_slot_timeout is {settings['slot_timeout']} s, shorter than an outage of {hours} h"
        yield Risk("slot-timeout", found, "run `alter system set idle_replication_slot_timeout = 0` and reload")
    if not settings["utc"] and (local := settings["local_times"]):
        found = f"TimeZone is {settings['time_zone']}, and the default of {', '.join(local)} is its local time"
        fix = "make them timestamptz, in the spec as well, or run `alter database … set timezone = 'UTC'` if no program relies on it"
        yield Risk("time-zone", found, fix)
    off = [name for name in ("fsync", "full_page_writes") if settings[name] == "off"]
    if off:
        yield Risk("crash-safety", f"{' and '.join(off)} off", f"run `alter system set {off[0]} = on` and reload")


def of_kafka(broker: Mapping[str, str], brokers: int, replicas: int, hours: int) -> Iterator[Risk]:
    """Of a broker's settings and their number, where topics have so many replicas. Not every service tells all of them."""
    minutes = int(broker.get("offsets.retention.minutes", hours * 60))
    if minutes < hours * 60:
        found = f"offsets.retention.minutes is {minutes}, shorter than an outage of {hours} h"
        yield Risk("offsets-retention", found, f"set it to {hours * 60} or more on the brokers")
    if replicas > 1 and broker.get("unclean.leader.election.enable") == "true":
        yield Risk("unclean-election", "unclean.leader.election.enable is true", "set it to false on the brokers")
    if replicas > 1 and int(broker.get("min.insync.replicas", 2)) < 2:
        yield Risk("in-sync-replicas", "min.insync.replicas is 1", "set it to 2 on the brokers")
    if broker.get("auto.create.topics.enable") == "true":
        fix = "set it to false on the brokers; Headrace creates what it needs"
        yield Risk("topic-made-anew", "auto.create.topics.enable is true", fix)
    if replicas == 1 and brokers > 1:
        found = f"topics have one replica on {brokers} brokers"
        yield Risk("single-copy", found, "set kafka.replication_factor in the environment file, and move the topics")
