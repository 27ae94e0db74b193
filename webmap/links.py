"""Addresses of our own pages: changed, absolute, as QR code and as code to embed."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlencode

import segno
from flask import Blueprint, Response, current_app, request

from webmap.media import HTML
from webmap.parameters import takes
from webmap.problems import BadParameterError
from webmap.settings import Settings

blueprint = Blueprint("links", __name__)
MAX_PATH = 800  # characters; a denser code is hard to read from paper
OWN_PATH = re.compile(rf"/(?![/\\])[!-~]{{0,{MAX_PATH - 1}}}")  # no other host, nothing unprintable
QUIET_ZONE = 2  # modules around the code
# Addresses from the site's root, where a page or a document leads to them. A quotation mark within a text
# is escaped in both, so that no text looks like one of these.
LEADING = {
    True: re.compile(rb'="(?:(?<=\shref=")|(?<=\ssrc=")|(?<=\saction=")|(?<=\sformaction="))(?=/(?!/))'),
    False: re.compile(rb'"(?<!\\")(?:href|url|instance)":\s?"(?=/(?!/))'),
}


def address(path: str, only: Collection[str] | None = None, **changes: str) -> str:
    """Return `path` with the parameters of the present request, or `only` some, some of them changed."""
    given = request.args.to_dict(flat=True)
    arguments = {name: value for name, value in given.items() if only is None or name in only} | changes
    query = urlencode({name: value for name, value in arguments.items() if value})
    return f"{path}?{query}" if query else path


def base_url() -> str:
    """Return the site's address without a slash at its end: as set by the operator, else as asked."""
    settings: Settings = current_app.extensions["settings"]
    return settings.url or request.root_url.rstrip("/")


def put_below(body: bytes, mimetype: str, prefix: str) -> bytes:
    """Return a page or a JSON document with its addresses below `prefix`, where the site itself lies.

    >>> put_below(b'{"url": "/zones/gaoqu"}', "application/json", "/gis")
    b'{"url": "/gis/zones/gaoqu"}'
    """
    below = prefix.encode()
    return LEADING[mimetype == HTML].sub(lambda found: found[0] + below, body)


def absolute(path: str) -> str:
    """Return the whole address of one of ours; empty where it is a file whose place is not known."""
    settings: Settings = current_app.extensions["settings"]
    return settings.files.absolute(path) if settings.files else base_url() + path


def page_url() -> str:
    """Return the absolute address of the page that is being rendered, as :func:`absolute`."""
    return absolute(_here())


def qr_url() -> str:
    """Return the address of the QR code of the page that is being rendered."""
    return f"/qr.svg?path={quote(_here(), safe='')}"


def embed_code(path: str) -> str:
    """Return the HTML that shows `path` in another site's page."""
    source = html.escape(absolute(path))
    return f'<iframe src="{source}" width="800" height="560" loading="lazy"></iframe>'


def _here() -> str:
    query = urlencode(request.args.to_dict(flat=True))
    return quote(request.path) + (f"?{query}" if query else "")


@blueprint.get("/qr.svg")
@takes("path")
def qr() -> Response:
    """Send the QR code of one of our own addresses, and of no other."""
    path = request.args.get("path", "")
    if not OWN_PATH.fullmatch(path):
        raise BadParameterError("error.own_path", parameter="path", value=path, allowed=f"/… (≤ {MAX_PATH})")
    code = segno.make(absolute(path), error="m", micro=False)
    picture = io.BytesIO()
    code.save(picture, kind="svg", border=QUIET_ZONE, light="#fff", xmldecl=False, scale=4)
    return Response(picture.getvalue(), mimetype="image/svg+xml")


def context() -> dict[str, Any]:
    """Return what every template may use."""
    names = (absolute, address, base_url, page_url, qr_url, embed_code)
    files = current_app.extensions["settings"].files
    return {one.__name__: one for one in names} | {
        "served": files is None,  # else the page becomes a file, and nothing answers what it asks
        "sheets": files is None or files.sheets,
    }
