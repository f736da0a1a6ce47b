"""What a filter keeps, as its author writes it: conditions in groups, checked as far as that needs no event."""

import re
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, field_validator, model_validator

from project.filters.paths import PATTERN, Path, parse_path
from project.filters.patterns import check_pattern
from project.filters.values import RELATIVE, Kind, Relative, Value, WrongType, kind_of_literal, of_literal
from project.problems import LocatedText, quoted
from project.specs import Spec

Scalar = str | bool | int | float
ValueType = Annotated[Kind, WithJsonSchema({"type": "string", "enum": list(Kind)})]
Quantifier = Literal["any", "all"]
_ORDERED = ("greaterThan", "lessThan", "greaterThanOrEqual", "lessThanOrEqual", "between")
_LISTED = ("in", "notIn")
NULL_TESTS = ("isNull", "isNotNull")
_OPERANDS = {"between": ("min", "max"), **dict.fromkeys(_LISTED, ("values",)), **dict.fromkeys(NULL_TESTS, ())}
_ALL_OPERANDS = ("value", "values", "min", "max")
# Spellings that other tools write.
_ALIASES = {"not_null": "isNotNull", "is_null": "isNull"}
Operator = Literal[
    "equals", "in", "notIn", "greaterThan", "lessThan", "greaterThanOrEqual", "lessThanOrEqual", "between", "matches", "isNull", "isNotNull"
]
LIKE_A_NUMBER = re.compile(r"[-+]?(?!0[0-9])(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")  # 007 loses its zeros as one
DEEPEST, MOST = 8, 500  # groups inside each other; conditions of one filter


def _texts(data: dict[str, Any]) -> list[LocatedText]:
    """The operands of a condition that its author's file has as texts."""
    listed = data.get("values")
    operands = [*map(data.get, ("value", "min", "max")), *(listed if isinstance(listed, list) else ())]
    return [one for one in operands if isinstance(one, LocatedText)]


def _is_path(text: str) -> str:
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{quoted(text)} is no path; expected one such as entities[0].updatedAttributes.loan.status; correct it")
    return text


def _names_one_list(text: str) -> str:
    if text.count("[*]") > 1:
        raise ValueError(f"{quoted(text)} goes through two lists; expected [*] at most once; name an element of one of them")
    return text


def _is_one_place(path: str) -> str:
    if parse_path(path).each:
        raise ValueError(f"{quoted(path)} means each element of a list; expected one field of one place; name an element, such as [0]")
    return path


FieldPath = Annotated[str, AfterValidator(_is_path), AfterValidator(_names_one_list)]
PlainPath = Annotated[FieldPath, AfterValidator(_is_one_place)]


class Condition(Spec):
    """Compares what stands at a path of the event."""

    field: FieldPath  # the path of the value
    operator: Operator  # how it is compared
    value: Scalar | None = None  # with what; of all operators but those below
    # Of `in` and `notIn`: the list.
    values: tuple[Scalar, ...] | None = Field(default=None, min_length=1, max_length=1000)
    min: Scalar | None = None  # of `between`: the lowest value that is met
    max: Scalar | None = None  # of `between`: the highest
    valueType: ValueType | None = None  # what both sides are taken for; None: what the literals are
    timeZone: str = "UTC"  # of a time of day
    quantifier: Quantifier = "any"  # of the elements, where the path says [*]

    @field_validator("timeZone")
    @classmethod
    def _there_is_such_a_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"there is no time zone {quoted(name)}; expected a name such as Europe/Berlin; correct it")
        return name

    @field_validator("operator", mode="before")
    @classmethod
    def _known_spelling(cls, text: object) -> object:
        return _ALIASES.get(text, text) if isinstance(text, str) else text

    @model_validator(mode="before")
    @classmethod
    def _says_what_it_means(cls, data: Any) -> Any:
        if isinstance(data, dict) and "logicalOperator" in data:
            raise ValueError("logicalOperator joins nothing; expected groups; put the conditions under all or any")
        if isinstance(data, dict) and any(name in data and data[name] is None for name in _ALL_OPERANDS):
            raise ValueError("null is no value; expected one to compare with; ask for NULL with isNull or isNotNull")
        return data

    @model_validator(mode="before")
    @classmethod
    def _is_no_text_by_mistake(cls, data: Any) -> Any:
        # A misspelled key is told first; it may be the valueType.
        judged = isinstance(data, dict) and data.keys() <= cls.model_fields.keys() and "valueType" not in data
        for one in _texts(data) if judged and data.get("operator") != "matches" else ():
            if one.plain and LIKE_A_NUMBER.fullmatch(one):
                expected = "expected up to 17 digits, as in 0.05 or 1000"
                raise ValueError(f"{quoted(one)} is read as a text; {expected}; write it so, or put it in quotes with a valueType")
            if one != "NOW" and RELATIVE.fullmatch(one):
                raise ValueError(f"{quoted(one)} is read as a text; expected valueType: timestamp; write it, or valueType: string")
        return data

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = _OPERANDS.get(self.operator, ("value",))
        given = tuple(name for name in _ALL_OPERANDS if getattr(self, name) is not None)
        if given != needed:
            raise ValueError(
                f"operator {self.operator} has {_and(given)}; expected {_and(needed)}; "
                f"{'remove what is too much' if len(given) > len(needed) else 'write what is missing'}"
            )
        if len({kind_of_literal(operand) for operand in self.operands}) > 1 and self.valueType is None:
            raise ValueError("values of several types; expected all of one; say which by valueType, or mend them")
        self._check_kind()
        return self

    def _check_kind(self) -> None:
        if self.kind is not Kind.TIME_OF_DAY and "timeZone" in self.model_fields_set:
            raise ValueError("timeZone without valueType: timeOfDay; expected none, instants have their own; remove it")
        if "quantifier" in self.model_fields_set and not parse_path(self.field).each:
            raise ValueError("quantifier without [*] in the path; expected none, there is one value; remove it")
        if self.kind is Kind.BOOLEAN and self.operator in (*_ORDERED, "matches"):
            raise ValueError(f"operator {self.operator} on true and false; expected equals, in or notIn; change it")
        if self.operator == "matches":
            if self.kind is not Kind.STRING:
                raise ValueError("operator matches takes texts; expected a regular expression; put it in quotes, or remove valueType")
            check_pattern(str(self.value))
            return
        bounds = self.literals
        if self.operator == "between" and self.kind is not Kind.TIME_OF_DAY:
            low, high = bounds
            # An instant is before or after a relative one as time goes by.
            if type(low) is type(high) and low > high:  # type: ignore[operator]
                raise ValueError(f"min {quoted(self.min)} is above max {quoted(self.max)}, so nothing is between; swap them")

    @property
    def kind(self) -> Kind:
        """What both sides are taken for."""
        return self.valueType or (kind_of_literal(self.operands[0]) if self.operands else Kind.STRING)

    @cached_property
    def literals(self) -> tuple[Value, ...]:
        """The operands as values."""
        return tuple(map(self._read, self.operands))

    def _read(self, operand: Scalar) -> Value:
        try:
            return of_literal(operand, self.kind)
        except WrongType as wrong:
            raise ValueError(f"{quoted(operand)} is not of type {self.kind}: {wrong}; correct it, or valueType") from wrong

    @property
    def operands(self) -> tuple[Scalar, ...]:
        """As they are written."""
        return tuple(one for one in (self.value, *(self.values or ()), self.min, self.max) if one is not None)

    @property
    def asked(self) -> str:
        """What it asks of its field, in words."""
        return f"{self.operator} {' and '.join(map(repr, self.operands))}".strip()

    def path(self, over: str | None) -> Path:
        return parse_path(self.field, over)


def _kind_of_node(data: Any) -> str:
    return "Condition" if isinstance(data, Condition) or (isinstance(data, dict) and not data.keys() & {"all", "any", "not"}) else "Group"


class Group(Spec):
    """`all`, `any` or `not` of conditions and groups; `over` a list, all of them are asked of the same element."""

    all: "tuple[Node, ...] | None" = Field(default=None, min_length=1)  # every one of them is met
    any: "tuple[Node, ...] | None" = Field(default=None, min_length=1)  # one of them is met
    not_: "Node | None" = Field(default=None, alias="not")  # it is not met
    over: FieldPath | None = None  # the path of a list: the paths inside begin at its elements
    quantifier: Quantifier = "any"  # of the elements of `over`

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [name for name, value in (("all", self.all), ("any", self.any), ("not", self.not_)) if value is not None]
        if len(given) != 1:
            raise ValueError(f"a group with {_and(given)}; expected one of all, any, not; put groups into each other")
        if self.over and ("[*]" in self.over or any(_goes_through_a_list(node) for node in self.nodes)):
            raise ValueError("a list inside the elements of another; expected one list of which each element is asked; name an element")
        return self

    @property
    def nodes(self) -> "tuple[Node, ...]":
        """What it holds, in its order."""
        return self.all or self.any or ((self.not_,) if self.not_ else ())


Node = Annotated[Annotated[Condition, Tag("Condition")] | Annotated[Group, Tag("Group")], Discriminator(_kind_of_node)]


def _goes_through_a_list(node: Condition | Group) -> bool:
    if isinstance(node, Condition):
        return "[*]" in node.field
    return node.over is not None or any(map(_goes_through_a_list, node.nodes))


def depth(node: Condition | Group) -> int:
    """How many groups stand inside each other."""
    return 0 if isinstance(node, Condition) else 1 + max(map(depth, node.nodes))


def size(node: Condition | Group) -> int:
    """How many conditions there are."""
    return 1 if isinstance(node, Condition) else sum(map(size, node.nodes))


def counts_from_now(node: Condition | Group) -> bool:
    """Whether the verdict depends on when Kafka took the event."""
    if isinstance(node, Condition):
        return any(isinstance(literal, Relative) for literal in node.literals)
    return any(map(counts_from_now, node.nodes))


def _and(names: tuple[str, ...] | list[str]) -> str:
    return " and ".join(names) or "no operand"
