"""Find what the holes of a polygon leave to others: an exclave of theirs, or an error of drawing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.adjust import Adjusted, Members
from geodata.incoming.exchange import LEAST_KM2
from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.planar import is_narrow, say_point, to_polygons
from geodata.incoming.titles import Titles


def check_enclaves(
    before: Mapping[str, BaseGeometry],
    adjusted: Adjusted,
    fresh: Collection[ImportedBoundary],
    members: Members,
    titles: Titles,
) -> Iterator[Finding]:
    """Yield the holes wider than twice the accuracy in which others keep land of `before`; lon/lat.

    Land that the place itself loses in a hole is told with the islands left out; what an imported
    boundary holds is no matter of how this one is drawn.
    """
    for record in fresh:
        own = members.of(record.of)
        settled = {place for place in adjusted.imports if place != record.of and not members.of(place) >= own}
        held = own.union(*(members.of(place) for place in settled))
        holes = [hole for hole in _list_holes(record.polygon()) if not is_narrow(hole, 2 * record.accuracy_m)]
        kept = {name: _sum_kept(holes, before[name], adjusted.pieces[name]) for name in before.keys() - held}
        kept = {name: area_km2 for name, area_km2 in kept.items() if area_km2 >= LEAST_KM2}
        if own and kept:
            holders = titles.join(sorted(kept, key=lambda name: (-kept[name], name)))
            lands = shapely.union_all([before[name] for name in kept])
            there = [hole for hole in holes if hole.intersects(lands)]
            values = {"count": len(there), "area": f"{sum(kept.values()):.3f}", "holders": holders}
            values |= {"place": titles.of(record.of), "at": say_point(there[0].representative_point())}
            yield find("enclave", record.file_name, record.of, **values)


def _list_holes(polygon: BaseGeometry) -> list[BaseGeometry]:
    """Return the holes of a polygon, without what it has within them."""
    rings = [shapely.Polygon(ring) for part in shapely.get_parts(polygon) for ring in part.interiors]
    return [shapely.difference(hole, polygon) for hole in rings]


def _sum_kept(holes: Collection[BaseGeometry], old: BaseGeometry, new: BaseGeometry) -> float:
    near = [hole for hole in holes if hole.intersects(old)]
    shared = shapely.intersection(old, new) if near else old
    return sum(crs.measure_area_km2(to_polygons(shapely.intersection(hole, shared))) for hole in near)
