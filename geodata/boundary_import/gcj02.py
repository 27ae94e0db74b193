"""Judge whether a polygon was drawn on a Chinese web map, whose positions are shifted on purpose.

A shifted polygon lies 400 to 500 m (GCJ-02) or some 1,200 m (BD-09) off. Reconstructed zones are not
accurate enough to tell, but coast and county borders are (90 % within 660 m, half within 110 m). So those
parts of the polygon's edge that run along a reference line are compared with it three times: as they
stand, and as if they were in either shifted system. Without enough of such edge there is no verdict.

The reference lines were compared with other drawings of the same lines when they were rebuilt (``quality``
in ``datapackage.json``), which gives the usual distance between two drawings of one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import erf, sqrt
from typing import Final, TypedDict

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import Quality
from geodata.boundary_import.issues import Issue, build_issue
from geodata.imported import ImportedBoundary
from geodata.shapes import Shape

_SPACING_M: Final = 100.0  # between the points compared, more on a long edge
_MAX_SAMPLES: Final = 800  # points compared
_MAX_DISTANCE_M: Final = 750.0  # an edge farther from every known line, under every reading, says nothing
_DISTANCE_CAP_M: Final = 1500.0  # no distance counts for more
_MIN_COMPARED_KM: Final = 10.0  # of edge along known lines: of less, one bay outweighs a shift
_MIN_IMPROVEMENT: Final = 0.8  # the shifted reading must be this much nearer to be suspected,
_MAX_FIT_M: Final = 300.0  # and as near as a line that is the same one; one that only runs beside it is not
_STEPS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)  # of the way from the plain to the shifted reading
_FULL_STEP: Final = _STEPS.index(1.0)
_CORRELATION_KM: Final = 2.0
_DOUBTFUL: Final = 0.9  # a certainty, or a ratio of distances, that is worth a warning
_METRES_PER_DEG_LAT: Final = 111_000.0


class ShiftAccount(TypedDict):
    """How a polygon's edge compares with known lines; `told` is false where too little could be compared."""

    told: bool
    suspected: str | None
    certainty: float
    compared_km: float
    median_distance_m: int | None
    mean_distance_m: dict[str, int]


@dataclass(frozen=True)
class ShiftVerdict:
    """How far the polygon's edge is from the known lines on average, metres, under each reading."""

    suspected: str | None
    compared_km: float
    distance_m: dict[str, float]
    median_m: float = 0.0  # as it stands; a few points that leave the known line do not move it
    likely: str | None = None  # the shifted reading that fits best
    certainty: float = 0.0  # that it fits better than the plain one, 0 to 1

    def to_dict(self) -> ShiftAccount:
        """Return the verdict as plain data."""
        return {
            "told": self.compared_km >= _MIN_COMPARED_KM,
            "suspected": self.suspected,
            "certainty": round(self.certainty, 2),
            "compared_km": round(self.compared_km, 1),
            "median_distance_m": round(self.median_m) if self.distance_m else None,
            "mean_distance_m": {name: round(value) for name, value in self.distance_m.items()},
        }


def measure_shift(polygon: BaseGeometry, known: BaseGeometry) -> ShiftVerdict:
    """Compare the edge of a lon/lat `polygon` with `known` lines, as it stands and unshifted.

    The edge is moved step by step along each shift. A system is suspected where the edge fits best
    at about the full shift, and there clearly better than unmoved: the noise of two drawings of one
    coast makes every reading worse, but does not move the best one.
    """
    squash = float(np.cos(np.radians(polygon.centroid.y)))
    scale = np.array([squash, 1.0]) * _METRES_PER_DEG_LAT
    lines = shapely.transform(known, lambda lonlat: lonlat * scale)
    shapely.prepare(lines)
    edge = shapely.transform(polygon.boundary, lambda lonlat: lonlat * scale)
    spacing_m = max(_SPACING_M, edge.length / _MAX_SAMPLES)
    points = _sample_points(edge, spacing_m) / scale
    found: dict[str, NDArray[np.float64]] = {}
    for frame in crs.SHIFTED:
        back = np.column_stack(crs.transform(points[:, 0], points[:, 1], frame, crs.LONLAT))
        moved = [(points + step * (back - points)) * scale for step in _STEPS]
        found[frame] = np.array([shapely.distance(shapely.points(step), lines) for step in moved])
    near = np.vstack([steps[[0, _FULL_STEP]] for steps in found.values()]).min(axis=0) < _MAX_DISTANCE_M
    compared_km = float(near.sum()) * spacing_m / 1000
    if compared_km < _MIN_COMPARED_KM:
        return ShiftVerdict(None, compared_km, {})
    means = {
        frame: np.minimum(steps[:, near], _DISTANCE_CAP_M).mean(axis=1) for frame, steps in found.items()
    }
    plain = float(means[crs.SHIFTED[0]][0])
    median_m = float(np.median(found[crs.SHIFTED[0]][0, near]))
    distances = {crs.LONLAT: plain} | {frame: float(steps[_FULL_STEP]) for frame, steps in means.items()}
    fitting = [
        frame
        for frame, steps in means.items()
        if abs(int(np.argmin(steps)) - _FULL_STEP) <= 1
        and steps[_FULL_STEP] < min(_MIN_IMPROVEMENT * plain, _MAX_FIT_M)
    ]
    suspected = min(fitting, key=lambda frame: distances[frame], default=None)
    likely = suspected or min(crs.SHIFTED, key=lambda frame: distances[frame])
    capped = np.minimum(found[likely][:, near], _DISTANCE_CAP_M)
    certainty = _estimate_certainty(capped[0] - capped[_FULL_STEP], compared_km)
    return ShiftVerdict(suspected, compared_km, distances, median_m, likely, certainty)


def _estimate_certainty(gain_m: NDArray[np.float64], compared_km: float) -> float:
    """Return how likely the mean gain is no accident of drawing; errors along a line correlate over 2 km."""
    spread = float(gain_m.std()) or 1.0
    deviations = float(gain_m.mean()) / spread * sqrt(max(compared_km / _CORRELATION_KM, 1.0))
    return 0.5 * (1.0 + erf(deviations / sqrt(2.0)))


def _sample_points(boundary: BaseGeometry, spacing_m: float) -> NDArray[np.float64]:
    """Return evenly spaced points along all lines of a boundary in metres."""
    parts = []
    for line in shapely.get_parts(boundary):  # shapely would walk each from its start for each point
        corners = shapely.get_coordinates(line)
        along = np.append(0.0, np.hypot(*np.diff(corners, axis=0).T).cumsum())
        at = np.arange(0.0, max(along[-1], 1.0), spacing_m)
        parts.append(np.column_stack([np.interp(at, along, axis) for axis in corners.T]))
    return np.concatenate(parts)


_DEGREES: Final = (crs.LONLAT, "EPSG:4326", "EPSG:4490")  # systems that shifted positions pass for
_MOST_CERTAIN: Final = 99  # percent
_FAR_FACTOR: Final = 2.0  # times the usual distance of two drawings of one line
_SHIFT_CODES: Final = {"GCJ-02": "suspected-gcj02", "BD-09": "suspected-bd09"}


@dataclass(frozen=True)
class ReferenceLines:
    """Lines whose position is known, lon/lat, and how far apart two drawings of them usually are."""

    lines: BaseGeometry
    usual_m: float  # median


def select_reference_lines(
    shapes: Mapping[str, Shape], counties: set[str], quality: Quality
) -> ReferenceLines | None:
    """Return the coast and borders of the counties as digitised; None where all were imported."""
    rows = [shapes[one] for one in sorted(counties) if shapes[one].method == "digitised"]
    usual_m = max(quality["digitised"]["median_m"], quality["coast"]["median_m"])
    lines = shapely.union_all([shape.geometry.boundary for shape in rows])
    return ReferenceLines(lines, float(usual_m)) if rows else None


def check_shift(
    record: ImportedBoundary, verdict: ShiftVerdict, *, told: bool, judged: bool
) -> Iterator[Issue]:
    """Yield that a polygon seems shifted; no error where the user has `told` the coordinate system.

    Doubts are yielded of what is `judged` by coast and county lines: places that are made of towns.
    """
    if verdict.suspected:
        metres = {name: round(value) for name, value in verdict.distance_m.items()}
        values = {"frame": verdict.suspected, "shifted": metres[verdict.suspected], "crs": record.crs}
        values |= {"plain": metres[crs.LONLAT], "km": round(verdict.compared_km)}
        values["certainty"] = min(round(100 * verdict.certainty), _MOST_CERTAIN)
        level = "warning" if told else "error"
        yield build_issue(_SHIFT_CODES[verdict.suspected], record.file_name, record.of, **values, level=level)
    elif record.crs in _DEGREES and judged and not told:
        yield from _check_doubt(record, verdict)


def _check_doubt(record: ImportedBoundary, verdict: ShiftVerdict) -> Iterator[Issue]:
    """Yield that a polygon in degrees may be shifted, or that nothing can be told of it."""
    values: dict[str, object] = {"km": f"{verdict.compared_km:.1f}", "crs": record.crs}
    if not verdict.distance_m:
        yield build_issue("shift-untold", record.file_name, record.of, **values)
        return
    plain, shifted = (verdict.distance_m[frame] for frame in (crs.LONLAT, verdict.likely or crs.LONLAT))
    if verdict.certainty >= _DOUBTFUL and shifted < _DOUBTFUL * plain:
        values |= {"frame": str(verdict.likely), "plain": round(plain), "shifted": round(shifted)}
        values["certainty"] = min(round(100 * verdict.certainty), _MOST_CERTAIN)
        yield build_issue("shift-possible", record.file_name, record.of, **values)


def check_distance(
    record: ImportedBoundary, verdict: ShiftVerdict, shown: Shape, known: ReferenceLines
) -> Iterator[Issue]:
    """Yield that a polygon lies far from the known lines that the place, as `shown`, follows.

    Never an error: an official line may run elsewhere than ours.
    """
    far_m = _FAR_FACTOR * known.usual_m
    if verdict.suspected or verdict.median_m <= far_m:
        return
    if measure_shift(shown.geometry, known.lines).median_m > far_m:  # it only runs beside them
        return
    values = {"median": round(verdict.median_m), "usual": round(known.usual_m), "crs": record.crs}
    yield build_issue("far-from-known", record.file_name, record.of, **values, km=round(verdict.compared_km))
