"""Understand the coordinates of a file: which system, which axis first, anywhere near the city at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.finding import Finding, RefusedError, find
from geodata.incoming.intake import MAX_VERTICES, Incoming, Intake
from geodata.incoming.tables import POLYGONS
from geodata.incoming.titles import join, join_words, phrase

_MARGIN_DEG: Final = 0.4  # how far outside the city's bounds a feature may lie
# Web Mercator; CGCS2000 in zones of 3 degrees without and with their number before the easting, the same
# in zones of 6 degrees; CGCS2000 in degrees.
LIKELY: Final = (
    *("EPSG:3857", "EPSG:4550", "EPSG:4549", "EPSG:4529", "EPSG:4528"),
    *("EPSG:4510", "EPSG:4499", "EPSG:4490"),
)
_SOME: Final = 100
_DEGREES: Final = 360.0  # what is more are metres
_HUGE: Final = 1e9
_NOTABLE_M: Final = 1.0  # an uncertainty worth a word
# As far off as positions may be where no parameters are public: those of Beijing 1954 for the Yellow Sea
# move a point in Weihai by 75 m.
_UNKNOWN_M: Final = 100.0


@dataclass
class Located:
    """The features in WGS 84 lon/lat, and how that was understood."""

    crs: str
    features: list[Incoming]
    findings: list[Finding] = field(default_factory=list)
    fixes: list[Finding] = field(default_factory=list)


def locate(intake: Intake, city: BaseGeometry, given: str | None, accuracy_m: float, *, fix: bool) -> Located:
    """Return the features in lon/lat; `given` is the coordinate system that the user names.

    `accuracy_m` is how accurate the user says that they are: no more than their system allows.

    `fix` lets axes be swapped that can only be the other way round. Features outside the city are
    left out where others are inside. Raises :class:`~geodata.incoming.finding.RefusedError` where the
    coordinates cannot be understood.
    """
    definition = given or intake.crs
    if definition is None:
        raise RefusedError(_say_missing(intake, near_city(city)))
    located = Located(_name(definition, intake.name), list(_check_shapes(intake)))
    located.findings += check_datum(definition, intake.name, accuracy_m)
    located.findings += _check_system(intake, given)
    shapes = [feature.geometry for feature in located.features if feature.geometry is not None]
    near = near_city(city)
    places = place_shapes(shapes, definition, near)
    if not any(places):
        swapped = [swap(shape) for shape in shapes]
        places = place_shapes(swapped, definition, near)
        point = _first(shapes)
        if not any(places):
            raise RefusedError(_say_where(shapes, located.crs, near, intake.name))
        if not fix:
            raise RefusedError(find("flipped-axes", intake.name, point=point))
        located.fixes.append(find("flipped-swapped", intake.name))
        located.findings += located.fixes
    pairs = list(zip(located.features, places, strict=True))
    outside = [feature for feature, place in pairs if place is None]
    if outside:
        located.findings.append(find("outside-city", outside[0].path, count=len(outside)))
    located.features = [replace(feature, geometry=place) for feature, place in pairs if place is not None]
    return located


def near_city(city: BaseGeometry) -> BaseGeometry:
    """Return the box that features of the city lie in."""
    return shapely.box(*shapely.buffer(shapely.box(*city.bounds), _MARGIN_DEG).bounds)


def _name(definition: str, path: str) -> str:
    try:
        return crs.read_definition(definition)
    except ValueError as error:
        raise RefusedError(find("unknown-crs", path, crs=definition[:60])) from error


def _say_missing(intake: Intake, near: BaseGeometry) -> Finding:
    """Return which systems the numbers of a file fit that names none."""
    shapes = _sample(intake)
    fits = [frame for frame in LIKELY if any(place_shapes(shapes, frame, near))]
    swapped = [swap(shape) for shape in shapes]
    turned = [frame for frame in LIKELY if any(place_shapes(swapped, frame, near))]
    if not fits and not turned:
        return find("unknown-numbers", intake.name, point=_first(shapes) if shapes else "-")
    if fits:
        said, example, more = phrase("fits", frames=join(fits)), fits[0], ""
    else:
        said, example, more = phrase("fits_swapped", frames=join(turned)), turned[0], " --fix"
    return find("missing-crs", intake.name, fits=said, example=example, more=more)


def _sample(intake: Intake) -> list[BaseGeometry]:
    """Return some of the points of some of the features: enough to tell which system they fit."""
    every = [shapely.get_coordinates(feature.geometry) for feature in intake.features[:_SOME]]
    return [shapely.MultiPoint(points[:: 1 + len(points) // _SOME]) for points in every if len(points)]


def check_datum(definition: str, path: str, accuracy_m: float) -> list[Finding]:
    """Return how far off the datum leaves positions; an error if they are said to be better than that."""
    uncertain_m = crs.measure_uncertainty_m(definition)
    if uncertain_m is not None and uncertain_m <= _NOTABLE_M:
        return []
    code = "unknown-datum" if uncertain_m is None else "uncertain-datum"
    least_m = _UNKNOWN_M if uncertain_m is None else uncertain_m
    told = accuracy_m >= least_m or crs.brings_parameters(definition)
    values = {"crs": crs.read_definition(definition), "metres": f"{least_m:g}", "given": f"{accuracy_m:g}"}
    return [find(code, path, **values, level="warning" if told else "error")]


def _check_system(intake: Intake, given: str | None) -> list[Finding]:
    found = []
    if given and intake.crs:
        own, wanted = _name_or_text(intake.crs), crs.read_definition(given)
        if {own, wanted} - {crs.LONLAT, "EPSG:4326"} and own != wanted:
            found.append(find("crs-mismatch", intake.name, own=own, given=wanted))
    return found


def _name_or_text(definition: str) -> str:
    try:
        return crs.read_definition(definition)
    except ValueError:
        return definition[:40]


def _check_shapes(intake: Intake) -> list[Incoming]:
    """Return the features; raises for coordinates that are no numbers, or for too many of them."""
    count = int(sum(shapely.get_num_coordinates(one.geometry) for one in intake.features))
    if count > MAX_VERTICES:
        raise RefusedError(find("too-many-vertices", intake.name, count=count, limit=MAX_VERTICES))
    for feature in intake.features:
        if feature.geometry is None or feature.geometry.is_empty:
            raise RefusedError(find("empty-geometry", feature.path))
    wrong = [one for one in intake.features if one.geometry and one.geometry.geom_type not in POLYGONS]
    if wrong:
        kinds = join_words("geometry", {one.geometry.geom_type for one in wrong if one.geometry})
        values = {"count": len(wrong), "total": len(intake.features), "type": kinds}
        raise RefusedError(find("wrong-geometry-type", wrong[0].path, **values))
    for feature in intake.features:
        if not np.isfinite(shapely.get_coordinates(feature.geometry)).all():
            raise RefusedError(find("not-finite", feature.path))
    return intake.features


def place_shapes(
    shapes: Sequence[BaseGeometry | None], definition: str, near: BaseGeometry
) -> list[BaseGeometry | None]:
    """Return each shape in lon/lat; None for one that is not near the city."""
    placed = [crs.to_lonlat(shape, definition) for shape in shapes if shape is not None]
    return [shape if _is_near(shape, near) else None for shape in placed]


def _is_near(shape: BaseGeometry, near: BaseGeometry) -> bool:
    finite = bool(np.isfinite(shapely.get_coordinates(shape)).all())
    return finite and bool(near.contains(shapely.box(*shape.bounds)))


def swap(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape with its axes the other way round."""
    swapped: BaseGeometry = shapely.transform(shape, lambda points: points[:, ::-1])
    return swapped


def _say_where(shapes: Sequence[BaseGeometry], claimed: str, near: BaseGeometry, path: str) -> Finding:
    """Return which other system the numbers fit, if one."""
    values = {"crs": claimed, "point": _first(shapes)}
    for frame in LIKELY:
        if frame != claimed and any(place_shapes(shapes, frame, near)):
            code = "mercator-numbers" if frame == LIKELY[0] else "projected-numbers"
            return find(code, path, fits=frame, **values)
    return find("out-of-bounds", path, **values)


def _first(shapes: Sequence[BaseGeometry]) -> str:
    x, y = shapely.get_coordinates(shapes[0])[0]
    return f"({_plain(x)}, {_plain(y)})"


def _plain(number: float) -> str:
    """Return a coordinate as people write it: whole metres, degrees to some ten metres."""
    if not np.isfinite(number) or abs(number) >= _HUGE:
        return f"{number:.3g}"
    return f"{number:.0f}" if abs(number) > _DEGREES else f"{number:.4f}"
