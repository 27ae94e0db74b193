"""The geometry that paper maps are drawn from: the release's layers in metres, read once.

Everything is in EPSG:4550 (CGCS2000, central meridian 123° E), x east and y north, so that a scale
bar is true: across Weihai its scale differs from 1 by less than 0.0006.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from layers.store import Release

FRAME = "EPSG:4550"
POLYGONS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores")
TOLERANCE_M = 25  # a tenth of a millimetre at 1:250,000
BORDERS_TOLERANCE_M = 1


class Ground:
    """Polygons and points of one release, projected."""

    def __init__(self, release: Release) -> None:
        self._release = release

    @cached_property
    def polygons(self) -> dict[str, BaseGeometry]:
        """Every place of the plan by id."""
        return {row["id"]: _project(row) for layer in POLYGONS for row in self._rows(layer)}

    @cached_property
    def city(self) -> BaseGeometry:
        """The land of the city."""
        return shapely.union_all([self.polygons[row["id"]] for row in self._rows("counties")])

    @cached_property
    def neighbours(self) -> BaseGeometry:
        """The land around the city."""
        return shapely.union_all([_project(row) for row in self._rows("land")[1:]])

    @cached_property
    def borders(self) -> BaseGeometry:
        """The lines between counties, and towards the neighbours; the coast is none of them."""
        edges = shapely.union_all([self.polygons[row["id"]].boundary for row in self._rows("counties")])
        inland = shapely.buffer(self.city.boundary, BORDERS_TOLERANCE_M)
        return shapely.difference(edges, inland)

    def to_xy(self, lon: float, lat: float) -> tuple[float, float]:
        """Return metres east and north of a position."""
        x, y = crs.transform(lon, lat, crs.LONLAT, FRAME)
        return float(x), float(y)

    def to_lonlat(self, x: float, y: float) -> tuple[float, float]:
        """Return the position, degrees, of metres east and north."""
        lon, lat = crs.transform(x, y, FRAME, crs.LONLAT)
        return float(lon), float(lat)

    def _rows(self, layer: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._release.read_json(f"data/{layer}.geojson")["features"]
        return rows


def _project(row: dict[str, Any]) -> BaseGeometry:
    geometry = shapely.geometry.shape(row["geometry"])
    return shapely.simplify(crs.transform_geometry(geometry, crs.LONLAT, FRAME), TOLERANCE_M)
