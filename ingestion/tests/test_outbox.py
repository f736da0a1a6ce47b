"""What the outbox's connections are opened with; the rest is in test_ingestion.py."""

import pytest

from infra.tests.throwaway import ROOT
from ingestion.outbox import EventOutbox
from project.environment import HALF_OPEN, EndpointError, Environment
from project.loader import load_project


def test_a_database_whose_host_is_gone_without_a_word_is_not_waited_for_in_vain(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", "secret")
    [source] = load_project(ROOT / "examples" / "cars").ingesting
    outbox = EventOutbox(environment.source(source.name), source)
    assert outbox.pool._resolve_kwargs().items() >= HALF_OPEN.items()


def test_a_password_that_cannot_be_read_is_refused_before_anything_is_served(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PASSWORD", raising=False)
    [source] = load_project(ROOT / "examples" / "cars").ingesting
    with pytest.raises(EndpointError, match="environment variable PASSWORD is not set"):
        EventOutbox(environment.source(source.name), source)
