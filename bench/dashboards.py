"""How long each dashboard of a project takes until all of its charts are drawn, in a browser that has opened it before.

    python -m bench.dashboards [FOLDER ...] [--times 5]

Runs on the running embedded platform, where the projects of the folders are applied: the bookstore's by default. The browser
draws on the same cores as the platform computes. Prints a Markdown table.
"""

import argparse
import os
import platform
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page

from e2e.browsers import draw, open_browser, sign_in
from e2e.conftest import ROOT
from infra.platform import Platform
from orchestration.places import this_platform
from project.loader import load_project

_FORGETS = 6  # seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="*", type=Path, default=[ROOT / "examples" / "bookstore"])
    options.add_argument("--times", type=int, default=5)
    given = options.parse_args()
    here = this_platform()
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1800})
        sign_in(page, here)
        print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n\n| drawn, warm | median | range |")
        print("|---|---|---|")
        for slug in (f"{project.name}-{name}" for project in map(load_project, given.folders) for name in project.dashboards):
            _, *warm = (_seconds(page, here, slug) for _ in range(given.times + 1))
            print(f"| {slug} | {median(warm):.1f} s | {min(warm):.1f}–{max(warm):.1f} s |", flush=True)


def _seconds(page: Page, here: Platform, slug: str) -> float:
    begun = time.monotonic()
    draw(page, here, slug)
    taken = time.monotonic() - begun
    # What Superset keeps of the answers for a few seconds must not make the next time look good.
    time.sleep(_FORGETS)
    return taken


if __name__ == "__main__":
    main()
