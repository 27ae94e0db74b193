"""Find out the coordinate system and axis order of a file, and transform its features to lon/lat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.issues import Issue, RefusedError, build_issue, join, join_terms, phrase
from geodata.boundary_import.reader import MAX_VERTICES, POLYGONS, BoundaryFile, SourceFeature

_MARGIN_DEG: Final = 0.4  # how far outside the city's bounds a feature may lie
# Web Mercator; CGCS2000 in zones of 3 degrees without and with their number before the easting, the same
# in zones of 6 degrees; CGCS2000 in degrees.
LIKELY_SYSTEMS: Final = (
    *("EPSG:3857", "EPSG:4550", "EPSG:4549", "EPSG:4529", "EPSG:4528"),
    *("EPSG:4510", "EPSG:4499", "EPSG:4490"),
)
_SAMPLE_SIZE: Final = 100
_MAX_DEGREES: Final = 360.0  # what is more are metres
_MAX_PLAIN: Final = 1e9
_NOTABLE_M: Final = 1.0  # an uncertainty worth a message
# As far off as positions may be where no parameters are public: those of Beijing 1954 for the Yellow Sea
# move a point in Weihai by 75 m.
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
    definition = given or boundary_file.crs
    if definition is None:
        raise RefusedError(_describe_missing_crs(boundary_file, build_search_box(city)))
    georeferenced = Georeferenced(
        _normalise_crs(definition, boundary_file.name), list(_check_shapes(boundary_file))
    )
    georeferenced.issues += check_datum(definition, boundary_file.name, accuracy_m)
    georeferenced.issues += _check_stated_crs(boundary_file, given)
    shapes = [feature.geometry for feature in georeferenced.features if feature.geometry is not None]
    near = build_search_box(city)
    places = to_lonlat_nearby(shapes, definition, near)
    if not any(places):
        swapped = [swap_axes(shape) for shape in shapes]
        places = to_lonlat_nearby(swapped, definition, near)
        point = _format_first_point(shapes)
        if not any(places):
            raise RefusedError(_describe_wrong_crs(shapes, georeferenced.crs, near, boundary_file.name))
        if not fix:
            raise RefusedError(build_issue("flipped-axes", boundary_file.name, point=point))
        georeferenced.fixes.append(build_issue("flipped-swapped", boundary_file.name))
        georeferenced.issues += georeferenced.fixes
    pairs = list(zip(georeferenced.features, places, strict=True))
    outside = [feature for feature, place in pairs if place is None]
    if outside:
        georeferenced.issues.append(build_issue("outside-city", outside[0].path, count=len(outside)))
    georeferenced.features = [
        replace(feature, geometry=place) for feature, place in pairs if place is not None
    ]
    return georeferenced


def build_search_box(city: BaseGeometry) -> BaseGeometry:
    """Return the box that features of the city lie in."""
    return shapely.box(*shapely.buffer(shapely.box(*city.bounds), _MARGIN_DEG).bounds)


def _normalise_crs(definition: str, path: str) -> str:
    try:
        return crs.read_definition(definition)
    except ValueError as error:
        raise RefusedError(build_issue("unknown-crs", path, crs=definition[:60])) from error


def _describe_missing_crs(boundary_file: BoundaryFile, near: BaseGeometry) -> Issue:
    """Return the issue that a file names no system, with those that its numbers fit."""
    shapes = _sample(boundary_file)
    fits = [frame for frame in LIKELY_SYSTEMS if any(to_lonlat_nearby(shapes, frame, near))]
    swapped = [swap_axes(shape) for shape in shapes]
    turned = [frame for frame in LIKELY_SYSTEMS if any(to_lonlat_nearby(swapped, frame, near))]
    if not fits and not turned:
        return build_issue(
            "unknown-numbers", boundary_file.name, point=_format_first_point(shapes) if shapes else "-"
        )
    if fits:
        said, example, more = phrase("fits", frames=join(fits)), fits[0], ""
    else:
        said, example, more = phrase("fits_swapped", frames=join(turned)), turned[0], " --fix"
    return build_issue("missing-crs", boundary_file.name, fits=said, example=example, more=more)


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
    values = {"crs": crs.read_definition(definition), "metres": f"{least_m:g}", "given": f"{accuracy_m:g}"}
    return [build_issue(code, path, **values, level="warning" if told else "error")]


def _check_stated_crs(boundary_file: BoundaryFile, given: str | None) -> list[Issue]:
    found = []
    if given and boundary_file.crs:
        own, expected = _normalise_or_quote(boundary_file.crs), crs.read_definition(given)
        if {own, expected} - {crs.LONLAT, "EPSG:4326"} and own != expected:
            found.append(build_issue("crs-mismatch", boundary_file.name, own=own, given=expected))
    return found


def _normalise_or_quote(definition: str) -> str:
    try:
        return crs.read_definition(definition)
    except ValueError:
        return definition[:40]


def _check_shapes(boundary_file: BoundaryFile) -> list[SourceFeature]:
    """Return the features; raises for coordinates that are no numbers, or for too many of them."""
    count = int(sum(shapely.get_num_coordinates(one.geometry) for one in boundary_file.features))
    if count > MAX_VERTICES:
        raise RefusedError(
            build_issue("too-many-vertices", boundary_file.name, count=count, limit=MAX_VERTICES)
        )
    for feature in boundary_file.features:
        if feature.geometry is None or feature.geometry.is_empty:
            raise RefusedError(build_issue("empty-geometry", feature.path))
    wrong = [one for one in boundary_file.features if one.geometry and one.geometry.geom_type not in POLYGONS]
    if wrong:
        kinds = join_terms("geometry", {one.geometry.geom_type for one in wrong if one.geometry})
        values = {"count": len(wrong), "total": len(boundary_file.features), "type": kinds}
        raise RefusedError(build_issue("wrong-geometry-type", wrong[0].path, **values))
    for feature in boundary_file.features:
        if not np.isfinite(shapely.get_coordinates(feature.geometry)).all():
            raise RefusedError(build_issue("not-finite", feature.path))
    return boundary_file.features


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


def _describe_wrong_crs(shapes: Sequence[BaseGeometry], stated: str, near: BaseGeometry, path: str) -> Issue:
    """Return the issue that the numbers do not fit the stated system, with one that they do fit."""
    values = {"crs": stated, "point": _format_first_point(shapes)}
    for frame in LIKELY_SYSTEMS:
        if frame != stated and any(to_lonlat_nearby(shapes, frame, near)):
            code = "mercator-numbers" if frame == LIKELY_SYSTEMS[0] else "projected-numbers"
            return build_issue(code, path, fits=frame, **values)
    return build_issue("out-of-bounds", path, **values)


def _format_first_point(shapes: Sequence[BaseGeometry]) -> str:
    x, y = shapely.get_coordinates(shapes[0])[0]
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
    near, definition = build_search_box(city), given or boundary_file.crs
    swapped = [swap_axes(shape) for shape in shapes]
    readings: list[tuple[list[BaseGeometry], str | None, str | None]] = [
        (shapes, definition, None),
        (swapped, definition, SWAPPED),
        *((shapes, frame, frame) for frame in LIKELY_SYSTEMS),
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
