"""What Superset exports → documents that compare with ours: same shape, local ids instead of numeric ones. Pure."""

import io
import json
import zipfile
from collections.abc import Container, Iterable, Mapping
from typing import Any

import yaml

from project.resources import Document

# Superset's browser code writes these into a dashboard when an editor merely looks at it.
_WRITTEN_BY_LOOKING = {"color_scheme", "color_scheme_domain", "map_label_colors", "shared_label_colors", "color_namespace"}
# The importer adds these to a chart, and reading the columns of a view adds this metric to its dataset.
_WRITTEN_BY_IMPORT = {"datasource", "slice_id", "annotation_layers"}
_WRITTEN_BY_REFRESH = {"count"}


def read_archive(archive: bytes, folders: Container[str]) -> dict[str, dict[str, Any]]:
    """The documents of some folders of an exported archive, by uuid."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        paths = [name for name in zipped.namelist() if name.split("/")[1] in folders]
        documents = [yaml.load(zipped.read(path), Loader=_LOADER) for path in paths]  # noqa: S506 (both are safe loaders)
    return {document["uuid"]: document for document in documents}


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def observed_database(exported: Mapping[str, Any], connects: bool | str) -> Document:
    """`connects` is True, or why Superset cannot use the connection."""
    return {**exported, "allow_file_upload": exported.get("allow_csv_upload"), "connects": connects, "undeclared": []}


def observed_dataset(exported: Mapping[str, Any], desired: Document) -> Document:
    columns = {column["column_name"]: column for column in exported["columns"]}
    metrics = {metric["metric_name"]: _with_parsed_currency(metric) for metric in exported["metrics"]}
    computed = [name for name, column in columns.items() if column.get("expression")]
    declared_metrics = desired["metrics"].keys() | _WRITTEN_BY_REFRESH
    return {
        **exported,
        "columns": columns,
        "metrics": metrics,
        "undeclared": _extra("metrics", metrics, declared_metrics) + _extra("columns", computed, desired["columns"]),
    }


def observed_chart(exported: Mapping[str, Any], desired: Document) -> Document:
    params = {key: value for key, value in exported["params"].items() if key not in _WRITTEN_BY_IMPORT - desired["params"].keys()}
    context = json.loads(exported.get("query_context") or "{}")
    context.pop("datasource", None)
    return {**exported, "params": params, "query_context": context, "undeclared": _extra("params", params, desired["params"])}


def observed_dashboard(
    exported: Mapping[str, Any], desired: Document, chart_ids: Mapping[str, int], roles: Iterable[str], charts: Iterable[str]
) -> Document:
    """`chart_ids`: numeric ids by uuid, as they are now; `charts`: uuids of the charts that the dashboard is linked to."""
    places = {
        uuid: component["meta"]["chartId"]
        for component in desired["position"].values()
        if isinstance(component, dict) and (uuid := component.get("meta", {}).get("uuid"))
    }
    # A chart that was deleted and made again has another id: its old one stays unknown, and shows.
    local_ids = {chart_ids[uuid]: local_id for uuid, local_id in places.items() if uuid in chart_ids}
    metadata = _with_local_ids(exported.get("metadata") or {}, local_ids)
    position = {key: _placed(component, local_ids) for key, component in exported["position"].items()}
    declared = desired["metadata"].keys() | _WRITTEN_BY_LOOKING
    return {
        **exported,
        "css": exported.get("css") or "",
        "roles": sorted(roles),
        "charts": sorted(charts),
        "metadata": metadata,
        "position": position,
        "undeclared": _extra("metadata", metadata, declared) + _extra("position", position, desired["position"]),
    }


def _with_local_ids(metadata: Mapping[str, Any], local_ids: Mapping[int, int]) -> dict[str, Any]:
    configuration = metadata.get("chart_configuration") or {}
    return {
        **metadata,
        "native_filter_configuration": [_scoped(spec, local_ids) for spec in metadata.get("native_filter_configuration") or []],
        "chart_configuration": {
            str(local_ids.get(int(key), int(key))): {
                **chart,
                "id": local_ids.get(chart["id"], chart["id"]),
                "crossFilters": _scoped(chart.get("crossFilters") or {}, local_ids),
            }
            for key, chart in configuration.items()
        },
    }


def _scoped(scoped: Mapping[str, Any], local_ids: Mapping[int, int]) -> dict[str, Any]:
    """With local ids in its scope, and without what the browser computes from it."""
    scope = scoped.get("scope")
    rest = {key: value for key, value in scoped.items() if key not in ("chartsInScope", "tabsInScope")}
    if not isinstance(scope, Mapping):
        return rest
    excluded = sorted(local_ids.get(number, number) for number in scope.get("excluded", []))
    return {**rest, "scope": {**scope, "excluded": excluded}}


def _placed(component: Any, local_ids: Mapping[int, int]) -> Any:
    if not isinstance(component, dict) or component.get("type") != "CHART":
        return component
    meta = component["meta"]
    return {**component, "meta": {**meta, "chartId": local_ids.get(meta["chartId"], f"unknown chart {meta['chartId']}")}}


def _with_parsed_currency(metric: Mapping[str, Any]) -> dict[str, Any]:
    currency = metric.get("currency")
    return {**metric, "currency": json.loads(currency) if isinstance(currency, str) else currency or None}


def _extra(section: str, observed: Iterable[str], declared: Iterable[str]) -> list[str]:
    return [f"{section}.{name}" for name in sorted(set(observed) - set(declared))]
