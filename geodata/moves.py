"""Tell whether a place was moved: one threshold for the rule of imports, its preview and the history."""

from __future__ import annotations

from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

_MOVED_DEG2: Final = 1e-10  # 1 m²: less is rounding


def is_moved(old: BaseGeometry, new: BaseGeometry) -> bool:
    """Tell whether two lon/lat polygons differ by more than 1 m²; two points, whether they differ at all."""
    if old is new or shapely.equals_identical(old, new):
        return False
    if not old.area and not new.area:
        return True
    return bool(shapely.symmetric_difference(old, new).area > _MOVED_DEG2)
