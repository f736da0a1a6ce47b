"""The SQL gateway: statements of one session, each waited for, errors by their last cause."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from flink.rest import Rest
from project.resources import Refused

_PATIENCE = 180  # seconds for one statement; submitting a job takes 1–4, planning 25 filters on a busy machine over a minute
_SPLIT = "table.generated-code.max-length"
_LOOK = 0.02  # seconds between two looks: a table is there in less than a tenth of a second, and a stream has a dozen


class Gateway:
    def __init__(self, url: str) -> None:
        self._rest = Rest(url, "Flink's SQL gateway", "start it, then apply again")

    @contextmanager
    def session(self, properties: Mapping[str, str]) -> Iterator["Session"]:
        """A session of its own: its tables end with it, its jobs stay."""
        handle = self._rest.call("POST", "/v4/sessions", {"properties": dict(properties)})["sessionHandle"]
        try:
            yield Session(self._rest, f"/v4/sessions/{handle}")
        finally:
            with suppress(Refused):  # it ends by itself as well, and whatever came before says more
                self._rest.call("DELETE", f"/v4/sessions/{handle}")


class Session:
    def __init__(self, rest: Rest, path: str) -> None:
        self._rest, self._path = rest, path

    def explain(self, statement: str) -> None:
        """Have a job planned and not submitted; raises Refused if Flink cannot."""
        self.execute(f"set '{_SPLIT}' = '{10**9}'")  # most of the time would go into splitting code that is never compiled
        self.execute(statement.replace("execute", "explain", 1))
        self.execute(f"reset '{_SPLIT}'")

    def execute(self, statement: str) -> None:
        """Run one statement to its end. A job ends when it is submitted."""
        operation = self._rest.call("POST", f"{self._path}/statements", {"statement": statement})["operationHandle"]
        token = 0
        while self._page(operation, token)["resultType"] != "EOS":
            token += 1

    def _page(self, operation: str, token: int) -> dict[str, Any]:
        path = f"{self._path}/operations/{operation}/result/{token}?rowFormat=JSON"
        ready = Retrying(
            retry=retry_if_result(lambda page: page["resultType"] == "NOT_READY"), stop=stop_after_delay(_PATIENCE), wait=wait_fixed(_LOOK),
            retry_error_callback=lambda state: _too_slow(),
        )  # fmt: skip
        return ready(self._rest.call, "GET", path)


def _too_slow() -> dict[str, Any]:
    raise Refused(f"Flink's SQL gateway did not finish a statement within {_PATIENCE} s; look at its log, then apply again")
