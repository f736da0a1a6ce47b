"""The two PostgreSQL clusters: created once, then roles and databases made so that they are right at every start."""

import shutil
import tempfile
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from infra import artefacts, configuration
from infra.credentials import reveal
from infra.platform import HOST, Platform
from infra.tasks import run_once

SUPERUSERS = {"source": ("headrace_admin", "source_admin"), "analytics": ("headrace_superuser", "analytics_superuser")}


def create_cluster(platform: Platform, name: str) -> None:
    """Create the cluster unless it exists, and give it its configuration. Both belong to PostgreSQL's user."""
    target = platform.postgres_data / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.chown(target.parent, platform.postgres_user)
    if not target.exists():
        _initialise(platform, name, target)
    file = target / "postgresql.conf"
    configuration.write(file, configuration.render(platform, f"postgres-{name}.conf"))
    shutil.chown(file, platform.postgres_user)


def _initialise(platform: Platform, name: str, target: Path) -> None:
    partial = target.with_name(f".{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    user, secret = SUPERUSERS[name]
    with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=".password-") as password:
        password.write(reveal(platform, secret))
        password.flush()
        shutil.chown(password.name, platform.postgres_user)
        command = [
            artefacts.postgres_home(platform.postgres_programs) / "bin" / "initdb", "--pgdata", partial, "--username", user,
            "--pwfile", password.name, "--auth", "scram-sha-256", "--encoding", "UTF8",
            # The same order and case rules on every system.
            "--no-locale", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
        ]  # fmt: skip
        run_once(platform, f"initdb-{name}", command, user=platform.postgres_user)
    partial.rename(target)


# They run the SQL that they are given: within a chart's own expression, over another project's views.
_KEEP_TO_ONE_QUERY = """
do $$
declare one regprocedure;
begin
  for one in select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace
    and (proname ~ '_to_xml(schema|_and_xmlschema)?$' or proname in ('ts_stat', 'ts_rewrite'))
  loop execute format('revoke execute on function %s from public', one); end loop;
end $$
"""


def connect(platform: Platform, name: str, database: str = "postgres") -> psycopg.Connection:
    """A connection as the cluster's superuser, autocommitting."""
    user, secret = SUPERUSERS[name]
    return psycopg.connect(
        host=HOST, port=platform.port(f"postgres {name}"), dbname=database, user=user, password=reveal(platform, secret),
        autocommit=True, connect_timeout=5,
    )  # fmt: skip


def ensure_roles(platform: Platform, name: str) -> None:
    """The logins of a cluster with their generated passwords. What they may do in a project is for its apply to grant."""
    with connect(platform, name) as connection:
        if name == "source":
            _ensure_role(connection, "headrace_capture", reveal(platform, "capture"), "replication")
            return
        _ensure_role(connection, "analyticsuser", reveal(platform, "analytics_admin"), "createrole")
        for login in ("writer", "reader"):
            _ensure_role(connection, f"headrace_{login}", reveal(platform, login))
            connection.execute(sql.SQL("grant {} to analyticsuser with admin option").format(sql.Identifier(f"headrace_{login}")))
        for login in ("registry", "superset"):
            _ensure_role(connection, login, reveal(platform, f"{login}_db"))
            _ensure_database(connection, login, login)
        _ensure_database(connection, "analyticsdb", "analyticsuser")
    with connect(platform, name, "analyticsdb") as analytics:
        analytics.execute(_KEEP_TO_ONE_QUERY)


def _ensure_role(connection: psycopg.Connection, role: str, password: str, option: LiteralString = "") -> None:
    known = connection.execute("select from pg_roles where rolname = %s", [role]).rowcount
    # The password travels already hashed, so that it never stands in a log of statements.
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("{} role {} with login {} password {}").format(
            sql.SQL("alter" if known else "create"), sql.Identifier(role), sql.SQL(option), sql.Literal(hashed)
        )
    )


def _ensure_database(connection: psycopg.Connection, database: str, owner: str) -> None:
    if not connection.execute("select from pg_database where datname = %s", [database]).rowcount:
        connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(database), sql.Identifier(owner)))
    # Each time: a start may have been killed just behind the statement before.
    connection.execute(sql.SQL("revoke connect, temporary on database {} from public").format(sql.Identifier(database)))
