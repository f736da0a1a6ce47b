"""What is asked for a chart when nobody looks: by the check after an apply. It asks what the browser asks. Pure."""

from collections.abc import Sequence
from typing import Any

from project.axis_charts import Area, Bar, Line, Mixed
from project.charts import BigNumber, Chart, Raw, Table, Trend
from project.models import View
from superset_bootstrap.axis_drawing import GRAINS, bars_read

Query = dict[str, Any]


def queries_of(chart: Chart, view: View) -> list[Query]:
    """One for most kinds."""
    match chart:
        case Mixed():
            latest = {"orderby": [[chart.x, False]]} if chart.grain else {}
            return [_asked(_axis(chart), metrics, chart.limit) | latest for metrics in (chart.metrics, chart.lines)]
        case Raw():
            return list(map(dict, chart.queries)) or [_asked(chart.columns, chart.metrics, chart.limit)]
        case _:
            return [_query(chart, view)]


def _query(chart: Chart, view: View) -> Query:
    match chart:
        case Bar():
            found = _asked([*_axis(chart), *_names(chart.dimension)], chart.metrics, bars_read(chart))
            return found | {"extras": {"having": f"({has_a_number(chart, view)})"}}
        case Line() | Area():
            asked = _asked([*_axis(chart), *_names(chart.dimension)], chart.metrics, chart.limit)
            return asked | {"orderby": [[chart.x, False]]}
        case Trend():
            return _asked(_axis(chart), chart.metric_names, chart.limit) | {"orderby": [[chart.x, False]]}
        case Table():
            order = [[chart.sort_key, chart.ascending]] if chart.sort else [[chart.metrics[0], False]] if chart.metrics else []
            return _asked(chart.columns, chart.metrics, chart.limit) | {"orderby": order}
        case _:
            return _asked(chart.column_names, chart.metric_names, None if isinstance(chart, BigNumber) else chart.limit)


def _axis(chart: Bar | Line | Area | Mixed | Trend) -> list[Any]:
    if not chart.grain:
        return [chart.x]
    axis = {"columnType": "BASE_AXIS", "expressionType": "SQL", "sqlExpression": chart.x, "label": chart.x}
    return [axis | {"timeGrain": GRAINS[chart.grain]}]


def _names(name: str | None) -> list[str]:
    return [name] if name else []


def _asked(columns: Sequence[Any], metrics: Sequence[str], row_limit: int | None = None) -> Query:
    """Largest first by the first metric."""
    return {
        "columns": list(columns),
        "metrics": list(metrics) or None,
        "filters": [],
        "orderby": [[metrics[0], False]] if metrics and columns else [],
        "row_limit": row_limit,
    }


def has_a_number(chart: Bar, view: View) -> str:
    return f"({view.metrics[chart.metrics[0]].expression}) is not null"
