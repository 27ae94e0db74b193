"""Pieces of SQL that carry the values of their placeholders along."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import shapely
from psycopg import sql
from shapely.geometry.base import BaseGeometry

SRID = 4326  # used as longitude and latitude, on the plane
HEAD = struct.Struct("<BI")  # of a WKB: order of bytes, kind of geometry
LITTLE_ENDIAN = 1
HAS_SRID = 0x20000000


@dataclass(frozen=True)
class Part:
    """A piece of SQL with the values of its placeholders; values never become part of the text."""

    text: sql.Composable
    values: tuple[Any, ...] = ()


def join(template: str, *parts: Part) -> Part:
    """Return `template`, a literal of this project's, with its ``{}`` filled with `parts` in this order."""
    text = sql.SQL(template).format(*(part.text for part in parts))
    return Part(text, tuple(value for part in parts for value in part.values))


def value(given: Any, kind: str) -> Part:
    """Return a placeholder for `given`, as the database's type `kind`."""
    return Part(sql.SQL("%s::" + kind), (given,))


def shape(geometry: BaseGeometry) -> Part:
    """Return a placeholder for a lon/lat geometry."""
    return join("ST_GeomFromEWKB({})", value(to_ewkb(geometry), "bytea"))


def to_ewkb(geometry: BaseGeometry) -> bytes:
    """Return a lon/lat geometry as the database takes it."""
    return mark(shapely.to_wkb(geometry, byte_order=1))


def mark(wkb: bytes) -> bytes:
    """Return the little-endian WKB of a lon/lat geometry with the SRID in it, as the database takes it.

    Raises ValueError for another order of bytes.
    """
    order, kind = HEAD.unpack_from(wkb)
    if order != LITTLE_ENDIAN:
        raise ValueError(f"{wkb[:5]!r}: WKB big-endian")
    return HEAD.pack(order, kind | HAS_SRID) + SRID.to_bytes(4, "little") + wkb[HEAD.size :]


def all_of(parts: Iterable[Part]) -> Part:
    """Return the condition that holds where all do; where there are none, everywhere."""
    found = list(parts)
    return join("({})", chain(" AND ", found)) if found else Part(sql.SQL("TRUE"))


def any_of(parts: Iterable[Part]) -> Part:
    """Return the condition that holds where one does; where there are none, nowhere."""
    found = list(parts)
    return join("({})", chain(" OR ", found)) if found else Part(sql.SQL("FALSE"))


def chain(between: str, parts: Iterable[Part]) -> Part:
    """Return the parts with `between`, a literal of this project's, between them."""
    found = list(parts)
    text = sql.SQL(between).join(part.text for part in found)
    return Part(text, tuple(value for part in found for value in part.values))
