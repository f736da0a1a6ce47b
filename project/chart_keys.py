"""What every chart has: its keys, and which of them name metrics and columns. A key means the same on every kind."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from project.specs import Spec

ChartName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Grain = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]
Names = Annotated[tuple[str, ...], Field(min_length=1)]

GRID_COLUMNS = 12
METRIC_KEYS = ("metric", "metrics", "lines", "x_metric", "y_metric", "size_metric")
COLUMN_KEYS = (
    "x", "y", "dimension", "dimensions", "across", "rows", "columns", "color_by",
    "longitude", "latitude", "from_longitude", "from_latitude", "to_longitude", "to_latitude",
)  # fmt: skip


class Item(Spec):
    """A thing on a dashboard's grid."""

    width: int = Field(ge=1, le=GRID_COLUMNS)  # of the grid's 12 columns


class Markdown(Item):
    """A text on the dashboard."""

    markdown: str


class ChartSpec(Item):
    """What charts of every kind say."""

    chart: ChartName  # its name, unique on the dashboard
    title: str
    view: str
    description: str
    # Whether the dashboard's filters act on it; no for a number that is titled "all time".
    filtered: bool = True
    # No: every look asks the database; for how fresh the data is.
    cached: bool = True

    def named_metrics(self) -> Iterator[tuple[str, str]]:
        """Metrics of its view that it shows, each with the key that names it."""
        return self._named(METRIC_KEYS)

    def named_columns(self) -> Iterator[tuple[str, str]]:
        """Columns of its view that it shows or groups by, each with the key that names it."""
        return self._named(COLUMN_KEYS)

    @property
    def metric_names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.named_metrics())

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.named_columns())

    def _named(self, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for key in keys:
            value: str | tuple[str, ...] | None = getattr(self, key, None)
            yield from ((key, name) for name in ([value] if isinstance(value, str) else value or ()))


class SortedChart(ChartSpec):
    """A chart whose order can be chosen."""

    # A metric or column that it shows, smallest first; "-name" for largest first; None: the kind's own order.
    sort: Annotated[str, StringConstraints(pattern=r"^-?[^-]")] | None = None

    @property
    def sort_key(self) -> str | None:
        return self.sort.removeprefix("-") if self.sort else None

    @property
    def ascending(self) -> bool:
        return not (self.sort or "").startswith("-")
