"""What is asked for a chart when nobody looks: by the check after an apply. It asks what the browser asks. Pure."""

from collections.abc import Sequence
from typing import Any

from project.axis_charts import Area, Bar, Line, Mixed
from project.charts import BigNumber, Chart, Pie, Pivot, Raw, Table, Trend
from project.figure_charts import Heatmap, Map, Sankey, Scatter, Treemap
from project.models import View
from superset_bootstrap.axis_drawing import GRAINS, bars_read, largest

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
            having = has_numbers(chart, view)
            return [_query(chart, view) | ({"extras": {"having": f"({having})"}} if having else {})]


def _query(chart: Chart, view: View) -> Query:
    match chart:
        case Bar():
            return _asked([*_axis(chart), *_names(chart.dimension)], chart.metrics, bars_read(chart))
        case Line() | Area():
            asked = _asked([*_axis(chart), *_names(chart.dimension)], chart.metrics, chart.limit)
            return asked | {"orderby": [[chart.x, False]]}
        case Trend():
            return _asked(_axis(chart), chart.metric_names, chart.limit) | {"orderby": [[chart.x, False]]}
        case Table():
            order = [[table_order(chart, view), rises(chart)]] if chart.sort or chart.metrics else []
            return _asked(chart.columns, chart.metrics, chart.limit) | {"orderby": order}
        case _:
            asked = _asked(chart.column_names, chart.metric_names, None if isinstance(chart, BigNumber) else chart.limit)
            order = _order(chart, view)
            return asked | ({"orderby": order} if order else {})


def _order(chart: Chart, view: View) -> list[Any]:
    """That of its kind; none: largest first by the first metric."""
    match chart:
        case Pivot():
            return [[largest(chart.metrics[0], view), False]]
        case Heatmap():
            return [[chart.x, True], [chart.y, False]]
        case Treemap() | Sankey():
            # Of equal ones, Superset's page keeps the first by name.
            return [[chart.metric, False], *([name, True] for name in chart.dimensions)]
        case Scatter():
            return [[chart.size_metric, False]]
        case _:
            return []


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
        "metrics": list(dict.fromkeys(metrics)) or None,  # a bubble may be as large as it is high
        "filters": [],
        "orderby": [[metrics[0], False]] if metrics and columns else [],
        "row_limit": row_limit,
    }


def has_numbers(chart: Chart, view: View) -> str:
    """The condition that what is drawn by its number has one: PostgreSQL calls NULL the largest, which would take the first places."""
    match chart:
        case Bar():
            needed = chart.metrics[:1]
        case Pie() | Treemap() | Sankey() | Scatter() | Map():
            needed = chart.metric_names
        case _:
            needed = ()
    return " and ".join(f"({view.metrics[name].expression}) is not null" for name in needed)


def rises(chart: Table) -> bool:
    """Whether the smallest comes first."""
    return chart.sort is not None and chart.ascending


def table_order(chart: Table, view: View) -> Any:
    """What a table's rows are in the order of. Those without the number come last, and are shown if there is room."""
    key = chart.sort_key or chart.metrics[0]
    return key if rises(chart) or key not in view.metrics else largest(key, view)
