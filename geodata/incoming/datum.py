"""Tell whether a polygon was drawn on a Chinese web map, whose positions are shifted on purpose.

A shifted polygon lies 400 to 500 m (GCJ-02) or some 1,200 m (BD-09) off. Our own zones are not good
enough to see that, but our coast and county borders are (90 % within 660 m, half within 110 m). So
those parts of the polygon's edge that run along a known line are compared with it three times: as
they stand, and as if they were in either shifted system. A polygon without enough of such edge
cannot be told, and nothing is said about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata import crs

_SPACING_M: Final = 100.0  # between the points compared, more on a long edge
_MOST: Final = 800  # points compared
_REACH_M: Final = 750.0  # an edge farther from every known line, under every reading, says nothing
_FAR_M: Final = 1500.0  # no distance counts for more
_LEAST_KM: Final = 8.0  # of edge along known lines
_BETTER: Final = 0.8  # the shifted reading must be this much nearer to be suspected,
_FITS_M: Final = 300.0  # and as near as a line that is the same one; one that only runs beside it is not
_STEPS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)  # of the way from the plain to the shifted reading
_FULL: Final = _STEPS.index(1.0)
_LAT_M: Final = 111_000.0


@dataclass(frozen=True)
class Verdict:
    """How far the polygon's edge is from the known lines on average, metres, under each reading."""

    suspected: str | None
    compared_km: float
    distance_m: dict[str, float]
    median_m: float = 0.0  # as it stands; a few points that leave the known line do not move it

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data; ``told`` is false where there was too little to compare."""
        return {
            "told": self.compared_km >= _LEAST_KM,
            "suspected": self.suspected,
            "compared_km": round(self.compared_km, 1),
            "median_distance_m": round(self.median_m) if self.distance_m else None,
            "mean_distance_m": {name: round(value) for name, value in self.distance_m.items()},
        }


def measure_shift(polygon: BaseGeometry, known: BaseGeometry) -> Verdict:
    """Compare the edge of a lon/lat `polygon` with `known` lines, as it stands and unshifted.

    The edge is moved step by step along each shift. A system is suspected where the edge fits best
    at about the full shift, and there clearly better than unmoved: the noise of two drawings of one
    coast makes every reading worse, but does not move the best one.
    """
    squash = float(np.cos(np.radians(polygon.centroid.y)))
    scale = np.array([squash, 1.0]) * _LAT_M
    lines = shapely.transform(known, lambda lonlat: lonlat * scale)
    shapely.prepare(lines)
    edge = shapely.transform(polygon.boundary, lambda lonlat: lonlat * scale)
    spacing_m = max(_SPACING_M, edge.length / _MOST)
    points = _sample(edge, spacing_m) / scale
    found: dict[str, NDArray[np.float64]] = {}
    for frame in crs.SHIFTED:
        back = np.column_stack(crs.transform(points[:, 0], points[:, 1], frame, crs.LONLAT))
        moved = [(points + step * (back - points)) * scale for step in _STEPS]
        found[frame] = np.array([shapely.distance(shapely.points(step), lines) for step in moved])
    near = np.vstack([steps[[0, _FULL]] for steps in found.values()]).min(axis=0) < _REACH_M
    compared_km = float(near.sum()) * spacing_m / 1000
    if compared_km < _LEAST_KM:
        return Verdict(None, compared_km, {})
    means = {frame: np.minimum(steps[:, near], _FAR_M).mean(axis=1) for frame, steps in found.items()}
    plain = float(means[crs.SHIFTED[0]][0])
    median_m = float(np.median(found[crs.SHIFTED[0]][0, near]))
    distances = {crs.LONLAT: plain} | {frame: float(steps[_FULL]) for frame, steps in means.items()}
    fitting = [
        frame
        for frame, steps in means.items()
        if abs(int(np.argmin(steps)) - _FULL) <= 1 and steps[_FULL] < min(_BETTER * plain, _FITS_M)
    ]
    suspected = min(fitting, key=lambda frame: distances[frame], default=None)
    return Verdict(suspected, compared_km, distances, median_m)


def _sample(boundary: BaseGeometry, spacing_m: float) -> NDArray[np.float64]:
    """Return evenly spaced points along all lines of a boundary in metres."""
    parts = [
        shapely.line_interpolate_point(line, np.arange(0.0, max(line.length, 1.0), spacing_m))
        for line in shapely.get_parts(boundary)
    ]
    return shapely.get_coordinates(np.concatenate(parts))
