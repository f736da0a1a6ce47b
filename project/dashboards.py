"""What a dashboard says: rows of charts over views, and filters. One file per dashboard: `dashboards/<name>.yaml`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag

from project.axis_charts import Area, Bar, Line, Mixed
from project.chart_keys import Colour, Markdown
from project.charts import CHART_TYPES, BigNumber, Chart, Pie, Pivot, Raw, Table, Trend
from project.figure_charts import BoxPlot, Heatmap, Histogram, Map, Routes, Sankey, Scatter, Treemap
from project.problems import listed, quoted, suggestion
from project.specs import Spec

# More charts than this on one page, or one tab, draw slowly.
MOST_CHARTS = 10


class Metric(Spec):
    """A number that charts may show, declared on a view."""

    expression: str  # SQL aggregate over the view's columns
    label: str
    description: str
    format: str = ",.0f"  # d3 format
    currency: str | None = None  # ISO 4217, e.g. USD
    alarm_above: float | None = Field(default=None, strict=True)  # the view's check `expected` is red above it; None: never
    alarm_below: float | None = Field(default=None, strict=True)  # the view's check `expected` is red below it; None: never

    @property
    def bounds(self) -> str:
        """What it must be, in words; empty if it may be anything."""
        words = {"at least": self.alarm_below, "at most": self.alarm_above}
        return " and ".join(f"{said} {shown(bound)}" for said, bound in words.items() if bound is not None)

    def allows(self, value: float) -> bool:
        """Whether a value is within the bounds; NaN is within none."""
        return (self.alarm_above is None or value <= self.alarm_above) and (self.alarm_below is None or value >= self.alarm_below)


def shown(number: float) -> str:
    """As people write it."""
    return f"{number:,.15g}"


def _with_known_type(value: Any) -> Any:
    """Says what an item can be before the union of all of them complains about each."""
    if not isinstance(value, Mapping) or "markdown" in value:
        return value
    if "chart" not in value:
        raise ValueError('an item is neither a chart nor a text; expected "chart: <name>" or "markdown: <text>"; add one')
    kind = value.get("type")
    if kind is None:
        raise ValueError(f"chart {quoted(value['chart'])} has no type; expected one of {listed(CHART_TYPES)}; add one")
    if kind not in CHART_TYPES:
        way_out = suggestion(str(kind), CHART_TYPES, "choose one")
        raise ValueError(f"type {quoted(kind)} is no chart type; expected one of {listed(CHART_TYPES)}; {way_out}")
    return value


def _tag(value: Any) -> str:
    if isinstance(value, Mapping):
        return "Markdown" if "markdown" in value else str(value.get("type"))
    return getattr(value, "type", "Markdown")


Item = Annotated[
    Annotated[Markdown, Tag("Markdown")]
    | Annotated[BigNumber, Tag("big_number")]
    | Annotated[Trend, Tag("trend")]
    | Annotated[Bar, Tag("bar")]
    | Annotated[Line, Tag("line")]
    | Annotated[Area, Tag("area")]
    | Annotated[Mixed, Tag("mixed")]
    | Annotated[Pie, Tag("pie")]
    | Annotated[Table, Tag("table")]
    | Annotated[Pivot, Tag("pivot")]
    | Annotated[Heatmap, Tag("heatmap")]
    | Annotated[Histogram, Tag("histogram")]
    | Annotated[BoxPlot, Tag("box_plot")]
    | Annotated[Scatter, Tag("scatter")]
    | Annotated[Treemap, Tag("treemap")]
    | Annotated[Sankey, Tag("sankey")]
    | Annotated[Map, Tag("map")]
    | Annotated[Routes, Tag("routes")]
    | Annotated[Raw, Tag("raw")],
    Discriminator(_tag),
    BeforeValidator(_with_known_type),
]


class Row(Spec):
    """Items side by side."""

    height: int = Field(ge=6, le=150)  # in units of 8 pixels
    items: tuple[Item, ...] = Field(min_length=1)


class Tab(Spec):
    """Rows that show when the tab's name is clicked; the first tab shows at once."""

    tab: str
    rows: tuple[Row, ...] = Field(min_length=1)


class TimeRangeFilter(Spec):
    """Narrows every chart whose view has a time column to a span of time."""

    name: str
    type: Literal["time_range"]
    description: str = ""
    default: str | None = None  # e.g. "Last 30 days" or "2026-01-01 : 2026-02-01"; None: all time


class ColumnFilter(Spec):
    """Narrows every chart whose view has the column."""

    name: str
    view: str  # where the values to choose from come from
    column: str
    description: str = ""


class SelectFilter(ColumnFilter):
    """To chosen values."""

    type: Literal["select"]
    multiple: bool = True
    default: tuple[str | int | float | bool, ...] = ()  # chosen when the page opens; none: all
    required: bool = False  # whether something has to be chosen


class RangeFilter(ColumnFilter):
    """To numbers between two bounds."""

    type: Literal["range"]
    at_least: float | None = None  # when the page opens; None: the smallest
    at_most: float | None = None  # when the page opens; None: the largest


Filter = Annotated[TimeRangeFilter | SelectFilter | RangeFilter, Field(discriminator="type")]


class Dashboard(Spec):
    """One dashboard. Its address is /superset/dashboard/<project>-<name>/."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]  # the file's stem
    title: str
    description: str
    owner: str | None = None  # who answers questions about it; None: the project's owner
    refresh_seconds: int = Field(default=30, ge=0, le=86_400)  # 0: only when a person reloads
    cross_filters: bool = True  # a click on a value filters the other charts by it
    colors: dict[str, Colour] = Field(default_factory=dict)  # of values, beside those that the views' columns give
    filters: tuple[Filter, ...] = ()
    rows: tuple[Row, ...] = ()  # above the tabs, if there are any
    tabs: tuple[Tab, ...] = ()  # pages of rows, one shown at a time

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """Rows in reading order, tab after tab."""
        return (*self.rows, *(row for tab in self.tabs for row in tab.rows))

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts, in reading order."""
        return charts_of(self.all_rows)


def charts_of(rows: tuple[Row, ...]) -> tuple[Chart, ...]:
    return tuple(item for row in rows for item in row.items if not isinstance(item, Markdown))
