"""Kafka Connect's REST interface."""

from collections.abc import Mapping
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from project.resources import Refused, Unreachable

_TIMEOUT, _TIMEOUT_OF_CHANGES = 15, 60  # seconds for one request; a new configuration is tried on the source before Connect takes it
_TIMEOUT_OF_OFFSETS = 5  # seconds; Connect reads them from Kafka, and waits for it
_REBALANCE = 60  # seconds; while Connect shares out its work anew it answers 409


class _Rebalancing(Exception):
    pass


class Connect:
    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def config(self, name: str) -> dict[str, str] | None:
        return self._call("GET", f"/connectors/{name}/config")

    def status(self, name: str) -> dict[str, Any] | None:
        """connector.state, tasks[].{id, state, trace}"""
        return self._call("GET", f"/connectors/{name}/status")

    def position(self, name: str) -> int | None:
        """How far a PostgreSQL connector has stored to have read its server's log, in bytes; None before it has."""
        answer = self._call("GET", f"/connectors/{name}/offsets", timeout=_TIMEOUT_OF_OFFSETS) or {}
        stored = (one["offset"] or {} for one in answer.get("offsets", ()))
        return max((int(offset["lsn"]) for offset in stored if "lsn" in offset), default=None)

    def put(self, name: str, config: dict[str, str]) -> None:
        self._call("PUT", f"/connectors/{name}/config", config)

    def stop(self, name: str) -> None:
        self._call("PUT", f"/connectors/{name}/stop")

    def resume(self, name: str) -> None:
        self._call("PUT", f"/connectors/{name}/resume")

    def restart_failed(self, name: str) -> None:
        self._call("POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")

    def delete_offsets(self, name: str) -> None:
        """Only for a stopped connector."""
        self._call("DELETE", f"/connectors/{name}/offsets")

    def delete(self, name: str) -> None:
        self._call("DELETE", f"/connectors/{name}")

    def owned(self, project: str) -> Mapping[str, dict[str, str]]:
        """Names and configurations of the connectors that carry the project's mark."""
        found: dict[str, Any] = self._call("GET", "/connectors?expand=info") or {}
        # One that is just being deleted has no info.
        configs = {name: connector["info"]["config"] for name, connector in sorted(found.items()) if connector.get("info")}
        return {name: config for name, config in configs.items() if config.get("headrace.project") == project}

    def _call(self, method: str, path: str, body: Any = None, timeout: int | None = None) -> Any:
        """The answer's JSON; None where Connect knows no such connector or says nothing."""
        rebalanced = retry_if_exception_type(_Rebalancing)
        try:
            return Retrying(retry=rebalanced, stop=stop_after_delay(_REBALANCE), wait=wait_fixed(0.5), reraise=True)(
                self._once, method, path, body, timeout or (_TIMEOUT if method == "GET" else _TIMEOUT_OF_CHANGES)
            )
        except _Rebalancing as error:
            raise Refused(f"Kafka Connect at {self.url} was rebalancing for {_REBALANCE} s; look at its log, then apply again") from error

    def _once(self, method: str, path: str, body: Any, timeout: int) -> Any:
        try:
            answer = requests.request(method, self.url + path, json=body, timeout=timeout)
        except requests.RequestException as error:
            raise Unreachable(f"Kafka Connect at {self.url} does not answer ({type(error).__name__}); start it, then try again") from error
        if answer.status_code == 404 and "error_code" in answer.text:  # else it is Jetty's own, while Connect starts
            return None
        if answer.status_code == 409:
            raise _Rebalancing
        if not answer.ok:
            raise self._failure(method, path, answer)
        return answer.json() if answer.content else None

    def _failure(self, method: str, path: str, answer: requests.Response) -> Refused:
        try:
            said = answer.json()["message"].strip()
        except (ValueError, KeyError, TypeError):
            said = ""
        status = f"{answer.status_code} {answer.reason}"
        if (answer.status_code >= 500 or answer.status_code == requests.codes.not_found) and not said:
            return Unreachable(f"Kafka Connect at {self.url} answers {status}, as while it starts or stops; look at its log, and start it")
        return Refused(f"Kafka Connect refused {method} {path.partition('?')[0]}: {said or status}")
