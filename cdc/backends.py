"""The effect door of this room."""

from cdc.debezium import ConnectBackend
from cdc.kafka import KafkaBackend
from cdc.postgres import PostgresBackend
from project.environment import Environment
from project.models import Project
from project.resources import Backend

__all__ = ["ConnectBackend", "KafkaBackend", "PostgresBackend", "open_backends"]


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    """Makes no connection."""
    return PostgresBackend(project, environment), KafkaBackend(project, environment), ConnectBackend(project, environment)
