"""The archives that Superset imports."""

import io
import json
import zipfile

import pytest
import yaml

from project.environment import Environment
from project.models import Project
from project.resources import Resource
from superset_bootstrap.bundles import bundle, path_of
from superset_bootstrap.compile import compile_resources


@pytest.fixture
def resources(bookstore: Project, environment: Environment) -> dict[str, Resource]:
    return {resource.id: resource for resource in compile_resources(bookstore, environment)}


def test_equal_documents_give_equal_bytes(resources: dict[str, Resource]):
    charts = [resource for resource in resources.values() if resource.kind == "chart"]
    assert bundle("chart", charts, "bookstore") == bundle("chart", reversed(charts), "bookstore")


def test_a_file_says_who_manages_it(resources: dict[str, Resource]):
    chart = _files(resources["chart/sales.total_revenue"])["charts/sales.total_revenue.yaml"]
    assert chart["is_managed_externally"] is True
    assert chart["external_url"] == "headrace:bookstore/chart/sales.total_revenue"


def test_the_archive_names_the_kind_that_it_may_overwrite(resources: dict[str, Resource]):
    assert _files(resources["dataset/vw_freshness"])["metadata.yaml"]["type"] == "SqlaTable"


def test_a_chart_carries_its_query_so_that_it_can_be_asked_without_a_browser(resources: dict[str, Resource]):
    chart = _files(resources["chart/sales.total_revenue"])["charts/sales.total_revenue.yaml"]
    assert json.loads(chart["query_context"])["queries"][0]["metrics"] == ["daily_revenue_sum"]


def test_the_password_stays_out_of_the_archive(resources: dict[str, Resource], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", "s3cr3t-pass")
    database = resources["database/bookstore"]
    assert _files(database)[path_of(database)]["sqlalchemy_uri"] == "postgresql+psycopg2://admin:XXXXXXXXXX@analytics.example:5432/analyticsdb"


@pytest.mark.parametrize("written", ["chart/sales.freshness", "dashboard/sales"])
def test_types_of_a_dataset_that_came_with_a_chart_are_still_to_be_read(resources: dict[str, Resource], written: str):
    dataset = resources["dataset/vw_freshness"]
    alone, brought = (files[path_of(dataset)]["extra"] for files in (_files(dataset), _files(resources[written], dataset)))
    assert alone == dataset.document["extra"]  # read then, and the next plan is quiet
    assert brought == {"certification": alone["certification"]}  # ours, and told by the next plan


def _files(written: Resource, *referred: Resource) -> dict[str, dict]:
    with zipfile.ZipFile(io.BytesIO(bundle(written.kind, [written, *referred], "bookstore"))) as archive:
        return {name.removeprefix("headrace/"): yaml.safe_load(archive.read(name)) for name in archive.namelist()}
