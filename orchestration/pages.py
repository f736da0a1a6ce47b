"""Dagster's pages and sensors after an apply from elsewhere: they must know the specs that were applied."""

from typing import Any

import requests

from orchestration.catalogue import Catalogue

_TIMEOUT = 60  # seconds; a reload compiles the project anew
_VERSIONS = "{ assetNodes { assetKey { path } opVersion } }"
_RELOAD = 'mutation {{ reloadRepositoryLocation(repositoryLocationName: "{}") {{ __typename }} }}'


def refresh_pages(catalogue: Catalogue) -> str | None:
    """Let Dagster load the specs anew if it holds others; returns None, or why it could not be told."""
    wanted = {(catalogue.project.name, *resource.id.split("/")): resource.digest for resource in catalogue.resources}
    url = f"{catalogue.environment.dagster.url}/graphql"
    try:
        nodes = [(tuple(node["assetKey"]["path"]), node["opVersion"]) for node in _ask(url, _VERSIONS)["assetNodes"]]
        held = {path: version for path, version in nodes if version and path[0] == catalogue.project.name}
        if held and held != wanted:
            _ask(url, _RELOAD.format(catalogue.project.name))
    except (requests.RequestException, KeyError, ValueError, TypeError) as error:
        cause = type(error).__name__
        return f"Dagster at {url} could not be told of the new specs ({cause}); reload its definitions on its page Deployment"
    return None


def _ask(url: str, query: str) -> dict[str, Any]:
    answer = requests.post(url, json={"query": query}, timeout=_TIMEOUT)
    answer.raise_for_status()
    return answer.json()["data"]
