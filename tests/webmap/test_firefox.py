"""The core journeys in Firefox: another engine draws, selects, searches and speaks the page's language."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.browser

# Of everything that goes wrong from the first script on.
WATCH = "window.faults = []; addEventListener('error', (event) => window.faults.push(event.message))"
CENTRE = """
const { left, top } = planMap.getContainer().getBoundingClientRect();
const { x, y } = planMap.latLngToContainerPoint([37.15, 122.45]);
return [Math.round(left + x), Math.round(top + y)];
"""
FIND = """
const [selector, text] = arguments;
return [...document.querySelectorAll(selector)].find((one) => one.textContent.includes(text)) ?? null;
"""
ARROW_DOWN, ENTER = "\ue015", "\ue007"
PATIENCE_S = 30


class Firefox:
    """Firefox without a window, told what to do in its own remote protocol (Marionette)."""

    def __init__(self, program: str, profile: Path) -> None:
        (profile / "user.js").write_text('user_pref("marionette.port", 0);')  # any that is free
        command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = profile / "MarionetteActivePort"
        _wait(lambda: port.exists() and port.read_text().strip())
        with socket.create_connection(("127.0.0.1", int(port.read_text())), 60) as connection:
            self._stream = connection.makefile("rwb")  # keeps it open
        self._read()  # its greeting
        self.ask("WebDriver:NewSession")

    def ask(self, command: str, **values: Any) -> Any:
        """Send a command and return the answer; raises AssertionError for a refusal."""
        message = json.dumps([0, 1, command, values]).encode()
        self._stream.write(b"%d:%s" % (len(message), message))
        self._stream.flush()
        _, _, fault, answer = self._read()
        assert fault is None, fault
        return answer["value"] if isinstance(answer, dict) and "value" in answer else answer

    def _read(self) -> Any:
        length = b""
        while (digit := self._stream.read(1)) != b":":
            length += digit
        return json.loads(self._stream.read(int(length)))

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a script returns in the page."""
        return self.ask("WebDriver:ExecuteScript", script=script, args=arguments)

    def find(self, selector: str, text: str = "") -> str:
        """Return the first element that a selector finds and that holds a text, once there is one."""
        found = _wait(lambda: self.run(FIND, selector, text), f"no {selector} with {text!r}")
        return str(next(iter(found.values())))

    def click(self, selector: str) -> None:
        """Click an element as a mouse does."""
        self.ask("WebDriver:ElementClick", id=self.find(selector))

    def open(self, address: str) -> None:
        """Open the map and wait until it can be used."""
        self.ask("WebDriver:Navigate", url=address)
        self.run(WATCH)
        self.find("#atlas.ready")

    def query(self) -> dict[str, list[str]]:
        """Return what the address of the page asks for."""
        return parse_qs(urlsplit(self.ask("WebDriver:GetCurrentURL")).query)

    def quit(self) -> None:
        """End the browser."""
        self.ask("Marionette:Quit", flags=["eForceQuit"])
        self._stream.close()
        self._process.wait(PATIENCE_S)


def _wait(ready: Any, missing: str = "Firefox does not start") -> Any:
    until = time.monotonic() + PATIENCE_S
    while not (found := ready()):
        assert time.monotonic() < until, missing
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Return a Firefox; fails, saying so, where there is none."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program, (
        "Firefox is not installed: apt-get install firefox-esr, or run python3 scripts/test.py as root"
    )
    driven = Firefox(program, tmp_path_factory.mktemp("profile"))
    driven.ask("WebDriver:SetWindowRect", width=1300, height=900)
    yield driven
    driven.quit()


def test_firefox_opens_searches_selects_and_changes_the_language(firefox: Firefox, site: str) -> None:
    firefox.open(f"{site}/?lang=en")
    assert firefox.run("return document.querySelectorAll('path.figure[data-id]').length") > 5
    firefox.find(".label", "Rongcheng")
    firefox.click("#guide-close")
    search = firefox.find("#search")
    firefox.ask("WebDriver:ElementSendKeys", id=search, text="nanhai")
    firefox.find("#search-results [role=option]", "Nanhai")
    firefox.ask("WebDriver:ElementSendKeys", id=search, text=ARROW_DOWN + ENTER)
    firefox.find("#panel-title", "Nanhai New Area")
    firefox.find("#panel-body .chip", "ort")  # the panel has come, industries and all
    assert firefox.query()["zone"] == ["nanhai"]
    firefox.click("#panel-close")
    firefox.click("#zoom-all")
    x, y = firefox.run(CENTRE)
    steps = [
        {"type": "pointerMove", "x": x, "y": y},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    ]
    firefox.ask("WebDriver:PerformActions", actions=[{"type": "pointer", "id": "mouse", "actions": steps}])
    firefox.find("#panel-title", "Rongcheng")
    firefox.click("#theme-belts")
    firefox.find("path.figure[data-id=belt-north-hightech]")
    assert firefox.run("return window.faults") == []
    with urlopen(firefox.run("return document.getElementById('print-sheet').href")) as answer:
        assert answer.read(5) == b"%PDF-"
    firefox.click(".languages a[lang=ko]")
    firefox.find("#panel-title", "룽청")
    asked = firefox.query()
    assert {name: asked[name] for name in ("theme", "zone", "lang")} == {
        "theme": ["belts"],
        "zone": ["rongcheng"],
        "lang": ["ko"],
    }
    firefox.ask("WebDriver:Navigate", url=f"{site}/zones/gaoqu?lang=en")
    firefox.find("h1", "Weihai Hi-Tech Zone")
    assert firefox.run("return document.documentElement.scrollWidth <= innerWidth")
