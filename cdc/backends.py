"""The effect door of this room."""

from cdc.consumers import ConsumerBackend
from cdc.debezium import ConnectBackend
from cdc.kafka import KafkaBackend
from cdc.postgres import PostgresBackend
from project.environment import Environment
from project.models import Project
from project.resources import Backend

__all__ = ["ConnectBackend", "ConsumerBackend", "KafkaBackend", "PostgresBackend", "open_backends"]


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    """Makes no connection."""
    kinds = PostgresBackend, KafkaBackend, ConnectBackend, ConsumerBackend
    return tuple(kind(project, environment) for kind in kinds)
