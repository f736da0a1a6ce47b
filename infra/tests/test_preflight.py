"""What is told before anything starts, and that all of it is told at once."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from infra import lifecycle, preflight, projects
from infra.errors import PlatformError
from infra.platform import MARKED, PORTS, Platform


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """One that has room enough on any machine."""
    monkeypatch.setattr(preflight, "_FREE_DISK", 0)
    monkeypatch.setattr(preflight, "_FREE_MEMORY", 0)
    return Platform(tmp_path, tmp_path / "state", _free_base())


def _free_base() -> int:
    return next(base for base in range(21400, 30000, 100) if not any(preflight._is_taken(base + offset) for offset in PORTS.values()))


def take(port: int) -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def test_a_good_machine_has_no_problems(platform: Platform) -> None:
    assert preflight.problems(platform) == []


def test_a_taken_port_is_told_with_its_use_its_owner_and_the_way_out(platform: Platform) -> None:
    with take(platform.port("kafka")):
        (problem,) = preflight.problems(platform)
    owner = f"process {os.getpid()} ({psutil.Process().name()})"
    said = f"port {platform.port('kafka')}, needed for kafka, is in use by {owner}; stop it; or, without data so far, choose other ports"
    assert problem.startswith(said)


def test_a_taken_port_of_a_further_project_is_told_before_anything_starts(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_bring_up", lambda *_: pytest.fail("it starts"))
    platform.state.mkdir()
    (platform.state / "README").touch()
    for name in ("shop", "stall"):
        (platform.root / name).mkdir()
    projects.add(platform, "shop", platform.root / "shop")
    stall = projects.placed(platform, "stall", platform.root / "stall", ingests=True)
    for program, port in stall.ports(platform).items():
        with take(port), pytest.raises(PlatformError, match=f"port {port}, needed for {program}, is in use by process"):
            lifecycle.up(platform, SimpleNamespace(), "stall", stall.folder, ingests=True)  # type: ignore[arg-type] - nothing is reported
    assert [one.name for one in projects.read(platform)] == ["shop"]


def test_all_problems_are_told_at_once(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_FREE_DISK", 1 << 60)
    monkeypatch.setattr(preflight, "_FREE_MEMORY", 1 << 60)
    platform.state.mkdir()
    (platform.state / "thesis.tex").touch()
    with take(platform.port("flink")), take(platform.port("superset")):
        text = "\n".join(preflight.problems(platform))
    for part in ("holds other things than a platform", "needed for flink", "needed for superset", "GB of disk", "GB of memory"):
        assert part in text


@pytest.mark.parametrize(
    ("free", "told"), [(5.0, []), (4.6, ["4.6 GB of memory are available; the platform needs 4.8 GB: close other programs"])]
)
def test_the_memory_that_the_readme_names_is_enough(free: float, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free * 1e9))
    assert list(preflight._memory()) == told


def test_a_state_folder_that_cannot_be_made_is_told(platform: Platform) -> None:
    platform.state.touch()
    assert preflight.problems(platform)[0].startswith(f"{platform.state} is a file")


def test_a_path_that_java_programs_would_misread_is_told(tmp_path: Path) -> None:
    problems = preflight.problems(Platform(tmp_path / "müller & söhne (1)", tmp_path / "a,b:c", _free_base()))
    assert problems[0].startswith(f"{tmp_path}/müller & söhne (1): Java programs take & in a path")
    assert problems[1].startswith(f"{tmp_path}/a,b:c: Java programs take , : in a path")


@pytest.mark.parametrize("value", ["eighty", "80", "65400", "-1"])
def test_an_impossible_port_base_is_refused(value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADRACE_PORT_BASE", value)
    with pytest.raises(PlatformError, match=rf"HEADRACE_PORT_BASE is '{value}'; it must be a number from 1024 to 653\d\d"):
        Platform.of_checkout(tmp_path)


def test_a_folder_that_holds_other_things_is_neither_taken_nor_erased(platform: Platform) -> None:
    platform.state.mkdir()
    (platform.state / "README").write_text("My book.\n")
    (problem,) = [one for one in preflight.problems(platform) if str(platform.state) in one]
    assert "holds other things than a platform" in problem
    lifecycle.erase(platform)
    lifecycle.down(platform, SimpleNamespace())  # type: ignore[arg-type] - nothing is reported
    assert (platform.state / "README").read_text() == "My book.\n"


def test_servers_elsewhere_may_be_named_before_the_first_start(platform: Platform) -> None:
    platform.config.mkdir(parents=True)
    platform.environment_file.write_text("sources:\n  crm: {host: db.internal}\n")
    assert preflight.problems(platform) == []
    (platform.config / "routes.rb").touch()
    assert "holds other things than a platform" in preflight.problems(platform)[0]


@pytest.mark.parametrize("text", ["sources: {}\nname: production\n", "production:\n  adapter: postgresql\n", "- sources\n", ""])
def test_another_program_s_environment_file_is_no_platform(platform: Platform, text: str) -> None:
    platform.config.mkdir(parents=True)
    platform.environment_file.write_text(text)
    assert "holds other things than a platform" in preflight.problems(platform)[0]


def test_what_cannot_be_erased_is_told_and_can_be_erased_later(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, mark = platform.data / "theirs", platform.state / "README"
    theirs.mkdir(parents=True)
    mark.write_text(MARKED)
    with monkeypatch.context() as other_user:
        other_user.setattr(lifecycle.shutil, "rmtree", lambda folder, **_: (folder / "README").unlink(missing_ok=True))
        with pytest.raises(PlatformError, match="state is not empty yet: what is left you may not remove; erase it as root"):
            lifecycle.erase(platform)
    assert theirs.exists() and list(preflight.state_folder(platform)) == [], "a start takes it"
    lifecycle.erase(platform)
    assert not platform.state.exists()


def test_an_erase_that_was_cut_off_can_be_called_again(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (platform.data, platform.secrets):
        folder.mkdir(parents=True)
        (folder / "kept").touch()
    (platform.state / "README").write_text(MARKED)
    (platform.state / "supervisord.pid").touch()

    def cut_off(folder: Path, **_: bool) -> None:
        (folder / "README").unlink(missing_ok=True)
        if folder.is_relative_to(platform.state):
            raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(lifecycle.shutil, "rmtree", cut_off)
        with pytest.raises(KeyboardInterrupt):
            lifecycle.erase(platform)
    assert list(preflight.state_folder(platform)) == [], "a start takes it"
    lifecycle.erase(platform)
    assert not platform.state.exists()
