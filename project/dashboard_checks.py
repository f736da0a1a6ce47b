"""What a single dashboard file cannot know: whether the views, columns and metrics it names exist, and whether it fits."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from project.axis_charts import Area, Bar, Line, Mixed
from project.chart_keys import GRID_COLUMNS, ChartSpec, SortedChart
from project.charts import BigNumber, Chart, Raw, Trend
from project.dashboards import MOST_CHARTS, ColumnFilter, Dashboard, Filter, Row, SelectFilter, charts_of
from project.models import Project, Source, View
from project.problems import Location, Problem, listed, quoted, suggestion
from project.selects import SelectError, read_select
from project.specs import Spec

_APART = ("lines", "x_metric", "y_metric", "size_metric")  # keys that may name what another one does


def check_dashboards(project: Project) -> list[Problem]:
    """Every problem of the project's dashboards."""
    return [
        *(problem for dashboard in project.dashboards.values() for problem in _check(dashboard, project.views)),
        *(problem for dashboard in project.dashboards.values() for problem in _check_proofs(dashboard, project.sources)),
    ]


def _check(dashboard: Dashboard, views: Mapping[str, View]) -> Iterator[Problem]:
    if not dashboard.all_rows:
        yield Problem(dashboard.declared_at, 'there is nothing on the dashboard; expected "rows" or "tabs"; add one')
    for row in dashboard.all_rows:
        yield from _check_width(row)
    for chart in dashboard.charts:
        yield from _check_chart(chart, views)
    yield from _check_names(dashboard)
    yield from _check_numbers_of_charts(dashboard)
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
    yield from _check_once("filter", [(spec.name, spec.at("name")) for spec in dashboard.filters])
    yield from _check_addresses(dashboard)
    yield from _check_once("tab", [(tab.tab, tab.at("tab")) for tab in dashboard.tabs])


def address_of(name: str) -> str:
    """What stands of a filter's name in links to its dashboard."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def _check_addresses(dashboard: Dashboard) -> Iterator[Problem]:
    known: dict[str, str] = {}
    for spec in dashboard.filters:
        other = known.setdefault(address_of(spec.name), spec.name)
        if other != spec.name and address_of(spec.name).strip("-"):
            what = f"filter {quoted(spec.name)} is {address_of(spec.name)} in links, as {quoted(other)} is"
            yield Problem(spec.at("name"), f"{what}; expected names that differ in letters or digits; rename one")


def _check_once(kind: str, named: list[tuple[str, Location]]) -> Iterator[Problem]:
    for name, count in Counter(name for name, _ in named).items():
        if count > 1:
            places = [place for other, place in named if other == name]
            yield Problem(places[-1], f"{kind} {quoted(name)} again, first at {places[0]}; expected each name once; rename one")


def _check_numbers_of_charts(dashboard: Dashboard) -> Iterator[Problem]:
    """Those above the tabs are drawn with each of them."""
    above = len(charts_of(dashboard.rows))
    if above > MOST_CHARTS:
        way_out = "as more draw slowly; move some to another dashboard"
        yield Problem(dashboard.at("rows"), f"{above} charts; expected at most {MOST_CHARTS}, {way_out}")
    for tab in dashboard.tabs:
        count = above + len(charts_of(tab.rows))
        if count > MOST_CHARTS:
            found = f"{count} charts on tab {quoted(tab.tab)}" + (", those above the tabs included" if above else "")
            yield Problem(tab.declared_at, f"{found}; expected at most {MOST_CHARTS}, as more draw slowly; move some to another tab")


def _check_chart(chart: Chart, views: Mapping[str, View]) -> Iterator[Problem]:
    view = views.get(chart.view)
    if view is None:
        yield _unknown(chart, "view", chart.view, "view", views)
        return
    for key, name in dict.fromkeys(chart.named_metrics()):
        if name not in view.metrics:
            yield _unknown(chart, key, name, f"metric of {view.name}", view.metrics)
    for key, name in dict.fromkeys(chart.named_columns()):
        if name not in view.columns:
            yield _unknown(chart, key, name, f"column of {view.name}", view.columns)
    yield from _check_time_axis(chart, view)
    yield from _check_series(chart)
    yield from _check_repeated(chart)
    if isinstance(chart, Raw) and not (chart.metrics or chart.columns or chart.queries):
        yield Problem(chart.declared_at, 'the chart asks for nothing; expected "metrics", "columns" or "queries"; name what its params use')
    if isinstance(chart, SortedChart) and chart.sort_key and "sort" not in dict(chart.named_columns()):
        shown = (*chart.metric_names, *chart.column_names)
        if chart.sort_key not in shown:
            yield _unknown(chart, "sort", chart.sort_key, "metric or column of this chart", dict.fromkeys(shown))


def _check_time_axis(chart: Chart, view: View) -> Iterator[Problem]:
    if isinstance(chart, Trend | Bar | Line | Area | Mixed) and chart.grain and chart.x in view.columns and chart.x != view.time_column:
        instead = f"it is {view.time_column}" if view.time_column else "it has none"
        found = f"{quoted(chart.x)} is not the time column of {view.name}, {instead}"
        kind = "a line" if isinstance(chart, Line) else f"a {chart.type} with a grain"
        yield Problem(chart.at("x"), f"{found}; expected {kind} over time; set x or time_column")


def _check_series(chart: Chart) -> Iterator[Problem]:
    """What Superset would draw, but nobody could read."""
    if isinstance(chart, Bar | Line | Area) and chart.dimension and len(chart.metrics) > 1:
        found = f"{len(chart.metrics)} metrics and a dimension"
        yield Problem(chart.at("dimension"), f"{found}; expected one metric in parts, or several whole; remove one or the other")


def _check_repeated(chart: Chart) -> Iterator[Problem]:
    if isinstance(chart, Raw) and chart.queries:
        return
    first: dict[tuple[str, str], str] = {}
    for key, name in (*ChartSpec.named_columns(chart), *chart.named_metrics()):
        one = (key if key in _APART else "", name)
        if one in first:
            expected = "expected each name once, as Superset asks for none twice"
            yield Problem.say(chart.at(key), f"{quoted(name)} stands under {first[one]} already", expected, "choose another")
        first.setdefault(one, key)


def _check_proofs(dashboard: Dashboard, sources: Mapping[str, Source]) -> Iterator[Problem]:
    for proof in (chart.proof for chart in dashboard.charts if isinstance(chart, BigNumber) and chart.proof):
        if proof.source not in sources:
            yield _unknown(proof, "source", proof.source, "source", sources)
        try:
            found = len(read_select(proof.sql).outputs)
        except SelectError as error:
            yield Problem(proof.at("sql"), f"in the proof, {error}")
        else:
            if found != 1:
                yield Problem.say(proof.at("sql"), f"the proof asks for {found} columns", "expected one number", "leave the others out")


def _check_filter(spec: Filter, dashboard: Dashboard, views: Mapping[str, View]) -> Iterator[Problem]:
    if isinstance(spec, ColumnFilter):
        if spec.view not in views:
            yield _unknown(spec, "view", spec.view, "view", views)
            return
        if spec.column not in views[spec.view].columns:
            yield _unknown(spec, "column", spec.column, f"column of {spec.view}", views[spec.view].columns)
            return
    if isinstance(spec, SelectFilter) and len(spec.default) > 1 and not spec.multiple:
        yield Problem(spec.at("default"), f"{len(spec.default)} values are chosen; expected one, as multiple is false; remove some")
    if not any(acts_on(spec, chart, views[chart.view]) for chart in dashboard.charts if chart.view in views):
        needed = f"a column {quoted(spec.column)}" if isinstance(spec, ColumnFilter) else "a time_column"
        expected = f"expected a filtered chart whose view has {needed}"
        yield Problem(spec.declared_at, f"filter {quoted(spec.name)} acts on no chart; {expected}; remove it")


def acts_on(spec: Filter, chart: Chart, view: View) -> bool:
    """Whether a filter narrows a chart."""
    if not chart.filtered:
        return False
    return spec.column in view.columns if isinstance(spec, ColumnFilter) else view.time_column is not None


def _unknown(spec: Spec, key: str, name: str, kind: str, known: Mapping[str, object]) -> Problem:
    way_out = suggestion(name, known, "correct the name")
    return Problem(spec.at(key), f"{quoted(name)} is no {kind}; expected one of {listed(known)}; {way_out}")
