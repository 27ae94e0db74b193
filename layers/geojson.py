"""Write RFC 7946 GeoJSON: right-hand rings, seven decimals, the same bytes for the same data.

Coordinates are WGS 84 (lon, lat) in degrees.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

DECIMALS = 7  # about a centimetre; RFC 7946 recommends no more than needed
_GRID = 10.0**-DECIMALS


def to_geometry(geometry: BaseGeometry | None) -> dict[str, Any] | None:
    """Return a GeoJSON geometry with exterior rings counter-clockwise, or None for no geometry."""
    if geometry is None or geometry.is_empty:
        return None
    oriented = shapely.orient_polygons(_rounded(geometry)) if geometry.area else _rounded(geometry)
    mapping: dict[str, Any] = orjson.loads(shapely.to_geojson(oriented))
    return {"type": mapping["type"], "coordinates": _round_numbers(mapping["coordinates"])}


def to_feature(feature_id: str, geometry: BaseGeometry | None, properties: dict[str, Any]) -> dict[str, Any]:
    """Return a feature with a stable id and, where it has a geometry, a bbox."""
    feature: dict[str, Any] = {"type": "Feature", "id": feature_id}
    if geometry is not None:
        feature["bbox"] = to_bbox(geometry)
    return feature | {"geometry": to_geometry(geometry), "properties": properties}


def to_collection(features: Iterable[dict[str, Any]], **members: Any) -> dict[str, Any]:
    """Return a feature collection with the bbox of all its features and any foreign `members`."""
    rows = list(features)
    boxes = [row["bbox"] for row in rows if "bbox" in row]
    collection: dict[str, Any] = {"type": "FeatureCollection", **members}
    if boxes:
        west, south, east, north = zip(*boxes, strict=True)
        collection["bbox"] = [min(west), min(south), max(east), max(north)]
    return collection | {"features": rows}


def to_bbox(geometry: BaseGeometry) -> list[float]:
    """Return (west, south, east, north) in degrees."""
    return [round(float(value), DECIMALS) for value in geometry.bounds]


def to_bytes(value: Any) -> bytes:
    """Return compact UTF-8 JSON, keys in the order given."""
    return orjson.dumps(value)


def _rounded(geometry: BaseGeometry) -> BaseGeometry:
    """Snap to the grid that is written, keeping the geometry valid."""
    return shapely.set_precision(geometry, _GRID)


def _round_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_round_numbers(item) for item in value]
    return round(value, DECIMALS)
