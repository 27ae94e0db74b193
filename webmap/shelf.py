"""The files of one release: ready, or made on request and kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Response, request

from layers.export.formats import FORMATS, PLAN
from layers.export.job import file_stem, release_path
from layers.query import FeatureStore
from webmap.content import Content
from webmap.downloads import Asked, build_job, parse_asked, unknown_layer
from webmap.kept import keep
from webmap.making import make_file
from webmap.parameters import refuse_unknown
from webmap.prepared import IMMUTABLE, REVALIDATE, send
from webmap.ranges import make_conditional

SCHEMA = "schema.json"
SHORT = 8  # digits of a hash in a file's name
PAIRED = {f"{PLAN}.gpkg", f"{PLAN}.qgz"}  # the one opens the other by its name


@dataclass(frozen=True)
class Shelf:
    """Where downloads are taken from.

    Attributes
    ----------
    open_store
        Opens what holds the features; asked only when a file is made.
    folder
        Keeps what was made.
    fixed
        Whether the address contains the release, so that its answers never change.
    """

    content: Content
    open_store: Callable[[], FeatureStore]
    folder: Path
    fixed: bool = False

    def send(self, file: str) -> Response:
        """Answer with a layer, a table or the whole plan in the format and frame that are asked for.

        Raises NotFoundError, BadParameterError, RangeError and BusyError, and BrokenReleaseError where
        the release is removed meanwhile.
        """
        name, _, extension = file.partition(".")
        if extension == SCHEMA:
            refuse_unknown(("lang",))
            return self._send_schema(name)
        asked = parse_asked(name, extension, request.args, self.content)
        kind, release = FORMATS[asked.wish.format], self.content.release
        saved = f"{file_stem(self.content.plan, asked.wish)}.{extension}"
        if self.fixed:
            saved = name_with(release.id, saved, file)
        if asked.usual:
            path = release_path(name, extension)
            return send(release, path, immutable=self.fixed, attachment=saved, media_type=kind.media_type)
        body = keep(self.folder, asked.key, lambda: self._make(asked))
        return send_made(body, kind.media_type, saved, immutable=self.fixed)

    def _make(self, asked: Asked) -> bytes:
        return make_file(build_job(asked, self.content, self.open_store()))

    def _send_schema(self, name: str) -> Response:
        path, release = f"schemas/{name}.json", self.content.release
        if release.sha256(path) is None:
            raise unknown_layer(name, self.content)
        return send(release, path, immutable=self.fixed, media_type="application/schema+json")


def name_with(release_id: str, saved: str, file: str) -> str:
    """Return the name that a file of one release is saved under, so that releases are not confused."""
    stem, _, extension = saved.partition(".")
    return saved if file in PAIRED else f"{stem}-{release_id[:SHORT]}.{extension}"


def send_made(body: bytes, media_type: str, saved: str, *, immutable: bool) -> Response:
    """Answer with a file that is no file of the release, or the part of it that is asked for."""
    response = Response(body, content_type=media_type)
    digest = hashlib.sha256(body)
    response.set_etag(digest.hexdigest()[:32])
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    response.headers["Cache-Control"] = IMMUTABLE if immutable else REVALIDATE
    response.headers["Content-Disposition"] = f'attachment; filename="{saved}"'
    make_conditional(response, len(body))
    return response
