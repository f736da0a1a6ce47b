"""Secrets: generated once, for their owner's eyes only, and nowhere but in their files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import configuration, credentials, endpoints, programs, supervision
from infra.platform import Platform
from infra.projects import RunningProject


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    before = os.umask(0o022)
    platform = Platform(tmp_path, tmp_path / "state")
    credentials.generate(platform)
    yield platform
    os.umask(before)


def contents(platform: Platform) -> dict[str, str]:
    return {file.name: file.read_text() for file in platform.secrets.iterdir()}


def test_only_the_owner_can_read_them(platform: Platform) -> None:
    assert platform.secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in platform.secrets.iterdir()} == {0o600}


def test_they_are_long_and_all_different(platform: Platform) -> None:
    values = [credentials.reveal(platform, name) for name in credentials.NAMES]
    assert len(set(values)) == len(values)
    assert min(map(len, values)) >= 32


def test_a_second_start_keeps_them(platform: Platform) -> None:
    before = contents(platform)
    credentials.generate(platform)
    assert contents(platform) == before


def test_other_programs_find_theirs_in_the_form_they_read(platform: Platform) -> None:
    files = contents(platform)
    assert files["connect.properties"] == f"capture={files['capture']}\n"
    assert files["pgpass"] == f"127.0.0.1:18033:*:headrace_writer:{files['writer']}\n"


def test_they_stand_in_no_configuration_and_no_command(platform: Platform, tmp_path: Path) -> None:
    configuration.write_all(platform, [])
    endpoints.write_environment(platform)
    written = [file.read_text() for file in platform.state.rglob("*") if file.is_file() and platform.secrets not in file.parents]
    supervised = supervision.configuration(platform, programs.all_programs(_checkout(platform), [RunningProject("shop", tmp_path)]))
    everything = "\n".join([*written, supervised])
    assert "headrace_capture" in everything  # the logins are there
    assert not [name for name in credentials.NAMES if credentials.reveal(platform, name) in everything]


def _checkout(platform: Platform) -> Platform:
    return Platform(Path(__file__).resolve().parents[2], platform.state, platform.port_base)
