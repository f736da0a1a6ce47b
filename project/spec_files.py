"""The files of a project folder: those that are specs, and a problem for each that looks like one but is not read."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from project.problems import Location, Problem, quoted
from project.text_files import place, read_text

FOLDERS = {"sources": ".yaml", "events": ".yaml", "streams": ".yaml", "consumers": ".yaml", "views": ".sql", "dashboards": ".yaml"}
PROJECT_FILE = "project.yaml"


@dataclass(frozen=True)
class SpecFile:
    """One file of a project."""

    id: str  # its path in the project without the suffix, such as "sources/shop"
    name: str  # the stem
    location: Location  # its first line
    text: str | None  # None if it could not be read, which is then a problem already

    @property
    def path(self) -> str:
        """As the user typed the folder, joined with the path in it."""
        return self.location.file


def find_files(folder: Path, problems: list[Problem]) -> dict[str, list[SpecFile]]:
    """Every spec file by the folder that it is in, and project.yaml under its own name; what is wrong goes to `problems`."""
    found: dict[str, list[SpecFile]] = {name: [] for name in (PROJECT_FILE, *FOLDERS)}
    # The methods of Path raise where a folder may not be entered.
    if not os.path.isdir(folder):  # noqa: PTH112
        what = "not a folder" if os.path.exists(folder) else "there is no such folder"  # noqa: PTH110
        problems.append(Problem.say(place(folder), what, "expected the folder of a project", "correct the path"))
        return found
    for entry in _entries(folder, problems):
        _check_root_entry(entry, problems)
    found[PROJECT_FILE] = [_read(folder / PROJECT_FILE, folder, problems)]
    for name, suffix in FOLDERS.items():
        within = os.path.isdir(folder / name) and _is_inside(folder / name, folder, problems)  # noqa: PTH112
        for path in _entries(folder / name, problems) if within else ():
            if path.suffix == suffix:
                found[name].append(_read(path, folder, problems))
            else:
                expected = f"{name}/ holds only *{suffix} files"
                problems.append(Problem.say(place(path), "unexpected here", expected, "rename it or move it away"))
    return found


def _entries(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        problems.append(Problem.say(place(folder), f"cannot be read: {error.strerror}", "expected a readable folder", "mend it"))
        return []
    # Editors and file managers leave such files behind.
    return [path for path in paths if not path.name.startswith(".") and not path.name.endswith("~")]


def _check_root_entry(entry: Path, problems: list[Problem]) -> None:
    known = [*FOLDERS, PROJECT_FILE]
    near = difflib.get_close_matches(entry.name, known, n=1, cutoff=0.8)
    if entry.name in FOLDERS and not entry.is_dir():
        problems.append(Problem.say(place(entry), "not a folder", "expected a folder of specs", "rename it"))
    elif entry.name not in known and near:
        what, expected = f"{quoted(entry.name)} is not read", f"expected {', '.join(known)}"
        problems.append(Problem.say(place(entry), what, expected, f"did you mean {quoted(near[0])}?"))


def _read(path: Path, folder: Path, problems: list[Problem]) -> SpecFile:
    inside = path.relative_to(folder).with_suffix("").as_posix()
    return SpecFile(inside, path.stem, place(path, 1), read_text(path, problems) if _is_inside(path, folder, problems) else None)


def _is_inside(path: Path, folder: Path, problems: list[Problem]) -> bool:
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        what = "a symbolic link out of the project"
    except (OSError, RuntimeError):
        inside, what = False, "a loop of symbolic links"
    if not inside:
        kind = "folder" if path.is_dir() else "file"
        problems.append(Problem.say(place(path), what, f"expected a {kind} inside the project", f"copy the {kind} here"))
    return inside
