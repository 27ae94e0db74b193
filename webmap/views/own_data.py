"""Data of somebody's own: the operator's layers at ``/own/``, and a reader's table joined to the plan.

All say whose they are, from where and of which day; none of it is the plan's. A table is on disk for as
long as its request is answered and is read in a child process; nothing of it is kept, and no answer either:
who wants the file after the preview sends the table again.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypedDict

import orjson
from flask import Blueprint, Response, current_app, g, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from geodata import crs
from geodata.boundaries import GeoJsonFeature, flatten_value
from geodata.deferred import shapely
from layers.document_types import LayerEntry, to_link
from layers.join.join_request import (
    FILES,
    LAYER,
    MAX_OPTION,
    MEDIA_TYPES,
    OPTIONS,
    SUMMARY,
    Cell,
    JoinRefusedError,
    JoinRequest,
    JoinSummary,
    pick_text,
    unpack_answer,
)
from layers.links import Link, Words, to_own_url
from layers.map_types import OwnEntry, OwnFieldEntry, OwnTextEntry
from webmap.export_worker import TEMPORARY, ChildJob, ExportWorker
from webmap.http import GEOJSON, HTML, prefers_page, send_json, vary
from webmap.i18n import LANGUAGES, pick, translate
from webmap.params import ChoiceParameter, Q, refuse_unknown, takes, wrong_choice
from webmap.problems import (
    BadParameterError,
    NotFoundError,
    RequestError,
    TooLargeError,
    UnfitError,
    UnsupportedTypeError,
    headers_of,
    name_some,
    values_in,
)
from webmap.views.context import PAGE, choose_part, content

blueprint = Blueprint("joining", __name__)
MAX_BYTES = 50_000_000  # of a table
JOIN_S = 150.0  # for one; 100,000 rows take 8 s of a processor as CSV, 20 s as XLSX
FORM_BYTES = 100_000  # of what the form has beside it
MULTIPART = "multipart/form-data"
FIELDS = ("file", "format", *OPTIONS)
SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
# What is wrong with a table, by the code of its refusal; else it can be read, but not be worked with.
KINDS: dict[str, type[RequestError]] = {
    "format-refused": UnsupportedTypeError,
    "unknown-format": UnsupportedTypeError,
    "file-too-large": TooLargeError,
    "zip-bomb": TooLargeError,
}
# The columns of the answer that the page shows.
SHOWN = (
    ("plan_where", "join.where_head"),
    ("plan_county", "layer.counties"),
    ("plan_zone", "layer.zones"),
    ("plan_zone_percent", "placing.likelihood"),
    ("plan_zone_second", "join.second"),
    ("plan_terms", "placing.designated"),
    ("plan_clauses", "common.clause"),
    ("plan_product_here", "join.product_here"),
)


@dataclass
class _Page:
    """What the page shows beside the form."""

    summary: JoinSummary | None = None
    error: RequestError | None = None
    form: dict[str, str] = field(default_factory=dict)


@blueprint.get("/join")
def join_page() -> Response:
    """Show the form."""
    return _render(_Page())


@blueprint.post("/join")
def join_table() -> Response:
    """Answer with the table, or with what is said of it: nothing of it is kept."""
    person = prefers_page()
    try:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
            asked = _parse(Path(folder))
            worker: ExportWorker = current_app.extensions["export_worker"]
            answer = worker.answer(ChildJob("layers.join.table_job:make_answer", asked.to_line()), JOIN_S)
        head, body = _unpack(answer)
    except RequestError as error:
        if person:
            return _render(_Page(error=error, form=_given()))
        raise
    if asked.format != SUMMARY:
        response = Response(body, content_type=MEDIA_TYPES[asked.format])
        response.headers["Content-Disposition"] = f'attachment; filename="{LAYER}.{asked.format}"'
    elif person:
        response = _render(_Page(head, form=_given()))
    else:
        response = send_json(asdict(head))
    response.headers["Cache-Control"] = "no-store"
    return vary(response)


def _parse(folder: Path) -> JoinRequest:
    """Return what is asked, with the file that was sent put into `folder`."""
    request.max_content_length = MAX_BYTES + FORM_BYTES
    if request.mimetype != MULTIPART:
        raise UnsupportedTypeError(
            "error.media_type", parameter="Content-Type", value=request.mimetype or "–", allowed=MULTIPART
        )
    try:
        sent, form = request.files, request.form
    except RequestEntityTooLarge as error:
        raise _refuse_size() from error
    refuse_unknown(FIELDS, {**dict.fromkeys(sent, ""), **form})
    file = sent.get("file")
    if file is None or not file.filename:
        allowed = "CSV, XLSX, GPKG, GeoJSON, Shapefile (zip)"
        raise BadParameterError("error.no_file", parameter="file", value="", allowed=allowed)
    kind = form.get("format") or SUMMARY
    if kind not in (*FILES, SUMMARY):
        raise wrong_choice("format", kind, (*FILES, SUMMARY))
    options = {name: _option(name) for name in OPTIONS}
    if bool(options["lon"]) != bool(options["lat"]):
        missing = "lat" if options["lon"] else "lon"
        raise BadParameterError("error.join_pair", parameter=missing, value="", allowed="lon, lat")
    name = PurePosixPath(file.filename.replace("\\", "/")).name
    name = "".join(filter(str.isprintable, name)).encode("utf-8", "replace").decode()[-100:] or "file"
    suffix = PurePosixPath(name).suffix.lower()
    path, work = folder / f"table{suffix if SUFFIX.fullmatch(suffix) else ''}", folder / "work"
    work.mkdir()
    file.save(path)
    if path.stat().st_size > MAX_BYTES:
        raise _refuse_size()
    release = content().release
    return JoinRequest(
        str(release.folder.absolute()),
        release.manifest_sha256,
        str(path),
        name,
        str(work),
        kind,
        g.language,
        **options,
    )


def _refuse_size() -> TooLargeError:
    return TooLargeError("error.body", parameter="file", value=None, allowed=f"{MAX_BYTES:,}")


def _option(name: str) -> str | None:
    text = request.form.get(name, "").strip()
    if len(text) > MAX_OPTION:
        raise BadParameterError(
            "error.length", parameter=name, value=f"{len(text)}", allowed=f"0-{MAX_OPTION}"
        )
    return text or None


def _unpack(answer: bytes) -> tuple[JoinSummary, bytes]:
    """Return what is said and the file; raises the error of a table that was refused."""
    try:
        return unpack_answer(answer)
    except JoinRefusedError as refusal:
        said, fix = refusal.texts, refusal.fix
        if fix and "--" not in fix["en"]:  # what to do on a page, not with a command
            said = {one: f"{text} → {pick_text(fix, one)}" for one, text in said.items()}
        given = request.form.get(refusal.field)
        if refusal.code.startswith("geojson-"):
            raise BadParameterError(
                "error.table", parameter=refusal.field, value=given, allowed="GeoJSON", said=said
            ) from refusal
        kind = KINDS.get(refusal.code, UnfitError)
        raise kind("error.table", parameter=refusal.field, value=given, said=said) from refusal


def _given() -> dict[str, str]:
    """Return what the form holds, where it could be read."""
    try:
        return {name: request.form.get(name, "")[:MAX_OPTION] for name in OPTIONS}
    except RequestEntityTooLarge:
        return {}


def _render(page: _Page) -> Response:
    error, summary = page.error, page.summary
    said = translate(error.key, g.language, **values_in(error, g.language)) if error else ""
    wrong = error.values.get("parameter") if error else None
    text = render_template(
        "join.html",
        page="join",
        summary=summary,
        table=_to_table(summary) if summary else [],
        shown=[(name, key) for name, key in SHOWN if summary and name in summary.columns],
        labelled=_label_counts,
        error=error,
        said=said,
        wrong=wrong,
        about=lambda name, note="": _describe_field(name, note, wrong=name == wrong),
        form=dict.fromkeys(OPTIONS, "") | page.form,
        frames=crs.FRAMES,
        most=MAX_BYTES // 1_000_000,
    )
    response = Response(text, error.status if error else 200, mimetype=HTML)
    if error:
        response.headers.update(headers_of(error))
    return vary(response)


def _describe_field(name: str, note: str, *, wrong: bool) -> dict[str, str | None]:
    """Return the attributes that say of a field whether it is wrong, and which texts explain it."""
    texts = " ".join(filter(None, (note, f"{name}-fault" if wrong else "")))
    return {"aria-invalid": "true" if wrong else None, "aria-describedby": texts or None}


def _label_counts(counts: dict[str, int], prefix: str) -> list[tuple[str, int]]:
    """Return how often each word is said, the most frequent first, with what it means."""
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    return [(translate(f"{prefix}{word}", g.language), count) for word, count in ordered]


def _to_table(summary: JoinSummary) -> list[dict[str, Cell]]:
    """Return the first rows of the answer as the page shows them: cells by column."""
    at = {name: number for number, name in enumerate(summary.columns)}
    shown = [name for name, _ in SHOWN if name in at]
    return [
        dict[str, Cell](label=label) | {name: row[at[name]] for name in shown}
        for label, row in zip(summary.labels, summary.rows, strict=True)
    ]


class OwnFact(TypedDict):
    """One field of a feature; `label` is what a choice's value is called in each language."""

    name: str
    kind: str
    title: Words
    unit: Words | None
    value: str | float | bool | None
    label: Words | None


class LayerTitle(TypedDict):
    """A layer and what it is called."""

    id: str
    title: Words


class OwnDocument(TypedDict):
    """A feature of one of the operator's own layers: never the plan's."""

    id: str
    layer: LayerTitle
    own: bool
    name: Words
    url: str
    parent: Link | None  # the zone or county that it lies in
    at: list[float]  # a position on it, (lon, lat)
    geometry: str
    facts: list[OwnFact]
    source: str
    source_url: str | None
    as_of: str
    licence: str


@dataclass(frozen=True)
class OwnChoices:
    """A field that the list may be narrowed by: its values with how many features have each."""

    field: OwnFieldEntry
    values: list[tuple[dict[str, str], int]]
    chosen: str | None


@blueprint.get("/own/")
def own_layers_page() -> str:
    """List the operator's own layers."""
    return render_template("own_layers.html", page="own", layers=list(content().own.values()))


@blueprint.get("/own/<layer_id>/")
def own_list_page(layer_id: str) -> str:
    """List the features of one layer, some at a time; all of them where the page becomes a file."""
    layer = _require_layer(layer_id)
    rows = list(content().own_features(layer_id).values())
    fields = [one for one in _own_of(layer)["fields"] if one["kind"] == "choice"]
    asked = {
        one["name"]: ChoiceParameter(one["name"]).parse(
            request.args, [value["zh"] for value in one["values"]]
        )
        for one in fields
    }
    q = Q.parse(request.args).strip()
    found = [row for row in rows if _fits(row, asked, q)]
    return render_template(
        "own_list.html",
        page="own",
        layer=layer,
        shown=_shown_fields(_own_of(layer)),
        label_of=_label_of,
        unit_of=_unit_of,
        choices=[_count(one, rows, asked[one["name"]]) for one in fields],
        q=q,
        rows=found,
        total=len(rows),
        **choose_part(found, PAGE.parse(request.args)),
    )


@blueprint.get("/own/<layer_id>/<feature_id>")
def own_page(layer_id: str, feature_id: str) -> str:
    """Show one feature."""
    return _render_feature("own.html", layer_id, feature_id)


@blueprint.get("/own/<layer_id>/<feature_id>.panel.html")
def own_panel_page(layer_id: str, feature_id: str) -> str:
    """Show one feature in the map's panel."""
    return _render_feature("own_panel.html", layer_id, feature_id)


def _render_feature(template: str, layer_id: str, feature_id: str) -> str:
    layer, row = _require_feature(layer_id, feature_id)
    return render_template(template, page="own", doc=build_own_document(layer, row), layer=layer)


@blueprint.get("/own/<layer_id>/<feature_id>.json")
@takes()
def own_document(layer_id: str, feature_id: str) -> Response:
    """Send everything known of one feature."""
    return send_json(build_own_document(*_require_feature(layer_id, feature_id)))


@blueprint.get("/own/<layer_id>/<feature_id>.geojson")
@takes()
def own_geojson(layer_id: str, feature_id: str) -> Response:
    """Send one feature as GeoJSON."""
    _, row = _require_feature(layer_id, feature_id)
    response = Response(orjson.dumps(row), content_type=GEOJSON)
    saved = f"{content().plan['id']}-{layer_id}.geojson"
    response.headers["Content-Disposition"] = f'attachment; filename="{saved}"'
    return response


def build_own_document(layer: LayerEntry, row: GeoJsonFeature) -> OwnDocument:
    """Return everything known of one feature of a layer, an entry of the catalogue."""
    own, properties = _own_of(layer), row["properties"]
    parent = content().documents.get(str(properties["parent_id"] or ""))
    at = shapely.from_geojson(orjson.dumps(row["geometry"])).representative_point()
    return {
        "id": row["id"],
        "layer": {"id": layer["id"], "title": layer["title"]},
        "own": True,
        "name": _name(row),
        "url": to_own_url(layer["id"], row["id"]),
        "parent": to_link(parent) if parent else None,
        "at": [round(at.x, 6), round(at.y, 6)],
        "geometry": layer["geometry"],
        "facts": [
            {
                "name": one["name"],
                "kind": one["kind"],
                "title": _words(one["title"]),
                "unit": _unit_of(one),
                "value": flatten_value(properties[one["name"]]),
                "label": _label_of(one, properties[one["name"]]),
            }
            for one in _shown_fields(_own_of(layer))
        ],
        "source": own["source"],
        "source_url": own["source_url"],
        "as_of": own["as_of"],
        "licence": own["licence"],
    }


def _shown_fields(own: OwnEntry) -> list[OwnFieldEntry]:
    """Return the fields that a feature shows beside its name, in the operator's order."""
    fields = {one["name"]: one for one in own["fields"]}
    popup = own["popup"]
    names = popup["fields"] or [name for name in fields if name not in popup["title"].values()]
    return [fields[name] for name in names]


def _words(text: OwnTextEntry) -> Words:
    """Return an operator's text in every language, in Chinese where it is in no other."""
    said: dict[str, str | None] = {"zh": text["zh"], "en": text["en"], "ko": text["ko"]}
    return {one: said.get(one) or text["zh"] for one in LANGUAGES}


def _name(row: GeoJsonFeature) -> Words:
    return {one: str(row["properties"][f"name_{one}"]) for one in LANGUAGES}


def _own_of(layer: LayerEntry) -> OwnEntry:
    own = layer.get("own")
    if own is None:
        raise KeyError(layer["id"])
    return own


def _unit_of(field: OwnFieldEntry) -> Words | None:
    return _words(field["unit"]) if field["unit"] else None


def _label_of(field: OwnFieldEntry, value: object) -> Words | None:
    """Return what the value of a choice is called, None for other fields."""
    found = next((one for one in field["values"] if one["zh"] == value), None)
    return _words(found) if found else None


def _fits(row: GeoJsonFeature, asked: Mapping[str, str | None], q: str) -> bool:
    properties = row["properties"]
    texts = [str(value) for value in properties.values() if isinstance(value, str)]
    return q.casefold() in "\n".join([row["id"], *texts]).casefold() and all(
        value in (None, properties[name]) for name, value in asked.items()
    )


def _count(field: OwnFieldEntry, rows: list[GeoJsonFeature], chosen: str | None) -> OwnChoices:
    counts = Counter(row["properties"][field["name"]] for row in rows)
    values = [(_words(one) | {"value": one["zh"]}, counts[one["zh"]]) for one in field["values"]]
    return OwnChoices(field, [(one, count) for one, count in values if count], chosen)


def _require_layer(layer_id: str) -> LayerEntry:
    layers = content().own
    if layer_id in layers:
        return layers[layer_id]
    near = [{"id": one, "label": pick(row["title"]), "href": to_own_url(one)} for one, row in layers.items()]
    raise NotFoundError(
        "error.layer", parameter="layer", value=layer_id, allowed=name_some(list(layers)) or "–", near=near
    )


def _require_feature(layer_id: str, feature_id: str) -> tuple[LayerEntry, GeoJsonFeature]:
    layer, rows = _require_layer(layer_id), content().own_features(layer_id)
    if feature_id in rows:
        return layer, rows[feature_id]
    listed = {"id": layer_id, "label": pick(layer["title"]), "href": to_own_url(layer_id)}
    raise NotFoundError(
        "error.own", parameter="feature", value=feature_id, allowed=name_some(list(rows)), near=[listed]
    )
