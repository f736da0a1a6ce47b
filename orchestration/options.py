"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from orchestration.places import environment_file, project_folder

Folder = Annotated[
    Path, typer.Option("--project", "-p", help="Project folder.", default_factory=project_folder, show_default="the bookstore")
]
Endpoints = Annotated[
    Path,
    typer.Option("--environment", "-e", help="Environment file.", default_factory=environment_file, show_default="the embedded platform"),
]
