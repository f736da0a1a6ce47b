"""The room's effect door: Superset as a thing that holds resources."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from project.environment import Environment
from project.models import Project
from project.resources import Backend, Difference, Document, Health, Judgement, Refused, Resource, State, Strength, Unreachable
from superset_bootstrap.bundles import bundle, path_of
from superset_bootstrap.client import SupersetClient
from superset_bootstrap.compile import compile_resources
from superset_bootstrap.identity import layout_id, marked_id, slug_of, uuid_of
from superset_bootstrap.observed import observed_chart, observed_dashboard, observed_database, observed_dataset

# An apply or a plan reads all resources one after another: they are fetched together and kept this long.
_SECONDS_KEPT = 10.0
_COLUMNS = {
    "database": ("id", "uuid"),
    "dataset": ("id", "uuid", "extra"),
    "chart": ("id", "uuid", "certification_details", "dashboards.id"),
    "dashboard": ("id", "uuid", "certification_details", "roles.name"),
}


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    return (SupersetBackend(project, environment),)


@dataclass
class _Contents:
    """What was read of Superset, and when."""

    read_at: float
    # By uuid; None: it does not exist. A uuid that is missing has to be read again.
    observed: dict[str, Document | None] = field(default_factory=dict[str, Document | None])


class SupersetBackend:
    """Datasets, charts and dashboards of one project, and its database connection."""

    system = "superset"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project = project.name
        self._schema = project.schema_
        self._password = environment.analytics.reader.password
        self._client = SupersetClient(environment.superset)
        self._resources = {resource.id: resource for resource in compile_resources(project, environment)}
        self._contents = _Contents(float("-inf"))

    def read(self, resource: Resource) -> Document | None:
        """All resources of the project are read together, and again after a few seconds; one that was written, at once."""
        if time.monotonic() - self._contents.read_at > _SECONDS_KEPT:
            observed = self._fetch({**self._resources, resource.id: resource}.values())
            self._contents = _Contents(time.monotonic(), observed)
        uuid = resource.document["uuid"]
        if uuid not in self._contents.observed:
            self._contents.observed |= self._fetch([resource])
        return self._contents.observed[uuid]

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        """Everything here changes in place, and holds no data."""
        return Judgement(Strength.RECONFIGURE)

    def write(self, resource: Resource, observed: Document | None) -> None:
        """Import just this resource; a chart is then asked for its data."""
        if observed is None:
            self._refuse_to_adopt(resource)
        self._forget(resource)
        closure = self._closure(resource)
        passwords = {path_of(item): self._password.reveal() for item in closure if item.kind == "database"}
        self._client.import_archive(resource.kind, bundle(resource.kind, closure, self._project), passwords)
        match resource.kind:
            case "dataset":
                # Columns get their types from the view.
                self._client.call("PUT", f"dataset/{self._id(resource)}/refresh")
            case "chart":
                self._ask(self._id(resource), fresh=True)
            case "dashboard":
                self._client.call("PUT", f"dashboard/{self._id(resource)}", json={"roles": self._role_ids(resource.document["roles"])})

    def delete(self, resource_id: str) -> None:
        kind = resource_id.partition("/")[0]
        for row in self._rows(kind, [uuid_of(self._project, resource_id)]).values():
            self._client.call("DELETE", f"{kind}/{row['id']}")
        self._contents = _Contents(float("-inf"))

    def owned(self) -> Iterable[str]:
        """Everything that carries the project's mark, whether or not the spec still names it."""
        database_id = f"database/{self._project}"
        owned = [database_id] if self._rows("database", [uuid_of(self._project, database_id)]) else []
        for kind in ("dataset", "chart", "dashboard"):
            certified = f"(col:id,opr:{kind}_is_certified,value:!t)"
            for uuid, row in self._client.rows(kind, certified, _COLUMNS[kind]).items():
                mark = row["extra"] if kind == "dataset" else row["certification_details"]
                if (resource_id := marked_id(self._project, mark, uuid)) is not None:
                    owned.append(resource_id)
        return owned

    def health(self, resource: Resource) -> Health:
        try:
            return self._health(resource)
        except Unreachable as unreachable:
            return Health(State.FAILED, str(unreachable))
        except Refused as refused:
            return Health(State.FAILED, f"{resource.id}: {refused}")

    def url(self, resource: Resource) -> str | None:
        site = self._client.url
        match resource.kind:
            case "database":
                return f"{site}/databaseview/list/"
            case "dataset":
                return f"{site}/tablemodelview/list/?filters=(search:{quote(resource.name)})"
            case "chart":
                dashboard, _, chart = resource.name.partition(".")
                return f"{site}/superset/dashboard/{slug_of(self._project, dashboard)}/#{layout_id(chart)}"
            case "dashboard":
                return f"{site}/superset/dashboard/{slug_of(self._project, resource.name)}/"
            case _:
                return None

    def _health(self, resource: Resource) -> Health:
        rows = self._rows(resource.kind, [resource.document["uuid"]])
        if not rows:
            return Health(State.FAILED, f"{resource.id} is not in Superset; apply it")
        number = rows[resource.document["uuid"]]["id"]
        if resource.kind == "database" and (connects := self._connects(number)) is not True:
            return Health(State.FAILED, f"Superset cannot reach the analytics database: {connects}; start it, or apply {resource.id} if its password changed")
        if resource.kind != "chart":
            return Health(State.PASSED, f"{resource.id} is in Superset")
        data = self._ask(number, fresh=False)
        facts = {"rows": len(data), **({} if len(data) != 1 else {name: value for name, value in data[0].items() if _is_plain(value)})}
        if not data:
            return Health(State.WARNING, f"{resource.id} is empty: its view has no rows; check that the streams it reads are running", facts)
        return Health(State.PASSED, f"{resource.id} answers with {len(data)} rows", facts)

    def _ask(self, chart_number: int, fresh: bool) -> list[dict[str, Any]]:
        """The data that a chart shows; Refused with the database's reason."""
        answer = self._client.call("GET", f"chart/{chart_number}/data/", params={"force": "true"} if fresh else None)
        return answer.json()["result"][0]["data"]

    def _connects(self, database_number: int) -> bool | str:
        """True, or why Superset cannot use the connection."""
        try:
            self._client.call("GET", f"database/{database_number}/schemas/", params={"q": "(force:!t)"})
        except Unreachable:
            raise
        except Refused as refused:
            return str(refused).partition(": ")[2]
        return True

    def _fetch(self, resources: Iterable[Resource]) -> dict[str, Document | None]:
        """A few calls for any number of resources: a list and an export of each kind."""
        desired = {resource.document["uuid"]: resource for resource in resources}
        found: dict[str, Document | None] = dict.fromkeys(desired)
        for kind in ("database", "dataset", "chart", "dashboard"):
            wanted = [uuid for uuid, resource in desired.items() if resource.kind == kind]
            rows = self._rows(kind, wanted)
            exported = self._client.exported(kind, [row["id"] for row in rows.values()])
            charts = self._charts_of(desired[uuid].document for uuid in rows) if kind == "dashboard" else {}
            for uuid in rows:
                found[uuid] = self._observed(desired[uuid], rows[uuid], exported[uuid], charts)
        return found

    def _observed(self, resource: Resource, row: Mapping[str, Any], exported: Mapping[str, Any], charts: Mapping[str, Mapping[str, Any]]) -> Document:
        match resource.kind:
            case "database":
                return observed_database(exported, self._connects(row["id"]))
            case "dataset":
                return observed_dataset(exported, resource.document)
            case "chart":
                return observed_chart(exported, resource.document)
            case _:
                linked = [uuid for uuid, chart in charts.items() if any(place["id"] == row["id"] for place in chart["dashboards"])]
                roles = [role["name"] for role in row["roles"]]
                return observed_dashboard(exported, resource.document, {uuid: chart["id"] for uuid, chart in charts.items()}, roles, linked)

    def _charts_of(self, dashboards: Iterable[Document]) -> dict[str, dict[str, Any]]:
        return self._rows("chart", {uuid for document in dashboards for uuid in document["charts"]})

    def _rows(self, kind: str, uuids: Iterable[str]) -> dict[str, dict[str, Any]]:
        return self._client.rows_by_uuid(kind, uuids, _COLUMNS[kind])

    def _id(self, resource: Resource) -> int:
        return self._rows(resource.kind, [resource.document["uuid"]])[resource.document["uuid"]]["id"]

    def _role_ids(self, names: list[str]) -> list[int]:
        known: dict[str, int] = {}
        for name in names:
            answer = self._client.call("GET", "dashboard/related/roles", params={"q": f"(filter:'{name}',page:0,page_size:100)"})
            known |= {role["text"]: role["value"] for role in answer.json()["result"]}
            if name not in known:
                raise Refused(f"Superset has no role {name!r}; create it, or correct superset.analyst_role in the environment")
        return [known[name] for name in names]

    def _refuse_to_adopt(self, resource: Resource) -> None:
        """Superset would take over what has the same name, address or table, and give it our identity."""
        document = resource.document
        match resource.kind:
            case "database":
                condition, way_out = f"(col:database_name,opr:eq,value:'{document['database_name']}')", "choose another analytics_title in project.yaml"
            case "dashboard":
                condition, way_out = f"(col:slug,opr:eq,value:'{document['slug']}')", "rename the file"
            case _:
                return
        if any(uuid != document["uuid"] for uuid in self._client.rows(resource.kind, condition, ("id", "uuid"))):
            raise Refused(f"Superset has another {resource.kind} of that name, which is not ours; {way_out}, or delete it in Superset")

    def _closure(self, resource: Resource) -> list[Resource]:
        """The resource and what it refers to; an import resolves references only within its archive."""
        found = {resource.id: resource}
        waiting = [resource]
        while waiting:
            for resource_id in waiting.pop().depends_on:
                if resource_id in self._resources and resource_id not in found:
                    found[resource_id] = self._resources[resource_id]
                    waiting.append(found[resource_id])
        return list(found.values())

    def _forget(self, written: Resource) -> None:
        """Read again what was written and what holds it: a dashboard's links change with its charts."""
        holders = [item for item in self._resources.values() if written.id in item.depends_on]
        for resource in (written, *holders):
            self._contents.observed.pop(resource.document["uuid"], None)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)
