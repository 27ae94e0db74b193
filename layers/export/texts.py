"""GeoJSON, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from geodata.boundaries import GeoJsonFeature
from layers import geojson
from layers.export.job import Job, Part, Value, columns_of, flatten_rows, harmless
from layers.export.places import find_inside, geometries_of, is_projected

BOM = "\ufeff"  # without it spreadsheets take UTF-8 for the system's own encoding


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
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for line in to_lines(job, job.parts[0]):
        writer.writerow([_written(harmless(value)) for value in line])
    return (BOM + out.getvalue()).encode()


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
    suffix = f"_{spec.code.replace(':', '').lower()}" if is_projected(spec.code) else ""
    heads = ["east", "north"] if suffix else ["lon", "lat"]
    if spec.geometry == "wkt":
        heads.append("wkt")
        places = [[*place, one.wkt if one else None] for place, one in zip(places, geometries, strict=True)]
    return [f"{head}{suffix}" for head in heads], places


def _written(value: Value) -> Value:
    return str(value).lower() if isinstance(value, bool) else value
