"""A feature's geometry for people: how much there is of it, and its coordinates as text."""

from __future__ import annotations

from typing import Any

import shapely
from shapely.geometry import shape as to_shape

from webmap.ogc.frames import geometry_of

MOST_BYTES = 200_000  # of text on a page; whoever needs more takes the JSON


def describe_geometry(feature: dict[str, Any]) -> dict[str, Any] | None:
    """Return type, number of positions and bbox of a feature's geometry, or None where it has none.

    `feature` is as the answer in JSON has it; the bbox is in its system and axis order.
    """
    geometry = feature["geometry"]
    if geometry is None:
        return None
    count = int(shapely.get_num_coordinates(to_shape(geometry)))
    return {"type": geometry["type"], "positions": count, "bbox": feature.get("bbox")}


def write_geometry(body: bytes) -> str | None:
    """Return a feature's geometry as GeoJSON, a position on each line; None where that is too much."""
    geometry = geometry_of(body)
    return geometry.replace(b"],[", b"],\n[").decode() if len(geometry) <= MOST_BYTES else None
