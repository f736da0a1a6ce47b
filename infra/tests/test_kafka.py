"""What the broker acknowledges is on the disk soon after, without an operating system that thinks of it."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from infra import artefacts, configuration, programs, readiness
from infra.platform import PORTS, Platform
from infra.start import format_kafka
from infra.tests.throwaway import ROOT

# Kafka begins with its chores half a minute after its start, and notes every minute up to where a log is on the disk.
_AT_ONCE = "log.initial.task.delay.ms=0\nlog.flush.offset.checkpoint.interval.ms=100\n"
soon = retry(retry=retry_if_result(lambda done: not done), stop=stop_after_delay(30), wait=wait_fixed(0.1))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Platform]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        platform = Platform(ROOT, tmp_path / "platform", server.getsockname()[1] - PORTS["kafka"])
    artefacts.fetch(artefact for artefact in artefacts.of_this_machine(artefacts.read_lock()) if artefact.folder == "kafka")
    for part in (platform.logs, platform.scratch):
        part.mkdir(parents=True)
    configuration.write_all(platform, ())
    with configuration.path(platform, "kafka.properties").open("a") as settings:
        settings.write(f"\n{_AT_ONCE}")
    format_kafka(platform)
    [program] = [program for program in programs.all_programs(platform, ()) if program.name == "kafka"]
    with (platform.logs / "kafka.log").open("w") as log:
        process = subprocess.Popen(program.command, stdout=log, stderr=log)
    try:
        soon(readiness.is_ready)(platform, "kafka")
        yield platform
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


def test_what_was_acknowledged_is_on_the_disk_soon_after(broker: Platform) -> None:
    bootstrap: dict[str, Any] = {"bootstrap.servers": broker.address("kafka")}
    admin = AdminClient(bootstrap)
    admin.create_topics([NewTopic("orders", 1, 1)])["orders"].result(30)
    producer = Producer(bootstrap)
    producer.produce("orders", b"placed")
    assert producer.flush(30) == 0
    points = broker.data / "kafka" / "recovery-point-offset-checkpoint"
    soon(lambda: points.exists() and "orders 0 1\n" in points.read_text())()
