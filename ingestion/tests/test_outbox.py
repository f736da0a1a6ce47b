"""What the outbox's connections are opened with; the rest is in test_ingestion.py."""

import pytest

from infra.tests.throwaway import ROOT
from ingestion.outbox import EventOutbox
from project.environment import HALF_OPEN, Environment
from project.loader import load_project


def test_a_database_whose_host_is_gone_without_a_word_is_not_waited_for_in_vain(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", "secret")
    [source] = load_project(ROOT / "examples" / "cars").ingesting
    outbox = EventOutbox(environment.source(source.name), source)
    assert isinstance(outbox.pool.kwargs, dict) and outbox.pool.kwargs.items() >= HALF_OPEN.items()
