"""Make a polygon agree with those in force: they stay to the last digit, and it gives way.

Two deliverers that draw one line draw it twice. At worst each is off by its accuracy, and to opposite
sides: so a strip as wide as the sum of the two says nothing but that, and it follows the polygon in force.
What is wider is land that two people claim; the checks of :mod:`geodata.incoming.scrutiny` refuse it.
All geometry is lon/lat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.incoming.planar import GRID_DEG, is_narrow, to_polygons

_ROUNDING_M: Final = 0.03  # lines rounded to the grid on either side are no farther apart


def agree(
    area: BaseGeometry,
    holder: BaseGeometry | None,
    beside: Sequence[BaseGeometry],
    within: Sequence[BaseGeometry],
) -> BaseGeometry:
    """Return `area` cut to its `holder` and off what is `beside` it, and grown to what lies `within` it.

    It comes back as it is where it differs by rounding only: cutting would put vertices into its edges.
    """
    if holder is not None and _differs(area, holder):
        area = to_polygons(shapely.intersection(area, holder, grid_size=GRID_DEG))
    others = shapely.union_all(list(beside))
    if not is_narrow(to_polygons(shapely.intersection(area, others)), _ROUNDING_M):
        area = to_polygons(shapely.difference(area, others, grid_size=GRID_DEG))
    if _differs(shapely.union_all(list(within)), area):
        area = to_polygons(shapely.union_all([area, *within], grid_size=GRID_DEG))
    return area


def _differs(shape: BaseGeometry, room: BaseGeometry) -> bool:
    """Tell whether `shape` reaches out of `room` by more than rounding."""
    return not is_narrow(to_polygons(shapely.difference(shape, room)), _ROUNDING_M)
