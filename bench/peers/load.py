"""What the source does while a peer is measured. The server itself keeps the pace, so that a client's Python takes nothing away."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from bench.peers.peer import Peer

_WRITERS = 4
_NOW = SQL("clock_timestamp() at time zone 'utc'")
_PATIENCE = 300  # seconds until what was written is there

_PACED = """
do $$
declare begun timestamptz := clock_timestamp(); ahead float;
begin
  for n in 0 .. {last} loop
    insert into trades values ({first} + n, 'account ' || n, n % 1000, 1, 'paced', {now});
    commit;
    ahead := n / {rate}::float - extract(epoch from clock_timestamp() - begun);
    if ahead > 0.001 then perform pg_sleep(ahead); end if;
  end loop;
end $$
"""
# Where the table was analysed while it was empty, each update would read it whole.
_MIXED = """
do $$
begin
  perform set_config('enable_seqscan', 'off', false);
  for n in 1 .. {transactions} loop
    insert into trades select {first} + n * 4 + k, 'account ' || k, n % 1000, k, 'mixed', {now} from generate_series(0, 3) k;
    update trades set quantity = quantity + 1 where id between {first} + n * 4 - 2 and {first} + n * 4;
    delete from trades where id = {first} + n * 4 - 4;
    commit;
  end loop;
end $$
"""
CHANGES_OF_MIXED = 8  # of one transaction


def paced(peer: Peer, rate: int, seconds: int, first: int) -> float:
    """Transactions of one row at a rate; returns the rate reached, when all of them have arrived."""
    each = rate * seconds // _WRITERS
    statements = [
        SQL(_PACED).format(last=Literal(each - 1), first=Literal(first + writer * each), rate=Literal(rate / _WRITERS), now=_NOW)
        for writer in range(_WRITERS)
    ]
    begun = time.monotonic()
    _all(peer, statements)
    reached = each * _WRITERS / (time.monotonic() - begun)
    arrived(peer, ["trades"])
    return reached


def mixed(peer: Peer, transactions: int, first: int) -> float:
    """Short transactions of several kinds, as fast as the source takes them; changes a second until all have arrived."""
    each = transactions // _WRITERS
    begun = time.monotonic()
    _all(peer, [
        SQL(_MIXED).format(transactions=Literal(each), first=Literal(first + writer * each * 8), now=_NOW) for writer in range(_WRITERS)
    ])  # fmt: skip
    arrived(peer, ["trades"])
    return each * _WRITERS * CHANGES_OF_MIXED / (time.monotonic() - begun)


def insert(source: psycopg.Connection, table: str, rows: int, first: int) -> None:
    """One transaction."""
    values = SQL("select {} + n, 'account ' || n, n % 1000, 1, 'bulk', {} from generate_series(1, {}) n")
    source.execute(SQL("insert into {} {}").format(Identifier(table), values.format(Literal(first), _NOW, Literal(rows))))


def insert_in_parts(source: psycopg.Connection, rows: int, first: int) -> None:
    """Transactions of a hundred rows each."""
    for part in range(0, rows, 100):
        insert(source, "trades", 100, first + part)


def arrived(peer: Peer, tables: Sequence[str]) -> None:
    """Return when the target's tables have the source's rows: their number, and sums over keys and what changes."""
    deadline = time.monotonic() + _PATIENCE
    with peer.source() as source, peer.target() as target:
        for table in tables:
            question = SQL("select count(*), sum(id), sum(quantity), sum(amount) from {}").format(Identifier(table))
            wanted = source.execute(question).fetchone()
            while target.execute(question).fetchone() != wanted:
                if time.monotonic() > deadline:
                    raise SystemExit(f"{peer.name}: {table} was not equal within {_PATIENCE} s")
                time.sleep(0.05)


def _all(peer: Peer, statements: Sequence[Composed]) -> None:
    """Each over a connection of its own, at once."""

    def run(statement: Composed) -> None:
        with peer.source() as source:
            source.execute(statement)

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(run, statements))
