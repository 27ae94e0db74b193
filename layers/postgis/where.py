"""Turn a query into the WHERE of a statement: the same answers as the store in memory."""

from __future__ import annotations

from psycopg import sql
from shapely.geometry import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from layers.postgis.condition import Conditions
from layers.postgis.part import Part, all_of, any_of, join, shape
from layers.query import Query


def to_where(query: Query, conditions: Conditions) -> Part:
    """Return the condition that a query's boxes and filter are."""
    found = []
    if query.boxes:
        everywhere = Part(sql.SQL("geometry IS NULL"))
        found.append(any_of([*map(_in_box, query.boxes), everywhere]))
    if query.filter is not None:
        found.append(conditions.write(query.filter))
    return all_of(found)


def _in_box(bounds: Bounds) -> Part:
    return join("ST_Intersects(geometry, {})", shape(_to_geometry(bounds)))


def _to_geometry(bounds: Bounds) -> BaseGeometry:
    """Return a box, which may be as narrow as a line or a point: no polygon then, to the database."""
    west, south, east, north = bounds
    if west < east and south < north:
        return box(*bounds)
    return Point(west, south) if west == east and south == north else LineString([bounds[:2], bounds[2:]])
