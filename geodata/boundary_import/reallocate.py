"""Reallocate land among neighbours so that some of them together get exactly a given polygon.

Land is a coverage: pieces, one for each town or neighbouring county, that share their edges and
never overlap. An assignment says that some pieces together are to be one polygon. All lines are noded
once on the grid, so every face between them has one owner before and one after:

- A face inside the polygon belongs to the assignment's own pieces: it stays where it was, or goes to the
  own piece whose edge is nearest.
- A face outside it that was theirs goes to the nearest recipient.
- Where the polygon and the outer border before - the coast, or the line of the county - are no farther
  apart than that border is accurate, the polygon's edge replaces it: the strip between the two becomes
  sea, or land of the neighbour across the line.
- A face that the assignment does not concern stays as it is.
- At last, slivers are merged: nobody gets a new detached part that is narrower than the lines are
  accurate. Such a part shows only that two drawings of one line differ. It goes to the neighbour with the
  longest shared edge: the sea, or another piece that may take land. What was a part before stays one; an
  island that the polygon leaves out is no sliver, nor is what lies in a hole of the polygon: it keeps its
  owner, as it has no other neighbour.

Where an own piece would keep hardly any land, the polygon is divided anew among the own pieces by
nearest seat. All geometry is lon/lat.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.kinds import SEA
from geodata.planar import (
    GRID_DEG,
    METRES_PER_DEG,
    Pieces,
    build_faces,
    from_plane,
    is_narrow,
    node_lines,
    round_to_grid,
    subtract,
    to_plane,
    to_polygons,
    unite,
)

_SEED_SPACING_DEG: Final = 1e-3  # between the samples of an edge


class Seeds:
    """Labelled points; the nearest one decides."""

    def __init__(self, edges: Mapping[str, BaseGeometry]) -> None:
        labels: list[str] = []
        points: list[NDArray[np.float64]] = []
        for label, edge in edges.items():
            found = shapely.get_coordinates(shapely.segmentize(to_plane(edge), _SEED_SPACING_DEG))
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
        found = self._tree.nearest(to_plane(point))
        return None if found is None else self.labels[int(found)]

    def cuts(self, region: BaseGeometry) -> list[BaseGeometry]:
        """Return the lines inside `region` between what is nearest to different labels."""
        if region.is_empty or len(set(self.labels)) < 2:  # noqa: PLR2004 - one label needs no line
            return []
        cells = shapely.get_parts(
            shapely.voronoi_polygons(
                shapely.MultiPoint(self.points), extend_to=to_plane(region).envelope, ordered=True
            )
        )
        groups: dict[str, list[BaseGeometry]] = {}
        for label, cell in zip(self.labels, cells, strict=True):
            groups.setdefault(label, []).append(cell)
        lines = shapely.union_all([shapely.coverage_union_all(found).boundary for found in groups.values()])
        return [shapely.intersection(from_plane(lines), region)]


_MAX_ROUNDS: Final = 3  # a sliver may lie behind another


@dataclass
class Face:
    """A face between all lines: who has it before and after, and whether inside the area."""

    polygon: shapely.Polygon
    point: shapely.Point  # in it
    before: str
    owner: str
    inside: bool


def merge_slivers(
    faces: Sequence[Face], before: Pieces, sides: tuple[frozenset[str], frozenset[str]], width_m: float
) -> None:
    """Give every new detached sliver, narrower than `width_m`, to its neighbour.

    `before` has the pieces as they were. `sides` are the assignment's own pieces, and those that may take
    land given up; nothing passes from one side to the other.
    """
    work = _SliverMerger(faces, before, width_m)
    for _ in range(_MAX_ROUNDS):
        owned = work.list_owned()
        found = [
            (part, side)
            for side in sides
            for owner in sorted(side & owned.keys())
            for part in work.find(owner, owned[owner])
        ]
        given = [work.give(part, side) for part, side in found]
        if not any(given):
            return


def measure_shared_edges(polygons: Sequence[shapely.Polygon]) -> list[dict[int, float]]:
    """Return for each polygon of a coverage its neighbours by number, and how long the edge to each is.

    Neighbours have the same corners along an edge. Lengths are in the units of the polygons.
    """
    shared: list[dict[int, float]] = [{} for _ in polygons]
    rings, owners = shapely.get_rings(list(polygons), return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]  # a pair of points of one ring
    ends = np.stack([points[:-1][inside], points[1:][inside]], axis=1)
    turned = (ends[:, 0, 0] > ends[:, 1, 0]) | (
        (ends[:, 0, 0] == ends[:, 1, 0]) & (ends[:, 0, 1] > ends[:, 1, 1])
    )
    ends[turned] = ends[turned][:, ::-1]
    order = np.lexsort(ends.reshape(-1, 4).T)
    ends, owner = ends[order], owners[ring[:-1][inside]][order]
    twice = (ends[1:] == ends[:-1]).all(axis=(1, 2))
    lengths = np.hypot(*(ends[:-1, 1] - ends[:-1, 0]).T)
    pairs = zip(owner[:-1][twice], owner[1:][twice], lengths[twice], strict=True)
    for one, other, length in pairs:
        shared[one][int(other)] = shared[one].get(int(other), 0.0) + float(length)
        shared[other][int(one)] = shared[other].get(int(one), 0.0) + float(length)
    return shared


class _SliverMerger:
    def __init__(self, faces: Sequence[Face], before: Pieces, width_m: float) -> None:
        self.faces, self.before, self.width_m = faces, before, width_m
        self.found: dict[str, tuple[list[int], list[list[int]]]] = {}  # by owner: of which faces, and what
        self.points = np.array([face.point for face in faces])
        self.shared = measure_shared_edges([face.polygon for face in faces])

    def list_owned(self) -> dict[str, list[int]]:
        """Return the faces of each owner."""
        owned: dict[str, list[int]] = {}
        for number, face in enumerate(self.faces):
            owned.setdefault(face.owner, []).append(number)
        return owned

    def find(self, owner: str, mine: list[int]) -> list[list[int]]:
        """Return the faces of each new detached sliver of `owner`, whose faces are `mine`."""
        if self.found.get(owner, ((), ()))[0] != mine:
            self.found[owner] = mine, self._find_anew(owner, mine)
        return self.found[owner][1]

    def _find_anew(self, owner: str, mine: list[int]) -> list[list[int]]:
        whole = shapely.coverage_union_all([self.faces[number].polygon for number in mine])
        parts = sorted(shapely.get_parts(whole), key=lambda part: part.area)
        slivers = [part for part in parts[:-1] if is_narrow(part, self.width_m)]  # the last is the largest
        old = shapely.get_parts(self.before[owner]) if slivers else ()
        known = [part for part in old if is_narrow(part, self.width_m)]
        points, there = shapely.STRtree(self.points[mine]), shapely.STRtree(known)
        found = []
        for part in slivers:
            members = [mine[at] for at in sorted(points.query(part, predicate="contains"))]
            unchanged = all(self.faces[one].before == owner for one in members)
            was_there = unchanged and bool(len(there.query(part.representative_point(), predicate="within")))
            if not was_there and not self._is_island(members):
                found.append(members)
        return found

    def give(self, part: Sequence[int], side: frozenset[str]) -> bool:
        """Give a sliver to whom it shares the longest edge with; return whether there is one."""
        largest = self.faces[
            max(part, key=lambda one: self.faces[one].polygon.area)
        ]  # a part may hold crumbs
        inside, own = largest.inside, largest.owner
        lengths: dict[str, float] = defaultdict(float)
        for number, length in self._edges(part):
            lengths[self.faces[number].owner] += length
        outline = shapely.coverage_union_all([self.faces[one].polygon for one in part])
        lengths[SEA] += outline.length - sum(lengths.values())
        takers = {
            name: length
            for name, length in lengths.items()
            if length > GRID_DEG and name != own and (name in side or (name == SEA and not inside))
        }
        if not takers:
            return False
        taker = max(sorted(takers), key=lambda name: takers[name])
        for one in part:
            self.faces[one].owner = taker
        return True

    def _edges(self, part: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Yield the faces that share edges with a part, and how long each is."""
        members = set(part)
        for one in part:
            for number, length in self.shared[one].items():
                if number not in members:
                    yield number, length

    def _is_island(self, part: Sequence[int]) -> bool:
        """Tell whether a part is all the land there was, with nothing but sea around it, then and now."""
        return all(
            length <= GRID_DEG or self.faces[number].before == self.faces[number].owner == SEA
            for number, length in self._edges(part)
        )


_INLAND_EDGE: Final = "land"  # the label of an edge that is neither coast nor county line
_CRUMB_DEG2: Final = 1e-12  # 0.01 m²: left between rounded lines, of no place
_MIN_REMAINING_SHARE: Final = 0.02  # of its old area, below which a piece counts as lost
_REGROWTH: Final = 1.6  # how much farther a shrunk shape is grown again, so that its corners come back


@dataclass(frozen=True)
class Assignment:
    """One polygon that some pieces are to be together."""

    area: BaseGeometry  # polygonal
    own: frozenset[str]
    recipients: frozenset[str]  # that may get the land given up
    edge_m: float = 0.0  # how far coast and county lines may be off; 0: they are fixed
    beyond: frozenset[str] = frozenset()  # neighbours across the county line
    seats: Mapping[str, shapely.Point] = field(default_factory=dict)  # of the own pieces


@dataclass(frozen=True)
class Reallocation:
    """The pieces after a assignment, and the land that nobody could take."""

    pieces: dict[str, BaseGeometry]
    unassigned: BaseGeometry


def reallocate(pieces: Pieces, assignment: Assignment) -> Reallocation:
    """Return all `pieces` with the assignment's own being its area; the others keep what is left to them.

    A piece that loses everything becomes an empty polygon, which the caller reports.
    """
    area = to_polygons(round_to_grid(assignment.area))
    step = _Reallocator(pieces, assignment, area)
    made = step.build(step.seeds_of_own())
    if assignment.seats and _loses_piece(pieces, made, assignment.own):
        made = step.build(_seat_seeds(assignment, area), anew=True)
    unassigned = made.pop(_UNASSIGNED)
    return Reallocation(dict(pieces) | made, unassigned)


_UNASSIGNED: Final = "?"


def _loses_piece(before: Pieces, after: Pieces, own: Collection[str]) -> bool:
    return any(
        after[name].area < _MIN_REMAINING_SHARE * before[name].area or not after[name].area for name in own
    )


def _seat_seeds(assignment: Assignment, area: BaseGeometry) -> Seeds:
    """Return the own seats, moved into the area where they lie outside."""
    inside = {}
    for name, seat in assignment.seats.items():
        nearest = shapely.get_coordinates(shapely.shortest_line(seat, area))[-1]
        inside[name] = seat if area.covers(seat) else shapely.Point(nearest)
    return Seeds(inside)


class _Reallocator:
    """One assignment on the pieces near it."""

    def __init__(self, pieces: Pieces, assignment: Assignment, area: BaseGeometry) -> None:
        self.assignment, self.area = assignment, area
        self.old = unite(pieces[name] for name in sorted(assignment.own))
        self.left = to_polygons(shapely.difference(self.old, area))
        concern = _find_near(pieces, shapely.union(area, self.old))
        loose = shapely.union_all([self.left, *self._list_cut_off_parts(concern)])
        self.near = concern | _find_near(pieces, loose)  # a cut-off part ends at others
        self.names = list(self.near)
        self.tree = shapely.STRtree(list(self.near.values()))
        self.land = unite(self.near.values())
        self.outer = {SEA: shapely.intersection(self.old.boundary, self.land.boundary)}
        for name in sorted(assignment.beyond & self.near.keys()):
            self.outer[name] = shapely.intersection(self.old.boundary, self.near[name].boundary)
        self.strips = self._find_strips(loose)
        self.edge = self.land.boundary
        edges = [piece.boundary for piece in self.near.values()]
        self.lines = node_lines([*edges, area.boundary, self.strips.boundary])  # once: it is most of the work
        shapely.prepare([area, self.strips, self.edge])

    def seeds_of_own(self) -> Seeds:
        return Seeds(
            {name: piece.boundary for name, piece in self.near.items() if name in self.assignment.own}
        )

    def build(self, own: Seeds, *, anew: bool = False) -> dict[str, BaseGeometry]:
        """Return the new pieces; `anew` divides the whole area by the seeds, not only what is gained."""
        recipients = Seeds(
            {name: self.near[name].boundary for name in self.near if name in self.assignment.recipients}
        )
        inland = shapely.difference(self.old.boundary, shapely.union_all(list(self.outer.values())))
        outer = Seeds({**self.outer, _INLAND_EDGE: inland})
        gained = self.area if anew else shapely.difference(self.area, self.old)
        cuts = [*own.cuts(gained), *recipients.cuts(self.left), *outer.cuts(self.strips)]
        faces = self._list_faces(build_faces([self.lines, *cuts]))
        for face in faces:
            face.owner = self._find_owner(face, (own, recipients, outer), anew=anew)
        if self.assignment.edge_m:
            merge_slivers(
                faces,
                self.near,
                (self.assignment.own, self.assignment.recipients | self.assignment.beyond),
                self.assignment.edge_m,
            )
        owned: dict[str, list[BaseGeometry]] = {name: [] for name in (*self.near, _UNASSIGNED)}
        for face in faces:
            if face.owner != SEA:
                owned[face.owner].append(face.polygon)
        return {name: _merge(polygons) for name, polygons in owned.items()}

    def _list_faces(self, polygons: Sequence[shapely.Polygon]) -> list[Face]:
        """Return a face for each polygon, owned by whom it was before."""
        points = shapely.point_on_surface(polygons)
        before = np.full(len(points), SEA, dtype=object)
        piece, at = shapely.STRtree(points).query(list(self.near.values()), predicate="contains")
        before[at] = np.array(self.names, dtype=object)[piece]
        inside = shapely.contains(self.area, points).tolist()
        return [
            Face(polygon, point, owner, owner, inside=within)
            for polygon, point, owner, within in zip(polygons, points, before, inside, strict=True)
        ]

    def _find_owner(self, face: Face, seeds: tuple[Seeds, Seeds, Seeds], *, anew: bool) -> str:
        own, recipients, outer = seeds
        if face.inside:
            keeps = face.before in self.assignment.own and not anew
            return face.before if keeps else own.nearest(face.point) or next(iter(self.assignment.own))
        if face.before == SEA:
            crumb = face.polygon.area < _CRUMB_DEG2
            return self.names[int(self.tree.nearest(face.point))] if crumb else SEA
        return self._find_owner_outside(face, recipients, outer)

    def _find_owner_outside(self, face: Face, recipients: Seeds, outer: Seeds) -> str:
        """Return who gets a face of land outside the area."""
        mine = face.before in self.assignment.own
        if not mine and face.before not in self.assignment.recipients | self.assignment.beyond:
            return face.before
        if self.strips.contains(face.point) and shapely.dwithin(self.area, face.polygon, GRID_DEG):
            if mine and (taker := outer.nearest(face.point)) not in {_INLAND_EDGE, None}:
                return str(taker)
            if not mine and shapely.dwithin(self.edge, face.polygon, GRID_DEG):
                return SEA
        return (recipients.nearest(face.point) or _UNASSIGNED) if mine else face.before

    def _find_strips(self, loose: BaseGeometry) -> BaseGeometry:
        """Return where land given up or cut off is narrower than the outer border is accurate."""
        radius_deg = self.assignment.edge_m / 2 / METRES_PER_DEG
        if not radius_deg:
            return shapely.MultiPolygon()
        plane = to_plane(loose)
        body = shapely.buffer(shapely.buffer(plane, -radius_deg), radius_deg * _REGROWTH)
        strips = from_plane(to_polygons(shapely.difference(plane, body)))
        return to_polygons(shapely.make_valid(strips))

    def _list_cut_off_parts(self, near: Pieces) -> Iterable[BaseGeometry]:
        """Yield the parts of other pieces that the area cuts off from their main part."""
        for name, piece in near.items():
            if name not in self.assignment.own:
                rests = [(part, self._list_remaining_parts(part)) for part in shapely.get_parts(piece)]
                main = max((part.area for _, rest in rests for part in rest), default=0.0)
                cut = (one for part, rest in rests for one in rest if one.area < part.area - _CRUMB_DEG2)
                yield from (one for one in cut if one.area < main and one.distance(self.area) < GRID_DEG)

    def _list_remaining_parts(self, part: BaseGeometry) -> list[BaseGeometry]:
        if not part.intersects(self.area):
            return [part]
        return list(shapely.get_parts(subtract(part, self.area)))


def _find_near(pieces: Pieces, shape: BaseGeometry) -> dict[str, BaseGeometry]:
    return {name: piece for name, piece in pieces.items() if piece.intersects(shape)}


def _merge(faces: list[BaseGeometry]) -> BaseGeometry:
    return to_polygons(shapely.coverage_union_all(faces)) if faces else shapely.Polygon()
