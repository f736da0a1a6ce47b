"""Secrets: generated once, for their owner's eyes only, and nowhere but in their files."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import configuration, credentials, endpoints, programs, supervision
from infra.errors import PlatformError
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


def test_a_server_elsewhere_stays_in_the_environment_and_kafka_connect_finds_its_password(platform: Platform, tmp_path: Path) -> None:
    add(platform, crm=elsewhere(tmp_path, "c:\\x=1"))
    for _ in range(2):
        credentials.generate(platform, [], endpoints.capture_passwords(platform))
        endpoints.write_environment(platform)
    sources = yaml.safe_load(platform.environment_file.read_text())["sources"]
    assert list(sources) == ["default", "crm"]
    assert sources["crm"]["host"] == "db.internal"
    assert sources["crm"]["capture"]["reference"] == f"${{file:{platform.secrets}/connect.properties:capture.crm}}"
    assert contents(platform)["connect.properties"].splitlines()[1] == r"capture.crm=c:\\x=1"  # Java reads two as one


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda place: place["capture"].update(password={"env": "CRM_PASSWORD"}), "sources.crm.capture.password names no file"),
        (lambda place: place.pop("capture"), "sources.crm.capture.password names no file"),
        (lambda place: place["capture"].update(password={"file": "/nowhere"}), "/nowhere, the password of sources.crm.capture in "),
    ],
)
def test_a_server_elsewhere_without_a_password_to_read_is_told(
    platform: Platform, tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    place = elsewhere(tmp_path, "secret")
    change(place)
    add(platform, crm=place)
    with pytest.raises(PlatformError, match=re.escape(said)):
        endpoints.capture_passwords(platform)


def test_only_programs_whose_project_has_the_source_are_started_anew_for_it(platform: Platform, tmp_path: Path) -> None:
    for project, source in (("sales", "crm"), ("stock", "warehouse")):
        (tmp_path / project / "sources").mkdir(parents=True)
        (tmp_path / project / "sources" / f"{source}.yaml").touch()
    before = [programs.project_environment(platform, tmp_path / project) for project in ("sales", "stock")]
    add(platform, crm=elsewhere(tmp_path, "secret"))
    after = [programs.project_environment(platform, tmp_path / project) for project in ("sales", "stock")]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]


NONE = "has no `sources`"
AGAIN = "cannot be read: line {} has the key `{}` again, first on line {}; expected each key once; correct it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: [", "cannot be read"),
        ("sources:\n", NONE),
        ("- a", NONE),
        ("sources: {}\nname: local\nsources: {}\n", AGAIN.format(3, "sources", 1)),
        ("sources:\n  crm: {host: a, host: b}\n", AGAIN.format(2, "host", 2)),
    ],
)
def test_an_environment_file_that_was_broken_is_told_and_kept(platform: Platform, text: str, said: str) -> None:
    endpoints.write_environment(platform)
    platform.environment_file.write_text(text)
    with pytest.raises(PlatformError, match=said):
        endpoints.write_environment(platform)
    assert platform.environment_file.read_text() == text


def elsewhere(folder: Path, password: str) -> dict[str, Any]:
    (folder / "password").write_text(f"{password}\n")
    login = {"user": "someone", "password": {"file": str(folder / "password")}}
    return {"host": "db.internal", "admin": dict(login), "capture": dict(login)}


def add(platform: Platform, **sources: dict[str, Any]) -> None:
    """As a person does who edits the file."""
    endpoints.write_environment(platform)
    written = yaml.safe_load(platform.environment_file.read_text())
    written["sources"] |= sources
    platform.environment_file.write_text(yaml.safe_dump(written))


def _checkout(platform: Platform) -> Platform:
    return Platform(Path(__file__).resolve().parents[2], platform.state, platform.port_base)
