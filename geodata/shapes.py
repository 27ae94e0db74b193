"""Build the polygon of every place, and say of each how true it is.

Counties and zones are unions of towns. Parks and other places without a known extent get an
indicative circle around their known point. Areas are unions of their members. All geometry is lon/lat.

Accuracy, metres, is the distance within which nine of ten points of the real edge are expected,
from the figures measured at the rebuild (``quality`` in ``datapackage.json``):

- digitised and reconstructed: the edge of a place is made of stretches, each with an accuracy of its own
  (``edges``): known county borders, coast, and borders between towns, for which that is what the method was
  measured to earn where it stands. The accuracy of the place is the distance within which nine of ten points
  of all its stretches together are expected, with errors distributed as measured (``quantiles``).
- indicative: the accuracy of the known point. Such a place has no territory: its polygon says within what it
  is uncertain, so it has no area, and is drawn as its `spots`.
- derived: the worst of the members. A union of nothing but indicative members is indicative itself; one
  of nothing but official or surveyed members is no sketch, and is drawn with their line.
- official, surveyed: as the one who imported the boundary stated it. Between a town inside and a town
  outside such a boundary its accuracy takes the place of the pair's above.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import hypot
from typing import Final, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import Boundaries, DataPackage, FeatureCollection, Quality, parse_geometry
from geodata.imported import IMPORTED_METHODS, Adjusted, ImportedBoundary, Members
from geodata.kinds import CITY, LANGUAGES, SEA
from geodata.model import Area, OfficialArea, Position, Site, Text, Town
from geodata.planar import GRID_DEG, unite
from geodata.read import Facts

Method = Literal["surveyed", "official", "digitised", "reconstructed", "indicative", "derived"]

_SCHEMATIC: Final[tuple[Method, ...]] = ("reconstructed", "indicative", "derived")
_LABEL_TOLERANCE_DEG: Final = 1e-3
_LABEL_DECIMALS: Final = 6
_MAX_RADIUS_M: Final = 50_000.0
_HALVINGS: Final = 40
_NINE_IN_TEN: Final = 0.9
_REMEMBERED: Final = 256  # geometries: an import leaves most as they were


class ShapeError(ValueError):
    """A place cannot be drawn from the facts and the boundaries; the message names it."""


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A known point, degrees, and within how many metres of it the place is."""

    lon: float
    lat: float
    accuracy_m: float


@dataclass(frozen=True)
class Stretch:
    """Lines, lon/lat, that divide two neighbours, and how true they are.

    A neighbour is a town, a neighbouring county or the sea.
    """

    between: tuple[str, str]
    line: BaseGeometry
    accuracy_m: float
    drawn_by: Method  # how the line was made


@dataclass(frozen=True)
class Shape:
    """The polygon of one place with its provenance; lon/lat, right-hand rule, never invalid."""

    id: str
    geometry: shapely.Polygon | shapely.MultiPolygon | shapely.Point
    method: Method
    accuracy_m: float
    sources: tuple[str, ...]  # ids of plan/sources.yaml
    licence: str
    area_km2: float | None  # geodesic; None where the polygon is no extent
    label: shapely.Point  # inside the largest part
    official_area_km2: float | None = None
    official_area_source: str | None = None
    adjusted_by: tuple[str, ...] = ()  # places whose imported boundary moved this one's edge
    joined: Method | None = None  # of a union of imported boundaries: how the lesser of them was made
    spots: tuple[KnownPoint, ...] = ()  # where a place without a known extent is known to be about
    no_area: Text | None = None  # why it has no area, where it has none

    @property
    def edge(self) -> Method:
        """Whose line the edge is: what is joined from imported boundaries has theirs."""
        return self.joined or self.method

    @property
    def schematic(self) -> bool:
        """Whether the edge shows only about where the real one is."""
        return self.edge in _SCHEMATIC


@dataclass(frozen=True)
class _Draft:
    """A shape before it is measured."""

    geometry: BaseGeometry
    method: Method
    accuracy_m: float
    sources: tuple[str, ...]
    adjusted_by: tuple[str, ...] = ()
    joined: Method | None = None
    spots: tuple[KnownPoint, ...] = ()


def build_shapes(facts: Facts, boundaries: Boundaries) -> dict[str, Shape]:
    """Build the shape of the city, every county, town, zone, park and area.

    `boundaries` is what :func:`geodata.read.read_boundaries` gives, with imports as
    :func:`geodata.boundary_import.snap.to_boundaries` puts them in. Places whose site is not known have no
    shape. Raises :class:`ShapeError` for a town, a member or a bound that has no shape.
    """
    package = boundaries["datapackage"]
    adjusted = _get_adjusted(boundaries)
    drafts = _draft_towns(facts, boundaries["towns"], package, adjusted)
    ready = {**adjusted.pieces, CITY: drafts[CITY].geometry} if adjusted.pieces else {}
    land = unite(_get_pieces(boundaries["land"], ready).values())
    drafts |= _draft_sites(facts, drafts, land, package)
    drafts |= _draft_imports(adjusted)
    for area in facts.areas.values():
        drafts[area.id] = _draft_area(area, drafts)
    codes = {town.id: town.code for town in facts.towns.values()}
    chosen = {area.of: area for area in facts.official_areas if area.chosen}
    terms = {record.source_id: record.licence for record in adjusted.imports.values()}
    base = str(package["licence"]).strip()
    indicative = package["methods"].get("indicative")
    said = indicative.get("no_area") if indicative else None
    no_area = None if said is None else Text.model_validate(said)
    return {
        name: _finish(
            name, draft, chosen.get(codes.get(name, name)), _join_terms(draft, terms, base), no_area
        )
        for name, draft in drafts.items()
    }


def build_waters(boundaries: Boundaries) -> list[tuple[Text, Shape]]:
    """Build, with its name, the shape of each water that the coast closes to land.

    It is shown over the land and never cut out of it: where its shore runs nobody knows better than where
    the coast does.
    """
    package, collection = boundaries["datapackage"], boundaries.get("water")
    if collection is None:
        return []
    method, accuracy_m = package["methods"]["water"], float(package["quality"]["coast"]["p90_m"])
    licence, no_area = str(package["licence"]).strip(), Text.model_validate(method["no_area"])
    found = []
    for row in collection["features"]:
        names = {language: str(row["properties"][f"name_{language}"]) for language in LANGUAGES}
        draft = _Draft(parse_geometry(row), "indicative", accuracy_m, tuple(method["sources"]))
        found.append((Text(**names), _finish(row["id"], draft, None, licence, no_area)))
    return found


def _get_pieces(collection: FeatureCollection, ready: Mapping[str, BaseGeometry]) -> dict[str, BaseGeometry]:
    """Return the geometry of each feature by id; that of what is `ready` is not read."""
    return {row["id"]: ready.get(row["id"]) or parse_geometry(row) for row in collection["features"]}


def _get_adjusted(boundaries: Boundaries) -> Adjusted:
    adjusted = boundaries.get("adjusted")
    return adjusted if isinstance(adjusted, Adjusted) else Adjusted({})


def _draft_imports(adjusted: Adjusted) -> dict[str, _Draft]:
    """Draft the places that somebody brought a boundary of."""
    return {
        place: _Draft(adjusted.placed[place], record.method, record.accuracy_m, (record.source_id,))
        for place, record in adjusted.imports.items()
    }


def _draft_towns(
    facts: Facts, collection: FeatureCollection, package: DataPackage, adjusted: Adjusted
) -> dict[str, _Draft]:
    """Draft the city, the counties, the zones that are made of towns, and the towns."""
    geometries = _get_pieces(collection, adjusted.pieces)
    if missing := sorted(facts.towns.keys() - geometries.keys()):
        raise ShapeError(f"boundaries/towns.geojson: no polygon of {', '.join(missing)}")
    groups: dict[str, list[Town]] = {CITY: []}
    for town in facts.towns.values():
        for name in (CITY, town.county, town.zone, town.id):
            if name is not None:
                groups.setdefault(name, []).append(town)
    counties = {town.county for town in facts.towns.values()}
    members = Members(facts)
    quality, methods = package["quality"], package["methods"]
    drafts = {}
    for name, towns in groups.items():
        method: Method = "digitised" if name == CITY or name in counties else "reconstructed"
        own = {town.id for town in towns}
        accuracy_m = measure_accuracy_m(_list_stretches(own, quality, adjusted, members), quality)
        union = shapely.coverage_union_all([geometries[town.id] for town in towns])
        movers = adjusted.moved.get(name, ())
        sources = (*methods[method]["sources"], *(adjusted.imports[one].source_id for one in movers))
        drafts[name] = _Draft(union, method, accuracy_m, sources, adjusted_by=movers)
    return drafts


def measure_accuracy_m(stretches: Iterable[tuple[float, float]], quality: Quality) -> float:
    """Return the distance, metres, within which nine of ten points of an edge are expected.

    `stretches` are lengths and accuracies, metres; errors are distributed as the ``quantiles`` of `quality`
    have it, in parts of the accuracy. 0 for no stretches.

    >>> even = {"reconstructed": {"quantiles": {"0.0": 0.0, "0.9": 1.0, "1.0": 2.0}}}
    >>> measure_accuracy_m([(1000.0, 400.0), (3000.0, 400.0)], even)
    400.0
    """
    rows = np.array(list(stretches), dtype=np.float64).reshape(-1, 2)
    if not len(rows):
        return 0.0
    table = quality["reconstructed"]["quantiles"]
    shares, parts = np.array([float(share) for share in table]), np.array(list(table.values()))
    low_m, high_m = float(rows[:, 1].min()), float(rows[:, 1].max())
    for _ in range(_HALVINGS):
        middle_m = (low_m + high_m) / 2
        within = np.interp(middle_m / rows[:, 1], parts, shares) @ rows[:, 0] / rows[:, 0].sum()
        low_m, high_m = (middle_m, high_m) if within < _NINE_IN_TEN else (low_m, middle_m)
    return round(high_m, 3)


def _list_stretches(
    own: Collection[str], quality: Quality, adjusted: Adjusted, members: Members
) -> Iterator[tuple[float, float]]:
    """Yield the length and accuracy of each stretch of the outer edge of some towns."""
    for edge in quality["edges"]:
        first, second = edge["between"]
        if (first in own) != (second in own):
            imported = _find_import({first, second}, adjusted, members)
            yield float(edge["length_m"]), float(imported.accuracy_m if imported else edge["accuracy_m"])


def _find_import(ends: Collection[str], adjusted: Adjusted, members: Members) -> ImportedBoundary | None:
    """Return the imported boundary that runs between two ends, if one does."""
    for place, record in adjusted.imports.items():
        if len(set(ends) & members.of(place)) == 1:
            return record
    return None


def list_stretches(facts: Facts, shapes: Mapping[str, Shape], boundaries: Boundaries) -> list[Stretch]:
    """Return the edges of all towns, each once: between two of them, towards a neighbouring county, the sea.

    `boundaries` are those that the `shapes` were built from.
    """
    land = boundaries["land"]["features"]
    quality, adjusted = boundaries["datapackage"]["quality"], _get_adjusted(boundaries)
    known = {frozenset(edge["between"]): float(edge["accuracy_m"]) for edge in quality["edges"]}
    members, towns = Members(facts), facts.towns
    pieces: dict[str, BaseGeometry] = {town: shapes[town].geometry for town in towns}
    pieces |= {row["id"]: parse_geometry(row) for row in land if row["id"] != CITY}
    ids, tree = list(pieces), shapely.STRtree(list(pieces.values()))
    left = {town: pieces[town].boundary for town in towns}
    stretches = []
    for town in towns:
        for other in sorted(ids[index] for index in tree.query(pieces[town], predicate="intersects")):
            if other in towns and other <= town:
                continue
            line = select_lines(shapely.intersection(pieces[town].boundary, pieces[other].boundary))
            if line.is_empty:
                continue
            ends = frozenset((town, other))
            imported = _find_import(ends, adjusted, members)
            alike = other in towns and towns[other].county == towns[town].county
            stretches.append(
                Stretch(
                    (town, other),
                    line,
                    imported.accuracy_m if imported else known.get(ends, shapes[town].accuracy_m),
                    imported.method if imported else "reconstructed" if alike else "digitised",
                )
            )
            for end in ends & left.keys():
                left[end] = shapely.difference(left[end], line)
    for town, line in left.items():
        coast = select_lines(line)
        if not coast.is_empty:
            accuracy_m = known.get(frozenset((town, SEA)), float(quality["coast"]["p90_m"]))
            stretches.append(Stretch((town, SEA), coast, accuracy_m, "digitised"))
    return stretches


def select_lines(geometry: BaseGeometry) -> BaseGeometry:
    """Return the lines of a geometry, joined where they meet, without its points; it may be empty."""
    lines = [part for part in shapely.get_parts(geometry) if part.length]
    return shapely.MultiLineString(shapely.get_parts(shapely.line_merge(shapely.union_all(lines))).tolist())


def _to_point(position: Position) -> shapely.Point:
    return shapely.Point(position.lon, position.lat)


def _draft_sites(
    facts: Facts, drafts: Mapping[str, _Draft], land: BaseGeometry, package: DataPackage
) -> dict[str, _Draft]:
    """Draft the indicative polygons of all places with sites that bound them; parts are united."""
    ids = {town.code: town.id for town in facts.towns.values()}
    made: dict[str, list[tuple[Site, Position, BaseGeometry]]] = {}
    rooms: dict[tuple[str | None, ...], BaseGeometry] = {}
    for site in facts.sites:
        if site.position is not None and site.within:
            parent = facts.zones[site.of].parent if site.of in facts.zones else None
            bounds = [ids.get(bound, bound) for bound in site.within]
            room = rooms.get((parent, *bounds)) or _build_room(bounds, parent, drafts, land)
            rooms[parent, *bounds] = room
            position = _move_into(site.position, room)
            part = fit_circle(position, site.area_km2, room)
            made.setdefault(site.of, []).append((site, position, part))
    found = {}
    base = package["methods"]["indicative"]["sources"]
    for name, parts in made.items():
        union = shapely.union_all([part for _, _, part in parts])
        areas = [site.area_source for site, _, _ in parts if site.area_source is not None]
        points = chain.from_iterable(at.sources for _, at, _ in parts)
        sources = tuple(dict.fromkeys([*areas, *points, *base]))
        spots = tuple(KnownPoint(at.lon, at.lat, at.accuracy_m) for _, at, _ in parts)
        accuracy_m = max(spot.accuracy_m for spot in spots)
        found[name] = _Draft(union, "indicative", accuracy_m, sources, spots=spots)
    return found


def _build_room(
    bounds: list[str], parent: str | None, drafts: Mapping[str, _Draft], land: BaseGeometry
) -> BaseGeometry:
    """Return what an indicative polygon may cover: its bounds within its parent, or the open sea."""
    if bounds == [SEA]:
        west, south, east, north = land.bounds
        return shapely.difference(shapely.box(west - 1, south - 1, east + 1, north + 1), land)
    room = unite(_get(drafts, bound).geometry for bound in bounds)
    return room if parent is None else shapely.intersection(room, _get(drafts, parent).geometry)


def _get(drafts: Mapping[str, _Draft], name: str) -> _Draft:
    if name not in drafts:
        raise ShapeError(f"no shape for {name!r}")
    return drafts[name]


def _move_into(position: Position, room: BaseGeometry) -> Position:
    """Return `position`, or the nearest one in `room` where an import left it farther than it is accurate."""
    nearest = shapely.Point(shapely.get_coordinates(shapely.shortest_line(_to_point(position), room))[-1])
    distance_m = crs.measure_length_m(_to_point(position), nearest)
    if distance_m <= position.accuracy_m:
        return position
    return position.model_copy(update={"lon": nearest.x, "lat": nearest.y, "accuracy_m": distance_m})


@lru_cache(maxsize=_REMEMBERED)
def fit_circle(position: Position, area_km2: float | None, room: BaseGeometry) -> BaseGeometry:
    """Return the circle around `position` cut to `room`.

    Its radius is solved so that what is left has `area_km2`; without a known area it is the
    accuracy of the position. A room that is too small is filled.
    """

    def cut(radius_m: float) -> BaseGeometry:
        return shapely.intersection(crs.build_circle(position.lon, position.lat, radius_m), room)

    if area_km2 is None:
        return shapely.MultiPolygon(_list_polygons(cut(position.accuracy_m)))
    low_m, high_m = 0.0, _MAX_RADIUS_M
    for _ in range(_HALVINGS):
        middle_m = (low_m + high_m) / 2
        if crs.measure_area_km2(shapely.MultiPolygon(_list_polygons(cut(middle_m)))) < area_km2:
            low_m = middle_m
        else:
            high_m = middle_m
    return shapely.MultiPolygon(_list_polygons(cut(high_m)))


def _list_polygons(shape: BaseGeometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)]


def _draft_area(area: Area, drafts: Mapping[str, _Draft]) -> _Draft:
    """Dissolve the members of `area`, and its core where that is a place with a shape of its own."""
    names = [*area.members, *([area.core] if area.core in drafts else [])]
    members = [_get(drafts, name) for name in dict.fromkeys(names) if name is not None]
    union = unite(member.geometry for member in members)
    sources = tuple(dict.fromkeys(source for member in members for source in member.sources))
    method: Method = "indicative" if all(member.method == "indicative" for member in members) else "derived"
    movers = tuple(dict.fromkeys(mover for member in members for mover in member.adjusted_by))
    accuracy_m = max(member.accuracy_m for member in members)
    joined = _join_edges(members)
    spots = tuple(spot for member in reversed(members) for spot in member.spots)  # the core first
    return _Draft(
        union,
        method,
        accuracy_m,
        sources,
        adjusted_by=movers,
        joined=joined,
        spots=spots if method == "indicative" else (),
    )


def _join_edges(members: list[_Draft]) -> Method | None:
    """Return how the lesser of imported boundaries was made; None where a member is no such boundary."""
    edges = {member.joined or member.method for member in members}
    return (
        next((one for one in IMPORTED_METHODS if one in edges), None)
        if edges <= set(IMPORTED_METHODS)
        else None
    )


def _join_terms(draft: _Draft, terms: Mapping[str, str], base: str) -> str:
    """Return the terms of all that a draft is made of: the base geometry, imports, or both."""
    return "; ".join(dict.fromkeys(terms.get(source, base) for source in draft.sources))


def _finish(
    name: str, draft: _Draft, official: OfficialArea | None, licence: str, no_area: Text | None
) -> Shape:
    """Round, turn, measure and label a draft; `no_area` says why one that is no extent has no area."""
    bounded = draft.method != "indicative"
    parts, area_km2 = _turn(draft.geometry)
    if not parts:
        raise ShapeError(
            f"the shape of {name!r} is empty: its point is farther from its bounds than its accuracy"
        )
    return Shape(
        id=name,
        geometry=shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0],
        method=draft.method,
        accuracy_m=round(draft.accuracy_m),
        sources=draft.sources,
        licence=licence,
        area_km2=area_km2 if bounded else None,
        label=find_label(parts[0]),
        official_area_km2=None if official is None else official.area_km2,
        official_area_source=None if official is None else official.source,
        adjusted_by=draft.adjusted_by,
        joined=draft.joined,
        spots=draft.spots,
        no_area=None if bounded else no_area,
    )


@lru_cache(maxsize=_REMEMBERED)
def _turn(geometry: BaseGeometry) -> tuple[tuple[shapely.Polygon, ...], float]:
    """Return the polygons of a geometry, rounded and turned, the largest first, and their area in km²."""
    turned = shapely.orient_polygons(shapely.normalize(shapely.set_precision(geometry, GRID_DEG)))
    parts = sorted(_list_polygons(turned), key=lambda part: -part.area)
    return tuple(parts), crs.measure_area_km2(turned)


@lru_cache(maxsize=_REMEMBERED)
def find_label(polygon: shapely.Polygon) -> shapely.Point:
    """Return the centre of the largest circle in a lon/lat `polygon`."""
    width = hypot(polygon.bounds[2] - polygon.bounds[0], polygon.bounds[3] - polygon.bounds[1])
    circle = shapely.maximum_inscribed_circle(polygon, tolerance=min(_LABEL_TOLERANCE_DEG, width / 100))
    lon, lat = shapely.get_coordinates(circle)[0]
    return shapely.Point(round(float(lon), _LABEL_DECIMALS), round(float(lat), _LABEL_DECIMALS))
