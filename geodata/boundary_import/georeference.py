"""Find out the coordinate system and axis order of a file, and transform its features to lon/lat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.coordinate_lists import (
    LINE_TYPES,
    ZONE_EAST,
    combine_even_odd,
    find_crs,
    list_rings,
    read_vocabulary,
)
from geodata.boundary_import.issues import (
    LANGUAGES,
    Issue,
    RefusedError,
    Texts,
    build_issue,
    join_terms,
    join_texts,
    phrase,
    term,
)
from geodata.boundary_import.reader import MAX_VERTICES, POLYGONS, BoundaryFile, SourceFeature

_MARGIN_DEG: Final = 0.4  # how far outside the city's bounds a feature may lie
_SAMPLE_SIZE: Final = 100
_STRAY_SHARE: Final = 0.1  # of a feature's points that may be slips where the others are in the city
_LONGEST_NAME: Final = 100  # of a system in words
_MAX_GAP: Final = 0.02  # of a line's length, between its ends
_CORNERS: Final = 3  # of a polygon at least
_NAMELESS: Final = frozenset({"unnamed", "unknown"})  # as MapInfo's files leave a system
_STEPS: Final = {3: 20, 6: 10}  # from the first zone of a series to the last, by its width in degrees
_CGCS_A_M: Final = 6_378_137.0  # the ellipsoid of CGCS2000, and its inverse flattening
_CGCS_RF: Final = 298.257222101
_CGCS_RF_ROUNDING: Final = 1e-6
_MAX_DEGREES: Final = 360.0  # what is more are metres
_MAX_PLAIN: Final = 1e9
_NOTABLE_M: Final = 1.0  # an uncertainty worth a message
# As far off as positions may be where no parameters are public: those of Beijing 1954 move a point by some
# 75 m at sea.
_UNKNOWN_DATUM_M: Final = 100.0


@dataclass
class Georeferenced:
    """The features in WGS 84 lon/lat, and how they were understood."""

    crs: str
    features: list[SourceFeature]
    issues: list[Issue] = field(default_factory=list)
    fixes: list[Issue] = field(default_factory=list)


def georeference(
    boundary_file: BoundaryFile, city: BaseGeometry, given: str | None, accuracy_m: float, *, fix: bool
) -> Georeferenced:
    """Return the features in lon/lat; `given` is the coordinate system that the user names.

    `accuracy_m` is the accuracy that the user states: no better than the system allows.

    `fix` lets axes be swapped that can only be the other way round. Features outside the city are
    left out where others are inside. Raises :class:`~geodata.boundary_import.issues.RefusedError` where the
    coordinates cannot be understood.
    """
    stated = given or boundary_file.crs
    boundary_file, left_out = _leave_out_empty(boundary_file)
    if stated is None:
        _check_shapes(boundary_file)
        _check_mixture(boundary_file, build_search_box(city))
        raise RefusedError(_describe_missing_crs(boundary_file, build_search_box(city)))
    definition = resolve_crs(stated)
    georeferenced = Georeferenced(_normalise_crs(definition, boundary_file, city), [], left_out)
    _check_shapes(boundary_file)
    _check_custom(definition, boundary_file.name)
    georeferenced.features, georeferenced.fixes = select_polygons(boundary_file, fix=fix)
    georeferenced.issues += georeferenced.fixes
    georeferenced.issues += check_datum(definition, boundary_file.name, accuracy_m)
    georeferenced.issues += _check_stated_crs(boundary_file, given)
    shapes = [feature.geometry for feature in georeferenced.features if feature.geometry is not None]
    near = build_search_box(city)
    places = to_lonlat_nearby(shapes, definition, near)
    if not all(places):
        _check_mixture(boundary_file, near)
    if not any(places):
        swapped = [swap_axes(shape) for shape in shapes]
        places = to_lonlat_nearby(swapped, definition, near)
        point = _format_first_point(shapes)
        if not any(places):
            raise RefusedError(describe_wrong_crs(shapes, georeferenced.crs, near, boundary_file.name))
        if not fix:
            raise RefusedError(build_issue("flipped-axes", boundary_file.name, point=point))
        swap = build_issue("flipped-swapped", boundary_file.name)
        georeferenced.fixes.append(swap)
        georeferenced.issues.append(swap)
    pairs = list(zip(georeferenced.features, places, strict=True))
    outside = [feature for feature, place in pairs if place is None]
    for (feature, place), shape in zip(pairs, shapes, strict=True):
        away = len(_find_away([shape], definition, near)) if place is None else 0
        if 0 < away <= _STRAY_SHARE * shapely.get_num_coordinates(shape):  # a slip of the pen
            raise RefusedError(describe_wrong_crs([shape], georeferenced.crs, near, feature.path))
    if outside:
        georeferenced.issues.append(build_issue("outside-city", outside[0].path, count=len(outside)))
    georeferenced.features = [
        replace(feature, geometry=place) for feature, place in pairs if place is not None
    ]
    return georeferenced


def build_search_box(city: BaseGeometry) -> BaseGeometry:
    """Return the box that features of the city lie in."""
    return shapely.box(*shapely.buffer(shapely.box(*city.bounds), _MARGIN_DEG).bounds)


def _normalise_crs(definition: str, boundary_file: BoundaryFile, city: BaseGeometry) -> str:
    try:
        name = crs.read_definition(definition)
    except ValueError as error:
        choices = _list_fitting(_sample(boundary_file), build_search_box(city))
        values = {"crs": definition[:60], "choices": choices}
        raise RefusedError(build_issue("unknown-crs", boundary_file.name, **values)) from error
    if name in _NAMELESS and crs.measure_uncertainty_m(definition) == 0:
        return _find_same(CRS.from_user_input(definition)) or name
    return name


def resolve_crs(stated: str) -> str:
    """Return a definition that PROJ knows where `stated` names a system in words; others as they are."""
    try:
        crs.read_definition(stated)
    except ValueError:
        return (find_crs(stated) if len(stated) <= _LONGEST_NAME else None) or stated
    return stated


def list_likely_systems(near: BaseGeometry, stated: str | None = None) -> list[str]:
    """Return the systems that numbers without one may be in, for a box in lon/lat.

    Web Mercator; CGCS2000, or the datum of which `stated` is the system in degrees, in zones of 3 degrees,
    first without their number before the easting, then with it; the same in zones of 6 degrees; in degrees.
    """
    west, _, east, _ = near.bounds
    middle = (west + east) / 2
    datums = read_vocabulary()["datums"]
    zoned = (one for one in datums.values() if one["series"] and f"EPSG:{one['geographic']}" == stated)
    datum = next(zoned, datums["cgcs2000"])
    found = ["EPSG:3857"]
    for width, shift in ((3, 0), (6, 3)):
        near_zones = [zone for zone in range(1, 61) if abs(zone * width - shift - middle) <= width]
        by_distance = sorted((abs(zone * width - shift - middle), zone) for zone in near_zones)
        for series in (f"meridian{width}", f"zone{width}"):
            first, code = datum["series"][series]
            steps = [
                (zone * width - shift - first) // width if series.startswith("meridian") else zone - first
                for _, zone in by_distance
            ]
            found += [f"EPSG:{code + step}" for step in steps if 0 <= step <= _STEPS[width]]
    return [*dict.fromkeys(found), f"EPSG:{datum['geographic']}"]


def describe_crs(code: str) -> Texts:
    """Return a system by its code and, if it is one of the usual ones, in words.

    >>> describe_crs("EPSG:4528")["zh"]
    'EPSG:4528（CGCS2000 3 度带 40 带）'
    """
    number = int(code.removeprefix("EPSG:")) if code.removeprefix("EPSG:").isdigit() else -1
    for name, datum in read_vocabulary()["datums"].items():
        title = term("datum", name)
        for series, (first, base) in datum["series"].items():
            width = int(series[-1])
            if 0 <= number - base <= _STEPS[width]:
                value = first + (number - base) * (width if series.startswith("meridian") else 1)
                return phrase(f"crs_{series[:-1]}", code=code, datum=title, width=width, value=value)
        if number == datum["geographic"]:
            return phrase("crs_degrees", code=code, datum=title)
    return dict.fromkeys(LANGUAGES, code)


def _check_custom(definition: str, path: str) -> None:
    """Refuse a system of which only the ellipsoid is known, with the usual one that has the same figures."""
    if crs.measure_uncertainty_m(definition) is not None:
        return
    system = CRS.from_user_input(definition)
    ellipsoid = system.ellipsoid
    if system.is_bound or ellipsoid is None or ellipsoid.semi_major_metre != _CGCS_A_M:
        return
    code = _find_same(system) if abs(ellipsoid.inverse_flattening - _CGCS_RF) < _CGCS_RF_ROUNDING else None
    if code is not None:
        values = {"crs": system.name[:60], "fits": describe_crs(code), "code": code}
        raise RefusedError(build_issue("custom-crs", path, **values))


def _find_same(system: CRS) -> str | None:
    """Return the code of the CGCS2000 system with the same projection, or None."""
    datum = read_vocabulary()["datums"]["cgcs2000"]
    if system.is_geographic:
        return f"EPSG:{datum['geographic']}"
    wanted = _list_parameters(system)
    series = datum["series"].items()
    codes = [code + step for name, (_, code) in series for step in range(_STEPS[int(name[-1])] + 1)]
    same = (code for code in codes if _list_parameters(CRS.from_epsg(code)) == wanted)
    return next((f"EPSG:{code}" for code in same), None)


def _list_parameters(system: CRS) -> dict[str, float]:
    operation = system.coordinate_operation
    return {one.name: round(float(one.value), 6) for one in operation.params} if operation else {}


def _describe_missing_crs(boundary_file: BoundaryFile, near: BaseGeometry) -> Issue:
    """Return the issue that a file names no system, with those that its numbers fit."""
    shapes = _sample(boundary_file)
    fits = _list_fitting(shapes, near)
    turned = _list_fitting([swap_axes(shape) for shape in shapes], near)
    if not fits and not turned:
        return build_issue(
            "unknown-numbers", boundary_file.name, point=_format_first_point(shapes) if shapes else "-"
        )
    if fits:
        said, example, more = phrase("fits", frames=join_texts(map(describe_crs, fits))), fits[0], ""
    else:
        said, example, more = (
            phrase("fits_swapped", frames=join_texts(map(describe_crs, turned))),
            turned[0],
            " --fix",
        )
    values = {"fits": said, "example": example, "more": more, "choices": fits or turned}
    return build_issue("missing-crs", boundary_file.name, **values)


def _list_fitting(shapes: Sequence[BaseGeometry], near: BaseGeometry) -> list[str]:
    """Return the usual systems in which any of the shapes lies in the city."""
    return [frame for frame in list_likely_systems(near) if any(to_lonlat_nearby(shapes, frame, near))]


def _check_mixture(boundary_file: BoundaryFile, near: BaseGeometry) -> None:
    """Refuse a file whose points are all in the city, but written in more than one way.

    Ways are told apart by the size of the numbers: degrees, metres, metres after the number of a zone; and
    by which of the two is larger.
    """
    points = shapely.get_coordinates([feature.geometry for feature in boundary_file.features])
    sizes = np.abs(points)
    ways = np.searchsorted([_MAX_DEGREES, ZONE_EAST], sizes.max(axis=1)) * 2 + (sizes[:, 0] < sizes[:, 1])
    first, *others = sorted(np.unique(ways), key=lambda way: int(np.argmax(ways == way)))
    if not others:
        return
    likely = list_likely_systems(near)
    for way in (first, *others):
        shape = shapely.MultiPoint(points[ways == way])
        if not any(any(to_lonlat_nearby([shape, swap_axes(shape)], frame, near)) for frame in likely):
            return
    shown = [_format_point(points[ways == way][0]) for way in (first, others[0])]
    count = int((ways == others[0]).sum())
    raise RefusedError(
        build_issue("mixed-numbers", boundary_file.name, first=shown[0], other=shown[1], count=count)
    )


def _sample(boundary_file: BoundaryFile) -> list[BaseGeometry]:
    """Return some of the points of some of the features: enough to tell which system they fit."""
    every = [shapely.get_coordinates(feature.geometry) for feature in boundary_file.features[:_SAMPLE_SIZE]]
    return [shapely.MultiPoint(points[:: 1 + len(points) // _SAMPLE_SIZE]) for points in every if len(points)]


def check_datum(definition: str, path: str, accuracy_m: float) -> list[Issue]:
    """Return how far off the datum leaves positions; an error if they are said to be better than that."""
    uncertain_m = crs.measure_uncertainty_m(definition)
    if uncertain_m is not None and uncertain_m <= _NOTABLE_M:
        return []
    code = "unknown-datum" if uncertain_m is None else "uncertain-datum"
    least_m = _UNKNOWN_DATUM_M if uncertain_m is None else uncertain_m
    told = accuracy_m >= least_m or crs.brings_parameters(definition)
    told_crs = describe_crs(crs.read_definition(definition))
    values = {"crs": told_crs, "metres": f"{least_m:g}", "given": f"{accuracy_m:g}"}
    return [build_issue(code, path, **values, level="warning" if told else "error")]


def _check_stated_crs(boundary_file: BoundaryFile, given: str | None) -> list[Issue]:
    found = []
    if given and boundary_file.crs:
        own, expected = _normalise_or_quote(boundary_file.crs), crs.read_definition(resolve_crs(given))
        if {own, expected} - {crs.LONLAT, "EPSG:4326"} and own != expected:
            found.append(build_issue("crs-mismatch", boundary_file.name, own=own, given=expected))
    return found


def _normalise_or_quote(definition: str) -> str:
    try:
        return crs.read_definition(resolve_crs(definition))
    except ValueError:
        return definition[:40]


def _leave_out_empty(boundary_file: BoundaryFile) -> tuple[BoundaryFile, list[Issue]]:
    """Return a file without the features that have no geometry, where others have some, and that it is so."""
    rows = boundary_file.features
    placed = [one for one in rows if one.geometry is not None and not one.geometry.is_empty]
    if len(placed) in {0, len(rows)}:
        return boundary_file, []
    values = {"count": len(rows) - len(placed), "total": len(rows)}
    told = build_issue("empty-left-out", boundary_file.name, **values)
    return replace(boundary_file, features=placed), [told]


def _check_shapes(boundary_file: BoundaryFile) -> None:
    """Refuse features without geometry, with coordinates that are no numbers, or with too many of them."""
    count = int(sum(shapely.get_num_coordinates(one.geometry) for one in boundary_file.features))
    if count > MAX_VERTICES:
        values = {"count": count, "limit": MAX_VERTICES}
        raise RefusedError(build_issue("too-many-vertices", boundary_file.name, **values))
    for feature in boundary_file.features:
        if feature.geometry is None or feature.geometry.is_empty:
            raise RefusedError(build_issue("empty-geometry", feature.path))
    for feature in boundary_file.features:
        if not np.isfinite(shapely.get_coordinates(feature.geometry)).all():
            raise RefusedError(build_issue("not-finite", feature.path))


def select_polygons(boundary_file: BoundaryFile, *, fix: bool) -> tuple[list[SourceFeature], list[Issue]]:
    """Return the features that are polygons, and what became of the others.

    Beside polygons, points and lines are left out. Where there are lines only, `fix` closes them. Raises
    :class:`~geodata.boundary_import.issues.RefusedError` where there is nothing that could be a polygon.
    """
    features = [_drop_other_parts(feature) for feature in boundary_file.features]
    polygons = [one for one in features if one.geometry and one.geometry.geom_type in POLYGONS]
    others = [one for one in features if one.geometry and one.geometry.geom_type not in POLYGONS]
    if not others:
        return polygons, []
    kinds = join_terms("geometry", {one.geometry.geom_type for one in others if one.geometry})
    values = {"count": len(others), "total": len(features), "type": kinds}
    if polygons:
        return polygons, [build_issue("non-polygons-left-out", others[0].path, **values)]
    closed = close_lines(others)
    if not closed:
        raise RefusedError(build_issue("wrong-geometry-type", others[0].path, **values))
    if not fix:
        raise RefusedError(build_issue("lines-not-closed", others[0].path, **values))
    return closed, [build_issue("lines-closed", others[0].path, **values)]


def _drop_other_parts(feature: SourceFeature) -> SourceFeature:
    """Return a feature that is a collection with its polygons only, if it has some."""
    if not isinstance(feature.geometry, shapely.GeometryCollection):
        return feature
    parts = [part for part in shapely.get_parts(feature.geometry) if part.geom_type in POLYGONS]
    whole = [polygon for part in parts for polygon in shapely.get_parts(part)]
    return replace(feature, geometry=shapely.MultiPolygon(whole)) if whole else feature


def close_lines(features: Sequence[SourceFeature]) -> list[SourceFeature]:
    """Return the polygons that lines enclose, one for each set of attributes; none if a line fails to.

    A line counts as closed if its ends are no farther apart than a fiftieth of its length. Lines that only
    together form rings are joined.
    """
    groups: dict[tuple[str, ...], list[SourceFeature]] = {}
    for feature in features:
        if feature.geometry is None or feature.geometry.geom_type not in LINE_TYPES:
            return []
        groups.setdefault(tuple(map(str, feature.properties.values())), []).append(feature)
    found = []
    for rows in groups.values():
        lines = [line for row in rows for line in shapely.get_parts(row.geometry)]
        rings = [ring for line in lines for ring in list_rings(_close(line))]
        if len(rings) < len(lines):
            joined = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
            rings = [ring for line in joined for ring in list_rings(_close(line))]
            if not rings or len(rings) < len(joined):
                return []
        found.append(replace(rows[0], geometry=combine_even_odd(rings)))
    return found


def _close(line: BaseGeometry) -> BaseGeometry:
    points = shapely.get_coordinates(line)
    gap = float(np.hypot(*(points[0] - points[-1])))
    near = len(points) > _CORNERS and 0 < gap <= _MAX_GAP * line.length
    return shapely.LineString([*points, points[0]]) if near else line


def to_lonlat_nearby(
    shapes: Sequence[BaseGeometry | None], definition: str, near: BaseGeometry
) -> list[BaseGeometry | None]:
    """Return each shape in lon/lat; None for one that is not near the city."""
    placed = [crs.to_lonlat(shape, definition) for shape in shapes if shape is not None]
    return [shape if _is_near(shape, near) else None for shape in placed]


def _is_near(shape: BaseGeometry, near: BaseGeometry) -> bool:
    finite = bool(np.isfinite(shapely.get_coordinates(shape)).all())
    return finite and bool(near.contains(shapely.box(*shape.bounds)))


def swap_axes(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape with its axes the other way round."""
    swapped: BaseGeometry = shapely.transform(shape, lambda points: points[:, ::-1])
    return swapped


def describe_wrong_crs(shapes: Sequence[BaseGeometry], stated: str, near: BaseGeometry, path: str) -> Issue:
    """Return the issue that the numbers do not fit the stated system, with one that they do fit."""
    values = {"crs": describe_crs(stated), "point": _format_first_point(shapes)}
    likely = list_likely_systems(near, stated)
    for frame in likely:
        if frame != stated and any(to_lonlat_nearby(shapes, frame, near)):
            code = "mercator-numbers" if frame == likely[0] else "projected-numbers"
            return build_issue(code, path, fits=describe_crs(frame), code=frame, **values)
    away = _find_away(shapes, stated, near)
    values["point"] = _format_point(away[0])
    return build_issue("out-of-bounds", path, **values, count=len(away))


def _find_away(shapes: Sequence[BaseGeometry], definition: str, near: BaseGeometry) -> NDArray[np.float64]:
    """Return the points of shapes that are not near the city, as they stand in the file."""
    points = shapely.get_coordinates(shapes)
    placed = shapely.get_coordinates(crs.to_lonlat(shapely.MultiPoint(points), definition))
    return points[~shapely.contains_xy(near, placed)]


def _format_first_point(shapes: Sequence[BaseGeometry]) -> str:
    return _format_point(shapely.get_coordinates(shapes[0])[0])


def _format_point(point: NDArray[np.float64]) -> str:
    x, y = point
    return f"({_format_coordinate(x)}, {_format_coordinate(y)})"


def _format_coordinate(number: float) -> str:
    """Return a coordinate as people write it: whole metres, degrees to some ten metres."""
    if not np.isfinite(number) or abs(number) >= _MAX_PLAIN:
        return f"{number:.3g}"
    return f"{number:.0f}" if abs(number) > _MAX_DEGREES else f"{number:.4f}"


SWAPPED: Final = "swapped"


@dataclass(frozen=True)
class Drawable:
    """Geometries in lon/lat near the city: of any type, valid or not.

    `assumed` says how they had to be read to be there: with their axes `SWAPPED`, or in another
    coordinate system; None where they are as the file, or the user, says.
    """

    shapes: tuple[BaseGeometry, ...] = ()
    assumed: str | None = None


def select_drawable(boundary_file: BoundaryFile, city: BaseGeometry, given: str | None) -> Drawable:
    """Return what can be drawn; `given` is the coordinate system that the user names."""
    shapes = [part for one in boundary_file.features for part in _list_parts(one.geometry)]
    if sum(shapely.get_num_coordinates(shapes)) > MAX_VERTICES:
        return Drawable()
    near, stated = build_search_box(city), given or boundary_file.crs
    definition = resolve_crs(stated) if stated else None
    swapped = [swap_axes(shape) for shape in shapes]
    readings: list[tuple[list[BaseGeometry], str | None, str | None]] = [
        (shapes, definition, None),
        (swapped, definition, SWAPPED),
        *((shapes, frame, frame) for frame in list_likely_systems(near)),
    ]
    for these, frame, assumed in readings:
        try:
            placed = to_lonlat_nearby(these, frame, near) if frame else []
        except ValueError:  # a system that is not known
            continue
        found = tuple(shape for shape in placed if shape is not None)
        if found:
            return Drawable(found, assumed)
    return Drawable()


def _list_parts(geometry: BaseGeometry | None) -> list[BaseGeometry]:
    """Return a geometry, or those of a collection, as far as they are there and are numbers."""
    if geometry is None or geometry.is_empty:
        return []
    collection = isinstance(geometry, shapely.GeometryCollection)
    parts = list(shapely.get_parts(geometry)) if collection else [geometry]
    return [part for part in parts if np.isfinite(shapely.get_coordinates(part)).all()]
