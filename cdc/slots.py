"""The replication slot of a source: how it is, and how far behind. It is never dropped as a repair: that loses changes."""

from dataclasses import dataclass
from pathlib import Path

from cdc.databases import Connection

_SLOT = Path(__file__).with_name("slot.sql").read_bytes()


@dataclass(frozen=True)
class Slot:
    name: str
    active: bool
    wal_status: str | None  # reserved, extended, unreserved, lost
    lag: int | None  # bytes of WAL that Debezium has not confirmed
    retained: int | None  # bytes of WAL that the server keeps for it
    written: int  # position, in bytes, to which the server has written its log
    safe: int | None  # bytes that may still be written before the server gives the slot up; None without a limit
    invalidation: str | None  # why the server gave it up
    read_for: float | None  # seconds since its reader connected; None without one, or for a login that may not know

    @property
    def lost(self) -> bool:
        return self.wal_status == "lost" or self.invalidation is not None

    @property
    def used(self) -> float:
        """How much of the WAL that the server would keep for it, from 0 to 1, it keeps already."""
        if self.safe is None or not self.retained:
            return 0.0
        return self.retained / (self.retained + max(0, self.safe))

    def misses(self, stored: int | None) -> int:
        """Bytes of log that the connector has read, as it stored, and the server has not written: it stands at an earlier state.

        The server passes over the changes behind that state up to the stored position, when a reader asks to go on there.
        """
        return max(0, (stored or 0) - self.written)


def read_slot(source: Connection, name: str) -> Slot | None:
    row = source.execute(_SLOT, {"slot": name}).fetchone()
    if row is None:
        return None
    return Slot(name=name, **row)


def drop_slot(source: Connection, name: str) -> None:
    """For a connector that is being deleted, nothing else."""
    source.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s", [name])
