"""The effect door of this room."""

from flink.event_log import EventLog
from flink.jobs import FlinkBackend
from flink.matches import Match
from flink.records import Letter, Places
from flink.writing import Outgoing, producer_of, write
from project.environment import Environment
from project.models import Project
from project.resources import Backend

__all__ = ["EventLog", "FlinkBackend", "Letter", "Match", "Outgoing", "Places", "open_backends", "producer_of", "write"]


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    """Makes no connection."""
    return (FlinkBackend(project, environment),)
