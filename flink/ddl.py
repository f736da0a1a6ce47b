"""Statements of Flink SQL as text. Whatever a spec says stands in them as a quoted name or a quoted text."""

from collections.abc import Iterable, Mapping


def create_table(table: str, columns: Mapping[str, str], key: Iterable[str], options: Mapping[str, str]) -> str:
    fields = [f"{quoted(column)} {kind}" for column, kind in columns.items()]
    if names := ", ".join(map(quoted, key)):
        fields.append(f"primary key ({names}) not enforced")
    settings = (f"{literal(option)} = {literal(value)}" for option, value in options.items())
    return f"create table {quoted(table)} (\n{lines(fields)}\n) with (\n{lines(settings)}\n)"


def row_type(columns: Mapping[str, str]) -> str:
    return f"ROW<{', '.join(f'{quoted(column)} {kind}' for column, kind in columns.items())}>"


def lines(items: Iterable[str]) -> str:
    return ",\n".join(f"  {item}" for item in items)


def quoted(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
