"""What can stand under a key of an event: its type, whether it has to be there, and within which bounds."""

import json
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from project.filters.values import Kind, WrongType, of_literal
from project.problems import listed, quoted
from project.specs import Spec, short_form

Key = Annotated[str, StringConstraints(pattern=r"^[^'\\\x00-\x1f]{1,200}$")]  # what a path can name
Type = Literal["string", "number", "boolean", "timestamp", "object", "list"]


def _is_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{_shown(value)} is no number; expected one such as 0 or 0.5; correct it")
    try:
        of_literal(value, Kind.NUMBER)
    except WrongType as wrong:
        raise ValueError(f"{value} is no number of an event: {wrong}; expected a shorter one; correct it") from wrong
    return value


def _is_scalar(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{_shown(value)} is neither a text nor a number; expected one of them; put a text in quotes")
    return value if isinstance(value, str) else _is_number(value)


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)[:60]


Number = Annotated[int | float, BeforeValidator(_is_number)]
Scalar = Annotated[str | int | float, BeforeValidator(_is_scalar)]
_ONLY_OF = {
    "enum": ("string", "number"), "minimum": ("number",), "maximum": ("number",), "minLength": ("string",), "maxLength": ("string",),
    "fields": ("object",), "items": ("list",),
}  # fmt: skip
_BOUNDS = (("minimum", "maximum"), ("minLength", "maxLength"))


class Attribute(Spec):
    """What stands under a key of an event; in YAML `balance: number` or `balance: {type: number, required: true, ...}`."""

    type: Type  # as in JSON; a timestamp is a text such as 2026-01-31T09:30:00Z, or milliseconds since 1970
    required: bool = False  # whether every event has it, and not as null
    description: str = ""
    enum: tuple[Scalar, ...] | None = Field(default=None, min_length=1)  # of a string or number: the only values that it can have
    minimum: Number | None = None  # of a number: the lowest
    maximum: Number | None = None  # of a number: the highest
    minLength: int | None = Field(default=None, ge=0, strict=True)  # of a string: how many characters it has at least
    maxLength: int | None = Field(default=None, ge=0, strict=True)  # of a string: how many it has at most
    # Of an object: what it holds.
    fields: "dict[Key, Shortened] | None" = Field(default=None, min_length=1)
    items: "Shortened | None" = None  # of a list: what each of its elements is

    @model_validator(mode="after")
    def _says_what_its_type_needs(self) -> Self:
        for key, types in _ONLY_OF.items():
            if getattr(self, key) is not None and self.type not in types:
                raise ValueError(f"{key} of a {self.type}; expected it of a {' or '.join(types)} alone; remove it, or change the type")
        for type_, key in (("object", "fields"), ("list", "items")):
            if self.type == type_ and getattr(self, key) is None:
                raise ValueError(f"{'an' if type_ == 'object' else 'a'} {type_} without {key}; expected what is in it; write {key}")
        for low, high in _BOUNDS:
            bounds = getattr(self, low), getattr(self, high)
            if None not in bounds and bounds[0] > bounds[1]:
                raise ValueError(f"{low} {bounds[0]} is above {high} {bounds[1]}, so nothing fits; expected it below; swap them")
        self._check_values()
        return self

    def _check_values(self) -> None:
        for value in self.enum or ():
            if (self.type == "string") != isinstance(value, str):
                way_out = "put it in quotes" if self.type == "string" else "write it without quotes"
                raise ValueError(f"{_shown(value)} in the enum of a {self.type}; expected {WORDS[self.type]}; {way_out}")

    @property
    def bounds(self) -> tuple[Decimal | None, Decimal | None]:
        """The lowest and the highest that a number, or a text's length, can be."""
        ends = (self.minLength, self.maxLength) if self.type == "string" else (self.minimum, self.maximum)
        low, high = (None if end is None else Decimal(str(end)) for end in ends)
        return low, high

    @property
    def expected(self) -> str:
        """What it has to be, in words."""
        if self.enum:
            return f"one of {listed(map(str, self.enum))}"
        low, high = self.bounds
        if low is None and high is None:
            return WORDS[self.type]
        within = f"at most {high}" if low is None else f"{low} or more" if high is None else f"{low} to {high}" if low < high else str(low)
        return f"{WORDS[self.type]} of {within}{' characters' if self.type == 'string' else ''}"


Shortened = Annotated[Attribute, short_form("type", Type)]
WORDS = {
    "string": "a text", "number": "a number", "boolean": "true or false", "object": "an object", "list": "a list",
    "timestamp": "an instant such as 2026-01-31T09:30:00Z, or milliseconds since 1970",
}  # fmt: skip
