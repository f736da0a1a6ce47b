"""Every supported column type, mapped once: PostgreSQL source → Flink source → Flink sink → analytics column."""

import re
from dataclasses import dataclass

from project.problems import quoted


@dataclass(frozen=True)
class TypeMapping:
    """How one PostgreSQL type travels. Instants are read with a zone and stored as UTC `timestamp`."""

    postgres: str
    flink_source: str
    flink_sink: str
    analytics: str

    @property
    def needs_cast(self) -> bool:
        return self.flink_source != self.flink_sink


# PostgreSQL name → (Flink type read from Debezium, Flink type written, analytics type). {p} carries "(10,2)" and the like.
_TYPES = {
    "boolean": ("BOOLEAN", "BOOLEAN", "boolean"),
    "smallint": ("SMALLINT", "SMALLINT", "smallint"),
    "integer": ("INT", "INT", "integer"),
    "bigint": ("BIGINT", "BIGINT", "bigint"),
    "numeric": ("DECIMAL{p}", "DECIMAL{p}", "numeric{p}"),
    "real": ("FLOAT", "FLOAT", "real"),
    "double precision": ("DOUBLE", "DOUBLE", "double precision"),
    "text": ("STRING", "STRING", "text"),
    "varchar": ("STRING", "STRING", "varchar{p}"),
    "uuid": ("STRING", "STRING", "uuid"),
    # Debezium ends its ISO text with a Z even where there is no zone, and Flink reads that only as an instant, or as text.
    "date": ("STRING", "DATE", "date"),
    "timestamp": ("TIMESTAMP_LTZ(6)", "TIMESTAMP(6)", "timestamp"),
    # Flink's JDBC sink cannot write TIMESTAMP_LTZ.
    "timestamptz": ("TIMESTAMP_LTZ(6)", "TIMESTAMP(6)", "timestamp"),
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
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}
_MOST_DIGITS = 38  # of Flink's DECIMAL
_PATTERN = re.compile(r"\s*([a-z][a-z0-9 ]*?)\s*(\(\s*\d+\s*(?:,\s*\d+\s*)?\))?\s*")
SUPPORTED = tuple(_TYPES)


def map_type(text: str) -> TypeMapping:
    """The mapping of a PostgreSQL type as written in a spec; ValueError says what is supported."""
    match = _PATTERN.fullmatch(text.lower())
    name = match and _ALIASES.get(match[1], match[1])
    if not match or name not in _TYPES:
        raise ValueError(f"type {quoted(text)} has no mapping; supported are {', '.join(SUPPORTED)}; leave the column out")
    parameters = (match[2] or "").replace(" ", "")
    if parameters and ("{p}" not in _TYPES[name][2] or (name == "varchar" and "," in parameters)):
        raise ValueError(f'type {quoted(text)} takes no such parameters; expected "{name}"; remove them')
    if name == "numeric":
        _check_numeric(text, parameters)
    source, sink, analytics = (part.format(p=parameters) for part in _TYPES[name])
    return TypeMapping(name + parameters, source, sink, analytics)


def _check_numeric(text: str, parameters: str) -> None:
    precision, scale = ([int(number) for number in re.findall(r"\d+", parameters)] + [0, 0])[:2]
    if not 0 < precision <= _MOST_DIGITS or scale > precision:
        expected = f'expected 1 to {_MOST_DIGITS} digits and how many of them are decimals, such as "numeric(10,2)"'
        raise ValueError(f"type {quoted(text)} cannot be exact in Flink; {expected}; write both")
