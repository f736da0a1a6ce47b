"""The effect door of this room."""

from flink.jobs import FlinkBackend
from flink.matches import Match
from flink.records import Letter
from project.environment import Environment
from project.models import Project
from project.resources import Backend

__all__ = ["FlinkBackend", "Letter", "Match", "open_backends"]


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    """Makes no connection."""
    return (FlinkBackend(project, environment),)
