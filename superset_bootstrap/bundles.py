"""Documents → the zip archive that Superset's import endpoints read. Pure, and equal documents give equal bytes."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from project.resources import Resource
from superset_bootstrap.identity import external_url

# Superset's names for the kinds, as its import wants them, and their folders in an archive.
_MODELS = {"database": "Database", "dataset": "SqlaTable", "chart": "Slice", "dashboard": "Dashboard"}
FOLDERS = {"database": "databases", "dataset": "datasets", "chart": "charts", "dashboard": "dashboards"}
_LONG_AGO = (2020, 1, 1, 0, 0, 0)  # every file of every archive: bytes must not depend on the clock


def bundle(kind: str, resources: Iterable[Resource], project: str) -> bytes:
    """An archive to import one kind; of what else is in it, Superset creates what is missing and leaves what there is."""
    files: dict[str, Any] = {"metadata.yaml": {"version": "1.0.0", "type": _MODELS[kind], "timestamp": "2020-01-01T00:00:00+00:00"}}
    for resource in resources:
        managed = {"version": "1.0.0", "is_managed_externally": True, "external_url": external_url(project, resource.id)}
        document = resource.document if resource.kind == kind else _referred_to(resource.document)
        files[path_of(resource)] = _IMPORTABLE[resource.kind](document) | managed
    return _zipped(files)


def path_of(resource: Resource) -> str:
    """The resource's file in an archive."""
    return f"{FOLDERS[resource.kind]}/{resource.name}.yaml"


def _zipped(files: Mapping[str, Any]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, content in sorted(files.items()):
            text = yaml.safe_dump(content, sort_keys=True, allow_unicode=True)
            zipped.writestr(zipfile.ZipInfo(f"headrace/{path}", _LONG_AGO), text)
    return archive.getvalue()


def _without(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("undeclared", *keys)}


def _referred_to(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Superset creates it where it is missing, and reads no types: a dataset's own plan has to tell that they are still to be read."""
    return {**document, "extra": _without(document["extra"], "types_from")} if "extra" in document else document


def _database(document: Mapping[str, Any]) -> dict[str, Any]:
    return _without(document, "connects") | {"extra": {}}


def _dataset(document: Mapping[str, Any]) -> dict[str, Any]:
    return _without(document) | {
        "columns": [{"column_name": name, **column} for name, column in document["columns"].items()],
        "metrics": [{"metric_name": name, **metric} for name, metric in document["metrics"].items()],
    }


def _chart(document: Mapping[str, Any]) -> dict[str, Any]:
    return _without(document) | {"query_context": json.dumps(document["query_context"], sort_keys=True)}


def _dashboard(document: Mapping[str, Any]) -> dict[str, Any]:
    # Roles go by another call; which charts it has, Superset reads from the position.
    return _without(document, "roles", "charts")


_IMPORTABLE = {"database": _database, "dataset": _dataset, "chart": _chart, "dashboard": _dashboard}
