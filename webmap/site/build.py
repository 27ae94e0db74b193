"""Everything that the site consists of: pages in three languages, data, paper, and what hosts need."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from werkzeug.test import TestResponse

from layers.store import Release
from webmap.app import create_app
from webmap.language import LANGUAGES
from webmap.settings import Settings
from webmap.site.addresses import PAGE, PANEL, Files
from webmap.site.hosting import list_hosting, render_missing
from webmap.site.names import build_names
from webmap.site.walking import Ask, Walk

STARTS = ("/", "/embed")
OWN = ("static/", "map/")  # what pages take from the release at its own address
COMPRESSED = (".gz", ".br")
PAPER = ("pdf", "svg", "png")


def build_site(release: Release, settings: Settings, files: Files) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of the site, each once.

    `settings` say where paper is kept between runs. The same release gives the same bytes. Raises
    :class:`~webmap.site.walking.SiteError` where a link leads nowhere.
    """
    # What an operator set for the service, as tiles from another host, is not for the files.
    app = create_app(release, Settings(settings.home, url=files.url, files=files))
    walk = Walk(_asking(app), files.url)
    walk.start(_starts(app, release, files))
    pages = []
    for path, content in walk.files():
        pages.append(path)
        yield path, content
    for language in LANGUAGES:
        yield f"names/{language}.json", build_names(app, language)
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
