"""What a dashboard says: rows of charts over views, and filters. One file per dashboard, its stem is the slug."""

from typing import Literal

from pydantic import Field

from project.specs import Spec


class Metric(Spec):
    """A number that charts may show, declared on a view."""

    expression: str  # SQL aggregate over the view's columns
    label: str
    description: str
    format: str = ",.0f"  # d3 format
    currency: str | None = None  # ISO 4217, e.g. USD


class Chart(Spec):
    """One chart of a row."""

    chart: str
    title: str
    type: Literal["big_number", "bar", "line", "pie", "table"]
    view: str
    description: str
    width: int = Field(ge=1, le=12)


class Dashboard(Spec):
    """One dashboard."""

    name: str  # the file's stem, and the slug
    title: str
    description: str
