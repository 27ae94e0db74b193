"""Place many points at once, and judge in which coordinate system they are.

Says of each point what :meth:`layers.lookup.Lookup.at` says of one, on the same blocks of geometry: distances
are measured on a plane around the city instead of point by point, which agrees to a few parts in 10,000.
Positions are WGS 84 (lon, lat).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.georeference import (
    build_search_box,
    describe_wrong_crs,
    list_likely_systems,
    resolve_crs,
    swap_axes,
)
from geodata.boundary_import.issues import Issue, RefusedError, build_issue
from layers.lookup import (
    BEYOND,
    CITY,
    EDGE,
    EDGES,
    GROUND,
    LEAST_LIKELY,
    NEIGHBOUR,
    NOT_STATED,
    SEA,
    SHARING,
    BlockEntry,
    read_block,
)
from layers.store import Release

Floats = NDArray[np.float64]
Chances = NDArray[np.float32]
Flags = NDArray[np.bool_]
NOWHERE: Final = "no-position"  # beside the words of layers.lookup for where a point is
TOWNS: Final = SHARING[-1]
_NONE: Final = -1  # instead of the number of a place


@dataclass(frozen=True)
class Likeliest:
    """Of one layer whose places exclude one another, for each point: the likeliest place, and the runner-up.

    Numbers of places, -1 for none of them; chances in per cent. A runner-up that is not worth naming has
    a chance of 0.
    """

    first: NDArray[np.intp]
    first_percent: Floats
    second: NDArray[np.intp]
    second_percent: Floats


@dataclass(frozen=True)
class Placed:
    """Where all points are.

    Attributes
    ----------
    where
        The word of :mod:`layers.lookup` for each point, or :data:`NOWHERE`.
    likeliest
        By layer of :data:`~layers.lookup.SHARING`.
    inside, may
        By point and place: whether it lies in a place, or may lie in one whose extent nobody knows.
    chances
        By point and place: how likely it lies there, per cent.
    """

    where: list[str]
    likeliest: dict[str, Likeliest]
    inside: Flags
    may: Flags
    chances: Chances


class PointPlacer:
    """Places points among the places of a release."""

    def __init__(self, places: bytes, around: bytes) -> None:
        self.places = list(read_block(places))
        rows = list(read_block(around))
        ground = {row.head["id"]: row.geometry for row in rows if row.head["layer"] == GROUND}
        self.neighbour: BaseGeometry = ground["neighbour"]
        self.window: BaseGeometry = ground["window"]
        self._stretches = [row for row in rows if row.head["layer"] == EDGES]
        self.layers = [row.head["layer"] for row in self.places]
        self.land: BaseGeometry = shapely.union_all([row.geometry for row in self._of(TOWNS)])
        shapely.prepare(self.land)
        middle = self.land.envelope.centroid
        self._plane = crs.build_equal_area(middle.x, middle.y)

    def _of(self, layer: str) -> list[BlockEntry]:
        return [row for row in self.places if row.head["layer"] == layer]

    def place(self, lon: Floats, lat: Floats) -> Placed:
        """Return where points are; NaN for one without a position."""
        there: Flags = np.isfinite(lon) & np.isfinite(lat)
        points, tree = _to_tree(lon, lat)
        flat, flat_tree = _to_tree(*crs.transform(lon, lat, crs.LONLAT, self._plane))
        inside: Flags = np.zeros((len(lon), len(self.places)), dtype=np.bool_)
        may = inside.copy()
        for number, place in enumerate(self.places):
            if place.head["spots"]:
                for lon_deg, lat_deg, accuracy_m in place.head["spots"]:
                    spot = crs.transform_geometry(shapely.Point(lon_deg, lat_deg), crs.LONLAT, self._plane)
                    may[flat_tree.query(spot, predicate="dwithin", distance=accuracy_m), number] = True
            else:
                inside[tree.query(place.geometry, predicate="covers"), number] = True
        towns = [number for number, layer in enumerate(self.layers) if layer == TOWNS]
        covered: Flags = np.asarray(inside[:, towns].any(axis=1))
        chances = self._weigh(inside, covered, flat, flat_tree)
        likeliest = {layer: self._rank(layer, chances) for layer in SHARING}
        where = self._tell_where(points, there, covered, self._may_be_in_city(flat_tree, len(lon)))
        return Placed(where, likeliest, inside, may, chances)

    def _weigh(self, inside: Flags, covered: Flags, flat: NDArray[np.object_], tree: STRtree) -> Chances:
        """Return how likely each point is in each place, per cent; see :class:`layers.lookup.Errors`."""
        parts = np.full(inside.shape, np.inf, dtype=np.float32)
        table = self._stretches[0].head["errors"] if self._stretches else [(0.0, 0.0), (1.0, 1.0)]
        shares, at = (np.array(column, dtype=float) for column in zip(*table, strict=True))
        numbers = {row.head["id"]: number for number, row in enumerate(self.places)}
        edged: set[int] = set()
        for stretch in self._stretches:
            bounded = [numbers[place] for place in stretch.head["of"] if place in numbers]
            edged.update(bounded)
            accuracy_m = max(stretch.head["accuracy_m"], 1e-3)
            skipped = covered if stretch.head["coast"] else None
            self._measure(parts, bounded, stretch.geometry, (accuracy_m, at[-1]), flat, tree, skipped)
        for number, row in enumerate(self.places):
            if number not in edged and not row.head["spots"]:  # an imported boundary that follows no towns
                accuracy_m = max(row.head["positional_accuracy_m"], 1e-3)
                self._measure(parts, [number], row.geometry.boundary, (accuracy_m, at[-1]), flat, tree, None)
        beyond = ((1 - np.interp(parts, at, shares, right=1.0)) / 2).astype(np.float32)
        chances = np.where(inside, 1 - beyond, beyond)
        chances[:, [number for number, row in enumerate(self.places) if row.head["spots"]]] = 0
        for layer in SHARING:  # a point is in one of them at most
            own = [number for number, one in enumerate(self.layers) if one == layer]
            chances[:, own] /= np.maximum(chances[:, own].sum(axis=1), 1)[:, None]
        return np.asarray(100 * chances, dtype=np.float32)

    def _measure(
        self,
        parts: Chances,
        bounded: Sequence[int],
        line: BaseGeometry,
        reach: tuple[float, float],
        flat: NDArray[np.object_],
        tree: STRtree,
        skipped: Flags | None,
    ) -> None:
        """Note in `parts` how near points are to an edge, in parts of its accuracy.

        `reach` is that accuracy, metres, and how many of it count.
        """
        accuracy_m, most = reach
        edge = crs.transform_geometry(line, crs.LONLAT, self._plane)
        near = tree.query(edge, predicate="dwithin", distance=accuracy_m * most)
        if skipped is not None:
            near = near[~skipped[near]]
        shapely.prepare(edge)
        part = (shapely.distance(edge, flat[near]) / accuracy_m).astype(np.float32)
        for number in bounded:
            parts[near, number] = np.minimum(parts[near, number], part)

    def _rank(self, layer: str, chances: Chances) -> Likeliest:
        """Return the likeliest of a layer's places, none of them being a choice too."""
        own = np.array([number for number, one in enumerate(self.layers) if one == layer] + [_NONE])
        found = chances[:, own[:-1]].astype(float)
        every = np.column_stack([found, np.maximum(100 - found.sum(axis=1), 0)])
        order = np.argsort(-every, axis=1, kind="stable")[:, :2]
        ranked = np.round(np.take_along_axis(every, order, axis=1), 1)
        second = np.where(ranked[:, 1] >= LEAST_LIKELY, ranked[:, 1], 0.0)
        return Likeliest(own[order[:, 0]], ranked[:, 0], own[order[:, 1]], second)

    def _may_be_in_city(self, tree: STRtree, count: int) -> Flags:
        """Return which points are so near the edge of a county that it may hold them."""
        near = np.zeros(count, dtype=bool)
        for row in self._of(SHARING[0]):
            edge = crs.transform_geometry(row.geometry.boundary, crs.LONLAT, self._plane)
            near[tree.query(edge, predicate="dwithin", distance=row.head["positional_accuracy_m"])] = True
        return near

    def _tell_where(
        self, points: NDArray[np.object_], there: Flags, covered: Flags, near: Flags
    ) -> list[str]:
        found = np.full(len(points), BEYOND, dtype=object)
        left = np.flatnonzero(there & ~covered & ~near)
        shapely.prepare(self.window)
        found[left[shapely.covers(self.window, points[left])]] = SEA
        found[left[shapely.covers(self.neighbour, points[left])]] = NEIGHBOUR
        found[near] = EDGE
        found[covered] = CITY
        found[~there] = NOWHERE
        return [str(one) for one in found]

    def is_unbounded(self, number: int) -> bool:
        """Return whether the plan states no extent of a place: what lies in its members may not lie in it."""
        return bool(self.places[number].head["extent"] == NOT_STATED)


def _to_tree(x: Floats, y: Floats) -> tuple[NDArray[np.object_], STRtree]:
    """Return points, none where a coordinate is no number, and their index."""
    there = np.isfinite(x) & np.isfinite(y)
    points = np.full(len(x), None, dtype=object)
    points[there] = shapely.points(x[there], y[there])
    return points, STRtree(points)


def open_placer(release: Release) -> PointPlacer:
    """Return what places points among the places of a release."""
    return PointPlacer(release.read("index/lookup.bin"), release.read("index/around.bin"))


# -- in which system the positions are

TOLD, NAMED, GUESSED = "told", "named", "guessed"  # by the user, by the file, by the numbers
_SAMPLED: Final = 2_000  # points that are judged
_CELL_DEG: Final = 0.01  # points of one cell say one thing
_RIGHT: Final = 0.9  # of right positions that lie on our land: as near as the coast is drawn
_NO_LIST: Final = 0.5  # how likely points are spread over land and sea alike
_ENOUGH: Final = 0.5  # of the points must lie near the city for their system to be told by that
_SUSPECT: Final = 0.95  # a certainty that another system than the file's own is the right one
_WITHOUT_DATUMS: Final = "EPSG:3857"  # metres of web maps, which are of one datum
_UNIFORM: Final = (crs.LONLAT, *crs.SHIFTED)


@dataclass(frozen=True)
class JudgedFrame:
    """The coordinate system of a table, and how it is known.

    `certainty` is how likely it is the right one, 0 to 1; 1 where it was told or is named. `others` are the
    systems that it may be instead with theirs, the likeliest first.
    """

    code: str
    how: str
    certainty: float
    others: tuple[tuple[str, float], ...] = ()


def judge_frame(
    name: str, x: Floats, y: Floats, own: str | None, given: str | None, placer: PointPlacer
) -> tuple[JudgedFrame, list[Issue]]:
    """Return the system that positions (east, north) are in, and what is to be said of it.

    `own` is what the file names, `given` what the user says. Degrees may be shifted as those of Chinese web
    maps are; in which reading more of them lie on land tells. Raises
    :class:`~geodata.boundary_import.issues.RefusedError` for a system that nobody knows, for numbers that fit
    none or are degrees where it has metres, and for longitude and latitude in each other's place.
    """
    stated = given or own
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    some = there[:: 1 + len(there) // _SAMPLED]
    points: list[BaseGeometry] = [shapely.Point(x[at], y[at]) for at in some]
    near = build_search_box(placer.land)
    degrees = np.abs(x[some]) <= 180, np.abs(y[some]) <= 180  # noqa: PLR2004 - degrees
    in_degrees = all(column.mean() > _ENOUGH for column in degrees) if points else None
    if stated is not None:
        definition = resolve_crs(stated)
        try:
            code = crs.read_definition(definition)
        except ValueError as error:
            raise RefusedError(build_issue("unknown-crs", name, crs=stated[:60])) from error
        if in_degrees == crs.is_projected(definition):
            raise RefusedError(describe_wrong_crs(points, code, near, name))
        _refuse_swapped(name, points, definition, near)
        return _doubt(JudgedFrame(code, TOLD if given else NAMED, 1.0), name, points, placer)
    if not points:
        return JudgedFrame(crs.LONLAT, GUESSED, 0.0), []
    if in_degrees:
        _refuse_swapped(name, points, crs.LONLAT, near)
        ranked = _weigh_shifts(points, placer)
        return JudgedFrame(ranked[0][0], GUESSED, ranked[0][1], tuple(ranked[1:])), []
    found = _guess_projected(name, points, near)
    assumed = [] if found.code == _WITHOUT_DATUMS else [build_issue("positions-datum", name, crs=found.code)]
    return found, assumed


def _share_near(points: Sequence[BaseGeometry], frame: str, near: BaseGeometry) -> float:
    """Return the share of points that lie near the city if they are in `frame`."""
    if not points:
        return 0.0
    with np.errstate(all="ignore"):
        placed = crs.to_lonlat(shapely.MultiPoint(shapely.get_coordinates(points)), frame)
    lonlat = shapely.get_coordinates(placed)
    west, south, east, north = near.bounds
    inside = (lonlat[:, 0] > west) & (lonlat[:, 0] < east) & (lonlat[:, 1] > south) & (lonlat[:, 1] < north)
    return float(inside.mean())


def _refuse_swapped(name: str, points: Sequence[BaseGeometry], frame: str, near: BaseGeometry) -> None:
    swapped = [swap_axes(point) for point in points]
    if _share_near(points, frame, near) == 0 and _share_near(swapped, frame, near) > _ENOUGH:
        first = points[0].centroid
        raise RefusedError(build_issue("positions-swapped", name, point=f"{first.x:.12g}, {first.y:.12g}"))


def _guess_projected(name: str, points: Sequence[BaseGeometry], near: BaseGeometry) -> JudgedFrame:
    """Return the system of metres in which most points lie near the city."""
    shares: dict[str, float] = {}
    for frame in list_likely_systems(near):
        share = _share_near(points, frame, near)
        if share > _ENOUGH and share > shares.get(frame, 0):
            shares[frame] = share
    if not shares:
        swapped = [swap_axes(point) for point in points]
        for frame in list_likely_systems(near):
            if _share_near(swapped, frame, near) > _ENOUGH:
                _refuse_swapped(name, points, frame, near)
        first = points[0].centroid
        raise RefusedError(build_issue("unknown-numbers", name, point=f"{first.x:.12g}, {first.y:.12g}"))
    distinct = _drop_same(points, shares)
    total = sum(distinct.values())
    ranked = sorted(((code, share / total) for code, share in distinct.items()), key=lambda pair: -pair[1])
    return JudgedFrame(ranked[0][0], GUESSED, ranked[0][1], tuple(ranked[1:]))


def _drop_same(points: Sequence[BaseGeometry], shares: dict[str, float]) -> dict[str, float]:
    """Return systems without those that put the points where another one does, as zones of two widths may."""
    kept: dict[str, float] = {}
    spots: list[BaseGeometry] = []
    for frame, share in shares.items():
        spot = crs.to_lonlat(points[0], frame)
        if all(spot.distance(other) > 1e-6 for other in spots):  # noqa: PLR2004 - a decimetre
            kept[frame] = share
            spots.append(spot)
    return kept


def _weigh_shifts(points: Sequence[BaseGeometry], placer: PointPlacer) -> list[tuple[str, float]]:
    """Return how likely positions in degrees are WGS 84, GCJ-02 or BD-09, the likeliest first.

    Places that people keep lists of lie on land. Under each reading the points that do are counted, one for
    each cell of about a kilometre in which the readings differ; under the right one nearly all do. Where no
    reading is so, the points are no such list, and say nothing: all readings are as likely then.
    """
    lonlat = shapely.get_coordinates(shapely.MultiPoint(shapely.get_coordinates(points)))
    on_land = []
    for frame in _UNIFORM:
        lon, lat = crs.transform(lonlat[:, 0], lonlat[:, 1], frame, crs.LONLAT)
        spots = shapely.points(lon, lat)
        on_land.append(shapely.covers(placer.land, spots) | shapely.covers(placer.neighbour, spots))
    land = np.array(on_land)
    telling = np.flatnonzero(land.any(axis=0) & ~land.all(axis=0))
    cells = np.floor(lonlat[telling] / _CELL_DEG)
    first = np.unique(cells, axis=0, return_index=True)[1] if len(telling) else np.array([], dtype=int)
    counted = land[:, telling[first]].sum(axis=1)
    right = counted * math.log(_RIGHT) + (len(first) - counted) * math.log(1 - _RIGHT)
    right += math.log(1 - _NO_LIST)
    chance = np.full(len(_UNIFORM), len(first) * math.log(0.5) + math.log(_NO_LIST))
    weights = np.exp(np.logaddexp(right, chance) - max(right.max(), chance.max()))
    certain = np.round(weights / weights.sum(), 3)
    # WGS 84 comes first where all are alike.
    order = sorted(range(len(_UNIFORM)), key=lambda at: -certain[at])
    return [(_UNIFORM[at], float(certain[at])) for at in order]


def _doubt(
    frame: JudgedFrame, name: str, points: Sequence[BaseGeometry], placer: PointPlacer
) -> tuple[JudgedFrame, list[Issue]]:
    """Return a system that was told or named, and a warning where the positions look shifted all the same."""
    if frame.code not in (*crs.DEGREES, *crs.SHIFTED) or not points:
        return frame, []
    wanted = frame.code if frame.code in crs.SHIFTED else crs.LONLAT
    likeliest, certainty = _weigh_shifts(points, placer)[0]
    if likeliest == wanted or certainty < _SUSPECT:
        return frame, []
    values = {"crs": frame.code, "frame": likeliest, "certainty": min(math.floor(100 * certainty), 99)}
    return frame, [build_issue("positions-suspected", name, **values)]
