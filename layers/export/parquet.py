"""GeoParquet 1.1, and plain Parquet for tables."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from shapely.geometry.base import BaseGeometry

from layers.export.formats import WGS84
from layers.export.job import Column, Job, Value, columns_of, flatten_rows
from layers.export.places import bounds_of, definition, geometries_of, to_multi

_TYPES = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def write_parquet(job: Job) -> bytes:
    """Return one layer or table; what a column means stands in its metadata."""
    part = job.parts[0]
    columns, rows = columns_of(part), flatten_rows(part)
    fields = [_to_field(column) for column in columns]
    arrays = [_to_array(column, rows) for column in columns]
    metadata = {"plan": job.about.plan["number"], "date": job.about.date, "licence": job.about.licence}
    if part.spatial:
        geometries = [to_multi(geometry) for geometry in geometries_of(part, job.spec.frame)]
        fields.append(pa.field("geometry", pa.binary()))
        arrays.append(
            pa.array([None if one is None else shapely.to_wkb(one) for one in geometries], pa.binary())
        )
        metadata["geo"] = json.dumps(_describe(geometries, job.spec.code))
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _to_field(column: Column) -> pa.Field:
    said = {f"description_{language}": text for language, text in column.meaning.items()}
    return pa.field(column.name, _TYPES[column.type], metadata=said)


def _to_array(column: Column, rows: list[dict[str, Value]]) -> pa.Array:
    values = [row[column.name] for row in rows]
    if column.type == "number":
        values = [None if value is None else float(value) for value in values]
    if column.type == "date":
        days = [None if value is None else date.fromisoformat(str(value)) for value in values]
        return pa.array(days, _TYPES[column.type])
    return pa.array(values, _TYPES[column.type])


def _describe(geometries: list[BaseGeometry | None], frame: str) -> dict[str, object]:
    """Return what GeoParquet says of its geometry; without `crs` it is longitude and latitude."""
    column: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": sorted({one.geom_type for one in geometries if one is not None}),
        "orientation": "counterclockwise",
    }
    if frame != WGS84:
        column["crs"] = definition(frame).to_json_dict()
    bounds = bounds_of(geometries)
    if bounds:
        column["bbox"] = list(bounds)
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
