"""The names that a site of files is searched by in the browser, without a server."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask

from webmap.content import Content
from webmap.finding import dress
from webmap.language import translate
from webmap.site.addresses import NeedsServerError, locate

CLOSE = 12.5  # the zoom that a place without a page is shown at


def build_names(app: Flask, language: str) -> bytes:
    """Return every name in `language` with its spellings, as ``webmap/static/js/offline.js`` reads it."""
    content: Content = app.extensions["content"]
    rows = content.search.listed(language)
    with app.app_context():
        for row in rows:
            dress(row, language)
            row["url"] = _url(row, language)
        missing = translate("finding.missing_name", language, words="{words}")
    variants = content.release.read_json("index/search.json")["variants"]
    return orjson.dumps({"missing": missing, "variants": variants, "rows": rows})


def _url(row: dict[str, Any], language: str) -> str:
    """Return the address of an entry; what only a service answers for is shown on the map."""
    url: str = row["url"]
    try:
        locate(url, language)
    except NeedsServerError:
        lon, lat = row["at"]
        return f"/#{CLOSE}/{lat}/{lon}"
    return url
