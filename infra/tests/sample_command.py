"""An example's sample as a user runs it, against a throwaway cluster."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra import databases, endpoints
from infra.platform import Platform


class SampleCommand:
    """The command line of a sample folder, and what it left in its database."""

    def __init__(self, platform: Platform, folder: Path, database: str) -> None:
        self.platform, self._folder, self._database = platform, folder, database
        self.environment = platform.state / "environment.yaml"
        self.environment.write_text(yaml.safe_dump(endpoints.environment(platform)))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        variables = {"HEADRACE_ENVIRONMENT": str(self.environment), "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
        command = [sys.executable, str(self._folder), *arguments]
        return subprocess.Popen(command, env=variables, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *arguments: str, code: int = 0) -> str:
        """What it said; it must end with this code, and never with a stack trace."""
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=180)
        assert process.returncode == code, said
        assert "Traceback" not in said
        return said

    def ask(self, query: str, database: str | None = None) -> list[tuple[Any, ...]]:
        with databases.connect(self.platform, "source", database or self._database) as connection:
            return connection.execute(query.encode()).fetchall()

    def until(self, query: str, least: int) -> None:
        """Wait until a count has come that far."""
        wait = Retrying(retry=retry_if_result(lambda count: count < least), stop=stop_after_delay(60), wait=wait_fixed(0.1))
        wait(lambda: self.ask(query)[0][0])
