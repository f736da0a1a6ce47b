"""Charts along an axis: bars, lines, areas, and bars with lines."""

from typing import Literal

from pydantic import Field

from project.chart_keys import ChartSpec, Grain, Names, SortedChart

# Of a dimension; more colours than this cannot be told apart.
MOST_SERIES = 20


class Bar(SortedChart):
    """Metrics by a column, largest first by the first metric; one series per metric, or a metric's parts by a dimension."""

    type: Literal["bar"]
    metrics: Names
    x: str
    grain: Grain | None = None  # of x, which is then the view's time column
    dimension: str | None = None  # what each bar is made of
    stacked: bool = True  # no: the parts stand side by side
    share: bool = False  # parts of 100 %
    # So many bars, the largest by the first metric; None: 20, or 10,000 pairs with a dimension or a grain.
    limit: int | None = Field(default=None, ge=1, le=50_000)
    series_limit: int = Field(default=10, ge=1, le=MOST_SERIES)  # so many values of the dimension, the largest; the rest is "Others"
    horizontal: bool = False
    format: str | None = None  # None: the first metric's


class Line(ChartSpec):
    """Metrics over time; one line per metric, or per value of a dimension."""

    type: Literal["line"]
    metrics: Names
    x: str  # the view's time column
    grain: Grain = "day"
    dimension: str | None = None
    limit: int = Field(default=10_000, ge=1, le=50_000)  # the latest so many points
    series_limit: int = Field(default=10, ge=1, le=MOST_SERIES)  # so many values of the dimension, the largest; the rest is "Others"
    format: str | None = None  # None: the first metric's


class Area(ChartSpec):
    """What adds up over time: metrics, or a metric's parts by a dimension, one on top of the other."""

    type: Literal["area"]
    metrics: Names
    x: str  # the view's time column
    grain: Grain = "day"
    dimension: str | None = None
    share: bool = False  # parts of 100 %
    limit: int = Field(default=10_000, ge=1, le=50_000)  # the latest so many points
    series_limit: int = Field(default=10, ge=1, le=MOST_SERIES)  # so many values of the dimension, the largest; the rest is "Others"
    format: str | None = None  # None: the first metric's


class Mixed(SortedChart):
    """Bars of some metrics, and lines of others on an axis of their own at the right."""

    type: Literal["mixed"]
    metrics: Names  # the bars
    lines: Names  # the metrics that are drawn as lines
    x: str
    grain: Grain | None = None  # of x, which is then the view's time column
    limit: int = Field(default=1000, ge=1, le=50_000)
    format: str | None = None  # of the bars; None: the first metric's
    line_format: str | None = None  # None: the first line's metric's
