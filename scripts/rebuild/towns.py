"""Turn the division of a county on a grid into polygons with smooth borders and identical shared edges.

The borders between the cells of different towns are taken as lines between junctions, smoothed, cut to the
mainland and noded once, together with the county borders and the coast. The faces between them go to the town
that has most of their cells. Islands are never cut: each goes to the town that claims it most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, radians
from typing import Final

import numpy as np
import shapely
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.crs import Bounds, Floats
from scripts.rebuild.division import OPEN_SEA_M, SIDES, Claims, Grid, Labels, Unit

GRID_DEG: Final = 1e-6
_REACH_DEG: Final = 0.3
_STEP_DEG: Final = 1e-4
_FLAT: Final = 1e-6


@dataclass(frozen=True)
class Land:
    """The land of one county: one or more pieces of the mainland, and its islands."""

    mainland: shapely.MultiPolygon
    islands: tuple[shapely.Polygon, ...]


Outlines = Mapping[str, BaseGeometry]


def build_lands(outlines: Outlines, shores: Sequence[shapely.Polygon]) -> dict[str, Land]:
    """Divide `shores`, of which the first is the mainland, among the counties of `outlines`.

    Every point of the shores ends in exactly one county.
    """
    shores = [shapely.set_precision(shore, GRID_DEG) for shore in shores]
    mainland = shores[0]
    borders = build_borders(outlines)
    lines = [mainland.boundary, *borders, *build_extensions(borders, outlines, mainland)]
    pieces: dict[str, list[shapely.Polygon]] = {code: [] for code in outlines}
    for face in polygonize(lines):
        if mainland.covers(face.representative_point()):
            pieces[_nearest(face.representative_point(), outlines)].append(face)
    islands: dict[str, list[shapely.Polygon]] = {code: [] for code in outlines}
    for shore in shores[1:]:
        islands[_nearest(shore, outlines)].append(shore)
    return {code: Land(shapely.MultiPolygon(pieces[code]), tuple(islands[code])) for code in sorted(outlines)}


def polygonize(lines: Sequence[BaseGeometry]) -> list[shapely.Polygon]:
    """Node `lines` once on the grid and return the faces between them.

    Neighbouring faces have identical vertices along their shared edge.
    """
    noded = shapely.unary_union(list(lines), grid_size=GRID_DEG)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    return [face for face in faces if isinstance(face, shapely.Polygon)]


def build_borders(outlines: Outlines) -> list[shapely.LineString]:
    """Return the lines that two of `outlines` share, merged between their junctions."""
    edges = shapely.unary_union([outline.boundary for outline in outlines.values()])
    outer = shapely.unary_union(list(outlines.values())).boundary
    merged = shapely.line_merge(shapely.difference(edges, outer))
    return [line for line in shapely.get_parts(merged) if isinstance(line, shapely.LineString)]


def build_extensions(
    borders: Sequence[shapely.LineString], outlines: Outlines, mainland: shapely.Polygon
) -> list[shapely.LineString]:
    """Run each border that ends on the coarse coast on to the real shore.

    The extension halves the angle between the two coasts, so both counties are equally near.
    Borders that end in the sea already need none.
    """
    ends = Counter(end for line in borders for end in (line.coords[0], line.coords[-1]))
    union = shapely.unary_union(list(outlines.values()))
    found: list[shapely.LineString] = []
    for end in sorted(end for end, count in ends.items() if count == 1):
        place = shapely.Point(end)
        if mainland.contains(place):
            ray = shapely.intersection(_build_ray(end, union), mainland)
            found.extend(part for part in shapely.get_parts(ray) if part.distance(place) < GRID_DEG)
    return found


def _build_ray(end: tuple[float, ...], union: BaseGeometry) -> shapely.LineString:
    """Return the line from `end` out of `union` that halves the angle of its outline there."""
    squeeze = cos(radians(end[1]))
    vectors = []
    for near in _neighbours(end, union):
        east, north = (near[0] - end[0]) * squeeze, near[1] - end[1]
        vectors.append((east / hypot(east, north), north / hypot(east, north)))
    (east_1, north_1), (east_2, north_2) = vectors
    east, north = east_1 + east_2, north_1 + north_2
    if hypot(east, north) < _FLAT:
        east, north = -north_1, east_1
    east, north = east / hypot(east, north) / squeeze, north / hypot(east, north)
    if union.contains(shapely.Point(end[0] + east * _STEP_DEG, end[1] + north * _STEP_DEG)):
        east, north = -east, -north
    return shapely.LineString([end[:2], (end[0] + east * _REACH_DEG, end[1] + north * _REACH_DEG)])


def _neighbours(end: tuple[float, ...], union: BaseGeometry) -> list[tuple[float, ...]]:
    """Return the points a step before and a step after `end` on the outline of `union`."""
    place = shapely.Point(end)
    ring = min(shapely.get_rings(shapely.get_parts(union)), key=lambda ring: ring.distance(place))
    along = ring.project(place)
    steps = (along - _STEP_DEG, along + _STEP_DEG)
    return [ring.interpolate(step % ring.length).coords[0] for step in steps]


def _nearest(place: BaseGeometry, outlines: Outlines) -> str:
    return min(sorted(outlines), key=lambda code: outlines[code].distance(place))


CELL_M: Final = 50.0
_MARGIN_M: Final = 500.0  # the borders are drawn so far beyond the mainland before they are cut to it
SMOOTHING_M: Final = 150.0  # standard deviation along the line
_OVERHANG_DEG: Final = 5 * GRID_DEG
_TOLERANCE_M: Final = 12.0  # of the vertices left out
_MIN_POINTS: Final = 4
_MIN_FACE_M2: Final = 40_000.0  # what is smaller goes to the neighbour that it shares most edge with


@dataclass(frozen=True)
class Division:
    """A county divided: its towns, the claims they made, and who has which cell."""

    units: tuple[Unit, ...]
    claims: Claims
    labels: Labels  # also beyond the land, from the nearest cell


Lands = Mapping[str, Land]


def build_grid(land: BaseGeometry, step: float) -> Grid:
    """Return the grid over `land`, metres, with a margin all round."""
    west, south, east, north = land.bounds
    xs = np.arange(west - _MARGIN_M, east + _MARGIN_M + step, step)
    ys = np.arange(south - _MARGIN_M, north + _MARGIN_M + step, step)
    shapely.prepare(land)
    columns, rows = np.meshgrid(xs, ys)
    return Grid(xs, ys, np.asarray(shapely.contains_xy(land, columns, rows)))


def divide(
    mainland: BaseGeometry,
    units: Sequence[Unit],
    groups: Mapping[tuple[int, ...], float],
    step: float = CELL_M,
) -> Division:
    """Divide a county's `mainland`, metres; `groups` gives areas, m², that towns by index must have there."""
    grid = build_grid(mainland, step)
    claims = Claims(grid, units)
    scale = float(grid.land.sum()) * grid.step**2 / mainland.area  # cells count a little more or less land
    return Division(
        tuple(units), claims, claims.divide({members: wanted * scale for members, wanted in groups.items()})
    )


def find_owner(island: BaseGeometry, units: Sequence[Unit]) -> int:
    """Return the index of the town that an `island`, metres, belongs to.

    Of the towns whose box holds most of it, the one that claims it most: the depth in the box over the
    distance to the seat. If no box does, the nearest one.
    """
    x, y = shapely.get_coordinates(island.representative_point())[0]
    boxed = [index for index, unit in enumerate(units) if unit.box is not None]
    boxes = {index: shapely.box(*(units[index].box or ())) for index in boxed}
    holders = [index for index in boxed if shapely.intersection(island, boxes[index]).area > island.area / 2]
    if not holders:
        return min(boxed, key=lambda index: boxes[index].distance(island))

    def claim(index: int) -> float:
        west, south, east, north = boxes[index].bounds
        depth = max(min(x - west, y - south, east - x, north - y), 0.0)
        seat_x, seat_y = units[index].seat
        return float((depth + 1.0) / (np.hypot(x - seat_x, y - seat_y) + 1.0))

    return max(holders, key=claim)


def release_sides(units: Sequence[Unit], islands: Sequence[BaseGeometry]) -> list[Unit]:
    """Return `units` with the sides loose that an island of theirs reaches: the mainland need not."""
    released = list(units)
    for island in islands:
        index = find_owner(island, units)
        unit = released[index]
        if unit.box is not None:
            west, south, east, north = island.bounds
            box = unit.box
            gaps = (west - box[0], south - box[1], box[2] - east, box[3] - north)
            reached = {side for side, gap in zip(SIDES, gaps, strict=True) if gap < OPEN_SEA_M}
            released[index] = replace(unit, loose=unit.loose | reached)
    return released


def build_towns(lands: Lands, divisions: Mapping[str, Division], frame: str) -> dict[str, BaseGeometry]:
    """Return the lon/lat geometry of every town by code; `frame` is the plane of the divisions.

    `lands` may hold further counties without division: they come out whole, under their own code,
    with the same vertices along the shared border.
    """
    lines: list[BaseGeometry] = [land.mainland.boundary for land in lands.values()]
    for code, division in divisions.items():
        lines.extend(_draw_borders(lands[code], division, frame))
    faces: dict[str, list[shapely.Polygon]] = {code: [] for code in lands}
    for face in polygonize(lines):
        point = face.representative_point()
        county = next((code for code in sorted(lands) if lands[code].mainland.covers(point)), None)
        if county is not None:
            faces[county].append(face)
    towns: dict[str, list[shapely.Polygon]] = {}
    for county, found in faces.items():
        own = divisions.get(county)
        owners = [county] * len(found) if own is None else _own(found, own, frame)
        for owner, face in zip(owners, found, strict=True):
            towns.setdefault(owner, []).append(face)
    made = {code: list(shapely.get_parts(shapely.coverage_union_all(part))) for code, part in towns.items()}
    for county, land in lands.items():
        for island in land.islands:
            own = divisions.get(county)
            made.setdefault(county if own is None else _own_island(island, own, frame), []).append(island)
    return {code: _collect(made[code]) for code in sorted(made)}


def _own_island(island: shapely.Polygon, division: Division, frame: str) -> str:
    plane = crs.transform_geometry(island, crs.LONLAT, frame)
    return division.units[find_owner(plane, division.units)].code


def trace_borders(labels: Labels, grid: Grid) -> list[shapely.LineString]:
    """Return the borders between the cells of different towns as lines between junctions, metres."""
    half = grid.step / 2
    rows, columns = np.nonzero(labels[:, :-1] != labels[:, 1:])
    x, y = grid.xs[columns] + half, grid.ys[rows]
    upright = np.stack([np.stack([x, y - half], -1), np.stack([x, y + half], -1)], 1)
    rows, columns = np.nonzero(labels[:-1] != labels[1:])
    x, y = grid.xs[columns], grid.ys[rows] + half
    level = np.stack([np.stack([x - half, y], -1), np.stack([x + half, y], -1)], 1)
    # Whole numbers of half cells: equal corners must be equal numbers.
    origin = np.array([grid.xs[0] - half, grid.ys[0] - half])
    edges = np.concatenate([upright, level])
    counted = np.rint((edges - origin) / half)
    merged = shapely.line_merge(shapely.MultiLineString(list(shapely.linestrings(counted))))
    lines = [line for line in shapely.get_parts(merged) if isinstance(line, shapely.LineString)]
    return [shapely.transform(line, lambda places: places * half + origin) for line in lines]


def smooth(line: shapely.LineString, step: float, sigma_m: float = SMOOTHING_M) -> shapely.LineString:
    """Return a traced line without its stairs; its two ends stay where they are."""
    points = shapely.get_coordinates(line)
    if len(points) < _MIN_POINTS:
        return line
    sigma = sigma_m / step
    if (points[0] == points[-1]).all():
        ring = ndimage.gaussian_filter1d(points[:-1], sigma, axis=0, mode="wrap")
        return shapely.LineString(np.concatenate([ring, ring[:1]]))
    part = np.linspace(0.0, 1.0, len(points))[:, None]
    chord = points[0] + part * (points[-1] - points[0])
    off = points - chord
    mirrored = np.concatenate([-off[:0:-1], off, -off[-2::-1]])  # so that the ends do not move
    filtered = ndimage.gaussian_filter1d(mirrored, sigma, axis=0, mode="nearest")
    drawn = chord + filtered[len(points) - 1 : 2 * len(points) - 1]
    drawn[[0, -1]] = points[[0, -1]]
    return shapely.LineString(drawn)


def _draw_borders(land: Land, division: Division, frame: str) -> list[BaseGeometry]:
    """Return the smoothed borders between towns in lon/lat, cut to the county's mainland."""
    grid = division.claims.grid
    near = shapely.buffer(crs.transform_geometry(land.mainland, crs.LONLAT, frame), _MARGIN_M / 2)
    lines = [smooth(line, grid.step) for line in trace_borders(division.labels, grid)]
    drawn = shapely.intersection(shapely.simplify(lines, _TOLERANCE_M), near)
    # Cut a little beyond the mainland: a line that ends on its very edge may miss it once both are rounded.
    reach = shapely.buffer(land.mainland, _OVERHANG_DEG)
    edges = shapely.intersection(crs.transform_geometry(shapely.union_all(drawn), frame, crs.LONLAT), reach)
    return [edge for edge in shapely.get_parts(edges) if isinstance(edge, shapely.LineString)]


def _own(faces: Sequence[shapely.Polygon], division: Division, frame: str) -> list[str]:
    """Return the code of the town that has each face of a county, with no town in two pieces of mainland.

    The largest piece of a town is its own. Other pieces go to the town that they share most edge with.
    """
    plane = [crs.transform_geometry(face, crs.LONLAT, frame) for face in faces]
    owners = [_look_up(face, division) for face in plane]
    areas = shapely.area(plane)
    settled = _find_main(faces, owners, areas)
    loose = sorted(set(range(len(faces))) - settled, key=lambda index: (-areas[index], index))
    while loose:
        done = []
        for index in loose:
            shared: dict[int, float] = {}
            for other in settled:
                length = shapely.intersection(faces[index].boundary, faces[other].boundary).length
                if length > 0:
                    shared[owners[other]] = shared.get(owners[other], 0.0) + length
            if shared:
                owners[index] = max(sorted(shared), key=lambda owner: shared[owner])
                settled.add(index)
                done.append(index)
        loose = [index for index in loose if index not in done]
        if not done:
            break
    return [division.units[owner].code for owner in owners]


def _find_main(faces: Sequence[shapely.Polygon], owners: Sequence[int], areas: Floats) -> set[int]:
    """Return the faces of the largest connected piece of each town, and of large pieces cut off by water."""
    main: set[int] = set()
    for owner in sorted(set(owners)):
        own = [index for index, one in enumerate(owners) if one == owner]
        pieces = _connect(own, faces)
        main |= max(pieces, key=lambda piece: float(sum(areas[index] for index in piece)))
    lonely = [index for index in range(len(faces)) if index not in main and areas[index] > _MIN_FACE_M2]
    tree = shapely.STRtree(faces)
    for index in lonely:
        touching = [other for other in tree.query(faces[index], predicate="intersects") if other != index]
        lines = [
            shapely.intersection(faces[index].boundary, faces[other].boundary).length for other in touching
        ]
        if not any(lines):
            main.add(index)
    return main


def _connect(indices: Sequence[int], faces: Sequence[shapely.Polygon]) -> list[set[int]]:
    """Return the groups of faces that hang together by edges."""
    left, groups = set(indices), []
    while left:
        group, edge = set(), [min(left)]
        while edge:
            one = edge.pop()
            if one in left:
                left.discard(one)
                group.add(one)
                edge.extend(
                    other
                    for other in sorted(left)
                    if shapely.intersection(faces[one].boundary, faces[other].boundary).length > 0
                )
        groups.append(group)
    return groups


def _look_up(face: BaseGeometry, division: Division) -> int:
    """Return the index of the town that has most cells of a face, or the cell in it if it has none."""
    grid = division.claims.grid
    window = grid.window(face.bounds)
    xs, ys = np.meshgrid(grid.xs[window[1]], grid.ys[window[0]])
    inside = shapely.contains_xy(face, xs, ys)
    if inside.any():
        return int(np.bincount(division.labels[window][inside]).argmax())
    x, y = shapely.get_coordinates(face.representative_point())[0]
    return int(division.labels[np.abs(grid.ys - y).argmin(), np.abs(grid.xs - x).argmin()])


def _collect(pieces: list[shapely.Polygon]) -> BaseGeometry:
    """Return the pieces as one geometry, largest first."""
    ordered = sorted(pieces, key=lambda piece: (-piece.area, piece.bounds))
    return ordered[0] if len(ordered) == 1 else shapely.MultiPolygon(ordered)


def to_plane_box(bounds: Bounds, frame: str) -> Bounds:
    """Return a lon/lat box on the plane: the box within all four curved sides, to a metre or two."""
    west, south, east, north = bounds
    middle_lon, middle_lat = (west + east) / 2, (south + north) / 2
    xs, ys = crs.transform(
        [west, east, middle_lon, middle_lon], [middle_lat, middle_lat, south, north], crs.LONLAT, frame
    )
    return float(xs[0]), float(ys[2]), float(xs[1]), float(ys[3])
