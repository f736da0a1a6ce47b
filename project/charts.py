"""What can stand on a dashboard: charts of readable kinds over a view, texts, and any other chart as Superset has it."""

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from pydantic import Field, JsonValue

from project.axis_charts import Area, Bar, Line, Mixed
from project.chart_keys import ChartSpec, Colour, Grain, Names, SortedChart
from project.figure_charts import BoxPlot, Heatmap, Histogram, Map, Routes, Sankey, Scatter, Treemap
from project.specs import Spec


class Proof(Spec):
    """The same number asked of the source itself; compared after an apply and by the checks."""

    source: str
    sql: str  # one row, one number, in the source's own tables; a decimal or an integer has to be exactly the one shown


class BigNumber(ChartSpec):
    """One metric over the whole view."""

    type: Literal["big_number"]
    metric: str
    subtitle: str = ""
    format: str | None = None  # None: the metric's
    alarm_above: float | None = None  # shown in red above it; None: never
    proof: Proof | None = None  # None: its view is trusted


class Trend(ChartSpec):
    """One metric as a number, above the line of its course over time."""

    type: Literal["trend"]
    metric: str
    x: str  # the view's time column
    grain: Grain = "day"
    number: Literal["latest", "overall"] = "latest"  # of the last point, or of the whole view
    subtitle: str = ""
    limit: int = Field(default=10_000, ge=1, le=50_000)  # the latest so many points
    format: str | None = None  # None: the metric's


class Pie(ChartSpec):
    """Shares of a metric by a column."""

    type: Literal["pie"]
    metric: str
    dimension: str
    limit: int = Field(default=20, ge=1, le=100)
    format: str | None = None  # None: the metric's


class Highlight(Spec):
    """Marks the cells of a number column that are at or below a bound."""

    column: str
    at_most: float
    color: Colour


class Table(SortedChart):
    """Rows of the view as they are; with metrics, one row for each set of values of the columns.

    Largest first, rows without the metric come last. Of rows as they are, those without a value come first, as in PostgreSQL:
    where a limit could leave no room for others, let the view leave them out.
    """

    type: Literal["table"]
    columns: Names
    metrics: tuple[str, ...] = ()
    limit: int = Field(default=100, ge=1, le=10_000)
    highlight: tuple[Highlight, ...] = ()  # the first that fits wins

    def named_columns(self) -> Iterator[tuple[str, str]]:
        yield from super().named_columns()
        # Rows as they are can be in the order of a column that is not shown.
        yield from [("sort", self.sort_key)] if self.sort_key and not self.metrics else []
        yield from (("highlight", rule.column) for rule in self.highlight if rule.column not in self.metrics)


class Pivot(ChartSpec):
    """Metrics in a field of columns against columns, with totals."""

    type: Literal["pivot"]
    metrics: Names
    rows: Names
    columns: tuple[str, ...] = ()
    totals: bool = True
    limit: int = Field(default=1000, ge=1, le=10_000)  # of cells, the largest
    format: str | None = None  # None: the first metric's


class Raw(ChartSpec):
    """Any chart that Superset knows, in Superset's own words. What it asks for is named, so that it can be checked."""

    type: Literal["raw"]
    viz_type: str
    params: dict[str, JsonValue]
    metrics: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    limit: int = Field(default=1000, ge=1, le=50_000)
    queries: tuple[dict[str, JsonValue], ...] = ()  # as Superset has them; none: one for the metrics by the columns


Chart = (
    BigNumber | Trend | Bar | Line | Area | Mixed | Pie | Table | Pivot
    | Heatmap | Histogram | BoxPlot | Scatter | Treemap | Sankey | Map | Routes | Raw
)  # fmt: skip
KINDS: Mapping[str, type[Chart]] = {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(Chart)}
CHART_TYPES = tuple(KINDS)
