"""The report of a comparison: tables of medians with their spread, and plots, all from the measured numbers.

    python -m bench.report          (writes it anew from bench/results/compare.json)
"""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot

RESULTS = Path(__file__).parent / "results" / "compare.json"
Measured = list[dict[str, Any]]
RATES = (100, 1000, 5000)  # transactions a second
ROWS = 60_000  # of one transaction in bulk
TABLES = (10, 50)
PROJECTS = (1, 2, 4, 8)
# title of a table → what is in it → the heading; the first decides the order. Less is better where milliseconds or a cost is measured.
_TABLES: dict[str, dict[str, str]] = {
    "Latency, milliseconds from commit to commit": {
        f"p{part} at {rate}": f"p{part}, {rate:,}/s" for rate in RATES for part in (50, 95, 99)
    },
    "Rate that the source reached, transactions/s": {f"reached of {rate}": f"of {rate:,}" for rate in RATES},
    "Throughput, changes/s": {
        "insert": f"one insert of {ROWS:,}", "update": "one update", "delete": "one delete", "mixed": "short mixed transactions",
        "after an outage": "catching up", **{f"{count} tables": f"into {count} tables" for count in TABLES},
    },
    "Cost": {"CPU seconds per million changes": "CPU seconds per million changes", "MB": "MB in use"},
}  # fmt: skip
# The same of projects on one platform.
_OF_PROJECTS = {
    "rows": f"inserts/s, {ROWS:,} over all", "p50 at 1000": "p50 in one, ms", "p99 at 1000": "p99 in one, ms",
    "seconds to apply one": "seconds to apply one", "share of a core when idle": "% of a core when idle", "MB": "MB in use",
}  # fmt: skip
_PLOTS = {
    "latency": ("Latency at 1,000 transactions/s, ms (p50 and p99)", ("p50 at 1000", "p99 at 1000"), True),
    "throughput": ("Changes/s of bulk insert, update, delete", ("insert", "update", "delete"), False),
}
_COLOURS = ("#1f5a7a", "#d98032", "#7a9a3a")


def write_report(measured: Measured) -> None:
    """Keep what was measured, and write the tables and plots of it beside."""
    machine = f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}"
    _keep(machine=machine, measured=measured)


def keep_projects(measured: Measured) -> None:
    """The same of projects on one platform."""
    _keep(projects=measured)


def _keep(**found: Any) -> None:
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**before, **found}, indent=1) + "\n")
    write_tables()


def write_tables() -> None:
    found = json.loads(RESULTS.read_text())
    measured: Measured = found["measured"]
    peers = sorted({one["peer"] for one in measured}, key=lambda peer: -_median(_of(measured, peer), "insert"))
    repetitions = 1 + max(one["repetition"] for one in measured)
    texts = [
        "# Measured beside the alternatives\n",
        f"Written by `make bench`; {repetitions} repetitions, each of all peers in an order of its own, on {found['machine']}.",
        "Medians, with the lowest and the highest in brackets. What each number is: [bench/compare.py](../compare.py).\n",
    ]
    for title, columns in _TABLES.items():
        texts += _table(title, columns, {peer: _of(measured, peer) for peer in peers})
    if of_projects := {str(count): counted for count in PROJECTS if (counted := _counted(found.get("projects", []), count))}:
        texts += _table("Projects on one platform, each with a source, a connector and a job", _OF_PROJECTS, of_projects)
    for name, (title, keys, logarithmic) in _PLOTS.items():
        _plot(RESULTS.with_name(f"{name}.svg"), title, measured, peers, keys, logarithmic)
        texts.append(f"![{title}]({name}.svg)\n")
    RESULTS.with_name("README.md").write_text("\n".join(texts))


def _of(measured: Measured, peer: str) -> Measured:
    return [one for one in measured if one["peer"] == peer]


def _counted(measured: Measured, projects: int) -> Measured:
    return [one for one in measured if one["projects"] == projects]


def _table(title: str, columns: dict[str, str], rows: dict[str, Measured]) -> list[str]:
    head = [f"## {title}\n", f"| | {' | '.join(columns.values())} |", f"|---{'|---' * len(columns)}|"]
    return [*head, *(f"| {name} | {' | '.join(_cell(measured, key) for key in columns)} |" for name, measured in rows.items()), ""]


def _median(measured: Measured, key: str) -> float:
    return median(one[key] for one in measured)


def _cell(measured: Measured, key: str) -> str:
    values = [one[key] for one in measured if key in one]
    return cell(values) if values else "–"


def cell(values: Sequence[float]) -> str:
    """The median, with the lowest and the highest."""
    shown = [f"{value:,.0f}" if value >= 100 else f"{value:.1f}" for value in (median(values), min(values), max(values))]
    return f"**{shown[0]}** ({shown[1]}–{shown[2]})"


def _plot(file: Path, title: str, measured: Measured, peers: Sequence[str], keys: Sequence[str], logarithmic: bool) -> None:
    mpl.rcParams |= {"svg.hashsalt": "headrace", "svg.fonttype": "none"}  # the same numbers give the same file, a small one
    figure, axes = pyplot.subplots(figsize=(9, 0.9 + 0.6 * len(peers)))
    height = 0.8 / len(keys)
    for number, key in enumerate(keys):
        places = [place + (number - (len(keys) - 1) / 2) * height for place in range(len(peers))]
        values = [_median(_of(measured, peer), key) for peer in peers]
        bars = axes.barh(places, values, height, label=key, color=_COLOURS[number])
        axes.bar_label(bars, [f"{value:,.1f}" if value < 10 else f"{value:,.0f}" for value in values], padding=3, fontsize=8)
    axes.set_yticks(range(len(peers)), peers)
    axes.invert_yaxis()
    axes.set_title(title, loc="left")
    axes.margins(x=0.12)
    if logarithmic:
        axes.set_xscale("log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    write_tables()
