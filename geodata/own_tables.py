"""Read the rows of a table or layer that an operator supplies: GeoJSON, GeoPackage, CSV or XLSX.

A row has its line or number, its cells by column, and its place as the file states it, (east, north) in
whatever system. GDAL (pyogrio) is imported only when data are read.
"""

from __future__ import annotations

import csv
import io
import math
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.coordinate_lists import normalise_word, read_vocabulary
from geodata.boundary_import.formats import check_entries, check_file, decode_text, detect_format

MAX_FEATURES = 20_000


@dataclass(frozen=True)
class TableRow:
    """One row of data: the line or number by which a reader finds it, its cells, its place if it has one."""

    line: int
    cells: Mapping[str, object]
    geometry: BaseGeometry | None


@dataclass(frozen=True)
class Table:
    """What a file of data holds: the names of its columns, its rows, the system that it names itself."""

    columns: tuple[str, ...]
    records: list[TableRow]
    crs: str | None


class DataFaultError(Exception):
    """A value or a file is wrong: the code of the message, and what goes into it."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def read_table(path: Path, name: str | None, position: Mapping[str, str]) -> Table:
    """Return the rows of a file of data; raises DataFaultError or RefusedError where it cannot be read."""
    check_file(path)
    if path.suffix == ".csv":
        return _read_rows(_split(decode_text(path.name, path.read_bytes())), position)
    kind = detect_format(path, path.name)
    wanted = {".geojson": "json", ".gpkg": "gpkg", ".xlsx": "xlsx"}[path.suffix]
    if kind != wanted:
        raise DataFaultError("own-format", kind=kind)
    if kind == "xlsx":
        return _read_rows(_read_workbook(path, name), position)
    return _read_vector(path, name)


def _split(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row of a CSV with the line that it begins at."""
    head = text.partition("\n")[0]
    mark = max("\t;,", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataFaultError("own-csv", reason=error) from error


def _read_workbook(path: Path, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row of a sheet with its number."""
    with zipfile.ZipFile(path) as archive:
        check_entries(path, [entry for entry in archive.infolist() if not entry.is_dir()])
    layer = _choose_table(path, sheet)
    with _gdal_faults():
        import pyogrio

        columns = pyogrio.raw.read(
            path, layer=layer, read_geometry=False, HEADERS="DISABLE", FIELD_TYPES="STRING"
        )[3]
    for line, row in enumerate(zip(*columns, strict=True), 1):
        yield line, [cell if isinstance(cell, str) else "" for cell in row]


def _read_rows(rows: Iterator[tuple[int, list[str]]], position: Mapping[str, str]) -> Table:
    """Return a table whose first row names its columns; blank rows are passed over."""
    filled = ((line, [cell.strip() for cell in row]) for line, row in rows)
    filled = ((line, cells) for line, cells in filled if any(cells))
    _, titles = next(filled, (1, []))
    twice = next((name for name in titles if name and titles.count(name) > 1), None)
    if twice is not None:
        raise DataFaultError("own-same-column", name=twice)
    place = _choose_position(titles, position)
    records = []
    for line, cells in filled:
        if any(cells[len(titles) :]):
            raise DataFaultError("own-row-width", line=line, count=len(cells), columns=len(titles))
        named = dict(zip(titles, cells, strict=False))
        records.append(TableRow(line, named, place(named)))
        if len(records) > MAX_FEATURES:
            raise DataFaultError("own-too-large", count=len(records), limit=MAX_FEATURES)
    return Table(tuple(titles), records, None)


def _choose_position(
    titles: Sequence[str], stated: Mapping[str, str]
) -> Callable[[Mapping[str, str]], BaseGeometry | None]:
    """Return what reads the place of a row; raises DataFaultError where no columns say where it lies."""
    named = dict(stated)
    if not named:
        words = read_vocabulary()["columns"]
        for role in ("lon", "lat", "east", "north", "wkt"):
            known = set(map(normalise_word, words[role]))
            found = next((title for title in titles if normalise_word(title) in known), None)
            named |= {role: found} if found else {}
    if any(name not in titles for name in stated.values()):
        raise DataFaultError("own-no-column", columns=", ".join(titles)[:300])
    for one, other in (("lon", "lat"), ("east", "north")):
        if one in named and other in named:
            return lambda cells: _to_point(cells.get(named[one], ""), cells.get(named[other], ""))
    if "wkt" in named:
        return lambda cells: _parse_wkt(cells.get(named["wkt"], ""))
    raise DataFaultError("own-no-position", columns=", ".join(titles)[:300])


def _to_point(east: str, north: str) -> BaseGeometry | None:
    try:
        x, y = (float(unicodedata.normalize("NFKC", cell)) for cell in (east, north))
    except ValueError:
        return None
    return shapely.Point(x, y) if math.isfinite(x) and math.isfinite(y) else None


def _parse_wkt(text: str) -> BaseGeometry | None:
    try:
        shape: BaseGeometry = shapely.force_2d(shapely.from_wkt(text.partition(";")[2] or text))
    except GEOSException:
        return None
    return shape


def _read_vector(path: Path, table: str | None) -> Table:
    layer = _choose_table(path, table)
    with _gdal_faults():
        import pyogrio

        meta, _, shapes, columns = pyogrio.raw.read(
            path, layer=layer, force_2d=True, max_features=MAX_FEATURES + 1
        )
    names = tuple(str(one) for one in meta["fields"])
    placed = shapely.from_wkb(shapes, on_invalid="ignore") if shapes is not None else []
    cells = [column.tolist() for column in columns]
    records = [
        TableRow(number, dict(zip(names, row, strict=True)), _to_simple(shape))
        for number, (shape, *row) in enumerate(zip(placed, *cells, strict=True), 1)
    ]
    return Table(names, records, meta["crs"] or None)


def _to_simple(shape: BaseGeometry | None) -> BaseGeometry | None:
    """Return a collection of one part as that part."""
    if shape is not None and shape.geom_type in {"MultiPoint", "GeometryCollection"}:
        parts = shapely.get_parts(shape)
        return parts[0] if len(parts) == 1 else shape
    return shape


def _choose_table(path: Path, wanted: str | None) -> str:
    with _gdal_faults():
        import pyogrio

        tables = [str(row[0]) for row in pyogrio.list_layers(path)]
    if wanted in tables or (wanted is None and len(tables) == 1):
        return wanted or tables[0]
    raise DataFaultError("own-table", tables=", ".join(tables)[:300])


@contextmanager
def _gdal_faults() -> Iterator[None]:
    """Turn what GDAL objects to into a fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of GDAL's is checked
            yield
    except (RuntimeError, ValueError, OverflowError, KeyError) as error:
        raise DataFaultError("own-unreadable", reason=str(error).split(";")[0][:200]) from error
