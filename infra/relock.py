"""For maintainers, by `make lock`: resolve every lock anew. Needs Maven; nobody else does."""

import hashlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from infra.artefacts import Artefact
from infra.environments import REQUIREMENTS, location

_HEADER = "# Written by `make lock` from artefacts.in: sha256, bytes, group:artifact:version[:classifier][@extension], folder.\n"
_MAVEN = ("mvn", "--quiet", "--batch-mode")
_RESOLVED = re.compile(r"\s+([^:\s]+):([^:]+):jar:(?:([^:]+):)?([^:\s]+):(?:compile|runtime)\b")
_LOCKS = {"uv": (), "headrace": (), "dev": (), "superset": (), "flink": ("--no-deps",), "flights": ("--no-deps",), "peer": ("--no-deps",)}


def lock_artefacts(lock: Path) -> None:
    """Resolve an artefacts.in with Maven and write the artefacts.lock beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        lines = [line.split() for line in lock.with_suffix(".in").read_text().splitlines() if line and not line.startswith("#")]
        wanted = {(coordinate, folder) for coordinate, folder, *deep in lines if not deep}
        for folder in {folder for _, folder, *deep in lines if deep}:
            roots = [coordinate for coordinate, target, *deep in lines if deep and target == folder]
            wanted |= {(coordinate, folder) for coordinate in _runtime_jars(roots, Path(scratch))}
    ordered = sorted(wanted, key=lambda pair: pair[::-1])
    with ThreadPoolExecutor(8) as pool:
        artefacts = list(pool.map(_locked, *zip(*ordered, strict=True)))
    rows = [f"{one.sha256} {one.size:>8} {one.coordinate} {one.folder}\n" for one in artefacts]
    lock.write_text(_HEADER + "".join(rows))


def _runtime_jars(roots: list[str], scratch: Path) -> set[str]:
    """All jars that a program made of these would have at run time, one version of each, as Maven decides."""
    tags = ("groupId", "artifactId", "version")
    dependencies = "".join(
        "<dependency>" + "".join(f"<{tag}>{part}</{tag}>" for tag, part in zip(tags, root.split(":"), strict=True)) + "</dependency>"
        for root in roots
    )
    pom, listed = scratch / "pom.xml", scratch / "list.txt"
    pom.write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>headrace</groupId><artifactId>platform</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
    subprocess.run([*_MAVEN, "-f", pom, "dependency:list", "-DincludeScope=runtime", f"-DoutputFile={listed}"], check=True)
    found = [match.groups() for line in listed.read_text().splitlines() if (match := _RESOLVED.match(line))]
    return {":".join(filter(None, (group, name, version, classifier))) for group, name, classifier, version in found}


def _locked(coordinate: str, folder: str) -> Artefact:
    """Whatever the repository serves now is what every later start insists on."""
    answer = requests.get(Artefact("", 0, coordinate, folder).url, timeout=60)
    answer.raise_for_status()
    return Artefact(hashlib.sha256(answer.content).hexdigest(), len(answer.content), coordinate, folder)


def lock_environments() -> None:
    """Resolve requirements/*.in with uv, for Python 3.11 and newer on all systems."""
    common = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--upgrade")
    for name, options in _LOCKS.items():
        command = [location("uv") / "bin" / "uv", "pip", "compile", "--quiet", *common, *options, f"{name}.in", "-o", f"{name}.lock"]
        subprocess.run([*command, "--custom-compile-command", "make lock"], cwd=REQUIREMENTS, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if sys.argv[1] == "environments":
        lock_environments()
    else:
        lock_artefacts(Path(sys.argv[1]))
