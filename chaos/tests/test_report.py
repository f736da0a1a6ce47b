"""The table tells old results from those of the newest code, and a promise that was missed from one that was kept."""

from pathlib import Path

from chaos.report import read_results, table

DOCS = Path(__file__).parents[2] / "docs"
OLD = {"fault": "kill-kafka", "seed": 1, "seconds": 12.0, "problems": []}
LATE = OLD | {"seconds": 31.0, "commit": "abc1234"}
BROKEN = OLD | {"seconds": None, "problems": ["lost"], "commit": "abc1234"}


def test_the_docs_show_the_results():
    assert (DOCS / "faults.md").read_text() == table(read_results())


def test_the_newest_code_is_told_apart():
    text = table([OLD, OLD | {"commit": "0000000"}, LATE, BROKEN])
    assert "of the newest code that was broken, `abc1234`; the rest" in text
    [line] = [line for line in text.splitlines() if line.startswith("| kill-kafka |")]
    assert line.endswith("| 4 | 3 | 1 of 2 | 12 s (31 s; 1 beyond 30 s) |")


def test_results_without_a_commit_are_old():
    text = table([OLD])
    assert "of the newest code that was broken; the rest" in text
    assert "| 1 | 1 | – | 12 s (12 s) |" in text
