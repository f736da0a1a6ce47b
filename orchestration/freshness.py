"""How old the data is that analysts see: the age of each stream's pulse in the analytics database."""

from psycopg import sql

from analytics_sql.connections import connection
from orchestration.catalogue import Catalogue
from project.resources import Health, Refused, Resource, State

_WARNING, _FAILED = 20, 45  # seconds; the pulse beats every 5


def read_pulses(catalogue: Catalogue, job: Resource) -> Health:
    """The freshness of one stream."""
    database = catalogue.environment.analytics
    pulse = sql.Identifier(catalogue.project.schema_, "pulse")
    age = "extract(epoch from (now() at time zone 'utc') - pulse_at)::float8"
    query = sql.SQL(f"select {age} as age from {{}} where stream = %s").format(pulse)
    try:
        with connection(database, database.admin, f"the pulse of {job.name}", timeout=5) as connected:
            row = connected.execute(query, [job.name]).fetchone()
    except Refused as error:
        return Health(State.UNKNOWN, str(error))
    if row is None:
        return Health(State.FAILED, f"no pulse of stream {job.name} has ever arrived; look at the checks of its connector and its job")
    return judge_age(job.name, row["age"])


def judge_age(stream: str, age: float) -> Health:
    """What an age in seconds means."""
    facts = {"age_seconds": round(age, 1)}
    if age <= _WARNING:
        return Health(State.PASSED, f"the pulse is {age:.0f} s old", facts)
    state = State.FAILED if age > _FAILED else State.WARNING
    way = "look at the checks of its connector, its topics and its job"
    text = f"the pulse of stream {stream} is {age:.0f} s old, expected under {_WARNING}; {way}"
    return Health(state, text, facts)
