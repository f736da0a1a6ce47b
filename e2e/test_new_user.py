"""The first thing that anybody does: clone, `make up`, open a dashboard. As a user of their own, with nothing prepared."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from e2e.conftest import PORT_BASE, ROOT

_UP_SECONDS, _DOWN_SECONDS = 900, 300
_OURS = ("HEADRACE_", "XDG_", "UV_", "PYTHON", "MAKE", "MFLAGS", "ARGS")  # variables of this test's own surroundings
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def new_user() -> Iterator[Run]:
    """How a user with an empty home runs a command in a fresh clone. Without root, the tester is the new user."""
    account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    place = Path(tempfile.mkdtemp(prefix="headrace-new-user-"))
    clone, home = place / "headrace", place / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    if os.getuid() == 0:
        for path in (place, *place.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    variables = {**kept, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "HEADRACE_PORT_BASE": str(PORT_BASE + 400)}
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}

    def run(*command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=clone, env=variables, text=True, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL,
            check=False, **user,
        )  # fmt: skip

    yield run
    run("./headrace", "down", "--erase", "--yes", seconds=_DOWN_SECONDS)
    shutil.rmtree(place)


def test_make_up_in_a_fresh_clone_ends_with_dashboards_that_open(new_user: Run):
    done = new_user("make", "up", seconds=_UP_SECONDS)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Bookstore analytics is live" in done.stdout
    components = json.loads(new_user("./headrace", "status", "--json").stdout)["components"]
    assert {component["state"] for component in components} == {"RUNNING"}
    address = next(word for word in done.stdout.split() if word.endswith("/superset/dashboard/bookstore-sales/"))
    login = next(line.split()[1:] for line in done.stdout.splitlines() if line.split()[:2] == ["login", "analyst"])
    assert _title(address, login[0], login[2]) == "Sales & Revenue Analytics"
    changed = new_user("git", "status", "--porcelain")
    assert (changed.returncode, changed.stdout) == (0, "")


def _title(address: str, user: str, password: str) -> str:
    site, slug = address.partition("/superset/")[0], address.rstrip("/").rpartition("/")[2]
    token = requests.post(
        f"{site}/api/v1/security/login", json={"username": user, "password": password, "provider": "db"}, timeout=60
    ).json()["access_token"]
    dashboard = requests.get(f"{site}/api/v1/dashboard/{slug}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    return dashboard.json()["result"]["dashboard_title"]
