"""What numbers of a drawing (DXF) are in, and the letters that it has as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.issues import Issue, build_issue
from geodata.city import read_city

_ESCAPED: Final = re.compile(r"\\U\+([0-9A-Fa-f]{4})")  # a letter in the texts of a drawing
_INSUNITS: Final = re.compile(rb"\$INSUNITS\s+70\s+(\d+)")
_METRIC_M: Final = {4: 0.001, 5: 0.01, 6: 1.0, 7: 1000.0, 14: 0.1, 15: 10.0, 16: 100.0}  # by $INSUNITS
_SURVEY_M: Final = {21: 1200 / 3937, 22: 100 / 3937, 23: 3600 / 3937, 24: 5280 * 1200 / 3937}
_UNITS_M: Final = _METRIC_M | _SURVEY_M | {1: 0.0254, 2: 0.3048, 3: 1609.344, 10: 0.9144}
_MILLIMETRE: Final = 0.001
_WEST, _SOUTH, _EAST, _NORTH = read_city().region
_NORTHINGS_M: Final = (_SOUTH * 110_500, _NORTH * 111_700)
_EASTINGS_M: Final = (1e5, 9e5)
_ZONES: Final = {  # of 3 and 6 degrees, here and beside: an easting in metres may begin with one
    int(lon / width + shift) + beside
    for width, shift in ((3, 0.5), (6, 1))
    for lon in (_WEST, _EAST)
    for beside in (-1, 0, 1)
}


def find_drawing_unit(name: str, content: bytes, shapes: Sequence[BaseGeometry]) -> tuple[float, list[Issue]]:
    """Return how many metres a drawing's unit has by its numbers, and what to say of that.

    Many that are in metres declare millimetres, and the other way round: what is declared counts only where
    the numbers are none of metres, and where neither fits they may be millimetres all the same.
    """
    found = _INSUNITS.search(content)
    declared = _UNITS_M.get(int(found[1][:4]), 1.0) if found else 1.0
    points = shapely.get_coordinates(shapes)
    middle = np.median(np.abs(points), axis=0) if len(points) else np.zeros(2)

    def fits(scale: float) -> bool:
        one, other = (float(value) for value in middle * scale)
        return _is_in_metres(one, other) or _is_in_metres(other, one)

    if fits(1.0):
        told = build_issue("drawing-unit-contradicts", name, factor=f"{declared:g}")
        return 1.0, [told] if declared != 1 else []
    scale = next((one for one in (declared, _MILLIMETRE) if fits(one)), None)
    if scale is None:
        return 1.0, []
    return scale, [build_issue("drawing-scaled", name, factor=f"{scale:g}")]


def _is_in_metres(north: float, east: float) -> bool:
    """Tell whether both are metres as maps of the city have them, the easting with its zone or without."""
    easting = east % 1e6 if east // 1e6 in _ZONES else east
    return _NORTHINGS_M[0] <= north <= _NORTHINGS_M[1] and _EASTINGS_M[0] <= easting <= _EASTINGS_M[1]


def unescape_drawing(properties: Mapping[str, object]) -> dict[str, object]:
    """Return texts of a drawing with letters where it has their numbers."""
    return {
        key: _ESCAPED.sub(lambda code: chr(int(code[1], 16)), value) if isinstance(value, str) else value
        for key, value in properties.items()
    }
