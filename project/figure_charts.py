"""Charts of how values lie and belong together: heat maps, distributions, bubbles, shares within shares, flows, maps."""

from typing import Annotated, Literal

from pydantic import Field

from project.chart_keys import ChartSpec, Names


class Heatmap(ChartSpec):
    """A metric in a field of two columns, the darker the larger. Values of both stand in their own order."""

    type: Literal["heatmap"]
    metric: str
    x: str
    y: str
    limit: int = Field(default=2000, ge=1, le=10_000)  # of cells, in the order of x
    values: bool = False  # also written into the cells
    format: str | None = None  # None: the metric's


class Histogram(ChartSpec):
    """How often a number column has which values."""

    type: Literal["histogram"]
    x: str  # a column of numbers
    dimension: str | None = None  # bars for each of its values, side by side
    bins: int = Field(default=20, ge=2, le=200)
    limit: int = Field(default=50_000, ge=1, le=100_000)  # rows that are read: a view with more shows a part
    format: str = ",d"  # of the number of rows


class BoxPlot(ChartSpec):
    """How a metric's values lie: for each value of x a box over those of another column, such as days."""

    type: Literal["box_plot"]
    metric: str
    x: str  # a box for each
    across: str  # each box holds the metric's value for each of this column's
    limit: int = Field(default=10_000, ge=1, le=50_000)  # of pairs
    format: str | None = None  # None: the metric's


class Scatter(ChartSpec):
    """A bubble for each value of a dimension, placed by two metrics and as large as a third."""

    type: Literal["scatter"]
    dimension: str
    x_metric: str
    y_metric: str
    size_metric: str
    color_by: str  # another column, one colour for each of its values
    limit: int = Field(default=200, ge=1, le=5000)  # the largest bubbles
    format: str | None = None  # of the upward axis; None: its metric's
    x_format: str | None = None  # None: its metric's


class Treemap(ChartSpec):
    """A metric's shares as areas, within each other by one or two columns."""

    type: Literal["treemap"]
    metric: str
    dimensions: Annotated[Names, Field(max_length=2)]
    limit: int = Field(default=30, ge=1, le=200)
    format: str | None = None  # None: the metric's


class Sankey(ChartSpec):
    """What flows from the values of one column to those of another."""

    type: Literal["sankey"]
    metric: str
    dimensions: Annotated[Names, Field(min_length=2, max_length=2)]  # from, to
    limit: int = Field(default=30, ge=1, le=200)  # of flows, the largest
    format: str | None = None  # None: the metric's


class Map(ChartSpec):
    """A bubble at each place, its area a metric's, on a plain ground: no street map is fetched from other hosts."""

    type: Literal["map"]
    metric: str
    longitude: str
    latitude: str
    dimension: str  # a colour for each of its values
    scale: float = Field(default=1, gt=0)  # bubbles are so many times as wide: 1 is a square kilometre for each 1 of the metric
    limit: int = Field(default=1000, ge=1, le=10_000)  # of places, the largest


class Routes(ChartSpec):
    """Arcs from place to place on a plain ground, one for each set of values; the view holds just those to draw."""

    type: Literal["routes"]
    from_longitude: str
    from_latitude: str
    to_longitude: str
    to_latitude: str
    dimension: str  # a colour for each of its values
    limit: int = Field(default=1000, ge=1, le=10_000)  # of arcs
