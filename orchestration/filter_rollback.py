"""A filter says again what an earlier version of it said: its block in the stream's file is written anew, under a new version."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestration.filter_versions import digest, read_said, says
from project.filters.conditions import LIKE_A_NUMBER
from project.filters.models import Filter
from project.loader import load_project
from project.problems import ProjectError
from project.resources import Refused


def earlier(one: Filter, rows: Sequence[Mapping[str, Any]], to: int | None) -> Filter:
    """What it said before: in version `to`, else before what it says now, or when it ran last if it does not run; with the version that
    it gets. Who agreed to it then has agreed to the same again. Raises Refused, also where the one before
    would be what was given up for what it says by now."""
    own = [row for row in rows if row["filter_id"] == one.id]
    others = [row for row in own if row["rule_version"] == to or (to is None and not (one.runs and says(row["said"], one)))]
    ran = ", ".join(dict.fromkeys(str(row["rule_version"]) for row in own)) or "none"
    if not others:
        raise Refused(f"filter {one.id} has run in no {'other version' if to is None else f'version {to}'}; it has run in: {ran}")
    before = max(others, key=lambda row: row["began_at"])
    if to is None and one.runs and (same := [row for row in own if row["began_at"] <= before["began_at"] and _judges_as(row, one)]):
        what = f"filter {one.id}, version {one.version}, already says what version {same[-1]['rule_version']} said"
        raise Refused(f"{what}; `headrace apply` lets it judge, or name another version by --to; it has run in: {ran}")
    said = _said(before)
    version = {"version": max(one.version, *(row["rule_version"] for row in own)) + 1}
    agreed = {"approval": said.approval.model_copy(update=version)} if said.approval else {}
    return said.model_copy(update=version | agreed)


def gone(name: str, rows: Sequence[Mapping[str, Any]], to: int | None) -> str | None:
    """The block, to be written again, of a filter that stands in no file any more; None if it never ran. Raises Refused."""
    said = next((_said(row) for row in rows if row["filter_id"] == name), None)
    return said and _block(earlier(said.model_copy(update={"enabled": False}), rows, to))


def _judges_as(row: Mapping[str, Any], one: Filter) -> bool:
    """Whether a filter judged then as it does now, whatever the numbers."""
    return says(row["said"], one.model_copy(update={"version": row["rule_version"]}))


def _said(row: Mapping[str, Any]) -> Filter:
    if said := read_said(row["said"]):
        return said
    what = f"what filter {row['filter_id']} said in version {row['rule_version']} would be refused by now: {row['said']}"
    raise Refused(f"{what}; name another version by --to, or write it anew")


def write(folder: Path, one: Filter, new: Filter) -> Path:
    """Put `new` where `one` stands; raises Refused, and leaves the file as it was, if it would not be read so."""
    file = Path(one.declared_at.file)
    before = file.read_text()
    file.write_text(replaced(before, one.declared_at.line, new))
    try:
        streams = load_project(folder).streams.values()
        if any(found.id == one.id and digest(found) == digest(new) for stream in streams for found in stream.filters):
            return file
        problem = "it would not be read as that"
    except ProjectError as error:
        problem = str(error)
    file.write_text(before)
    raise Refused(f"{one.declared_at}: the filter cannot be written here: {problem}; write it by hand:\n{_block(new)}")


def replaced(text: str, line: int, new: Filter) -> str:
    """The text with the list's item that begins in a line replaced."""
    lines = text.splitlines(keepends=True)
    start = lines[line - 1]
    indent = len(start) - len(start.lstrip())
    end = line
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    block = "".join(f"{' ' * indent}{one}\n" for one in _block(new).splitlines())
    return "".join([*lines[: line - 1], block, *lines[end:]])


def _block(new: Filter) -> str:
    """As an item of a list."""
    said = new.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"version": new.version}
    return yaml.dump([said], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


class _Dumper(yaml.SafeDumper):
    """Puts texts in quotes that look like numbers to filters, also where they do not to YAML 1.1."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", LIKE_A_NUMBER, list("+-.0123456789"))
