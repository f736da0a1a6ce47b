"""The schema of one kind of event: the entities that it names, with their attributes. Around these all events are built alike."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from project.events.attributes import Attribute, Key, Shortened, Type
from project.specs import Spec

EventName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}(@[1-9][0-9]{0,3})?$")]
Compatibility = Literal["backward", "forward", "full", "none"]


class EventSchema(Spec):
    """What events of one name hold: `events/<eventName>.yaml`; earlier versions are kept as `events/<eventName>@<version>.yaml`."""

    name: EventName  # the file's stem
    description: str = ""
    source: str  # the source whose outbox has them: the name of a file in `sources/`
    version: int = Field(default=1, ge=1, le=9999, strict=True)  # raise it with each change, and keep the version before
    # Who can read the events of this version and of the one before. backward: who knows this one; forward: who knows the one before;
    # full: who knows either; none: nobody is promised anything.
    compatibility: Compatibility = "backward"
    # Type of the entities → what stands under their updatedAttributes.
    entities: dict[Key, dict[Key, Shortened]] = Field(min_length=1)

    @property
    def event_name(self) -> str:
        """As it stands in the events."""
        return self.name.partition("@")[0]

    @property
    def kept_as(self) -> int | None:
        """The version that its file is named for; None of the newest."""
        number = self.name.partition("@")[2]
        return int(number) if number else None

    @cached_property
    def event(self) -> Attribute:
        """The whole event."""
        time, text, needed = _required("timestamp"), Attribute(type="string"), _required("string")
        name = Attribute(type="string", required=True, enum=(self.event_name,))
        operation = Attribute(type="string", required=True, enum=("INSERT", "UPDATE", "DELETE"))
        # The only list without items: its elements differ by their type.
        entities = Attribute.model_construct(type="list", required=True)
        return _object(
            eventHeader=_object(uuid=text, eventName=name, eventType=text, createdDate=time, savedDate=time),
            eventBody=_object(entities=entities),
            sourceMetadata=Attribute(type="object", fields={"table": needed, "operation": operation, "timestamp": time}),
        )

    @cached_property
    def elements(self) -> dict[str, Attribute]:
        """Type of the entities → one of them."""
        return {
            kind: _object(
                entityType=Attribute(type="string", required=True, enum=tuple(self.entities)),
                entityId=_required("string"),
                updatedAttributes=_object(**attributes),
            )
            for kind, attributes in self.entities.items()
        }

    def element_like(self, entity: Any) -> Attribute:
        """What an entity has to be by its own type; any of them if that is none."""
        kind = entity.get("entityType") if isinstance(entity, dict) else None
        return self.elements.get(str(kind), next(iter(self.elements.values())))

    def inside(self, listed: Attribute) -> tuple[Attribute, ...]:
        """What the elements of a list can be."""
        return (listed.items,) if listed.items else tuple(self.elements.values())


def _required(type_: Type) -> Attribute:
    return Attribute(type=type_, required=True)


def _object(**fields: Attribute) -> Attribute:
    return Attribute.model_construct(type="object", required=True, fields=fields)
