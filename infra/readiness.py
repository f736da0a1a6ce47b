"""Whether a component does its work, found out by asking the component itself."""

from collections.abc import Callable

import grpc
import psycopg
import requests
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra import databases, supervision
from infra.platform import Platform

_PATIENCE = 3  # seconds for one question
_DEADLINE = 180


class NotReady(Exception):
    """A component does not come up; the text has its last words and says where the rest is."""


def is_ready(platform: Platform, name: str) -> bool:
    """Ask one component, once. A component without a question of its own is ready when it runs."""
    question = _QUESTIONS.get(name)
    if question is None:
        return supervision.ask(platform, "getProcessInfo", name)["statename"] == "RUNNING"
    try:
        return question(platform)
    except (psycopg.Error, requests.RequestException, KafkaException, grpc.RpcError, ValueError):
        return False


def wait_until_ready(platform: Platform, name: str, deadline: float = _DEADLINE) -> None:
    """Return when the component answers; raises NotReady after `deadline` seconds, or as soon as it keeps ending."""
    attempts = Retrying(
        retry=retry_if_result(lambda ready: not ready),
        stop=stop_after_delay(deadline),
        wait=wait_fixed(0.2),
        retry_error_callback=lambda state: False,
    )
    if not attempts(_ready_or_given_up, platform, name):
        raise NotReady(f"{name} does not answer after {deadline:.0f} s{_last_words(platform, name)}")


def _ready_or_given_up(platform: Platform, name: str) -> bool:
    info = supervision.ask(platform, "getProcessInfo", name)
    if info["statename"] in ("BACKOFF", "FATAL"):
        raise NotReady(f"{name} does not stay up: {info['spawnerr']}{_last_words(platform, name)}")
    return is_ready(platform, name)


def _last_words(platform: Platform, name: str) -> str:
    path = platform.logs / f"{name}.log"
    lines = path.read_text(errors="replace").splitlines()[-12:] if path.exists() else []
    return "\n  " + "\n  ".join([*lines, f"(all of it: {path})"])


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


def _dagster_code(platform: Platform) -> bool:
    with grpc.insecure_channel(platform.address("dagster code")) as channel:
        reply = HealthStub(channel).Check(HealthCheckRequest(service="DagsterApi"), timeout=_PATIENCE)
    return reply.status == reply.SERVING


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
    "superset": _answers("superset", "/login/"),  # /health is fine even on a broken installation
    "dagster-code": _dagster_code,
    "dagster-webserver": _answers("dagster", "/server_info"),
}
