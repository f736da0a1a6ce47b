"""One platform on this machine: where its files are and which ports it has. A value; nothing here touches a process."""

import getpass
import hashlib
import os
import pwd
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from infra.environments import cache

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
    "gateway": 85,
    "superset": 88,
    "kafka": 92,
    "kafka controller": 93,
}
HOST = "127.0.0.1"
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
        state = Path(os.environ.get("HEADRACE_STATE") or root / ".headrace").absolute()
        return cls(root, state, int(os.environ.get("HEADRACE_PORT_BASE") or 18000))

    def port(self, name: str) -> int:
        return self.port_base + PORTS[name]

    def address(self, name: str) -> str:
        """host:port"""
        return f"{HOST}:{self.port(name)}"

    def url(self, name: str) -> str:
        return f"http://{self.address(name)}"

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
        return Path(tempfile.gettempdir()) / f"headrace-{os.getuid()}-{self.key}" / "supervisor.sock"

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

    @cached_property
    def shelter(self) -> Path | None:
        """Where PostgreSQL's files go when its user cannot reach ours, as with a checkout under root's home; else None."""
        if os.getuid() != 0 or all(_can_reach(self.postgres_user, folder) for folder in (self.state, cache())):
            return None
        return Path("/var/lib/headrace") / self.key

    @property
    def postgres_data(self) -> Path:
        return (self.shelter or self.data) / "postgres"

    @property
    def postgres_programs(self) -> Path:
        return self.shelter or cache()


def _can_reach(user: str, folder: Path) -> bool:
    account = pwd.getpwnam(user)
    command = ["test", "-x", folder]
    while not Path(command[2]).exists():
        command[2] = Path(command[2]).parent
    return subprocess.run(command, user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/").returncode == 0
