"""A fence is a place in the log with a pulse behind it, of tables and of an outbox alike."""

from pathlib import Path

import pytest

from infra import databases, endpoints
from infra.tests.throwaway import ROOT, throwaway_cluster
from orchestration import fencing
from orchestration.catalogue import build_catalogue
from project.environment import Environment
from project.loader import load_project


@pytest.mark.parametrize(("example", "stream"), [("bookstore", "ecom"), ("cars", "routing")])
def test_a_fence_is_taken_again_and_again(tmp_path: Path, example: str, stream: str):
    with throwaway_cluster(tmp_path / "platform", "source") as platform:
        catalogue = build_catalogue(load_project(ROOT / "examples" / example), Environment.model_validate(endpoints.environment(platform)))
        spec = catalogue.project.streams[stream]
        name = catalogue.project.sources[spec.source].database
        with databases.connect(platform, "source") as server:
            server.execute(f"create database {name} owner headrace_admin".encode())
        with databases.connect(platform, "source", name) as source:
            source.execute("create table headrace_pulse (source text primary key, at timestamptz not null)")
            source.execute("alter table headrace_pulse owner to headrace_admin")
            first, second = fencing.take(catalogue, spec), fencing.take(catalogue, spec)
            assert first.at <= first.beat < second.at <= second.beat
            assert source.execute("select at at time zone 'UTC' from headrace_pulse").fetchall() == [(second.beat,)]
