"""The download centre: files ready or made on request, and what describes them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from layers.export.formats import FORMATS, FRAMES, GEOMETRIES, PLAN
from layers.export.job import file_stem
from layers.export.jobs import release_path
from layers.query import FeatureStore
from webmap.api import content
from webmap.dcat import build_catalogue
from webmap.downloads import PARAMETERS, SHOWN, Asked, build_job, parse_asked, unknown_layer
from webmap.kept import keep
from webmap.links import base_url
from webmap.making import make_file
from webmap.prepared import send
from webmap.problems import BadParameterError

blueprint = Blueprint("data", __name__)
SCHEMA = "schema.json"


@blueprint.get("/data/")
def data() -> str:
    """List the whole plan, every layer and every table with their files and fields."""
    found = content()
    return render_template(
        "data.html",
        page="data",
        plan_files=found.files_of(PLAN),
        layers=found.downloads,
        formats=list(FORMATS),
        frames=FRAMES,
        geometries=GEOMETRIES,
        industries=found.industries.values(),
        places=found.places(),
    )


@blueprint.get("/data/<file>")
def data_file(file: str) -> Response:
    """Send a layer, a table or the whole plan; ready where it is the usual file, else made and kept."""
    name, _, extension = file.partition(".")
    if extension == SCHEMA:
        return _send_schema(name)
    asked = parse_asked(name, extension, request.args, content())
    release, kind = content().release, FORMATS[asked.wish.format]
    saved = f"{file_stem(content().plan, asked.wish)}.{extension}"
    if asked.usual:
        path = release_path(name, extension)
        return send(release, path, attachment=saved, media_type=kind.media_type)
    folder = current_app.extensions["settings"].home / "downloads" / release.id
    body = keep(folder, asked.key, lambda: _make(asked))
    response = Response(body, content_type=kind.media_type)
    digest = hashlib.sha256(body)
    response.set_etag(digest.hexdigest()[:32])
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Disposition"] = f'attachment; filename="{saved}"'
    response.make_conditional(request)
    return response


def _make(asked: Asked) -> bytes:
    store: FeatureStore = current_app.extensions["store"]
    return make_file(build_job(asked, content(), store))


def _send_schema(name: str) -> Response:
    path, release = f"schemas/{name}.json", content().release
    if release.sha256(path) is None:
        raise unknown_layer(name, content())
    return send(release, path, media_type="application/schema+json")


@blueprint.get("/data/download")
def download() -> Answer | str:
    """Lead from the form's choices to the address of the file, which can be kept."""
    if not request.args:
        return data()
    name = _required("layer", [PLAN, *(info["id"] for info in content().layers)])
    extension = _required("format", FORMATS)
    chosen = {one: value for one in PARAMETERS if (value := request.args.get(one))}
    if not FORMATS[extension].geometry:  # the form says of this choice that it is for tables of text
        chosen.pop("geometry", None)
    query = f"?{urlencode(chosen)}" if chosen else ""
    return redirect(f"/data/{name}.{extension}{query}", HTTPStatus.SEE_OTHER)


def _required(name: str, allowed: Iterable[str]) -> str:
    asked = request.args.get(name, "")
    if asked not in allowed:
        raise BadParameterError(
            "error.choice", parameter=name, value=asked[:SHOWN], allowed=", ".join(allowed)
        )
    return asked


@blueprint.get("/data/datapackage.json")
def package() -> Response:
    """Send the description of all tables as a data package."""
    return send(content().release, "schemas/datapackage.json")


@blueprint.get("/data/catalog.jsonld")
def catalogue() -> Response:
    """Send the DCAT description of all files, with the addresses that the site has."""
    body = json.dumps(build_catalogue(content(), base_url()), ensure_ascii=False)
    response = Response(body, content_type="application/ld+json")
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/data/LICENSE-DATA.md")
def licence() -> Response:
    """Send the terms of the data."""
    return send(content().release, "schemas/LICENSE-DATA.md", media_type="text/markdown; charset=utf-8")
