"""Superset's tree of components → rows, and tabs of rows. Pure.

What our rows cannot hold is laid out anew: stacked columns become rows, inner tabs join their outer one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from project.chart_keys import GRID_COLUMNS

Component = Mapping[str, Any]
Item = dict[str, Any]
_USUAL_WIDTH, _USUAL_HEIGHT = 4, 50
_LOWEST, _HIGHEST = 6, 150


@dataclass
class Layout:
    """Rows above the tabs, and the tabs by name."""

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tabs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def layout_of(position: Mapping[str, Any], chart_item: Callable[[str], Item | None]) -> Layout:
    """`chart_item` is the spec of a chart by its uuid, without its width; None: it is left out."""
    reading = _Reading(position, chart_item)
    layout = Layout()
    reading.place(position["ROOT_ID"], layout, layout.rows)
    return layout


@dataclass(frozen=True)
class _Reading:
    position: Mapping[str, Any]
    chart_item: Callable[[str], Item | None]

    def children(self, component: Component) -> Iterator[Component]:
        return (self.position[name] for name in component.get("children", []) if name in self.position)

    def place(self, component: Component, layout: Layout, rows: list[dict[str, Any]]) -> None:
        """Adds what a component holds to the rows, or to tabs of their own if it is the outer bar of tabs."""
        for child in self.children(component):
            if child["type"] == "TABS" and rows is layout.rows:
                for tab in self.children(child):
                    inner: list[dict[str, Any]] = []
                    self.place(tab, layout, inner)
                    if inner:
                        layout.tabs.append({"tab": _unused(tab.get("meta", {}).get("text") or "Tab", layout), "rows": inner})
            elif child["type"] in ("GRID", "TABS", "TAB"):
                self.place(child, layout, rows)
            else:
                rows += self.rows_of(child)

    def rows_of(self, component: Component) -> Iterator[dict[str, Any]]:
        """One row, or several where its columns are stacks; a lone item is a row of its own."""
        stacks = [self.stack(child) for child in self.children(component)] if component["type"] == "ROW" else [self.stack(component)]
        for beside in zip_longest(*stacks):
            placed = [item for item in beside if item]
            if placed:
                yield from _fitting([item for item, _ in placed], max(height for _, height in placed))

    def stack(self, component: Component) -> list[tuple[Item, int]]:
        """What stands in a place of a row, from top to bottom, with its height."""
        if component["type"] in ("COLUMN", "ROW"):
            wide = component.get("meta", {}).get("width")
            inner = [entry for child in self.children(component) for entry in self.stack(child)]
            return [(item | {"width": min(item["width"], wide or GRID_COLUMNS)}, height) for item, height in inner]
        meta = component.get("meta", {})
        item = self.item(component["type"], meta)
        width = min(max(round(meta.get("width") or _USUAL_WIDTH), 1), GRID_COLUMNS)
        height = min(max(round(meta.get("height") or _USUAL_HEIGHT), _LOWEST), _HIGHEST)
        lines = component["type"] in ("HEADER", "DIVIDER")
        return [(item | {"width": GRID_COLUMNS if lines else width}, 12 if lines else height)] if item else []

    def item(self, kind: str, meta: Mapping[str, Any]) -> Item | None:
        match kind:
            case "CHART":
                return self.chart_item(meta.get("uuid", ""))
            case "MARKDOWN":
                return {"markdown": meta.get("code") or ""}
            case "HEADER":
                return {"markdown": f"#### {meta.get('text') or ''}"}
            case "DIVIDER":
                return {"markdown": "---"}
            case _:
                return None


def _fitting(items: list[Item], height: int) -> Iterator[dict[str, Any]]:
    """Rows that are not wider than the grid."""
    row: list[Item] = []
    for item in items:
        if row and sum(other["width"] for other in row) + item["width"] > GRID_COLUMNS:
            yield {"height": height, "items": row}
            row = []
        row = [*row, item]
    yield {"height": height, "items": row}


def _unused(name: str, layout: Layout) -> str:
    names = {tab["tab"] for tab in layout.tabs}
    return next(text for text in (name, *(f"{name} {number}" for number in range(2, 99))) if text not in names)
