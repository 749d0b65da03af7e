"""Real browsers for the tests of the pages: Debian's Chromium and Firefox, driven by Playwright.

Where one is missing its tests are skipped, which the end of the run says loudly; with CI set they fail.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

WEB = Path(__file__).resolve().parent
BROWSERS = {"chromium": ("chromium", "chromium-browser", "google-chrome"), "firefox": ("firefox-esr", "firefox")}
# No sandbox for root in a container, and no look-ups of the browser's own.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 800}
_missing: set[str] = set()


def pytest_terminal_summary(terminalreporter):
    if _missing:
        terminalreporter.section("BROWSER TESTS WERE SKIPPED", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"Not found: {', '.join(sorted(_missing))}. `make install-browser` installs them (Debian)."
        )


@pytest.fixture(scope="session")
def driver():
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def launch(driver):
    """Function that starts a browser, each once a session."""
    started = {}

    def start(name, **preferences):
        key = name, *preferences.items()
        if key not in started:
            started[key] = _start(driver, name, preferences)
        return started[key]

    yield start
    for browser in started.values():
        browser.close()


def _start(driver, name, preferences):
    program = next(filter(None, map(shutil.which, BROWSERS[name])), None)
    if program is None:
        _missing.add(name)
        message = f"{name} is not installed: make install-browser"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    if name == "chromium":
        return driver.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
    # Debian's Firefox lacks Playwright's own patches and is driven by WebDriver BiDi.
    return driver.firefox.launch(channel="moz-firefox", executable_path=program, firefox_user_prefs=preferences)


class Tab:
    """A page, and what it complained of or asked for besides itself."""

    def __init__(self, page, address):
        self.page, self.problems, self.requests = page, [], []
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self._said("error", str(error)))
        page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._asked(request.url))
        page.goto(address)
        self.requests = [url for url in self.requests if url != address]

    def _said(self, kind, text):
        if kind in ("error", "assert"):
            self.problems.append(text)

    def _asked(self, url):
        if not url.startswith(("data:", "blob:")):
            self.requests.append(url)


@pytest.fixture
def open_tab(launch):
    """Function (browser, file, options of the context) that opens a page; it must not complain by the test's end."""
    tabs = []

    def opened(name, path, *, preferences=None, **options):
        context = launch(name, **(preferences or {})).new_context(**{"viewport": WIDE, **options})
        tab = Tab(context.new_page(), Path(path).as_uri())
        tabs.append((context, tab))
        return tab

    yield opened
    problems = [problem for _context, tab in tabs for problem in tab.problems]
    for context, _tab in tabs:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def violations():
    """Function that gives what axe-core finds on a page, in words."""
    source = (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    def of(page):
        page.evaluate(f"() => {{ {source} }}")
        found = page.evaluate("async () => (await axe.run()).violations")
        return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]

    return of
