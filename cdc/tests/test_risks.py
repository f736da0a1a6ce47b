"""Each rule fires on the setting that loses changes, and on nothing else."""

from pathlib import Path
from typing import Any

import pytest

from cdc.risks import RULES, of_kafka, of_source

SOURCE = {
    "wal_limit": -1, "slot_timeout": 0, "fsync": "on", "full_page_writes": "on", "wal_per_second": 100_000.0, "wal_measured_for": 86_400.0,
}  # fmt: skip
BROKER = {"offsets.retention.minutes": "10080", "unclean.leader.election.enable": "false", "min.insync.replicas": "2"}


def source(**settings: Any) -> list[str]:
    return [risk.rule for risk in of_source(SOURCE | settings, 24)]


def kafka(brokers: int = 3, replicas: int = 3, **settings: str) -> list[str]:
    named = {name.replace("_", "."): text for name, text in settings.items()}
    return [risk.rule for risk in of_kafka(BROKER | named, brokers, replicas, 24)]


def test_safe_settings_are_not_complained_about():
    assert source() == source(slot_timeout=None, wal_limit=None) == []
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
        (source(slot_timeout=3600), "slot-timeout"),
        (source(fsync="off"), "crash-safety"),
        (source(full_page_writes="off"), "crash-safety"),
        (kafka(offsets_retention_minutes="60"), "offsets-retention"),
        (kafka(unclean_leader_election_enable="true"), "unclean-election"),
        (kafka(min_insync_replicas="1"), "in-sync-replicas"),
        (kafka(replicas=1), "single-copy"),
    ],
)
def test_a_setting_that_loses_changes_is_named(found: list[str], rule: str):
    assert found == [rule]


def test_the_operators_page_has_every_rule():
    page = (Path(__file__).resolve().parents[2] / "docs" / "operation.md").read_text()
    assert all(f"| `{rule}` | {loss}" in page for rule, loss in RULES.items())
