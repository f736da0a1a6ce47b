"""Subjects of a schema registry as resources: the newest schema of each, and how versions have to go together."""

from collections.abc import Iterable
from functools import cached_property

from consumers.registry import Incompatible, SchemaRegistry
from project.environment import Environment
from project.models import Project
from project.resources import Difference, Document, Health, Judgement, Refused, Resource, State, Strength


class SubjectBackend:
    system = "registry"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._prefix, self._environment = f"{project.name.replace('-', '_')}.events.", environment

    def read(self, resource: Resource) -> Document | None:
        """A schema that is there under an older version is as declared: a registry gives no schema a second number."""
        wanted, schema = resource.document["schema"], self._registry.latest(resource.name)
        if schema is None:
            return None
        if schema != wanted and self._registry.id_of(resource.name, wanted) is not None:
            schema = wanted
        return {"compatibility": self._registry.compatibility(resource.name), "schema": schema}

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        """A version that the registry will not take is told in the plan, unless its compatibility is to change before."""
        wanted = resource.document
        if wanted["schema"] == observed["schema"]:
            return Judgement(Strength.RECONFIGURE, note="it holds for versions from now on")
        if wanted["compatibility"] == observed["compatibility"] and not self._registry.takes(resource.name, wanted["schema"]):
            return Judgement(Strength.RECONFIGURE, _refusal(resource))
        return Judgement(Strength.RECONFIGURE, note="a new version; records of those before stay readable")

    def write(self, resource: Resource, observed: Document | None) -> None:
        document = resource.document
        if observed:
            self._registry.set_compatibility(resource.name, document["compatibility"])
        try:
            self._registry.register(resource.name, document["schema"])
        except Incompatible as error:
            raise Refused(f"{resource.id}: {_refusal(resource)} ({error})") from error
        if not observed:  # some registries know a compatibility only of subjects that there are
            self._registry.set_compatibility(resource.name, document["compatibility"])

    def delete(self, resource_id: str) -> None:
        self._registry.delete(resource_id.removeprefix("subject/"))

    def owned(self) -> Iterable[str]:
        """Subjects that carry the project's name."""
        found = self._registry.subjects() if self._environment.registry else ()
        return sorted(f"subject/{name}" for name in found if name.startswith(self._prefix))

    def health(self, resource: Resource) -> Health:
        try:
            there = self._registry.latest(resource.name) is not None
        except Refused as error:
            return Health(State.FAILED, str(error))
        if not there:
            return Health(State.FAILED, f"there is no subject {resource.name}; apply {resource.id}")
        return Health(State.PASSED, f"{resource.name} is registered")

    def url(self, resource: Resource) -> str | None:
        return None

    @cached_property
    def _registry(self) -> SchemaRegistry:
        return SchemaRegistry(self._environment.schema_registry)


def _refusal(resource: Resource) -> str:
    level = resource.document["compatibility"].lower()
    return (
        f"the registry holds a version that does not go with this one, by {level} compatibility; undo the change "
        f"({resource.declared_at}), or agree on it and say compatibility: none"
    )
