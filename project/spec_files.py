"""The files of a project folder, found and read with suspicion: only what belongs there, inside it, small and UTF-8."""

import difflib
import stat
from dataclasses import dataclass
from pathlib import Path

from project.problems import UNPRINTABLE, Location, Problem, printable, quoted

FOLDERS = {"sources": ".yaml", "streams": ".yaml", "views": ".sql", "dashboards": ".yaml"}
_LARGEST = 1_000_000  # bytes; the largest real spec is a hundredth of it


@dataclass(frozen=True)
class SpecFile:
    """One file of a project. `text` is None if it could not be read, which is then a problem already."""

    path: str  # as the user typed the folder, joined with the relative path
    name: str  # the stem
    text: str | None

    @property
    def location(self) -> Location:
        return Location(self.path, 1)

    @property
    def id(self) -> str:
        """The path in the project without its suffix, such as "sources/shop"."""
        return "/".join(Path(self.path).with_suffix("").parts[-2:])


def find_files(folder: Path, problems: list[Problem]) -> dict[str, list[SpecFile]]:
    """Every spec file by the folder that it is in, "project" for project.yaml; what is wrong goes to `problems`."""
    if not folder.is_dir():
        problems.append(
            _problem(
                folder,
                f"{'not a' if folder.exists() else 'there is no such'} folder; expected the folder of a project; correct the path",
                line=0,
            )
        )
        return {"project": [], **{name: [] for name in FOLDERS}}
    for entry in sorted(folder.iterdir()):
        _check_root_entry(entry, problems)
    found = {"project": [_read(folder, folder / "project.yaml", problems)]}
    for name, suffix in FOLDERS.items():
        found[name] = [_read(folder, path, problems) for path in _spec_paths(folder / name, suffix, problems)]
    return found


def _check_root_entry(entry: Path, problems: list[Problem]) -> None:
    if entry.name in FOLDERS and not entry.is_dir():
        problems.append(_problem(entry, f'"{entry.name}" is not a folder; expected a folder of specs; rename it', line=0))
    known = [*FOLDERS, "project.yaml"]
    near = difflib.get_close_matches(entry.name, known, n=1, cutoff=0.8)
    if entry.name not in known and near:
        problems.append(
            _problem(entry, f"{quoted(entry.name)} is not read; expected {', '.join(known)}; did you mean {quoted(near[0])}?", line=0)
        )


def _spec_paths(folder: Path, suffix: str, problems: list[Problem]) -> list[Path]:
    paths: list[Path] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # what editors and file managers leave behind
        if path.suffix == suffix:
            paths.append(path)
        else:
            problems.append(
                _problem(path, f"unexpected here; {folder.name}/ holds only *{suffix} files; rename it or move it away", line=0)
            )
    return paths


def _read(folder: Path, path: Path, problems: list[Problem]) -> SpecFile:
    text = None
    try:
        text = _checked_text(folder, path)
    except _Unreadable as unreadable:
        problems.append(_problem(path, str(unreadable), unreadable.line))
    except FileNotFoundError:
        what = (
            "a link to nothing; expected a file; remove the link"
            if path.is_symlink()
            else "there is no such file; expected the project's title and owner in it; write it"
        )
        problems.append(_problem(path, what, line=0))
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        reason = error.strerror if isinstance(error, OSError) else "a loop of symbolic links"
        problems.append(_problem(path, f"cannot be read: {reason}; expected a readable file; mend its permissions or its link", 0))
    return SpecFile(printable(str(path)), path.stem, text)


class _Unreadable(Exception):
    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def _checked_text(folder: Path, path: Path) -> str:
    if not path.resolve(strict=True).is_relative_to(folder.resolve()):
        raise _Unreadable("a symbolic link out of the project; expected a file inside it; copy the file here", 0)
    if not stat.S_ISREG(path.stat().st_mode):
        raise _Unreadable("not a regular file; expected a file of text; remove it", 0)
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _Unreadable(f"larger than {_LARGEST:,} bytes; expected a spec; split it")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable("begins with a byte order mark; expected plain UTF-8; save it without one")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"byte 0x{data[error.start]:02x} is not UTF-8; expected UTF-8 text; save the file as UTF-8", line) from None
    if wrong := UNPRINTABLE.search(text):
        line = text.count("\n", 0, wrong.start()) + 1
        raise _Unreadable(f"control character U+{ord(wrong[0]):04X}; expected printable text; remove it", line)
    return text


def _problem(path: Path, message: str, line: int = 1) -> Problem:
    return Problem(Location(printable(str(path)), line), message)
