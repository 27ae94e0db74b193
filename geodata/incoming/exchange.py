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
from geodata.incoming.titles import Titles
from geodata.land import SEA
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
        """Yield who gets what each imported polygon leaves at the coast, at county lines, and as islands.

        Land that leaves the city is an error unless it is a strip along the line, or `accepted`.
        """
        claims = [record for record in self.fresh if self.members.of(record.of)]
        if not claims:
            return
        own = frozenset().union(*(self.members.of(record.of) for record in claims))
        apart = {one: self._find_apart(one, known_m) for one in self.transfers if self._crosses(one, own)}
        islands = list(self._find_islands(own))
        causes = {one: self._find_cause(one, claims) for one in (*self.transfers, *islands)}
        level = "warning" if accepted else "error"
        for record in claims:
            rows = [one for one in self.transfers if causes[one] is record]
            gone = [one for one in rows if one.taker == SEA]
            if gone:
                yield self._say("coast-follows", record, gone, _sum(gone), width=round(known_m))
            crossing = {one: apart[one] for one in rows if one in apart}
            yield from self._check_lines(record, crossing, known_m)
            left_out = [one for one in islands if causes[one] is record]
            if left_out:
                yield self._say("islands-left-out", record, left_out, _sum(left_out), count=len(left_out))
            lost = {one: parts for one, parts in crossing.items() if parts}
            if lost:
                yield self._say("leaves-city", record, lost, sum(map(_measure, lost.values())), level=level)

    def _find_cause(self, one: Transfer, claims: Sequence[ImportedBoundary]) -> ImportedBoundary:
        """Return the record that a transfer comes from: whose land it was, else who cuts it off."""
        given = [record for record in claims if one.giver in self.members.of(record.of)]
        return given[0] if given else min(claims, key=lambda record: record.polygon().distance(one.land))

    def _check_lines(
        self, record: ImportedBoundary, apart: Mapping[Transfer, Sequence[BaseGeometry]], known_m: float
    ) -> Iterator[Finding]:
        """Yield who gets the strips along a county line; what is `apart` from it is no strip."""
        for taker in dict.fromkeys(one.taker for one in apart):
            given = [one for one in apart if one.taker == taker]
            area_km2 = sum(one.area_km2 - _measure(apart[one]) for one in given)
            if area_km2 >= LEAST_KM2:
                yield self._say("border-follows", record, given, area_km2, width=round(known_m))

    def _say(
        self,
        code: str,
        record: ImportedBoundary,
        rows: Collection[Transfer],
        area_km2: float,
        **values: object,
    ) -> Finding:
        """Return a finding about some transfers of a record, with who gives and who takes."""
        givers = self.titles.join(dict.fromkeys(one.giver for one in rows))
        takers = self.titles.join(dict.fromkeys(one.taker for one in rows))
        values |= {"area": f"{area_km2:.3f}", "givers": givers, "takers": takers}
        return find(code, record.file_name, record.of, **values)

    def _find_apart(self, one: Transfer, known_m: float) -> list[BaseGeometry]:
        """Return the parts of a transfer to beyond the city that are no strip along the line between the two.

        A strip may be of several givers: not each of their pieces touches the taker.
        """
        if one.taker not in self.titles.outside:
            return []
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

    def _find_islands(self, own: Collection[str]) -> Iterator[Transfer]:
        """Yield land left out that touches nothing of the taker's, as given by whom most of it was."""
        for taker in dict.fromkeys(one.taker for one in self.transfers):
            given = [one for one in self.transfers if one.taker == taker and one.giver in own]
            if taker not in {SEA, *own} and given:
                held = self.before[taker]
                for part in shapely.get_parts(self.after[taker]):
                    if not part.intersects(held):
                        shares = [shapely.intersection(one.land, part).area for one in given]
                        if sum(shares) > part.area / 2:
                            yield Transfer(given[shares.index(max(shares))].giver, taker, part)


def _sum(transfers: Sequence[Transfer]) -> float:
    return sum(one.area_km2 for one in transfers)


def _measure(parts: Sequence[BaseGeometry]) -> float:
    return sum(crs.measure_area_km2(part) for part in parts)
