"""Checks that changed, told to whom the environment names: one request for all that changed at a turn of a sensor.

What lasts for less than half a minute is not told: most of it heals by itself. What cannot be delivered waits for the next turn.
"""

import logging
import time
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import requests

from orchestration.catalogue import Catalogue
from project.environment import EndpointError
from project.resources import Resource

_LASTS = 30  # seconds
_TIMEOUT = 5  # seconds for a request; sensors take turns
_MOST = 100  # that wait to be delivered; older ones are left out
_STATES = {"ERROR": "failed", "WARN": "warning", "passed": "passed"}


def note(catalogue: Catalogue, resource: Resource, result: dg.AssetCheckResult, seen: dict[str, Any], memory: dict[str, Any]) -> None:
    """Enter a check whose state has lasted and is another than was told of it. `seen`: its state, and since when in s since 1970."""
    told, name = memory.setdefault("told", {}), f"{resource.id}:{result.check_name}"
    before, state = told.get(name, "passed"), _STATES[seen["state"]]
    if catalogue.environment.alerts is None or state == before or time.time() - seen["since"] < _LASTS:
        return
    told[name] = state
    page = "/".join((catalogue.environment.dagster.url, "assets", catalogue.project.name, resource.id))
    waiting = memory.setdefault("alerts", [])
    waiting.append({
        "resource": resource.id, "check": result.check_name, "state": state, "before": before, "said": result.description,
        "since": datetime.fromtimestamp(seen["since"], UTC).isoformat(timespec="seconds"), "page": page,
    })  # fmt: skip
    del waiting[:-_MOST]


def deliver(catalogue: Catalogue, memory: dict[str, Any], log: logging.Logger) -> None:
    """Post what waits."""
    place, waiting = catalogue.environment.alerts, memory.get("alerts")
    if place is None or not waiting:
        return
    project, environment = catalogue.project.name, catalogue.environment.name
    body = {"text": _text(project, environment, waiting), "project": project, "environment": environment, "changes": waiting}
    try:
        requests.post(place.url.reveal(), json=body, timeout=_TIMEOUT).raise_for_status()
    except (requests.RequestException, EndpointError) as error:
        cause = error if isinstance(error, EndpointError) else _cause(error)
        log.warning("what changed could not be told, and waits for the next turn (%d): %s", len(waiting), cause)
    else:
        waiting.clear()


def _cause(error: requests.RequestException) -> str:
    """Without the address, which is a secret."""
    return f"it answers {error.response.status_code}" if error.response is not None else type(error).__name__


def _text(project: str, environment: str, waiting: list[dict[str, Any]]) -> str:
    lines = [f"{project} ({environment}): {len(waiting)} {'check' if len(waiting) == 1 else 'checks'} changed"]
    lines += [f"{one['state'].upper()} {one['resource']} {one['check']}: {one['said']}\n{one['page']}" for one in waiting]
    return "\n".join(lines)
