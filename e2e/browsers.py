"""A browser, a login, and how to tell that a dashboard is drawn."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserType, Page, sync_playwright
from playwright.sync_api import TimeoutError as TimedOut
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from infra.platform import Platform

# Without these, Chromium looks for hosts outside at every start.
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
_STARTS = 120_000  # milliseconds; on a machine that has much to do half a minute was too short, and every test after it failed
# A browser whose drawing process hangs takes logins, but no chart comes into view for it: each is loaded when it is seen.
_DRAWS = "() => (window.frames_drawn = (window.frames_drawn || 0) + 1) > 3"
_FIRST_FRAMES = 30_000  # milliseconds
_MOST = 3000  # characters of a page that is not drawn
# Charts on tabs that are not open have no place on the page yet.
_DRAWN = """() => {
  const charts = [...document.querySelectorAll('[data-test-chart-id]')].filter(chart => chart.offsetParent);
  return charts.length > 0 && charts.every(chart => chart.querySelector('.slice_container'))
    && !document.querySelector('[data-test="loading-indicator"], .loading');
}"""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The distribution's Chromium, headless and drawing."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "the browser tests need Chromium; install it: apt-get install chromium"
    with sync_playwright() as playwright:
        yield _launch(playwright.chromium, found)


@retry(retry=retry_if_exception_type(TimedOut), stop=stop_after_attempt(3), reraise=True)
def _launch(chromium: BrowserType, executable: str) -> Browser:
    browser = chromium.launch(executable_path=executable, args=list(_QUIET), timeout=_STARTS)
    try:
        page = browser.new_page()
        page.wait_for_function(_DRAWS, timeout=_FIRST_FRAMES)
        page.close()
    except TimedOut:
        browser.close()
        raise
    return browser


def sign_in(page: Page, platform: Platform) -> None:
    """As an analyst."""
    page.goto(f"{platform.url('superset')}/login/")
    page.fill("#username", "analyst")
    page.fill("#password", (platform.secrets / "superset_analyst").read_text().strip())
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def draw(page: Page, platform: Platform, slug: str, query: str = "") -> None:
    """Open a dashboard and return when all of its charts that can be seen are drawn; an AssertionError says what is seen instead."""
    said = list[str]()
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{platform.url('superset')}/superset/dashboard/{slug}/{query}")
    page.bring_to_front()  # sometimes Chromium opens it behind another, where nothing comes into view
    try:
        page.wait_for_function(_DRAWN)
    except TimedOut as waited:
        seen, errors = page.locator("body").inner_text()[:_MOST], "\n".join(said)[:_MOST]
        raise AssertionError(f"{slug} is not drawn. The page says:\n{seen}\nIts errors:\n{errors}") from waited
