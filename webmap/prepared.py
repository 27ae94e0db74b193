"""Send files of the release as they are: compressed beforehand, with ETag, conditional, in parts."""

from __future__ import annotations

import mimetypes
from contextlib import suppress

from flask import Response, request

from layers.store import CorruptFileError, Release
from webmap.media import GEOJSON, HTML, JSON
from webmap.problems import PROBLEM
from webmap.ranges import make_conditional, wants_part

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
    response = FileResponse(content_type=media_type or type_of(path))
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


def type_of(path: str) -> str:
    """Return the media type of a file by its name."""
    suffix = "." + path.rpartition(".")[2]
    return TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
