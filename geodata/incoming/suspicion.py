"""What is said of a polygon whose edge does not lie where known lines are: shifted, or merely far.

Lines that are known were compared with other drawings of the same lines when they were rebuilt (``quality``
in ``datapackage.json``); so there is a usual distance between two drawings of one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.datum import Verdict, measure_shift
from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import ImportedBoundary
from geodata.shapes import Shape

_FAR: Final = 2.0  # times the usual distance of two drawings of one line
_CODES: Final = {"GCJ-02": "suspected-gcj02", "BD-09": "suspected-bd09"}


@dataclass(frozen=True)
class Known:
    """The lines whose place is known, lon/lat, and how far apart two drawings of them usually are."""

    lines: BaseGeometry
    usual_m: float  # median


def select_known(shapes: Mapping[str, Shape], counties: set[str], quality: Mapping[str, Any]) -> Known | None:
    """Return the coast and borders of the counties as digitised; None where all were imported."""
    rows = [shapes[one] for one in sorted(counties) if shapes[one].method == "digitised"]
    usual_m = max(quality["digitised"]["median_m"], quality["coast"]["median_m"])
    lines = shapely.union_all([shape.geometry.boundary for shape in rows])
    return Known(lines, float(usual_m)) if rows else None


def check_verdict(record: ImportedBoundary, verdict: Verdict, *, told: bool) -> Iterator[Finding]:
    """Yield that a polygon seems shifted; no error where the user has `told` the coordinate system."""
    if verdict.suspected:
        metres = {name: round(value) for name, value in verdict.distance_m.items()}
        values = {"frame": verdict.suspected, "shifted": metres[verdict.suspected], "crs": record.crs}
        values |= {"plain": metres[crs.LONLAT], "km": round(verdict.compared_km)}
        level = "warning" if told else "error"
        yield find(_CODES[verdict.suspected], record.file_name, record.of, **values, level=level)


def check_distance(
    record: ImportedBoundary, verdict: Verdict, shown: Shape, known: Known
) -> Iterator[Finding]:
    """Yield that a polygon lies far from the known lines that the place, as `shown`, follows.

    Never an error: an official line may run elsewhere than ours.
    """
    far_m = _FAR * known.usual_m
    if verdict.suspected or verdict.median_m <= far_m:
        return
    if measure_shift(shown.geometry, known.lines).median_m > far_m:  # it only runs beside them
        return
    values = {"median": round(verdict.median_m), "usual": round(known.usual_m), "crs": record.crs}
    yield find("far-from-known", record.file_name, record.of, **values, km=round(verdict.compared_km))
