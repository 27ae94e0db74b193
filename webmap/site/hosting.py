"""What a host of files may need beside them: its settings, a page for what is missing, a sitemap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from flask import Flask, g, render_template

from webmap.language import translate
from webmap.site.addresses import HOME_LANGUAGE, PANEL, Target
from webmap.site.rewriting import rewrite
from webmap.site.walking import Changes

HERE = Path(__file__).parent / "hosting"
MISSING = "404.html"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
NOT_INDEXED = ("/embed.html", PANEL)  # the map once more, and what it shows of a place


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
    return rewrite(page, _FromAnywhere(urlsplit(url).path)).encode()


class _FromAnywhere(Changes):
    """Links that are right below whatever folder the page is shown."""

    def __init__(self, base: str) -> None:
        super().__init__(Target(MISSING, MISSING), lambda _: None, None)
        self._base = base

    def root(self) -> str:
        return f"{self._base}/"

    def lead_to(self, target: Target) -> str:
        return self.root() + target.seen_from("")
