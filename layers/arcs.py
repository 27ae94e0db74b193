"""Arcs of TopoJSON as its geometry types nest them."""

from __future__ import annotations

from typing import Any

POLYGON, MULTI_LINE, MULTI_POLYGON = 2, 2, 3  # how deep each type nests its arcs


def nest(arcs: list[Any], wanted: int) -> list[Any]:
    """Return arcs nested `wanted` deep; the topojson library nests some one level less, or more.

    >>> nest([[0, 1]], MULTI_POLYGON)
    [[[0, 1]]]
    """
    depth = _depth(arcs)
    if depth > wanted:
        return [inner for outer in arcs for inner in outer]
    return arcs if depth == wanted else [arcs]


def _depth(arcs: Any) -> int:
    return 1 + _depth(arcs[0]) if isinstance(arcs, list) else 0
