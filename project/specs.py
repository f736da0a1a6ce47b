"""The base of every spec: frozen, closed, and aware of where it was written."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from project.problems import NOWHERE, LocatedMapping, Location


class Spec(BaseModel):
    """A part of a project as its author wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    declared_at: Location = Field(default=NOWHERE, exclude=True, repr=False)
    key_locations: dict[str, Location] = Field(default_factory=dict, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _remember_place(cls, data: Any) -> Any:
        if isinstance(data, LocatedMapping):
            return {**data, "declared_at": data.location, "key_locations": data.key_locations}
        return data

    def at(self, key: str) -> Location:
        """Where a key of this spec stands; the spec itself if the key was left to its default."""
        return self.key_locations.get(key, self.declared_at)

