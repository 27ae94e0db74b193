"""A real server and a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

from layers.store import Release
from webmap import export_worker, server
from webmap.app import create_app
from webmap.export_worker import ChildJob, ChildLimits
from webmap.paper.paper_request import make_sheet
from webmap.settings import Settings

# Without the first of the features, a page of another host frames one of this machine; the others take time.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-quic"),
    "--disable-features=LocalNetworkAccessChecks,PreloadTopChromeWebUI,SpareRendererForSitePerProcess",
]
# A machine that runs other tests beside is slow at times, and right all the same.
expect.set_options(timeout=20_000)
SHEETS = f"{make_sheet.__module__}:{make_sheet.__name__}"
# Ends when nothing moves or fades any more.
AT_REST = """() => Promise.allSettled(document.getAnimations()
  .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime)).map((one) => one.finished))"""
# Of a reader who has put the introduction away: nothing lies on the map at first.
KNOWN = "try { localStorage.setItem('introduced', '1') } catch {}"


@contextmanager
def serving(release: Release, settings: Settings) -> Iterator[str]:
    """Serve a release on a free port for as long as the block lasts."""
    with running(create_app(release, settings)) as address:
        yield address


@contextmanager
def running(application: Any) -> Iterator[str]:
    """Serve a WSGI application on a free port for as long as the block lasts."""
    extensions = getattr(application, "extensions", {})
    postpones = "ogc" in extensions  # other applications take their time where they are called
    with server.serving(application, extensions.get("strings", {}), postpones=postpones) as address:
        yield address


@pytest.fixture(scope="session")
def site(home: Path, release: Release) -> Iterator[str]:
    """Return the address of a running server."""
    with serving(release, Settings(home)) as address:
        yield address


@pytest.fixture(scope="module")
def printed_here() -> Iterator[None]:
    """Have sheets printed in this process: a child takes seconds to begin, see test_export_worker.py."""
    run_child = export_worker.run_child

    def run(job: ChildJob, path: Path, limits: ChildLimits) -> None:
        if job.maker == SHEETS:
            path.write_bytes(make_sheet(job.line))
        else:
            run_child(job, path, limits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_worker, "run_child", run)
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Debian's chromium; fails, saying so, where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "chromium is not installed: apt-get install chromium, or run python3 scripts/test.py as root"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


class Watched:
    """A page with everything that must not happen on it: errors, refusals, outside requests."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.faults: list[str] = []
        self._site = site
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(error.stack or str(error)))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog {dialog.message}"))
        page.on("request", self._on_request)
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self._site, "data:")):
            self.faults.append(request.url)

    def _on_response(self, answer: Response) -> None:
        if answer.status >= 400:
            self.faults.append(f"{answer.status} {answer.url}")


class Desk:
    """Where many tests open a page each, one after another: scripts are fetched and compiled once.

    One page stays open, or the process would end with each test's. What a site keeps for its visitor
    does not go from one test to the next.
    """

    def __init__(self, browser: Browser, *, known: bool = True, **options: Any) -> None:
        self._context = browser.new_context(**options)
        if known:
            self._context.add_init_script(KNOWN)
        self._kept = self._context.new_page()

    @contextmanager
    def page(self, site: str) -> Iterator[Page]:
        """Open a page for as long as the block lasts."""
        if not self._kept.url.startswith(site):
            self._kept.goto(f"{site}/robots.txt")
        yield self._context.new_page()
        for page in self._context.pages:
            if page is not self._kept:
                page.close()
        self._kept.evaluate("localStorage.clear()")
        self._context.clear_cookies()


@pytest.fixture(scope="session")
def desk(browser: Browser) -> Desk:
    """Return where pages at 1440 × 900 are opened."""
    return Desk(browser, viewport={"width": 1440, "height": 900}, locale="zh-CN")


@pytest.fixture(scope="session")
def hand(browser: Browser) -> Desk:
    """Return where pages on a 360 px wide touch screen are opened."""
    return Desk(
        browser, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, locale="zh-CN"
    )


@pytest.fixture
def watched(desk: Desk, site: str) -> Iterator[Watched]:
    """Return a fresh page at 1440 × 900; fails at the end if anything forbidden happened on it."""
    with desk.page(site) as page:
        found = Watched(page, site)
        yield found
    assert found.faults == []


@pytest.fixture
def page(watched: Watched) -> Page:
    """Return the watched page itself."""
    return watched.page


@pytest.fixture
def phone(hand: Desk, site: str) -> Iterator[Page]:
    """Return a fresh page on a phone."""
    with hand.page(site) as page:
        yield page
