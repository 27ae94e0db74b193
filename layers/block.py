"""Blocks of geometry that look-ups run on: JSON heads with the WKB of each."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

ENTRY = struct.Struct("<II")  # bytes of a record's JSON head, bytes of its WKB


@dataclass(frozen=True)
class Entry:
    """One geometry, lon/lat, and what is said of it."""

    head: dict[str, Any]
    geometry: BaseGeometry


def read_entries(block: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield head and WKB of every geometry of a block that :mod:`layers.indexes` wrote."""
    at = 0
    while at < len(block):
        head_bytes, wkb_bytes = ENTRY.unpack_from(block, at)
        at += ENTRY.size
        yield (
            orjson.loads(block[at : at + head_bytes]),
            block[at + head_bytes : at + head_bytes + wkb_bytes],
        )
        at += head_bytes + wkb_bytes


def read_block(block: bytes) -> Iterator[Entry]:
    """Yield the entries of a block, their geometries prepared for many questions."""
    for head, wkb in read_entries(block):
        geometry = shapely.from_wkb(wkb)
        shapely.prepare(geometry)
        yield Entry(head, geometry)


def write_block(rows: Iterable[tuple[dict[str, Any], BaseGeometry]]) -> bytes:
    """Return the block of some heads with their geometries."""
    parts = []
    for head, geometry in rows:
        text, wkb = orjson.dumps(head), shapely.to_wkb(geometry)
        parts += [ENTRY.pack(len(text), len(wkb)), text, wkb]
    return b"".join(parts)
