"""Write RFC 7946 GeoJSON: right-hand rings, seven decimals, the same bytes for the same data.

Coordinates are WGS 84 (lon, lat) in degrees.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson

from geodata.boundaries import FeatureCollection, GeoJsonFeature, GeoJsonGeometry, Properties, round_list
from geodata.deferred import shapely

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

DECIMALS = 7  # about a centimetre; RFC 7946 recommends no more than needed
_GRID = 10.0**-DECIMALS


def to_geometry(geometry: BaseGeometry | None) -> GeoJsonGeometry | None:
    """Return a GeoJSON geometry with exterior rings counter-clockwise, or None for no geometry."""
    if geometry is None or geometry.is_empty:
        return None
    oriented = shapely.orient_polygons(_rounded(geometry)) if geometry.area else _rounded(geometry)
    mapping: GeoJsonGeometry = orjson.loads(shapely.to_geojson(oriented))
    return {"type": mapping["type"], "coordinates": round_list(mapping["coordinates"], DECIMALS)}


def to_feature(feature_id: str, geometry: BaseGeometry | None, properties: Properties) -> GeoJsonFeature:
    """Return a feature with a stable id and, where it has a geometry, a bbox."""
    if geometry is None:
        return {"type": "Feature", "id": feature_id, "geometry": None, "properties": properties}
    return {
        "type": "Feature",
        "id": feature_id,
        "bbox": to_bbox(geometry),
        "geometry": to_geometry(geometry),
        "properties": properties,
    }


def to_collection(features: Iterable[GeoJsonFeature], name: str) -> FeatureCollection:
    """Return a named feature collection with the bbox of all its features."""
    rows = list(features)
    boxes = [row["bbox"] for row in rows if "bbox" in row]
    if not boxes:
        return {"type": "FeatureCollection", "name": name, "features": rows}
    west, south, east, north = zip(*boxes, strict=True)
    bbox = [min(west), min(south), max(east), max(north)]
    return {"type": "FeatureCollection", "name": name, "bbox": bbox, "features": rows}


def to_bbox(geometry: BaseGeometry) -> list[float]:
    """Return (west, south, east, north) in degrees."""
    return [round(float(value), DECIMALS) for value in geometry.bounds]


def to_bytes(value: object) -> bytes:
    """Return compact UTF-8 JSON, keys in the order given."""
    return orjson.dumps(value)


def _rounded(geometry: BaseGeometry) -> BaseGeometry:
    """Snap to the grid that is written, keeping the geometry valid."""
    return shapely.set_precision(geometry, _GRID)
