"""What is asked of a collection, what comes back, and what every store of features offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import orjson

from geodata.boundaries import (
    SEPARATOR,
    GeoJsonFeature,
    GeoJsonGeometry,
    Properties,
    Scalar,
    flatten_value,
    list_records,
)
from geodata.crs import Bounds
from geodata.deferred import shapely
from geodata.kinds import LANGUAGES
from layers.cql.tree import Condition, Kind
from layers.document_types import BlockHead, FieldEntry, LayerEntry
from layers.store import Release

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class StoreUnavailableError(Exception):
    """The store cannot answer now; asking again later will do."""


class StoreSlowError(StoreUnavailableError):
    """The store gave a question up that took too long; one for less, or later, will do."""


@dataclass(frozen=True)
class Query:
    """A selection of features of one collection.

    Attributes
    ----------
    boxes
        Bounds in lon/lat, west ≤ east, or a geometry where they are curved; two where a box crosses the
        antimeridian. A feature matches if its geometry intersects any of them, edges included, or if it
        has no geometry (OGC API – Features Part 1, fc-bbox-response C). Empty: no box was asked for.
    filter
        A checked filter; only what makes it true is selected. None: no filter.
    sort
        Queryable and whether descending, first the most important; texts by code point, nulls last
        either way, then the collection's own order.
    limit, offset
        How many features of the answer, None for all, and after how many.
    """

    boxes: tuple[Bounds | BaseGeometry, ...] = ()
    filter: Condition | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Feature:
    """One feature as prepared bytes: a GeoJSON Feature in CRS84, ``geometry`` null for a table's row.

    The members come in the order type, id, bbox (where there is a geometry), geometry, properties.
    """

    id: str
    body: bytes


@dataclass(frozen=True)
class Selection:
    """One page of an answer, and how many features match in all.

    ``unplaced`` counts those of them that have no geometry, where a box was asked for.
    """

    matched: int
    features: tuple[Feature, ...]
    unplaced: int = 0


@dataclass(frozen=True, eq=False)
class Collection:
    """One layer or table as a collection of features; each is equal to itself alone."""

    id: str
    info: LayerEntry  # the catalogue's entry: geometry, title, description, fields
    count: int
    bounds: Bounds | None  # lon/lat; None for a table
    is_light: bool = False  # whether any plain selection of it takes well under a millisecond


class FeatureStore(Protocol):
    """Where features live; every store gives the same answers to the same questions."""

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order."""

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[BlockHead, bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""

    def reach_m(self) -> float:
        """Return the accuracy of the least accurate of what look-ups answer with, metres."""


# -- rows of the release, as every store has them


# The members of the records that a list of a feature holds; every other list holds texts.
TERMS = tuple(f"term_{language}" for language in LANGUAGES)
DESIGNATION_MEMBERS = ("industry_id", *TERMS, "emphasis", "clause")
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

    ``values`` holds every searchable but the geometry; ``geometry`` is lon/lat, None where unknown and
    for every row of a table.
    """

    id: str
    body: bytes
    values: dict[str, Scalar]
    geometry: BaseGeometry | None


def queryables(info: LayerEntry) -> dict[str, Kind]:
    """Return what a collection can be filtered and sorted by: its fields and, for a layer, its geometry."""
    dates: dict[str, Kind] = {
        field["name"]: "date" for field in info["fields"] if field.get("format") == "date"
    }
    return _stored(info) | dates


def searchables(info: LayerEntry) -> dict[str, Kind]:
    """Return what words are looked for in: the queryables, and the plan's terms in lists of records."""
    lists = [field["name"] for field in info["fields"] if field["name"] in RECORDS]
    return _stored(info) | {f"{name}.{term}": "list" for name in lists for term in TERMS}


def _stored(info: LayerEntry) -> dict[str, Kind]:
    kinds = {field["name"]: KINDS[field["type"]] for field in info["fields"]}
    return kinds if info["geometry"] == "none" else kinds | {GEOMETRY: "geometry"}


def flat_schema(field: FieldEntry) -> dict[str, object]:
    """Return the JSON Schema of a field as a queryable: a list is one text."""
    kind = "string" if field["type"] == "array" else field["type"]
    return {"type": kind, "format": field["format"]} if field.get("format") else {"type": kind}


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
    plain = {name: flatten_value(value) for name, value in properties.items()}
    for name in RECORDS.keys() & properties.keys():
        rows = list_records(properties[name])
        plain |= {f"{name}.{term}": SEPARATOR.join(str(row[term]) for row in rows) or None for term in TERMS}
    return plain
