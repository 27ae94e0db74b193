"""What every HTTP response has in common: media types, headers, caching, ranges, compression, addresses."""

from __future__ import annotations

import gzip
import json
import mimetypes
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from layers.export.job import to_csv
from layers.store import CorruptFileError, Release
from webmap.i18n import LANGUAGES, close_up
from webmap.problems import PROBLEM, RangeError
from webmap.settings import Settings, tile_hosts

HTML: Final = "text/html"
JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
READABLE = "Accept-Ranges, Content-Range, ETag"  # by scripts of other hosts
TYPES = {
    ".json": JSON,
    ".geojson": GEOJSON,
    ".topojson": JSON,
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
DOCUMENTS = {HTML, JSON, PROBLEM}  # which name addresses of this site
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
POSTPONE = "weihai_layout.postpone"  # in WSGI: a function that takes what is left to do, for later
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
}
DATA_POLICY = (
    "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"  # runs nothing
)
EVERYONE = {  # the data is public, and so are its error messages
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
MIN_COMPRESSED = 1024
COMPRESSIBLE = {HTML, JSON, "application/ld+json", "image/svg+xml", "text/csv"}
TRANSLATED_TYPES = {
    HTML,
    "application/pdf",
    "image/png",
    "image/svg+xml",
    "text/csv",
}  # in the reader's language
# Addresses from the site's root, where a page or a document leads to them. A quotation mark within a text
# is escaped in both, so that no text looks like one of these.
LEADING = {
    True: re.compile(rb'="(?:(?<=\shref=")|(?<=\ssrc=")|(?<=\saction=")|(?<=\sformaction="))(?=/(?!/))'),
    False: re.compile(rb'"(?<!\\")(?:href|url|instance)":\s?"(?=/(?!/))'),
}


def wants_part() -> bool:
    """Return whether one part of a file is asked for; what is not understood is passed over.

    The whole goes out, as the standard allows, where several parts are asked for, where the request
    has another condition than If-Range, and where that names an answer that went out compressed.
    """
    asked = parse_range_header(request.headers.get("Range"))
    plain = request.method == "GET" and not (request.if_none_match or request.if_match)
    compressed = request.headers.get("If-Range", "").startswith("W/")
    return bool(asked and asked.units == "bytes" and len(asked.ranges) == 1 and plain and not compressed)


def make_conditional(response: Response, length: int, *, parts: bool = True) -> None:
    """Make an answer with a whole file of `length` bytes the part, or the 304, that is asked for.

    Without `parts` the whole goes out. Raises RangeError where there is no such part.
    """
    environ = dict(request.environ)
    if not parts or not wants_part():
        environ.pop("HTTP_RANGE", None)
    response.headers["Access-Control-Expose-Headers"] = READABLE
    try:
        response.make_conditional(environ, accept_ranges=parts, complete_length=length)
    except RequestedRangeNotSatisfiable as error:
        raise RangeError(request.headers.get("Range"), length) from error


class FileResponse(Response):
    """A file, the same in every language."""


def takes_prefix(response: Response) -> bool:
    """Return whether the addresses in an answer follow the prefix that the site lies below.

    Files that are saved or lie at the address of their release are the same bytes everywhere.
    """
    kept = response.cache_control.immutable or "Content-Disposition" in response.headers
    return bool(request.script_root) and response.mimetype in DOCUMENTS and not kept


def send(
    release: Release,
    path: str,
    *,
    immutable: bool = False,
    attachment: str | None = None,
    media_type: str | None = None,
) -> Response:
    """Answer with one file of the release.

    `immutable` is for addresses that contain the release; others are revalidated. `attachment`
    names the file for a browser's download; `media_type` overrules what its name says. Raises
    KeyError for an unknown path, RangeError for a part that it does not have.
    """
    response = FileResponse(content_type=media_type or media_type_of(path))
    response.headers["Cache-Control"] = IMMUTABLE if immutable else REVALIDATE
    if attachment:
        response.headers["Content-Disposition"] = f'attachment; filename="{attachment}"'
    whole = takes_prefix(response)  # its bytes are yet to change
    encoding, variant, body = (None, path, release.read(path)) if whole else _read(release, path)
    response.set_data(body)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.vary.add("Accept-Encoding")
    response.set_etag(str(release.sha256(variant))[:32])
    make_conditional(response, len(body), parts=not whole)
    return response


def _read(release: Release, path: str) -> tuple[str | None, str, bytes]:
    """Return the encoding, the path and the bytes of what goes out: of several variants a sound one."""
    for encoding, suffix in () if wants_part() else ENCODINGS:  # a part is one of the file itself
        if request.accept_encodings[encoding] > 0 and release.sha256(path + suffix):
            with suppress(CorruptFileError):
                return encoding, path + suffix, release.read(path + suffix)
    return None, path, release.read(path)


def media_type_of(path: str) -> str:
    """Return the media type of a file by its name."""
    suffix = "." + path.rpartition(".")[2]
    return TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def wants_document() -> bool:
    """Return whether a program names JSON before HTML; who takes anything gets the page."""
    return request.accept_mimetypes.best_match([HTML, JSON], default=HTML) == JSON


def prefers_page() -> bool:
    """Return whether a page is preferred; programs that take anything get the document."""
    return request.accept_mimetypes.best_match([JSON, HTML], default=JSON) == HTML


def vary(response: Response) -> Response:
    """Let caches know that the answer depends on what is accepted."""
    response.vary.add("Accept")
    return response


def register_headers(app: Flask, settings: Settings) -> None:
    """Set the headers of every answer of `app`, compress it and answer conditions."""
    hosts = tile_hosts(settings)

    @app.after_request
    def _finish(response: Response) -> Response:
        if response.mimetype == HTML and g.get("language") == "zh" and not isinstance(response, FileResponse):
            response.set_data(close_up(response.get_data(as_text=True)))
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
    if response.mimetype != HTML and not g.get("private"):
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
        if response.mimetype in TRANSLATED_TYPES:
            response.headers["Content-Language"] = g.get("language", LANGUAGES[0])
    if response.mimetype in COMPRESSIBLE:
        response.vary.add("Accept-Encoding")


def _tag(response: Response) -> None:
    """Let a browser ask whether an answer changed; a page with a nonce in it is new each time."""
    rendered = response.mimetype in COMPRESSIBLE and not isinstance(response, FileResponse)
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
    rendered = response.mimetype in COMPRESSIBLE and not isinstance(response, FileResponse)
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


def send_csv(rows: Iterable[Iterable[object]], name: str) -> Response:
    """Answer with rows as a CSV file to be saved under `name`."""
    response = Response(to_csv(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def send_json(value: object) -> Response:
    """Answer a program with a value that was worked out for this request."""
    response = Response(json.dumps(value, ensure_ascii=False), mimetype=JSON)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag(weak=True)  # weak: the same answer may go out compressed or not
    response.make_conditional(request)
    return response


def put_below(body: bytes, mimetype: str, prefix: str) -> bytes:
    """Return a page or a JSON document with its addresses below `prefix`, where the site itself lies.

    >>> put_below(b'{"url": "/zones/north"}', "application/json", "/gis")
    b'{"url": "/gis/zones/north"}'
    """
    below = prefix.encode()
    return LEADING[mimetype == HTML].sub(lambda found: found[0] + below, body)


# -- addresses of our own pages


def address_with(path: str, only: Collection[str] | None = None, **changes: str) -> str:
    """Return `path` with the parameters of the present request, or `only` some, some of them changed."""
    given = request.args.to_dict(flat=True)
    arguments = {name: value for name, value in given.items() if only is None or name in only} | changes
    query = urlencode({name: value for name, value in arguments.items() if value})
    return f"{path}?{query}" if query else path


def base_url() -> str:
    """Return the site's address without a slash at its end: as set by the operator, else as asked."""
    settings: Settings = current_app.extensions["settings"]
    # Not root_url, which reads names in xn-- as an older standard has them, and fails over others.
    return settings.url or f"{request.scheme}://{request.host}{request.script_root}"


def absolute(path: str) -> str:
    """Return the whole address of one of ours; empty where it is a file whose place is not known."""
    settings: Settings = current_app.extensions["settings"]
    return settings.files.absolute(path) if settings.files else base_url() + path


def page_url() -> str:
    """Return the absolute address of the page that is being rendered, as :func:`absolute`."""
    return absolute(here())


def here() -> str:
    """Return the address of the page that is being rendered, from the site's root."""
    query = urlencode(request.args.to_dict(flat=True))
    return quote(request.path) + (f"?{query}" if query else "")
