"""Downloads: verified, whole or absent, and never repeated without need."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.artefacts import Artefact, fetch, of_this_machine, read_lock
from infra.environments import cache
from infra.errors import PlatformError

CONTENT = b"a jar, or what passes for one\n" * 20_000
JAR = Artefact(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "org.example:part:1.0", "kafka")


@dataclass
class Repository:
    """A Maven repository on loopback that can be told to misbehave."""

    content: bytes = CONTENT
    cut_short: int = 0  # so many of the next answers end in the middle
    requests: list[str] = field(default_factory=list[str])


class Handler(BaseHTTPRequestHandler):
    def __init__(self, repository: Repository, *arguments) -> None:
        self.repository = repository
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.repository.requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.repository.content)))
        self.end_headers()
        if self.repository.cut_short:
            self.repository.cut_short -= 1
            self.wfile.write(self.repository.content[:1000])
        else:
            self.wfile.write(self.repository.content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Iterator[Repository]:
    repository = Repository()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, repository))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HEADRACE_MAVEN_URL", f"http://127.0.0.1:{server.server_port}/maven2/")
    yield repository
    server.shutdown()
    server.server_close()


def kept_files() -> list[bytes]:
    return [file.read_bytes() for file in cache().rglob("*") if file.is_file()]


def test_a_download_is_kept_under_its_maven_name(repository: Repository) -> None:
    fetch([JAR])
    assert repository.requests == ["/maven2/org/example/part/1.0/part-1.0.jar"]
    assert JAR.path.name == "part-1.0.jar"
    assert kept_files() == [CONTENT]


def test_what_is_there_needs_no_network(repository: Repository) -> None:
    fetch([JAR])
    fetch([JAR])
    assert len(repository.requests) == 1


def test_a_flipped_byte_is_found_and_the_file_fetched_again(repository: Repository) -> None:
    fetch([JAR])
    damaged = bytearray(CONTENT)
    damaged[1234] ^= 1
    JAR.path.write_bytes(damaged)
    fetch([JAR])
    assert kept_files() == [CONTENT]
    assert len(repository.requests) == 2


def test_wrong_bytes_are_refused_and_nothing_is_kept(repository: Repository) -> None:
    repository.content = CONTENT[:-1] + b"!"
    with pytest.raises(PlatformError, match=r"org\.example:part:1\.0: what .*part-1\.0\.jar serves has sha256 .* the lock says"):
        fetch([JAR])
    assert kept_files() == []


def test_a_broken_connection_is_tried_again_and_bytes_are_not_counted_twice(repository: Repository) -> None:
    repository.cut_short = 1
    progress: list[tuple[int, int]] = []
    fetch([JAR], lambda done, total: progress.append((done, total)))
    assert kept_files() == [CONTENT]
    assert progress[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_never_finishes_leaves_nothing_half_done(repository: Repository) -> None:
    repository.cut_short = 99
    with pytest.raises(PlatformError, match="check the network, or name a Maven repository you can reach in HEADRACE_MAVEN_URL"):
        fetch([JAR])
    assert kept_files() == []


def test_an_interrupted_download_is_done_anew(repository: Repository) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch([JAR], interrupt)
    assert kept_files() == []
    fetch([JAR])
    assert kept_files() == [CONTENT]


def test_a_classifier_and_an_extension_are_part_of_the_name() -> None:
    plugin = Artefact("", 0, "io.debezium:debezium-connector-postgres:3.7.0.Final:plugin@tar.gz", "connect-plugins")
    assert plugin.remote.endswith("/3.7.0.Final/debezium-connector-postgres-3.7.0.Final-plugin.tar.gz")


def test_the_lock_is_complete_for_this_machine() -> None:
    folders = {artefact.folder for artefact in of_this_machine(read_lock())}
    assert {"kafka", "connect-plugins", "flink", "flink-gateway"} < folders
    assert len([folder for folder in folders if folder.startswith("postgres-")]) == 1
