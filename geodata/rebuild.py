"""Rebuild the committed boundary files from the packages, the town seats and the recipe.

Same inputs, same bytes. Writes ``towns.geojson``, ``land.geojson`` and ``datapackage.json``; the
last holds source, licence, method and hash of each file and how good the method was measured to be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
import yaml
from shapely.geometry.base import BaseGeometry

from geodata import crs, quality
from geodata.ground import OfficialArea, Town
from geodata.land import CITY, Land, build_lands
from geodata.packages import District, read_districts, read_shores
from geodata.partition import Division, Seats, build_towns, find_island_owner, solve_weights
from geodata.read import ROOT, Facts, read_facts

FOLDER: Final = ROOT / "boundaries"
_DECIMALS: Final = 6


@dataclass(frozen=True)
class Build:
    """Everything that one rebuild works out; geometry is lon/lat."""

    frame: str
    districts: tuple[District, ...]
    divisions: dict[str, Division]  # by county code
    towns: dict[str, BaseGeometry]  # by town code
    neighbours: dict[str, BaseGeometry]  # by county code


def write_boundaries(folder: Path = FOLDER) -> dict[str, Any]:
    """Rebuild all boundary files into `folder` and return the data package.

    Raises PartitionError if the wanted areas cannot be met, ModuleNotFoundError if a package that
    holds the base data is missing, ValueError if the places cannot be read.
    """
    recipe = yaml.safe_load((FOLDER / "recipe.yaml").read_text(encoding="utf-8"))
    facts = read_facts()
    faults = [str(problem) for problem in facts.problems if problem.file.startswith("places/")]
    if faults:
        raise ValueError("\n".join(faults))
    build = build_boundaries(facts, recipe)
    files = {
        "towns.geojson": render_features(_to_town_features(build, facts)),
        "land.geojson": render_features(_to_land_features(build)),
    }
    package = build_package(recipe, files, quality.measure(facts, recipe, build))
    files["datapackage.json"] = (json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return package


def build_boundaries(facts: Facts, recipe: Mapping[str, Any]) -> Build:
    """Divide the land among counties and the counties among towns."""
    window, counties = tuple(recipe["window"]), recipe["counties"]
    frame = crs.build_equal_area(*recipe["plane"])
    districts = read_districts(window)
    lands = build_lands({district.code: district.outline for district in districts}, read_shores(window))
    divisions = {}
    for county, code in counties.items():
        towns = [town for _, town in sorted(facts.towns.items()) if town.county == county]
        divisions[code] = _divide(towns, lands[code], facts.official_areas, frame)
    made = build_towns(lands, divisions, frame)
    codes = {town.code for town in facts.towns.values()}
    return Build(
        frame=frame,
        districts=districts,
        divisions=divisions,
        towns={code: shape for code, shape in made.items() if code in codes},
        neighbours={code: shape for code, shape in made.items() if code not in codes},
    )


def _divide(towns: Sequence[Town], land: Land, areas: Iterable[OfficialArea], frame: str) -> Division:
    towns = sorted(towns, key=lambda town: town.code)
    points = np.column_stack(
        crs.transform([town.seat.lon for town in towns], [town.seat.lat for town in towns], crs.LONLAT, frame)
    )
    codes = tuple(town.code for town in towns)
    wanted = {area.of: area.area_km2 * 1e6 for area in areas if area.chosen}
    groups = build_groups(towns, wanted)
    islands_m2 = np.zeros(len(towns))
    for island in land.islands:
        owner = find_island_owner(island, Seats(codes, points), frame)
        islands_m2[codes.index(owner)] += crs.transform_geometry(island, crs.LONLAT, frame).area
    targets = tuple(wanted[key] - islands_m2[list(group)].sum() for key, group in groups.items())
    seats = Seats(codes, points, tuple(groups.values()), targets)
    return Division(seats, solve_weights(seats, crs.transform_geometry(land.mainland, crs.LONLAT, frame)))


def build_groups(towns: Sequence[Town], wanted: Mapping[str, float]) -> dict[str, tuple[int, ...]]:
    """Return which towns share a weight, by index: those of a zone with a wanted area, or one town."""
    groups: dict[str, tuple[int, ...]] = {}
    for index, town in enumerate(towns):
        key = town.code if town.code in wanted else town.zone
        if key in wanted and key is not None:
            groups[key] = (*groups.get(key, ()), index)
    return groups


def render_features(features: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a GeoJSON feature collection, one feature on each line, as bytes."""
    lines = [json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features]
    return ('{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n").encode()


def to_geometry(shape: BaseGeometry) -> dict[str, Any]:
    """Return `shape` as GeoJSON: right-hand rule, six decimals, rings from a fixed start."""
    turned = shapely.orient_polygons(shapely.normalize(shape))
    plain: dict[str, Any] = json.loads(shapely.to_geojson(turned))
    plain["coordinates"] = _round(plain["coordinates"])
    return plain


def _round(value: Any) -> Any:
    return [_round(item) for item in value] if isinstance(value, list) else round(value, _DECIMALS)


def _to_town_features(build: Build, facts: Facts) -> list[dict[str, Any]]:
    towns = sorted(facts.towns.values(), key=lambda town: town.code)
    return [
        _to_feature(town.id, build.towns[town.code], code=town.code, county=town.county, zone=town.zone)
        for town in towns
    ]


def _to_land_features(build: Build) -> list[dict[str, Any]]:
    names = {district.code: (district.name_zh, district.city_zh) for district in build.districts}
    city = next(names[code][1] for code in build.divisions)
    own = shapely.union_all(list(build.towns.values()))
    features = [_to_feature(CITY, own, kind="land", name_zh=city)]
    for code, shape in sorted(build.neighbours.items()):
        name = f"{names[code][1]}{names[code][0]}"
        features.append(_to_feature(f"neighbour-{code}", shape, kind="neighbour", name_zh=name))
    return features


def _to_feature(name: str, shape: BaseGeometry, **properties: str | None) -> dict[str, Any]:
    own = {"id": name, **properties}
    return {"type": "Feature", "id": name, "properties": own, "geometry": to_geometry(shape)}


def build_package(
    recipe: Mapping[str, Any], files: Mapping[str, bytes], measured: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the description of `files`: source, licence, method and hash of each, and the quality."""
    resources = []
    for name, content in files.items():
        stem = Path(name).stem
        method = recipe["resources"][stem]["method"]
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
                "sources": recipe["methods"][method]["sources"],
                "licence": recipe["licence"].strip(),
            }
        )
    shared = {key: recipe[key] for key in ("sources", "licence", "methods", "window")}
    return {**recipe["package"], **shared, "resources": resources, "quality": dict(measured)}
