"""The download centre: files ready or made on request, and what describes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from layers.export.formats import FORMATS, PLAN
from webmap.api import content
from webmap.data_form import FIELDS, describe_form
from webmap.dcat import build_catalogue
from webmap.downloads import GOES_WITH, PARAMETERS, holding, to_frame
from webmap.links import base_url
from webmap.parameters import refuse_unknown, takes
from webmap.prepared import send
from webmap.problems import BadParameterError
from webmap.shelf import Shelf

blueprint = Blueprint("data", __name__)


@blueprint.get("/data/")
def data() -> str:
    """List the whole plan, every layer and every table with their files, terms and fields."""
    found = content()
    return render_template(
        "data.html",
        page="data",
        plan_files=found.files_of(PLAN),
        layers=found.downloads,
        imports=found.about.imports,
        form=describe_form(found, request.args, "/data/", "/data/download"),
    )


@blueprint.get("/data/<file>")
def data_file(file: str) -> Response:
    """Send a layer, a table or the whole plan; ready where it is the usual file, else made and kept."""
    return shelf().send(file)


def shelf() -> Shelf:
    """Return where the files of the release that this process serves are taken from."""
    found: Shelf = current_app.extensions["shelf"]
    return found


@blueprint.get("/data/download")
def download() -> Answer | str:
    """Lead from the form's choices to the address of the file, which can be kept."""
    return lead_to_file("/data", content().layers) if request.args.keys() - {"lang"} else data()


def lead_to_file(base: str, layers: Iterable[dict[str, Any]]) -> Answer:
    """Lead to the file that a form chose, below `base`."""
    refuse_unknown(FIELDS)
    holds = {info["id"]: holding(info) for info in layers} | {PLAN: PLAN}
    name = _required("layer", holds)
    extension = _required("format", FORMATS)
    chosen = {one: value for one in PARAMETERS if (value := request.args.get(one))}
    for one in ("crs", "geometry"):  # without coordinates the file is the same whatever stands there
        if holds[name] not in GOES_WITH[one]:
            chosen.pop(one, None)
    if "crs" in chosen:
        chosen["crs"] = to_frame(chosen["crs"])  # one address, however it was written
    if not FORMATS[extension].geometry:  # the form says of this choice that it is for tables of text
        chosen.pop("geometry", None)
    query = f"?{urlencode(chosen)}" if chosen else ""
    return redirect(f"{base}/{name}.{extension}{query}", HTTPStatus.SEE_OTHER)


def _required(name: str, allowed: Iterable[str]) -> str:
    asked = request.args.get(name, "")
    if asked not in allowed:
        raise BadParameterError("error.choice", parameter=name, value=asked, allowed=", ".join(allowed))
    return asked


@blueprint.get("/data/datapackage.json")
@takes()
def package() -> Response:
    """Send the description of all tables as a data package."""
    return send(content().release, "schemas/datapackage.json")


@blueprint.get("/data/catalog.jsonld")
@takes()
def catalogue() -> Response:
    """Send the DCAT description of all files, with the addresses that the site has."""
    files = current_app.extensions["settings"].files
    base = base_url() if files is None else files.url or ".."  # seen from the file itself
    strings = current_app.extensions["strings"]
    described = build_catalogue(content(), strings, base, service=files is None)
    body = json.dumps(described, ensure_ascii=False)
    response = Response(body, content_type="application/ld+json")
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/data/LICENSE-DATA.md")
@takes()
def licence() -> Response:
    """Send the terms of the data."""
    return send(content().release, "schemas/LICENSE-DATA.md", media_type="text/markdown; charset=utf-8")
