"""How each kind of resource shows in Dagster: its group, its icons, and the name of its health check."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    system: str
    group: str
    icons: tuple[str, ...]
    check: str | None = None  # name of the health check; None: being in sync is all there is to say
    watched: bool = True  # False: the check is evaluated by an apply and the job `check`, not by the sensor
    patience: int = 0  # seconds in which an apply lets it come back: what was done to another may have taken it down for a moment
    rest: int = 0  # seconds for which the sensor leaves alone what passed: some checks cost too much for every turn


KINDS = {
    "capture": Kind("postgres", "capture", ("postgres",), "ready"),
    "topic": Kind("kafka", "topics", ("kafka",), "available"),
    "connector": Kind("connect", "capture", ("debezium", "kafka"), "running"),
    "schema": Kind("analytics", "tables", ("postgres",), "reachable"),
    "table": Kind("analytics", "tables", ("postgres", "table"), "available"),
    "event": Kind("analytics", "schemas", ("postgres",)),
    "job": Kind("flink", "streams", ("flink",), "running", patience=20),
    "subject": Kind("registry", "schemas", ("kafka",), "registered"),
    "consumer": Kind("consumers", "consumers", ("python", "kafka")),
    # To answer, a view may have to read whole tables.
    "view": Kind("analytics", "views", ("postgres", "view"), "answers", rest=300),
    "database": Kind("superset", "superset", ("superset",), "reachable"),
    "dataset": Kind("superset", "superset", ("superset",)),
    "chart": Kind("superset", "superset", ("superset", "chart"), "answers", watched=False),
    "dashboard": Kind("superset", "superset", ("superset", "dashboard")),
}

# The order in which a prune removes: what reads goes before what is read.
PRUNE_ORDER = (
    "dashboard", "chart", "dataset", "database", "view", "consumer", "job", "connector", "topic", "subject", "event", "capture", "table",
    "schema",
)  # fmt: skip
