"""Made-up zones: a whole country of them, or as many as wanted in place of one layer of a release.

Stars with fractal edges on a grid of cells, the same on every machine. The vertex counts are spread
as those of administrative boundaries are: half below 80, one in a hundred above 800.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geodata.boundaries import GeoJsonFeature, Properties, flatten_value
from geodata.crs import Bounds
from layers import geojson
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
    info: LayerEntry = {
        "id": ID,
        "geometry": "polygon",
        "title": text,
        "description": text,
        "fields": fields,
    }
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
    content = orjson.dumps(geojson.to_collection(features, name=LAYER))
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
