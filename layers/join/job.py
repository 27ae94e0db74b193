"""Join one file to a release, and write the answer as CSV, XLSX or GeoPackage.

Every column of the file stays, in its order; those that are added follow. Columns that bear the names of
ours, from an earlier join, are replaced. No cell is a formula in any of the formats.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata import crs
from geodata.boundary_import.issues import RefusedError
from geodata.geojson_input import GeojsonError
from geodata.located_tables import LocatedTable, TableOptions, Value, read_located_table
from geodata.messages import fill
from layers.export.job import BOM, harmless
from layers.join.answering import PREFIX, JoinAnswers, describe_added_columns, list_added_columns
from layers.join.placing import Floats, judge_frame, open_placer
from layers.join.request import (
    LANGUAGES,
    LAYER,
    SUMMARY,
    JoinRefusedError,
    JoinRequest,
    JoinSummary,
    pack_answer,
)
from layers.store import Release

Columns = dict[str, list[Value]]
Told = Sequence[tuple[str, ...]]  # what the added columns mean, under a head
MAX_CELL: Final = 32_767  # characters of a cell of a workbook
_FIGURE: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")  # what is a number and no code or phone
_TAKEN: Final = {"fid", "geom", "ogc_fid"}  # names of columns that GeoPackage has of its own
# The field of the form that may mend what is wrong.
_FIELDS: Final = {
    "position-columns-unknown": "lon",
    "position-columns-not-found": "lon",
    "positions-swapped": "lon",
    "several-layers": "table",
    "unknown-table": "table",
    "zip-ambiguous": "table",
    "bad-encoding": "encoding",
    "unknown-crs": "crs",
    "unknown-numbers": "crs",
    "column-missing": "product",
    "products-many": "product",
}


def join_file(asked: JoinRequest) -> tuple[JoinSummary, bytes]:
    """Return what is said of the whole table, and the file; none of it for a summary alone.

    Raises :class:`~layers.join.request.JoinRefusedError` for a table that cannot be joined.
    """
    release = asked.release
    try:
        return _join(asked, release)
    except RefusedError as error:
        issue = error.issue
        texts = {"zh": issue.message_zh, "en": issue.message_en, "ko": issue.message_ko}
        raise JoinRefusedError(issue.code, _FIELDS.get(issue.code, "file"), texts, issue.fix) from error
    except GeojsonError as error:
        values = {"parameter": asked.name, **error.values}
        strings = {one: release.read_json(f"pages/{one}/strings.json") for one in LANGUAGES}
        texts = {one: fill(strings[one][f"error.{error.kind}"], values) for one in LANGUAGES}
        raise JoinRefusedError(f"geojson-{error.kind}", "file", texts) from error


def make_answer(line: bytes) -> bytes:
    """Return the answer to a line of :class:`~layers.join.request.JoinRequest`, in a child."""
    asked = JoinRequest.from_line(line)
    tempfile.tempdir = asked.work  # whatever libraries write goes with the folder, also when this is killed
    return answer_join(asked)


def answer_join(asked: JoinRequest) -> bytes:
    """Return the answer, or the refusal, as one text."""
    try:
        summary, content = join_file(asked)
    except JoinRefusedError as refusal:
        return pack_answer({"refused": asdict(refusal)}, b"")
    return pack_answer(asdict(summary), content)


def _join(asked: JoinRequest, release: Release) -> tuple[JoinSummary, bytes]:
    named = {"east": asked.lon, "north": asked.lat} if asked.lon and asked.lat else {}
    options = TableOptions(asked.table, asked.encoding, named)
    table = read_located_table(Path(asked.path), asked.name, options, Path(asked.work))
    placer = open_placer(release)
    frame, issues = judge_frame(table.name, table.x, table.y, table.crs, asked.crs, placer)
    lon, lat = _to_lonlat(table, frame.code)
    placed = placer.place(lon, lat)
    answers = JoinAnswers(release, placer, asked.language)
    added = answers.answer(table, placed, (lon, lat), asked.product)
    summary = answers.summarise(table, frame, placed, added)
    summary.notes = [
        {"zh": one.message_zh, "en": one.message_en, "ko": one.message_ko} for one in (*table.issues, *issues)
    ]
    if asked.format == SUMMARY:
        return summary, b""
    ours = {name.casefold() for name in list_added_columns(product=True)}
    columns = {name: column for name, column in table.columns.items() if name.casefold() not in ours} | added
    strings = release.read_json(f"pages/{asked.language}/strings.json")
    head = tuple(strings[f"join.column.{one}"] for one in ("head", "meaning", "values"))
    told = [head, *describe_added_columns(strings, product=asked.product is not None)]
    return summary, _WRITERS[asked.format](columns, told, Path(asked.work))


def _to_lonlat(table: LocatedTable, frame: str) -> tuple[Floats, Floats]:
    """Return WGS 84 positions; NaN for one that lies nowhere on the globe."""
    if frame in crs.FRAMES:
        with np.errstate(all="ignore"):
            lon, lat = crs.transform(table.x, table.y, frame, crs.LONLAT)
    else:
        there = np.isfinite(table.x) & np.isfinite(table.y)
        lon, lat = (np.full(len(table.x), np.nan) for _ in range(2))
        if there.any():
            points = shapely.MultiPoint(np.column_stack([table.x[there], table.y[there]]))
            lon[there], lat[there] = shapely.get_coordinates(crs.to_lonlat(points, frame)).T
    west, south, east, north = crs.GLOBE
    lost = ~((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    return np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)


# -- files


def write_joined_csv(columns: Columns, _: Told, __: Path) -> bytes:
    """Return CSV with a byte order mark."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in columns])
    guarded = [_guard(column) for column in columns.values()]
    writer.writerows(zip(*guarded, strict=True))
    return (BOM + out.getvalue()).encode()


def _guard(column: list[Value]) -> list[Value]:
    """Return a column none of whose texts a spreadsheet takes for a formula."""
    guards = {text: harmless(text) for text in {one for one in column if type(one) is str}}
    return [guards[one] if type(one) is str else one for one in column]


def write_joined_workbook(columns: Columns, told: Told, folder: Path) -> bytes:
    """Return XLSX: numbers as numbers, everything else as text for good; what is added on a second sheet."""
    import xlsxwriter

    path = folder / "joined.xlsx"
    options = {"constant_memory": True, "tmpdir": str(folder), "strings_to_formulas": False}
    book = xlsxwriter.Workbook(path, options | {"strings_to_urls": False, "strings_to_numbers": False})
    sheet = book.add_worksheet(LAYER)
    bold = book.add_format({"bold": True})
    for at, name in enumerate(columns):
        sheet.write_string(0, at, name[:MAX_CELL], bold)
    typed = [_to_figures(column) for column in columns.values()]
    write_string, write_number = sheet.write_string, sheet.write_number
    for number, row in enumerate(zip(*typed, strict=True), 1):
        for at, value in enumerate(row):
            if type(value) is str:
                write_string(number, at, value[:MAX_CELL])
            elif isinstance(value, int | float):
                write_number(number, at, value)
    sheet.freeze_panes(1, 0)
    meanings = book.add_worksheet("columns")
    for number, line in enumerate(told):
        for at, text in enumerate(line):
            meanings.write_string(number, at, text, None if number else bold)
    meanings.set_column(0, 0, 26)
    meanings.set_column(1, 2, 60)
    book.close()
    return path.read_bytes()


def write_joined_geopackage(columns: Columns, _: Told, folder: Path) -> bytes:
    """Return a GeoPackage with a layer of points, WGS 84; rows without a position have no geometry."""
    import pyogrio.raw

    lon, lat = (
        np.array([np.nan if one is None else one for one in columns[f"{PREFIX}{axis}"]], dtype=float)
        for axis in ("lon", "lat")
    )
    points = shapely.to_wkb(
        np.where(np.isfinite(lon), shapely.points(np.nan_to_num(lon), np.nan_to_num(lat)), None)
    )
    arrays, masks = zip(*map(_to_array, columns.values()), strict=True)
    path = folder / "joined.gpkg"
    pyogrio.raw.write(
        path,
        points,
        list(arrays),
        [f"{name}_" if name.casefold() in _TAKEN else name for name in columns],
        field_mask=list(masks),
        geometry_type="Point",
        crs="EPSG:4326",
        driver="GPKG",
        layer=LAYER,
    )
    return path.read_bytes()


_WRITERS: Final[dict[str, Callable[[Columns, Told, Path], bytes]]] = {
    "csv": write_joined_csv,
    "xlsx": write_joined_workbook,
    "gpkg": write_joined_geopackage,
}


def _to_figures(column: list[Value]) -> list[Value]:
    """Return a column of texts as numbers where every one is a number and nothing else."""
    texts = [one for one in column if one is not None]
    if not all(type(one) is str and _FIGURE.fullmatch(one) for one in texts):
        return column
    return [None if one is None else float(one) if "." in str(one) else int(one) for one in column]


def _to_array(column: list[Value]) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return a column as GDAL takes it, and which of its values are unknown."""
    typed = _to_figures(column)
    unknown = np.array([one is None for one in typed], dtype=bool)
    kinds = {type(one) for one in typed if one is not None}
    if kinds == {int} and all(abs(int(one or 0)) < 2**63 for one in typed):
        return np.array([one or 0 for one in typed], dtype="int64"), unknown
    if kinds and kinds <= {int, float}:
        return np.array([one or 0.0 for one in typed], dtype="float64"), unknown
    return np.array(["" if one is None else str(one) for one in typed], dtype=object), unknown
