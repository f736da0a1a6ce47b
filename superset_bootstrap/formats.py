"""Number formats and currencies of charts: the chart's own, else those of the metric that it shows first. Pure."""

from typing import Any, Protocol

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
    currency = {"currency_format": {"symbol": metric.currency, "symbolPosition": "prefix"}} if metric.currency else {}
    return {key: chart.format or metric.format, **currency}
