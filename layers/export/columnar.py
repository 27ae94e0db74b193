"""Files of typed columns: XLSX, a sheet for each layer or table and one about all, and GeoParquet 1.1."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import xlsxwriter
from shapely.geometry.base import BaseGeometry
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from layers.export.job import WGS84, Column, Job, Part, Value, columns_of, flatten_rows
from layers.export.texts import bounds_of, definition, geometries_of, to_lines, to_multi

MAX_CELL = 32_767  # characters
WIDTHS = (8, 42)  # characters that a column is at least and at most wide
_TYPES = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def write_xlsx(job: Job) -> bytes:
    """Return the workbook; its date is the plan's."""
    out = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, {"in_memory": True, **plain})
    book.set_properties(
        {
            "title": f"{job.about.plan['title']['zh']} · {job.spec.name}",
            "comments": f"{job.about.plan['number']} {job.about.date}",
            "created": datetime.fromisoformat(job.about.date).replace(tzinfo=UTC),
        }
    )
    looks = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "wrap": book.add_format({"text_wrap": True}),
    }
    for part in job.parts:
        _add_part(book.add_worksheet(part.id), job, part, looks["head"])
    _add_about(book.add_worksheet("about"), job, looks)
    book.close()
    return out.getvalue()


def _add_part(sheet: Worksheet, job: Job, part: Part, head: Format) -> None:
    lines = [_fitting(line, job) for line in to_lines(job, part)]
    for number, line in enumerate(lines):
        for column, value in enumerate(line):
            _write(sheet, (number, column), value, head if number == 0 else None)
    for column, cells in enumerate(zip(*lines, strict=True)):
        longest = max(len(str(value or "")) for value in cells)
        sheet.set_column(column, column, min(max(longest + 2, WIDTHS[0]), WIDTHS[1]))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(lines) - 1, len(lines[0]) - 1)


def _fitting(line: list[Value], job: Job) -> list[Value]:
    """Say so where a cell cannot hold a geometry: a cut one would be another place."""
    if job.spec.geometry != "wkt":
        return line
    too_long = isinstance(line[-1], str) and len(line[-1]) > MAX_CELL
    return [*line[:-1], str(job.about.words["too_long"]["zh"])] if too_long else line


def _write(sheet: Worksheet, at: tuple[int, int], value: Value, look: Format | None) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*at, value, look)
    elif isinstance(value, int | float):
        sheet.write_number(*at, value, look)
    else:
        sheet.write_string(*at, value, look)  # a text for good, whatever it begins with


def _add_about(sheet: Worksheet, job: Job, looks: dict[str, Format]) -> None:
    """Say what the file is of, what its columns mean and under which terms it may be used."""
    plan = job.about.plan
    rows: list[list[str]] = [[plan["title"]["zh"], plan["title"]["en"]], [plan["number"], plan["date"]]]
    rows += [[job.spec.code, ""], []]
    for part in job.parts:
        rows.append([part.info["title"]["zh"], part.info["title"]["en"], part.id])
        rows += [[column.meaning["zh"], column.meaning["en"], column.name] for column in columns_of(part)]
        rows.append([])
    rows += [[line] for line in job.about.licence.splitlines()]
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text, looks["wrap"] if len(row) > 1 else None)
    sheet.set_column(0, 1, 60)
    sheet.set_column(2, 2, 26)


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
