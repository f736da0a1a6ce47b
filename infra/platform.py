"""One platform on this machine: where its files are and which ports it has. A value; nothing here touches a process."""

import getpass
import hashlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from infra.environments import cache
from infra.errors import PlatformError

# Offsets from the platform's first port.
PORTS = {
    "dagster": 30,
    "dagster code": 31,
    "postgres source": 32,
    "postgres analytics": 33,
    "flink rpc": 61,
    "flink blob": 62,
    "taskmanager rpc": 63,
    "taskmanager data": 64,
    "flink": 81,
    "connect": 83,
    "registry": 84,
    "gateway": 85,
    "registry management": 86,
    "superset": 88,
    "kafka": 92,
    "kafka controller": 93,
}
MOST_PROJECTS = 50
CODE_PORTS, INGESTION_PORTS = 110, 160  # offsets of the first of as many ports, of which each project has its own
HOST = "127.0.0.1"
MARKER = "README"  # a state folder is known by it and what it says: anything else is never taken for one, nor erased
MARKED = "The state of a Headrace platform. `headrace down --erase` removes it.\n"
_LONGEST_SOCKET_PATH = 100  # the system's limit is 104 (macOS) or 108 (Linux) bytes


@dataclass(frozen=True)
class Platform:
    """Paths and ports that all follow from three things: the checkout, the state folder and the first port."""

    root: Path
    state: Path
    port_base: int = 18000

    @classmethod
    def of_checkout(cls, root: Path) -> "Platform":
        """The platform of a checkout; HEADRACE_STATE and HEADRACE_PORT_BASE move it."""
        base = os.environ.get("HEADRACE_PORT_BASE") or "18000"
        highest = 65535 - INGESTION_PORTS - MOST_PROJECTS + 1
        if not base.isdecimal() or not 1024 <= int(base) <= highest:
            raise PlatformError(f"HEADRACE_PORT_BASE is {base!r}; it must be a number from 1024 to {highest}")
        return cls(root, Path(os.environ.get("HEADRACE_STATE") or root / ".headrace").resolve(), int(base))

    def port(self, name: str) -> int:
        return self.port_base + PORTS[name]

    def address(self, name: str) -> str:
        """host:port"""
        return f"{HOST}:{self.port(name)}"

    def url(self, name: str) -> str:
        return f"http://{self.address(name)}"

    @property
    def is_there(self) -> bool:
        """Whether the state folder is a platform's; a start that was cut off leaves an empty mark."""
        marker = self.state / MARKER
        return marker.is_file() and marker.read_text(errors="replace") in ("", MARKED)

    @property
    def config(self) -> Path:
        return self.state / "config"

    @property
    def data(self) -> Path:
        return self.state / "data"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def secrets(self) -> Path:
        return self.state / "secrets"

    @property
    def scratch(self) -> Path:
        """Temporary files of the programs; emptied at each start."""
        return self.state / "tmp"

    @property
    def environment_file(self) -> Path:
        return self.config / "environment.yaml"

    @property
    def supervisor_file(self) -> Path:
        return self.config / "supervisord.conf"

    @cached_property
    def socket(self) -> Path:
        """Where the supervisor listens: in the state folder, or in a private one if that path is too long for a socket."""
        socket = self.state / "supervisor.sock"
        if len(os.fsencode(socket)) <= _LONGEST_SOCKET_PATH:
            return socket
        return Path("/tmp") / f"headrace-{os.getuid()}-{self.key}" / "supervisor.sock"  # noqa: S108 - its owner is checked

    @property
    def key(self) -> str:
        """Tells this platform from others on the machine."""
        return hashlib.sha256(os.fsencode(self.state)).hexdigest()[:12]

    @cached_property
    def postgres_user(self) -> str:
        """PostgreSQL refuses to run as root; anyone else runs it as themselves."""
        if os.getuid() != 0:
            return getpass.getuser()
        return next((user.pw_name for user in pwd.getpwall() if user.pw_name == "postgres"), "nobody")

    @property
    def shelter(self) -> Path:
        """Where PostgreSQL's files go when its user cannot reach ours, as with a checkout under root's home."""
        return Path("/var/lib/headrace") / self.key

    @cached_property
    def postgres_data(self) -> Path:
        """The folder with both clusters."""
        return (self.data if _can_reach(self.postgres_user, self.state) else self.shelter) / "postgres"

    @cached_property
    def postgres_programs(self) -> Path:
        """The folder in which PostgreSQL is unpacked."""
        return cache() if _can_reach(self.postgres_user, cache()) else self.shelter


def _can_reach(user: str, folder: Path) -> bool:
    if os.getuid() != 0:
        return True
    while not folder.exists():
        folder = folder.parent
    account = pwd.getpwnam(user)
    drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return subprocess.run(["test", "-x", folder], cwd="/", check=False, **drop).returncode == 0
