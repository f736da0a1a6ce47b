"""What the specs of a project mean together: the columns of the analytics tables, and the order of the views."""

from dataclasses import dataclass
from graphlib import TopologicalSorter

from project.models import Project, View

PULSE = "pulse"  # the analytics table that holds a row per stream


@dataclass(frozen=True)
class TableColumn:
    """A column of an analytics table."""

    type: str
    description: str


# Every analytics table ends with these. The table's own trigger sets synced_at, so Flink never sees it.
ADDED_COLUMNS = {
    "source_committed_at": TableColumn("timestamp(3)", "When the row's latest change was committed in the source (UTC)."),
    "source_position": TableColumn("bigint", "Position of that change in the source's log (LSN)."),
    "from_snapshot": TableColumn("boolean", "Whether the row was copied when capture began, and not changed since."),
    "synced_at": TableColumn("timestamp(6)", "When the row was last written here (UTC)."),
}
_PULSE_COLUMNS = {
    "stream": TableColumn("text", "The stream."),
    "source": TableColumn("text", "The source that it reads."),
    "pulse_at": TableColumn("timestamp(6)", "When the latest pulse that arrived left its source (UTC)."),
}


def target_columns(project: Project, table: str) -> dict[str, TableColumn]:
    """The columns of an analytics table in order, the pulse table's included; KeyError if no stream writes it."""
    if table == PULSE:
        return _PULSE_COLUMNS | ADDED_COLUMNS
    stream, captured = project.target_tables[table]
    columns = project.sources[stream.source].tables[captured].target_columns
    return {name: TableColumn(column.mapping.analytics, column.description) for name, column in columns.items()} | ADDED_COLUMNS


def target_key(project: Project, table: str) -> tuple[str, ...]:
    """The primary key of an analytics table: its source table's."""
    if table == PULSE:
        return ("stream",)
    stream, captured = project.target_tables[table]
    return project.sources[stream.source].tables[captured].target_key


def ordered_views(project: Project) -> tuple[View, ...]:
    """The views, each after those it reads; by name where that leaves a choice. CycleError if they read each other in a circle."""
    order = TopologicalSorter({name: sorted(set(view.reads) & set(project.views)) for name, view in sorted(project.views.items())})
    return tuple(project.views[name] for name in order.static_order())
