"""Environments and the launcher: whole or absent, chosen by content, and clear to those with an old Python."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import environments
from infra.environments import complete_or_absent

ROOT = Path(__file__).resolve().parents[2]


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    with complete_or_absent(tmp_path / "made") as folder:
        folder.mkdir()
        (folder / "file").touch()
        assert not (tmp_path / "made").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "file"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), complete_or_absent(tmp_path / "made") as folder:
        folder.mkdir()
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_builds_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getppid()):
        (tmp_path / f".made.{pid}").mkdir()
    with complete_or_absent(tmp_path / "made") as folder:
        folder.mkdir()
    assert {path.name for path in tmp_path.iterdir()} == {"made", f".made.{os.getppid()}"}


def test_the_quicker_of_two_builders_wins(tmp_path: Path) -> None:
    with complete_or_absent(tmp_path / "made") as folder:
        folder.mkdir()
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "theirs").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "theirs"]


def test_another_lock_is_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    (tmp_path / "some.lock").write_text("a==1")
    before = environments.location("some")
    (tmp_path / "some.lock").write_text("a==2")
    assert environments.location("some") != before


@pytest.mark.parametrize("lock", sorted(path.name for path in environments.REQUIREMENTS.glob("*.lock")))
def test_every_package_in_a_lock_is_pinned_by_hash_and_none_by_address(lock: str) -> None:
    text = (environments.REQUIREMENTS / lock).read_text()
    entries = text.replace("\\\n", " ").splitlines()
    packages = [entry for entry in entries if entry and not entry.lstrip().startswith("#")]
    assert packages
    assert all("==" in package and "--hash=sha256:" in package for package in packages)
    assert "://" not in text


def test_an_old_python_can_read_the_launcher_far_enough_to_say_so() -> None:
    ast.parse((ROOT / "headrace").read_text(), feature_version=(3, 6))
