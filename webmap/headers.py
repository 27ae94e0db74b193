"""What every answer says of itself: who may use it, how long it holds, and what it depends on."""

from __future__ import annotations

import gzip
from http import HTTPStatus

from flask import Flask, Response, g, request

from webmap.language import LANGUAGES
from webmap.links import put_below
from webmap.media import HTML, JSON
from webmap.prepared import FileResponse, takes_prefix
from webmap.settings import Settings
from webmap.tiles import tile_hosts

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
DATA_POLICY = (
    "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"  # runs nothing
)
EVERYONE = {  # the data is public, and so are its error messages
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
MIN_COMPRESSED = 1024
COMPRESSED = {HTML, JSON, "application/ld+json", "image/svg+xml", "text/csv"}
SPOKEN = {HTML, "application/pdf", "image/png", "image/svg+xml", "text/csv"}  # in the reader's language


def register(app: Flask, settings: Settings) -> None:
    """Set the headers of every answer of `app`, compress it and answer conditions."""
    hosts = tile_hosts(settings)

    @app.after_request
    def _finish(response: Response) -> Response:
        _mount(response)
        _secure(response, hosts, settings.embedders)
        _limit(response)
        _depend(response)
        _tag(response)
        return _compress(response)


def _mount(response: Response) -> None:
    """Make the addresses in an answer right where the site lies below a prefix."""
    prefix = request.script_root
    if not prefix:
        return
    location = response.headers.get("Location", "")
    if location.startswith("/") and not location.startswith("//"):
        response.headers["Location"] = prefix + location
    if takes_prefix(response) and response.status_code != HTTPStatus.NOT_MODIFIED:
        response.set_data(put_below(response.get_data(), response.mimetype or "", prefix))


def _secure(response: Response, hosts: str, embedders: str) -> None:
    """Set the headers that keep pages to themselves."""
    headers = response.headers
    nonce = getattr(g, "nonce", "")
    ancestors = f"'self' {embedders}".strip() if g.get("embedded") else "'self'"
    headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        f"img-src 'self' data:{hosts}; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {ancestors}"
    )
    headers.update(FIXED)
    if response.mimetype != HTML:
        headers.update(EVERYONE)
    else:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if g.get("embedded") else "same-origin"


def _limit(response: Response) -> None:
    """Say how long an answer holds: a refusal for no time, what is served until the next release."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        response.headers["Cache-Control"] = "no-store"
    else:
        response.headers.setdefault("Cache-Control", "no-cache")


def _depend(response: Response) -> None:
    """Name the headers of the request that another answer at the same address depends on."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        response.vary.add("Accept")  # a page for people, a document for programs
    elif response.status_code >= HTTPStatus.MULTIPLE_CHOICES and "Location" in response.headers:
        return
    if not isinstance(response, FileResponse):
        if request.args.get("lang") not in LANGUAGES:
            response.vary.add("Accept-Language")
        if response.mimetype in SPOKEN:
            response.headers["Content-Language"] = g.get("language", LANGUAGES[0])
    if response.mimetype in COMPRESSED:
        response.vary.add("Accept-Encoding")


def _tag(response: Response) -> None:
    """Let a browser ask whether an answer changed; a page with a nonce in it is new each time."""
    rendered = response.mimetype in COMPRESSED and not isinstance(response, FileResponse)
    tag, weak = response.get_etag()
    if tag and rendered and not weak:
        response.set_etag(tag, weak=True)  # a strong one is of one sequence of bytes
    kept = not response.cache_control.no_store and request.method in {"GET", "HEAD"}
    if response.status_code != HTTPStatus.OK or not kept or tag:
        return
    if response.mimetype == HTML and g.nonce.encode() in response.get_data():
        return
    response.add_etag(weak=True)  # weak: the same answer may go out compressed or not
    response.make_conditional(request)


def _compress(response: Response) -> Response:
    """Compress what was made for this request; files of the release already are."""
    plain = response.status_code == HTTPStatus.OK and "Content-Encoding" not in response.headers
    rendered = response.mimetype in COMPRESSED and not isinstance(response, FileResponse)
    wanted = rendered or response.mimetype == JSON  # some are made on request
    if plain and wanted and request.accept_encodings["gzip"] > 0:
        body = response.get_data()
        if len(body) >= MIN_COMPRESSED:
            response.set_data(gzip.compress(body, 5, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
            response.headers.pop("Repr-Digest", None)  # it is that of the bytes before
            tag, _ = response.get_etag()
            if tag:
                response.set_etag(tag, weak=True)  # a strong one is of one sequence of bytes
    return response
