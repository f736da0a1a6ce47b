"""The mark of ownership that ends the comment of everything we create; what lacks it is never touched."""

import hashlib
import re
from typing import NamedTuple

_MARK = re.compile(r"(?:^| )\[headrace (?P<project>[a-z][a-z0-9-]*)(?: (?P<digest>[0-9a-f]+))?\]\Z")


class Marked(NamedTuple):
    """A comment taken apart. `project` is None where there is no mark."""

    text: str
    project: str | None = None
    digest: str | None = None


def mark(text: str, project: str, digest: str = "") -> str:
    """A comment with our mark at its end."""
    ours = f"[headrace {project} {digest}]" if digest else f"[headrace {project}]"
    return f"{text} {ours}" if text else ours


def unmark(comment: str | None) -> Marked:
    """Take a comment apart."""
    found = _MARK.search(comment or "")
    return Marked((comment or "")[: found.start()], found["project"], found["digest"]) if found else Marked(comment or "")


def definition_digest(sql: str, definition: str) -> str:
    """Names a view by both its declared select and what PostgreSQL made of it: it differs when either was edited."""
    return hashlib.sha256(f"{sql}\n{definition}".encode()).hexdigest()[:12]
