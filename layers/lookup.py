"""What applies at a point, how far the nearest edge is, and whether the polygons are good enough to say.

A look-up finds the polygons that it answers with in the release's own block of geometry, or in a store;
of a polygon it tells how much lies in each place, and how far the places' accuracy leaves that open.
Runs in the web process on prepared geometry: shapely and pyproj only. Positions are WGS 84
(lon, lat) in degrees, distances geodesic metres.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar

import orjson

from geodata import crs
from geodata.deferred import shapely
from geodata.kinds import PLACE_LAYERS
from layers.document_types import BlockHead, StatedPlace, to_link
from layers.links import Link
from layers.query import FeatureStore

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

ENTRY = struct.Struct("<II")  # bytes of a record's JSON head, bytes of its WKB
METRES_PER_DEGREE = 110_574  # of latitude, at its shortest
MARGIN = 1.1  # over the least accurate place, for what the plane makes of distances
RINGS_M = (10_000.0, 100_000.0, 1_000_000.0)  # around a point that lies in no place, until one is found
EVERYWHERE_M = 4e7
GROUND = "ground"  # the layer of what is no place: neighbouring land, the window of known land
EDGES = "edges"  # the layer of stretches of the places' edges
# Where a point can be: in the city; so near its border or coast that it may be; on a neighbour's land;
# at sea; or where no land is recorded at all.
CITY, EDGE, NEIGHBOUR, SEA, BEYOND = "city", "edge", "neighbour", "sea", "beyond"
ORDER = (*PLACE_LAYERS, "towns")
SHARING = ("counties", "zones", "towns")  # layers whose places do not overlap: a point is in one, or none
NOT_STATED = "not-stated"  # the extent of an area that is drawn as its members; no point is in it for sure
LEAST_PERCENT = 0.005  # what rounds to nothing
LEAST_LIKELY = 0.5  # per cent; what is less likely is not named
QUADRANT = 4  # segments of a rounded corner
AnswerRow = TypeVar("AnswerRow", bound="PointAnswer | ShareAnswer")


class PointAnswer(BlockHead):
    """What applies at a point: a place, how near its edge is, and how likely the point is in it."""

    status: str
    distance_to_edge_m: int
    uncertain: bool
    likelihood_percent: float | None


class ShareAnswer(BlockHead):
    """How much of a polygon lies in a place, and between which shares the truth lies."""

    area_km2: float
    share_percent: float
    share_range_percent: list[float]


class UnboundedArea(StatedPlace, total=False):
    """What can be said of an area without a stated extent: nothing of edges, shares or accuracy."""

    status: str


class GatewayAnswer(BlockHead):
    """A port, airport or station with its distance."""

    distance_m: int


class NearestPlace(Link):
    """The place nearest to a point that lies in none."""

    layer: str
    distance_m: int


class LayerDoubt(TypedDict):
    """The places of a layer of which a point may be in one, or in none."""

    layer: str
    places: list[Link]
    or_none: bool


class LikelyPlace(Link):
    """A place that a point may be in."""

    likelihood_percent: float


class LikelyPlaces(TypedDict):
    """The places of a layer that a point may be in, the likeliest first."""

    layer: str
    places: list[LikelyPlace]
    none_percent: float


class LookupAnswer(TypedDict):
    """What applies at a point; see :meth:`Lookup.at`."""

    lon: float
    lat: float
    where: str
    covered: bool
    uncertain: bool
    doubts: list[LayerDoubt]
    likely: list[LikelyPlaces]
    accuracy_m: int | None
    applies: list[PointAnswer]
    areas: list[UnboundedArea]
    nearest: NearestPlace | None
    gateways: list[GatewayAnswer]


class SharesAnswer(TypedDict):
    """How a polygon lies; see :meth:`Shares.of`."""

    area_km2: float
    vertices: int
    bbox: list[float]
    shares: list[ShareAnswer]
    areas: list[UnboundedArea]
    outside: dict[str, float]
    gateways: list[GatewayAnswer]


@dataclass(frozen=True)
class BlockEntry:
    """One geometry, lon/lat, and what is said of it."""

    head: BlockHead
    geometry: BaseGeometry


def read_entries(block: bytes) -> Iterator[tuple[BlockHead, bytes]]:
    """Yield head and WKB of every geometry of a block that :mod:`layers.payload` wrote."""
    at = 0
    while at < len(block):
        head_bytes, wkb_bytes = ENTRY.unpack_from(block, at)
        at += ENTRY.size
        yield (
            orjson.loads(block[at : at + head_bytes]),
            block[at + head_bytes : at + head_bytes + wkb_bytes],
        )
        at += head_bytes + wkb_bytes


def read_block(block: bytes) -> Iterator[BlockEntry]:
    """Yield the entries of a block, their geometries prepared for many questions."""
    for head, wkb in read_entries(block):
        geometry = shapely.from_wkb(wkb)
        shapely.prepare(geometry)
        yield BlockEntry(head, geometry)


def write_block(rows: Iterable[tuple[BlockHead, BaseGeometry]]) -> bytes:
    """Return the block of some heads with their geometries."""
    parts = []
    for head, geometry in rows:
        text, wkb = orjson.dumps(head), shapely.to_wkb(geometry)
        parts += [ENTRY.pack(len(text), len(wkb)), text, wkb]
    return b"".join(parts)


class Places(Protocol):
    """The polygons of a release, by where they are."""

    def near(self, point: shapely.Point) -> Iterable[BlockEntry]:
        """Return what lies so close to `point` that its accuracy matters, in a fixed order."""

    def nearest(self, point: shapely.Point) -> tuple[float, BlockEntry]:
        """Return the place whose edge is nearest, and its distance."""


class BlockPlaces:
    """The places of a block that :mod:`layers.payload` made, in memory."""

    def __init__(self, block: bytes) -> None:
        self._entries = list(read_block(block))
        self._tree = shapely.STRtree([entry.geometry for entry in self._entries])
        self._reach_m = MARGIN * max(entry.head["positional_accuracy_m"] for entry in self._entries)

    def near(self, point: shapely.Point) -> Iterator[BlockEntry]:
        """Yield what lies so close to `point` that its accuracy matters."""
        for index in sorted(self._tree.query(reach_box(point.x, point.y, self._reach_m))):
            yield self._entries[index]

    def nearest(self, point: shapely.Point) -> tuple[float, BlockEntry]:
        """Return the place whose edge is nearest, and its distance."""
        return _nearest(self._entries, point)


class StoredPlaces:
    """The places that a store holds; whatever the store raises passes through."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store

    @cached_property
    def _reach_m(self) -> float:
        return MARGIN * self._store.reach_m()

    def near(self, point: shapely.Point) -> list[BlockEntry]:
        """Return what lies so close to `point` that its accuracy matters."""
        return self._within(point, self._reach_m)

    def nearest(self, point: shapely.Point) -> tuple[float, BlockEntry]:
        """Return the place whose edge is nearest, and its distance, looking ever further around."""
        for ring_m in RINGS_M:
            found = self._within(point, ring_m)
            if found:
                distance, entry = _nearest(found, point)
                if distance <= ring_m:
                    return distance, entry
        return _nearest(self._within(point, EVERYWHERE_M), point)

    def _within(self, point: shapely.Point, reach_m: float) -> list[BlockEntry]:
        near = self._store.near(point.x, point.y, reach_m)
        return [BlockEntry(head, shapely.from_wkb(wkb)) for head, wkb in near]


def _nearest(entries: Iterable[BlockEntry], point: shapely.Point) -> tuple[float, BlockEntry]:
    ranked = ((measure_edge_m(entry.geometry, point), entry) for entry in entries)
    return min(ranked, key=lambda pair: pair[0])


def measure_edge_m(geometry: BaseGeometry, point: shapely.Point) -> float:
    """Return the geodesic distance from `point` to the nearest point of the polygon's edge."""
    return crs.measure_distance_m(point, geometry.boundary)


def reach_box(lon: float, lat: float, reach_m: float) -> BaseGeometry:
    """Return a lon/lat box that holds everything within `reach_m` of a point."""
    lat_deg = reach_m / METRES_PER_DEGREE
    lon_deg = lat_deg / max(math.cos(math.radians(lat)), 0.01)
    return shapely.box(lon - lon_deg, lat - lat_deg, lon + lon_deg, lat + lat_deg)


class Errors:
    """Knows how far the edges of places may be from the truth.

    `stretches` of edge each have an accuracy, within which nine of ten places on the true edge lie, metres.
    The first carries the table of ``errors``: which share of them is how small, in parts of the accuracy.
    """

    def __init__(self, stretches: list[BlockEntry]) -> None:
        self._stretches = stretches
        self._tree = shapely.STRtree([entry.geometry for entry in stretches])
        self._table = stretches[0].head["errors"] if stretches else [(0.0, 0.0), (1.0, 1.0)]
        widest = max((entry.head["accuracy_m"] for entry in stretches), default=0.0)
        self._reach_m = MARGIN * widest * self._table[-1][1]
        self._edged = {place for entry in stretches for place in entry.head["of"]}

    def measure(self, point: shapely.Point, *, on_land: bool) -> tuple[dict[str, float], float | None]:
        """Return how near `point` is to the edge of each place around, in parts of that edge's accuracy.

        On land the coast is taken as it is drawn: only other edges count. Also return the accuracy of the
        most doubtful edge, metres.
        """
        found: dict[str, float] = {}
        nearest: tuple[float, float | None] = (math.inf, None)
        for index in self._tree.query(reach_box(point.x, point.y, self._reach_m)):
            entry = self._stretches[int(index)]
            if not (on_land and entry.head["coast"]):
                part = crs.measure_distance_m(point, entry.geometry) / max(entry.head["accuracy_m"], 1e-3)
                nearest = min(nearest, (part, entry.head["accuracy_m"]), key=lambda one: one[0])
                for place in entry.head["of"]:
                    found[place] = min(part, found.get(place, math.inf))
        return found, nearest[1]

    def weigh(self, entry: BlockEntry, point: shapely.Point, parts: dict[str, float]) -> float | None:
        """Return how likely `point` is in a place; None for one whose extent nobody knows.

        The true edge lies as likely to one side of the drawn one as to the other, so that a point inside is
        lost to half of the errors that are larger than its distance, and one outside is won by as many.
        """
        if entry.head["spots"]:
            return None
        place = entry.head["id"]
        part = parts.get(place, math.inf)
        if place not in self._edged:  # an imported boundary that follows no towns
            accuracy_m = max(entry.head["positional_accuracy_m"], 1e-3)
            part = measure_edge_m(entry.geometry, point) / accuracy_m
        beyond = (1 - self._share_within(part)) / 2
        return 1 - beyond if entry.geometry.covers(point) else beyond

    def _share_within(self, part: float) -> float:
        """Return the share of errors that are no larger than `part` of the accuracy."""
        low_share, low = self._table[0]
        for share, at in self._table[1:]:
            if part < at:
                return float(low_share + (share - low_share) * (part - low) / (at - low))
            low_share, low = share, at
        return 1.0


class Surroundings:
    """Knows what lies around: the city's land, its neighbours, the sea, ports and stations.

    Answers for one position at a time; positions are WGS 84 (lon, lat), distances geodesic metres.
    """

    def __init__(self, block: bytes) -> None:
        rows = list(read_block(block))
        ground = {entry.head["id"]: entry.geometry for entry in rows if entry.head["layer"] == GROUND}
        self.neighbour: BaseGeometry = ground["neighbour"]
        self.window: BaseGeometry = ground["window"]
        self._gateways = [entry for entry in rows if entry.head["layer"] == "gateways"]
        self.errors = Errors([entry for entry in rows if entry.head["layer"] == EDGES])

    def where(self, point: shapely.Point, *, covered: bool, near: bool) -> str:
        """Return where `point` is; `near` says that the city may cover it after all."""
        if covered:
            return CITY
        if near:
            return EDGE
        if self.neighbour.covers(point):
            return NEIGHBOUR
        return SEA if self.window.covers(point) else BEYOND

    def gateways(self, place: BaseGeometry) -> list[GatewayAnswer]:
        """Return the nearest port, airport and station of a point or polygon, each with its distance."""
        nearest: dict[str, tuple[float, BlockEntry]] = {}
        for entry in self._gateways:
            distance = crs.measure_distance_m(shapely.Point(entry.geometry.coords[0]), place)
            best = nearest.get(entry.head["kind"])
            if best is None or distance < best[0]:
                nearest[entry.head["kind"]] = (distance, entry)
        return [{**entry.head, "distance_m": round(distance)} for distance, entry in nearest.values()]


class Lookup:
    """Answers what applies at a point, from its `places` and what is `around` them."""

    def __init__(self, places: Places, around: Surroundings) -> None:
        self.around = around
        self._places = places

    def at(self, lon: float, lat: float) -> LookupAnswer:
        """Return what applies at a point.

        Each entry of ``applies`` is ``inside``, or ``near`` where the point lies outside but closer
        to the edge than the polygon is accurate. ``uncertain`` is true where the distance to the
        edge is less than the polygon's positional accuracy, so that the answer may be wrong; ``doubts``
        then lists, by layer, the places of which the point may be in one, or in none. ``where`` says
        whether the point is in the ``city``, at its ``edge``, on a ``neighbour``'s land, at ``sea`` or
        ``beyond`` what is recorded. ``gateways`` are the nearest port, airport and station. ``areas`` are
        those of which the plan states no extent, but names a place as core, centre or support that the
        point lies in: whether it lies in the area itself is not known. A place whose extent nobody knows is
        ``near`` where it may be, never more. ``likelihood_percent`` says how likely the point is in a place,
        see ``docs/likelihood.md``; ``likely`` lists, by layer, every place that it may be in, the likeliest
        first, with how likely it is in none of them; ``accuracy_m`` is how accurate the most doubtful of the
        edges around is.
        """
        point = shapely.Point(lon, lat)
        around = list(self._places.near(point))
        met = sorted(
            (answer for entry in around if (answer := _answer(entry, point))),
            key=lambda answer: (ORDER.index(answer["layer"]), answer["status"], answer["distance_to_edge_m"]),
        )
        found, unbounded = _part(met)
        inside = [answer for answer in found if answer["status"] == "inside"]
        covered = any(answer["layer"] == "towns" for answer in inside)
        near = any(answer["layer"] == "counties" for answer in found)
        parts, accuracy_m = self.around.errors.measure(point, on_land=covered)
        likely = self._weigh(around, point, parts)
        for answer in found:
            answer["likelihood_percent"] = likely.get(answer["id"])
        return {
            "lon": lon,
            "lat": lat,
            "where": self.around.where(point, covered=covered, near=near),
            "covered": covered,
            "uncertain": any(answer["uncertain"] for answer in found),
            # Borders inside the city are drawn less accurately than its coast, which therefore decides.
            "doubts": list(_doubts(found)) if covered or near else [],
            "likely": list(_rank(around, likely)),
            "accuracy_m": None if accuracy_m is None else round(accuracy_m),
            "applies": found,
            "areas": [{**_without_extent(answer), "status": answer["status"]} for answer in unbounded],
            "nearest": None if inside else self._nearest(point),
            "gateways": self.around.gateways(point),
        }

    def _weigh(
        self, around: list[BlockEntry], point: shapely.Point, parts: dict[str, float]
    ) -> dict[str, float | None]:
        """Return how likely `point` is in each place around, per cent; None where nobody can say."""
        errors = self.around.errors
        likely = {entry.head["id"]: errors.weigh(entry, point, parts) for entry in around}
        for layer in SHARING:  # it is in one of them at most
            rivals = [entry.head["id"] for entry in around if entry.head["layer"] == layer]
            total = sum(likely[place] or 0.0 for place in rivals)
            if total > 1:
                likely |= {place: chance / total for place in rivals if (chance := likely[place]) is not None}
        return {place: None if chance is None else round(100 * chance, 1) for place, chance in likely.items()}

    def _nearest(self, point: shapely.Point) -> NearestPlace:
        """Return the nearest place with its distance, for a point that lies in none."""
        distance, entry = self._places.nearest(point)
        return {**to_link(entry.head), "layer": entry.head["layer"], "distance_m": round(distance)}


def _part(rows: list[AnswerRow]) -> tuple[list[AnswerRow], list[AnswerRow]]:
    """Return the rows of places with an extent, and those of areas of which the plan states none."""
    unbounded = [row for row in rows if row["extent"] == NOT_STATED]
    return [row for row in rows if row["extent"] != NOT_STATED], unbounded


def _without_extent(row: BlockHead) -> UnboundedArea:
    return {
        "id": row["id"],
        "layer": row["layer"],
        "kind": row["kind"],
        "name": row["name"],
        "url": row["url"],
        "industries": row["industries"],
        "relation": row["relation"],
        "extent": row["extent"],
        "anchors": row["anchors"],
        "note": row["note"],
    }


def _doubts(found: list[PointAnswer]) -> Iterator[LayerDoubt]:
    """Yield the layers in which it is not certain which place the point is in."""
    for layer in SHARING:
        rows = [row for row in found if row["layer"] == layer and not row["spots"]]
        if any(row["uncertain"] for row in rows):
            places: list[Link] = [to_link(row) for row in rows]
            # The nearest edge of a single place leads out of the layer.
            yield {"layer": layer, "places": places, "or_none": len(rows) == 1}


def _rank(around: list[BlockEntry], likely: dict[str, float | None]) -> Iterator[LikelyPlaces]:
    """Yield the places of each layer that a point may be in, the likeliest first."""
    for layer in SHARING:
        heads = [entry.head for entry in around if entry.head["layer"] == layer]
        chances = sorted(((likely[head["id"]] or 0.0, head) for head in heads), key=lambda row: -row[0])
        rows = [(chance, head) for chance, head in chances if chance >= LEAST_LIKELY]
        if rows:
            yield {
                "layer": layer,
                "places": [{**to_link(head), "likelihood_percent": chance} for chance, head in rows],
                "none_percent": round(max(100 - sum(chance for chance, _ in chances), 0.0), 1),
            }


def _answer(entry: BlockEntry, point: shapely.Point) -> PointAnswer | None:
    distance = measure_edge_m(entry.geometry, point)
    spots = entry.head["spots"]
    inside = not spots and bool(entry.geometry.covers(point))
    uncertain = distance < entry.head["positional_accuracy_m"]
    if spots:
        uncertain = any(
            crs.measure_distance_m(point, shapely.Point(lon, lat)) <= accuracy_m
            for lon, lat, accuracy_m in spots
        )
    if not inside and not uncertain:
        return None
    status = "inside" if inside else "near"
    return {
        **entry.head,
        "status": status,
        "distance_to_edge_m": round(distance),
        "uncertain": uncertain,
        "likelihood_percent": None,
    }


INNER, OUTER = "inner", "outer"  # a place with its edge moved by its accuracy


class Shares:
    """Answers for polygons, on the blocks that :mod:`layers.payload` made; lon/lat, areas geodesic.

    `block` holds the places, `moved` the same with their edges moved in and out by their accuracy, see
    :func:`move_edges`.
    """

    def __init__(self, block: bytes, moved: bytes, around: Surroundings) -> None:
        self._around = around
        self._entries = list(read_block(block))
        edges = {(entry.head["id"], entry.head["edge"]): entry.geometry for entry in read_block(moved)}
        self._inner = [edges[entry.head["id"], INNER] for entry in self._entries]
        self._outer = [edges[entry.head["id"], OUTER] for entry in self._entries]
        self._tree = shapely.STRtree(self._outer)

    def of(self, polygon: BaseGeometry) -> SharesAnswer:
        """Return the area of a valid lon/lat polygon, km², and its shares by place, per cent.

        A place that the polygon only may reach, its edge or its whole extent being that uncertain, has a
        share of 0 and a range that begins at 0. ``outside`` says what of the polygon is not in the city.
        """
        total = crs.measure_area_km2(polygon)
        found, unbounded = _part(sorted(self._shares(polygon, total), key=_order))
        return {
            "area_km2": round(total, 6),
            "vertices": int(shapely.count_coordinates(polygon)),
            "bbox": [round(float(one), 7) for one in polygon.bounds],
            "shares": found,
            "areas": [_without_extent(row) for row in unbounded],
            "outside": self._outside(polygon, total, found),
            "gateways": self._around.gateways(polygon),
        }

    def _shares(self, polygon: BaseGeometry, total: float) -> Iterator[ShareAnswer]:
        for index in self._tree.query(polygon, predicate="intersects"):
            entry = self._entries[int(index)]
            area = _measure_common_km2(polygon, entry.geometry, total)
            share = 100 * area / total
            low, high = (
                100 * _measure_common_km2(polygon, moved[int(index)], total) / total
                for moved in (self._inner, self._outer)
            )
            low, high = min(low, share), max(high, share)
            if entry.head["spots"]:  # it has an extent, but nobody knows where
                area = share = low = 0.0
            if high >= LEAST_PERCENT:
                yield {
                    **entry.head,
                    "area_km2": round(area, 6),
                    "share_percent": round(share, 2),
                    "share_range_percent": [round(low, 2), round(min(high, 100), 2)],
                }

    def _outside(self, polygon: BaseGeometry, total: float, found: list[ShareAnswer]) -> dict[str, float]:
        """Return the shares outside the city's towns: a neighbour's land, sea, and where nothing is known."""
        city = sum(row["share_percent"] for row in found if row["layer"] == "towns")
        neighbour = self._percent(polygon, self._around.neighbour, total)
        known = self._percent(polygon, self._around.window, total)
        sea = max(known - city - neighbour, 0)
        return {
            "neighbour": round(neighbour, 2),
            "sea": round(sea, 2),
            "beyond": round(max(100 - known, 0), 2),
        }

    def _percent(self, polygon: BaseGeometry, other: BaseGeometry, total: float) -> float:
        return 100 * _measure_common_km2(polygon, other, total) / total


def _measure_common_km2(polygon: BaseGeometry, place: BaseGeometry, total: float) -> float:
    """Return how much of a polygon, `total` km² large, lies in a place, which is prepared."""
    if not place.intersects(polygon):
        return 0.0
    return total if place.covers(polygon) else crs.measure_area_km2(shapely.intersection(polygon, place))


def move_edges(place: BaseGeometry, accuracy_m: float) -> dict[str, BaseGeometry]:
    """Return a lon/lat polygon whose edge is moved in and out by `accuracy_m` metres, as its edge may be."""
    squash = math.cos(math.radians(place.centroid.y))
    plane = shapely.transform(place, lambda lonlat: lonlat * (squash, 1))
    step = accuracy_m / METRES_PER_DEGREE
    return {
        edge: shapely.transform(shapely.buffer(plane, move, quad_segs=QUADRANT), lambda xy: xy / (squash, 1))
        for edge, move in ((INNER, -step), (OUTER, step))
    }


def _order(row: ShareAnswer) -> tuple[int, float]:
    return ORDER.index(row["layer"]), -row["share_percent"]
