"""Settings of the systems around us under which changes can be lost. Each rule has a name and says which loss it prevents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MIB = 2**20
_DAY = 86400.0  # seconds; what a server wrote in less says nothing of its pace
RULES = {
    "wal-limit": "Kafka Connect is away longer than the source keeps WAL for it: PostgreSQL gives up the slot, and the changes are gone",
    "slot-timeout": "PostgreSQL gives up a slot that nobody reads for a while, which is every outage of Kafka Connect",
    "crash-safety": "a source that does not sync its WAL comes back from a crash without changes that were captured already",
    "offsets-retention": "Kafka forgets where a stream stands that has not run for a while, so its tables have to be read again",
    "unclean-election": "a replica that lacks acknowledged changes becomes the leader of their partition",
    "in-sync-replicas": "a change is acknowledged while one broker alone has it, and is lost with that broker",
    "single-copy": "each change is on one broker alone, though there are several: it is lost with that broker's disk",
}


@dataclass(frozen=True)
class Risk:
    """One setting that breaks a rule."""

    rule: str
    found: str
    fix: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.found}: {RULES[self.rule]}; {self.fix}"


def of_source(settings: Mapping[str, Any], hours: int) -> Iterator[Risk]:
    """Of a source's settings (risky_settings.sql), where an outage of so many hours must be survived."""
    limit, pace, seconds = settings["wal_limit"], settings["wal_per_second"] or 0.0, hours * 3600
    measured = (settings["wal_measured_for"] or 0.0) >= _DAY
    if limit is not None and limit >= 0 and measured and pace * seconds > limit:
        need = round(pace * seconds / _MIB) + 1
        found = f"max_slot_wal_keep_size is {limit / _MIB:,.0f} MiB, and {hours} h write about {need:,} MiB"
        yield Risk("wal-limit", found, f"run `alter system set max_slot_wal_keep_size = '{2 * need}MB'` and reload, if the disk holds it")
    if settings["slot_timeout"] and settings["slot_timeout"] < seconds:
        found = f"idle_replication_slot_timeout is {settings['slot_timeout']} s, shorter than an outage of {hours} h"
        yield Risk("slot-timeout", found, "run `alter system set idle_replication_slot_timeout = 0` and reload")
    off = [name for name in ("fsync", "full_page_writes") if settings[name] == "off"]
    if off:
        yield Risk("crash-safety", f"{' and '.join(off)} off", f"run `alter system set {off[0]} = on` and reload")


def of_kafka(broker: Mapping[str, str], brokers: int, replicas: int, hours: int) -> Iterator[Risk]:
    """Of a broker's settings and their number, where topics have so many replicas."""
    minutes = int(broker["offsets.retention.minutes"])
    if minutes < hours * 60:
        found = f"offsets.retention.minutes is {minutes}, shorter than an outage of {hours} h"
        yield Risk("offsets-retention", found, f"set it to {hours * 60} or more on the brokers")
    if replicas > 1 and broker["unclean.leader.election.enable"] == "true":
        yield Risk("unclean-election", "unclean.leader.election.enable is true", "set it to false on the brokers")
    if replicas > 1 and int(broker["min.insync.replicas"]) < 2:
        yield Risk("in-sync-replicas", "min.insync.replicas is 1", "set it to 2 on the brokers")
    if replicas == 1 and brokers > 1:
        found = f"topics have one replica on {brokers} brokers"
        yield Risk("single-copy", found, "set kafka.replication_factor in the environment file, and move the topics")
