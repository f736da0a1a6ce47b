"""Dagster's pages as an operator opens them, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from infra.platform import Platform

GROUPS = ("source", "capture", "topics", "changes", "streams", "tables", "rows", "views", "superset")


@pytest.fixture
def dagster(platform: Platform, browser_page: Page) -> Page:
    browser_page.set_default_timeout(60_000)
    return browser_page


def test_the_graph_shows_every_group_from_source_to_superset(dagster: Page, platform: Platform):
    dagster.goto(f"{platform.url('dagster')}/asset-groups")
    for group in GROUPS:
        expect(dagster.get_by_text(group, exact=True).first).to_be_visible(timeout=60_000)


def test_a_chart_leads_to_its_live_object_and_to_its_spec(dagster: Page, platform: Platform):
    dagster.goto(f"{platform.url('dagster')}/assets/bookstore/chart/sales.total_revenue")
    expect(dagster.get_by_text(re.compile(r"dashboards/sales\.yaml:\d+")).first).to_be_visible(timeout=60_000)
    expect(dagster.locator("a[href*='/superset/dashboard/bookstore-sales/']").first).to_be_visible(timeout=60_000)


def test_a_job_shows_its_sql_and_its_checks(dagster: Page, platform: Platform):
    dagster.goto(f"{platform.url('dagster')}/assets/bookstore/job/ecom?view=checks")
    for check in ("running", "in_sync", "lag", "fresh"):
        expect(dagster.get_by_text(check, exact=True).first).to_be_visible(timeout=60_000)


def test_the_pages_ask_no_other_host(dagster: Page, platform: Platform):
    asked: list[str] = []
    dagster.on("request", lambda request: asked.append(request.url))
    dagster.goto(f"{platform.url('dagster')}/asset-groups")
    expect(dagster.get_by_text("superset", exact=True).first).to_be_visible(timeout=60_000)
    assert [url for url in asked if not url.startswith((platform.url("dagster"), "data:", "blob:"))] == []
