"""Build the site as files: every page, what the search answers, and what hosts and search engines want.

A site is written whole beside the old one, then exchanged for it in one step; ``site.json`` in its folder
lists every file, so that a folder that is not ours is never touched.
"""

from __future__ import annotations

import ctypes
import gzip
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import (
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import orjson
from flask import Flask, g, render_template
from werkzeug.test import TestResponse

from layers.links import to_own_url
from layers.store import FileEntry, Release
from webmap.app import create_app
from webmap.file_addresses import HOME_LANGUAGE, PAGE, PANEL, SCRIPTED, Files, FileTarget
from webmap.i18n import LANGUAGES, translate
from webmap.settings import Settings
from webmap.site.crawler import Ask, Crawler, LinkRewriter, rewrite_html
from webmap.site.tables import build_answer_tables, to_handing_script, to_literal, to_packed_script

STARTS = ("/", "/embed")
OWN = ("static/", "map/")  # what pages take from the release at its own address
COMPRESSED = (".gz", ".br")
LOADED = (".html", ".js", ".css", ".svg")  # by pages; what is taken away as a file is taken seldom
SENT_AT_ONCE = 14_600  # bytes, in ten packets (RFC 6928): what is smaller comes no sooner from a copy
PAPER = ("pdf", "svg", "png")
PIECES = re.compile(rb"<template id=pieces .*</template>", re.DOTALL)  # of answers, which scripts alone use
HERE = Path(__file__).parent / "hosting"
MISSING = "404.html"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
NOT_INDEXED = "/embed.html"  # the map once more


def build_site(release: Release, settings: Settings, files: Files) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of the site, and compressed copies of large ones that pages load.

    `settings` say where paper is kept between runs. The same release gives the same bytes. Raises
    :class:`~webmap.site.crawler.SiteError` where a link leads nowhere.
    """
    for path, content in _build_files(release, settings, files):
        yield path, content
        if path.endswith(LOADED) and len(content) > SENT_AT_ONCE:
            yield f"{path}.gz", gzip.compress(content, 9, mtime=0)


def _build_files(release: Release, settings: Settings, files: Files) -> Iterator[tuple[str, bytes]]:
    # What an operator set for the service, as tiles from another host, is not for the files.
    app = create_app(release, Settings(settings.home, url=files.url, files=files))
    walk = Crawler(_asking(app), files.url)
    walk.start(_starts(app, release, files))
    pages = []
    for path, content in walk.files():
        if SCRIPTED.fullmatch(path):
            write = to_packed_script if path.endswith(PANEL) else to_handing_script
            yield f"{path}.js", write(to_literal(path, content))
        else:
            pages.append(path)
            page, pieces = _take_pieces(content)
            yield path, page
            if pieces:
                text = orjson.dumps(pieces.decode())
                yield f"{path.removesuffix(PAGE)}.pieces{PAGE}.js", to_packed_script(text)
    for name, table in build_answer_tables(app):
        yield f"answers/{name}.json.js", to_packed_script(table)
    if files.url:
        yield "404.html", render_missing(app, files.url)
    yield from list_hosting(files.url, sorted(path for path in pages if path.endswith(PAGE)))


def _take_pieces(page: bytes) -> tuple[bytes, bytes]:
    """Return a page without the pieces of its answers, and those."""
    found = PIECES.search(page)
    return (page[: found.start()] + page[found.end() :], found[0]) if found else (page, b"")


def _asking(app: Flask) -> Ask:
    client = app.test_client()

    def ask(address: str, wanted: str) -> TestResponse:
        return client.get(address, headers={"Accept": wanted})

    return ask


def _starts(app: Flask, release: Release, files: Files) -> list[str]:
    """Return the addresses that no link leads to: only scripts, or people who know them, ask for them."""
    own = [f"/r/{release.id}/{path}" for folder in OWN for path in release.paths(folder)]
    content = app.extensions["content"]
    found = [*STARTS, *(path for path in own if not path.endswith(COMPRESSED))]
    found += [
        f"{row['url']}{PANEL}?lang={language}" for row in content.documents.values() for language in LANGUAGES
    ]
    found += [
        f"{to_own_url(layer, quote(row_id))}{PANEL}?lang={language}"
        for layer in content.own
        for row_id in content.own_features(layer)
        for language in LANGUAGES
    ]
    if not files.sheets:
        return found
    found += [
        f"/print/{theme}.{kind}?lang={language}"
        for theme in content.themes
        for kind in PAPER
        for language in LANGUAGES
    ]
    if files.url is None:  # a preview's picture must be named with its whole address
        return found
    located = [row for row in content.documents.values() if row["geometry"]["method"]]
    return found + [
        f"/og/{row['id']}.png?lang={language}{'&points=1' if row['url'].startswith('/places/') else ''}"
        for row in located
        for language in LANGUAGES
    ]


def list_hosting(url: str | None, pages: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the files that hosts read; those for robots need the site's address."""
    for example in sorted(HERE.iterdir()):
        yield example.name, example.read_bytes()
    yield ".nojekyll", b""  # GitHub Pages is to serve the files as they are
    if url is None:
        return
    shown = [page for page in pages if not f"/{page}".endswith(NOT_INDEXED)]
    rows = "".join(f"<url><loc>{url}/{quote(page)}</loc></url>\n" for page in shown)
    yield (
        "sitemap.xml",
        f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{SITEMAPS}">\n{rows}</urlset>\n'.encode(),
    )
    yield "robots.txt", f"User-agent: *\nAllow: /\nSitemap: {url}/sitemap.xml\n".encode()


def render_missing(app: Flask, url: str) -> bytes:
    """Return the page that a host shows for any address that it has no file for.

    It may be shown below any folder, so that its links begin at the host's root.
    """
    with app.test_request_context(f"/?lang={HOME_LANGUAGE}"):
        app.preprocess_request()
        title, detail = (translate(key, g.language) for key in ("error.title_404", "files.missing"))
        page = render_template("error.html", status=404, title=title, detail=detail, near=[])
    return rewrite_html(page, _FromAnywhere(urlsplit(url).path)).encode()


class _FromAnywhere(LinkRewriter):
    """Links that are right below whatever folder the page is shown."""

    def __init__(self, base: str) -> None:
        super().__init__(FileTarget(MISSING, MISSING), lambda _: None, None)
        self._base = base

    def root(self) -> str:
        return f"{self._base}/"

    def lead_to(self, target: FileTarget) -> str:
        return self.root() + target.seen_from("")


# -- writing


MANIFEST = "site.json"
KIND = "weihai-layout site"
BESIDE = "weihai-layout-"  # begins the names of what is still, or no more, a site
EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
AT_FDCWD = -100  # of fcntl.h


class NotOursError(Exception):
    """A folder holds what no run of ours wrote; the message names it."""


@dataclass(frozen=True)
class Written:
    """What was written: files and bytes, without the manifest."""

    files: int
    size: int


def check_folder(folder: Path) -> None:
    """Raise :class:`NotOursError` unless `folder` is missing, empty, or holds a site and nothing else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise NotOursError(folder.name)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if found:
        others = sorted(found - {MANIFEST, *_read_files(folder)})
        if others:
            raise NotOursError(others[0])


def write_site(folder: Path, files: Iterable[tuple[str, bytes]], about: Mapping[str, object]) -> Written:
    """Write `files` with a manifest that begins with `about`, in the place of the site in `folder`.

    Killed at any instant, or failing, the old site stays whole. Raises :class:`NotOursError`, and
    OSError where a file cannot be written.
    """
    folder = Path(os.path.realpath(folder))  # a link to the folder stays a link
    check_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-{BESIDE}", dir=folder.parent) as beside:
        new = Path(beside) / "new"
        new.mkdir()  # readable as the umask says; the folder above is for us alone
        entries = {path: _write(new / path, content) for path, content in files}
        listed = {"kind": KIND, **about, "files": dict(sorted(entries.items()))}
        _write(new / MANIFEST, json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode())
        check_folder(folder)  # it took a while
        _exchange(new, folder)
    return Written(len(entries), sum(entry["bytes"] for entry in entries.values()))


def remove_site_leftovers(folder: Path) -> None:
    """Remove what killed runs left beside `folder`; the caller keeps other runs away."""
    folder = Path(os.path.realpath(folder))
    for leftover in folder.parent.glob(f".{folder.name}-{BESIDE}*"):
        shutil.rmtree(leftover)


def _read_files(folder: Path) -> set[str]:
    """Return the files that a folder's manifest lists; none where it has no manifest of ours."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return set(manifest["files"]) if manifest["kind"] == KIND else set()
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def _write(path: Path, content: bytes) -> FileEntry:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _exchange(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`; the old one, if there is one, ends beside it."""
    if not folder.exists():
        new.rename(folder)
    elif not _swap(new, folder):
        folder.rename(new.with_name("old"))
        new.rename(folder)


def _swap(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, so that a server never finds neither; False where that cannot be."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError):
        return False
    return bool(rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE) == 0)
