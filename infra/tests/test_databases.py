"""What a start makes of the clusters, also where the one before it was killed."""

from pathlib import Path

from infra import databases
from infra.tests.throwaway import throwaway_cluster


def test_nobody_connects_to_a_database_unasked_though_a_start_was_killed_as_it_was_made(tmp_path: Path) -> None:
    with throwaway_cluster(tmp_path / "platform", "analytics") as platform, databases.connect(platform, "analytics") as connection:
        connection.execute("grant connect, temporary on database analyticsdb to public")
        databases.ensure_roles(platform, "analytics")
        query = "select datname from pg_database where not datistemplate and has_database_privilege('public', oid, 'connect')"
        assert connection.execute(query).fetchall() == [("postgres",)]
