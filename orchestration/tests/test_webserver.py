"""Whose questions Dagster's pages answer."""

from pathlib import Path

import pytest

from infra.platform import Platform
from infra.programs import all_programs
from infra.projects import RunningProject
from infra.tests.throwaway import ROOT
from orchestration.webserver import is_foreign

HERE = "127.0.0.1:18030"
JSON, HTML, IMAGE = {"content-type": "application/json"}, {"accept": "text/html,*/*"}, {"accept": "image/avif,*/*"}
OWN, OTHER = {"origin": f"http://{HERE}"}, {"origin": "http://example.com"}


@pytest.mark.parametrize(
    ("kind", "method", "path", "headers", "foreign"),
    [
        ("http", "POST", "/graphql", JSON | OWN, False),
        ("http", "POST", "/graphql", JSON, False),  # a program's
        ("http", "GET", "/graphql", HTML, False),  # the page for questions by hand
        ("http", "GET", "/assets", HTML, False),
        ("websocket", "GET", "/graphql", OWN, False),
        ("websocket", "GET", "/graphql", OTHER, True),
        ("http", "POST", "/graphql", JSON | OTHER, True),
        ("http", "POST", "/graphql", JSON | {"origin": "null"}, True),
        ("http", "POST", "/graphql", {"content-type": "text/plain"}, True),
        ("http", "GET", "/graphql", IMAGE, True),
        ("http", "POST", "/report_asset_materialization/a", OTHER, True),
    ],
)
def test_a_page_of_another_site_is_told_from_our_own(kind: str, method: str, path: str, headers: dict[str, str], foreign: bool):
    said = [(name.encode(), value.encode()) for name, value in (headers | {"host": HERE}).items()]
    assert is_foreign({"type": kind, "method": method, "path": path, "headers": said}) is foreign


@pytest.mark.parametrize(
    ("host", "foreign"),
    [(HERE, False), ("localhost:18030", False), ("LOCALHOST", False), ("evil.example:18030", True), ("127.0.0.1.evil.example", True)],
)
def test_a_site_whose_name_leads_here_is_another(host: str, foreign: bool, tmp_path: Path):
    running = {program.name: program for program in all_programs(Platform(ROOT, tmp_path), [RunningProject("kiosk", tmp_path)])}
    hosts = running["dagster-webserver"].environment["HEADRACE_HOSTS"].split()
    for headers in (JSON | {"origin": f"http://{host}"}, JSON):  # a question without consequences, and so without its origin
        said = [(name.encode(), value.encode()) for name, value in (headers | {"host": host}).items()]
        assert is_foreign({"type": "http", "method": "GET", "path": "/graphql", "headers": said}, hosts) is foreign
        assert not is_foreign({"type": "http", "method": "GET", "path": "/graphql", "headers": said}), "elsewhere it may have any name"
