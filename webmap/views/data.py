"""The download centre: its form, the files, and what describes them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from geodata.crs import LONLAT
from layers.cql.parse import LANGUAGES as FILTERS
from layers.document_types import LayerEntry
from layers.export.formats import FORMATS, FRAMES, GEOMETRIES, PLAN, formats_of
from webmap.content import Content
from webmap.dcat import build_catalogue, describe_record
from webmap.downloads import (
    GOES_WITH,
    PARAMETERS,
    PLACED,
    WKT,
    kind_of_entry,
    to_frame,
    unknown_layer_error,
)
from webmap.http import send
from webmap.links import base_url
from webmap.params import Arguments, ChoiceParameter, TextParameter, refuse_unknown, takes, wrong_choice
from webmap.views.context import content, downloads_in_service

FIELDS = ("layer", "format", *PARAMETERS)
LONGEST = 2000  # characters of a condition
ANCHOR = "#choose"
VOCABULARY = "https://schema.org/"  # names what a page describes; nothing is fetched from there
LAYER, FORMAT = ChoiceParameter("layer"), ChoiceParameter("format", tuple(FORMATS))
CONDITION = TextParameter("filter", LONGEST)
blueprint = Blueprint("data", __name__)


def describe_download_form(
    content: Content, arguments: Arguments, page: str, action: str
) -> dict[str, object]:
    """Return what the form at `page` offers, and what of it `arguments` chose; it is sent to `action`.

    Raises BadParameterError for a value that cannot be chosen; other names are passed over.
    """
    chosen, allowed = _given(arguments), _allowed(content)
    for name, value in chosen.items():
        _check(name, value, allowed)
    return {
        "page": page,
        "action": action,
        "chosen": _first_format(content, chosen) | chosen,
        "goes_with": GOES_WITH,
        "formats": list(FORMATS.values()),
        "frames": FRAMES,
        "geometries": GEOMETRIES,
        "layers": [{**info, "holds": kind_of_entry(info)} for info in content.layers],
        "themes": [{"id": name, "name": title} for name, title in content.theme_titles.items()],
        "industries": list(content.industries.values()),
        "clusters": list(content.clusters.values()),
        "places": content.places(),
        "longest": LONGEST,
    }


def _first_format(content: Content, chosen: Arguments) -> dict[str, str]:
    """Return a format for what is chosen, where the first of the list cannot hold it."""
    kinds = {info["id"]: kind_of_entry(info) for info in content.layers}
    fits = [one.id for one in formats_of(kinds.get(chosen.get("layer", ""), PLAN))]
    return {} if fits[0] == next(iter(FORMATS)) else {"format": fits[0]}


def return_address(content: Content, arguments: Arguments, page: str) -> str:
    """Return the address of the form at `page` with what of `arguments` can be chosen there."""
    allowed = _allowed(content)
    kept = [pair for pair in _given(arguments).items() if _fits(*pair, allowed)]
    return f"{page}?{urlencode(kept)}{ANCHOR}" if kept else f"{page}{ANCHOR}"


def _given(arguments: Arguments) -> dict[str, str]:
    """Return what is filled in, frames as the form has them; the language is the page's own."""
    given = {name: arguments.get(name, "") for name in FIELDS if name != "lang"}
    return {name: to_frame(value) if name == "crs" else value for name, value in given.items() if value}


def _allowed(content: Content) -> dict[str, Collection[str]]:
    return {
        "layer": [PLAN, *(info["id"] for info in content.layers)],
        "format": FORMATS,
        "crs": (LONLAT, *FRAMES),
        "geometry": GEOMETRIES,
        "wkt": WKT.allowed,
        "filter-lang": FILTERS,
        "theme": content.themes,
        "industry": content.industries,
        "cluster": content.clusters,
        "zone": [place["id"] for place in content.places()],
    }


def _fits(name: str, value: str, allowed: Mapping[str, Collection[str]]) -> bool:
    return len(value) <= LONGEST if name == CONDITION.name else value in allowed[name]


def _check(name: str, value: str, allowed: Mapping[str, Collection[str]]) -> None:
    if _fits(name, value, allowed):
        return
    if name == CONDITION.name:
        CONDITION.parse({name: value})
    raise wrong_choice(name, value, allowed[name])


@blueprint.get("/data/")
def data_page() -> str:
    """List the whole plan, every layer and every table with their files, terms and fields."""
    found = content()
    return render_template(
        "data.html",
        page="data",
        plan_files=found.files_of(PLAN),
        vocabulary=VOCABULARY,
        media={one.id: one.media_type for one in FORMATS.values()},
        layers=found.downloads,
        imports=found.about.imports,
        form=describe_download_form(found, request.args, "/data/", "/data/download"),
    )


@blueprint.get("/data/<file>")
def data_file(file: str) -> Response:
    """Send a layer, a table or the whole plan; ready where it is the usual file, else made and kept."""
    return downloads_in_service().send(file)


@blueprint.get("/data/download")
def choose_file() -> Answer | str:
    """Lead from the form's choices to the address of the file, which can be kept."""
    return lead_to_file("/data", content().layers) if request.args.keys() - {"lang"} else data_page()


def lead_to_file(base: str, layers: Iterable[LayerEntry]) -> Answer:
    """Lead to the file that a form chose, below `base`."""
    refuse_unknown(FIELDS)
    holds = {info["id"]: kind_of_entry(info) for info in layers} | {PLAN: PLAN}
    name = LAYER.require(request.args, holds)
    extension = FORMAT.require(request.args)
    chosen = {one: value for one in PARAMETERS if (value := request.args.get(one))}
    for one in PLACED:  # without coordinates the file is the same whatever stands there
        if holds[name] not in GOES_WITH[one]:
            chosen.pop(one, None)
    if "crs" in chosen:
        chosen["crs"] = to_frame(chosen["crs"])  # one address, however it was written
    if not FORMATS[extension].geometry:  # the form says of this choice that it is for tables of text
        for one in PLACED[1:]:
            chosen.pop(one, None)
    query = f"?{urlencode(chosen)}" if chosen else ""
    return redirect(f"{base}/{name}.{extension}{query}", HTTPStatus.SEE_OTHER)


@blueprint.get("/data/datapackage.json")
@takes()
def data_package() -> Response:
    """Send the description of all tables as a data package."""
    return send(content().release, "schemas/datapackage.json")


@blueprint.get("/data/catalog.jsonld")
@takes()
def data_catalogue() -> Response:
    """Send the DCAT description of all files, with the addresses that the site has."""
    strings = current_app.extensions["strings"]
    base, service = _locate_site()
    described = build_catalogue(content(), strings, base, service=service)
    return _send_description(json.dumps(described, ensure_ascii=False), "application/ld+json")


@blueprint.get("/data/<layer>.iso.xml")
@takes()
def data_record(layer: str) -> Response:
    """Send the ISO 19115 record of a layer or table, as XML after ISO/TS 19139."""
    found = content()
    entry = next((one for one in found.downloads if one["id"] == layer), None)
    if entry is None:
        raise unknown_layer_error(layer, found)
    base, service = _locate_site()
    record = describe_record(entry, found, current_app.extensions["strings"])
    media = {one.id: one.media_type for one in FORMATS.values()}
    body = render_template("iso19139.xml", layer=entry, media=media, base=base, service=service, **record)
    return _send_description(body, "application/xml; charset=utf-8")


def _locate_site() -> tuple[str, bool]:
    """Return the site's address as files in /data/ give it, and whether the API answers there, too."""
    files = current_app.extensions["settings"].files
    return (base_url(), True) if files is None else (files.url or "..", False)


def _send_description(body: str, media_type: str) -> Response:
    response = Response(body, content_type=media_type)
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/data/LICENSE-DATA.md")
@takes()
def data_licence() -> Response:
    """Send the terms of the data."""
    return send(content().release, "schemas/LICENSE-DATA.md", media_type="text/markdown; charset=utf-8")
