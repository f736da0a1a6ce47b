"""How strong a change is, and why some are refused: a table holds what cannot be made again from its topic alone."""

from collections.abc import Iterator

from analytics_sql.statements import quoted
from project.resources import Difference, Document, Judgement, Resource, Strength


def judge(schema: str, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
    """All that may be applied is done in place. What may not says the way out."""
    foreign = refuse_foreign(resource, observed)
    if foreign:
        return Judgement(Strength.RECONFIGURE, foreign)
    if resource.kind != "table":
        return Judgement(Strength.RECONFIGURE)
    refusals = list(_refuse_rebuild(quoted(schema, resource.name), resource, observed, differences))
    if refusals:
        return Judgement(Strength.REBUILD, "; ".join(refusals))
    added = [name for name in resource.document["columns"] if name not in observed["columns"]]
    note = f"rows that are here already get {', '.join(added)} when the connector, applied with it, has read them again" if added else None
    return Judgement(Strength.RECONFIGURE, note=note)


def refuse_foreign(resource: Resource, observed: Document) -> str | None:
    """Why we do not touch an object, or None when it is ours; an empty schema may become ours."""
    wanted = resource.document["project"]
    if resource.kind == "schema":
        if observed["project"] == wanted or (observed["project"] is None and observed["empty"]):
            return None
        return f"schema {resource.name} exists and {_owner(observed)}; name another one with `schema:` in project.yaml"
    if observed["project"] != wanted:
        return f"{observed['relation']} {resource.name} exists and {_owner(observed)}; rename ours, or move that one away"
    if observed["relation"] != resource.document["relation"]:
        return f"{resource.name} is a {observed['relation']} of this project; remove it by `headrace prune` first"
    return None


def _owner(observed: Document) -> str:
    return f"belongs to the project {observed['project']}" if observed["project"] else "was not made by Headrace"


def _refuse_rebuild(name: str, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Iterator[str]:
    key = resource.document["key"]
    if observed["key"] != key:
        yield (
            f"the key would change from ({', '.join(observed['key'])}) to ({', '.join(key)}), which makes other rows of the same data; "
            "mirror the source table to a table of another name"
        )
    for difference in differences:
        match difference.path.split("."):
            case ["columns", column, "type"]:
                yield _retype(name, column, difference)
            case ["columns", column, "required"] if column not in key:
                yield f"column {column} takes no NULL; run `alter table {name} alter column {quoted(column)} drop not null`"
            case ["columns", column] if column in key:
                yield f"the key column {column} is missing; mirror the source table to a table of another name"
            case ["retired_columns"]:
                yield _retire(name, difference)
            case _:
                pass


def _retype(name: str, column: str, difference: Difference) -> str:
    return (
        f"the type of column {column} would change from {difference.observed} to {difference.desired}; if its values fit, drop the views "
        f"that read it, run `alter table {name} alter column {quoted(column)} type {difference.desired}`, "
        "and apply, which makes the views again"
    )


def _retire(name: str, difference: Difference) -> str:
    drops = ", ".join(f"drop column {quoted(column)}" for column in difference.observed)
    return (
        f"the spec no longer declares {', '.join(difference.observed)}, which would stay here and grow old; declare it again, "
        f"or if nobody needs what it holds, run `alter table {name} {drops}`"
    )
