"""The values that conditions compare: read from a spec's literals and from events by the same rules (docs/filters.md)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a condition takes both of its sides for; `valueType` in a spec."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    TIME_OF_DAY = "timeOfDay"


class WrongType(ValueError):
    """A value that cannot be taken for what the condition compares; the text says what it is."""


@dataclass(frozen=True, order=True)
class Relative:
    """An instant before or after that of the record, so that a replay gives the same verdict."""

    offset: timedelta


Value = str | Decimal | bool | datetime | time | Relative
# As texts of an event are checked in Flink as well, so without what Java reads in another way.
NUMBER = r"[-+]?[0-9]{1,20}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?"
MILLISECONDS = r"-?[0-9]{1,15}"
INSTANT = (
    r"(19[0-9]{2}|[2-8][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"(Z|[-+]([01][0-9]|2[0-3]):[0-5][0-9])?"
)
INTEGER_DIGITS, FRACTION_DIGITS = 20, 18  # of a number
_EXACT_DIGITS = 15  # that a float keeps
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (1900, 9000))  # milliseconds; the last is out
_NO_INSTANT = "it is no instant of the years 1900 to 8999"
RELATIVE = re.compile(r"NOW(([-+])([0-9]{1,6})([SMHD]))?")
_FARTHEST = timedelta(days=36_500)  # from any moment that Kafka knows that is still a date
_UNITS = {"S": "seconds", "M": "minutes", "H": "hours", "D": "days"}
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")


def of_event(found: Any, kind: Kind) -> Value | None:
    """A value of an event, whose numbers were read as Decimal; None if it is NULL. A time of day is an instant there."""
    if found is None:
        return None
    if isinstance(found, dict | list):
        raise WrongType("it is an object" if isinstance(found, dict) else "it is a list")
    return _READ[kind](found if isinstance(found, str) else _text(found))


def of_literal(written: Any, kind: Kind) -> Value:
    """A value of a spec. Raises WrongType with what is expected instead."""
    text = written if isinstance(written, str) else _text(written)
    if isinstance(written, float) and len(Decimal(text).as_tuple().digits) > _EXACT_DIGITS:
        raise WrongType("it has more digits than YAML keeps exactly; put it in quotes with valueType: number")
    if kind is Kind.TIMESTAMP and (relative := RELATIVE.fullmatch(text)):
        amount = timedelta(**{_UNITS[relative[4]]: int(relative[3])}) if relative[1] else timedelta()
        if amount > _FARTHEST:
            raise WrongType("it is more than 36,500 days away")
        return Relative(-amount if relative[2] == "-" else amount)
    if kind is Kind.TIME_OF_DAY:
        if not _TIME.fullmatch(text):
            raise WrongType("it is no time of day such as 09:00 or 17:30:15")
        return time.fromisoformat(text)
    return _READ[kind](text)


def kind_of_literal(written: Any) -> Kind:
    """What a literal is if nothing else says so; a quoted number is a text."""
    return Kind.BOOLEAN if isinstance(written, bool) else Kind.STRING if isinstance(written, str) else Kind.NUMBER


def _text(found: bool | int | float | Decimal) -> str:
    """A number as Java writes it too: with an exponent where it is large and round, or very small."""
    if isinstance(found, bool):
        return str(found).lower()
    number = Decimal(str(found))
    return str(number if number else number.copy_abs())


def _number(text: str) -> Decimal:
    if not re.fullmatch(NUMBER, text) or (number := _rounded(text)).adjusted() >= INTEGER_DIGITS:
        raise WrongType(f"it is no number of up to {INTEGER_DIGITS} digits before and {FRACTION_DIGITS} after the point")
    return number


def _rounded(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal(1).scaleb(-FRACTION_DIGITS), ROUND_HALF_UP, Context(prec=200))


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise WrongType("it is neither true nor false")
    return text.lower() == "true"


def _instant(text: str) -> datetime:
    if re.fullmatch(MILLISECONDS, text):
        if not FIRST <= int(text) < LAST:
            raise WrongType(_NO_INSTANT)
        return _EPOCH + timedelta(milliseconds=int(text))
    if not re.fullmatch(INSTANT, text):
        raise WrongType("it is no instant such as 2026-01-31T09:30:00Z, nor milliseconds since 1970")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongType(_NO_INSTANT) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


_READ: dict[Kind, Callable[[str], Value]] = {
    Kind.STRING: str,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.TIMESTAMP: _instant,
    Kind.TIME_OF_DAY: _instant,
}
