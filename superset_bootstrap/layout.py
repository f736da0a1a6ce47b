"""Rows of charts and texts, and tabs of them → Superset's tree of components on its grid of 12 columns. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from project.chart_keys import Markdown
from project.dashboards import Dashboard, Row
from superset_bootstrap.identity import layout_id

_GRID = ["ROOT_ID", "GRID_ID"]
_TABS = "TABS-1"
Component = dict[str, Any]


def position_of(dashboard: Dashboard, chart_uuids: Sequence[str]) -> dict[str, Any]:
    """`chart_uuids` are those of the dashboard's charts, in reading order."""
    numbered = iter(enumerate(chart_uuids, 1))
    rows = [_row(f"{number}", row, numbered, _GRID) for number, row in enumerate(dashboard.rows, 1)]
    tabs = _tabs(dashboard, numbered)
    children = [row[0]["id"] for row in rows] + ([_TABS] if tabs else [])
    return {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": children, "parents": ["ROOT_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": dashboard.title}},
        **{component["id"]: component for row in rows for component in row},
        **{component["id"]: component for component in tabs},
    }


def _tabs(dashboard: Dashboard, numbered: Iterator[tuple[int, str]]) -> list[Component]:
    """The bar of tabs, then each tab with its rows."""
    parts: list[Component] = []
    for number, tab in enumerate(dashboard.tabs, 1):
        tab_id, parents = f"TAB-{number}", [*_GRID, _TABS]
        rows = [_row(f"{number}-{place}", row, numbered, [*parents, tab_id]) for place, row in enumerate(tab.rows, 1)]
        children = [row[0]["id"] for row in rows]
        parts += [{"id": tab_id, "type": "TAB", "children": children, "parents": parents, "meta": {"text": tab.tab}}]
        parts += [component for row in rows for component in row]
    ids = [part["id"] for part in parts if part["type"] == "TAB"]
    return [{"id": _TABS, "type": "TABS", "children": ids, "parents": _GRID, "meta": {}}, *parts] if ids else []


def _row(number: str, row: Row, numbered: Iterator[tuple[int, str]], above: list[str]) -> list[Component]:
    """The row, then its items."""
    row_id = f"ROW-{number}"
    items: list[Component] = []
    for place, item in enumerate(row.items, 1):
        size = {"width": item.width, "height": row.height}
        if isinstance(item, Markdown):
            meta = {**size, "code": item.markdown.strip()}
            items.append(_item(f"MARKDOWN-{number}-{place}", "MARKDOWN", [*above, row_id], meta))
        else:
            local_id, uuid = next(numbered)
            chart = {**size, "chartId": local_id, "uuid": uuid, "sliceName": item.title}
            items.append(_item(layout_id(item.chart), "CHART", [*above, row_id], chart))
    children = [item["id"] for item in items]
    return [
        {"id": row_id, "type": "ROW", "children": children, "parents": above, "meta": {"background": "BACKGROUND_TRANSPARENT"}},
        *items,
    ]


def _item(item_id: str, kind: str, parents: list[str], meta: dict[str, Any]) -> Component:
    return {"id": item_id, "type": kind, "children": [], "parents": parents, "meta": meta}
