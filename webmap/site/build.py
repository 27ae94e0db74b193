"""Build the site as files: every page, what the search answers, and what hosts and search engines want."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from flask import Flask, g, render_template
from werkzeug.test import TestResponse

from layers.links import to_own_url
from layers.store import Release
from webmap.app import create_app
from webmap.file_addresses import HOME_LANGUAGE, PAGE, PANEL, SCRIPTED, Files, FileTarget
from webmap.i18n import LANGUAGES, translate
from webmap.settings import Settings
from webmap.site.crawler import Ask, Crawler, LinkRewriter
from webmap.site.html_rewrite import rewrite_html
from webmap.site.tables import build_answer_tables, to_handing_script, to_literal

STARTS = ("/", "/embed")
OWN = ("static/", "map/")  # what pages take from the release at its own address
COMPRESSED = (".gz", ".br")
TEXTS = (
    *(".html", ".js", ".css", ".json", ".geojson", ".topojson", ".jsonld", ".csv", ".svg", ".xml"),
    ".kml",
    ".dxf",
)
LEAST_COMPRESSED = 1024  # bytes
PAPER = ("pdf", "svg", "png")
HERE = Path(__file__).parent / "hosting"
MISSING = "404.html"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
NOT_INDEXED = "/embed.html"  # the map once more


def build_site(release: Release, settings: Settings, files: Files) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of the site, each once, and a compressed copy of every text.

    `settings` say where paper is kept between runs. The same release gives the same bytes. Raises
    :class:`~webmap.site.crawler.SiteError` where a link leads nowhere.
    """
    for path, content in _build_files(release, settings, files):
        yield path, content
        if path.endswith(TEXTS) and len(content) >= LEAST_COMPRESSED:
            yield f"{path}.gz", gzip.compress(content, 9, mtime=0)


def _build_files(release: Release, settings: Settings, files: Files) -> Iterator[tuple[str, bytes]]:
    # What an operator set for the service, as tiles from another host, is not for the files.
    app = create_app(release, Settings(settings.home, url=files.url, files=files))
    walk = Crawler(_asking(app), files.url)
    walk.start(_starts(app, release, files))
    pages = []
    for path, content in walk.files():
        if SCRIPTED.fullmatch(path):
            yield f"{path}.js", to_handing_script(to_literal(path, content))
        else:
            pages.append(path)
            yield path, content
    for name, table in build_answer_tables(app):
        yield f"answers/{name}.json.js", to_handing_script(table)
    if files.url:
        yield "404.html", render_missing(app, files.url)
    yield from list_hosting(files.url, sorted(path for path in pages if path.endswith(PAGE)))


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
