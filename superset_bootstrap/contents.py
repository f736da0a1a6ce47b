"""What Superset holds of a project, read in a few calls for any number of resources and kept for a few seconds."""

import time
from collections.abc import Iterable, Mapping
from threading import RLock
from typing import Any

from project.resources import Document, Refused, Resource, Unreachable
from superset_bootstrap.client import SupersetClient
from superset_bootstrap.observed import observed_chart, observed_dashboard, observed_database, observed_dataset

# A plan or an apply reads all resources one after another: they are fetched together and kept this long.
_SECONDS_KEPT = 20.0
_COLUMNS = {
    "database": ("id", "uuid"),
    "dataset": ("id", "uuid", "extra"),
    "chart": ("id", "uuid", "certification_details", "dashboards.id"),
    "dashboard": ("id", "uuid", "certification_details", "roles.name"),
}
Row = Mapping[str, Any]


class Contents:
    """Observed documents by resource; what was written has to be forgotten."""

    def __init__(self, client: SupersetClient, resources: Iterable[Resource]) -> None:
        self._client = client
        self._resources = {resource.id: resource for resource in resources}
        self._read_at = float("-inf")
        # By uuid; None: it does not exist. A uuid that is missing has to be read again.
        self._observed: dict[str, Document | None] = {}
        self._numbers: dict[str, int] = {}
        self._reading = RLock()

    def read(self, resource: Resource) -> Document | None:
        """The observed document of a resource; None if it does not exist. A second thread waits and has the same answer."""
        uuid = resource.document["uuid"]
        with self._reading:
            if not self._is_recent():
                self._numbers = {}
                self._observed = self._fetch({**self._resources, resource.id: resource}.values())
                self._read_at = time.monotonic()
            if uuid not in self._observed:
                self._observed |= self._fetch([resource])
            return self._observed[uuid]

    def number(self, resource: Resource) -> int | None:
        """Superset's number of a resource; None if it does not exist."""
        uuid = resource.document["uuid"]
        if not self._is_recent() or uuid not in self._numbers:
            self._numbers.pop(uuid, None)  # it may have been deleted by hand
            self._numbers |= {found: row["id"] for found, row in self.rows(resource.kind, [uuid]).items()}
        return self._numbers.get(uuid)

    def forget(self, written: Resource) -> None:
        """Read again what was written and what holds it: a dashboard's links change with its charts."""
        holders = [resource for resource in self._resources.values() if written.id in resource.depends_on]
        for resource in (written, *holders):
            self._observed.pop(resource.document["uuid"], None)

    def forget_all(self) -> None:
        self._read_at = float("-inf")
        self._numbers = {}

    def _is_recent(self) -> bool:
        return time.monotonic() - self._read_at <= _SECONDS_KEPT

    def rows(self, kind: str, uuids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What Superset's lists say of those that exist, by uuid: numeric id, mark, links."""
        return self._client.rows_by_uuid(kind, uuids, _COLUMNS[kind])

    def certified_rows(self, kind: str) -> dict[str, dict[str, Any]]:
        """The same of all that carry anybody's certificate."""
        return self._client.rows(kind, f"(col:id,opr:{kind}_is_certified,value:!t)", _COLUMNS[kind])

    def connects(self, database_number: int) -> bool | str:
        """True, or why Superset cannot use a database connection."""
        try:
            self._client.call("GET", f"database/{database_number}/schemas/", params={"q": "(force:!t)"})
        except Unreachable:
            raise
        except Refused as refused:
            return str(refused).partition(": ")[2]
        return True

    def _fetch(self, resources: Iterable[Resource]) -> dict[str, Document | None]:
        """A list of each kind, and an export of what was not in one before: an exported dashboard brings all that it shows."""
        desired = {resource.document["uuid"]: resource for resource in resources}
        found: dict[str, Document | None] = dict.fromkeys(desired)
        exported: dict[str, Row] = {}
        for kind in reversed(_COLUMNS):
            rows = self.rows(kind, [uuid for uuid, resource in desired.items() if resource.kind == kind])
            self._numbers |= {uuid: row["id"] for uuid, row in rows.items()}
            exported |= self._client.exported(kind, [row["id"] for uuid, row in rows.items() if uuid not in exported])
            wanted_charts = {uuid for dashboard in rows for uuid in desired[dashboard].document.get("charts", ())}
            charts = self.rows("chart", wanted_charts)
            found |= {uuid: self._compared(desired[uuid], row, exported[uuid], charts) for uuid, row in rows.items()}
        return found

    def _compared(self, resource: Resource, row: Row, exported: Row, charts: Mapping[str, Row]) -> Document:
        desired = resource.document
        match resource.kind:
            case "database":
                return observed_database(exported, self.connects(row["id"]))
            case "dataset":
                return observed_dataset(exported, desired)
            case "chart":
                return observed_chart(exported, desired)
            case _:
                linked = [uuid for uuid, chart in charts.items() if any(place["id"] == row["id"] for place in chart["dashboards"])]
                numbers = {uuid: chart["id"] for uuid, chart in charts.items()}
                return observed_dashboard(exported, desired, numbers, [role["name"] for role in row["roles"]], linked)
