"""How old the data is that analysts see: the age of each stream's pulse in the analytics database."""

import psycopg

from orchestration.catalogue import Catalogue
from project.resources import Health, Resource, State

_WARNING, _FAILED = 20, 45  # seconds; the pulse beats every 5


def read_pulses(catalogue: Catalogue, job: Resource) -> Health:
    """The freshness of one stream."""
    database, schema = catalogue.environment.analytics, catalogue.project.schema_
    query = psycopg.sql.SQL(
        "select extract(epoch from (now() at time zone 'utc') - pulse_at)::float8 from {}.pulse where stream = %s"
    ).format(psycopg.sql.Identifier(schema))
    try:
        with psycopg.connect(
            host=database.host, port=database.port, dbname=database.database, user=database.admin.user,
            password=database.admin.password.reveal(), connect_timeout=5, options="-c statement_timeout=5000",
        ) as connection:
            row = connection.execute(query, [job.name]).fetchone()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        return Health(State.UNKNOWN, f"the analytics database cannot be asked: {reason}; see `headrace status`")
    if row is None:
        return Health(State.FAILED, f"no pulse of stream {job.name} has ever arrived; look at the checks of its connector and its job")
    return judge_age(job.name, row[0])


def judge_age(stream: str, age: float) -> Health:
    """What an age in seconds means."""
    facts = {"age_seconds": round(age, 1)}
    if age <= _WARNING:
        return Health(State.PASSED, f"the pulse is {age:.0f} s old", facts)
    state = State.FAILED if age > _FAILED else State.WARNING
    text = f"the pulse of stream {stream} is {age:.0f} s old (expected under {_WARNING}); look at the checks of its connector, its topics and its job"
    return Health(state, text, facts)
