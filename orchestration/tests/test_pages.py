"""Telling Dagster's pages of what was applied."""

import pytest
import requests

from orchestration.catalogue import Catalogue
from orchestration.pages import refresh_pages


def test_pages_that_cannot_answer_are_told_and_fail_no_apply(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    answer = requests.Response()
    answer.status_code, answer._content = 200, b'{"data": null, "errors": [{"message": "not yet"}]}'
    monkeypatch.setattr(requests, "post", lambda *_, **__: answer)
    assert "could not be told of the new specs" in (refresh_pages(catalogue) or "")
