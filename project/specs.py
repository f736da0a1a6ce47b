"""The base of every spec: frozen, closed, and aware of where it was written."""

from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, PrivateAttr, TypeAdapter, model_validator
from pydantic import ModelWrapValidatorHandler as Handler
from pydantic_core import core_schema

from project.problems import NOWHERE, LocatedMapping, LocatedText, Location


class Spec(BaseModel):
    """A part of a project as its author wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _declared_at: Location = PrivateAttr(default=NOWHERE)
    _key_locations: dict[str, Location] = PrivateAttr(default_factory=dict[str, Location])

    @model_validator(mode="wrap")
    @classmethod
    def _remember_place(cls, data: Any, read: Handler[Self]) -> Self:
        if not isinstance(data, LocatedMapping):
            return read(data)
        data.spec = cls  # The sentence for an unknown key lists the keys of the spec that refused it.
        spec = read(data)
        spec._declared_at, spec._key_locations = data.location, data.key_locations
        return spec

    @property
    def declared_at(self) -> Location:
        """Where this spec stands; NOWHERE if it was not read from a file."""
        return self._declared_at

    def at(self, key: str) -> Location:
        """Where a key of this spec stands; the spec itself if the key was left to its default."""
        return self._key_locations.get(key, self._declared_at)

    def placed_at(self, key: str, location: Location) -> Self:
        """The same spec, knowing where a key stands that its document does not hold."""
        spec = self.model_copy()
        spec._key_locations = {**self._key_locations, key: location}
        return spec


@dataclass(frozen=True)
class short_form:
    """Lets a spec be written as just the text of one of its keys."""

    key: str
    type: Any = None  # of that key, where the spec holds others of itself, so that pydantic cannot look it up

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        long = handler(schema)
        short = TypeAdapter(self.type).json_schema() if self.type else handler.resolve_ref_schema(long)["properties"][self.key]
        return {"anyOf": [short, long]}

    def _expand(self, value: object) -> object:
        if isinstance(value, LocatedText):
            return LocatedMapping({self.key: value}, value.location, {self.key: value.location})
        return {self.key: value} if isinstance(value, str) else value
