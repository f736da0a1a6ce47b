"""The environment file: where this platform's systems answer, and where the secrets for them are."""

from typing import Any

import yaml

from infra.credentials import write_private
from infra.platform import HOST, Platform

REGISTRY_PATH = "/apis/ccompat/v7"  # of the API that Confluent's registry has


def write_environment(platform: Platform, registry: bool = False) -> None:
    """Write the file that a project is applied with. `registry`: whether the platform has a schema registry."""
    platform.config.mkdir(parents=True, exist_ok=True)
    document = environment(platform) | (_registry(platform) if registry else {}) | alerts(platform)
    write_private(platform.environment_file, yaml.safe_dump(document, sort_keys=False))


def environment(platform: Platform) -> dict[str, Any]:
    """The document; it holds references to secrets, never a secret."""

    def login(user: str, secret: str) -> dict[str, Any]:
        return {"user": user, "password": {"file": str(platform.secrets / secret)}}

    capture = login("headrace_capture", "capture") | {"reference": f"${{file:{platform.secrets / 'connect.properties'}:capture}}"}
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


def alerts(platform: Platform) -> dict[str, Any]:
    """Where to tell of checks that changed: nowhere, until somebody puts an address there."""
    file = platform.secrets / "alerts_url"
    return {"alerts": {"url": {"file": str(file)}}} if file.exists() else {}


def _registry(platform: Platform) -> dict[str, Any]:
    return {"registry": {"url": platform.url("registry") + REGISTRY_PATH}}
