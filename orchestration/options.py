"""Options that several commands have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from orchestration.places import environment_file, project_folder
from project.problems import listed, suggestion

T = TypeVar("T")

Folder = Annotated[
    Path, typer.Option("--project", "-p", help="Project folder.", default_factory=project_folder, show_default="the bookstore")
]
Endpoints = Annotated[
    Path,
    typer.Option("--environment", "-e", help="Environment file.", default_factory=environment_file, show_default="the embedded platform"),
]


def named(name: str, known: Mapping[str, T], kind: str) -> T:
    """What a command was called with; leaves it with 2, and says what there is, if nothing has that name."""
    if name not in known:
        said = f"no {kind} is called {escape(name)}; {suggestion(name, known, f'there is {listed(known)}')}"
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]{said}[/]")
        raise typer.Exit(2)
    return known[name]
