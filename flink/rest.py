"""Requests to Flink's two REST endpoints, with their failures told in the words of the last cause."""

import re
from typing import Any

import requests

from project.resources import Refused, Unreachable

TIMEOUT = 10  # seconds for one request


class Rest:
    """JSON over HTTP to one endpoint; raises Unreachable or Refused, nothing else."""

    def __init__(self, url: str, name: str, remedy: str) -> None:
        self.url, self._name, self._remedy = url.rstrip("/"), name, remedy

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON, None if it is empty."""
        try:
            answer = requests.request(method, self.url + path, json=body, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise Unreachable(f"{self._name} at {self.url} does not answer ({type(error).__name__}); {self._remedy}") from error
        if answer.ok:
            return answer.json() if answer.content else None
        raise Refused(f"{self._name}: {last_cause(_errors(answer))}")


def _errors(answer: requests.Response) -> str:
    try:
        return "\n".join(answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.text}"


def last_cause(trace: str) -> str:
    """The message of the innermost exception of a Java stack trace, without class names and frames."""
    text = trace.rsplit("Caused by: ", 1)[-1].rsplit("Exception on server side:", 1)[-1].strip().lstrip("<")
    message = re.split(r"\n\s*(?:at |\.\.\. \d+ more|End of exception)", text, maxsplit=1)[0]
    joined = " ".join(line.strip() for line in message.splitlines())
    return re.sub(r"^(?:[a-z_][\w$]*\.)+[A-Z][\w$.]*:\s+", "", joined)
