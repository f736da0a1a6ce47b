"""Whether a component is taken for ready."""

from pathlib import Path

import pytest
import requests

from infra import readiness
from infra.platform import Platform


def test_pages_that_cannot_answer_yet_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = requests.Response()
    answer.status_code, answer._content = 200, b'{"data": null, "errors": [{"message": "not yet"}]}'
    monkeypatch.setattr(requests, "post", lambda *_, **__: answer)
    assert not readiness.is_ready(Platform(tmp_path, tmp_path / "state"), "dagster-webserver")
