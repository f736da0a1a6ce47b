"""A full copy again and again: what many begin with."""

import os
import time
from bisect import bisect_left
from collections.abc import Sequence
from threading import Event, Thread

from psycopg.sql import SQL, Identifier

from bench.peers.peer import Copier

_EVERY = 5  # seconds


class FullCopy(Copier):
    name = f"full copy every {_EVERY} s"

    def start(self, tables: Sequence[str]) -> None:
        self.make_databases(tables)
        self._tables, self._copies = tables, list[tuple[float, float]]()
        self.resume()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def resume(self) -> None:
        self._ended = Event()
        self._thread = Thread(target=self._go_on)
        self._thread.start()

    def remove(self) -> None:
        self.stop()
        self.drop_databases()

    def processes(self) -> Sequence[int]:
        return (os.getpid(),)

    def latencies(self) -> list[float]:
        """A row is there with the first copy that began after it; each later one writes it anew."""
        with self.target() as target:
            sent = [
                at for (at,) in target.execute("select extract(epoch from sent_at)::float8 from trades where note = 'paced'").fetchall()
            ]
        begun = [begin for begin, _ in self._copies[:-1]]  # what began after all of them was not waited for
        return [1000 * (self._copies[bisect_left(begun, at)][1] - at) for at in sent]

    def _go_on(self) -> None:
        while True:
            begun = time.time()
            self._copy()
            self._copies.append((begun, time.time()))
            if self._ended.wait(max(0.0, begun + _EVERY - time.time())):
                return

    def _copy(self) -> None:
        """All tables as of one moment, in one transaction at the target."""
        with self.source() as source, self.target() as target, source.transaction(), target.transaction():
            source.execute("set transaction isolation level repeatable read")
            for table in map(Identifier, self._tables):
                target.execute(SQL("truncate {}").format(table))
                with (
                    source.cursor().copy(SQL("copy {} to stdout (format binary)").format(table)) as rows,
                    target.cursor().copy(SQL("copy {} from stdin (format binary)").format(table)) as copied,
                ):
                    for data in rows:
                        copied.write(data)
