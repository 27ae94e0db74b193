"""The rows of every collection as a store takes them: prepared bytes, flat values, geometry.

Both stores load these, so both answer with the same bytes and filter by the same values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import GeoJsonFeature, GeoJsonGeometry, Properties, Scalar, flatten_value
from geodata.model import LANGUAGES
from layers.cql.tree import Kind
from layers.document_types import FieldEntry, LayerEntry
from layers.store import Release

# The members of the records that a list of a feature holds; every other list holds texts.
DESIGNATION_MEMBERS = ("industry_id", *(f"term_{one}" for one in LANGUAGES), "emphasis", "clause")
RECORDS = {
    "industries": DESIGNATION_MEMBERS,
    "industries_of_areas": ("area_id", "role", *DESIGNATION_MEMBERS),
}
GEOMETRY = "geometry"  # the queryable that stands for a feature's geometry
KINDS: dict[str, Kind] = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "list",  # joined, see :func:`~geodata.boundaries.flatten_value`
}


@dataclass(frozen=True)
class StoredRow:
    """One feature or table row.

    ``values`` holds every queryable but the geometry; ``geometry`` is lon/lat, None where unknown and
    for every row of a table.
    """

    id: str
    body: bytes
    values: dict[str, Scalar]
    geometry: BaseGeometry | None


def queryables(info: LayerEntry) -> dict[str, Kind]:
    """Return what a collection can be filtered and sorted by: its fields and, for a layer, its geometry."""
    kinds = {field["name"]: KINDS[field["type"]] for field in info["fields"]}
    return kinds if info["geometry"] == "none" else kinds | {GEOMETRY: "geometry"}


def json_type(field: FieldEntry) -> str:
    """Return the JSON type of a field as a queryable: a list is one text."""
    return "string" if field["type"] == "array" else str(field["type"])


def read_stored_rows(release: Release, info: LayerEntry) -> Iterator[StoredRow]:
    """Yield the rows of one layer or table of the release, in its order.

    Every polygon comes as a MultiPolygon: clients take the type of the first page for that of all.
    """
    if info["geometry"] == "none":
        yield from _table_rows(release.read(f"data/{info['id']}.json"))
        return
    features: list[GeoJsonFeature] = orjson.loads(release.read(f"data/{info['id']}.geojson"))["features"]
    for feature in features:
        geometry = feature["geometry"] = _to_multi(feature["geometry"])
        shape = shapely.from_geojson(orjson.dumps(geometry)) if geometry else None
        yield StoredRow(feature["id"], dump_exactly(feature), _flat(feature["properties"]), shape)


def dump_exactly(value: object) -> bytes:
    """Return JSON to be kept: what orjson returns holds on to a buffer of up to ten times its length."""
    return bytes(memoryview(orjson.dumps(value)))


def _to_multi(geometry: GeoJsonGeometry | None) -> GeoJsonGeometry | None:
    if geometry and geometry["type"] == "Polygon":
        return {"type": "MultiPolygon", "coordinates": [geometry["coordinates"]]}
    return geometry


def _table_rows(content: bytes) -> Iterator[StoredRow]:
    seen: dict[str, int] = {}
    for properties in orjson.loads(content):
        row_id = _row_id(properties)
        seen[row_id] = seen.get(row_id, 0) + 1
        if seen[row_id] > 1:
            row_id += f".{seen[row_id]}"
        feature = {"type": "Feature", "id": row_id, "geometry": None, "properties": properties}
        yield StoredRow(row_id, dump_exactly(feature), _flat(properties), None)


def _row_id(properties: Properties) -> str:
    """Return a row's own id, or for a designation, which has none, its zone and its industry."""
    own = properties.get("id")
    return str(own) if own else f"{properties['zone_id']}.{properties['industry_id']}"


def _flat(properties: Properties) -> dict[str, Scalar]:
    return {name: flatten_value(value) for name, value in properties.items()}
