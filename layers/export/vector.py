"""Layers written by GDAL: FlatGeobuf, Shapefile, Geodatabase, tiles, and GeoPackage with what it says beside.

GeoPackages are dated by the plan and the latest import and written in one order, so that the same data
gives the same bytes with the same version of GDAL.
"""

from __future__ import annotations

import gzip
import io
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geodata.boundaries import SEPARATOR
from layers.export.job import Column, ExportSpec, Job, Part, Value, columns_of, flatten_rows, to_csv
from layers.export.schema import describe_plan
from layers.export.styles import write_qml, write_sld
from layers.export.texts import definition, geometries_of, pack, to_multi, type_of, write_csv

ZOOMS = 5, 12  # least and greatest: from all of the city to ten metres a pixel
MAX_DBF = 254  # bytes of one text
# How GDAL takes each type of column, and what stands there, unseen, for an unknown value.
_TYPES: dict[str, tuple[type | str, Value]] = {
    "string": (object, ""),
    "number": ("float64", 0.0),
    "integer": ("int32", 0),
    "boolean": (bool, False),
    "date": ("datetime64[D]", "1970-01-01"),
}
INT32 = np.iinfo(np.int32)
# What is written here is read back and gone: no need to wait for a disk.
pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})
RESERVED = {"group"}  # that no column of a geodatabase may be called
MAP_HEAD = ("shapefile", "name", "zh", "en", "cut_rows")


def write_flatgeobuf(job: Job) -> bytes:
    """Return one layer; an index where every row has a place, for the format asks for that."""
    part = job.parts[0]
    indexed = "YES" if part.rows and all(row["geometry"] for row in part.features) else "NO"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.fgb"
        options = {"SPATIAL_INDEX": indexed}
        write_layer(path, part, job.spec, driver="FlatGeobuf", layer=part.id, layer_options=options)
        return path.read_bytes()


def write_pmtiles(job: Job) -> bytes:
    """Return the vector tiles of one layer, in the zooms of :data:`ZOOMS`."""
    part = job.parts[0]
    if not any(row["geometry"] for row in part.features):
        return _write_blank_tiles(part)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.pmtiles"
        said = {"NAME": part.id, "DESCRIPTION": part.info["title"]["zh"]}
        zooms = dict(zip(("MINZOOM", "MAXZOOM"), map(str, ZOOMS), strict=True))
        write_layer(path, part, job.spec, driver="PMTiles", layer=part.id, dataset_options=said | zooms)
        return path.read_bytes()


def _write_blank_tiles(part: Part) -> bytes:
    """Return tiles of the whole world with nothing in them: GDAL writes none without a place."""
    file = io.BytesIO()
    writer = Writer(file)
    writer.write_tile(zxy_to_tileid(0, 0, 0), gzip.compress(b"", mtime=0))
    degrees = {
        "min_lon": -180,
        "max_lon": 180,
        "min_lat": -85,
        "max_lat": 85,
        "center_lon": 0,
        "center_lat": 0,
    }
    header: dict[str, object] = {f"{name}_e7": value * 10**7 for name, value in degrees.items()}
    header |= {"center_zoom": 0, "tile_type": TileType.MVT, "tile_compression": Compression.GZIP}
    writer.finalize(header, {"name": part.id, "vector_layers": []})
    return file.getvalue()


def write_shapefile(job: Job) -> bytes:
    """Return a zip: each layer's shapefile, its map of field names, and everything uncut as CSV."""
    files: dict[str, bytes] = {}
    for part in job.parts:
        spec = ExportSpec(part.id, "csv", job.spec.frame, "none")
        files[f"{part.id}.csv"] = write_csv(Job(spec, (part,), job.about))
        if part.spatial:
            files |= _shapefile(job, part)
    files["LICENSE-DATA.md"] = job.about.licence.encode()
    return pack(files, job.about.date)


def write_geodatabase(job: Job) -> bytes:
    """Return a zip of one File Geodatabase with every part; names of layers have underscores in it."""
    with tempfile.TemporaryDirectory() as folder, dated(f"{job.about.date}T00:00:00.000Z"):
        path = Path(folder) / f"{job.stem}.gdb"
        for part in job.parts:
            write_layer(
                path,
                part,
                job.spec,
                driver="OpenFileGDB",
                layer=part.id.replace("-", "_"),
                append=path.exists(),
                fields=[f"{one.name}_" if one.name in RESERVED else one.name for one in columns_of(part)],
                layer_options={"LAYER_ALIAS": part.info["title"]["zh"]},
            )
        files = {f"{path.name}/{one.name}": one.read_bytes() for one in path.iterdir()}
    return pack(files | {"LICENSE-DATA.md": job.about.licence.encode()}, job.about.date)


@contextmanager
def dated(stamp: str) -> Iterator[None]:
    """Let GDAL take `stamp` for the present, and draw no lots: for all threads, but files come in turn."""
    fixed = {"OGR_CURRENT_DATE": stamp, "OPENFILEGDB_REPRODUCIBLE_UUID": "YES"}
    pyogrio.set_gdal_config_options(fixed)
    try:
        with warnings.catch_warnings():
            # GDAL finds a hundred islands slow; they take it a second.
            warnings.filterwarnings("ignore", "organizePolygons", RuntimeWarning)
            # A geodatabase that older ArcGIS reads too has no days, only times.
            warnings.filterwarnings("ignore", "Field .* of type Date will be written", RuntimeWarning)
            yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(fixed))


def _shapefile(job: Job, part: Part) -> dict[str, bytes]:
    shorts = short_names(part)
    rows = flatten_rows(part)
    cut = [{name: shorten_text(value) for name, value in row.items()} for row in rows]
    lines = [MAP_HEAD]
    for column in columns_of(part):
        name, said = column.name, column.meaning
        lost = sum(row[name] != short[name] for row, short in zip(rows, cut, strict=True))
        lines.append((shorts[name], name, said["zh"], said["en"], str(lost)))
    with tempfile.TemporaryDirectory() as folder:
        write_layer(
            Path(folder) / f"{part.id}.shp",
            part,
            job.spec,
            rows=cut,
            fields=list(shorts.values()),
            driver="ESRI Shapefile",
            encoding="UTF-8",
            layer_options={"DBF_DATE_LAST_UPDATE": job.about.date},
        )
        written = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return written | {f"{part.id}-fields.csv": to_csv(lines)}


def short_names(part: Part) -> dict[str, str]:
    """Return the name of every column as a shapefile can hold it."""
    return {column.name: column.short for column in columns_of(part)}


def shorten_text(value: Value) -> Value:
    """Return a text of at most 254 bytes: whole entries of a list where possible, whole letters always."""
    if not isinstance(value, str) or len(value.encode()) <= MAX_DBF:
        return value
    cut = value.encode()[:MAX_DBF].decode(errors="ignore")
    return cut.rpartition(SEPARATOR)[0] or cut if SEPARATOR in value else cut


def write_layer(
    path: Path,
    part: Part,
    spec: ExportSpec,
    *,
    rows: list[dict[str, Value]] | None = None,
    fields: list[str] | None = None,
    **options: Any,
) -> None:
    """Write a layer, or a table, with GDAL.

    `rows` and `fields` are what stands in the columns and what they are called where the format has not
    the room for all; `options` go to ``pyogrio.raw.write``.
    """
    columns, values = columns_of(part), flatten_rows(part) if rows is None else rows
    drawn = [_to_array(column, [row[column.name] for row in values]) for column in columns]
    spatial = {"geometry_type": type_of(part), "crs": definition(spec.frame).to_wkt()} if part.spatial else {}
    pyogrio.raw.write(
        path,
        _to_wkb(part, spec.frame) if part.spatial else None,
        [array for array, _ in drawn],
        fields or [column.name for column in columns],
        field_mask=[unknown for _, unknown in drawn],
        **spatial,
        **options,
    )


def _to_wkb(part: Part, frame: str) -> NDArray[np.object_]:
    places = [to_multi(geometry) for geometry in geometries_of(part, frame)]
    return np.array([None if one is None else shapely.to_wkb(one) for one in places], dtype=object)


def _to_array(column: Column, values: list[Value]) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return the values as GDAL takes them, and which are unknown."""
    unknown = np.array([value is None for value in values], dtype=bool)
    kind, none = _TYPES[column.type]
    if column.type == "integer" and any(not INT32.min <= int(one or 0) <= INT32.max for one in values):
        kind = "int64"
    return np.array([none if value is None else value for value in values], dtype=kind), unknown


# -- GeoPackage 1.3: tables by GDAL, then names of fields, metadata and styles


PAGE_BYTES = 1024  # as each of some forty small tables and indexes takes at least one
_SCHEMA = Path(__file__).with_name("geopackage.sql")
_FRICTIONLESS = "https://specs.frictionlessdata.io/data-package/"
_LICENCES = "https://www.dublincore.org/specifications/dublin-core/dcmi-terms/#license"


def write_geopackage(job: Job) -> bytes:
    """Return the file of every part of the job."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.gpkg"
        for part in job.parts:
            _add_part(path, job, part)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # the file is read back and gone
            connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
            connection.execute("BEGIN")
            for part in job.parts:
                connection.executemany(
                    "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                    list(_meanings(part)),
                )
            _add_styles(connection, job)
            _add_metadata(connection, job)
            connection.execute("COMMIT")
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("VACUUM")
        return path.read_bytes()


def _add_part(path: Path, job: Job, part: Part) -> None:
    description = part.info["description"]
    said = {
        "IDENTIFIER": _identify(job, part),
        "DESCRIPTION": f"{description['zh']}\n{description['en']}",
    }
    with dated(_stamp(job, part)):
        write_layer(
            path,
            part,
            job.spec,
            driver="GPKG",
            layer=part.id,
            append=path.exists(),
            dataset_options={"VERSION": "1.3", "ADD_GPKG_OGR_CONTENTS": "NO"},
            layer_options=said,
        )


def _identify(job: Job, part: Part) -> str:
    """Return the title of a part, with its id where others have the same: no two tables may."""
    titles = {one.id: f"{one.info['title']['zh']} · {one.info['title']['en']}" for one in job.parts}
    title = titles[part.id]
    return title if [*titles.values()].count(title) == 1 else f"{title} ({part.id})"


def _meanings(part: Part) -> Iterator[tuple[str, ...]]:
    """Yield each field's entry of the dictionary: short name, title and explanation.

    A short name may stand only once in a table; an operator may call a field as one of ours is called.
    """
    seen: set[str] = set()
    for column in columns_of(part):
        short = column.title("zh")
        name = f"{short} ({column.name})" if short in seen else short
        seen.add(short)
        title = f"{short} · {column.title('en')}"
        yield part.id, column.name, name, title, "\n".join(column.meaning.values())


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
