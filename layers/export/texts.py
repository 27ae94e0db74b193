"""GeoJSON, JSON and CSV, and zip files, whose bytes depend on nothing but their content."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping

from geodata import crs
from geodata.boundaries import GeoJsonFeature
from layers import geojson
from layers.export.job import Job, Part, Value, columns_of, flatten_rows, to_csv
from layers.export.places import find_inside, geometries_of


def write_geojson(job: Job) -> bytes:
    """Return one collection of all features; in a file of several layers each says which is its own."""
    parts = [part for part in job.parts if part.spatial]
    if len(parts) == 1 and parts[0].id == job.spec.name:
        return geojson.to_bytes(geojson.to_collection(parts[0].features, name=job.spec.name))
    rows: list[GeoJsonFeature] = [
        {**row, "properties": {"layer": part.id, **row["properties"]}}
        for part in parts
        for row in part.features
    ]
    return geojson.to_bytes(geojson.to_collection(rows, name=job.spec.name))


def write_json(job: Job) -> bytes:
    """Return a table as an array of objects."""
    return geojson.to_bytes(job.parts[0].properties)


def write_csv(job: Job) -> bytes:
    """Return one layer or table as CSV with a byte order mark."""
    return to_csv(to_lines(job, job.parts[0]))


def to_lines(job: Job, part: Part) -> Iterator[list[Value]]:
    """Yield a head of column names, then a line for each row; the place last, as the specification has it."""
    names = [column.name for column in columns_of(part)]
    heads, places = _places(job, part)
    yield [*names, *heads]
    for row, place in zip(flatten_rows(part), places, strict=True):
        yield [*(row[name] for name in names), *place]


def _places(job: Job, part: Part) -> tuple[list[str], list[list[Value]]]:
    """Return the columns that say where, and their values; a projected frame is named in them."""
    spec = job.spec
    if not part.spatial or spec.geometry == "none":
        return [], [[] for _ in part.rows]
    geometries = geometries_of(part, spec.frame)
    places: list[list[Value]] = [list(find_inside(one)) if one else [None, None] for one in geometries]
    suffix = f"_{spec.code.replace(':', '').lower()}" if crs.is_projected(spec.code) else ""
    heads = ["east", "north"] if suffix else ["lon", "lat"]
    if spec.geometry == "wkt":
        heads.append("wkt")
        places = [[*place, one.wkt if one else None] for place, one in zip(places, geometries, strict=True)]
    return [f"{head}{suffix}" for head in heads], places


_MODE = 0o100644 << 16  # a plain file, readable by all


def pack(files: Mapping[str, bytes], date: str) -> bytes:
    """Return a zip of `files`, sorted by name, all of them dated `date` (year-month-day)."""
    year, month, day = map(int, date.split("-"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, (year, month, day, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = _MODE
            member.create_system = 3  # as on Unix, wherever it is made
            packed.writestr(member, content)
    return out.getvalue()
