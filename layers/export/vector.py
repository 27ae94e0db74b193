"""FlatGeobuf and Shapefile, written by GDAL into a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely
from shapely.geometry.base import BaseGeometry

from layers.export import archive
from layers.export.flat import JOINER, Column, Value, columns_of, flatten
from layers.export.job import Job, Part, Wish
from layers.export.places import definition, geometries_of, to_multi, type_of
from layers.export.texts import write_csv

MAX_DBF = 254  # bytes of one text
MAP_HEAD = ("shapefile", "name", "zh", "en", "cut_rows")


def write_flatgeobuf(job: Job) -> bytes:
    """Return one layer; an index where every row has a place, for the format asks for that."""
    part = job.parts[0]
    geometries = geometries_of(part, job.wish.frame)
    indexed = "YES" if geometries and all(geometries) else "NO"
    columns, rows = columns_of(part), flatten(part)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.fgb"
        names = [column.name for column in columns]
        fields = [_to_array(column, [row[column.name] for row in rows]) for column in columns]
        driver = {"driver": "FlatGeobuf", "layer_options": {"SPATIAL_INDEX": indexed}}
        _write(path, part, job.wish, (geometries, names, fields), driver | {"layer": part.id})
        return path.read_bytes()


def write_shapefile(job: Job) -> bytes:
    """Return a zip: each layer's shapefile, its map of field names, and everything uncut as CSV."""
    files: dict[str, bytes] = {}
    for part in job.parts:
        files[f"{part.id}.csv"] = write_csv(_table_job(job, part))
        if part.spatial:
            files |= _shapefile(job, part)
    files["LICENSE-DATA.md"] = job.about.licence.encode()
    return archive.pack(files, job.about.date)


def _table_job(job: Job, part: Part) -> Job:
    return Job(Wish(part.id, "csv", job.wish.frame, "none"), (part,), job.about)


def _shapefile(job: Job, part: Part) -> dict[str, bytes]:
    shorts = short_names(part)
    columns, rows = columns_of(part), flatten(part)
    fields, lines = [], [MAP_HEAD]
    for column in columns:
        values = [row[column.name] for row in rows]
        cut = [shorten(value) for value in values]
        fields.append(_to_array(column, cut))
        lost = sum(one != other for one, other in zip(values, cut, strict=True))
        lines.append(
            (shorts[column.name], column.name, column.meaning["zh"], column.meaning["en"], str(lost))
        )
    with tempfile.TemporaryDirectory() as folder:
        options = {"driver": "ESRI Shapefile", "encoding": "UTF-8"} | {
            "layer_options": {"DBF_DATE_LAST_UPDATE": job.about.date}
        }
        drawn = (geometries_of(part, job.wish.frame), list(shorts.values()), fields)
        _write(Path(folder) / f"{part.id}.shp", part, job.wish, drawn, options)
        written = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return written | {f"{part.id}-fields.csv": archive.to_csv(lines)}


def short_names(part: Part) -> dict[str, str]:
    """Return the name of every column as a shapefile can hold it."""
    return {column.name: column.short for column in columns_of(part)}


def shorten(value: Value) -> Value:
    """Return a text of at most 254 bytes: whole entries of a list where possible, whole letters always."""
    if not isinstance(value, str) or len(value.encode()) <= MAX_DBF:
        return value
    cut = value.encode()[:MAX_DBF].decode(errors="ignore")
    return cut.rpartition(JOINER)[0] or cut if JOINER in value else cut


def _to_array(column: Column, values: list[Value]) -> Any:
    """Return the values as GDAL takes them: numbers with NaN, or objects with None, for what is unknown."""
    if column.type == "string":
        return np.array([None if value is None else str(value) for value in values], dtype=object)
    if column.type == "integer" and None not in values:
        return np.array(values, dtype="int32")
    if column.type == "boolean" and None not in values:
        return np.array(values, dtype=bool)
    return np.array([np.nan if value is None else float(value) for value in values], dtype="float64")


def _write(
    path: Path,
    part: Part,
    wish: Wish,
    drawn: tuple[list[BaseGeometry | None], list[str], list[Any]],
    options: dict[str, Any],
) -> None:
    geometries, names, fields = drawn
    multi = [to_multi(geometry) for geometry in geometries]
    pyogrio.raw.write(
        path,
        np.array([None if one is None else shapely.to_wkb(one) for one in multi], dtype=object),
        fields,
        names,
        geometry_type=type_of(part),
        crs=definition(wish.frame).to_wkt(),
        **options,
    )
