"""What can stand on a dashboard: charts of a few readable kinds over a view, and texts."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from project.specs import Spec

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]

GRID_COLUMNS = 12


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


class Proof(Spec):
    """The same number asked of the source itself; compared after an apply and by the checks."""

    source: str
    sql: str  # one row, one number, in the source's own tables


class BigNumber(_Chart):
    """One metric over the whole view."""

    type: Literal["big_number"]
    metric: str
    subtitle: str = ""
    format: str | None = None  # None: the metric's
    alarm_above: float | None = None  # shown in red above it; None: never
    proof: Proof | None = None  # None: its view is trusted

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
    color: Colour


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
    def ascending(self) -> bool:
        return not (self.sort or "").startswith("-")

    @property
    def column_names(self) -> tuple[str, ...]:
        return (*self.columns, *filter(None, [self.sort_column]), *(rule.column for rule in self.highlight))


CHART_TYPES = ("big_number", "bar", "line", "pie", "table")
Chart = BigNumber | Bar | Line | Pie | Table
