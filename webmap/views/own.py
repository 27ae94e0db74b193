"""Pages and documents of the operator's own layers: ``/own/``, a list of each, a page of each feature.

All say whose they are, from where and of which day; none of it is the plan's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from flask import Blueprint, Response, render_template, request

from geodata.boundaries import GeoJsonFeature, flatten_value, to_bytes
from geodata.deferred import shapely
from layers.document_types import LayerEntry, to_link
from layers.links import Link, Words, to_own_url
from layers.map_types import OwnEntry, OwnFieldEntry, OwnTextEntry
from webmap.http import GEOJSON, send_json
from webmap.i18n import LANGUAGES, pick
from webmap.params import ChoiceParameter, Q, takes
from webmap.problems import NotFoundError, name_some
from webmap.views.context import PAGE, choose_part, content

blueprint = Blueprint("own", __name__)


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
    return _render("own.html", layer_id, feature_id)


@blueprint.get("/own/<layer_id>/<feature_id>.panel.html")
def own_panel_page(layer_id: str, feature_id: str) -> str:
    """Show one feature in the map's panel."""
    return _render("own_panel.html", layer_id, feature_id)


def _render(template: str, layer_id: str, feature_id: str) -> str:
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
    response = Response(to_bytes(row), content_type=GEOJSON)
    saved = f"{content().plan['id']}-{layer_id}.geojson"
    response.headers["Content-Disposition"] = f'attachment; filename="{saved}"'
    return response


def build_own_document(layer: LayerEntry, row: GeoJsonFeature) -> OwnDocument:
    """Return everything known of one feature of a layer, an entry of the catalogue."""
    own, properties = _own_of(layer), row["properties"]
    parent = content().documents.get(str(properties["parent_id"] or ""))
    at = shapely.from_geojson(to_bytes(row["geometry"])).representative_point()
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
