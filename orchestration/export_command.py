"""The command that turns a dashboard built in Superset into a file of the project."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.markup import escape

from orchestration.options import Endpoints, Folder
from project.environment import read_environment
from project.loader import load_project

err = Console(stderr=True, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: headrace export-dashboard my-board -p shop --to shop/dashboards/my-board.yaml")(export_dashboard)


def export_dashboard(
    project: Folder, environment: Endpoints,
    slug: Annotated[str, typer.Argument(help="The last part of the dashboard's address: a word or a number.")],
    to: Annotated[Path | None, typer.Option(help="The file to write; without it the spec is printed.")] = None,
) -> None:  # fmt: skip
    """Turn a dashboard that was built by hand in Superset into a spec of the project."""
    loaded, endpoints = load_project(project), read_environment(environment)
    from superset_bootstrap.backends import export_dashboard as export

    exported = export(loaded, endpoints, slug)
    for sentence in exported.left_out:
        err.print(f"[yellow]left out: {escape(sentence)}[/]")
    text = written(exported.spec)
    if to is None:
        print(text, end="")
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(text)
    err.print(f"written to {to}; `headrace plan` says what an apply would do")


def written(spec: dict[str, Any]) -> str:
    """A spec as people write it: keys in their order, texts of several lines as blocks."""
    return yaml.dump(spec, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and nothing as a reference to something above."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
