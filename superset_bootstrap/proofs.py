"""Whether a number on a dashboard is the source's own: both sides are asked until they agree, as rows are always under way."""

from collections.abc import Callable
from decimal import Decimal
from math import isclose, isnan

import psycopg
from tenacity import RetryError, retry, retry_if_result, stop_after_delay, wait_fixed

from project.charts import Proof
from project.environment import HALF_OPEN, SourceDatabase
from project.models import Project
from project.resources import Health, Refused, State, Unreachable

# Longer than a stream needs to catch up after a restart, and short enough for an apply to wait for.
_SECONDS = 30.0
_PAUSE = 0.2
_AROUND = 4  # of the source's values: those before and after the last two looks at the chart
_ROUNDED, _ADDED_UP = 1e-15, 1e-12  # parts of a number
_READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout=10000"

Number = float | int | Decimal | None


def prove(chart_id: str, proof: Proof, project: Project, place: SourceDatabase, ask_chart: Callable[[], Number]) -> Health:
    """Passed if the chart shows a number that the source had within the last seconds, or went past while the chart was asked."""
    database = project.sources[proof.source].database
    chart_values: list[Number] = []
    source_values: list[Number] = []
    try:
        with _connect(place, database) as source:
            _until_equal(lambda: _number(source, proof), ask_chart, source_values, chart_values)
    except psycopg.OperationalError as error:
        raise Unreachable(f"source {proof.source} does not answer at {place.host}:{place.port} ({_last_line(error)}); start it") from error
    except psycopg.Error as error:
        raise Refused(f"source {proof.source} refused the proof: {_last_line(error)}; correct its sql") from error
    return judged(chart_id, proof.source, chart_values, source_values)


def judged(chart_id: str, source: str, chart_values: list[Number], source_values: list[Number]) -> Health:
    """What the values that both sides had, oldest first, say of the chart."""
    shown, wanted = chart_values[-1], source_values[-1]
    facts = {"shown": _plain(shown), "in_source": _plain(wanted)}
    if any(equal(shown, value) for value in source_values):
        return Health(State.PASSED, f"{chart_id} shows {shown}, as source {source} says", facts)
    if _went_past(shown, source_values):
        return Health(State.PASSED, f"{chart_id} shows {shown}, which source {source} went past on its way to {wanted}", facts)
    differs = f"{chart_id} shows {shown}, but source {source} says {wanted}"
    if shown is None or any(not equal(shown, value) for value in chart_values):
        return Health(State.WARNING, f"{differs}; its rows are still arriving: check again when the lag is gone", facts)
    advice = "check the streams behind its view, then the view"
    return Health(State.FAILED, f"{differs}, and it stood still for {_SECONDS:g} s; {advice}", facts)


def _went_past(shown: Number, source_values: list[Number]) -> bool:
    """A number that changes a hundred times a second is hardly ever the same at two looks."""
    around = [Decimal(value or 0) for value in source_values[-_AROUND:]]
    return shown is not None and min(around) < Decimal(shown) < max(around)


def equal(one: Number, other: Number) -> bool:
    """As numbers; a sum over no rows is NULL where a count is 0. Integers and decimals are the same or are not, but for the last digit of
    a decimal that JSON carried as a binary fraction; binary fractions may have been added up in another order."""
    pair = one or 0, other or 0
    fractions = sum(isinstance(number, float) for number in pair)
    return pair[0] == pair[1] if not fractions else isclose(*pair, rel_tol=_ROUNDED if fractions == 1 else _ADDED_UP)


def _until_equal(
    ask_source: Callable[[], Number], ask_chart: Callable[[], Number], source_values: list[Number], chart_values: list[Number]
) -> None:
    @retry(retry=retry_if_result(lambda same: not same), stop=stop_after_delay(_SECONDS), wait=wait_fixed(_PAUSE))
    def ask_both() -> bool:
        source_values.append(ask_source())
        chart_values.append(ask_chart())
        source_values.append(ask_source())
        return any(equal(chart_values[-1], value) for value in source_values) or _went_past(chart_values[-1], source_values)

    try:
        ask_both()
    except RetryError:
        return  # the values tell


def _connect(place: SourceDatabase, database: str) -> psycopg.Connection:
    login = place.admin
    return psycopg.connect(
        host=place.host, port=place.port, dbname=place.database or database, user=login.user, password=login.password.reveal(),
        autocommit=True, connect_timeout=10, **HALF_OPEN, options=_READ_ONLY,
    )  # fmt: skip


def _number(source: psycopg.Connection, proof: Proof) -> Number:
    row = source.execute(proof.sql.encode()).fetchone()
    value = row[0] if row else None
    if not isinstance(value, Number) or isnan(value or 0):
        raise Refused(f"source {proof.source} answers the proof with {value}; expected one number; correct its sql")
    return value


def _plain(value: Number) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


def _last_line(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
