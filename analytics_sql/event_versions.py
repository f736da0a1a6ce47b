"""Which schema of which event was applied by whom: a row for each time in `event_versions`, of which the last is in force."""

import getpass
from typing import Any, LiteralString

from psycopg.sql import SQL, Identifier

from analytics_sql.connections import Connection
from analytics_sql.statements import quoted
from project.events.applied import as_file, is_as_applied, meaning, read_said, refusals, versions
from project.models import Project
from project.references import EVENTS
from project.resources import Document, Judgement, Resource, Strength, digest_of

_APPLIED = "select version, compatibility, said from {0} where event = %s order by applied_at"
_ENTER = """
insert into {0} (event, version, compatibility, said, applied_at, applied_by)
values (%s, %s, %s, %s, clock_timestamp() at time zone 'utc', %s)
"""


def observe(connected: Connection, project: Project, resource: Resource) -> Document | None:
    """The version in force, and of those that the files hold what was applied under their numbers; None if nothing was."""
    [there] = connected.execute("select to_regclass(%s) as found", [quoted(project.schema_, EVENTS)]).fetchall()
    rows = _run(connected, project.schema_, _APPLIED, resource.name) if there["found"] else []
    if not rows:
        return None  # also before the first apply that makes the table
    applied = {row["version"]: said for row in rows if (said := read_said(resource.name, row["said"]))}
    digests = {
        str(version): resource.document["digests"][str(version)] if is_as_applied(one, applied) else digest_of(as_file(applied[version]))
        for version, one in versions(project, resource.name).items()
    }
    return {"version": rows[-1]["version"], "compatibility": rows[-1]["compatibility"], "digests": digests, "applied": applied}


def judge(project: Project, resource: Resource, observed: Document) -> Judgement:
    """What was changed under a number that was applied is refused, and so is what does not go with the version in force."""
    files, applied, latest = versions(project, resource.name), observed["applied"], observed["version"]
    refusal = "\n".join(map(str, refusals(files, applied, latest)))
    note = meaning(files[resource.document["version"]], applied, latest)
    return Judgement(Strength.RECONFIGURE, refusal or None, note or None)


def enter(connected: Connection, project: Project, resource: Resource) -> None:
    """The newest version is in force from now on."""
    newest = project.events[resource.name]
    row = (newest.name, newest.version, newest.compatibility, as_file(newest), getpass.getuser())
    _run(connected, project.schema_, _ENTER, *row)


def known(connected: Connection, schema: str) -> list[str]:
    """The ids of events that were applied."""
    return [f"event/{row['event']}" for row in _run(connected, schema, "select distinct event from {0} order by 1")]


def forget(connected: Connection, schema: str, event: str) -> None:
    """Remove all that was applied of an event."""
    _run(connected, schema, "delete from {0} where event = %s", event)


def _run(connected: Connection, schema: str, statement: LiteralString, *parameters: Any) -> list[dict[str, Any]]:
    done = connected.execute(SQL(statement).format(Identifier(schema, EVENTS)), parameters)
    return done.fetchall() if done.description else []
