"""What a dashboard says: rows of charts over views, and filters. One file per dashboard: `dashboards/<name>.yaml`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag

from project.problems import listed, quoted, suggestion
from project.specs import Spec

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]

GRID_COLUMNS = 12
# More charts than this on one page draw slowly.
MOST_CHARTS = 10


class Metric(Spec):
    """A number that charts may show, declared on a view."""

    expression: str  # SQL aggregate over the view's columns
    label: str
    description: str
    format: str = ",.0f"  # d3 format
    currency: str | None = None  # ISO 4217, e.g. USD


class _Item(Spec):
    width: int = Field(ge=1, le=GRID_COLUMNS)  # of the grid's 12 columns


class Markdown(_Item):
    """A text on the dashboard."""

    markdown: str


class _Chart(_Item):
    chart: _Name  # its name, unique on the dashboard
    title: str
    view: str
    description: str
    # Whether the dashboard's filters act on it; no for a number that is titled "all time".
    filtered: bool = True
    # No: every look asks the database; for how fresh the data is.
    cached: bool = True

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Metrics of its view that it shows."""
        return ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Columns of its view that it shows or groups by."""
        return ()


class BigNumber(_Chart):
    """One metric over the whole view."""

    type: Literal["big_number"]
    metric: str
    subtitle: str = ""
    format: str | None = None  # None: the metric's
    alarm_above: float | None = None  # shown in red above it; None: never

    @property
    def metric_names(self) -> tuple[str, ...]:
        return (self.metric,)


class Bar(_Chart):
    """Metrics by a column, largest first by the first metric; one series per metric."""

    type: Literal["bar"]
    metrics: tuple[str, ...] = Field(min_length=1)
    x: str
    limit: int = Field(default=20, ge=1, le=1000)
    horizontal: bool = False
    format: str | None = None  # None: the first metric's

    @property
    def metric_names(self) -> tuple[str, ...]:
        return self.metrics

    @property
    def column_names(self) -> tuple[str, ...]:
        return (self.x,)


class Line(_Chart):
    """Metrics over time; one line per metric."""

    type: Literal["line"]
    metrics: tuple[str, ...] = Field(min_length=1)
    x: str  # a column of dates or times
    grain: Literal["hour", "day", "week", "month", "quarter", "year"] = "day"
    limit: int = Field(default=1000, ge=1, le=50_000)  # the latest so many points
    format: str | None = None  # None: the first metric's

    @property
    def metric_names(self) -> tuple[str, ...]:
        return self.metrics

    @property
    def column_names(self) -> tuple[str, ...]:
        return (self.x,)


class Pie(_Chart):
    """Shares of a metric by a column."""

    type: Literal["pie"]
    metric: str
    dimension: str
    limit: int = Field(default=20, ge=1, le=100)
    format: str | None = None  # None: the metric's

    @property
    def metric_names(self) -> tuple[str, ...]:
        return (self.metric,)

    @property
    def column_names(self) -> tuple[str, ...]:
        return (self.dimension,)


class Highlight(Spec):
    """Marks the cells of a number column that are at or below a bound."""

    column: str
    at_most: float
    color: _Colour


class Table(_Chart):
    """Rows of the view as they are."""

    type: Literal["table"]
    columns: tuple[str, ...] = Field(min_length=1)
    sort: str | None = None  # a column, smallest first; "-column" for largest first; None: the view's order
    limit: int = Field(default=100, ge=1, le=10_000)
    highlight: tuple[Highlight, ...] = ()  # the first that fits wins

    @property
    def sort_column(self) -> str | None:
        return self.sort.removeprefix("-") if self.sort else None

    @property
    def column_names(self) -> tuple[str, ...]:
        return (*self.columns, *filter(None, [self.sort_column]), *(rule.column for rule in self.highlight))


CHART_TYPES = ("big_number", "bar", "line", "pie", "table")
Chart = BigNumber | Bar | Line | Pie | Table


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
        return "markdown" if "markdown" in value else str(value.get("type"))
    return getattr(value, "type", "markdown")


Item = Annotated[
    Annotated[Markdown, Tag("markdown")]
    | Annotated[BigNumber, Tag("big_number")]
    | Annotated[Bar, Tag("bar")]
    | Annotated[Line, Tag("line")]
    | Annotated[Pie, Tag("pie")]
    | Annotated[Table, Tag("table")],
    Discriminator(_tag),
    BeforeValidator(_with_known_type),
]


class Row(Spec):
    """Items side by side."""

    height: int = Field(ge=6, le=150)  # in units of 8 pixels
    items: tuple[Item, ...] = Field(min_length=1)


class TimeRangeFilter(Spec):
    """Narrows every chart whose view has a time column to a span of time."""

    name: str
    type: Literal["time_range"]
    description: str = ""
    default: str | None = None  # e.g. "Last 30 days" or "2026-01-01 : 2026-02-01"; None: all time


class SelectFilter(Spec):
    """Narrows every chart whose view has the column to chosen values."""

    name: str
    type: Literal["select"]
    view: str  # where the values to choose from come from
    column: str
    description: str = ""
    multiple: bool = True


Filter = Annotated[TimeRangeFilter | SelectFilter, Field(discriminator="type")]


class Dashboard(Spec):
    """One dashboard. Its address is /superset/dashboard/<project>-<name>/."""

    name: str  # the file's stem
    title: str
    description: str
    owner: str | None = None  # who answers questions about it; None: the project's owner
    refresh_seconds: int = Field(default=30, ge=0, le=86_400)  # 0: only when a person reloads
    cross_filters: bool = True  # a click on a value filters the other charts by it
    colors: dict[str, _Colour] = Field(default_factory=dict)  # of values, so that one value has one colour on every chart
    filters: tuple[Filter, ...] = ()
    rows: tuple[Row, ...] = Field(min_length=1)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts, in reading order."""
        return tuple(item for row in self.rows for item in row.items if not isinstance(item, Markdown))
