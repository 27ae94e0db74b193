"""Turn a query into the WHERE and ORDER BY of a statement: the same answers as the store in memory."""

from __future__ import annotations

from psycopg import sql
from shapely.geometry import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from layers.cql.tree import Property
from layers.postgis.condition import to_condition, to_narrow, to_value
from layers.postgis.part import Part, all_of, any_of, chain, join, shape
from layers.query import Collection, Query
from layers.rows import queryables

DIRECTIONS = {False: "{} ASC NULLS LAST", True: "{} DESC NULLS LAST"}


def to_where(query: Query) -> Part:
    """Return the condition that a query's boxes and filter are."""
    conditions = []
    if query.boxes:
        everywhere = Part(sql.SQL("geometry IS NULL"))
        conditions.append(any_of([*map(_in_box, query.boxes), everywhere]))
    if query.filter is not None:
        conditions.append(to_condition(query.filter))
        conditions += [found for found in [to_narrow(query.filter)] if found]
    return all_of(conditions)


def to_order(query: Query, collection: Collection) -> Part:
    """Return the order that a query asks for, then the collection's own."""
    kinds = queryables(collection.info)
    asked = [join(DIRECTIONS[down], to_value(Property(name, kinds[name]))) for name, down in query.sort]
    return chain(", ", [*asked, Part(sql.SQL("ordinal"))])


def _in_box(bounds: Bounds) -> Part:
    return join("ST_Intersects(geometry, {})", shape(_to_geometry(bounds)))


def _to_geometry(bounds: Bounds) -> BaseGeometry:
    """Return a box, which may be as narrow as a line or a point: no polygon then, to the database."""
    west, south, east, north = bounds
    if west < east and south < north:
        return box(*bounds)
    return Point(west, south) if west == east and south == north else LineString([bounds[:2], bounds[2:]])
