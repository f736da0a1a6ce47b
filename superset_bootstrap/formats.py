"""Number formats and currencies of charts: the chart's own, else those of the metric that it shows first. Pure."""

from typing import Any, Protocol

from project.dashboards import Metric
from project.models import View

Params = dict[str, Any]


class Formatted(Protocol):
    """A chart of metrics that can be given a format."""

    @property
    def format(self) -> str | None: ...

    @property
    def metric_names(self) -> tuple[str, ...]: ...


def number(key: str, chart: Formatted, view: View) -> Params:
    """Number format and currency: the chart's, else the metric's."""
    metric = view.metrics[chart.metric_names[0]]
    currency = currency_of(metric)
    return {key: chart.format or metric.format, **({"currency_format": currency} if currency else {})}


def currency_of(metric: Metric) -> Params | None:
    """As Superset writes it, before the number."""
    return {"symbol": metric.currency, "symbolPosition": "prefix"} if metric.currency else None
