"""Check polygons that are to be imported by themselves: their rings, their parts, their area."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.finding import Finding, find
from geodata.incoming.flaw import to_reasons
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.intake import Incoming
from geodata.incoming.planar import is_narrow, say_point, to_polygons
from geodata.shapes import Shape

MAX_PLACE_VERTICES: Final = 200_000
NOTABLE_PERCENT: Final = 10.0  # off the published area
# Less or more than that of the published area is another place: a zone's figure may be of its core alone,
# but a county's is measured, and ours is never 7 % off.
_MOST_PERCENT: Final = (-50.0, 100.0)
_COUNTY_PERCENT: Final = (-20.0, 20.0)
_FRAGMENT_M: Final = 20.0  # what is wider may be an island
_SMALL_DEG2: Final = 1e-4  # about 1 km²: a larger part is not looked at


def repair(row: Incoming, place: str, *, fix: bool) -> tuple[BaseGeometry, Finding | None]:
    """Return the polygon, repaired if it has to be and may be, and what to say about it.

    The area before is that of the rings as they are drawn, as a GIS measures it: what lies under two
    parts counts twice, and the halves of a bow-tie cancel each other.
    """
    geometry, path = row.geometry or shapely.Polygon(), row.path
    if geometry.is_valid and row.flaw is None:
        return geometry, None
    reason = to_reasons(row.flaw or shapely.is_valid_reason(geometry))
    if not fix:
        return geometry, find("invalid-ring", path, place, reason=reason)
    mended = _mend(geometry)
    if mended.is_empty:
        return geometry, find("invalid-ring", path, place, reason=reason)
    before, after = crs.measure_area_km2(geometry), crs.measure_area_km2(mended)
    return mended, find(
        "repaired-ring", path, place, reason=reason, before=f"{before:.4f}", after=f"{after:.4f}"
    )


def _mend(geometry: BaseGeometry) -> BaseGeometry:
    """Return a valid polygon: of crossing rings what they enclose; a hole beside its ring cuts nothing."""
    mended = []
    for part in shapely.get_parts(geometry):
        shell = shapely.make_valid(shapely.Polygon(part.exterior), method="structure", keep_collapsed=False)
        holes = [ring for ring in part.interiors if shapely.Polygon(ring).buffer(0).intersects(shell)]
        whole = shapely.Polygon(part.exterior, holes)
        mended.append(shapely.make_valid(whole, method="structure", keep_collapsed=False))
    return to_polygons(shapely.union_all(mended))


def check_repeated(rows: Iterable[Incoming], place: str) -> Iterator[Finding]:
    """Yield the first of the features that hold a geometry another one of them holds too."""
    alike: dict[bytes, list[str]] = {}
    for row in rows:
        geometry = shapely.normalize(row.geometry or shapely.Polygon())
        alike.setdefault(geometry.wkb, []).append(row.path)
    for paths in alike.values():
        if len(paths) > 1:
            yield find("repeated-feature", paths[1], place, count=len(paths), first=paths[0])


def check_area(record: ImportedBoundary, shape: Shape) -> Iterator[Finding]:
    """Yield that a polygon's area is far from the published one of its place."""
    official_km2 = shape.official_area_km2
    if official_km2 is None:
        return
    area_km2 = crs.measure_area_km2(record.polygon())
    percent = 100 * (area_km2 / official_km2 - 1)
    values = {"area": f"{area_km2:.2f}", "official": f"{official_km2:g}", "percent": f"{percent:+.1f}"}
    least, most = _COUNTY_PERCENT if record.layer == "counties" else _MOST_PERCENT
    if not least <= percent <= most:
        yield find("area-far", record.file_name, record.of, **values)
    elif abs(percent) > NOTABLE_PERCENT:
        yield find("area-differs", record.file_name, record.of, **values)


def check_fragments(record: ImportedBoundary) -> Iterator[Finding]:
    """Yield that a polygon has parts or holes that are narrower than it is accurate, and not 20 m wide."""
    width_m = min(2 * record.accuracy_m, _FRAGMENT_M)
    parts = shapely.get_parts(record.polygon())
    small = [part for part in parts if len(parts) > 1 and _is_fragment(part, width_m)]
    holes = [shapely.Polygon(ring) for part in parts for ring in part.interiors]
    gaps = [hole for hole in holes if _is_fragment(hole, width_m)]
    if small or gaps:
        area = sum(crs.measure_area_km2(part) for part in (*small, *gaps)) * 1e6
        at = (small or gaps)[0].representative_point()
        values = {"parts": len(small), "gaps": len(gaps), "width": f"{width_m:g}", "area": f"{area:,.0f}"}
        yield find("fragments", record.file_name, record.of, **values, at=say_point(at))


def _is_fragment(part: BaseGeometry, width_m: float) -> bool:
    return part.area < _SMALL_DEG2 and is_narrow(part, width_m)
