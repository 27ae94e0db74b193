"""Send files of the release as they are: compressed beforehand, with ETag, conditional, in parts."""

from __future__ import annotations

import mimetypes
from contextlib import suppress

from flask import Response, request

from layers.store import CorruptFileError, Release
from webmap.media import GEOJSON, JSON
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
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


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
    encoding, variant, body = _read(release, path)
    response = Response(body, content_type=media_type or type_of(path))
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.vary.add("Accept-Encoding")
    response.set_etag(str(release.sha256(variant))[:32])
    response.headers["Cache-Control"] = IMMUTABLE if immutable else REVALIDATE
    if attachment:
        response.headers["Content-Disposition"] = f'attachment; filename="{attachment}"'
    make_conditional(response, len(body))
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
