"""Health without runs: one sensor per system evaluates the checks of its resources and reports them when they change.

Events are written on transitions, when what is red has another reason, and, as a sign of life, every ten minutes; so the event log does
not grow with every tick.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any, NamedTuple
from zlib import crc32

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from orchestration import alerts
from orchestration.assets import IN_SYNC, asset_key, health_result, sync_result
from orchestration.catalogue import Catalogue
from orchestration.certificates import EQUAL
from orchestration.checks import LIVE_CHECKS, LiveCheck, defect, look, look_at_filters
from orchestration.dagster_storage import forget
from orchestration.filter_counts import MATCHES
from orchestration.healing import heal
from orchestration.kinds import KINDS
from orchestration.reconcile import plan
from orchestration.rounds import Rounds
from project.resources import Refused, Resource, State, Unreachable

_HEARTBEAT = 600  # seconds between two reports of an unchanged check
_MANY = 100  # checks of a sensor from which on they are reported more rarely: of thousands Dagster's history would be gigabytes a day
_NUMBERS = re.compile(r"[\d.,]+")  # the same words with others are the same reason: they change at every turn
_HEALTH_INTERVAL = 20  # seconds; a stopped component must show within 60
_OFTENER = {"flink": 10}  # every job is gone with the JobManager, and comes back at a turn of this sensor
_DRIFT_INTERVAL = 120  # seconds; reads every declared object, which costs the systems about a second of CPU
_CHARTS = 3  # asked again at a turn: each costs as much as a viewer
_ASKING = 10  # seconds of a turn after which nothing more is looked at
_KEPT = timedelta(days=14)  # of Dagster's history, which grows by about 90 MB a day for the bookstore
# Sensors take turns: whoever waits for a system that cannot answer keeps the others from telling that.
_HANGS_WITHOUT = {"kafka": ("connect",)}
# What runs goes on by its old spec until the new one is applied; should it stop, its data grow old meanwhile.
_RUN = ("connector", "job")
log = logging.getLogger(__name__)


class Applied(NamedTuple):
    at: float  # seconds since 1970
    current: bool  # its spec has not changed since


Readings = Iterable[tuple[Resource, dg.AssetCheckResult]]
Memory = dict[str, Any]  # what a sensor remembers from one turn to the next
Watch = Callable[[Catalogue, tuple[Resource, ...], Memory], Readings]


def build_sensors(catalogue: Catalogue) -> list[dg.SensorDefinition]:
    """The sensors of a project, all running by default: none of them starts a run."""
    kept = [resource for resource in catalogue.resources if (kind := KINDS[resource.kind]).check and kind.watched]
    systems = sorted({resource.system for resource in kept})
    return [
        *(
            _build_sensor(
                catalogue, f"{system}_health", f"Health of everything we hold in {system}.", _OFTENER.get(system, _HEALTH_INTERVAL),
                [resource for resource in kept if resource.system == system], _watch_health,
            )
            for system in systems
        ),
        *(
            _build_sensor(catalogue, name, check.description, check.interval, check.watched(catalogue), _watch_live(name, check))
            for name, check in LIVE_CHECKS.items()
        ),
        _build_sensor(
            catalogue, EQUAL, "Whether each table is equal to its source, compared again and again.", _HEALTH_INTERVAL,
            catalogue.of_kind("table"), Rounds().watch,
        ),
        _build_sensor(
            catalogue, "answers", "Whether charts that gave no answer, or had no row, now do.", _HEALTH_INTERVAL,
            catalogue.of_kind("chart"), _watch_unanswered,
        ),
        *(
            [_build_sensor(catalogue, MATCHES, "What became of the events.", _HEALTH_INTERVAL, catalogue.routing, _watch_filters)]
            if catalogue.routing else []
        ),
        _build_sensor(
            catalogue, "drift", "Whether anything applied was changed by hand.", _DRIFT_INTERVAL, catalogue.resources, _watch_drift, ()
        ),
    ]  # fmt: skip


def _build_sensor(
    catalogue: Catalogue, name: str, description: str, interval: int, resources: Sequence[Resource], watch: Watch,
    whatever_the_spec: tuple[str, ...] = _RUN,
) -> dg.SensorDefinition:
    """Resources of the kinds `whatever_the_spec` are watched even if their spec has changed since it was applied."""

    @dg.sensor(
        name=name, description=description, minimum_interval_seconds=interval, default_status=dg.DefaultSensorStatus.RUNNING
    )
    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        memory: Memory = json.loads(context.cursor or "{}")
        events: list[dg.AssetObservation | dg.AssetCheckEvaluation] = []
        found = applied(_instance(), catalogue, resources)
        for resource, result in watch(catalogue, watched(resources, found, whatever_the_spec), memory):
            key, done = asset_key(catalogue.project, resource.id), found.get(resource.id)  # a filter is applied with its job
            events += _transition(key, result, memory, done.at if done else 0.0, max(1.0, len(resources) / _MANY))
            alerts.note(catalogue, resource, result, memory[_name(key, result)], memory)
            if done and (done.current or resource.kind == "connector"):  # a connector is healed as it is, whatever its spec
                events += _healed(catalogue, resource, key, result, memory)
        alerts.deliver(catalogue, memory)
        return dg.SensorResult(asset_events=events, cursor=json.dumps(memory))

    return evaluate


@cache
def _instance() -> dg.DagsterInstance:
    """One for all turns of all sensors: opening Dagster's storage costs more than a turn. A resource would have it opened as well."""
    return dg.DagsterInstance.get()


def applied(instance: dg.DagsterInstance, catalogue: Catalogue, resources: Iterable[Resource]) -> dict[str, Applied]:
    """Those that have been applied, by their ids; the others are the business of an apply, not of a sensor."""
    by_key = {asset_key(catalogue.project, resource.id): resource for resource in resources}
    done: dict[str, Applied] = {}
    for record in instance.get_asset_records(list(by_key)):
        event, resource = record.asset_entry.last_materialization, by_key[record.asset_entry.asset_key]
        if event and event.asset_materialization:
            version = (event.asset_materialization.tags or {}).get("dagster/data_version")
            done[resource.id] = Applied(event.timestamp, version == resource.digest)
    return done


def watched(resources: Iterable[Resource], found: Mapping[str, Applied], whatever_the_spec: tuple[str, ...]) -> tuple[Resource, ...]:
    """Those that were applied as their spec says now; of some kinds also those whose spec has changed since."""
    done = ((resource, found[resource.id]) for resource in resources if resource.id in found)
    return tuple(resource for resource, how in done if how.current or resource.kind in whatever_the_spec)


def _transition(
    key: dg.AssetKey, result: dg.AssetCheckResult, memory: Memory, applied_at: float = 0.0, rarer: float = 1.0
) -> Iterator[dg.AssetCheckEvaluation]:
    """A materialization makes the page forget earlier results of checks beside it, so they are reported again."""
    name = _name(key, result)
    state = "passed" if result.passed else result.severity.value
    why = "" if result.passed else _NUMBERS.sub("", result.description or "")
    last, now, reason = memory.get(name, {}), time.time(), crc32(why.encode())
    same = last.get("state") == state and last.get("reason", reason) == reason
    # What is of later than now was noted before the clock was set back.
    if same and not last["reported"] <= applied_at <= now and 0 <= now - last["reported"] < _HEARTBEAT * rarer:
        return
    since = min(last["since"], now) if last.get("state") == state else now
    memory[name] = {"state": state, "reason": reason, "since": since, "reported": now}
    metadata = {**(result.metadata or {}), "since": datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds")}
    yield dg.AssetCheckEvaluation(
        asset_key=key, check_name=str(result.check_name), passed=result.passed, metadata=metadata,
        severity=result.severity, description=result.description,
    )


def _name(key: dg.AssetKey, result: dg.AssetCheckResult) -> str:
    return f"{key.to_user_string()}:{result.check_name}"


def _healed(
    catalogue: Catalogue, resource: Resource, key: dg.AssetKey, result: dg.AssetCheckResult, memory: Memory
) -> Iterator[dg.AssetObservation]:
    if result.check_name != "running":
        return
    attempts = memory.setdefault("healing", {})
    done = heal(catalogue, resource, result.passed, attempts)
    if done:
        yield dg.AssetObservation(asset_key=key, description=done, metadata={"healed": done})


def _in_turn(resources: Sequence[Resource], memory: Memory) -> Iterator[Resource]:
    """Those that there is time for; where it did not suffice, the next turn begins behind the last of them."""
    first, begun = memory.get("next", 0) % (len(resources) or 1), time.monotonic()
    for number, resource in enumerate((*resources[first:], *resources[:first]), first + 1):
        memory["next"] = number
        yield resource
        if time.monotonic() - begun > _ASKING:
            return
    memory["next"] = 0  # what the others need comes first, and tells first that it is away


def _watch_health(catalogue: Catalogue, resources: tuple[Resource, ...], memory: Memory) -> Readings:
    rests, now = memory.setdefault("rests", {}), time.time()
    for resource in _in_turn(resources, memory):
        kind = KINDS[resource.kind]
        if not now < rests.get(resource.id, 0.0) <= now + kind.rest:  # longer than that once the clock was set back
            health = look(catalogue.backend(resource).health, resource)
            if kind.rest and health.state is State.PASSED:
                rests[resource.id] = now + kind.rest
            yield resource, health_result(str(kind.check), health)


def _watch_live(name: str, check: LiveCheck) -> Watch:
    def watch(catalogue: Catalogue, resources: tuple[Resource, ...], memory: Memory) -> Readings:
        for resource in _in_turn(resources, memory):
            yield resource, health_result(name, look(check.read, catalogue, resource))

    return watch


def _watch_unanswered(catalogue: Catalogue, charts: tuple[Resource, ...], memory: Memory) -> Readings:
    """Of the charts that an apply or the job `check` found without an answer or a row, the next few are asked again."""
    keys = {dg.AssetCheckKey(asset_key(catalogue.project, one.id), str(KINDS[one.kind].check)): one for one in charts}
    latest = _instance().event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    waiting = [one for key, one in keys.items() if key in latest and latest[key].status is AssetCheckExecutionRecordStatus.FAILED]
    for chart in islice(_in_turn(waiting, memory), _CHARTS):
        yield chart, health_result(str(KINDS[chart.kind].check), look(catalogue.backend(chart).health, chart))


def _watch_filters(catalogue: Catalogue, resources: tuple[Resource, ...], memory: Memory) -> Readings:
    for job in _in_turn(resources, memory):
        for name, health in look_at_filters(catalogue, job).items():
            yield Resource(job.system, "filter", name, {}), health_result(MATCHES, health)


def _forget_old() -> None:
    try:
        forget(_instance(), datetime.now(UTC) - _KEPT)
    except Exception:  # what was found at this turn is told nevertheless
        log.exception("what is old stays in Dagster's storage, and is removed later")


def _watch_drift(catalogue: Catalogue, resources: tuple[Resource, ...], memory: Memory) -> Readings:
    _forget_old()
    silent: set[str] = set()  # systems whose health checks say that they do not answer; that is not drift, and waiting once is enough
    for resource in _in_turn(resources, memory):
        try:
            if resource.system not in silent:
                yield resource, sync_result(plan(catalogue.backend(resource), resource))
        except Unreachable:
            silent |= {resource.system, *_HANGS_WITHOUT.get(resource.system, ())}
        except Refused:
            continue
        except Exception as error:  # the others are looked at nevertheless
            log.exception("comparing %s with its spec failed", resource.id)
            yield resource, health_result(IN_SYNC, defect(error))
