"""The programs' configuration files: the templates of infra/config with this platform's paths and ports."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from string import Template

import yaml

from infra import artefacts
from infra.platform import HOST, PORTS, Platform
from infra.projects import RunningProject

TEMPLATES = Path(__file__).with_name("config")
# Where a program insists on a file's name or folder.
_PLACES = {
    "flink.yaml": "config/flink/config.yaml",
    "dagster.yaml": "data/dagster/dagster.yaml",
}


def path(platform: Platform, template: str) -> Path:
    """Where the file made from a template is."""
    return platform.state / _PLACES.get(template, f"config/{template}")


def render(platform: Platform, template: str) -> str:
    """The text of a configuration file."""
    ports = {name.replace(" ", "_"): platform.port(name) for name in PORTS}
    return Template((TEMPLATES / template).read_text()).substitute(
        ports,
        host=HOST,
        data=platform.data,
        scratch=platform.scratch,
        secrets=platform.secrets,
        plugins=artefacts.home(artefacts.PLUGINS),
    )


def workspace(platform: Platform, projects: Iterable[RunningProject]) -> str:
    """Where Dagster finds the definitions of each project."""
    servers = [{"host": HOST, "port": one.code_port(platform), "location_name": one.name} for one in projects]
    return yaml.safe_dump({"load_from": [{"grpc_server": server} for server in servers]}, sort_keys=False)


def write_all(platform: Platform, projects: Iterable[RunningProject]) -> None:
    """Write every file whose text has changed; PostgreSQL's go into its data folder instead, see databases."""
    write(path(platform, "workspace.yaml"), workspace(platform, projects))
    for template in sorted(TEMPLATES.iterdir()):
        write(path(platform, template.name), render(platform, template.name))


def write(target: Path, text: str) -> None:
    """Leave an equal file alone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


def digest(*texts: str) -> str:
    """Changes when what a program reads at its start changes, which is when it must be started anew."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def flink_java_options(platform: Platform) -> list[str]:
    """The options that Flink's own scripts would read from its configuration."""
    return yaml.safe_load(render(platform, "flink.yaml"))["env.java.opts.all"].split()
