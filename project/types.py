"""Every supported column type, mapped once: PostgreSQL source → Debezium's JSON → Flink → analytics column.

Most travel as text that PostgreSQL reads back itself, so nothing in between can round, shift or refuse a value: a NaN in a numeric,
a year before 1583, a date of infinity. Debezium is told to write each in a form that PostgreSQL reads (cdc/connectors.py).
"""

import re
from dataclasses import dataclass

from project.problems import quoted


@dataclass(frozen=True)
class TypeMapping:
    """How one PostgreSQL type travels. Instants are stored as UTC `timestamp`. `value` is Flink's expression of what is written."""

    postgres: str
    flink: str
    analytics: str
    value: str = "{}"


# PostgreSQL name → (Flink type, analytics type). {p} carries "(10,2)" and the like.
_TYPES = {
    "boolean": ("BOOLEAN", "boolean"),
    "smallint": ("SMALLINT", "smallint"),
    "integer": ("INT", "integer"),
    "bigint": ("BIGINT", "bigint"),
    "numeric": ("STRING", "numeric{p}"),
    "real": ("FLOAT", "real"),
    "double precision": ("DOUBLE", "double precision"),
    "text": ("STRING", "text"),
    "varchar": ("STRING", "varchar{p}"),
    "char": ("STRING", "char{p}"),
    "bpchar": ("STRING", "text"),
    "uuid": ("STRING", "uuid"),
    "date": ("STRING", "date"),
    "time": ("STRING", "time"),
    "timetz": ("STRING", "timetz"),
    "timestamp": ("STRING", "timestamp"),
    "timestamptz": ("STRING", "timestamp"),
    "interval": ("STRING", "interval"),
    "bytea": ("STRING", "bytea"),
    # PostgreSQL cannot compare two json, and the tables' trigger compares rows.
    "json": ("STRING", "jsonb"),
    "jsonb": ("STRING", "jsonb"),
    "enum": ("STRING", "text"),
    "inet": ("STRING", "inet"),
    "cidr": ("STRING", "cidr"),
    "macaddr": ("STRING", "macaddr"),
}
_ALIASES = {
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "bool": "boolean",
    "decimal": "numeric",
    "float8": "double precision",
    "float4": "real",
    "character varying": "varchar",
    "character": "char",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}
# Where Debezium's text is not quite PostgreSQL's. A numeric with a precision cannot be infinite.
_VALUES = {
    "bytea": r"'\x' || {}",
    "numeric": "case {0} when 'POSITIVE_INFINITY' then 'Infinity' when 'NEGATIVE_INFINITY' then '-Infinity' else {0} end",
}
# An array is kept as JSON; its elements are what Debezium can write into JSON exactly.
_ARRAY = ("STRING", "jsonb")
_NO_ARRAY = ("bytea", "interval", "json", "jsonb", "timetz", "macaddr")
_MOST_DIGITS = 1000  # of PostgreSQL's numeric
_MOST_CHARACTERS = 10_485_760  # of its varchar and char
_PATTERN = re.compile(r"\s*([a-z][a-z0-9 ]*?)\s*(\(\s*\d+\s*(?:,\s*\d+\s*)?\))?\s*(\[\])?\s*")
# How finely a time is kept, or which fields an interval has, makes no difference on the way.
_FINENESS = re.compile(r"\b(timestamptz|timestamp|timetz|time)\s*\(\s*\d\s*\)|\b(interval)\b[a-z0-9() ]*")
SUPPORTED = (*_TYPES, "arrays such as text[]")


def map_type(text: str) -> TypeMapping:
    """The mapping of a PostgreSQL type as written in a spec; ValueError says what is supported."""
    written = " ".join(text.lower().split())  # the patterns would try every way to part many blanks
    match = _PATTERN.fullmatch(_FINENESS.sub(r"\1\2", written))
    name = match and _ALIASES.get(match[1], match[1])
    if not match or name not in _TYPES or (match[3] and name in _NO_ARRAY):
        raise ValueError(f"type {quoted(text)} has no mapping; supported are {', '.join(SUPPORTED)}; leave the column out")
    parameters = (match[2] or "").replace(" ", "")
    if parameters and ("{p}" not in _TYPES[name][1] or (name in ("varchar", "char") and "," in parameters)):
        raise ValueError(f'type {quoted(text)} takes no such parameters; expected "{name}"; remove them')
    if name == "numeric" and parameters:
        parameters = _digits(text, parameters)
    elif name in ("varchar", "char") and parameters:
        parameters = _length(text, parameters)
    elif name == "char":
        parameters = "(1)"
    array = match[3] or ""
    flink, analytics = _ARRAY if array else _TYPES[name]
    return TypeMapping(name + parameters + array, flink, analytics.format(p=parameters), _VALUES.get(name + parameters + array, "{}"))


def _digits(text: str, parameters: str) -> str:
    precision, scale = ([int(number) for number in re.findall(r"\d+", parameters)] + [0])[:2]
    if not 0 < precision <= _MOST_DIGITS or scale > precision:
        expected = f'expected 1 to {_MOST_DIGITS} digits and how many of them are decimals, such as "numeric(10,2)"'
        raise ValueError(f"type {quoted(text)} is none of PostgreSQL's; {expected}; correct it")
    return f"({precision},{scale})"


def _length(text: str, parameters: str) -> str:
    if not 0 < int(parameters.strip("()")) <= _MOST_CHARACTERS:
        raise ValueError(f"type {quoted(text)} is none of PostgreSQL's; expected 1 to {_MOST_CHARACTERS} characters; correct it")
    return parameters
