"""Filters that no event can pass, and filters that every event passes: told before anything runs, as far as single paths tell."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from project.filters.conditions import Condition, Group
from project.filters.values import Kind
from project.filters.verdicts import COMPARE

_LOW = {"greaterThan": False, "greaterThanOrEqual": True}  # whether the bound itself is in
_HIGH = {"lessThan": False, "lessThanOrEqual": True}


def never(node: Condition | Group) -> str | None:
    """Why nothing can make it true; None if something might."""
    if isinstance(node, Condition) or node.over:
        return None
    if node.not_:
        return f"the opposite of what is always true: {reason}" if (reason := always(node.not_)) else None
    if node.any:
        reasons = [never(one) for one in node.any]
        return "; ".join(reason for reason in reasons if reason) if all(reasons) else None
    return next(_excluded(joined(node)), None) or next((reason for one in node.nodes if (reason := never(one))), None)


def always(node: Condition | Group) -> str | None:
    """Why nothing can make it other than true; None if something might."""
    if isinstance(node, Condition) or node.over or node.not_:
        return None
    if node.any:
        tests = {(one.field, one.operator) for one in node.any if isinstance(one, Condition)}
        both = sorted(field for field, operator in tests if operator == "isNull" and (field, "isNotNull") in tests and "[*]" not in field)
        return f"{both[0]} is either NULL or not" if both else next((reason for one in node.any if (reason := always(one))), None)
    reasons = [always(one) for one in node.nodes]
    return "; ".join(reason for reason in reasons if reason) if all(reasons) else None


def joined(node: Group) -> Iterator[Condition]:
    """The conditions that must all be true, those of groups of the same kind inside included."""
    for one in node.nodes:
        if isinstance(one, Condition):
            yield one
        elif one.all and not one.over:
            yield from joined(one)


def _excluded(conditions: Iterable[Condition]) -> Iterator[str]:
    by_field: dict[str, list[Condition]] = defaultdict(list)
    for one in conditions:
        if "[*]" not in one.field:  # different elements may meet different conditions
            by_field[one.field].append(one)
    for field, found in by_field.items():
        if len(found) > 1 and _none_fits(found):
            yield f"{field} cannot be {' and '.join(one.asked for one in found)} at once"


def _none_fits(conditions: list[Condition]) -> bool:
    operators = {one.operator for one in conditions}
    if "isNull" in operators and len(operators) > 1:
        return True
    compared = [one for one in conditions if one.kind is not Kind.TIME_OF_DAY and one.operator not in ("isNull", "isNotNull", "matches")]
    if len({(one.kind, type(literal)) for one in compared for literal in one.literals}) != 1:  # an instant beside one that counts from NOW
        return False
    allowed = [set(one.literals) for one in compared if one.operator in ("equals", "in")]
    if allowed:
        return not any(all(COMPARE[one.operator](value, one.literals) for one in compared) for value in set.intersection(*allowed))
    return _empty(compared)


def _empty(conditions: list[Condition]) -> bool:
    """Whether the ranges of conditions have nothing in common."""
    lows = [_bound(one, 0, _LOW) for one in conditions if one.operator in (*_LOW, "between")]
    highs = [_bound(one, -1, _HIGH) for one in conditions if one.operator in (*_HIGH, "between")]
    return any(low > high or (low == high and not (low_in and high_in)) for low, low_in in lows for high, high_in in highs)


def _bound(condition: Condition, end: int, included: dict[str, bool]) -> tuple[Any, bool]:
    """A bound, and whether it is in the range itself."""
    return condition.literals[end], included.get(condition.operator, True)
