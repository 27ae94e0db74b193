"""Build the site as files: every page, what the search answers, and what hosts and search engines want."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import orjson
from flask import Flask, g, render_template
from werkzeug.test import TestResponse

from layers.search.finder import FoundRow
from layers.search.offline import build_offline_tables
from layers.store import Release
from webmap.app import create_app
from webmap.content import Content
from webmap.file_addresses import HOME_LANGUAGE, PAGE, PANEL, Files, FileTarget, NeedsServerError, locate
from webmap.i18n import LANGUAGES, translate
from webmap.settings import Settings
from webmap.site.crawler import Ask, Crawler, LinkRewriter
from webmap.site.html_rewrite import rewrite_html
from webmap.views.search import SAYINGS, describe_in_every_way, describe_offline

STARTS = ("/", "/embed")
OWN = ("static/", "map/")  # what pages take from the release at its own address
COMPRESSED = (".gz", ".br")
PAPER = ("pdf", "svg", "png")
HERE = Path(__file__).parent / "hosting"
MISSING = "404.html"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
NOT_INDEXED = ("/embed.html", PANEL)  # the map once more, and what it shows of a place
CLOSE_ZOOM = 12.5  # the zoom that a place without a page is shown at


def build_site(release: Release, settings: Settings, files: Files) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of the site, each once.

    `settings` say where paper is kept between runs. The same release gives the same bytes. Raises
    :class:`~webmap.site.crawler.SiteError` where a link leads nowhere.
    """
    # What an operator set for the service, as tiles from another host, is not for the files.
    app = create_app(release, Settings(settings.home, url=files.url, files=files))
    walk = Crawler(_asking(app), files.url)
    walk.start(_starts(app, release, files))
    pages = []
    for path, content in walk.files():
        pages.append(path)
        yield path, content
    for language in LANGUAGES:
        yield f"answers/{language}.json", build_answers(app, language)
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


def build_answers(app: Flask, language: str) -> bytes:
    """Return what the search answers in `language`, as ``webmap/static/js/answering.js`` reads it."""
    content: Content = app.extensions["content"]
    tables = build_offline_tables(content.search, content.release.read_json("index/search.json"), language)
    with app.app_context():
        for row in tables["entries"]:
            describe_in_every_way(row, language)
            row["url"] = _address_of(row, language)
        told = [
            {**describe_offline(content.search.describe(answer, language), language, _is_file), **more}
            for answer, more in tables["told"]
        ]
        says = {key: translate(f"finding.{key}", language) for key in SAYINGS}
        says["comma"] = translate("common.comma", language)
    return orjson.dumps({**tables, "told": told, "says": says})


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
