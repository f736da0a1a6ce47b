"""Whether each event that a stream of filters has passed went where they send it, judged anew by the evaluator.

What stands in the consumers' topics and among the dead letters is put by its origin into a temporary database of this process, and the
raw events are read past it, so memory stays small however many there are. A filter's verdict holds for its version as it is written
now: what another version has judged is counted, not judged.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from flink.backends import Letter
from flink.events import ORIGIN, REPLAYED, body, doubted, origin, unstamped
from project.filters.models import Filter
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record
from project.models import Project, Stream

_NAMED = 100  # places in each account
_TABLE = """create table found (
  partition, offset, filter, topic, version, content, replayed, copies, primary key (partition, offset, filter, topic, version, content)
) without rowid"""  # without a topic: among the dead letters; without a filter: it was no event to any
_ADD = "insert into found values (?, ?, ?, ?, ?, ?, ?, 1) on conflict do update set copies = copies + 1"
# A filter's dead letter of what was no event to any comes of a replay.
_MARK_REPLAYED = """update found set replayed = true where topic = '' and filter <> '' and exists (
  select 1 from found as first where (first.partition, first.offset, first.filter) = (found.partition, found.offset, ''))"""
_OF_EVENT = "select filter, topic, version, copies from found where partition = ? and offset = ? and content = ? and filter in (?, '')"


@dataclass
class FilterAccount:
    """What became at one filter of the events that its stream has passed and Kafka still holds: each is one of the first six."""

    stream: str
    filter: str
    version: int
    matched: int = 0  # they stand in every topic that they should
    rejected: int = 0
    set_aside: int = 0  # they are dead letters, settled or not
    lost: int = 0
    of_other_versions: int = 0
    not_judged: int = 0  # from before this version is known to have judged
    repeated: int = 0  # further copies of matched ones: delivery is at least once
    surplus: int = 0  # they stand in a topic that they should not
    places: list[str] = field(default_factory=list[str])  # of the first that are lost or surplus, in words

    @property
    def events(self) -> int:
        return self.matched + self.rejected + self.set_aside + self.lost + self.of_other_versions + self.not_judged

    def wrong(self, place: str, said: str) -> None:
        """Name what is lost or surplus, if not too many are."""
        if len(self.places) < _NAMED:
            self.places.append(f"{place}: {said}")


class FilterAccounts:
    """Opens a temporary database; to be closed. `raw` is the topic that the stream reads."""

    def __init__(self, project: Project, stream: Stream, raw: str) -> None:
        self._project, self._stream, self._raw = project, stream, raw
        self._strangers = FilterAccount(stream.name, "", 0)
        self._database = sqlite3.connect("")
        self._database.execute(_TABLE)

    def close(self) -> None:
        self._database.close()

    def read(self, taken: Iterable[Letter], letters: Iterable[Mapping[str, Any]]) -> None:
        """What stands in the consumers' topics, and the dead letters that are kept."""
        self._database.executemany(_ADD, (row for record in taken if (row := self._taken(record))))
        self._database.executemany(_ADD, (row for letter in letters if (row := self._set_aside(letter))))
        self._database.execute(_MARK_REPLAYED)

    def judge(self, events: Iterable[Letter], begun: Mapping[str, Mapping[int, int]]) -> list[FilterAccount]:
        """Every filter's account of raw events. `begun`: filter → partition → the first raw event that its version has judged."""
        accounts = [FilterAccount(self._stream.name, one.id, one.version) for one in self._stream.running]
        for raw in events:
            event, fault = admitted(raw.value, self._stream.mandatory)
            record = None if fault else Record(event, datetime.fromtimestamp(raw.written_at / 1000, UTC))
            for one, account in zip(self._stream.running, accounts, strict=True):
                self._enter(account, one, raw, record, begun.get(one.id, {}))
        return [*accounts, *([self._strangers] if self._strangers.surplus else ())]

    def _enter(self, account: FilterAccount, one: Filter, raw: Letter, record: Record | None, begun: Mapping[int, int]) -> None:
        found = self._database.execute(_OF_EVENT, (raw.partition, raw.offset, crc32(body(raw.value)), one.id)).fetchall()
        if any(version not in (0, one.version) for _, _, version, _ in found):
            account.of_other_versions += 1
        elif raw.partition not in begun or raw.offset < begun[raw.partition]:
            account.not_judged += 1
        else:
            names, _, unsure = outcome(one, record) if record else ((), None, True)
            wanted, taken = set(map(self._project.filtered_topic, names)), {topic: copies for _, topic, _, copies in found if topic}
            _judge(account, f"{raw.topic}:{raw.partition}:{raw.offset}", wanted, unsure, taken, aside=len(taken) < len(found))

    def _taken(self, record: Letter) -> tuple[Any, ...] | None:
        """A record of a consumer's topic as a row; None if no filter wrote it."""
        stamped, place = unstamped(record.value), origin(record.headers.get(ORIGIN, ""))
        if stamped is None or place is None:
            self._strangers.surplus += 1
            self._strangers.wrong(f"{record.topic}:{record.partition}:{record.offset}", "no filter wrote it")
            return None
        name, version, content = stamped
        return *place, name, record.topic, version, crc32(content), REPLAYED in record.headers

    def _set_aside(self, letter: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """A dead letter as a row; None if it is of another topic."""
        place = origin(letter["target"].removeprefix(f"{self._raw}:"))
        name, version = doubted(letter["reason"]) or ("", 0)
        return place and (*place, name, "", version, crc32(body(letter["record_value"])), False)


def _judge(account: FilterAccount, place: str, wanted: set[str], unsure: bool, taken: Mapping[str, int], aside: bool) -> None:
    if surplus := taken.keys() - wanted:
        account.surplus += 1
        account.wrong(place, f"filter {account.filter} does not take it, yet it stands in {', '.join(sorted(surplus))}")
    if wanted and wanted <= taken.keys():
        account.matched += 1
        account.repeated += sum(taken[topic] - 1 for topic in wanted)
    elif aside:
        account.set_aside += 1
    elif wanted or unsure:
        account.lost += 1
        missing = f"takes it, yet it is not in {', '.join(sorted(wanted - taken.keys()))}"
        account.wrong(place, f"filter {account.filter} {missing if wanted else 'cannot judge it, yet it was not set aside'}")
    else:
        account.rejected += 1
