"""Every supported column type, mapped once: PostgreSQL source → Flink source → Flink sink → analytics column."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class TypeMapping:
    """How one PostgreSQL type travels. Instants are read with a zone and stored as UTC `timestamp` (design §7)."""

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
    "date": ("DATE", "DATE", "date"),
    "timestamp": ("TIMESTAMP(6)", "TIMESTAMP(6)", "timestamp"),
    # The JDBC sink cannot write TIMESTAMP_LTZ (streaming.md §4).
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
_PATTERN = re.compile(r"\s*([a-z][a-z0-9 ]*?)\s*(\(\s*\d+\s*(?:,\s*\d+\s*)?\))?\s*")
SUPPORTED = tuple(_TYPES)


def map_type(text: str) -> TypeMapping:
    """The mapping of a PostgreSQL type as written in a spec; ValueError says what is supported."""
    match = _PATTERN.fullmatch(text.lower())
    name = match and _ALIASES.get(match[1], match[1])
    if not match or name not in _TYPES:
        raise ValueError(
            f'type "{text}" has no mapping; supported are {", ".join(SUPPORTED)}; cast it in the source or leave the column out'
        )
    parameters = (match[2] or "").replace(" ", "")
    if parameters and "{p}" not in _TYPES[name][2]:
        raise ValueError(f'type "{text}" takes no parameters; write "{name}"')
    if name == "numeric" and not parameters:
        raise ValueError('type "numeric" needs its precision and scale here; write for example "numeric(10,2)"')
    source, sink, analytics = (part.format(p=parameters) for part in _TYPES[name])
    return TypeMapping(name + parameters, source, sink, analytics)
