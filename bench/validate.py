"""How long `headrace validate` takes for a project of many resources.

    python -m bench.validate [--resources 200]

Writes such a project into a temporary folder and runs the command a user would run, five times. Prints a Markdown table.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_RUNS = 5
_CHARTS = 8  # of a dashboard


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--resources", type=int, default=200, help="tables, views, charts and dashboards in all")
    wanted = options.parse_args().resources
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        counts = write_project(Path(folder), wanted)
        taken, processor = zip(*(seconds(Path(folder)) for _ in range(_RUNS)), strict=True)
    print(f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n")
    print(f"`validate` of {sum(counts.values())} resources: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()) + "\n")
    print(f"| | best | median | worst of {_RUNS} |\n|---|---|---|---|")
    for name, each in (("by the clock", taken), ("on the processor", processor)):
        print(f"| {name} | {min(each):.2f} s | {statistics.median(each):.2f} s | {max(each):.2f} s |")


def write_project(folder: Path, wanted: int) -> dict[str, int]:
    """A quarter tables, three eighths views (as many as tables over them, the rest over those), the rest charts on dashboards."""
    tables, views = wanted // 4, wanted * 3 // 8
    dashboards = (wanted - tables - views) // (_CHARTS + 1)
    charts = wanted - tables - views - dashboards
    _write(folder / "project.yaml", "title: Many\nname: many\nowner: bench@example.com\n")
    _write(folder / "sources/shop.yaml", "database: shop\ntables:\n" + "".join(_table(number) for number in range(tables)))
    _write(folder / "streams/shop.yaml", "kind: mirror\nsource: shop\ntables:\n" + "".join(f"  t{n}: t{n}\n" for n in range(tables)))
    for number in range(views):
        _write(folder / f"views/v{number}.sql", _view(number, tables))
    for number in range(dashboards):
        here = range(number * charts // dashboards, (number + 1) * charts // dashboards)
        _write(folder / f"dashboards/d{number}.yaml", _dashboard(here, views))
    return {"tables": tables, "views": views, "charts": charts, "dashboards": dashboards}


def _table(number: int) -> str:
    columns = "".join(f'      c{n}: {{type: "numeric(10,2)", description: A number.}}\n' for n in range(12))
    return f"  t{number}:\n    key: [id]\n    columns:\n      id: bigint\n      at: timestamptz\n{columns}"


def _view(number: int, tables: int) -> str:
    source = f"t{number}" if number < tables else f"v{number - tables}"
    time_column = "at" if number < tables else "day"
    value = "c0 + c1 * c2" if number < tables else "total"
    return f"""/*
title: View {number}
description: Days and their totals.
time_column: day
columns:
  day: {{description: The day., label: Day}}
  total: {{description: The total., label: Total, format: ",.2f"}}
  share: {{description: Its share of all., label: Share, format: ".1%"}}
metrics:
  total_sum: {{expression: sum(total), label: Total, description: All totals., format: ",.2f"}}
  mean: {{expression: "sum(total) / nullif(count(*), 0)", label: Mean, description: Total per day.}}
*/
with days as (
  select s.{time_column}::date as day, coalesce(sum({value}), 0) as total
  from {source} s
  where s.{time_column} is not null and s.{time_column} >= timestamp '2020-01-01'
  group by s.{time_column}::date
)
select day, total, total / nullif(sum(total) over (), 0) as share
from days
order by day;
"""


def _dashboard(charts: range, views: int) -> str:
    items = "".join(
        f"  - height: 20\n    items:\n      - {{chart: c{n}, type: line, title: Chart {n}, view: v{n % views}, "
        "metrics: [total_sum, mean], x: day, description: Totals by day., width: 12}\n"
        for n in charts
    )
    return f"title: Days\ndescription: Days.\nfilters:\n  - {{name: Time, type: time_range}}\nrows:\n{items}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def seconds(folder: Path) -> tuple[float, float]:
    """Of one run, by the clock and on the processor; the first is much more than the second on a busy machine."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun, used = time.monotonic(), os.times()
    command = ["./headrace", "validate", "-p", str(folder), "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, check=False)
    taken, now = time.monotonic() - begun, os.times()
    if done.returncode:
        raise SystemExit("\n".join(problem["message"] for problem in json.loads(done.stdout)["problems"][:5]))
    return taken, now.children_user + now.children_system - used.children_user - used.children_system


if __name__ == "__main__":
    main()
