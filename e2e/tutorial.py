"""The tutorial as a reader follows it: its shell blocks, section by section, one shell's variables carried to the next."""

import os
import re
import subprocess
from pathlib import Path

from e2e.conftest import ROOT, connect
from infra.environments import cache
from infra.platform import Platform
from project.environment import Environment

PAGE = ROOT / "docs" / "tutorial.md"
_SECTION = re.compile(r"^## (\d)\. .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```sh( fails)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK_SECONDS = 300


class Reader:
    """Somebody at a platform with a home folder of their own, who runs each block once and in order."""

    def __init__(self, platform: Platform, home: Path) -> None:
        self._platform, self.home = platform, home
        self.sections = {int(section[1]): _BLOCK.findall(section[0]) for section in _SECTION.finditer(PAGE.read_text())}
        self._read: dict[int, str] = {}

    def follow(self, last: int) -> str:
        """Everything up to a section, as far as it was not done yet; what was printed in that section, errors included."""
        for number in range(1, last + 1):
            if number not in self._read:
                self._read[number] = "".join(self._run(block, bool(fails)) for fails, block in self.sections[number])
        return self._read[last]

    def clean_up(self, environment: Environment) -> None:
        """Remove all that was made of it, however far that went."""
        if 7 not in self._read and (self.home / "cafe" / "project.yaml").exists():
            self._run("./headrace erase -p ~/cafe --yes", fails=False)
        server = environment.source("cafe")
        with connect(server.host, server.port, "postgres", server.admin) as admin:
            admin.execute("drop database if exists cafe with (force)")

    def _run(self, block: str, fails: bool) -> str:
        port = str(self._platform.port("postgres source"))
        script = block.replace("18032", port).replace(".headrace/secrets", str(self._platform.secrets))
        kept = self.home / ".variables"
        kept.touch(0o600)
        whole = f"set -euo pipefail; . {kept}\n{script}\nexport -p | {{ grep ' PG' || true; }} > {kept}"
        done = subprocess.run(
            ["bash", "-c", whole], cwd=ROOT, env=self._variables(),
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=_BLOCK_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == (2 if fails else 0), f"ended with {done.returncode}:\n{block}\n{done.stdout}"
        return done.stdout

    def _variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG") and name != "PYTHONDONTWRITEBYTECODE"}
        places = {"HEADRACE_STATE": self._platform.state, "HEADRACE_PORT_BASE": self._platform.port_base}
        return kept | {name: str(value) for name, value in places.items()} | {"HOME": str(self.home), "XDG_CACHE_HOME": str(cache().parent)}
