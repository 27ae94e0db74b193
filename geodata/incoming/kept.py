"""Check that the polygons in force stay as they are, whatever is imported beside, around or within them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.exchange import LEAST_KM2
from geodata.incoming.finding import Finding, find
from geodata.incoming.holders import check_parents
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.planar import is_narrow, measure_width_m, to_polygons
from geodata.incoming.standing import Standing
from geodata.incoming.titles import word

GIVES_WAY: Final = frozenset({"outside-parent-sliver", "overlap-sliver", "child-sliver"})  # what is brought


def check_children(standing: Standing, fresh: Collection[ImportedBoundary]) -> Iterator[Finding]:
    """Yield the polygons in force that the `fresh` ones around them do not hold, and would cut."""
    imported = {record.of for record in fresh}
    for record in fresh:
        for place, other in standing.records.items():
            if place not in imported and standing.holder(place) == record.of:
                yield from _check_child(record, other, standing)


def check_kept(before: Standing, after: Standing, fresh: Collection[ImportedBoundary]) -> Iterator[Finding]:
    """Yield the polygons in force, other than `fresh`, that would not pass their own checks any more.

    A place may lie on top of land that its parent loses to somebody else.
    """
    imported = {record.of for record in fresh}
    path = next(record.file_name for record in fresh)
    kept = [record for place, record in before.records.items() if place not in imported]
    for record in kept:
        old, new = before.shapes[record.of].geometry, after.shapes[record.of].geometry
        if not shapely.equals_identical(old, new):
            lost = to_polygons(shapely.symmetric_difference(old, new))
            yield _say_cut(path, record, lost, 0.0, before)
        failed = any(one.level == "error" for one in check_parents(record, path, before))
        found = [] if failed else check_parents(record, path, after)
        yield from (one for one in found if one.level == "error")


def _check_child(record: ImportedBoundary, other: ImportedBoundary, standing: Standing) -> Iterator[Finding]:
    """Check that a polygon holds another in force, which it would cut otherwise."""
    outside = to_polygons(shapely.difference(standing.shapes[other.of].geometry, record.polygon()))
    area_km2 = crs.measure_area_km2(outside)
    if area_km2 < LEAST_KM2:
        return
    allowed_m = record.accuracy_m + other.accuracy_m
    if is_narrow(outside, allowed_m):
        values = {"other": standing.titles.of(other.of), "area": f"{area_km2:.3f}"}
        yield find("child-sliver", record.file_name, record.of, **values)
    else:
        yield _say_cut(record.file_name, other, outside, allowed_m, standing)


def _say_cut(
    path: str, other: ImportedBoundary, lost: BaseGeometry, allowed_m: float, standing: Standing
) -> Finding:
    values: dict[str, object] = {
        "other": standing.titles.of(other.of),
        "method": word("method", other.method),
    }
    area, width = f"{crs.measure_area_km2(lost):.3f}", round(measure_width_m(lost))
    values |= {"accuracy": f"{other.accuracy_m:g}", "area": area, "width": width, "allowed": f"{allowed_m:g}"}
    return find("official-cut", path, other.of, **values)
