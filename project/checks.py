"""Checks between the specs."""

from collections.abc import Mapping, Set

from project.models import Project
from project.problems import Problem
from project.selects import Select


def check_project(project: Project, selects: Mapping[str, Select], broken: Set[str]) -> list[Problem]:
    return []
