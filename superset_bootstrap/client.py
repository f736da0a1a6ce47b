"""Superset over HTTP: login, generic calls by kind, export and import. Errors are sentences with the last cause."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import ReadTimeoutError

from project.environment import Superset
from project.resources import Refused, Unreachable
from superset_bootstrap.bundles import FOLDERS
from superset_bootstrap.observed import read_archive

_SECONDS = (5, 60)  # to connect, to answer
_PAGE = 100  # Superset's largest
_ASKED = 50  # uuids or ids in one address: gunicorn takes no longer line than 4,094 bytes, and a uuid needs 45 of them
# The form fields of its import endpoints carry the archive under this name.
_ARCHIVE = "formData"


class _Again(Retry):
    """A worker that restarts drops connections, and is asked again; one that stands still is waited for once: sensors take turns."""

    def increment(self, *arguments: Any, **named: Any) -> Self:
        if isinstance(error := named.get("error"), ReadTimeoutError):
            raise error
        return super().increment(*arguments, **named)


class SupersetClient:
    """One login, renewed when Superset no longer knows it; one call at a time. No call is made before the first that needs an answer."""

    def __init__(self, superset: Superset) -> None:
        self.url = superset.url.rstrip("/")
        self._login = superset.deployer
        self._session = requests.Session()
        self._calling = Lock()
        # Reading again is safe, writing again is left to the caller.
        retry = _Again(total=3, backoff_factor=0.3, status_forcelist=(502, 503, 504), allowed_methods={"GET"}, raise_on_status=False)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def rows(self, kind: str, condition: str, columns: Iterable[str]) -> dict[str, dict[str, Any]]:
        """All rows of a list whose filter, written in rison, holds, by uuid; page by page."""
        found: dict[str, dict[str, Any]] = {}
        # Titles repeat, and rows that compare equal may change places between pages: the time of change does not.
        order = "order_column:changed_on_delta_humanized,order_direction:asc"
        for page in itertools.count():
            query = f"(filters:!({condition}),columns:!({','.join(columns)}),{order},page:{page},page_size:{_PAGE})"
            answer = self.call("GET", f"{kind}/", params={"q": query}).json()
            found |= {row["uuid"]: row for row in answer["result"]}
            if (page + 1) * _PAGE >= answer["count"]:
                return found
        raise AssertionError("unreachable")

    def rows_by_uuid(self, kind: str, uuids: Iterable[str], columns: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Rows of a list for those uuids that exist."""
        wanted, columns = sorted(uuids), tuple(columns)
        found: dict[str, dict[str, Any]] = {}
        for chunk in _chunks(wanted):
            # The database list knows no "in"; there is one database per project.
            condition = f"(col:uuid,opr:eq,value:'{chunk[0]}')" if kind == "database" else f"(col:uuid,opr:in,value:!({_quoted(chunk)}))"
            found |= self.rows(kind, condition, columns)
        return found

    def exported(self, kind: str, ids: Iterable[int]) -> dict[str, dict[str, Any]]:
        """Exported documents by uuid: those of one kind, and the datasets and charts that they refer to."""
        # A database is complete only in its own export, and a dataset only in any other.
        folders = {folder for other, folder in FOLDERS.items() if (other == "database") == (kind == "database")}
        found: dict[str, dict[str, Any]] = {}
        for chunk in _chunks(sorted(ids)):
            found |= read_archive(self.call("GET", f"{kind}/export/", params={"q": f"!({','.join(map(str, chunk))})"}).content, folders)
        return found

    def import_archive(self, kind: str, archive: bytes, passwords: Mapping[str, str]) -> None:
        """Create or overwrite what the archive holds of its kind, and create what is missing of the rest, which it refers to."""
        self.call(
            "POST",
            f"{kind}/import/",
            files={_ARCHIVE: ("headrace.zip", archive, "application/zip")},
            data={"overwrite": "true", "passwords": json.dumps(passwords)},
        )

    def chart_data(self, chart_number: int, fresh: bool = False) -> list[dict[str, Any]]:
        """The rows that a chart shows, past any cache if fresh; Refused with the database's reason."""
        answer = self.call("GET", f"chart/{chart_number}/data/", params={"force": "true"} if fresh else None)
        return answer.json()["result"][0]["data"]

    def call(self, method: str, path: str, **request: Any) -> requests.Response:
        """One call below /api/v1/; raises Refused or Unreachable."""
        with self._calling:
            if "Authorization" not in self._session.headers:
                self._log_in()
            answer = self._send(method, path, **request)
            if _is_logged_out(answer):
                self._log_in()
                answer = self._send(method, path, **request)
        if not answer.ok:
            raise Refused(f"Superset refused {method} {path.split('?')[0]}: {reason_of(answer)}")
        return answer

    def _log_in(self) -> None:
        self._session.headers.pop("Authorization", None)
        body = {"username": self._login.user, "password": self._login.password.reveal(), "provider": "db"}
        answer = self._send("POST", "security/login", json=body)
        if not answer.ok:
            reason = f"refused the login of {self._login.user}: {reason_of(answer)}"
            raise Refused(f"Superset at {self.url} {reason}; correct superset.deployer in the environment")
        authorization = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        answer = self._send("GET", "security/csrf_token/", headers=authorization)
        if not answer.ok:
            raise Refused(f"Superset at {self.url} let {self._login.user} in, and gives no token: {reason_of(answer)}; try again")
        self._session.headers.update({**authorization, "X-CSRFToken": answer.json()["result"], "Referer": self.url})

    def _send(self, method: str, path: str, **request: Any) -> requests.Response:
        try:
            return self._session.request(method, f"{self.url}/api/v1/{path}", timeout=_SECONDS, **request)
        except requests.RequestException as error:
            place = f"Superset does not answer at {self.url} ({_cause(error)})"
            raise Unreachable(f"{place}; start it, or correct superset.url in the environment") from error


def _chunks(wanted: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (wanted[start : start + _ASKED] for start in range(0, len(wanted), _ASKED))


def reason_of(answer: requests.Response) -> str:
    """The last cause in an error answer, in one line."""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return f"HTTP {answer.status_code}"
    errors = body.get("errors") if isinstance(body, dict) else None
    message = errors[-1].get("message") if errors else body.get("message") or body.get("msg") if isinstance(body, dict) else body
    return " ".join(str(message or f"HTTP {answer.status_code}").split())


def rison_text(text: str) -> str:
    """As it stands between single quotes in rison, the notation of Superset's queries."""
    return text.replace("!", "!!").replace("'", "!'")


def _is_logged_out(answer: requests.Response) -> bool:
    """Its token is over; or 422: another key has signed it, or the clock was set back. Superset's own 422 say `message` or `errors`."""
    return answer.status_code == 401 or (answer.status_code == 422 and re.match(rb'\s*{\s*"msg"', answer.content) is not None)


def _cause(error: BaseException) -> str:
    reason = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    return str(reason).rsplit(": ", 1)[-1]


def _quoted(values: Iterable[str]) -> str:
    return ",".join(f"'{value}'" for value in values)
