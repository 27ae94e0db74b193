"""Files to take home: the download centre, descriptions for catalogues (DCAT 3), and all on paper."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from geodata.crs import LONLAT
from layers.cql.parse import LANGUAGES as FILTERS
from layers.document_types import DownloadEntry, LayerEntry, ReadyFile, SourceTerms
from layers.export.job import FORMATS, FRAMES, GEOMETRIES, PLAN, formats_of, release_path
from webmap.content import Content
from webmap.downloads import (
    DOWNLOAD_PARAMETERS,
    GOES_WITH,
    PARAMETERS,
    PLACED,
    WKT,
    kind_of_entry,
    to_frame,
    unknown_layer_error,
)
from webmap.export_worker import PATIENCE_S, ChildJob, ExportWorker
from webmap.http import REVALIDATE, base_url, send, send_json
from webmap.i18n import LANGUAGES, translate_here
from webmap.map_choice import MAP_PARAMETERS, parse_map_choice
from webmap.ogc.tilesets import TILE, LayerTiles, TileFiles
from webmap.origin import is_known
from webmap.paper import SIZES
from webmap.paper.paper_request import Kind, PaperRequest, make_paper
from webmap.params import (
    Arguments,
    ChoiceParameter,
    OpenParameter,
    TextParameter,
    describes,
    refuse_unknown,
    takes,
    wrong_choice,
)
from webmap.problems import NotFoundError, Strings, link_near
from webmap.settings import Settings
from webmap.views.context import POINT, POLYGON, content, downloads_in_service, require_place
from webmap.views.plan import draw_chart, require_chart
from webmap.views.subjects import require_subject

FIELDS = ("layer", "format", *PARAMETERS)
LONGEST = 2000  # characters of a condition
ANCHOR = "#choose"
VOCABULARY = "https://schema.org/"  # names what a page describes; nothing is fetched from there
LAYER, FORMAT = ChoiceParameter("layer"), ChoiceParameter("format", tuple(FORMATS))
CONDITION = TextParameter("filter", LONGEST)
blueprint = Blueprint("data", __name__)
ROOT = Path(__file__).parent.parent.parent
MAKERS = (
    *("webmap/paper/*.py", "webmap/paper/*.typ", "webmap/templates/charts/*", "webmap/views/plan.py"),
    *(
        "layers/cartography.*",
        "webmap/folium_map.py",
        "webmap/i18n.py",
        "webmap/label_placement.py",
        "webmap/map_choice.py",
    ),
)
SIZE = ChoiceParameter("size", allowed=tuple(SIZES), default="A4", meaning="share.size")
ALSO = ChoiceParameter("also", meaning="ogc.site.also")
TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}


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
@describes("download.choose", *DOWNLOAD_PARAMETERS)
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


# -- the catalogue as DCAT


Node = dict[str, object]
_CONTEXT: Node = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEDIA = "https://www.iana.org/assignments/media-types/"
_LANGUAGE = "http://id.loc.gov/vocabulary/iso639-1/"
_FRAME = "http://www.opengis.net/def/crs/"
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
_ISO_NAMES = {  # of namespaces, lists and units in a record: nothing is fetched from there
    "gmd": "http://www.isotc211.org/2005/gmd",
    "gco": "http://www.isotc211.org/2005/gco",
    "lists": "http://www.isotc211.org/2005/resources/Codelist/gmxCodelists.xml#",
    "languages": "http://www.loc.gov/standards/iso639-2/",
    "frame": f"{_FRAME}OGC/1.3/CRS84",
    "metre": "http://www.opengis.net/def/uom/UCUM/0/m",
}
_AUTHORS = "weihai-layout authors"
_ALGORITHM = "spdx:checksumAlgorithm_sha256"
_ABOUT = "ogc.description"  # what all the data are, as the API says too


def build_catalogue(content: Content, strings: Strings, base: str, *, service: bool = True) -> Node:
    """Return the catalogue; `base` is the site's address, without a slash at its end.

    `strings` are the texts of each language; `service` says whether OGC API – Features answers there, too.
    """
    plan = content.plan
    about = {"dct:description": _texts({language: text[_ABOUT] for language, text in strings.items()})}
    layers = [_dataset(layer, content, base) for layer in content.downloads]
    return {
        "@context": _CONTEXT,
        "@id": f"{base}/data/",
        "@type": "dcat:Catalog",
        "dct:title": _texts(plan["title"]),
        **about,
        "dct:identifier": plan["number"],
        "dct:issued": _date(plan["date"]),
        "dct:language": [{"@id": f"{_LANGUAGE}{code}", "@type": "dct:LinguisticSystem"} for code in strings],
        "dct:provenance": [
            {"@type": "dct:ProvenanceStatement", "rdfs:label": source} for source in content.about.sources
        ],
        **_modified(content),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": _AUTHORS},
        "foaf:homepage": {"@id": f"{base}/", "@type": "foaf:Document"},
        **_terms(base),
        "dcat:dataset": [_whole(content, base) | about, *layers],
        **({"dcat:service": _service(base)} if service else {}),
    }


def describe_record(layer: DownloadEntry, content: Content, strings: Strings) -> dict[str, object]:
    """Return what the ISO 19115 record of a layer says beside what its entry holds, each text by language."""
    publisher, own = content.local["publisher"], layer.get("own")
    notes = [f"method_note.{method}" for method in layer["methods"]]
    lineage = {
        one: " ".join(texts[note] for note in notes) or content.plan["title"][one]
        for one, texts in strings.items()
    }
    unstated = content.about.words["unstated"]
    return {
        "names": _ISO_NAMES,
        "languages": list(strings),
        "publisher": publisher["name"]["zh"] if publisher else _AUTHORS,
        "website": publisher["website"] if publisher else None,
        "issued": own["as_of"] if own else content.plan["date"],
        "modified": content.about.modified,
        "terms": [_label_terms(term, unstated) for term in layer["terms"]],
        "lineage": lineage,
        "sources": content.about.sources,
    }


def _service(base: str) -> Node:
    return {
        "@id": f"{base}/ogc/",
        "@type": "dcat:DataService",
        "dct:title": "OGC API – Features",
        "dct:conformsTo": _standard(_FEATURES),
        "dcat:endpointURL": _resource(f"{base}/ogc/"),
    }


def _whole(content: Content, base: str) -> Node:
    return _described(PLAN, content.about.words["whole"], content, base) | {
        "dcat:distribution": [_distribution(file, base) for file in content.files_of(PLAN)],
    }


def _dataset(layer: DownloadEntry, content: Content, base: str) -> Node:
    dataset = _described(layer["id"], layer["title"], content, base) | {
        "dct:description": _texts(layer["description"]),
        "dct:conformsTo": _standard(f"{base}/data/{layer['id']}.schema.json"),
        "dct:rights": [_rights(term, content.about.words["unstated"]) for term in layer["terms"]],
        "dcat:distribution": [_distribution(file, base) for file in layer["files"]],
    }
    if own := layer.get("own"):  # on the operator's terms, which its page states
        terms = {"dct:license": {"@id": f"{base}/own/{layer['id']}/", "@type": "dct:LicenseDocument"}}
        dataset |= {"dct:issued": _date(own["as_of"]), **terms}
        dataset["dcat:distribution"] = [_distribution(file, base) | terms for file in layer["files"]]
    if layer["bbox"]:
        dataset["dct:spatial"] = {"@type": "dct:Location", "dcat:bbox": _box(layer["bbox"])}
    return dataset


def _described(row_id: str, title: dict[str, str], content: Content, base: str) -> Node:
    return {
        "@id": f"{base}/data/#{row_id}",
        "@type": "dcat:Dataset",
        "dct:identifier": row_id,
        "dct:title": _texts(title),
        "dct:issued": _date(content.plan["date"]),
        **_modified(content),
        "dcat:landingPage": {"@id": f"{base}/data/", "@type": "foaf:Document"},
        **_terms(base),
    }


def _distribution(file: ReadyFile, base: str) -> Node:
    kind = FORMATS[file["format"]]
    media = kind.media_type.partition(";")[0]
    usual = kind.frames[0]
    frame = "OGC/1.3/CRS84" if usual == LONLAT else usual.replace("EPSG:", "EPSG/0/")
    return {
        "@id": f"{base}{file['href']}",
        "@type": "dcat:Distribution",
        "dcat:accessURL": _resource(f"{base}/data/"),
        "dcat:downloadURL": _resource(f"{base}{file['href']}"),
        "dcat:mediaType": {"@id": f"{_MEDIA}{media}", "@type": "dct:MediaType"},
        "dcat:byteSize": {"@value": str(file["bytes"]), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": _ALGORITHM, "@type": "spdx:ChecksumAlgorithm"},
            "spdx:checksumValue": {"@value": file["sha256"], "@type": "xsd:hexBinary"},
        },
        "dct:conformsTo": _standard(f"{_FRAME}{frame}"),
        **_terms(base),
    }


def _terms(base: str) -> Node:
    return {"dct:license": {"@id": f"{base}/data/LICENSE-DATA.md", "@type": "dct:LicenseDocument"}}


def _resource(address: str) -> Node:
    """Return an address that the shapes of DCAT-AP want typed."""
    return {"@id": address, "@type": "rdfs:Resource"}


def _standard(address: str) -> Node:
    return {"@id": address, "@type": "dct:Standard"}


def _rights(term: SourceTerms, unstated: dict[str, str]) -> Node:
    """Return the terms of one source of a dataset."""
    return {"@type": "dct:RightsStatement", "rdfs:label": _texts(_label_terms(term, unstated))}


def _label_terms(term: SourceTerms, unstated: dict[str, str]) -> dict[str, str]:
    stated = dict.fromkeys(term["name"], term["licence"]) if term["licence"] else term["rights"] or unstated
    return {language: f"{name}: {stated[language]}" for language, name in term["name"].items()}


def _modified(content: Content) -> Node:
    """Return when the latest boundary was imported, if any was."""
    date = content.about.modified
    return {"dct:modified": _date(date)} if date else {}


def _texts(text: dict[str, str]) -> list[Node]:
    return [{"@value": value, "@language": language} for language, value in text.items()]


def _date(date: str) -> Node:
    return {"@value": date, "@type": "xsd:date"}


def _box(bounds: Sequence[float]) -> Node:
    west, south, east, north = bounds
    ring = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
    return {"@value": f"POLYGON(({ring}))", "@type": "geo:wktLiteral"}


# -- vector tiles


def _open(layer: str, found: Content) -> LayerTiles:
    """Return the tiles of a layer; raises NotFoundError where it has none."""
    files = TileFiles(found.release)
    if layer not in files:
        spatial = {info["id"]: info["id"] for info in found.layers if info["geometry"] != "none"}
        near = link_near(layer, spatial, lambda one: f"/tiles/{one}.json")
        raise NotFoundError(
            "error.layer", parameter="layer", value=layer, allowed=", ".join(spatial), near=near
        )
    return files.open(layer)


@blueprint.get("/tiles/<layer>.json")
@takes()
def tileset_document(layer: str) -> Response:
    """Describe the tiles of a layer as TileJSON 3.0, for MapLibre, OpenLayers and QGIS."""
    found = content()
    tiles = _open(layer, found)
    least, most = tiles.zooms
    return send_json(
        {
            "tilejson": "3.0.0",
            "name": tiles.described["name"],
            "tiles": [f"{base_url()}/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt"],
            "minzoom": least,
            "maxzoom": most,
            "bounds": tiles.bounds,
            "attribution": "; ".join(found.about.sources),
            "vector_layers": tiles.described["vector_layers"],
        }
    )


@blueprint.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt")
@takes()
def tile_file(layer: str, z: int, x: int, y: int) -> Response:
    """Send one tile of the Web Mercator quad, y from the north; with nothing in it, an empty answer."""
    found = content()
    tiles = _open(layer, found)
    least, most = tiles.zooms
    if not least <= z <= most or max(x, y) >= 1 << z:
        raise NotFoundError("error.http_404", path=request.path)
    body = tiles.get(z, x, y)
    response = Response(status=HTTPStatus.OK if body else HTTPStatus.NO_CONTENT, content_type=TILE)
    if body:
        packed = request.accept_encodings["gzip"] > 0
        response.set_data(gzip.compress(body, mtime=0) if packed else body)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = REVALIDATE
    response.vary.add("Accept-Encoding")
    response.set_etag(
        str(found.release.sha256(release_path(layer, "pmtiles")))[:32] + f"-{z}-{x}-{y}", weak=True
    )
    response.make_conditional(request)
    return response


@blueprint.get("/zones/<place_id>.pdf", defaults=POLYGON)
@blueprint.get("/places/<place_id>.pdf", defaults=POINT)
@takes()
def place_sheet(place_id: str, *, points: bool) -> Response:
    """Send the one-page sheet of a county, zone, park, area, platform or gateway."""
    require_place(place_id, points=points)
    return _send("pdf", place_id, "place", id=place_id)


@blueprint.get("/industries/<industry_id>.pdf")
@takes()
def industry_sheet(industry_id: str) -> Response:
    """Send the one-page sheet of an industry."""
    require_subject("industry", content().industries, industry_id)
    return _send("pdf", industry_id, "industry", id=industry_id)


@blueprint.get("/clusters/<cluster_id>.pdf")
@takes()
def cluster_sheet(cluster_id: str) -> Response:
    """Send the one-page sheet of a cluster."""
    require_subject("cluster", content().clusters, cluster_id)
    return _send("pdf", cluster_id, "cluster", id=cluster_id)


@blueprint.get("/print/<theme_id>.<any(pdf, png, svg, html):extension>")
@takes(SIZE, ALSO, *MAP_PARAMETERS, title="paper.theme_sheet")
def poster(theme_id: str, extension: str) -> Response:
    """Send a theme, or a view of it, as a sheet to hang up, in one language or two."""
    _require_theme(theme_id, extension)
    arguments = request.args.to_dict(flat=True)
    size = SIZE.require({"size": (arguments.get("size") or "A4").upper()})
    also = ALSO.parse(request.args, [one for one in LANGUAGES if one != g.language]) or ""
    name = "-".join(filter(None, (theme_id, size, also)))
    payload = content().release.read_json(f"map/{g.language}.json")
    choice = parse_map_choice(theme_id, arguments, payload).to_query()
    return _send(extension, name, "poster", id=theme_id, size=size, also=also, choice=choice)


@blueprint.get("/atlas.pdf")
@takes()
def atlas() -> Response:
    """Send the atlas."""
    return _send("pdf", "atlas", "atlas", svg=draw_chart("clusters"))


@blueprint.get("/charts/<name>.png")
@takes()
def chart_png(name: str) -> Response:
    """Send one chart as a picture."""
    require_chart(name, "png")
    svg, (width, height), title = draw_sized(name)
    return _send("png", f"chart-{name}", "chart", svg=svg, title=title, width=width, height=height)


@blueprint.get("/og/<place_id>.png")
@takes(OpenParameter("points"))
def card(place_id: str) -> Response:
    """Send the picture that a link to a place is previewed with."""
    require_place(place_id, points=request.args.get("points") == "1")
    return _send("png", f"card-{place_id}", "card", id=place_id)


def draw_sized(name: str) -> tuple[str, tuple[float, float], str]:
    """Return a chart with its size and title."""
    svg = draw_chart(name)
    width, height = (float(svg.split(f' {side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height"))
    return svg, (width, height), translate_here(f"chart.{name}")


@cache
def edition(folder: Path) -> str:
    """Return a mark of the code that makes paper: what an older one made is not sent any more."""
    paths = sorted(path for pattern in MAKERS for path in folder.glob(pattern))
    digest = hashlib.sha256(version("typst").encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _require_theme(theme_id: str, extension: str) -> None:
    themes = content().themes
    if theme_id not in themes:
        near = [{"id": one, "label": one, "href": f"/print/{one}.{extension}"} for one in themes]
        raise NotFoundError(
            "error.theme", parameter="theme", value=theme_id, allowed=", ".join(themes), near=near
        )


def _send(extension: str, name: str, kind: Kind, **details: Any) -> Response:
    """Send a file of this release, language, site and edition of the programme, made once and kept.

    `details` are those of the :class:`~webmap.paper.paper_request.PaperRequest`.
    """
    release, settings = content().release, _settings()
    base = "" if settings.files else _printed_url(settings)
    folder, digest = str(release.folder), release.manifest_sha256
    paper_request = PaperRequest(folder, digest, g.language, kind, extension, base=base, **details)
    body = _print(
        paper_request,
        (
            "paper",
            release.id,
            extension,
            name,
            g.language,
            settings.files.absolute("/") if settings.files else base,
            edition(ROOT),
            paper_request.choice,
        ),
    )
    response = Response(body, content_type=TYPES[extension])
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    if kind != "card":
        saved = f"{content().plan['id']}-{name}-{g.language}.{extension}"
        response.headers["Content-Disposition"] = (
            f'{"attachment" if extension == "html" else "inline"}; filename="{saved}"'
        )
    response.make_conditional(request)
    return response


def _printed_url(settings: Settings) -> str:
    """Return the site's address as it stands on what is kept; empty where anybody may have made it up."""
    return base_url() if settings.url or is_known(request.environ, settings.hosts) else ""


def _print(paper_request: PaperRequest, key: tuple[str, ...]) -> bytes:
    """Return what is asked for: from a child process, but where a whole site is printed and nobody waits."""
    worker: ExportWorker = current_app.extensions["export_worker"]
    files = _settings().files
    if files is None:
        return worker.get(key, ChildJob("webmap.paper.paper_request:make_sheet", paper_request.to_line()))

    def make(path: Path) -> None:
        path.write_bytes(make_paper(paper_request, files.absolute))

    return worker.cache.read_or_make(key, make, PATIENCE_S)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
