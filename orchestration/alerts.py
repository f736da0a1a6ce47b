"""Checks that changed, told to whom the environment names: one request for all that changed at a turn of a sensor.

What lasts for less than half a minute is not told: most of it heals by itself. What cannot be delivered waits for a later one.
"""

import logging
import time
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import requests

from orchestration.catalogue import Catalogue
from project.environment import Alerts, EndpointError
from project.resources import Resource

_LASTS = 30  # seconds
_TIMEOUT = 5  # seconds for a request; sensors take turns
_PAUSE = 60  # seconds for which nobody of this process tries again where a request failed
_MOST, _NAMED = 100, 20  # changes that all wait to be delivered, and that a text names
log = logging.getLogger(__name__)  # a sensor's own opens Dagster's storage at every turn
_paused = {"until": 0.0}  # by the monotonic clock
_STATES = {"ERROR": "failed", "WARN": "warning", "passed": "passed"}


def note(catalogue: Catalogue, resource: Resource, result: dg.AssetCheckResult, seen: dict[str, Any], memory: dict[str, Any]) -> None:
    """Enter a check whose state has lasted and is another than was told of it. `seen`: its state, and since when in s since 1970."""
    told, name = memory.setdefault("told", {}), f"{resource.id}:{result.check_name}"
    before, state = told.get(name, "passed"), _STATES[seen["state"]]
    if state == before or time.time() - seen["since"] < _LASTS:
        return
    told[name] = state
    page = "/".join((catalogue.environment.dagster.url.rstrip("/"), "assets", catalogue.project.name, resource.id))
    waiting = memory.setdefault("alerts", [])
    waiting.append({
        "resource": resource.id, "check": result.check_name, "state": state, "before": before, "said": result.description,
        "since": datetime.fromtimestamp(seen["since"], UTC).isoformat(timespec="seconds"), "page": page,
    })  # fmt: skip


def deliver(catalogue: Catalogue, memory: dict[str, Any]) -> None:
    """Post what waits. What left the spec is forgotten, as all is where nobody is to be told."""
    place, waiting = catalogue.environment.alerts, memory.get("alerts", [])
    if place is None:
        memory |= {"told": {}, "alerts": []}
        return
    known = {*catalogue.by_id, *(f"filter/{one.id}" for _, one in catalogue.project.filters)}
    unbounded = {f"view/{name}:expected" for name, view in catalogue.project.views.items() if not view.bounded}
    told = memory.get("told", {}).items()
    memory["told"] = {name: state for name, state in told if name.rpartition(":")[0] in known and name not in unbounded}
    if not waiting:
        return
    if time.monotonic() < _paused["until"]:
        if len(waiting) > _MOST:  # then the latest of each check
            waiting[:] = {(one["resource"], one["check"]): one for one in waiting}.values()
        return
    project, environment = catalogue.project.name, catalogue.environment.name
    body = {"text": _text(project, environment, waiting), "project": project, "environment": environment, "changes": waiting}
    if failure := _post(place, body):
        _paused["until"] = time.monotonic() + _PAUSE
        log.warning("what changed could not be told, and waits (%d): %s", len(waiting), failure)
    else:
        waiting.clear()


def _post(place: Alerts, body: dict[str, Any]) -> str | None:
    """Why it was not taken, if so, without the address, which is a secret. A redirection would turn it into a mere question."""
    try:
        answer = requests.post(place.url.reveal(), json=body, timeout=_TIMEOUT, allow_redirects=False)
    except EndpointError as error:
        return str(error)
    except (requests.RequestException, ValueError) as error:  # some malformed addresses are told by a ValueError
        return type(error).__name__
    return f"it answers {answer.status_code}" if answer.status_code >= 300 else None


def _text(project: str, environment: str, waiting: list[dict[str, Any]]) -> str:
    lines = [f"{project} ({environment}): {len(waiting)} {'check' if len(waiting) == 1 else 'checks'} changed"]
    lines += [f"{one['state'].upper()} {one['resource']} {one['check']}: {one['said']}\n{one['page']}" for one in waiting[:_NAMED]]
    lines += [f"and {len(waiting) - _NAMED} more"] if len(waiting) > _NAMED else []
    return "\n".join(lines)
