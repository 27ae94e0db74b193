"""What is made up to measure with: zones, and an OpenStreetMap extract of a city; the same on every machine.

Zones, of a whole country or as many as wanted in place of one layer of a release, are stars with fractal
edges on a grid of cells. The vertex counts are spread as those of administrative boundaries are: half below
80, one in a hundred above 800.

The extract (roads, streets, rail, rivers, water, built-up land, villages) is drawn around the seats of the
city's towns, as dense as wanted. It stands for what an operator brings, where there is none: no road in it
is one. ``python -m scripts.bench.synthetic FILE [COPIES]`` writes one as dense as a city's, ``COPIES`` of it
side by side for the size of a province.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

import geopandas
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import GeoJsonFeature, Properties, flatten_value, parse_geometry, to_collection
from geodata.crs import Bounds
from geodata.model import Town
from geodata.read import Facts, read_boundaries, read_facts
from layers.document_types import FieldEntry, LayerEntry
from layers.history import Act, record
from layers.query import Collection, StoredRow
from layers.store import Release
from webmap.publish import hash_code

ID = "country"
WEST, SOUTH, CELL_DEG = 75.0, 20.0, 0.12
BLOCKS_ACROSS = 10  # the country is a square of blocks, numbered row by row
BLOCK_ACROSS, BLOCK_UP = 40, 25  # cells of a block: 1,000 zones
BLOCK = BLOCK_ACROSS * BLOCK_UP
MEDIAN_VERTICES, SPREAD, MOST_VERTICES = 80, 1.0, 2000
KINDS = ("bonded", "coastal", "ecological", "industrial", "port", "residential", "rural", "science")
RARE = "pilot"  # of one block only, so that a filter finds the same zones in any number of blocks
RARE_EVERY = 20
RARE_USE = "pilot-plant"  # among several, of the same zones
FIELDS = {
    "id": "string",
    "name_zh": "string",
    "kind": "string",
    "uses": "array",
    "rank": "integer",
    "area_km2": "number",
    "number": "integer",
}


def build_collection(blocks: int) -> Collection:
    """Return the collection of the first `blocks` of the country."""
    text = {"zh": "全国", "en": "Country", "ko": "전국"}
    open_ones: FieldEntry = {
        "name": "",
        "type": "",
        "description": text,
        "nullable": True,
        "unit": None,
        "values": None,
        "short": None,
        "flat": None,
    }
    fields: list[FieldEntry] = [{**open_ones, "name": name, "type": kind} for name, kind in FIELDS.items()]
    info: LayerEntry = {"id": ID, "geometry": "polygon", "title": text, "description": text, "fields": fields}
    west, south, *_ = block_bounds(0)
    *_, east, north = block_bounds(max(blocks, BLOCKS_ACROSS) - 1)
    return Collection(ID, info, blocks * BLOCK, (west, south, east, north))


def block_bounds(block: int) -> Bounds:
    """Return the bounds of one block, degrees."""
    width, height = BLOCK_ACROSS * CELL_DEG, BLOCK_UP * CELL_DEG
    west = WEST + block % BLOCKS_ACROSS * width
    south = SOUTH + block // BLOCKS_ACROSS * height
    return west, south, west + width, south + height


def build_rows(blocks: int) -> Iterator[StoredRow]:
    """Yield the zones of the first `blocks`; a block's zones do not depend on how many there are."""
    for block in range(blocks):
        random = np.random.default_rng(block)
        west, south, *_ = block_bounds(block)
        for cell in range(BLOCK):
            lon = west + (cell % BLOCK_ACROSS + 0.5) * CELL_DEG
            lat = south + (cell // BLOCK_ACROSS + 0.5) * CELL_DEG
            count = int(np.clip(random.lognormal(np.log(MEDIAN_VERTICES), SPREAD), 8, MOST_VERTICES))
            yield _row(block * BLOCK + cell, build_ring(random, lon, lat, count), random)


def build_ring(random: np.random.Generator, lon: float, lat: float, count: int) -> NDArray[np.float64]:
    """Return a closed ring of `count` vertices around (lon, lat), inside its cell, seven decimals."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    waves = np.arange(1, 9)[:, None]
    phases = random.uniform(0, 2 * np.pi, (8, 1))
    relief = (np.sin(waves * angles + phases) / waves).sum(axis=0) + random.normal(0, 0.05, count)
    radius = CELL_DEG / 2 * np.clip(0.75 + 0.1 * relief, 0.3, 1.0)
    ring = np.column_stack([lon + radius * np.cos(angles), lat + radius * np.sin(angles)])
    return np.round(np.vstack([ring, ring[:1]]), 7)


def _row(number: int, ring: NDArray[np.float64], random: np.random.Generator) -> StoredRow:
    polygon = shapely.Polygon(ring)
    rare = number < BLOCK and number % RARE_EVERY == 0
    properties: Properties = {
        "id": f"zone-{number:06}",
        "name_zh": f"第{number}区",
        "kind": RARE if rare else KINDS[number % len(KINDS)],
        "uses": [RARE_USE, "housing"] if rare else [f"{KINDS[number % 3]}-works", "housing"],
        "rank": int(random.integers(1, 1000)),
        "area_km2": round(polygon.area * 1e4, 3),
        "number": number,
    }
    row_id = f"zone-{number:06}"
    feature: GeoJsonFeature = {
        "type": "Feature",
        "id": row_id,
        "bbox": [float(value) for value in polygon.bounds],
        "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]},
        "properties": properties,
    }
    values = {name: flatten_value(value) for name, value in properties.items()}
    return StoredRow(row_id, orjson.dumps(feature), values, polygon)


LAYER = "towns"
PATH = f"data/{LAYER}.geojson"


def write_made(home: Path, release: Release, count: int, vertices: int) -> Release:
    """Write a copy of `release` whose towns are `count` zones of so many vertices, and make it live."""
    target = home / "releases" / release.id
    shutil.copytree(release.folder, target)
    fields = next(row["fields"] for row in release.read_json("pages/catalogue.json") if row["id"] == LAYER)
    blank: Properties = {field["name"]: [] if field["type"] == "array" else None for field in fields}
    features = [_feature(number, vertices, blank) for number in range(count)]
    content = orjson.dumps(to_collection(features, name=LAYER))
    (target / PATH).write_bytes(content)
    files: dict[str, object] = {
        path: entry for path, entry in release.manifest["files"].items() if not path.startswith(PATH)
    }
    files[PATH] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = json.dumps(release.manifest | {"files": files}, ensure_ascii=False, indent=1).encode()
    (target / "manifest.json").write_bytes(manifest)
    made = Release(target, hashlib.sha256(manifest).hexdigest())
    record(home, made, Act("build", made.id, hash_code()))
    return made


def _feature(number: int, vertices: int, blank: Properties) -> GeoJsonFeature:
    """Return one zone; the first ones are the same however many there are."""
    row, column = divmod(number, BLOCK_ACROSS)
    lon = WEST + (column + 0.5) * CELL_DEG
    lat = SOUTH + (row + 0.5) * CELL_DEG
    ring = build_ring(np.random.default_rng(number), lon, lat, vertices)
    row_id = f"zone-{number:06}"
    known: Properties = {
        "id": row_id,
        "name_zh": f"第{number}区",
        "kind": KINDS[number % len(KINDS)],
        "area_km2": round(shapely.Polygon(ring).area * 1e4, 3),
    }
    return {
        "type": "Feature",
        "id": row_id,
        "bbox": [float(value) for value in (*ring.min(axis=0), *ring.max(axis=0))],
        "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]},
        "properties": blank | known,
    }


DATE = "2026-10-01"
ROADS, BUILT = 25_000, 2_000  # of a city as dense as this one
KM = 1 / 111.32  # degrees of latitude
CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary")
GROWTH = ("residential", "residential", "residential", "industrial", "commercial", "retail")
Tags = dict[str, str]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass
class Extract:
    """What the file holds: tags and geometry, degrees (lon, lat), by the layer that GDAL reads it as."""

    points: list[tuple[Tags, shapely.Point]] = field(default_factory=list)
    lines: list[tuple[Tags, BaseGeometry]] = field(default_factory=list)
    multipolygons: list[tuple[Tags, shapely.Polygon]] = field(default_factory=list)

    def to_xml(self) -> str:
        """Return the extract as an OSM file; a polygon is a closed way, without its holes."""
        nodes, ways = [], []
        for number, (tags, at) in enumerate(self.points, start=1):
            nodes.append(f"{_node(number, at.x, at.y)}{_tags(tags)}</node>")
        count = len(nodes)
        things = [*self.lines, *((tags, shape.exterior) for tags, shape in self.multipolygons)]
        for number, (tags, line) in enumerate(things, start=1):
            places = [tuple(one) for one in shapely.get_coordinates(line)]
            closed = places[0] == places[-1]
            first = count + 1
            for x, y in places[:-1] if closed else places:
                count += 1
                nodes.append(f"{_node(count, x, y)}</node>")
            refs = [*range(first, count + 1), *([first] if closed else [])]
            body = "".join(f'<nd ref="{one}"/>' for one in refs)
            ways.append(f'<way id="{number}" version="1">{body}{_tags(tags)}</way>')
        head = '<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n'
        head += f'<meta osm_base="{DATE}T00:00:00Z"/>\n'
        return head + "\n".join([*nodes, *ways, "</osm>\n"])

    def write(self, path: Path, copies: int = 1) -> Path:
        """Write an ``.osm.pbf``, ``.osm`` or ``.gpkg`` file, as the name ends, and return its path.

        `copies` of an ``.osm.pbf`` lie side by side, as the cities of a province do, the first where it is.
        """
        if path.name.endswith(".osm.pbf"):
            self._write_pbf(path, copies)
            return path
        if path.suffix == ".osm":
            path.write_text(self.to_xml(), encoding="utf-8")
            return path
        for layer in ("points", "lines", "multipolygons"):
            rows: list[tuple[Tags, BaseGeometry]] = getattr(self, layer)
            geometry = [row[1] for row in rows]
            geopandas.GeoDataFrame([row[0] for row in rows], geometry=geometry, crs="EPSG:4326").to_file(
                path, layer=layer, engine="pyogrio"
            )
        return path

    def _write_pbf(self, path: Path, copies: int) -> None:
        features = b"".join(_message(4, one.encode()) for one in ("OsmSchema-V0.6", "DenseNodes"))
        dated = int(datetime.fromisoformat(f"{DATE}T00:00:00+00:00").timestamp())
        packer = _Packer(self)
        across = math.ceil(math.sqrt(copies))
        with path.open("wb") as file:
            file.write(_block("OSMHeader", features + b"\x80\x02" + _varint(dated)))
            for copy in range(copies):  # nodes first, then ways, as every such file has them
                file.write(packer.pack_nodes(copy, (-3.0 * (copy % across), -2.0 * (copy // across))))
            for copy in range(copies):
                file.write(packer.pack_ways(copy))


class _Packer:
    """Packs an extract as blocks of an ``.osm.pbf`` file; each copy of it has ids of its own."""

    def __init__(self, extract: Extract) -> None:
        things = [*extract.lines, *((tags, shape.exterior) for tags, shape in extract.multipolygons)]
        lines = [shapely.get_coordinates(line) for _, line in things]
        spots = shapely.get_coordinates([at for _, at in extract.points])
        words = {word for tags, _ in (*extract.points, *things) for one in tags.items() for word in one}
        number = {word: place for place, word in enumerate(["", *sorted(words)])}
        self.places = np.concatenate([spots, *lines])
        self.strings = _message(1, b"".join(_message(1, word.encode()) for word in number))
        tagged = [[number[word] for one in tags.items() for word in one] + [0] for tags, _ in extract.points]
        self.keys = [one for row in tagged for one in row] + [0] * (len(self.places) - len(spots))
        starts = len(spots) + np.cumsum([0, *(len(line) for line in lines[:-1])])
        kinds: dict[tuple[tuple[int, ...], int, bool], tuple[bytes, bytes]] = {}
        self.ways = []
        for start, (tags, _), line in zip(starts, things, lines, strict=True):
            closed = len(line) > 2 and bool((line[0] == line[-1]).all())  # noqa: PLR2004 - no line has less
            kind = (tuple(number[one] for pair in tags.items() for one in pair), len(line), closed)
            if kind not in kinds:
                kinds[kind] = _pack_way(*kind)
            self.ways.append((int(start), *kinds[kind]))

    def pack_nodes(self, copy: int, moved: tuple[float, float]) -> bytes:
        first = 1 + copy * len(self.places)
        dense = _message(1, _varints(_zigzag(_differences(np.arange(first, first + len(self.places))))))
        for field_number, column in ((8, 1), (9, 0)):
            steps = np.rint((self.places[:, column] + moved[column]) * 1e7).astype(np.int64)
            dense += _message(field_number, _varints(_zigzag(_differences(steps))))
        dense += _message(10, _varints(np.array(self.keys)))
        return _block("OSMData", self.strings + _message(2, _message(2, dense)))

    def pack_ways(self, copy: int) -> bytes:
        first, ways = 1 + copy * len(self.places), []
        for place, (start, tags, refs) in enumerate(self.ways):
            own = b"\x08" + _varint(1 + copy * len(self.ways) + place) + tags
            ways.append(_message(3, own + _message(8, _varint((first + start) << 1) + refs)))
        return _block("OSMData", self.strings + _message(2, b"".join(ways)))


def _pack_way(words: tuple[int, ...], places: int, closed: bool) -> tuple[bytes, bytes]:  # noqa: FBT001
    """Return the tags of a way, and its nodes but for the first, each as its difference to the one before."""
    steps = np.ones(places - 1, dtype=np.int64)
    if closed:
        steps[-1] = 2 - places
    tags = _message(2, _varints(np.array(words[::2]))) + _message(3, _varints(np.array(words[1::2])))
    return tags, _varints(_zigzag(steps))


# The parts of a protocol buffer.


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _block(kind: str, content: bytes) -> bytes:
    blob = b"\x10" + _varint(len(content)) + _message(3, zlib.compress(content, 6))
    head = _message(1, kind.encode()) + b"\x18" + _varint(len(blob))
    return len(head).to_bytes(4, "big") + head + blob


def _differences(values: Integers) -> Integers:
    return np.diff(values, prepend=0)


def _zigzag(values: Integers) -> Integers:
    return (values << 1) ^ (values >> 63)


def _varint(value: int) -> bytes:
    """Return a whole number as the format packs it: seven bits a byte, the last one below 128."""
    parts = bytearray()
    while value > 127:  # noqa: PLR2004 - what fits into seven bits
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _varints(values: Integers) -> bytes:
    left = values.astype(np.uint64)
    parts = np.zeros((len(left), 10), dtype=np.uint8)
    used = np.zeros(parts.shape, dtype=bool)
    for place in range(10):
        more = left > 127  # noqa: PLR2004 - what fits into seven bits
        used[:, place] = True if place == 0 else used[:, place] | (left > 0)
        parts[:, place] = (left & np.uint64(127)).astype(np.uint8) | (more.astype(np.uint8) << 7)
        left >>= np.uint64(7)
    return parts[used].tobytes()


def _node(number: int, x: float, y: float) -> str:
    return f'<node id="{number}" lat="{y:.7f}" lon="{x:.7f}" version="1">'


def _tags(tags: Tags) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())


def build_extract(facts: Facts, land: BaseGeometry, roads: int = ROADS, built: int = BUILT) -> Extract:
    """Return an extract of about `roads` segments of road and `built` polygons of built-up land on `land`."""
    maker = _Maker(list(facts.towns.values()), land)
    maker.connect_towns()
    maker.add_rail()
    maker.add_rivers(max(4, built // 40))
    villages = maker.add_villages(built)
    maker.add_streets(roads - len(maker.extract.lines), villages)
    return maker.extract


class _Maker:
    def __init__(self, towns: Sequence[Town], land: BaseGeometry) -> None:
        self.extract = Extract()
        self.random = np.random.default_rng(20230716)
        self.land = land
        shapely.prepare(land)
        self.seats = np.array([(town.seat.lon, town.seat.lat) for town in towns])
        # a degree of longitude against one of latitude
        self.squash = math.cos(math.radians(float(self.seats[:, 1].mean())))
        self.inner = land.buffer(-0.4 * KM)
        shapely.prepare(self.inner)

    def connect_towns(self) -> None:
        """Join each town to its nearest ones by bent roads in segments of a few hundred metres."""
        for index, seat in enumerate(self.seats):
            apart = np.hypot((self.seats[:, 0] - seat[0]) * self.squash, self.seats[:, 1] - seat[1])
            for place, other in enumerate(np.argsort(apart)[1:5]):
                kind = CLASSES[min(4, 2 + place)] if index % 5 else CLASSES[min(place, 4)]
                if index < other or place < 2:  # noqa: PLR2004 - each knows its two nearest
                    self._add_road(kind, self._bend(seat, self.seats[other]))

    def add_rail(self) -> None:
        """Lay a railway from west to east with stations, and a branch to the south."""
        order = self.seats[np.argsort(self.seats[:, 0])][::9]
        for first, second in pairwise(order):
            line = self._bend(first + 0.01, second + 0.01, 0.04)
            self.extract.lines.append(({"railway": "rail"}, shapely.LineString(line)))
            station = {
                "railway": "station",
                "name": f"样例站{len(self.extract.points)}",
                "name:en": "Sample Station",
            }
            self.extract.points.append((station, shapely.Point(first + 0.01)))

    def add_rivers(self, count: int) -> None:
        """Let rivers run from inland to where the land ends, some through a reservoir."""
        for number in range(count):
            at, angle = self._inland(), self.random.uniform(0, 2 * math.pi)
            course = [at]
            while len(course) < 60 and (len(course) < 8 or self.land.contains(shapely.Point(course[-1]))):  # noqa: PLR2004
                angle += self.random.normal(0, 0.35)
                course.append(
                    course[-1] + 0.8 * KM * np.array([math.cos(angle) / self.squash, math.sin(angle)])
                )
            kind = "river" if number % 3 == 0 else "stream"
            tags = {"waterway": kind, "name": f"样例河{number}"}
            self.extract.lines.append((tags, shapely.LineString(course)))
            if number % 4 == 0:
                lake = self._blob(course[4], self.random.uniform(0.4, 1.6))
                self.extract.multipolygons.append(({"natural": "water"}, lake))
                peak = {"natural": "peak", "name": f"样例山{number}", "name:en": f"Mount Sample {number}"}
                self.extract.points.append((peak, shapely.Point(at)))

    def add_villages(self, count: int) -> list[Floats]:
        """Build on land: large around the seats, small elsewhere, each small one a village with a name."""
        spots = []
        for number in range(count):
            near = number < count // 4
            seat = self.seats[number % len(self.seats)]
            at = seat + self.random.normal(0, 2.2 * KM, 2) * (1 / self.squash, 1) if near else self._inland()
            size = self.random.uniform(0.35, 1.1) if near else self.random.uniform(0.12, 0.32)
            self.extract.multipolygons.append(
                ({"landuse": GROWTH[number % 6 if near else 0]}, self._blob(at, size))
            )
            if not near:
                name = {"place": "village", "name": f"样例村{number}", "name:en": f"Sample Village {number}"}
                self.extract.points.append((name, shapely.Point(at)))
                spots.append(at)
        return spots

    def add_streets(self, count: int, villages: list[Floats]) -> None:
        """Tie each village to the next by a small road, and fill the towns with streets."""
        before = len(self.extract.lines)
        for first, second in pairwise(villages):
            if math.hypot(*(first - second)) < 6 * KM:
                self._add_road("unclassified", self._bend(first, second))
        while len(self.extract.lines) - before < count:
            seat = self.seats[int(self.random.integers(len(self.seats)))]
            self._add_grid(seat, int(self.random.integers(4, 9)), count - (len(self.extract.lines) - before))

    def _add_grid(self, seat: Floats, across: int, most: int) -> None:
        turn, step = self.random.uniform(0, math.pi / 2), self.random.uniform(0.18, 0.35) * KM
        middle = seat + self.random.normal(0, 1.8 * KM, 2) * (1 / self.squash, 1)
        cells = [(x * step, y * step) for x in range(across) for y in range(across)]
        lines = [
            shapely.LineString([(x, y), (x + dx, y + dy)])
            for x, y in cells
            for dx, dy in ((step, 0), (0, step))
        ]
        for number, line in enumerate(lines[: max(0, most)]):
            turned = affinity.rotate(line, turn, origin=(0, 0), use_radians=True)
            placed = affinity.affine_transform(turned, [1 / self.squash, 0, 0, 1, *middle])
            if self.land.contains(placed):
                kind = "tertiary" if number % 9 == 0 else "residential"
                self.extract.lines.append(({"highway": kind}, placed))

    def _add_road(self, kind: str, places: Floats) -> None:
        self.extract.lines += [
            ({"highway": kind}, shapely.LineString(places[start : start + 3]))
            for start in range(0, len(places) - 2, 2)
        ]

    def _bend(self, first: Floats, second: Floats, sway: float = 0.08) -> Floats:
        count = max(4, int(np.hypot(*(second - first)) / (0.5 * KM)))
        share = np.linspace(0, 1, count + count % 2 + 1)[:, None]
        across = np.array([-(second - first)[1], (second - first)[0]])
        waves = sum(
            self.random.normal(0, sway / number) * np.sin(number * math.pi * share) for number in range(1, 6)
        )
        bent: Floats = first + share * (second - first) + waves * across
        return bent

    def _blob(self, at: Floats, size_km: float) -> shapely.Polygon:
        angles = np.linspace(0, 2 * math.pi, 15)[:-1]
        reach = size_km * KM * self.random.uniform(0.6, 1.15, len(angles))
        return shapely.Polygon(
            np.column_stack([at[0] + np.cos(angles) * reach / self.squash, at[1] + np.sin(angles) * reach])
        )

    def _inland(self) -> Floats:
        west, south, east, north = self.inner.bounds
        return next(
            spot
            for spot in self._spots((west, south), (east, north))
            if self.inner.contains(shapely.Point(spot))
        )

    def _spots(self, low: tuple[float, float], high: tuple[float, float]) -> Iterator[Floats]:
        while True:
            yield self.random.uniform(low, high)


def read_city_land() -> BaseGeometry:
    """Return the land of the city."""
    facts, rows = read_facts(), read_boundaries()["land"]["features"]
    return shapely.union_all([parse_geometry(row) for row in rows if row["id"] in facts.plans])


def main(path: str, copies: str = "1") -> None:
    """Write an extract of the city, as dense as one is."""
    build_extract(read_facts(), read_city_land()).write(Path(path), int(copies))


if __name__ == "__main__":
    main(*sys.argv[1:])
