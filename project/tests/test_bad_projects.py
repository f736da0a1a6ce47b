"""Each bad project is the good one with a few edits; the messages are golden, as a user reads them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from project.loader import load_project
from project.problems import ProjectError

HERE = Path(__file__).parent
CASES: dict[str, Any] = yaml.safe_load((HERE / "bad_projects.yaml").read_text())


def edit(edits: list[dict[str, Any]]) -> Path:
    """Copies the good project to ./shop and edits it; the folder to load."""
    root, loaded = Path("shop"), Path("shop")
    shutil.copytree(HERE / "good", root)
    for change in edits:
        match change:
            case {"in": name, "replace": old, "by": new}:
                text = (root / name).read_text()
                assert text.count(old) == 1, old
                (root / name).write_text(text.replace(old, new))
            case {"file": name, "write": text}:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text * change.get("times", 1))
            case {"file": name, "bytes": text}:
                (root / name).write_bytes(bytes.fromhex(text))
            case {"rename": name, "to": new}:
                (root / name).rename(root / new)
            case {"remove": name}:
                (root / name).unlink()
            case {"link": name, "to": target}:
                (root / name).symlink_to(target)
            case {"move project to": name}:
                root = loaded = root.rename(name)
            case {"load": name}:
                loaded = Path(name)
            case _:
                raise AssertionError(change)
    return loaded


@pytest.mark.parametrize("name", CASES)
def test_every_problem_is_said_with_its_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectError) as raised:
        load_project(edit(CASES[name]["edit"]))
    assert str(raised.value).splitlines() == CASES[name]["says"]
