"""Move land among neighbours so that one place gets exactly a given polygon.

Land is a coverage: pieces, one for each town or neighbouring county, that share their edges and
never overlap. A claim says that some pieces together are to be one polygon. All lines are noded
once on the grid, so every face between them has one owner before and one after:

- A face inside the polygon belongs to the claim's own pieces: it stays where it was, or goes to the
  own piece whose edge is nearest.
- A face outside it that was theirs goes to the nearest heir.
- Where the two coasts differ, the claim's is taken: a strip between the polygon and the sea that is
  narrower than our coast is accurate becomes sea.
- A face that the claim does not concern stays as it is.

Where an own piece would keep hardly any land, the polygon is divided anew among the own pieces by
nearest seat. All geometry is lon/lat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

GRID_DEG: Final = 1e-7
SEA: Final = ""  # the owner of a face that is no land
_METRES_PER_DEG: Final = 111_200.0
_SPACING_DEG: Final = 1e-3  # between the samples of an edge
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
    coast_m: float  # how far our coast may be off
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
    concern = shapely.union_all([area, *(pieces[name] for name in claim.own)])
    near = [name for name, piece in pieces.items() if piece.intersects(concern)]
    step = _Step({name: pieces[name] for name in near}, claim, area)
    made = step.build(step.seeds_of_own())
    if claim.seats and _lost(pieces, made, claim.own):
        made = step.build(_seat_seeds(claim, area), anew=True)
    orphan = made.pop(_ORPHAN)
    return Outcome(dict(pieces) | made, orphan)


def to_polygons(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygonal part of `shape`."""
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def is_narrow(shape: BaseGeometry, width_m: float) -> bool:
    """Tell whether no circle of diameter `width_m` fits into `shape`."""
    return bool(shapely.buffer(_to_plane(shape), -width_m / 2 / _METRES_PER_DEG).is_empty)


_ORPHAN: Final = "?"


def _lost(before: Pieces, after: Pieces, own: Collection[str]) -> bool:
    return any(after[name].area < _LEAST_SHARE * before[name].area or not after[name].area for name in own)


def _to_plane(shape: BaseGeometry) -> BaseGeometry:
    """Squash longitudes so that degrees are as long east as north; good to 1 % over a county."""
    squashed: BaseGeometry = shapely.transform(shape, lambda points: points * _SQUASH)
    return squashed


_SQUASH: Final = np.array([0.8, 1.0])  # cosine of 36.9° north


class _Seeds:
    """Labelled points of which the nearest decides."""

    def __init__(self, edges: Mapping[str, BaseGeometry]) -> None:
        labels: list[str] = []
        points: list[NDArray[np.float64]] = []
        for label, edge in edges.items():
            found = shapely.get_coordinates(shapely.segmentize(_to_plane(edge), _SPACING_DEG))
            labels += [label] * len(found)
            points.append(found)
        every = np.concatenate(points) if points else np.empty((0, 2))
        self.points, first = np.unique(every.round(9), axis=0, return_index=True)
        self.labels = [labels[index] for index in first]
        self._tree = shapely.STRtree([shapely.Point(point) for point in self.points])

    def nearest(self, point: BaseGeometry) -> str | None:
        """Return the label of the nearest seed; None where there is none."""
        if not self.labels:
            return None
        found = self._tree.nearest(_to_plane(point))
        return None if found is None else self.labels[int(found)]

    def cuts(self, region: BaseGeometry) -> list[BaseGeometry]:
        """Return the lines inside `region` between what is nearest to different labels."""
        if region.is_empty or len(set(self.labels)) < 2:  # noqa: PLR2004 - one label needs no line
            return []
        cells = shapely.get_parts(
            shapely.voronoi_polygons(
                shapely.MultiPoint(self.points), extend_to=_to_plane(region).envelope, ordered=True
            )
        )
        groups: dict[str, list[BaseGeometry]] = {}
        for label, cell in zip(self.labels, cells, strict=True):
            groups.setdefault(label, []).append(cell)
        lines = shapely.union_all([shapely.coverage_union_all(found).boundary for found in groups.values()])
        back = shapely.transform(lines, lambda points: points / _SQUASH)
        return [shapely.intersection(back, region)]


def _seat_seeds(claim: Claim, area: BaseGeometry) -> _Seeds:
    """Return the own seats, moved into the area where they lie outside."""
    inside = {}
    for name, seat in claim.seats.items():
        nearest = shapely.get_coordinates(shapely.shortest_line(seat, area))[-1]
        inside[name] = seat if area.covers(seat) else shapely.Point(nearest)
    return _Seeds(inside)


class _Step:
    """One claim on the pieces near it."""

    def __init__(self, near: dict[str, BaseGeometry], claim: Claim, area: BaseGeometry) -> None:
        self.near, self.claim, self.area = near, claim, area
        self.names = list(near)
        self.tree = shapely.STRtree(list(near.values()))
        self.old = shapely.union_all([piece for name, piece in near.items() if name in claim.own])
        self.land = shapely.union_all(list(near.values()))
        self.coast = shapely.intersection(self.old.boundary, self.land.boundary)
        self.left = to_polygons(shapely.difference(self.old, area, grid_size=GRID_DEG))
        self.strips = self._find_strips()
        shapely.prepare([area, self.strips])

    def seeds_of_own(self) -> _Seeds:
        return _Seeds({name: piece.boundary for name, piece in self.near.items() if name in self.claim.own})

    def build(self, own: _Seeds, *, anew: bool = False) -> dict[str, BaseGeometry]:
        """Return the new pieces; `anew` divides the whole area by the seeds, not only what is gained."""
        heirs = _Seeds({name: self.near[name].boundary for name in self.near if name in self.claim.heirs})
        shore = _Seeds({SEA: self.coast, "land": self._heirs_line()})
        gained = self.area if anew else shapely.difference(self.area, self.old, grid_size=GRID_DEG)
        lines = [piece.boundary for piece in self.near.values()]
        lines += [self.area.boundary, self.strips.boundary]
        lines += [*own.cuts(gained), *heirs.cuts(self.left), *shore.cuts(self.strips)]
        owned: dict[str, list[BaseGeometry]] = {name: [] for name in (*self.near, _ORPHAN)}
        for face in polygonize(lines):
            owner = self._owner(face, own, heirs, shore, anew=anew)
            if owner != SEA:
                owned[owner].append(face)
        return {name: _merge(faces) for name, faces in owned.items()}

    def _owner(self, face: shapely.Polygon, own: _Seeds, heirs: _Seeds, shore: _Seeds, *, anew: bool) -> str:
        point = face.representative_point()
        before = self._before(point)
        if self.area.contains(point):
            keeps = before in self.claim.own and not anew
            return before if keeps else own.nearest(point) or next(iter(self.claim.own))
        if before == SEA and face.area < _CRUMB_DEG2:
            return self.names[int(self.tree.nearest(point))]
        if before == SEA or self._becomes_sea(face, point, before, shore):
            return SEA
        return (heirs.nearest(point) or _ORPHAN) if before in self.claim.own else before

    def _before(self, point: BaseGeometry) -> str:
        found = self.tree.query(point, predicate="within")
        return self.names[int(found[0])] if len(found) else SEA

    def _becomes_sea(self, face: BaseGeometry, point: BaseGeometry, before: str, shore: _Seeds) -> bool:
        """Tell whether a face is part of a strip between the area and the sea."""
        if not self.strips.contains(point) or not face.distance(self.area) < GRID_DEG:
            return False
        if before in self.claim.own:
            return shore.nearest(point) == SEA
        return face.distance(self.land.boundary) < GRID_DEG

    def _heirs_line(self) -> BaseGeometry:
        """Return the edges that our old land shares with other land."""
        return shapely.difference(self.old.boundary, self.coast)

    def _find_strips(self) -> BaseGeometry:
        """Return where land given up or cut off is narrower than the coast is accurate."""
        loose = [self.left, *self._cut_off()]
        radius_deg = self.claim.coast_m / 2 / _METRES_PER_DEG
        if not radius_deg:
            return shapely.MultiPolygon()
        plane = _to_plane(shapely.union_all(loose))
        body = shapely.buffer(shapely.buffer(plane, -radius_deg), radius_deg * _ABSORB)
        strips = to_polygons(shapely.difference(plane, body))
        back = shapely.transform(strips, lambda points: points / _SQUASH)
        return to_polygons(shapely.make_valid(shapely.set_precision(back, GRID_DEG)))

    def _cut_off(self) -> Iterable[BaseGeometry]:
        """Yield the parts of other pieces that the area cuts off from their main part."""
        for name, piece in self.near.items():
            if name not in self.claim.own:
                rests = [(part, self._rest(part)) for part in shapely.get_parts(piece)]
                main = max((part.area for _, rest in rests for part in rest), default=0.0)
                cut = (one for part, rest in rests for one in rest if one.area < part.area - _CRUMB_DEG2)
                yield from (one for one in cut if one.area < main and one.distance(self.area) < GRID_DEG)

    def _rest(self, part: BaseGeometry) -> list[BaseGeometry]:
        if not part.intersects(self.area):
            return [part]
        return list(shapely.get_parts(to_polygons(shapely.difference(part, self.area, grid_size=GRID_DEG))))


def polygonize(lines: Sequence[BaseGeometry]) -> list[shapely.Polygon]:
    """Node `lines` once on the grid and return the faces between them."""
    noded = shapely.unary_union([line for line in lines if not line.is_empty], grid_size=GRID_DEG)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    return [face for face in faces if isinstance(face, shapely.Polygon)]


def _merge(faces: list[BaseGeometry]) -> BaseGeometry:
    return to_polygons(shapely.coverage_union_all(faces)) if faces else shapely.Polygon()
