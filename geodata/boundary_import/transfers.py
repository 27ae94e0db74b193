"""Which land passes from which town to which when boundaries are imported, and what of it is reported."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.issues import Issue, PlaceNames, build_issue
from geodata.imported import ImportedBoundary, Members
from geodata.kinds import SEA
from geodata.planar import (
    GRID_DEG,
    METRES_PER_DEG,
    MIN_AREA_KM2,
    Pieces,
    find_spot,
    format_km2,
    from_plane,
    is_moved,
    is_narrow,
    to_plane,
    to_polygons,
    unite,
)

_AREAL: Final = 2  # dimensions of a polygon
_NOTHING_DEG2: Final = 1e-16  # 1 mm²: between areas of one part, and of what it was divided into


@dataclass(frozen=True)
class Transfer:
    """Land that passes from one town or neighbouring county to another; SEA for what is no land."""

    giver: str
    taker: str
    land: BaseGeometry

    @cached_property
    def area_km2(self) -> float:
        """Geodesic area."""
        return crs.measure_area_km2(self.land)


def list_transfers(before: Pieces, after: Pieces) -> list[Transfer]:
    """Return every transfer of 100 m² or more, in the order of `before`, the sea last.

    Part is held against part: two drawings of one line cross thousands of times, and as many parts are
    slow to overlay as a whole.
    """
    changed = [name for name, piece in before.items() if is_moved(piece, after[name])]
    lost, giver = _split([shapely.difference(before[name], after[name]) for name in changed])
    won, taker = _split([shapely.difference(after[name], before[name]) for name in changed])
    pairs = shapely.STRtree(won).query(lost, predicate="intersects")
    land = shapely.intersection(lost[pairs[0]], won[pairs[1]])
    shared = shapely.area(land) > 0  # others touch
    pairs, land = pairs[:, shared], land[shared]
    ends = changed, giver[pairs[0]], changed, taker[pairs[1]]
    sea = [SEA], np.zeros(max(len(lost), len(won)), dtype=int)
    found = [
        *_collect(land, *ends),
        *_collect(_leave(lost, won, pairs, land), changed, giver, *sea),
        *_collect(_leave(won, lost, pairs[::-1], land), *sea, changed, taker),
    ]
    return [one for one in found if one.area_km2 >= MIN_AREA_KM2]


def _split(
    shapes: Sequence[BaseGeometry] | NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.int_]]:
    """Return the polygons that shapes are of, and the number of the shape of each."""
    parts, number = shapely.get_parts(shapes, return_index=True)
    polygonal = shapely.get_dimensions(parts) == _AREAL
    return parts[polygonal], number[polygonal]


def _leave(
    parts: NDArray[np.object_],
    others: NDArray[np.object_],
    pairs: NDArray[np.int_],
    land: NDArray[np.object_],
) -> NDArray[np.object_]:
    """Return what of `parts` is in none of `others`: `pairs` has the numbers of those that meet in `land`."""
    taken = np.bincount(pairs[0], shapely.area(land), minlength=len(parts))
    left = parts.copy()
    left[shapely.area(parts) - taken <= _NOTHING_DEG2] = shapely.Polygon()
    order = np.argsort(pairs[0], kind="stable")
    met, starts = np.unique(pairs[0][order], return_index=True)
    for one, near in zip(met, np.split(pairs[1][order], starts[1:]), strict=False):
        if not left[one].is_empty:
            left[one] = shapely.difference(parts[one], unite(others[near]))
    return left


def _collect(
    land: NDArray[np.object_],
    givers: Sequence[str],
    giver: NDArray[np.int_],
    takers: Sequence[str],
    taker: NDArray[np.int_],
) -> Iterator[Transfer]:
    """Yield the transfers that pieces of `land` make up; they overlap nowhere."""
    parts, number = _split(list(land))
    giver, taker = giver[number], taker[number]
    for one, other in sorted(set(zip(giver.tolist(), taker.tolist(), strict=True))):
        mine = parts[(giver == one) & (taker == other)]
        yield Transfer(givers[one], takers[other], shapely.MultiPolygon(list(mine)))


@dataclass(frozen=True)
class Change:
    """The base geometry before and after some imports."""

    before: Pieces
    after: Pieces
    new: Sequence[ImportedBoundary]
    members: Members
    place_names: PlaceNames

    @cached_property
    def transfers(self) -> list[Transfer]:
        """All land that passes."""
        return list_transfers(self.before, self.after)

    def check(self, known_m: float, *, accepted: bool = False) -> Iterator[Issue]:
        """Yield what becomes of the land left out at the coast, at county lines, and as islands.

        Land that leaves the city is an error unless it is a strip along the line, or `accepted`.
        """
        records = [record for record in self.new if self.members.of(record.of)]
        if not records:
            return
        own = frozenset().union(*(self.members.of(record.of) for record in records))
        apart = {
            one: self._find_detached(one, known_m) for one in self.transfers if self._crosses_border(one, own)
        }
        islands = list(self._find_islands(own))
        causes = {one: self._find_cause(one, records) for one in (*self.transfers, *islands)}
        level = "warning" if accepted else "error"
        for record in records:
            rows = [one for one in self.transfers if causes[one] is record]
            gone = [one for one in rows if one.taker == SEA]
            if gone:
                yield self._describe("coast-follows", record, gone, _sum_area_km2(gone), width=round(known_m))
            crossing = {one: apart[one] for one in rows if one in apart}
            yield from self._check_border_strips(record, crossing, known_m)
            left_out = [one for one in islands if causes[one] is record]
            if left_out:
                yield self._describe(
                    "islands-left-out", record, left_out, _sum_area_km2(left_out), count=len(left_out)
                )
            lost = {one: parts for one, parts in crossing.items() if parts}
            if lost:
                yield self._describe(
                    "leaves-city", record, lost, sum(map(_measure_parts_km2, lost.values())), level=level
                )

    def _find_cause(self, one: Transfer, records: Sequence[ImportedBoundary]) -> ImportedBoundary:
        """Return the record that causes a transfer: the one whose land it was, else the nearest."""
        given = [record for record in records if one.giver in self.members.of(record.of)]
        if given or len(records) == 1:
            return (given or records)[0]
        return min(records, key=lambda record: record.polygon.distance(one.land))

    def _check_border_strips(
        self, record: ImportedBoundary, apart: Mapping[Transfer, Sequence[BaseGeometry]], known_m: float
    ) -> Iterator[Issue]:
        """Yield who gets the strips along a county line, in the city and beyond; what is `apart` is none."""
        for leaves in (False, True):
            found = {
                one: one.area_km2 - _measure_parts_km2(parts)
                for one, parts in apart.items()
                if (one.taker in self.place_names.outside) is leaves
            }
            strips = {one: area_km2 for one, area_km2 in found.items() if area_km2 >= MIN_AREA_KM2}
            if strips:
                yield self._describe(
                    "border-follows", record, strips, sum(strips.values()), width=round(known_m)
                )

    def _describe(
        self,
        code: str,
        record: ImportedBoundary,
        rows: Collection[Transfer],
        area_km2: float,
        **values: object,
    ) -> Issue:
        """Return an issue about some transfers of a record, with who gives and who takes."""
        givers = self.place_names.join(dict.fromkeys(one.giver for one in rows))
        takers = self.place_names.join(dict.fromkeys(one.taker for one in rows))
        values |= {"area": format_km2(area_km2), "givers": givers, "takers": takers}
        spot = find_spot(shapely.union_all([one.land for one in rows]))
        return build_issue(code, record.file_name, record.of, spot=spot, **values)

    def _find_detached(self, one: Transfer, known_m: float) -> list[BaseGeometry]:
        """Return the parts of a transfer to beyond the city that are no strip along the line between the two.

        A strip may be of several givers, so a piece of it need not touch the taker, but is near it.
        """
        if one.taker not in self.place_names.outside:
            return []
        parts = [part for part in shapely.get_parts(one.land) if crs.measure_area_km2(part) >= MIN_AREA_KM2]
        near = shapely.buffer(to_plane(self.before[one.taker]), known_m / METRES_PER_DEG)
        return [part for part in parts if not (is_narrow(part, known_m) and _lies_in(part, near))]

    def _crosses_border(self, one: Transfer, own: Collection[str]) -> bool:
        """Tell whether land leaves the city, or a county that is not imported itself."""
        if SEA in {one.giver, one.taker} or one.taker in own:
            return False
        if one.taker in self.place_names.outside:
            return one.giver not in self.place_names.outside
        county = self.members.county(one.giver)
        return county != self.members.county(one.taker) and county not in {row.of for row in self.new}

    def _find_islands(self, own: Collection[str]) -> Iterator[Transfer]:
        """Yield land left out that touches nothing of the taker's, as given by whom most of it was."""
        for taker in dict.fromkeys(one.taker for one in self.transfers):
            given = [one for one in self.transfers if one.taker == taker and one.giver in own]
            if taker not in {SEA, *own} and given:
                land = self.before[taker]
                for part in shapely.get_parts(self.after[taker]):
                    if part.distance(land) >= GRID_DEG:
                        shares = [shapely.intersection(one.land, part).area for one in given]
                        if sum(shares) > part.area / 2:
                            yield Transfer(given[shares.index(max(shares))].giver, taker, part)


def _lies_in(part: BaseGeometry, room: BaseGeometry) -> bool:
    """Tell whether a lon/lat part lies in `room`, which is in the plane, but for less than 100 m²."""
    rest = to_polygons(shapely.difference(to_plane(part), room))
    return rest.is_empty or crs.measure_area_km2(from_plane(rest)) < MIN_AREA_KM2


def _sum_area_km2(transfers: Sequence[Transfer]) -> float:
    return sum(one.area_km2 for one in transfers)


def _measure_parts_km2(parts: Sequence[BaseGeometry]) -> float:
    return sum(crs.measure_area_km2(part) for part in parts)
