"""Which land passes from whom to whom when boundaries are imported, and what of it people must know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.adjust import Members
from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.planar import is_narrow, to_polygons
from geodata.incoming.slivers import SEA
from geodata.incoming.titles import Titles
from geodata.moves import is_moved

LEAST_KM2 = 1e-4  # 100 m²: less is rounding
Pieces = Mapping[str, BaseGeometry]


@dataclass(frozen=True)
class Transfer:
    """Land that one town or neighbouring county gives and another takes; SEA for what is no land."""

    giver: str
    taker: str
    land: BaseGeometry

    @cached_property
    def area_km2(self) -> float:
        """Geodesic area."""
        return crs.measure_area_km2(self.land)


def list_transfers(before: Pieces, after: Pieces) -> list[Transfer]:
    """Return every transfer of 100 m² or more, in the order of `before`, the sea last."""
    changed = [name for name, piece in before.items() if is_moved(piece, after[name])]
    given = {name: to_polygons(shapely.difference(before[name], after[name])) for name in changed}
    taken = {name: to_polygons(shapely.difference(after[name], before[name])) for name in changed}
    all_given, all_taken = shapely.union_all(list(given.values())), shapely.union_all(list(taken.values()))
    found = [
        Transfer(giver, taker, to_polygons(shapely.intersection(lost, won)))
        for giver, lost in given.items()
        for taker, won in taken.items()
        if lost.intersects(won)
    ]
    found += [
        Transfer(one, SEA, to_polygons(shapely.difference(lost, all_taken))) for one, lost in given.items()
    ]
    found += [
        Transfer(SEA, one, to_polygons(shapely.difference(won, all_given))) for one, won in taken.items()
    ]
    return [one for one in found if one.area_km2 >= LEAST_KM2]


@dataclass(frozen=True)
class Change:
    """The base geometry before and after some imports."""

    before: Pieces
    after: Pieces
    fresh: Sequence[ImportedBoundary]
    members: Members
    titles: Titles

    @cached_property
    def transfers(self) -> list[Transfer]:
        """All land that passes."""
        return list_transfers(self.before, self.after)

    def check(self, known_m: float, *, accepted: bool = False) -> Iterator[Finding]:
        """Yield who gets what the imported polygons leave at the coast, at county lines, and as islands.

        Land that leaves the city is an error unless it is a strip along the line, or `accepted`.
        """
        own = frozenset().union(*(self.members.of(record.of) for record in self.fresh))
        if not own:
            return
        width = round(known_m)
        gone = [one for one in self.transfers if one.taker == SEA]
        if gone:
            yield self._say("coast-follows", gone, area=_sum(gone), width=width)
        across = [one for one in self.transfers if self._crosses(one, own)]
        apart = {one: self._find_apart(one, known_m) for one in across if one.taker in self.titles.outside}
        for taker in dict.fromkeys(one.taker for one in across):
            rows = [one for one in across if one.taker == taker]
            area_km2 = sum(one.area_km2 - _measure(apart.get(one, [])) for one in rows)
            if area_km2 >= LEAST_KM2:
                yield self._say("border-follows", rows, area=f"{area_km2:.3f}", width=width)
        yield from self._check_islands(own)
        lost = {one: parts for one, parts in apart.items() if parts}
        if lost:
            area, level = f"{sum(map(_measure, lost.values())):.3f}", "warning" if accepted else "error"
            yield self._say("leaves-city", list(lost), area=area, level=level)

    def _say(self, code: str, rows: Sequence[Transfer], **values: object) -> Finding:
        """Return a finding about some transfers, with who gives and who takes."""
        givers = self.titles.join(dict.fromkeys(one.giver for one in rows))
        takers = self.titles.join(dict.fromkeys(one.taker for one in rows))
        record = self.fresh[0]
        return find(code, record.file_name, record.of, givers=givers, takers=takers, **values)

    def _find_apart(self, one: Transfer, known_m: float) -> list[BaseGeometry]:
        """Return the parts of a transfer that are no strip along the line between the two.

        A strip may be of several givers: not each of their pieces touches the taker.
        """
        parts = [part for part in shapely.get_parts(one.land) if crs.measure_area_km2(part) >= LEAST_KM2]
        won = shapely.union_all([other.land for other in self.transfers if other.taker == one.taker])
        strips = [strip for strip in shapely.get_parts(won) if strip.intersects(self.before[one.taker])]
        return [
            part
            for part in parts
            if not (is_narrow(part, known_m) and any(map(part.representative_point().within, strips)))
        ]

    def _crosses(self, one: Transfer, own: Collection[str]) -> bool:
        """Tell whether land leaves the city, or a county that is not imported itself."""
        if SEA in {one.giver, one.taker} or one.taker in own:
            return False
        if one.taker in self.titles.outside:
            return one.giver not in self.titles.outside
        county = self.members.county(one.giver)
        return county != self.members.county(one.taker) and county not in {row.of for row in self.fresh}

    def _check_islands(self, own: Collection[str]) -> Iterator[Finding]:
        """Yield who gets land that the polygons leave out and that touches nothing of the taker's."""
        alone: dict[str, list[BaseGeometry]] = {}
        for taker in dict.fromkeys(one.taker for one in self.transfers):
            given = [one.land for one in self.transfers if one.taker == taker and one.giver in own]
            if taker not in {SEA, *own} and given:
                won, held = shapely.union_all(given), self.before[taker]
                parts = [part for part in shapely.get_parts(self.after[taker]) if not part.intersects(held)]
                found = [part for part in parts if part.intersection(won).area > part.area / 2]
                alone |= {taker: found} if found else {}
        parts = [part for found in alone.values() for part in found]
        if parts:
            area = f"{sum(crs.measure_area_km2(part) for part in parts):.3f}"
            values = {"takers": self.titles.join(alone), "count": len(parts), "area": area}
            yield find("islands-left-out", self.fresh[0].file_name, self.fresh[0].of, **values)


def _sum(transfers: Sequence[Transfer]) -> str:
    return f"{sum(one.area_km2 for one in transfers):.3f}"


def _measure(parts: Sequence[BaseGeometry]) -> float:
    return sum(crs.measure_area_km2(part) for part in parts)
