"""Each rule fires on the setting that loses changes, and on nothing else."""

from pathlib import Path
from typing import Any

import pytest

from cdc.compile import compile_resources
from cdc.risks import RULES, of_drift, of_kafka, of_source
from project.environment import Environment
from project.models import Project
from project.resources import Difference

SOURCE = {
    "wal_limit": 10**12, "slot_timeout": 0, "fsync": "on", "full_page_writes": "on",
    "wal_per_second": 100_000.0, "wal_measured_for": 86_400.0,
    "time_zone": "UTC", "utc": True, "local_times": ["public.orders.created_at"],
}  # fmt: skip
BROKER = {"offsets.retention.minutes": "10080", "unclean.leader.election.enable": "false", "min.insync.replicas": "2"}


def source(**settings: Any) -> list[str]:
    return [risk.rule for risk in of_source(SOURCE | settings, 24)]


def kafka(brokers: int = 3, replicas: int = 3, **settings: str) -> list[str]:
    named = {name.replace("_", "."): text for name, text in settings.items()}
    return [risk.rule for risk in of_kafka(BROKER | named, brokers, replicas, 24)]


def test_safe_settings_are_not_complained_about():
    assert source() == source(slot_timeout=None, wal_limit=None) == source(time_zone="Etc/GMT") == []
    assert source(time_zone="Europe/Berlin", utc=False, local_times=[]) == []
    assert kafka() == kafka(brokers=1, replicas=1, min_insync_replicas="1", unclean_leader_election_enable="true") == []


def test_a_limit_on_wal_is_held_against_what_the_source_writes_in_an_outage():
    needed = 100_000 * 24 * 3600
    assert source(wal_limit=needed) == [] and source(wal_limit=needed - 1) == ["wal-limit"]
    assert source(wal_limit=1, wal_measured_for=3600.0) == source(wal_limit=1, wal_per_second=None, wal_measured_for=None) == []
    [risk] = of_source(SOURCE | {"wal_limit": 2**30}, 24)
    assert "max_slot_wal_keep_size is 1,024 MiB, and 24 h write about 8,241 MiB" in str(risk) and "'16482MB'" in risk.fix


@pytest.mark.parametrize(
    ("found", "rule"),
    [
        (source(wal_limit=-1), "unlimited-wal"),
        (source(slot_timeout=3600), "slot-timeout"),
        (source(time_zone="Europe/Berlin", utc=False), "time-zone"),
        (source(fsync="off"), "crash-safety"),
        (source(full_page_writes="off"), "crash-safety"),
        (kafka(offsets_retention_minutes="60"), "offsets-retention"),
        (kafka(unclean_leader_election_enable="true"), "unclean-election"),
        (kafka(min_insync_replicas="1"), "in-sync-replicas"),
        (kafka(auto_create_topics_enable="true"), "topic-made-anew"),
        (kafka(replicas=1), "single-copy"),
    ],
)
def test_a_setting_that_loses_changes_is_named(found: list[str], rule: str):
    assert found == [rule]


@pytest.mark.parametrize(
    ("resource", "path", "found", "rule"),
    [
        ("connector/ecom-connector", ["config", "offset.mismatch.strategy"], "no_validation", "position"),
        ("connector/ecom-connector", ["config", "offset.mismatch.strategy"], None, "position"),
        ("connector/ecom-connector", ["config", "slot.drop.on.stop"], "true", "slot-kept"),
        ("connector/ecom-connector", ["config", "slot.drop.on.stop"], None, None),
        ("connector/ecom-connector", ["config", "snapshot.mode"], "no_data", "first-snapshot"),
        ("connector/ecom-connector", ["config", "snapshot.mode"], None, None),
        ("connector/ecom-connector", ["config", "errors.tolerance"], "all", "failed-records"),
        ("connector/ecom-connector", ["config", "errors.tolerance"], None, None),
        ("connector/ecom-connector", ["config", "skipped.operations"], "t", "operations"),
        ("connector/ecom-connector", ["config", "poll.interval.ms"], "999", None),
        ("connector/ecom-connector", ["undeclared"], ["transforms"], "undeclared"),
        ("capture/ecom", ["publication", "operations"], ["insert"], "operations"),
        ("capture/ecom", ["publication", "tables"], ["public.books"], None),
        ("capture/ecom", ["publication", "tables"], ["public.books, rows where (price > 5)"], "left-out"),
        ("capture/ecom", ["tables", "public.orders", "replica_identity"], "default", "identity"),
        ("topic/ecom-connector.public.orders", ["config", "retention.ms"], "3600000", "topic-retention"),
        ("topic/ecom-connector.public.orders", ["config", "retention.ms"], str(24 * 3600 * 1000), None),
        ("topic/ecom-connector.public.orders", ["config", "retention.ms"], "-1", None),
        ("topic/ecom-connector.public.orders", ["config", "retention.bytes"], "1000000", "topic-retention"),
        ("topic/ecom-connector.public.orders", ["config", "cleanup.policy"], "compact", "compaction"),
    ],
)
def test_a_setting_of_our_own_that_was_changed_is_told_with_its_loss(
    resource: str, path: list[str], found: Any, rule: str | None, bookstore: Project, environment: Environment
):
    [compiled] = [one for one in compile_resources(bookstore, environment) if one.id == resource]
    desired: Any = compiled.document
    for key in path:
        desired = desired[key]
    assert [risk.rule for risk in of_drift([Difference(".".join(path), desired, found)], 24)] == ([rule] if rule else [])


def test_the_operators_page_has_every_rule():
    page = (Path(__file__).resolve().parents[2] / "docs" / "operation.md").read_text()
    assert all(f"| `{rule}` | {loss}" in page for rule, loss in RULES.items())
