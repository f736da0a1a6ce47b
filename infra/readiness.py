"""Whether a component does its work, found out by asking the component itself."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Any

import grpc
import psycopg
import requests
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub
from tenacity import Retrying, retry_if_result, sleep_using_event, stop_after_delay, stop_when_event_set, wait_fixed

from infra import databases, programs, supervision
from infra.endpoints import REGISTRY_PATH
from infra.errors import PlatformError
from infra.platform import HOST, Platform
from infra.tasks import last_words

_PATIENCE = 3  # seconds for one question
_DEADLINE = 300
_RELAPSES = 20  # seconds in which a program that ends at once may try again


def wait_until_ready(platform: Platform, name: str, cancelled: Event, deadline: float = _DEADLINE) -> None:
    """Return when the component answers; raises PlatformError after `deadline` seconds, or when it keeps ending."""
    attempts = Retrying(
        retry=retry_if_result(lambda ready: not ready),
        stop=stop_after_delay(deadline) | stop_when_event_set(cancelled),
        sleep=sleep_using_event(cancelled),
        wait=wait_fixed(0.2),
        retry_error_callback=lambda state: False,
    )
    if not attempts(_Watch(platform, name).is_ready):
        reason = "was not waited for, as the start was broken off" if cancelled.is_set() else f"does not answer after {deadline:.0f} s"
        raise PlatformError(f"{name} {reason}{last_words(platform.logs / f'{name}.log')}")


class _Watch:
    """One component on its way up."""

    def __init__(self, platform: Platform, name: str) -> None:
        self.platform, self.name, self.first_failure = platform, name, float("inf")

    def is_ready(self) -> bool:
        """Ask once; raises PlatformError when the program has been ending again and again."""
        info = supervision.ask(self.platform, "getProcessInfo", self.name)
        if info["statename"] in ("BACKOFF", "FATAL"):
            self.first_failure = min(self.first_failure, time.monotonic())
            if info["statename"] == "FATAL" or time.monotonic() - self.first_failure > _RELAPSES:
                log = self.platform.logs / f"{self.name}.log"
                raise PlatformError(f"{self.name} does not stay up: {info['spawnerr']}{last_words(log)}")
        return info["statename"] == "RUNNING" and is_ready(self.platform, self.name)


def is_ready(platform: Platform, name: str) -> bool:
    """Ask one component, once. One without a question of its own is ready when it runs."""
    try:
        if name.startswith("dagster-code"):
            return _serves_code(programs.port(platform, name))
        if name.startswith("ingestion"):
            return requests.get(f"http://{HOST}:{programs.port(platform, name)}/health", timeout=_PATIENCE).ok
        return _QUESTIONS[name](platform) if name in _QUESTIONS else True
    except (psycopg.Error, requests.RequestException, KafkaException, grpc.RpcError, ValueError, KeyError, TypeError):
        return False


def _postgres(name: str) -> Callable[[Platform], bool]:
    def ask(platform: Platform) -> bool:
        with databases.connect(platform, name) as connection:
            return connection.execute("select 1").fetchone() == (1,)

    return ask


def _kafka(platform: Platform) -> bool:
    client = AdminClient({"bootstrap.servers": platform.address("kafka"), "log_level": 0})
    return bool(client.list_topics(timeout=_PATIENCE).brokers)


def _get(platform: Platform, port: str, path: str) -> requests.Response:
    return requests.get(platform.url(port) + path, timeout=_PATIENCE)


def _taskmanager(platform: Platform) -> bool:
    overview = _get(platform, "flink", "/overview")
    return overview.ok and overview.json()["taskmanagers"] > 0


def _serves_code(port: int | None) -> bool:
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        stub: Any = HealthStub(channel)  # its methods are made at run time
        reply = stub.Check(HealthCheckRequest(service="DagsterApi"), timeout=_PATIENCE)
    return reply.status == reply.SERVING


def _dagster_webserver(platform: Platform) -> bool:
    """Whether it knows of each project how its loading ended."""
    outcomes = _loaded(platform)
    return bool(outcomes) and all(outcomes.values())


def missing_projects(platform: Platform) -> dict[str, str]:
    """Those that Dagster could not load, and why. It is told to try them again first, for it remembers what failed."""
    try:
        for name, outcome in _loaded(platform).items():
            if "message" in outcome:
                with suppress(requests.RequestException):  # it takes its time, and is missing meanwhile
                    _ask_dagster(platform, _AGAIN % name)
        failed = {name: outcome for name, outcome in _loaded(platform).items() if "message" in outcome}
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        said = f"Dagster does not say which projects it has ({type(error).__name__})"
        raise PlatformError(f"{said}{last_words(platform.logs / 'dagster-webserver.log')}") from error
    return {name: [one["message"], *(cause["message"] for cause in one["causes"])][-1].strip() for name, one in failed.items()}


def _loaded(platform: Platform) -> dict[str, dict[str, Any]]:
    """How the loading of each project ended: empty while it goes on, with a message where it failed."""
    entries = _ask_dagster(platform, _LOADED)["workspaceOrError"]["locationEntries"]
    return {entry["name"]: entry["locationOrLoadError"] or {} for entry in entries}


def _ask_dagster(platform: Platform, query: str) -> dict[str, Any]:
    return requests.post(platform.url("dagster") + "/graphql", json={"query": query}, timeout=60).json()["data"]


_OUTCOME = "locationOrLoadError { __typename ... on PythonError { message causes { message } } }"
_LOADED = f"{{ workspaceOrError {{ ... on Workspace {{ locationEntries {{ name {_OUTCOME} }} }} }} }}"
_AGAIN = 'mutation { reloadRepositoryLocation(repositoryLocationName: "%s") { __typename } }'


def _answers(port: str, path: str) -> Callable[[Platform], bool]:
    return lambda platform: _get(platform, port, path).ok


_QUESTIONS: dict[str, Callable[[Platform], bool]] = {
    "postgres-source": _postgres("source"),
    "postgres-analytics": _postgres("analytics"),
    "kafka": _kafka,
    "connect": _answers("connect", "/connectors"),
    "flink-jobmanager": _answers("flink", "/overview"),
    "flink-taskmanager": _taskmanager,
    "flink-gateway": _answers("gateway", "/info"),
    "registry": _answers("registry", f"{REGISTRY_PATH}/subjects"),
    "superset": _answers("superset", "/login/"),  # /health is fine even on a broken installation
    "dagster-webserver": _dagster_webserver,
}
