"""Reads one file that a person wrote, with suspicion: regular, small, UTF-8 and printable, or a problem that says which it is not."""

import re
import stat
from pathlib import Path

from project.problems import UNPRINTABLE, Location, Problem, printable

_LARGEST = 1_000_000  # bytes; the largest real spec is a hundredth of it
# Besides, line ends that YAML alone takes for some: behind one every line would be told wrongly.
_WRONG = re.compile(f"{UNPRINTABLE.pattern}|[\x85\u2028\u2029]")


def place(path: Path, line: int = 0) -> Location:
    """A file, or a line of it, as messages name it."""
    return Location(printable(str(path)), line)


def read_text(path: Path, problems: list[Problem]) -> str | None:
    """The file's text, None if it cannot be used; what is wrong goes to `problems`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _Refused("not a regular file; expected a file of text; remove it")
        with path.open("rb") as file:
            return _decoded(file.read(_LARGEST + 1))
    except _Refused as refused:
        problems.append(Problem(place(path, refused.line), str(refused)))
    except FileNotFoundError:
        what = "a link to nothing" if path.is_symlink() else "there is no such file"
        problems.append(Problem.say(place(path), what, "expected a file of text", "write it or correct the path"))
    except OSError as error:
        problems.append(Problem.say(place(path), f"cannot be read: {error.strerror}", "expected a readable file", "mend it"))
    return None


class _Refused(Exception):
    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def _decoded(data: bytes) -> str:
    if len(data) > _LARGEST:
        raise _Refused(f"larger than {_LARGEST:,} bytes; expected a spec; split it")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _Refused("begins with a byte order mark; expected plain UTF-8; save it without one", 1)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Refused(f"byte 0x{data[error.start]:02x} is not UTF-8; expected UTF-8 text; save the file as UTF-8", line) from None
    if wrong := _WRONG.search(text):
        line = text.count("\n", 0, wrong.start()) + 1
        raise _Refused(f"control character U+{ord(wrong[0]):04X}; expected printable text; remove it", line)
    return text
