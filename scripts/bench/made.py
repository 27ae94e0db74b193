"""Made-up zones in place of one layer of a release, so that the product serves as many as are wanted."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from layers import geojson
from layers.store import Release
from scripts.bench import country

LAYER = "towns"
PATH = f"data/{LAYER}.geojson"


def write_made(home: Path, release: Release, count: int, vertices: int) -> Release:
    """Write a copy of `release` whose towns are `count` zones of so many vertices, and make it live."""
    target = home / "releases" / release.id
    shutil.copytree(release.folder, target)
    fields = next(row["fields"] for row in release.read_json("pages/catalogue.json") if row["id"] == LAYER)
    blank: dict[str, Any] = {field["name"]: [] if field["type"] == "array" else None for field in fields}
    features = [_feature(number, vertices, blank) for number in range(count)]
    content = orjson.dumps(geojson.to_collection(features, name=LAYER))
    (target / PATH).write_bytes(content)
    files: dict[str, Any] = {
        path: entry for path, entry in release.manifest["files"].items() if not path.startswith(PATH)
    }
    files[PATH] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = json.dumps(release.manifest | {"files": files}, ensure_ascii=False, indent=1).encode()
    (target / "manifest.json").write_bytes(manifest)
    digest = hashlib.sha256(manifest).hexdigest()
    (home / "current").write_text(f"{release.id} {digest}", encoding="ascii")
    return Release(target, digest)


def _feature(number: int, vertices: int, blank: dict[str, Any]) -> dict[str, Any]:
    """Return one zone; the first ones are the same however many there are."""
    row, column = divmod(number, country.BLOCK_ACROSS)
    lon = country.WEST + (column + 0.5) * country.CELL_DEG
    lat = country.SOUTH + (row + 0.5) * country.CELL_DEG
    ring = country.build_ring(np.random.default_rng(number), lon, lat, vertices)
    known = {
        "id": f"zone-{number:06}",
        "name_zh": f"第{number}区",
        "kind": country.KINDS[number % len(country.KINDS)],
        "area_km2": round(shapely.Polygon(ring).area * 1e4, 3),
    }
    return {
        "type": "Feature",
        "id": known["id"],
        "bbox": [float(value) for value in (*ring.min(axis=0), *ring.max(axis=0))],
        "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]},
        "properties": blank | known,
    }
