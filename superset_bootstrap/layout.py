"""Rows of charts and texts → Superset's tree of components on its grid of 12 columns. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from project.charts import Markdown
from project.dashboards import Dashboard, Row
from superset_bootstrap.identity import layout_id

_PARENTS = ["ROOT_ID", "GRID_ID"]
Component = dict[str, Any]


def position_of(dashboard: Dashboard, chart_uuids: Sequence[str]) -> dict[str, Any]:
    """`chart_uuids` are those of the dashboard's charts, in reading order."""
    numbered = iter(enumerate(chart_uuids, 1))
    rows = [_row(number, row, numbered) for number, row in enumerate(dashboard.rows, 1)]
    return {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": [row[0]["id"] for row in rows], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": dashboard.title}},
        **{component["id"]: component for row in rows for component in row},
    }


def _row(number: int, row: Row, numbered: Iterator[tuple[int, str]]) -> list[Component]:
    """The row, then its items."""
    row_id = f"ROW-{number}"
    items: list[Component] = []
    for place, item in enumerate(row.items, 1):
        size = {"width": item.width, "height": row.height}
        if isinstance(item, Markdown):
            items.append(_item(f"MARKDOWN-{number}-{place}", "MARKDOWN", row_id, {**size, "code": item.markdown.strip()}))
        else:
            local_id, uuid = next(numbered)
            chart = {**size, "chartId": local_id, "uuid": uuid, "sliceName": item.title}
            items.append(_item(layout_id(item.chart), "CHART", row_id, chart))
    children = [item["id"] for item in items]
    return [
        {"id": row_id, "type": "ROW", "children": children, "parents": _PARENTS, "meta": {"background": "BACKGROUND_TRANSPARENT"}},
        *items,
    ]


def _item(item_id: str, kind: str, row_id: str, meta: dict[str, Any]) -> Component:
    return {"id": item_id, "type": kind, "children": [], "parents": [*_PARENTS, row_id], "meta": meta}
