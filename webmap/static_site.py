"""Build the site as files: every page, what the search answers, and what hosts and search engines want.

A crawler walks the application from the map along every link and turns each response into a file: a page's
tags are changed and written as briefly as HTML may be, and every other byte is left as it is. A site is
written whole beside the old one, then exchanged for it in one step; ``site.json`` in its folder lists every
file, so that a folder that is not ours is never touched. Tables answer a search, a look-up, siting and a
comparison; each is a script that hands its content to the page that loads it (``webmap/static/js/site.js``):
a page that is read from a disk may load scripts, but fetch nothing.
"""

from __future__ import annotations

import base64
import ctypes
import glob
import gzip
import hashlib
import html
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from http import HTTPStatus
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
import orjson
import shapely
from flask import Flask, g, render_template
from shapely.geometry.base import BaseGeometry
from werkzeug.test import TestResponse
from werkzeug.urls import iri_to_uri

from geodata import crs
from layers.links import to_own_url
from layers.lookup import EDGES, GROUND, ORDER, SHARING, BlockEntry, read_block
from layers.search.finder import FoundRow, Search
from layers.search.offline import OfflineTables, build_offline_tables
from layers.store import FileEntry, Release
from webmap.app import create_app
from webmap.assets import hand_over
from webmap.content import Content
from webmap.file_addresses import (
    HOME_LANGUAGE,
    PAGE,
    PANEL,
    SCRIPTED,
    Files,
    FileTarget,
    NeedsServerError,
    locate,
)
from webmap.i18n import LANGUAGES, translate
from webmap.settings import Settings
from webmap.views.comparison import tabulate_comparison
from webmap.views.finding import SAYINGS, SHOWN_FRAMES, describe_in_every_way, describe_offline
from webmap.views.siting import tabulate_siting

REFERENCES = ("href", "src")
CHANGED = {*REFERENCES, "action", "nonce"}
ASIDE = ("#", "data:", "mailto:", "tel:", "http://", "https://")  # what leads to no other file
Ask = Callable[[str, str], TestResponse]  # of an address and the media type that is wanted
Row = dict[str, object]
CLOSE_ZOOM = 12.5  # the zoom that a place without a page is shown at
EDGE_KEYS = {"of", "accuracy_m", "coast"}  # of what is said of a stretch of edge
STEPS = 1e7  # whole steps in a degree that positions are written in: a centimetre


class SiteError(Exception):
    """The site cannot be written; the message says which address is at fault."""


class Crawler:
    """What is to be asked, and what has been."""

    def __init__(self, ask: Ask, url: str | None) -> None:
        self._ask, self._url = ask, url
        self._waiting: list[FileTarget] = []
        self._met: set[str] = set()

    def start(self, addresses: Iterable[str]) -> None:
        """Ask for `addresses`, pages in every language."""
        for address in addresses:
            for language in LANGUAGES:
                self._meet(locate(address, language))

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of every file that can be reached; raises SiteError for a dead link."""
        while self._waiting:
            target = self._waiting.pop()
            answer = self._ask(target.request, "text/html" if target.is_page else "*/*")
            if answer.status_code != HTTPStatus.OK or target.is_page != (answer.mimetype == "text/html"):
                raise SiteError(f"{target.request}: {answer.status_code} {answer.mimetype}")
            yield target.path, self._write(target, answer.data) if target.is_page else answer.data

    def _meet(self, target: FileTarget) -> None:
        if target.path not in self._met:
            self._met.add(target.path)
            self._waiting.append(target)

    def _write(self, page: FileTarget, body: bytes) -> bytes:
        return rewrite_html(body.decode(), LinkRewriter(page, self._meet, self._url)).encode()


class LinkRewriter:
    """What becomes of the tags of one page: its links lead to files, seen from the page itself."""

    def __init__(self, page: FileTarget, meet: Callable[[FileTarget], None], url: str | None) -> None:
        self._page, self._meet, self._url = page, meet, url
        self._aside = (*ASIDE, *([url] if url else []))
        self._folder, first = page.path.rpartition("/")[0], page.path.partition("/")[0]
        self._language = first if first in LANGUAGES else HOME_LANGUAGE

    def __call__(self, tag: str, attributes: Attributes) -> Attributes:
        """Return the attributes of a tag as the file has them."""
        if tag != "html" and attributes.keys().isdisjoint(CHANGED):
            return attributes
        if "action" in attributes:  # a form, and no one to take it
            raise SiteError(f"{self._page.request}: {tag} {attributes['action']}")
        changed = {name: value for name, value in attributes.items() if name != "nonce"}
        for name in REFERENCES:
            reference = changed.get(name)
            if reference and not reference.startswith(self._aside):
                changed[name] = self._lead(reference, whole=tag == "link" and "hreflang" in changed)
        return changed | ({"data-root": self.root()} if tag == "html" else {})

    def root(self) -> str:
        """Return what leads from the page to the site's root."""
        return "../" * self._page.path.count("/") or "./"

    def lead_to(self, target: FileTarget) -> str:
        """Return the reference to a file."""
        return target.seen_from(self._folder)

    def _lead(self, reference: str, *, whole: bool) -> str:
        try:
            target = locate(reference, self._language)
        except NeedsServerError as error:
            raise SiteError(f"{self._page.request}: {reference}") from error
        self._meet(target)
        if whole and self._url is not None:
            return iri_to_uri(f"{self._url}/{target.seen_from('')}")
        return self.lead_to(target)


# -- a page's tags


Attributes = dict[str, str | None]
Change = Callable[[str, Attributes], Attributes]
HOLDERS = ("script", "style")  # whose text a policy must know
MOST_TAGS = 50_000
ATTRIBUTE = re.compile(r"""(\s+[^\s"'=<>/]+)=("[^"]*"|'[^']*')""")
PLAIN = re.compile(r"""[^\s"'=<>`]*[^\s"'=<>`/]""")  # a value that needs no quotes
# What an element ends before, so that it needs no tag of its own for that: a start, or an end with its slash.
ENDED_BY = {
    "li": {"li", "/ul", "/ol"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd", "/dl"},
    "td": {"td", "th", "/tr"},
    "th": {"td", "th", "/tr"},
    "tr": {"tr", "/tbody", "/thead", "/table"},
    "option": {"option", "/select", "/datalist"},
}


def rewrite_html(text: str, change: Change) -> str:
    """Return the page with the attributes that `change` returns for each tag, and its own policy.

    `change` returns the attributes that it was given where nothing changes, not a copy. Values stand without
    quotes, and elements without an end tag, where HTML allows it: a tenth less.
    The policy allows the page's inline scripts and styles by their hashes, so that the page needs no
    header and no nonce, and its bytes stay the same.
    """
    reader = _Reader(text, change)
    reader.feed(text)
    reader.close()
    policy = f'\n<meta http-equiv="Content-Security-Policy" content="{_policy(reader.inline)}">'
    edits = sorted([*reader.edits, (reader.head, reader.head, policy)])
    parts, at = [], 0
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _policy(inline: dict[str, list[str]]) -> str:
    """Return what the page may do; what only a header can say is in the server's example."""
    allowed = "".join(
        f"{kind}-src 'self' {' '.join(dict.fromkeys(map(_hash, inline[kind])))}; "
        for kind in HOLDERS
        if inline[kind]
    )
    rest = "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'"
    return f"default-src 'self'; {allowed}{rest}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class _Reader(HTMLParser):
    """Notes where tags stand, what becomes of them, and what stands in scripts and styles.

    Attributes
    ----------
    edits
        (start, end, new text) by offset.
    inline
        The texts of scripts and styles.
    head
        The offset behind the tag that says how the page is encoded, where the policy goes.
    """

    def __init__(self, text: str, change: Change) -> None:
        super().__init__(convert_charrefs=True)
        self.edits: list[tuple[int, int, str]] = []
        self.inline: dict[str, list[str]] = {kind: [] for kind in HOLDERS}
        self.head = 0
        self._text, self._change = text, change
        self._lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._opened = 0
        self._ended: tuple[str, int, int] | None = None  # the last end tag, if nothing came behind it yet

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        start, source = self._offset(), self.get_starttag_text() or ""
        end = self._opened = start + len(source)
        self._drop_end(tag, start)
        before = dict(attrs)
        after = self._change(tag, before)
        new = source if after is before else _write_tag(tag, after, closed=source.endswith("/>"))
        new = _shorten(new)
        if new != source:
            self.edits.append((start, end, new))
        if tag == "meta" and "charset" in before:
            self.head = end

    def _drop_end(self, tag: str, start: int) -> None:
        """Leave out the last end tag where `tag` stands right behind it and says as much."""
        ended, self._ended = self._ended, None
        if ended and ended[2] == start and tag in ENDED_BY.get(ended[0], ()):
            self.edits.append((ended[1], ended[2], ""))

    def handle_endtag(self, tag: str) -> None:
        """Note an end tag, and what stood in a script or style."""
        start = self._offset()
        self._drop_end(f"/{tag}", start)
        self._ended = (tag, start, self._text.index(">", start) + 1)
        if tag in HOLDERS and (text := self._text[self._opened : self._offset()]):
            self.inline[tag].append(text)


def _write_tag(tag: str, attributes: Attributes, *, closed: bool) -> str:
    said = [
        f" {name}" if value is None else f' {name}="{_escape(value)}"' for name, value in attributes.items()
    ]
    return f"<{tag}{''.join(said)}{'/' if closed else ''}>"


@lru_cache(MOST_TAGS)  # pages have most of their tags alike
def _shorten(tag: str) -> str:
    """Return a start tag with its values unquoted where they may be.

    >>> _shorten('<a class="clause" href="x.html" title="x y">'), _shorten('<path d="M0"/>')
    ('<a class=clause href=x.html title="x y">', '<path d=M0 />')
    """
    short = ATTRIBUTE.sub(_unquote, tag)
    return (
        f"{short[:-2]} />"
        if short != tag and short.endswith("/>") and not short.endswith(('"/>', "'/>", " />"))
        else short
    )


def _unquote(attribute: re.Match[str]) -> str:
    name, value = attribute[1], attribute[2]
    return f"{name}={value[1:-1]}" if PLAIN.fullmatch(value[1:-1]) else attribute[0]


def _escape(value: str) -> str:
    return html.escape(value, quote=False).replace('"', "&quot;")


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
    :class:`~webmap.static_site.SiteError` where a link leads nowhere.
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
    for leftover in folder.parent.glob(f".{glob.escape(folder.name)}-{BESIDE}*"):
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


def build_answer_tables(app: Flask) -> Iterator[tuple[str, bytes]]:
    """Yield the name of every table and its content as JSON."""
    content: Content = app.extensions["content"]
    for name, answers in build_answers(app).items():
        yield name, orjson.dumps(answers)
    yield "lookup", orjson.dumps(tabulate_lookup(content.release))
    yield "compare", orjson.dumps(tabulate_comparison(content))
    yield "find", orjson.dumps(tabulate_siting(content))


def to_handing_script(literal: bytes) -> bytes:
    """Return JSON as the script that hands it over; every JSON text is a value of the language."""
    return hand_over(literal.decode()).encode()


def to_packed_script(literal: bytes) -> bytes:
    """Return JSON as a script that hands it over packed, which takes a third of the room and no server."""
    packed = base64.b64encode(gzip.compress(literal, 9, mtime=0)).decode()
    return f'document.currentScript.unpack("{packed}");\n'.encode()


def to_literal(path: str, content: bytes) -> bytes:
    """Return a file that scripts load as JSON: a page's fragment as a text."""
    return orjson.dumps(content.decode()) if path.endswith(PANEL) else content


def tabulate_lookup(release: Release) -> Row:
    """Return what a look-up answers from, for ``static/js/offline-lookup.js``, with the frames it knows."""
    around = list(read_block(release.read("index/around.bin")))
    ground = {entry.head["id"]: entry.geometry for entry in around if entry.head["layer"] == GROUND}
    edges = [entry for entry in around if entry.head["layer"] == EDGES]
    return {
        "order": ORDER,
        "sharing": SHARING,
        "errors": edges[0].head["errors"] if edges else [(0.0, 0.0), (1.0, 1.0)],
        "places": [_pack(entry, dict(entry.head)) for entry in read_block(release.read("index/lookup.bin"))],
        "edges": [
            _pack(one, {key: value for key, value in one.head.items() if key in EDGE_KEYS}) for one in edges
        ],
        **{name: _pack_rings(geometry) for name, geometry in ground.items()},
        "gateways": [
            {"head": entry.head, "at": entry.geometry.coords[0]}
            for entry in around
            if entry.head["layer"] == "gateways"
        ],
        "frames": {"degrees": crs.DEGREES, "projected": _tabulate_frames()},
        "shown": SHOWN_FRAMES,
    }


def _pack(entry: BlockEntry, head: Row) -> Row:
    return {"head": head, "rings": _pack_rings(entry.geometry)}


def _pack_rings(geometry: BaseGeometry) -> list[list[int]]:
    """Return the rings of polygons, or the lines, as whole steps east and north, each from the one before."""
    parts = shapely.get_parts(geometry)
    lines = shapely.get_rings(parts) if geometry.geom_type.endswith("Polygon") else parts
    return [
        np.diff(np.rint(shapely.get_coordinates(line) * STEPS).astype(int), axis=0, prepend=0)
        .ravel()
        .tolist()
        for line in lines
    ]


def _tabulate_frames() -> list[Row]:
    """Return the parameters of the transverse Mercator systems that are in use here."""
    found = ((frame, crs.read_transverse_mercator(frame)) for frame in crs.PROJECTED)
    return [
        {"name": frame, "north_first": crs.is_north_first(frame)} | parameters
        for frame, parameters in found
        if parameters
    ]


def build_answers(app: Flask) -> dict[str, Row]:
    """Return what the search answers from, as ``webmap/static/js/offline-search.js`` reads it.

    What is alike in every language stands under ``search``, and what each says besides under its own name.
    """
    content: Content = app.extensions["content"]
    tables = build_offline_tables(content.search, content.release.read_json("index/search.json"))
    with app.app_context():
        entries = [_speak_entries(content.search, tables, language) for language in LANGUAGES]
        told = [_speak_told(content.search, tables, language) for language in LANGUAGES]
        says = [{key: translate(f"finding.{key}", language) for key in SAYINGS} for language in LANGUAGES]
        commas = [translate("common.comma", language) for language in LANGUAGES]
    (shared_entries, own_entries), (shared_told, own_told) = share_rows(entries), share_rows(told)
    spoken: dict[str, Row] = {
        language: {
            "entries": own_entries[at],
            "told": own_told[at],
            "says": {**says[at], "comma": commas[at]},
        }
        for at, language in enumerate(LANGUAGES)
    }
    return {"search": {**tables, "entries": shared_entries, "told": shared_told}, **spoken}


def _speak_entries(search: Search, tables: OfflineTables, language: str) -> list[Row]:
    """Return every entry with its names and words in `language`."""
    entries: list[Row] = []
    for entry, weight in zip(search.entries, tables["entries"], strict=True):
        row = search.head(entry, language)
        describe_in_every_way(row, language)
        entries.append({**row, **weight, "url": _address_of(row, language)})
    return entries


def _speak_told(search: Search, tables: OfflineTables, language: str) -> list[Row]:
    """Return every answer with the sentence that tells it in `language`."""
    return [
        {**describe_offline(search.describe(answer, language), language, _is_file), **more}
        for answer, more in tables["told"]
    ]


def share_rows(tables: list[list[Row]]) -> tuple[list[Row], list[list[Row]]]:
    """Return what the rows of all tables have alike, and what those of each have besides.

    >>> share_rows([[{"id": "sea", "name": "海"}], [{"id": "sea", "name": "sea"}]])
    ([{'id': 'sea'}], [[{'name': '海'}], [{'name': 'sea'}]])
    """
    shared: list[Row] = []
    own: list[list[Row]] = [[] for _ in tables]
    for rows in zip(*tables, strict=True):
        first, *others = rows
        alike = {
            key: value
            for key, value in first.items()
            if all(key in other and other[key] == value for other in others)
        }
        shared.append(alike)
        for left, row in zip(own, rows, strict=True):
            left.append({key: value for key, value in row.items() if key not in alike})
    return shared, own


def _is_file(url: str, language: str) -> bool:
    """Return whether a page needs no service."""
    try:
        locate(url, language)
    except NeedsServerError:
        return False
    return True


def _address_of(row: FoundRow, language: str) -> str:
    """Return the address of an entry; what only a service answers for is shown on the map."""
    url = row["url"]
    try:
        locate(url, language)
    except NeedsServerError:
        lon, lat = row["at"]
        return f"/#{CLOSE_ZOOM}/{lat}/{lon}"
    return url
