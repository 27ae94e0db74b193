"""One static site for all tests of it, written by the command itself."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from layers.store import Release
from scripts import cli

FOLDER = "plan/map"  # the sub-path that the tests serve it below
TAG = re.compile(r"<[a-z][^\s>]*\s[^>]*>")
BARE = re.compile(r"""("[^"]*")|=([^\s"'=<>`]+)""")


@dataclass(frozen=True)
class Site:
    """A written site: where its files are, and what the command answered."""

    folder: Path
    answer: dict[str, Any]

    @property
    def pages(self) -> list[str]:
        return sorted(path for path in self.manifest["files"] if path.endswith(".html"))

    @property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.folder / "site.json").read_bytes())
        return manifest

    def read(self, path: str) -> str:
        text = (self.folder / path).read_text(encoding="utf-8")
        return quote_values(text) if path.endswith(".html") else text

    def handed(self, path: str) -> Any:
        """Return what a file hands to the script that loads it."""
        found = re.fullmatch(r"document\.currentScript\.(take|unpack)\((.*)\);\n", self.read(path), re.DOTALL)
        assert found, path
        handed = json.loads(found[2])
        handed = handed if found[1] == "take" else json.loads(gzip.decompress(base64.b64decode(handed)))
        return quote_values(handed) if path.endswith(".html.js") else handed

    def search_tables(self, language: str) -> dict[str, Any]:
        """Return what the search answers from: what all languages share with what one says."""
        shared: dict[str, Any] = self.handed("answers/search.json.js")
        spoken: dict[str, Any] = self.handed(f"answers/{language}.json.js")
        rows = {
            name: [one | other for one, other in zip(shared[name], spoken[name], strict=True)]
            for name in ("entries", "told")
        }
        return shared | spoken | rows


@pytest.fixture(scope="session")
def written(home: Path, release: Release) -> Site:
    """Return the site without sheets, written once for all worker processes."""
    folder, answer = home.parent / "hosted" / FOLDER, home.parent / "site-answer.json"
    with FileLock(home.parent / "site-tests.lock"):
        kept = json.loads(answer.read_bytes())["release"] if answer.exists() else None
        if kept != release.id:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                code = cli.main(["site", str(folder), "--home", str(home), "--without-sheets", "--json"])
            assert code == 0
            answer.write_text(said.getvalue(), encoding="utf-8")
    return Site(folder, json.loads(answer.read_text(encoding="utf-8")))


def quote_values(page: str) -> str:
    """Return a page with the quotes that its values may be written without."""

    def whole(tag: re.Match[str]) -> str:
        return BARE.sub(lambda found: found[1] or f'="{found[2]}"', tag[0])

    return TAG.sub(whole, page)


class Quiet(SimpleHTTPRequestHandler):
    """Python's own server of files without its log; like many hosts it finds pages without their ending."""

    def translate_path(self, path: str) -> str:
        found = super().translate_path(path)
        return found if Path(found).exists() else f"{found}.html"

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def hosted(written: Site) -> Iterator[str]:
    """Return the address of the site below a sub-path of a server that runs no code of ours."""
    root = written.folder.parents[FOLDER.count("/")]
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{FOLDER}"
        server.shutdown()
        thread.join(5)
