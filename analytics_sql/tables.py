"""Making a table as declared, in place: what it holds stays."""

from collections.abc import Iterator

from analytics_sql import statements
from project.resources import Document, Resource


def table_changes(schema: str, resource: Resource, observed: Document | None) -> Iterator[str]:
    """The SQL from the observed to the desired table. Types and keys are not changed here: judgements refuse that."""
    name, document = resource.name, resource.document
    if observed is None:
        yield statements.create_table(schema, name, document)
    else:
        for column, said in document["columns"].items():
            if column not in observed["columns"]:
                yield statements.add_column(schema, name, column, said)
            elif "default" in said and said["default"] != observed["columns"][column]["default"]:
                yield statements.set_default(schema, name, column, said["default"])
    yield from statements.finish_table(schema, name, document, resource.digest)
