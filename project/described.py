"""A live database as its catalogue describes it; what an import makes of it is in project/imported.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DescribedColumn:
    """A column; `type` is PostgreSQL's own text for it, a domain told as the type below it, an enum as "enum"."""

    name: str
    type: str
    comment: str = ""
    generated: bool = False


@dataclass(frozen=True)
class DescribedTable:
    """Anything in a schema that rows can be read from; `kind` is pg_class.relkind."""

    schema: str
    name: str
    columns: tuple[DescribedColumn, ...]
    key: tuple[str, ...] = ()
    comment: str = ""
    kind: str = "r"
    partition_of: str | None = None
    logged: bool = True
    unique: tuple[str, ...] = ()  # columns that are unique and never NULL, and so could be the primary key
    estimated_rows: int | None = None  # the planner's estimate; None: never analysed


@dataclass(frozen=True)
class DescribedDatabase:
    """One schema of a database, in the order of names."""

    name: str
    comment: str
    tables: tuple[DescribedTable, ...]
