"""The environment file: where this platform's systems answer, and where the secrets for them are."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from infra.credentials import for_connect, write_private
from infra.errors import PlatformError
from infra.platform import HOST, Platform

_ABOVE = "# Written anew at each start. What you add to sources beside `default`, servers elsewhere, stays: docs/environments.md\n"
_WAY_OUT = "correct it, or remove it: it is then written anew, without servers elsewhere"
REGISTRY_PATH = "/apis/ccompat/v7"  # of the API that Confluent's registry has


def write_environment(platform: Platform, registry: bool = False) -> None:
    """Write the file that a project is applied with; servers elsewhere, which somebody has added to its sources, stay in it. `registry`:
    whether the platform has a schema registry. Raises PlatformError."""
    platform.config.mkdir(parents=True, exist_ok=True)
    document = environment(platform) | (_registry(platform) if registry else {}) | alerts(platform)
    document["sources"] |= sources_elsewhere(platform)
    write_private(platform.environment_file, _ABOVE + yaml.safe_dump(document, sort_keys=False))


def environment(platform: Platform) -> dict[str, Any]:
    """The document; it holds references to secrets, never a secret."""

    def login(user: str, secret: str) -> dict[str, Any]:
        return {"user": user, "password": {"file": str(platform.secrets / secret)}}

    capture = login("headrace_capture", "capture") | {"reference": for_connect(platform)}
    return {
        "name": "local",
        "sources": {
            "default": {
                "host": HOST,
                "port": platform.port("postgres source"),
                "admin": login("headrace_admin", "source_admin"),
                "capture": capture,
            }
        },
        "kafka": {"bootstrap_servers": platform.address("kafka")},
        "connect": {"url": platform.url("connect")},
        "flink": {"url": platform.url("flink"), "gateway_url": platform.url("gateway")},
        "analytics": {
            "host": HOST,
            "port": platform.port("postgres analytics"),
            "database": "analyticsdb",
            "admin": login("analyticsuser", "analytics_admin"),
            "writer": login("headrace_writer", "writer"),
            "reader": login("headrace_reader", "reader"),
        },
        "superset": {
            "url": platform.url("superset"),
            "deployer": login("deployer", "superset_deployer"),
            "analyst_role": "Analyst of {project}",
        },
        "dagster": {"url": platform.url("dagster")},
    }


def sources_elsewhere(platform: Platform, of: Collection[str] | None = None) -> dict[str, Any]:
    """The servers that somebody has added beside the platform's own, by their sources' names: all, or of some. Raises PlatformError."""
    file = platform.environment_file
    match _written(file) if file.exists() else {"sources": {}}:
        case {"sources": dict(sources)}:
            added = {name: place for name, place in sources.items() if name != "default" and (of is None or name in of)}
            return {name: _with_reference(platform, name, place) for name, place in added.items()}
        case _:
            raise PlatformError(f"{file} has no `sources` with a server for each name; {_WAY_OUT}")


def only_sources(platform: Platform) -> bool:
    """Whether all that the state folder holds is this file, with servers elsewhere alone, as one writes it before the first start. Raises
    PlatformError."""
    state, config, file = platform.state, platform.config, platform.environment_file
    alone = file.is_file() and [*state.iterdir()] == [config] and [*config.iterdir()] == [file]
    written = _written(file) if alone else None
    return isinstance(written, dict) and [*written] == ["sources"]


class _KeysOnce(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping; YAML's own takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, here = str(key.value), key.start_mark.line + 1
            if name in lines:
                raise yaml.YAMLError(f"line {here} has the key `{name}` again, first on line {lines[name]}; expected each key once")
            lines[name] = here
        return super().construct_mapping(node, deep)


def _written(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(), _KeysOnce)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PlatformError(f"{file} cannot be read: {error}; {_WAY_OUT}") from None


def _with_reference(platform: Platform, name: str, place: Any) -> dict[str, Any]:
    match place:
        case {"capture": {"password": {"file": str()}}}:
            return place | {"capture": place["capture"] | {"reference": for_connect(platform, name)}}
        case _:
            what = f"{platform.environment_file}: sources.{name}.capture.password names no file"
            expected = "expected `{file: PATH}`: the platform's programs do not see your shell's variables"
            raise PlatformError(f"{what}; {expected}; correct it")


def capture_passwords(platform: Platform, of: Collection[str] | None = None) -> dict[str, str]:
    """What Kafka Connect logs in with on servers elsewhere, by their sources' names: all, or of some. Raises PlatformError."""
    return {name: _password(platform, name, place["capture"]) for name, place in sources_elsewhere(platform, of).items()}


def _password(platform: Platform, name: str, login: dict[str, Any]) -> str:
    path = login["password"]["file"]
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        what = f"{path}, the password of sources.{name}.capture in {platform.environment_file}, cannot be read"
        raise PlatformError(f"{what}: {getattr(error, 'strerror', 'not UTF-8')}; mend it") from None


def alerts(platform: Platform) -> dict[str, Any]:
    """Where to tell of checks that changed: nowhere, until somebody puts an address there."""
    file = platform.secrets / "alerts_url"
    return {"alerts": {"url": {"file": str(file)}}} if file.exists() else {}


def _registry(platform: Platform) -> dict[str, Any]:
    return {"registry": {"url": platform.url("registry") + REGISTRY_PATH}}
