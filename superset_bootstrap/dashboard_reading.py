"""A dashboard as Superset exports it, with its charts and datasets → our spec, and what had to be left out. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from project.charts import BigNumber, Chart, Raw
from project.dashboard_checks import acts_on
from project.dashboards import Filter
from project.models import Project, View
from superset_bootstrap.chart_reading import chart_spec
from superset_bootstrap.dashboards import OTHERS
from superset_bootstrap.filter_reading import filter_spec
from superset_bootstrap.identity import marked_id, slug_of, uuid_of
from superset_bootstrap.layout_reading import layout_of

Documents = Mapping[str, Mapping[str, Any]]  # exported ones, by uuid
_FIRST = ("chart", "type", "title", "view")
_LAST = ("description", "width")


@dataclass(frozen=True)
class Exported:
    """A spec as it is written to a file, and what was left out of it, in sentences."""

    name: str
    spec: dict[str, Any]
    left_out: list[str] = field(default_factory=list[str])


def dashboard_spec(project: Project, dashboard: Mapping[str, Any], exported: Documents) -> Exported:
    """`exported` holds the dashboard's charts and datasets."""
    reading = _Reading(project, dashboard, exported)
    layout = layout_of(dashboard["position"], reading.chart_item)
    metadata = dashboard.get("metadata") or {}
    filters = [spec for spec in map(reading.filter_item, metadata.get("native_filter_configuration") or []) if spec]
    owner = dashboard.get("certified_by") or project.owner
    spec = {
        "title": dashboard["dashboard_title"],
        "description": (dashboard.get("description") or "").strip(),
        "owner": None if owner == project.owner else owner,
        "refresh_seconds": metadata.get("refresh_frequency") or 0,
        "cross_filters": metadata.get("cross_filters_enabled", True),
        "colors": reading.own_colors(metadata.get("label_colors") or {}),
        "filters": filters,
        "rows": layout.rows,
        "tabs": layout.tabs,
    }
    usual = {"owner": None, "refresh_seconds": 30, "cross_filters": True, "colors": {}, "filters": [], "rows": [], "tabs": []}
    written = {key: value for key, value in spec.items() if key not in usual or value != usual[key]}
    return Exported(reading.name, written, reading.left_out)


class _Reading:
    def __init__(self, project: Project, dashboard: Mapping[str, Any], exported: Documents) -> None:
        self.project, self.dashboard, self.exported = project, dashboard, exported
        self.views = _views(project, exported.values())
        slug = dashboard.get("slug") or _word(dashboard["dashboard_title"])
        self.name = slug.removeprefix(slug_of(project.name, ""))
        self.left_out: list[str] = []
        self.charts: dict[str, Chart] = {}  # by name
        self.local_ids = {
            component["meta"]["uuid"]: component["meta"]["chartId"]
            for component in dashboard["position"].values()
            if isinstance(component, Mapping) and component.get("type") == "CHART"
        }

    def chart_item(self, uuid: str) -> dict[str, Any] | None:
        document = self.exported.get(uuid)
        if document is None:
            self.left_out.append("a chart that Superset does not have any more")
            return None
        view = self.views.get(document.get("dataset_uuid", ""))
        if view is None:
            self.left_out.append(f"chart {document['slice_name']!r}: its dataset is no view of project {self.project.name}")
            return None
        common = {
            "chart": self._chart_name(document, uuid),
            "title": document["slice_name"],
            "view": view.name,
            "description": (document.get("description") or "").strip(),
            "cached": document.get("cache_timeout") != -1,
            "width": 1,
        }
        spec = chart_spec(document, view, common)
        spec = spec.model_copy(update={"filtered": self._is_filtered(spec, document, view)})
        self.charts[spec.chart] = spec
        return self._written(spec)

    def filter_item(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        found = filter_spec(document, self.views)
        if isinstance(found, dict) and not self._acts(TypeAdapter[Filter](Filter).validate_python(found)):
            found = f"filter {found['name']!r}: it acts on none of the charts"
        if isinstance(found, str):
            self.left_out.append(found)
            return None
        if (document.get("scope") or {}).get("rootPath", ["ROOT_ID"]) != ["ROOT_ID"]:
            self.left_out.append(f"filter {found['name']!r}: that it acts on a part of the dashboard alone; now it does on all of it")
        return found

    def _acts(self, spec: Filter) -> bool:
        return any(acts_on(spec, chart, self.project.views[chart.view]) for chart in self.charts.values())

    def own_colors(self, colors: Mapping[str, str]) -> dict[str, str]:
        """Those that neither a column gives nor we for the rest of a dimension."""
        shown = [self.project.views[chart.view].columns[name] for chart in self.charts.values() for name in chart.column_names]
        given = {value: color for column in shown for value, color in column.colors.items()}
        return {value: color for value, color in colors.items() if (OTHERS | given).get(value) != color}

    def _chart_name(self, document: Mapping[str, Any], uuid: str) -> str:
        """The name under which it was applied; else its title as a word. Unique on the dashboard."""
        ours = marked_id(self.project.name, document.get("certification_details"), uuid) or ""
        name = ours.rpartition(".")[2] or _word(document["slice_name"])
        return next(text for text in (name, *(f"{name}_{number}" for number in range(2, 99))) if text not in self.charts)

    def _is_filtered(self, spec: Chart, document: Mapping[str, Any], view: View) -> bool:
        """No, if everything that could act on the chart leaves it out."""
        scopes = [found.get("scope") or {} for found in self._filters() if self._could_act(found, view)]
        if scopes:
            return not all(self.local_ids[document["uuid"]] in scope.get("excluded", []) for scope in scopes)
        return view.time_column is None or isinstance(spec, Raw) or bool(document["params"].get("adhoc_filters"))

    def _filters(self) -> list[Mapping[str, Any]]:
        return (self.dashboard.get("metadata") or {}).get("native_filter_configuration") or []

    def _could_act(self, found: Mapping[str, Any], view: View) -> bool:
        if found.get("filterType") == "filter_time":
            return view.time_column is not None
        return ((found.get("targets") or [{}])[0].get("column") or {}).get("name") in view.columns

    def _written(self, spec: Chart) -> dict[str, Any]:
        """In the order in which people write, without what is so by default, and with the proof that the project's file holds."""
        fields = spec.model_dump(mode="json", exclude_defaults=True)
        fields |= {"proof": proof} if (proof := self._proof(spec)) else {}
        first, last = ({key: fields.pop(key) for key in keys} for keys in (_FIRST, _LAST))
        return {**first, **fields, **last}

    def _proof(self, spec: Chart) -> dict[str, Any] | None:
        """Superset does not know it."""
        charts = self.project.dashboards[self.name].charts if self.name in self.project.dashboards else ()
        before = next((chart for chart in charts if chart.chart == spec.chart), None)
        if isinstance(before, BigNumber) and isinstance(spec, BigNumber) and before.proof and before.metric == spec.metric:
            return before.proof.model_dump()
        return None


def _views(project: Project, documents: Iterable[Mapping[str, Any]]) -> dict[str, View]:
    """The project's views by the uuid of their datasets: those that we made, and others over the same view."""
    ours = {uuid_of(project.name, f"dataset/{name}"): view for name, view in project.views.items()}
    others = {
        document["uuid"]: project.views[document["table_name"]]
        for document in documents
        if document.get("schema") == project.schema_ and document.get("table_name") in project.views and not document.get("sql")
    }
    return ours | others


def _word(title: str) -> str:
    """A title as a name."""
    word = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:50]
    return word if re.match("[a-z]", word) else f"chart_{word}".rstrip("_")
