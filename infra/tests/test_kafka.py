"""What the broker acknowledges is on the disk soon after, without an operating system that thinks of it."""

from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from infra.tests.throwaway import throwaway_broker

# Kafka begins with its chores half a minute after its start, and notes every minute up to where a log is on the disk.
_AT_ONCE = "log.initial.task.delay.ms=0\nlog.flush.offset.checkpoint.interval.ms=100\n"
soon = retry(retry=retry_if_result(lambda done: not done), stop=stop_after_delay(30), wait=wait_fixed(0.1))


def test_what_was_acknowledged_is_on_the_disk_soon_after(tmp_path: Path) -> None:
    with throwaway_broker(tmp_path / "platform", _AT_ONCE) as broker:
        bootstrap: dict[str, Any] = {"bootstrap.servers": broker.address("kafka")}
        admin = AdminClient(bootstrap)
        admin.create_topics([NewTopic("orders", 1, 1)])["orders"].result(30)
        producer = Producer(bootstrap)
        producer.produce("orders", b"placed")
        assert producer.flush(30) == 0
        points = broker.data / "kafka" / "recovery-point-offset-checkpoint"
        soon(lambda: points.exists() and "orders 0 1\n" in points.read_text())()
