"""Move land among neighbours so that one place gets exactly a given polygon.

Land is a coverage: pieces, one for each town or neighbouring county, that share their edges and
never overlap. A claim says that some pieces together are to be one polygon. All lines are noded
once on the grid, so every face between them has one owner before and one after:

- A face inside the polygon belongs to the claim's own pieces: it stays where it was, or goes to the
  own piece whose edge is nearest.
- A face outside it that was theirs goes to the nearest heir.
- Where the polygon and our outer border - the coast, or the line of the county - are no farther apart
  than ours is accurate, the polygon's edge is taken for that border: the strip between the two
  becomes sea, or land of who is beyond the line.
- A face that the claim does not concern stays as it is.
- At last, what would be a new detached sliver of somebody is settled: :mod:`geodata.incoming.slivers`.

Where an own piece would keep hardly any land, the polygon is divided anew among the own pieces by
nearest seat. All geometry is lon/lat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.incoming.planar import (
    GRID_DEG,
    METRES_PER_DEG,
    from_plane,
    polygonize,
    to_plane,
    to_polygons,
)
from geodata.incoming.seeds import Seeds
from geodata.incoming.slivers import Face, settle
from geodata.land import SEA

_INLAND: Final = "land"  # the label of an edge that is neither coast nor county line
_CRUMB_DEG2: Final = 1e-12  # 0.01 m²: left between rounded lines, of no place
_LEAST_SHARE: Final = 0.02  # of its old area, below which a piece counts as lost
_ABSORB: Final = 1.6  # how much farther a shrunk shape is grown again, so that its corners come back

Pieces = Mapping[str, BaseGeometry]


@dataclass(frozen=True)
class Claim:
    """One polygon that some pieces are to be together."""

    area: BaseGeometry  # polygonal
    own: frozenset[str]
    heirs: frozenset[str]  # who may get the land given up
    edge_m: float = 0.0  # how far our coast and county lines may be off; 0: they are settled
    beyond: frozenset[str] = frozenset()  # who has the land across the county line
    seats: Mapping[str, shapely.Point] = field(default_factory=dict)  # of the own pieces


@dataclass(frozen=True)
class Outcome:
    """The pieces after a claim, and the land that nobody could take."""

    pieces: dict[str, BaseGeometry]
    orphan: BaseGeometry


def reshape(pieces: Pieces, claim: Claim) -> Outcome:
    """Return all `pieces` with the claim's own being its area; the others keep what is left to them.

    A piece that loses everything is an empty polygon: it is for the caller to say so.
    """
    area = to_polygons(shapely.set_precision(claim.area, GRID_DEG))
    step = _Step(pieces, claim, area)
    made = step.build(step.seeds_of_own())
    if claim.seats and _lost(pieces, made, claim.own):
        made = step.build(_seat_seeds(claim, area), anew=True)
    orphan = made.pop(_ORPHAN)
    return Outcome(dict(pieces) | made, orphan)


_ORPHAN: Final = "?"


def _lost(before: Pieces, after: Pieces, own: Collection[str]) -> bool:
    return any(after[name].area < _LEAST_SHARE * before[name].area or not after[name].area for name in own)


def _seat_seeds(claim: Claim, area: BaseGeometry) -> Seeds:
    """Return the own seats, moved into the area where they lie outside."""
    inside = {}
    for name, seat in claim.seats.items():
        nearest = shapely.get_coordinates(shapely.shortest_line(seat, area))[-1]
        inside[name] = seat if area.covers(seat) else shapely.Point(nearest)
    return Seeds(inside)


class _Step:
    """One claim on the pieces near it."""

    def __init__(self, pieces: Pieces, claim: Claim, area: BaseGeometry) -> None:
        self.claim, self.area = claim, area
        self.old = shapely.union_all([pieces[name] for name in sorted(claim.own)])
        self.left = to_polygons(shapely.difference(self.old, area, grid_size=GRID_DEG))
        concern = _find_near(pieces, shapely.union(area, self.old))
        loose = shapely.union_all([self.left, *self._cut_off(concern)])
        self.near = concern | _find_near(pieces, loose)  # a cut-off part ends at others
        self.names = list(self.near)
        self.tree = shapely.STRtree(list(self.near.values()))
        self.land = shapely.union_all(list(self.near.values()))
        self.outer = {SEA: shapely.intersection(self.old.boundary, self.land.boundary)}
        for name in sorted(claim.beyond & self.near.keys()):
            self.outer[name] = shapely.intersection(self.old.boundary, self.near[name].boundary)
        self.strips = self._find_strips(loose)
        shapely.prepare([area, self.strips])

    def seeds_of_own(self) -> Seeds:
        return Seeds({name: piece.boundary for name, piece in self.near.items() if name in self.claim.own})

    def build(self, own: Seeds, *, anew: bool = False) -> dict[str, BaseGeometry]:
        """Return the new pieces; `anew` divides the whole area by the seeds, not only what is gained."""
        heirs = Seeds({name: self.near[name].boundary for name in self.near if name in self.claim.heirs})
        inland = shapely.difference(self.old.boundary, shapely.union_all(list(self.outer.values())))
        outer = Seeds({**self.outer, _INLAND: inland})
        gained = self.area if anew else shapely.difference(self.area, self.old, grid_size=GRID_DEG)
        lines = [piece.boundary for piece in self.near.values()]
        lines += [self.area.boundary, self.strips.boundary]
        lines += [*own.cuts(gained), *heirs.cuts(self.left), *outer.cuts(self.strips)]
        faces = [self._to_face(polygon, (own, heirs, outer), anew=anew) for polygon in polygonize(lines)]
        if self.claim.edge_m:
            settle(faces, (self.claim.own, self.claim.heirs | self.claim.beyond), self.claim.edge_m)
        owned: dict[str, list[BaseGeometry]] = {name: [] for name in (*self.near, _ORPHAN)}
        for face in faces:
            if face.owner != SEA:
                owned[face.owner].append(face.polygon)
        return {name: _merge(polygons) for name, polygons in owned.items()}

    def _to_face(self, polygon: shapely.Polygon, seeds: tuple[Seeds, Seeds, Seeds], *, anew: bool) -> Face:
        point = polygon.representative_point()
        before = self._before(point)
        inside = bool(self.area.contains(point))
        own, heirs, outer = seeds
        if inside:
            keeps = before in self.claim.own and not anew
            owner = before if keeps else own.nearest(point) or next(iter(self.claim.own))
        elif before == SEA:
            owner = self.names[int(self.tree.nearest(point))] if polygon.area < _CRUMB_DEG2 else SEA
        else:
            owner = self._owner_outside(polygon, before, heirs, outer)
        return Face(polygon, before, owner, inside=inside)

    def _owner_outside(self, polygon: shapely.Polygon, before: str, heirs: Seeds, outer: Seeds) -> str:
        """Return who gets a face of land outside the area."""
        point = polygon.representative_point()
        mine = before in self.claim.own
        if not mine and before not in self.claim.heirs | self.claim.beyond:
            return before
        if self.strips.contains(point) and polygon.distance(self.area) < GRID_DEG:
            if mine and (taker := outer.nearest(point)) not in {_INLAND, None}:
                return str(taker)
            if not mine and polygon.distance(self.land.boundary) < GRID_DEG:
                return SEA
        return (heirs.nearest(point) or _ORPHAN) if mine else before

    def _before(self, point: BaseGeometry) -> str:
        found = self.tree.query(point, predicate="within")
        return self.names[int(found[0])] if len(found) else SEA

    def _find_strips(self, loose: BaseGeometry) -> BaseGeometry:
        """Return where land given up or cut off is narrower than the outer border is accurate."""
        radius_deg = self.claim.edge_m / 2 / METRES_PER_DEG
        if not radius_deg:
            return shapely.MultiPolygon()
        plane = to_plane(loose)
        body = shapely.buffer(shapely.buffer(plane, -radius_deg), radius_deg * _ABSORB)
        strips = from_plane(to_polygons(shapely.difference(plane, body)))
        return to_polygons(shapely.make_valid(shapely.set_precision(strips, GRID_DEG)))

    def _cut_off(self, near: Pieces) -> Iterable[BaseGeometry]:
        """Yield the parts of other pieces that the area cuts off from their main part."""
        for name, piece in near.items():
            if name not in self.claim.own:
                rests = [(part, self._rest(part)) for part in shapely.get_parts(piece)]
                main = max((part.area for _, rest in rests for part in rest), default=0.0)
                cut = (one for part, rest in rests for one in rest if one.area < part.area - _CRUMB_DEG2)
                yield from (one for one in cut if one.area < main and one.distance(self.area) < GRID_DEG)

    def _rest(self, part: BaseGeometry) -> list[BaseGeometry]:
        if not part.intersects(self.area):
            return [part]
        return list(shapely.get_parts(to_polygons(shapely.difference(part, self.area, grid_size=GRID_DEG))))


def _find_near(pieces: Pieces, shape: BaseGeometry) -> dict[str, BaseGeometry]:
    return {name: piece for name, piece in pieces.items() if piece.intersects(shape)}


def _merge(faces: list[BaseGeometry]) -> BaseGeometry:
    return to_polygons(shapely.coverage_union_all(faces)) if faces else shapely.Polygon()
