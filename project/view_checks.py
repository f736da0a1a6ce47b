"""Whether views fit the tables and views they read, and return what their headers declare."""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter

from sqlglot import exp

from project.dashboards import Metric, shown
from project.models import Project, View
from project.problems import Location, Problem, listed, quoted, suggestion
from project.references import KEPT_TABLES, kept_tables, target_columns
from project.selects import Select, SelectError, read_select

_Columns = tuple[str, ...] | None  # None: not known, as its file is broken


def check_views(project: Project, selects: Mapping[str, Select], broken: Set[str]) -> Iterator[Problem]:
    """Every problem of the views; a view that is not in `selects` has a select that could not be parsed."""
    readable = _readable(project, broken)
    for view in project.views.values():
        yield from _check_name(view, project)
        yield from _check_time_column(view)
        yield from _check_metrics(view)
        if select := selects.get(view.name):
            yield from _check_outputs(view, select)
            yield from _check_schemas(view, select, project, broken)
            yield from _check_reads(view, select, readable, project.schema_, broken)
            yield from _check_columns(view, select, readable)
    yield from _check_circles(project, selects)


def _readable(project: Project, broken: Set[str]) -> dict[str, _Columns]:
    """Everything that a view may read, with its columns."""
    found: dict[str, _Columns] = {path.removeprefix("views/"): None for path in broken if path.startswith("views/")}
    found |= {name: tuple(view.columns) for name, view in project.views.items()}
    written = Counter(target.table for stream in project.streams.values() for target in stream.tables.values())
    for table, (stream, captured) in project.target_tables.items():
        source = project.sources.get(stream.source)
        known = written[table] == 1 and source and captured in source.tables
        found[table] = tuple(target_columns(project, table)) if known else None
    return found | {name: tuple(target_columns(project, name)) for name in kept_tables(project)}


def _check_name(view: View, project: Project) -> Iterator[Problem]:
    if view.name in KEPT_TABLES:
        what = f'view "{view.name}" has the name of a table that Headrace keeps'
        yield Problem.say(view.declared_at, what, "expected another name", "rename the file")
    elif view.name in project.target_tables:
        stream, captured = project.target_tables[view.name]
        what = f'view "{view.name}" has the name of a table that stream {stream.name} writes ({stream.tables[captured].at("table")})'
        yield Problem.say(view.declared_at, what, "expected another name", "rename one")


def _check_time_column(view: View) -> Iterator[Problem]:
    if view.time_column is not None and view.time_column not in view.columns:
        way_out = suggestion(view.time_column, view.columns, "correct it or remove the key")
        what = f'time_column "{view.time_column}" is not a column of the view'
        yield Problem.say(view.at("time_column"), what, f"it has {listed(view.columns)}", way_out)


def _check_metrics(view: View) -> Iterator[Problem]:
    for name, metric in view.metrics.items():
        yield from _check_bounds(name, metric)
        place, text = metric.at("expression"), f"select {metric.expression.strip()}"
        select = _aggregate(text)
        if select is None:
            what = f'metric "{name}" is {quoted(metric.expression)}'
            yield Problem.say(place, what, "expected one aggregate over the view's columns, such as sum(x)", "correct it")
            continue
        if behind := _open_end(text, select):
            expected = "expected no more than a comment in /* */, as the SQL around it goes on there"
            yield Problem.say(place, f'behind metric "{name}" stands {quoted(behind)}', expected, "remove it")
        for column in dict.fromkeys(column.name for column in select.tree.find_all(exp.Column)):
            if column not in view.columns:
                way_out = suggestion(column, view.columns, "correct it")
                what = f'metric "{name}" uses column {quoted(column)}, which the view does not have'
                yield Problem.say(place, what, f"it has {listed(view.columns)}", way_out)


def _check_bounds(name: str, metric: Metric) -> Iterator[Problem]:
    above, below = metric.alarm_above, metric.alarm_below
    if above is not None and below is not None and above < below:
        what = f'metric "{name}" alarms above {shown(above)} and below {shown(below)}, so whatever it is'
        yield Problem.say(metric.at("alarm_above"), what, f"expected {shown(below)} or more", "raise it, or lower alarm_below")


def _aggregate(text: str) -> Select | None:
    """The select of a metric's expression, None if that is not one aggregate."""
    try:
        select = read_select(text)
    except SelectError:
        return None
    clauses = [clause for clause, said in select.tree.args.items() if said]
    if clauses != ["expressions"] or select.tables or len(select.tree.selects) > 1:
        return None
    expression = select.tree.selects[0]
    # An unknown function may be an aggregate that somebody defined.
    is_one = not isinstance(expression, exp.Alias) and expression.find(exp.AggFunc, exp.Anonymous)
    return select if is_one else None


def _open_end(text: str, select: Select) -> str:
    """What stands behind a select and would swallow or end what follows; empty if nothing does."""
    try:
        closed = read_select(f"{text} as closed").outputs[-1].name == "closed"
    except SelectError:
        closed = False
    return "" if closed else text[len(select.sql) :].strip()


def _check_outputs(view: View, select: Select) -> Iterator[Problem]:
    """The select must return the declared columns, in their order."""
    file, names = view.declared_at.file, [output.name for output in select.outputs]
    for position, output in enumerate(select.outputs, 1):
        place = Location(file, output.line or select.line)
        if output.is_star:
            yield Problem.say(place, "the select returns *", "expected a list of columns, which nothing else can change", "name them")
            return
        if not output.name:
            yield Problem.say(place, f"column {position} of the select has no name", "expected one", 'add "as name"')
        elif output.name in names[: position - 1]:
            yield Problem.say(
                place, f"the select returns {quoted(output.name)} twice", "expected each name once", 'rename one with "as name"'
            )
        elif output.name not in view.columns:
            way_out = suggestion(output.name, view.columns.keys() - set(names), "add it to columns with what it means")
            yield Problem.say(
                place, f"column {quoted(output.name)} is not declared", f"the header declares {listed(view.columns)}", way_out
            )
    for name in view.columns:
        if name not in names and "" not in names:
            way_out = suggestion(name, set(names) - view.columns.keys(), "add it to the select or remove it here")
            what = f'column "{name}" is declared but not returned'
            yield Problem.say(view.columns[name].declared_at, what, f"the select returns {listed(names)}", way_out)
    if sorted(names) == sorted(view.columns) and names != list(view.columns):
        what = "the columns stand in another order than in the select"
        yield Problem.say(view.at("columns"), what, f"expected {listed(names)}", "reorder them here or there")


def _check_schemas(view: View, select: Select, project: Project, broken: Set[str]) -> Iterator[Problem]:
    for table in select.tables:
        if table.schema not in (None, project.schema_) and "project" not in broken:
            place = Location(view.declared_at.file, table.line)
            what = f"{quoted(f'{table.schema}.{table.name}')} is outside the project"
            yield Problem.say(place, what, f"expected a table or view in its schema {project.schema_}", "let a stream bring the data")


def _check_reads(view: View, select: Select, readable: Mapping[str, _Columns], schema: str, broken: Set[str]) -> Iterator[Problem]:
    file = view.declared_at.file
    if not select.tables:
        yield Problem.say(Location(file, select.line), "the select reads nothing", "expected a table or view", "add a from clause")
    if any(path.startswith("streams/") for path in broken):
        return  # A broken stream may write any table.
    for table in select.tables:
        if table.name not in readable and table.schema in (None, schema):
            way_out = suggestion(table.name, readable, "correct the name, or let a stream write it")
            what = f"there is no table or view {quoted(table.name)}"
            yield Problem.say(Location(file, table.line), what, f"there is {listed(sorted(readable))}", way_out)


def _check_columns(view: View, select: Select, readable: Mapping[str, _Columns]) -> Iterator[Problem]:
    known = {name: columns for name, columns in readable.items() if columns is not None}
    for column in select.unknown_names(known):
        what = f"there is no {column.kind} {quoted(column.name)}"
        expected, way_out = f"expected one of {listed(column.known)}", suggestion(column.name, column.known, "correct the name")
        yield Problem.say(Location(view.declared_at.file, column.line), what, expected, way_out)


def _check_circles(project: Project, selects: Mapping[str, Select]) -> Iterator[Problem]:
    views = project.views.keys() - project.target_tables.keys() - KEPT_TABLES.keys()
    reads = {name: sorted(views.intersection(project.views[name].reads)) for name in views}
    while circle := _circle(reads):
        reader, read = circle[0], circle[1]
        line = next(table.line for table in selects[reader].tables if table.name == read)
        what = f"views read each other in a circle: {' → '.join(circle)}"
        place = Location(project.views[reader].declared_at.file, line)
        yield Problem.say(place, what, "expected an order to create them in", "let one of them read tables instead")
        reads[reader].remove(read)


def _circle(reads: Mapping[str, list[str]]) -> list[str] | None:
    """Views of which each reads the next, the last one the first; begun with the first by name."""
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][:0:-1]  # graphlib names what is read before what reads it
        start = circle.index(min(circle))
        return [*circle[start:], *circle[:start], circle[start]]
    return None
