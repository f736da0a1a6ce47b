"""What a single dashboard file cannot know: whether the views, columns and metrics it names exist, and whether it fits."""

from collections import Counter
from collections.abc import Iterator, Mapping

from project.charts import GRID_COLUMNS, BigNumber, Chart, Line, Table
from project.dashboards import MOST_CHARTS, Dashboard, Filter, Row, SelectFilter
from project.models import Project, Source, View
from project.problems import Location, Problem, listed, quoted, suggestion
from project.specs import Spec


def check_dashboards(project: Project) -> list[Problem]:
    """Every problem of the project's dashboards."""
    return [
        *(problem for dashboard in project.dashboards.values() for problem in _check(dashboard, project.views)),
        *(problem for dashboard in project.dashboards.values() for problem in _check_proofs(dashboard, project.sources)),
    ]


def _check(dashboard: Dashboard, views: Mapping[str, View]) -> Iterator[Problem]:
    for row in dashboard.rows:
        yield from _check_width(row)
    for chart in dashboard.charts:
        yield from _check_chart(chart, views)
    yield from _check_names(dashboard)
    for spec in dashboard.filters:
        yield from _check_filter(spec, dashboard, views)


def _check_width(row: Row) -> Iterator[Problem]:
    width = sum(item.width for item in row.items)
    if width > GRID_COLUMNS:
        found = f"the items of this row are {width} wide"
        yield Problem(row.declared_at, f"{found}; expected at most {GRID_COLUMNS}; make them narrower or begin a new row")


def _check_names(dashboard: Dashboard) -> Iterator[Problem]:
    first: dict[str, Location] = {}
    for chart in dashboard.charts:
        place = chart.at("chart")
        if chart.chart in first:
            yield Problem(place, f"chart {quoted(chart.chart)} again, first at {first[chart.chart]}; expected each name once; rename one")
        first.setdefault(chart.chart, place)
    for name, count in Counter(spec.name for spec in dashboard.filters).items():
        if count > 1:
            places = [spec.at("name") for spec in dashboard.filters if spec.name == name]
            yield Problem(places[-1], f"filter {quoted(name)} again, first at {places[0]}; expected each name once; rename one")
    if len(dashboard.charts) > MOST_CHARTS:
        yield Problem(
            dashboard.at("rows"),
            f"{len(dashboard.charts)} charts; expected at most {MOST_CHARTS}, as more draw slowly; move some to another dashboard",
        )


def _check_chart(chart: Chart, views: Mapping[str, View]) -> Iterator[Problem]:
    view = views.get(chart.view)
    if view is None:
        yield _unknown(chart, "view", chart.view, "view", views)
        return
    for name in dict.fromkeys(chart.metric_names):
        if name not in view.metrics:
            key = "metrics" if hasattr(chart, "metrics") else "metric"
            yield _unknown(chart, key, name, f"metric of {view.name}", view.metrics)
    for name in dict.fromkeys(chart.column_names):
        if name not in view.columns:
            yield _unknown(chart, _key_of(chart, name), name, f"column of {view.name}", view.columns)
    if isinstance(chart, Line) and chart.x in view.columns and chart.x != view.time_column:
        instead = f"it is {view.time_column}" if view.time_column else "it has none"
        found = f"{quoted(chart.x)} is not the time column of {view.name}, {instead}"
        yield Problem(chart.at("x"), f"{found}; expected a line over time; set x or time_column")


def _check_proofs(dashboard: Dashboard, sources: Mapping[str, Source]) -> Iterator[Problem]:
    for chart in dashboard.charts:
        if isinstance(chart, BigNumber) and chart.proof and chart.proof.source not in sources:
            yield _unknown(chart.proof, "source", chart.proof.source, "source", sources)


def _key_of(chart: Chart, column: str) -> str:
    """The key of a chart that names a column."""
    if isinstance(chart, Table):
        return "columns" if column in chart.columns else "sort" if column == chart.sort_column else "highlight"
    return "dimension" if chart.type == "pie" else "x"


def _check_filter(spec: Filter, dashboard: Dashboard, views: Mapping[str, View]) -> Iterator[Problem]:
    if isinstance(spec, SelectFilter):
        if spec.view not in views:
            yield _unknown(spec, "view", spec.view, "view", views)
            return
        if spec.column not in views[spec.view].columns:
            yield _unknown(spec, "column", spec.column, f"column of {spec.view}", views[spec.view].columns)
            return
    if not any(acts_on(spec, chart, views[chart.view]) for chart in dashboard.charts if chart.view in views):
        needed = f"a column {quoted(spec.column)}" if isinstance(spec, SelectFilter) else "a time_column"
        expected = f"expected a filtered chart whose view has {needed}"
        yield Problem(spec.declared_at, f"filter {quoted(spec.name)} acts on no chart; {expected}; remove it")


def acts_on(spec: Filter, chart: Chart, view: View) -> bool:
    """Whether a filter narrows a chart."""
    if not chart.filtered:
        return False
    return spec.column in view.columns if isinstance(spec, SelectFilter) else view.time_column is not None


def _unknown(spec: Spec, key: str, name: str, kind: str, known: Mapping[str, object]) -> Problem:
    way_out = suggestion(name, known, "correct the name")
    return Problem(spec.at(key), f"{quoted(name)} is no {kind}; expected one of {listed(known)}; {way_out}")
