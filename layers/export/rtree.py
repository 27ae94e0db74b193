"""The spatial index of a GeoPackage's layer: the extension ``gpkg_rtree_index``.

The tree is packed here and put in place as SQLite keeps it: SQLite itself splits nodes and writes down
its tables differently from version to version, and the same data are to give the same bytes everywhere.
"""

from __future__ import annotations

import math
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from shapely.geometry.base import BaseGeometry

DEFINITION = "http://www.geopackage.org/spec130/#extension_rtree"
_TABLES = Path(__file__).with_name("rtree.sql")
_ROOT = 1  # SQLite looks for the root there
_HEAD, _CELL = struct.Struct(">HH"), struct.Struct(">q4f")  # as SQLite has them: big-endian
_CELLS = 51  # that SQLite puts in a node at most
_NODE_BYTES = _HEAD.size + _CELLS * _CELL.size


class Cell(NamedTuple):
    """A row or a node by its number, and its box in the layer's frame, of numbers of four bytes."""

    number: int
    min_x: float
    max_x: float
    min_y: float
    max_y: float


class Node(NamedTuple):
    """One node of the tree; cells of height 0 are rows."""

    number: int
    height: int
    cells: Sequence[Cell]


def add_index(
    connection: sqlite3.Connection, table: str, column: str, geometries: Iterable[BaseGeometry | None]
) -> None:
    """Index the rows of `table`, whose ``fid`` is the place in `geometries`, counted from 1.

    `table` and `column` are names of our own that need no escaping.
    """
    for statement in _TABLES.read_text(encoding="utf-8").format(table=table, column=column).split("\n\n"):
        connection.execute(statement)
    index = f"rtree_{table}_{column}"
    _declare(connection, index)
    for node in pack([_to_cell(number, one) for number, one in enumerate(geometries, 1) if one is not None]):
        _insert(connection, index, node)
    row = (table, column, "gpkg_rtree_index", DEFINITION, "write-only")
    connection.execute("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", row)


def _declare(connection: sqlite3.Connection, index: str) -> None:
    """Enter the virtual table in the schema; to create it would make SQLite write the tables below it."""
    virtual = f'CREATE VIRTUAL TABLE "{index}" USING rtree(id, minx, maxx, miny, maxy)'
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("INSERT INTO sqlite_master VALUES ('table', ?, ?, 0, ?)", (index, index, virtual))
    connection.execute("PRAGMA writable_schema = OFF")


def _insert(connection: sqlite3.Connection, index: str, node: Node) -> None:
    depth = node.height if node.number == _ROOT else 0  # only the root says how high the tree is
    content = _HEAD.pack(depth, len(node.cells)) + b"".join(_CELL.pack(*cell) for cell in node.cells)
    below = f'"{index}_parent"' if node.height else f'"{index}_rowid"'
    connection.execute(
        f'INSERT INTO "{index}_node" VALUES (?, ?)',  # noqa: S608 - names of our own catalogue
        (node.number, content.ljust(_NODE_BYTES, b"\0")),
    )
    connection.executemany(
        f"INSERT INTO {below} VALUES (?, ?)",  # noqa: S608 - names of our own catalogue
        [(cell.number, node.number) for cell in node.cells],
    )


def _to_cell(number: int, geometry: BaseGeometry) -> Cell:
    west, south, east, north = geometry.bounds
    return Cell(number, _below(west), -_below(-east), _below(south), -_below(-north))


def _below(value: float) -> float:
    """Return the nearest number of four bytes that is not greater: a box may only grow."""
    near = np.float32(value)
    return float(near if float(near) <= value else np.nextafter(near, np.float32(-np.inf)))


def pack(cells: Sequence[Cell]) -> list[Node]:
    """Return the nodes of a tree over `cells`, the root, which is number 1, last."""
    nodes: list[Node] = []
    height = 0
    while len(cells) > _CELLS:
        groups = _group(cells)
        level = [Node(len(nodes) + _ROOT + 1 + place, height, group) for place, group in enumerate(groups)]
        nodes += level
        cells = [_around(node) for node in level]
        height += 1
    return [*nodes, Node(_ROOT, height, cells)]


def _group(cells: Sequence[Cell]) -> Iterator[Sequence[Cell]]:
    """Yield neighbours together, as many as a node holds: in strips by x, in each by y."""
    count = math.ceil(len(cells) / _CELLS)
    by_x = sorted(cells, key=lambda cell: (cell.min_x + cell.max_x, cell.number))
    for strip in _split(by_x, math.isqrt(count - 1) + 1):
        by_y = sorted(strip, key=lambda cell: (cell.min_y + cell.max_y, cell.number))
        yield from _split(by_y, math.ceil(len(by_y) / _CELLS))


def _split(cells: Sequence[Cell], count: int) -> Iterator[Sequence[Cell]]:
    """Yield `count` parts that differ by one in length at most."""
    for place in range(count):
        yield cells[len(cells) * place // count : len(cells) * (place + 1) // count]


def _around(node: Node) -> Cell:
    low_x, high_x, low_y, high_y = zip(*(cell[1:] for cell in node.cells), strict=True)
    return Cell(node.number, min(low_x), max(high_x), min(low_y), max(high_y))
