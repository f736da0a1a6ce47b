"""Processes under the real supervisor: they come back, restart only when changed, and never outlive it."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from e2e.waiting import until
from infra import environments, lifecycle, processes, programs, supervision
from infra.errors import PlatformError
from infra.platform import MARKED, MARKER, Platform
from infra.programs import Program
from infra.progress import Report
from infra.projects import RunningProject

SLEEPERS = tuple(Program(name, (shutil.which("sleep") or "sleep", "600")) for name in ("first", "second"))


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    environments.ensure("headrace")
    platform = Platform(Path(__file__).resolve().parents[2], tmp_path / "a 100% odd place")
    for folder in (platform.config, platform.logs):
        folder.mkdir(parents=True)
    supervision.bring_up(platform, SLEEPERS)
    for program in SLEEPERS:
        supervision.start(platform, program.name)
    until(lambda: states(platform) == {"first": "RUNNING", "second": "RUNNING"}, 20, "both run")
    yield platform
    supervision.shut_down(platform)
    processes.end_unsupervised(platform, None)


def states(platform: Platform) -> dict[str, str]:
    return {info["name"]: info["statename"] for info in supervision.states(platform)}


def pids(platform: Platform) -> dict[str, int]:
    return {info["name"]: info["pid"] for info in supervision.states(platform)}


def test_each_program_gets_its_environment_and_its_log(platform: Platform) -> None:
    command = (sys.executable, "-c", "import os, time; print(os.environ['HI']); time.sleep(600)")
    hello = Program("hello", command, {"HI": "50% of 'x, y'; z"})
    supervision.bring_up(platform, (*SLEEPERS, hello))
    supervision.start(platform, "hello")
    log = platform.logs / "hello.log"
    until(lambda: log.exists() and log.read_text() == "50% of 'x, y'; z\n", 20, "the log has what was printed")


def test_a_program_of_another_user_runs_although_that_user_cannot_enter_the_state_folder(platform: Platform) -> None:
    platform.state.chmod(0o700)
    postgres = replace(SLEEPERS[0], name="postgres", user=platform.postgres_user)
    supervision.bring_up(platform, (*SLEEPERS, postgres))
    supervision.start(platform, "postgres")
    until(lambda: states(platform)["postgres"] == "RUNNING", 20, "it runs")
    assert psutil.Process(pids(platform)["postgres"]).username() == platform.postgres_user


def test_each_program_has_its_share_of_busy_processors_and_who_yields_a_smaller_one(platform: Platform) -> None:
    yielding = [replace(SLEEPERS[0], name=name, yields=True) for name in ("pages", "sensors")]
    supervision.bring_up(platform, (*SLEEPERS, *yielding))
    for program in yielding:
        supervision.start(platform, program.name)
    until(lambda: set(states(platform).values()) == {"RUNNING"}, 20, "they run")
    commands = re.findall(r"^command=(.*)$", platform.supervisor_file.read_text(), re.MULTILINE)
    assert [command.startswith("/bin/sh ") and "/yielding.sh " in command for command in commands] == [False, False, True, True]
    found = pids(platform)
    assert {pid: os.getsid(pid) for pid in found.values()} == {pid: pid for pid in found.values()}
    shares = {name: Path(f"/proc/{pid}/autogroup") for name, pid in found.items()}
    if shares["pages"].exists():  # a kernel can be without
        nice = {name: int(share.read_text().rpartition(" ")[2]) for name, share in shares.items()}
        assert nice == {"first": 0, "second": 0, "pages": 10, "sensors": 10}


def test_a_killed_process_comes_back_by_itself(platform: Platform) -> None:
    before = pids(platform)
    psutil.Process(before["first"]).kill()
    until(lambda: pids(platform)["first"] not in (0, before["first"]), 20, "it is back")
    assert pids(platform)["second"] == before["second"]


def test_an_unchanged_configuration_restarts_nothing(platform: Platform) -> None:
    before = pids(platform)
    supervision.bring_up(platform, SLEEPERS)
    assert pids(platform) == before


def test_only_the_program_whose_configuration_changed_is_stopped(platform: Platform) -> None:
    before = pids(platform)
    changed = replace(SLEEPERS[0], environment={"HEADRACE_CONFIGURATION": "new"})
    supervision.bring_up(platform, (changed, SLEEPERS[1]))
    assert pids(platform) == {"first": 0, "second": before["second"]}


def test_an_apply_waits_for_the_start_of_another_project_and_both_have_their_programs(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (platform.state / MARKER).write_text(MARKED)
    own = RunningProject("shop", tmp_path)
    applied = replace(SLEEPERS[0], files="new")
    monkeypatch.setattr(RunningProject, "serving", ("first",))
    monkeypatch.setattr(programs, "all_programs", lambda platform, running: (applied, SLEEPERS[1]))
    silent = Mock(spec=Report)
    before, others = pids(platform), replace(SLEEPERS[0], name="others")
    with ThreadPoolExecutor(1) as pool, lifecycle._alone(platform):
        serving = pool.submit(lifecycle.serve, platform, own, silent)
        waiting = re.compile(rf"-> .*:{(platform.state / MARKER).stat().st_ino} ")
        until(lambda: bool(waiting.search(Path("/proc/locks").read_text())), 20, "the apply waits")
        assert pids(platform) == before
        supervision.bring_up(platform, (*SLEEPERS, others))
    serving.result(30)
    assert states(platform) == {"first": "RUNNING", "second": "RUNNING", "others": "STOPPED"}
    assert supervision.files(platform) == {"first": "new"}


def test_a_program_that_has_failed_for_long_is_tried_at_once(platform: Platform, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    failing = replace(SLEEPERS[0], command=("sh", "-c", f"sleep 0.3; test -e {mended} && exec sleep 1000"))
    supervision.bring_up(platform, (failing, SLEEPERS[1]))
    supervision.start(platform, "first")
    log = platform.logs / "supervisor.log"
    until(lambda: log.read_text().count("exited: first") >= 4, 60, "the supervisor waits longer each time")
    mended.touch()
    supervision.start(platform, "first")
    assert states(platform)["first"] != "BACKOFF"
    until(lambda: states(platform)["first"] == "RUNNING", 20, "it runs")


def test_a_program_that_is_no_longer_wanted_is_stopped_and_forgotten(platform: Platform) -> None:
    supervision.bring_up(platform, SLEEPERS[:1])
    assert states(platform) == {"first": "RUNNING"}


def test_nothing_outlives_the_supervisor(platform: Platform) -> None:
    supervision.shut_down(platform)
    assert list(processes.ours(platform)) == []


def test_what_a_killed_supervisor_left_is_found_and_ended(platform: Platform) -> None:
    supervisor = supervision.pid(platform)
    assert supervisor
    psutil.Process(supervisor).kill()
    until(lambda: supervision.pid(platform) is None, 20, "the supervisor is gone")
    assert {process.pid for process in processes.ours(platform)}
    processes.end_unsupervised(platform, None)
    assert list(processes.ours(platform)) == []
    supervision.bring_up(platform, SLEEPERS)  # a stale socket and pid file are in nobody's way
    assert states(platform) == {"first": "STOPPED", "second": "STOPPED"}


def test_a_supervisor_that_is_too_busy_to_answer_is_not_taken_for_none(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = psutil.Process(supervision.pid(platform))
    monkeypatch.setattr(supervision, "_ANSWER", 0.5)
    supervisor.suspend()
    try:
        for question in (supervision.pid, supervision.states):
            with pytest.raises(PlatformError, match=r"the supervisor runs, but has not answered for 0\.5 s; try again"):
                question(platform)
    finally:
        supervisor.resume()


def test_a_supervised_process_is_never_taken_for_a_left_over(platform: Platform) -> None:
    before = pids(platform)
    processes.end_unsupervised(platform, supervision.pid(platform))
    assert pids(platform) == before


def test_another_platform_is_left_alone(platform: Platform, tmp_path: Path) -> None:
    before = pids(platform)
    processes.end_unsupervised(Platform(platform.root, tmp_path / "other"), None)
    assert pids(platform) == before
