"""Healing that cannot change a definition or lose data: a failed task is restarted, a lost job submitted where it stood, a record
that no job can read set aside. A job that would take a column which is gone at its source for NULL is ended, and waits.

Attempts back off to one a minute, and go on: whatever was away for hours is used again within a minute of its return.
"""

import logging
import time
from contextlib import suppress
from typing import Any

import dagster as dg

from cdc.backends import ConnectBackend
from orchestration.assets import asset_key
from orchestration.catalogue import Catalogue
from orchestration.exclusive import SENSORS_WAIT, exclusive
from orchestration.pausing import pause
from orchestration.places import has_dagster_home
from orchestration.setting_aside import set_aside
from project.resources import Refused, Resource, Unreachable

_FIRST_WAIT, _LONGEST_WAIT = 10, 60  # seconds
_CALM = 900  # seconds of health after which attempts are forgotten


def heal(catalogue: Catalogue, resource: Resource, healthy: bool, attempts: dict[str, Any]) -> str | None:
    """Repair one resource if it needs it and its turn has come; returns what was done, in words."""
    now, last = time.time(), attempts.get(resource.id, {"count": 0, "at": 0.0})
    waited = now - last["at"]  # below 0 once the clock was set back
    if healthy and last["count"] and not 0 <= waited <= _CALM:
        last = attempts.pop(resource.id) | {"count": 0}
    rests = 0 <= waited < min(_FIRST_WAIT * last["count"], _LONGEST_WAIT)
    try:
        done = None if healthy else _hold(catalogue, resource)  # before the server has written as much again, so without a rest
        if not done and not rests:
            done = pause(catalogue, resource, attempts.setdefault("paused", {})) if resource.kind == "job" else None
            if not done and not healthy:
                done = _repair(catalogue, resource)
    except Refused as error:
        done = f"tried to heal {resource.id}, but: {error}"
    except Exception as error:  # others wait for their turn behind this one
        logging.getLogger(__name__).exception("healing %s failed", resource.id)
        done = f"tried to heal {resource.id}, but failed, which is a defect of Headrace: {type(error).__name__}: {error}"
    if done:
        attempts[resource.id] = {"count": last["count"] + 1, "at": now}
    return done


def _repair(catalogue: Catalogue, resource: Resource) -> str | None:
    backend = catalogue.backend(resource)
    if isinstance(backend, ConnectBackend):
        return backend.restart_failed(resource)
    if resource.kind != "job":
        return None
    if backend.read(resource) is not None:
        return set_aside(catalogue, resource)
    with exclusive(catalogue.environment.analytics, catalogue.project.name, SENSORS_WAIT):
        if backend.read(resource) is None:
            if tables := _captured_by_a_newer_spec(catalogue, resource):
                return f"{resource.id} waits to be applied: other columns of {', '.join(sorted(tables))} are captured than it knows"
            if tables := _filled_by_a_newer_spec(catalogue, resource):
                return f"{resource.id} waits to be applied: it does not know {', '.join(sorted(tables))}, and would pass their rows"
            backend.write(resource, None)
            return f"{resource.id} was lost; submitted again where it stood"
    return None


def _hold(catalogue: Catalogue, resource: Resource) -> str | None:
    if resource.kind != "connector":
        return None
    backend = catalogue.backend(resource)
    assert isinstance(backend, ConnectBackend)
    try:
        if not backend.stands_ahead(resource):
            return None
    except Refused:  # without its source or Kafka nothing is known, and a failed task is restarted nevertheless
        return None
    with exclusive(catalogue.environment.analytics, catalogue.project.name, SENSORS_WAIT):
        return backend.hold(resource)


def _filled_by_a_newer_spec(catalogue: Catalogue, job: Resource) -> set[str]:
    """The tables that were applied after the job, and that this process has not loaded: rows are being read for them."""
    if not has_dagster_home():
        return set()
    instance = dg.DagsterInstance.get()
    own = asset_key(catalogue.project, job.id)
    tables = instance.get_asset_keys(prefix=asset_key(catalogue.project, "table").path)
    applied = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization.timestamp
        for record in instance.get_asset_records([own, *tables]) if record.asset_entry.last_materialization
    }  # fmt: skip
    since = applied.pop(own, float("inf"))
    return {name for key, at in applied.items() if at > since and (name := "/".join(key.path[1:])) not in catalogue.by_id}


def _captured_by_a_newer_spec(catalogue: Catalogue, job: Resource) -> set[str]:
    """The tables of which other columns are captured than this process has loaded: the job of the old spec would pass the rows that are
    read for a new column, and take a column that is gone for NULL."""
    [connector] = [catalogue.by_id[needed] for needed in job.depends_on if needed.startswith("connector/")]
    connectors = catalogue.backend(connector)
    assert isinstance(connectors, ConnectBackend)
    with suppress(Unreachable):
        return connectors.captures_otherwise(connector)
    return set()
