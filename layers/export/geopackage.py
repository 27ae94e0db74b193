"""GeoPackage 1.3: layers with their indexes, tables, names of fields in Chinese, metadata, styles.

Written with plain SQL, for GDAL's writer offers no names of fields; dated by the plan and the latest
import, in one order, without free pages, so that the same data gives the same bytes.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from layers.export.flat import Column, Value, columns_of, flatten
from layers.export.job import Job, Part
from layers.export.places import bounds_of, definition, geometries_of, to_multi, type_of
from layers.export.qml import write_qml
from layers.export.rtree import add_index
from layers.export.schema import describe_plan
from layers.export.sld import write_sld

_SCHEMA = Path(__file__).with_name("geopackage.sql")
_TYPES = {"string": "TEXT", "number": "REAL", "integer": "MEDIUMINT", "boolean": "BOOLEAN"}
_NO_EXTENT = (None, None, None, None)
# Where SQLite notes its own version, which says nothing of the data.
_VERSION_AT, _VERSION = 96, 3_040_000
_FRICTIONLESS = "https://specs.frictionlessdata.io/data-package/"
_LICENCES = "https://www.dublincore.org/specifications/dublin-core/dcmi-terms/#license"


def write_geopackage(job: Job) -> bytes:
    """Return the file of every part of the job."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
        connection.execute("BEGIN")
        _add_frame(connection, job)
        for part in job.parts:
            _add_part(connection, job, part)
        _add_styles(connection, job)
        _add_metadata(connection, job)
        connection.execute("COMMIT")
        content = bytearray(connection.serialize())
    finally:
        connection.close()
    struct.pack_into(">I", content, _VERSION_AT, _VERSION)
    return bytes(content)


def _add_frame(connection: sqlite3.Connection, job: Job) -> None:
    for frame in dict.fromkeys(("EPSG:4326", job.wish.code)):
        code, found = int(frame.rpartition(":")[2]), definition(frame)
        row = (found.name, code, "EPSG", code, found.to_wkt("WKT1_GDAL"), None)
        connection.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", row)


def _add_part(connection: sqlite3.Connection, job: Job, part: Part) -> None:
    columns = columns_of(part)
    declared = ["fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"]
    declared += [f"geom {type_of(part).upper()}"] if part.spatial else []
    declared += [f"{_quoted(column.name)} {_TYPES[column.type]}" for column in columns]
    connection.execute(f"CREATE TABLE {_quoted(part.id)} ({', '.join(declared)})")
    geometries = geometries_of(part, job.wish.frame) if part.spatial else []
    _add_contents(connection, job, part, bounds_of(geometries))
    holes = ", ".join("?" * len(declared))
    insert = f"INSERT INTO {_quoted(part.id)} VALUES ({holes})"  # noqa: S608 - names of our own catalogue
    connection.executemany(insert, _rows(part, geometries, job))
    connection.executemany(
        "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)",
        [_meaning(part, column) for column in columns],
    )
    if part.spatial:
        add_index(connection, part.id, "geom", geometries)


def _add_contents(connection: sqlite3.Connection, job: Job, part: Part, bounds: Any) -> None:
    title, description = part.info["title"], part.info["description"]
    code = int(job.wish.code.rpartition(":")[2]) if part.spatial else None
    row = (
        *(part.id, "features" if part.spatial else "attributes", f"{title['zh']} · {title['en']}"),
        *(f"{description['zh']}\n{description['en']}", _stamp(job, part), *(bounds or _NO_EXTENT), code),
    )
    connection.execute("INSERT INTO gpkg_contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    if part.spatial:
        column = (part.id, "geom", type_of(part).upper(), code, 0, 0)
        connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", column)


def _rows(part: Part, geometries: list[BaseGeometry | None], job: Job) -> Iterator[tuple[Any, ...]]:
    code = int(job.wish.code.rpartition(":")[2])
    for number, values in enumerate(flatten(part)):
        place = [_to_blob(geometries[number], code)] if part.spatial else []
        yield (number + 1, *place, *values.values())


def _to_blob(geometry: BaseGeometry | None, code: int) -> bytes | None:
    """Return a geometry as GeoPackage has it: a head with the frame and the box, then WKB."""
    if geometry is None:
        return None
    west, south, east, north = geometry.bounds
    point = geometry.geom_type == "Point"
    head = struct.pack("<2sBBi", b"GP", 0, 0b01 if point else 0b11, code)
    box = b"" if point else struct.pack("<4d", west, east, south, north)
    return head + box + bytes(shapely.to_wkb(to_multi(geometry), byte_order=1) or b"")


def _meaning(part: Part, column: Column) -> tuple[str, ...]:
    """Return a field's entry of the dictionary: short name, title and explanation."""
    title = f"{column.title('zh')} · {column.title('en')}"
    return part.id, column.name, column.title("zh"), title, "\n".join(column.meaning.values())


def _add_styles(connection: sqlite3.Connection, job: Job) -> None:
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) VALUES (?, ?, ?, ?)",
        ("layer_styles", "attributes", "layer_styles", _stamp(job)),
    )
    for part in job.parts:
        if part.spatial:
            look = job.about.looks[part.id]
            row: tuple[Value, ...] = (
                *(None, "", "", part.id, "geom", part.id, write_qml(look, part), write_sld(look, part)),
                *(True, part.info["title"]["zh"], "", None, _stamp(job)),
            )
            connection.execute("INSERT INTO layer_styles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _add_metadata(connection: sqlite3.Connection, job: Job) -> None:
    """Add the description of the file as a data package, and the terms of its data."""
    package = orjson.dumps(describe_plan(job.about, job.parts), option=orjson.OPT_INDENT_2).decode()
    texts = [(_FRICTIONLESS, "application/json", package), (_LICENCES, "text/markdown", job.about.licence)]
    for number, (standard, kind, text) in enumerate(texts, 1):
        connection.execute(
            "INSERT INTO gpkg_metadata VALUES (?, 'dataset', ?, ?, ?)", (number, standard, kind, text)
        )
        connection.execute(
            "INSERT INTO gpkg_metadata_reference VALUES ('geopackage', NULL, NULL, NULL, ?, ?, NULL)",
            (_stamp(job), number),
        )


def _stamp(job: Job, part: Part | None = None) -> str:
    """Return when the file, or one part of it, last changed: an import of boundaries changes no table."""
    date = job.about.modified if part is None or part.spatial else None
    return f"{date or job.about.date}T00:00:00.000Z"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
