"""What Dagster's pages show, asked over the same interface as they ask."""

from dataclasses import dataclass
from typing import Any

import requests

_CHECKS = """{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks { name
  executionForLatestMaterialization { status evaluation { severity description } } } } } } }"""
_RUNS = "{ runsOrError(limit: 1000) { ... on Runs { results { id } } } }"


@dataclass(frozen=True)
class Check:
    """The latest state of one check."""

    passed: bool
    red: bool  # else it is yellow, if it has not passed
    text: str


class Graph:
    def __init__(self, url: str) -> None:
        self._url = f"{url}/graphql"

    def checks(self) -> dict[str, Check]:
        """All evaluated checks by `<kind>/<name>:<check>`; of those that several projects have, one that has not passed if there is any."""
        found = dict[str, Check]()
        for node in self._ask(_CHECKS)["assetNodes"]:
            for check in node["assetChecksOrError"].get("checks", []):
                execution = check["executionForLatestMaterialization"]
                key = f"{'/'.join(node['assetKey']['path'][1:])}:{check['name']}"
                said, passed = execution and execution["evaluation"], execution and execution["status"] == "SUCCEEDED"
                if said and (key not in found or found[key].passed):
                    found[key] = Check(passed, not passed and said["severity"] == "ERROR", said["description"] or "")
        return found

    def red(self) -> dict[str, str]:
        return {key: check.text for key, check in self.checks().items() if check.red}

    def not_green(self) -> dict[str, str]:
        """Red, or yellow."""
        return {key: check.text for key, check in self.checks().items() if not check.passed}

    def runs(self) -> set[str]:
        return {run["id"] for run in self._ask(_RUNS)["runsOrError"]["results"]}

    def _ask(self, query: str) -> dict[str, Any]:
        answer = requests.post(self._url, json={"query": query}, timeout=120).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]
