"""A dashboard's filters → Superset's native filters, each with what it acts on and what is chosen when the page opens. Pure."""

from typing import Any

from project.dashboard_checks import acts_on, address_of
from project.dashboards import ColumnFilter, Dashboard, Filter, RangeFilter, SelectFilter, TimeRangeFilter
from project.models import Project
from superset_bootstrap.identity import uuid_of


def scope(excluded: list[int]) -> dict[str, Any]:
    """The whole dashboard but for these charts."""
    return {"rootPath": ["ROOT_ID"], "excluded": excluded}


def filter_document(project: Project, dashboard: Dashboard, spec: Filter) -> dict[str, Any]:
    untouched = [
        local_id for local_id, chart in enumerate(dashboard.charts, 1) if not acts_on(spec, chart, project.views[chart.view])
    ]
    common = {
        "id": f"NATIVE_FILTER-{_word(project, dashboard, spec)}",
        "type": "NATIVE_FILTER",
        "name": spec.name,
        "description": spec.description,
        "cascadeParentIds": [],
        "scope": scope(untouched),
    }
    match spec:
        case SelectFilter():
            return common | _select(project, spec)
        case RangeFilter():
            return common | _range(project, spec)
        case TimeRangeFilter():
            return common | _time_range(spec)


def _word(project: Project, dashboard: Dashboard, spec: Filter) -> str:
    """Stands in bookmarks; a name that has no such letters, as in Greek, gets another."""
    word = address_of(spec.name)
    return word if word.strip("-") else uuid_of(project.name, f"filter/{dashboard.name}/{spec.name}")


def _time_range(spec: TimeRangeFilter) -> dict[str, Any]:
    chosen = {"extraFormData": {"time_range": spec.default}, "filterState": {"value": spec.default}}
    return {
        "filterType": "filter_time",
        "targets": [{}],
        "controlValues": {"enableEmptyFilter": False},
        "defaultDataMask": chosen if spec.default else {"extraFormData": {}, "filterState": {}},
    }


def _select(project: Project, spec: SelectFilter) -> dict[str, Any]:
    return {
        "filterType": "filter_select",
        "targets": _targets(project, spec),
        "controlValues": {
            "enableEmptyFilter": spec.required,
            "defaultToFirstItem": False,
            "multiSelect": spec.multiple,
            "searchAllOptions": True,  # in the database: otherwise among the first 1000 values
            "inverseSelection": False,
        },
        "defaultDataMask": _chosen(spec),
    }


def _chosen(spec: SelectFilter) -> dict[str, Any]:
    if not spec.default:
        return {"extraFormData": {}, "filterState": {}}
    values = list(spec.default)
    return {
        "extraFormData": {"filters": [{"col": spec.column, "op": "IN", "val": values}]},
        "filterState": {"value": values, "label": ", ".join(map(str, values))},
    }


def _range(project: Project, spec: RangeFilter) -> dict[str, Any]:
    bounds = [(">=", spec.at_least), ("<=", spec.at_most)]
    chosen = [{"col": spec.column, "op": operator, "val": bound} for operator, bound in bounds if bound is not None]
    state = {"extraFormData": {"filters": chosen}, "filterState": {"value": [spec.at_least, spec.at_most]}}
    return {
        "filterType": "filter_range",
        "targets": _targets(project, spec),
        "controlValues": {"enableEmptyFilter": False, "enableSingleValue": None, "rangeDisplayMode": "input"},
        "defaultDataMask": state if chosen else {"extraFormData": {}, "filterState": {}},
    }


def _targets(project: Project, spec: ColumnFilter) -> list[dict[str, Any]]:
    return [{"column": {"name": spec.column}, "datasetUuid": uuid_of(project.name, f"dataset/{spec.view}")}]
