"""Names that need no quotes in PostgreSQL, because Flink's JDBC sink quotes nothing."""

import re

RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column concurrently
    constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user default
    deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike in initially inner
    intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or
    order outer overlaps placing primary references returning right select session_user similar some symmetric system_user table
    tablesample then to trailing true union unique user using variadic verbose when where window with
    """.split()
)

_LONGEST = 63  # characters of a name in PostgreSQL
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def unquoted(name: str) -> str:
    """What a source's column is called in the analytics table: OrderId → order_id, order → order_; most stay as they are."""
    snake = _HUMP.sub("_", name).lower()
    plain = snake if len(snake) <= _LONGEST else name.lower()
    return f"{plain}_" if plain in RESERVED else plain
