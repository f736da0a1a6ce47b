"""The room's effect door: Superset as a thing that holds resources."""

from collections.abc import Iterable
from urllib.parse import quote

from project.environment import Environment
from project.models import Project
from project.resources import Backend, Difference, Document, Health, Judgement, Refused, Resource, Strength
from superset_bootstrap.bundles import bundle, path_of
from superset_bootstrap.client import SupersetClient, rison_text
from superset_bootstrap.compile import compile_resources
from superset_bootstrap.contents import Contents
from superset_bootstrap.dashboard_reading import Exported, dashboard_spec
from superset_bootstrap.healths import Healths
from superset_bootstrap.identity import layout_id, marked_id, slug_of, uuid_of


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    return (SupersetBackend(project, environment),)


def export_dashboard(project: Project, environment: Environment, slug: str) -> Exported:
    """The spec of a dashboard, however it was made; Refused if there is none of that address or number."""
    client = SupersetClient(environment.superset)
    condition = f"(col:id,opr:eq,value:{slug})" if slug.isdecimal() else f"(col:slug,opr:eq,value:'{rison_text(slug)}')"
    found = client.rows("dashboard", condition, ("id", "uuid"))
    if not found:
        way_out = "give the last part of its address, a word or a number, and publish it if it is a draft"
        raise Refused(f"Superset shows us no dashboard {slug!r}; {way_out}")
    [(uuid, row)] = found.items()
    exported = client.exported("dashboard", [row["id"]])
    return dashboard_spec(project, exported[uuid], exported)


class SupersetBackend:
    """Datasets, charts and dashboards of one project, and its database connection."""

    system = "superset"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project = project.name
        self._password = environment.analytics.reader.password
        self._client = SupersetClient(environment.superset)
        self._resources = {resource.id: resource for resource in compile_resources(project, environment)}
        self._contents = Contents(self._client, self._resources.values())
        self._healths = Healths(project, environment, self._client, self._contents)

    def read(self, resource: Resource) -> Document | None:
        return self._contents.read(resource)

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        """Everything here changes in place, and holds no data."""
        return Judgement(Strength.RECONFIGURE)

    def write(self, resource: Resource, observed: Document | None) -> None:
        """Import just this resource; a chart is then asked for its data."""
        closure = self._closure(resource)
        for item in closure:
            if item.kind != "chart" and self._contents.number(item) is None:  # charts are told apart by uuid alone
                self._refuse_to_adopt(item)
        if resource.kind == "dataset" and observed is not None:
            self._read_types(resource)  # before it is noted what they come from: where this fails, the next plan tells it again
        self._contents.forget(resource)
        passwords = {path_of(item): self._password.reveal() for item in closure if item.kind == "database"}
        self._client.import_archive(resource.kind, bundle(resource.kind, closure, self._project), passwords)
        match resource.kind:
            case "dataset":
                self._read_types(resource)
            case "chart":
                self._client.chart_data(self._number(resource), fresh=True)
            case "dashboard":
                roles = self._role_numbers(resource.document["roles"])
                self._client.call("PUT", f"dashboard/{self._number(resource)}", json={"roles": roles})

    def _read_types(self, dataset: Resource) -> None:
        """Columns get their types from the view."""
        self._client.call("PUT", f"dataset/{self._number(dataset)}/refresh")

    def delete(self, resource_id: str) -> None:
        kind = resource_id.partition("/")[0]
        for row in self._contents.rows(kind, [uuid_of(self._project, resource_id)]).values():
            self._client.call("DELETE", f"{kind}/{row['id']}")
        self._contents.forget_all()

    def owned(self) -> Iterable[str]:
        """Everything that carries the project's mark, whether or not the spec still names it."""
        database_id = f"database/{self._project}"
        owned = [database_id] if self._contents.rows("database", [uuid_of(self._project, database_id)]) else []
        for kind in ("dataset", "chart", "dashboard"):
            for uuid, row in self._contents.certified_rows(kind).items():
                mark = row["extra"] if kind == "dataset" else row["certification_details"]
                if (resource_id := marked_id(self._project, mark, uuid)) is not None:
                    owned.append(resource_id)
        return owned

    def health(self, resource: Resource) -> Health:
        return self._healths.of(resource)

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

    def _number(self, resource: Resource) -> int:
        """Superset's own id."""
        uuid = resource.document["uuid"]
        return self._contents.rows(resource.kind, [uuid])[uuid]["id"]

    def _role_numbers(self, names: list[str]) -> list[int]:
        known: dict[str, int] = {}
        for name in names:
            query = f"(filter:'{rison_text(name)}',page:0,page_size:100)"
            answer = self._client.call("GET", "dashboard/related/roles", params={"q": query})
            known |= {role["text"]: role["value"] for role in answer.json()["result"]}
            if name not in known:
                raise Refused(f"Superset has no role {name!r}; create it, or correct superset.analyst_role in the environment")
        return [known[name] for name in names]

    def _refuse_to_adopt(self, resource: Resource) -> None:
        """Superset would take over what has the same name or address, and give it our identity."""
        document = resource.document
        match resource.kind:
            case "database":
                column, name, way_out = "database_name", document["database_name"], "choose another analytics_title in project.yaml"
            case "dashboard":
                column, name, way_out = "slug", document["slug"], "rename its file"
            case _:
                return self._refuse_to_adopt_dataset(resource)
        same_name = self._client.rows(resource.kind, f"(col:{column},opr:eq,value:'{rison_text(name)}')", ("id", "uuid"))
        if any(uuid != document["uuid"] for uuid in same_name):
            raise Refused(f"Superset has another {resource.kind} of that name, which is not ours; {way_out}, or delete it in Superset")

    def _refuse_to_adopt_dataset(self, resource: Resource) -> None:
        """That a person made over our view: to become ours, it would lose the metrics that the person gave it."""
        document = resource.document
        table = f"{document['schema']}.{document['table_name']}"
        place = [f"(col:{column},opr:eq,value:'{rison_text(document[column])}')" for column in ("schema", "table_name")]
        others = self._client.rows("dataset", ",".join(place), ("id", "uuid", "database.uuid"))
        if any(row["database"]["uuid"] == document["database_uuid"] for row in others.values()):
            way_out = f"write the metrics to keep into views/{resource.name}.sql, then delete it in Superset, with its charts"
            what = f"Superset has another dataset over {table}, which is not ours, at {self.url(resource)}"
            raise Refused(f"{what}; expected none, as ours would take its place and delete its metrics; {way_out}")

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
