"""Whose questions Dagster's pages answer."""

import pytest

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
