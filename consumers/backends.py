"""The effect door of this room."""

from consumers.subjects import SubjectBackend
from project.environment import Environment
from project.models import Project
from project.resources import Backend

__all__ = ["SubjectBackend", "open_backends"]


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    """Makes no connection."""
    return (SubjectBackend(project, environment),)
