"""PostgreSQL's own logical replication: the limit, for those who need a copy and nothing else."""

from collections.abc import Sequence

from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from bench.peers.peer import DATABASE, Copier
from e2e.waiting import until


class LogicalReplication(Copier):
    name = "PostgreSQL logical replication"
    arrived_at = "arrived_at"  # a column of the target's own: its note of a commit is the time of the commit at the source

    def start(self, tables: Sequence[str]) -> None:
        self.make_databases(tables)
        end = self.ground.end("source")
        address = make_conninfo(host=end.host, port=end.port, dbname=DATABASE, user=end.user, password=end.password)
        with self.source() as source, self.target() as target:
            for table in tables:
                target.execute(SQL("alter table {} add column arrived_at timestamptz default clock_timestamp()").format(Identifier(table)))
            source.execute("create publication bench for all tables")
            target.execute(SQL("create subscription bench connection {} publication bench").format(Literal(address)))
            synchronised = "select bool_and(srsubstate = 'r') from pg_subscription_rel"
            until(lambda: target.execute(synchronised).fetchone() == (True,), 60, "all tables are synchronised")

    def stop(self) -> None:
        with self.target() as target, self.source() as source:
            target.execute("alter subscription bench disable")
            until(
                lambda: source.execute("select active from pg_replication_slots where slot_name = 'bench'").fetchone() == (False,),
                60,
                "idle",
            )

    def resume(self) -> None:
        with self.target() as target:
            target.execute("alter subscription bench enable")

    def remove(self) -> None:
        with self.target() as target:
            target.execute("drop subscription bench")  # and with it the slot
        self.drop_databases()
