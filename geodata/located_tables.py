"""Read a table or a layer in which every row has a position: lists of companies, plots, sites, own layers.

CSV and other texts in any encoding, XLSX and ODS, GeoPackage, GeoJSON, Shapefiles (zipped), KML and what else
GDAL reads. Columns with the positions are found by their titles, else by their numbers, or named by the
user; a line or an area stands where a point inside it lies. Positions are (east, north) as they stand in the
file, whichever order its columns have. GDAL (pyogrio) is imported only when a file is read.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata import crs
from geodata.boundaries import (
    COLLECTIONS,
    DEPTHS,
    SentGeometry,
    list_features,
    list_geometries,
    read_geojson,
)
from geodata.boundary_import.coordinate_lists import GDAL_OPTIONS, find_crs, normalise_word, read_vocabulary
from geodata.boundary_import.corner_tables import (
    HEADER_ROWS,
    is_packed,
    order_by_size,
    parse_coordinate,
    point_decimals,
)
from geodata.boundary_import.formats import (
    SPATIAL,
    TABULAR,
    UTF16_MARKS,
    check_companions,
    check_entries,
    check_file,
    decode_rows,
    decode_text,
    detect_format,
    is_utf8,
    read_cpg,
    read_geojson_crs,
    unpack,
)
from geodata.boundary_import.issues import Issue, RefusedError, build_issue, join_texts
from geodata.boundary_import.reader import (
    DRIVERS,
    OPEN_OPTIONS,
    WORKBOOKS,
    gdal_errors,
    read_sheet,
)

Value = str | int | float | bool | None
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 250
_SAMPLED: Final = 500  # rows that tell what a column holds
_COORDINATES: Final = 0.6  # of a column's cells, for it to hold coordinates
_LEAST: Final = 10  # smaller numbers are counted, not measured
_MARKS: Final = ("\t", ",", ";", "|")
_PAIR: Final = re.compile(r"\s*[(\[]?\s*([-+]?\d+(?:\.\d+)?)\s*[,，;；\s]\s*([-+]?\d+(?:\.\d+)?)\s*[)\]]?\s*")
_SRID: Final = re.compile(r"\s*SRID=(\d+);", re.IGNORECASE)
_UNPRINTED: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
# Roles that columns have together, the surest first.
_TOGETHER: Final = (("lon", "lat"), ("east", "north"), ("x", "y"))


@dataclass(frozen=True)
class TableOptions:
    """What the user says of a file.

    Attributes
    ----------
    table
        Its layer or sheet.
    position
        The columns with the positions by what they hold: two coordinates, east first, or ``wkt``.
    strict
        Whether values are left as they are, and a title that stands twice and a cell under none are refused.
    """

    table: str | None = None
    encoding: str | None = None
    position: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False


@dataclass
class LocatedTable:
    """The rows of a file.

    Attributes
    ----------
    columns
        Values by title, in the order of the file; all as long as `x`.
    lines
        The line or number by which a reader finds each row.
    x, y
        East and north as they stand in the file, NaN where a row has no position.
    shapes
        The geometries of a file that has them; a row stands at its point, or inside its line or area.
    crs
        The coordinate system that the file names; None where it names none.
    found_in
        The titles of the columns that hold the positions; none where these are geometries.
    issues
        What is to be said of how the file was read.
    """

    name: str
    columns: dict[str, list[Value]]
    lines: Sequence[int]
    crs: str | None = None
    found_in: tuple[str, ...] = ()
    issues: list[Issue] = field(default_factory=list)
    shapes: Shapes | None = None

    def __post_init__(self) -> None:
        self.x, self.y = (np.full(len(self.lines), np.nan) for _ in range(2))

    @property
    def geometries(self) -> Shapes:
        """The geometry of each row, a point where the file has columns; None where it has no position."""
        if self.shapes is not None:
            return self.shapes
        places: Shapes = np.full(len(self.x), None, dtype=object)
        there = np.isfinite(self.x) & np.isfinite(self.y)
        places[there] = shapely.points(self.x[there], self.y[there])
        return places


@dataclass(frozen=True)
class _Source:
    path: Path
    name: str  # what messages call it
    options: TableOptions
    folder: Path  # for what has to be written

    def clean(self, value: object) -> Value:
        """Return a value as every format can hold it: no half letters, nothing unprinted, None for blanks."""
        if not isinstance(value, str):
            return value if isinstance(value, int | float | bool | None) else str(value)
        if not self.options.strict:
            value = _UNPRINTED.sub(" ", value).encode("utf-8", "replace").decode()
        return value.strip() or None


def read_located_table(path: Path, name: str, options: TableOptions, folder: Path) -> LocatedTable:
    """Read one file; `name` is what messages call it, `folder` is for what has to be written.

    Raises :class:`~geodata.boundary_import.issues.RefusedError`, and
    :class:`~geodata.boundaries.GeojsonError` for a GeoJSON that is none.
    """
    check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's warnings are superseded by the checks
            found = _read(_Source(path, name, options, folder))
    except OSError as error:
        raise RefusedError(build_issue("not-readable", name, reason=error.strerror or "?")) from error
    if not len(found.x):
        raise RefusedError(build_issue("file-empty", name))
    return found


def _read(source: _Source) -> LocatedTable:
    kind = detect_format(source.path, source.name)
    if kind == "zip":
        return _read_archive(source)
    if kind in WORKBOOKS:
        return _read_workbook(source)
    if kind == "text":
        return _read_text(source)
    if kind == "json":
        return _read_json(source)
    return _read_layer(source, kind)


def _read_archive(source: _Source) -> LocatedTable:
    """Read the only data set of an archive, or the one that is named."""
    files = unpack(source.path, source.folder / "unpacked")
    wanted, options = source.options.table, source.options
    for suffixes in (SPATIAL, TABULAR):
        found = [path for path in files if path.suffix.lower() in suffixes]
        named = [path for path in found if wanted in {path.name, path.stem}]
        if named and len(found) > 1:
            found, options = named, replace(options, table=None)
        if len(found) > 1:
            names = ", ".join(path.name for path in found[:10])
            raise RefusedError(build_issue("zip-ambiguous", source.name, names=names))
        if found:
            return _read(_Source(found[0], found[0].name, options, source.folder))
    raise RefusedError(build_issue("zip-nothing", source.name))


# -- tables


def _read_text(source: _Source) -> LocatedTable:
    """Read a text whose cells are divided by some mark."""
    content, encoding = source.path.read_bytes(), source.options.encoding
    table = _read_rows(source, *_split(source.name, decode_text(source.name, content, encoding)))
    if encoding is None and not is_utf8(content) and not content.startswith(UTF16_MARKS):
        table.issues.append(build_issue("encoding-guessed", source.name, encoding="GB 18030"))
    return table


def _split(name: str, text: str) -> tuple[list[list[str]], list[int]]:
    """Return the cells of a text, divided by the mark that divides most of its lines alike, and its lines."""
    first = 1
    lines = [line for line in text[:100_000].splitlines()[:100] if line.strip()]
    if lines and re.fullmatch(r"sep=.\s*", lines[0], re.IGNORECASE):  # what spreadsheets write for each other
        text, first = text.partition("\n")[2], 2
        lines = lines[1:]
    counts = {mark: [line.count(mark) for line in lines] for mark in _MARKS}
    likeness = {
        mark: (max(map(found.count, {*found} - {0}), default=0), max(found, default=0))
        for mark, found in counts.items()
    }
    mark = max(_MARKS, key=lambda one: likeness[one])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows, starts = [], [first]
    try:
        for row in reader:
            rows.append(row)
            starts.append(reader.line_num + first)
    except csv.Error as error:
        raise RefusedError(build_issue("not-readable", name, reason=str(error))) from error
    return rows, starts


def _read_workbook(source: _Source) -> LocatedTable:
    """Read the sheet that is named, the only one with positions, or the only one there is."""
    import pyogrio

    path, name, wanted = source.path, source.name, source.options.table
    with zipfile.ZipFile(path) as archive:
        check_entries(path, [entry for entry in archive.infolist() if not entry.is_dir()])
    with gdal_errors(name, path):
        sheets = [str(row[0]) for row in pyogrio.list_layers(path)]
    if wanted is not None and wanted not in sheets:
        raise _refuse_table(name, wanted, sheets)
    read: dict[str, LocatedTable] = {}
    failed: list[RefusedError] = []
    for sheet in sheets[:20] if wanted is None else [wanted]:
        try:
            with gdal_errors(name, path):
                rows = read_sheet(path, sheet, MAX_ROWS + 100)
            read[sheet] = _read_rows(source, rows, range(1, len(rows) + 1))
        except RefusedError as error:
            failed.append(error)
    if not read:
        raise failed[0] if failed else RefusedError(build_issue("file-empty", name))
    if len(read) > 1:
        raise RefusedError(build_issue("several-layers", name, layers=join_texts(read)))
    return next(iter(read.values()))


def _refuse_table(name: str, wanted: str, there: Sequence[str]) -> RefusedError:
    return RefusedError(build_issue("unknown-table", name, table=wanted[:80], layers=join_texts(there[:20])))


def _read_rows(source: _Source, rows: list[list[str]], lines: Sequence[int]) -> LocatedTable:
    """Read the rows of a table, each with its line, among them that with its titles."""
    name, options = source.name, source.options
    width = max(map(len, rows), default=0)
    _refuse_wide(name, width)
    start, roles = _find_columns(name, rows, options, width)
    above = rows[:start]
    heads = [_head(above, at) for at in range(width)]
    titles = _name_columns(heads)
    filled = [at for at in range(start, len(rows)) if any(cell and not cell.isspace() for cell in rows[at])]
    body, lines = [rows[at] for at in filled], [lines[at] for at in filled]
    _refuse_many(name, len(body))
    if options.strict:
        _refuse_untidy(name, heads[: len(above[-1])] if above else [], body, lines)
    columns: dict[str, list[Value]] = {
        title: [source.clean(row[at]) if at < len(row) else None for row in body]
        for at, title in enumerate(titles)
    }
    used = {*roles.values()}
    said = " ".join([*(cell for row in above[:-1] for cell in row), *(heads[at] for at in used)])
    return _place(source, LocatedTable(name, columns, lines, find_crs(said)), roles)


def _head(above: Sequence[Sequence[str]], at: int) -> str:
    """Return the title of a column: from the last row of titles, or where its cells are merged from above."""
    for number, row in enumerate(reversed(above)):
        if number and sum(bool(cell.strip()) for cell in row) < 2:  # noqa: PLR2004 - the title of the table
            break
        if at < len(row) and row[at].strip():
            return row[at].strip()
    return ""


def _refuse_untidy(
    name: str, heads: Sequence[str], body: Sequence[Sequence[str]], lines: Sequence[int]
) -> None:
    """Refuse a title that stands twice, and a cell beyond the titles."""
    known = [head.casefold() for head in heads]
    twice = next((head for head in heads if head and known.count(head.casefold()) > 1), None)
    if twice is not None:
        raise RefusedError(build_issue("columns-same", name, title=twice[:60]))
    for line, row in zip(lines, body, strict=True):
        if any(cell.strip() for cell in row[len(heads) :]):
            raise RefusedError(build_issue("row-wide", name, line=line, count=len(row), columns=len(heads)))


def _find_columns(
    name: str, rows: list[list[str]], options: TableOptions, width: int
) -> tuple[int, dict[str, int]]:
    """Return the first row of data, and which columns hold the positions, by their roles."""
    head = rows[:HEADER_ROWS]
    if options.position:
        return _find_named(name, head, options.position, width)
    for number, row in enumerate(head):
        roles = _find_roles(row)
        if roles:
            return number + 1, roles
    for start in () if options.strict else (0, 1):
        sample = rows[start : start + _SAMPLED]
        holding = [at for at in range(width) if _holds_coordinates(sample, at)]
        if len(holding) == 2:  # noqa: PLR2004 - east, north
            return start, dict(zip(("first", "second"), holding, strict=True))
    raise _refuse_columns(name, head[0] if head else ())


def _refuse_columns(name: str, titles: Sequence[str]) -> RefusedError:
    shown = ", ".join(filter(None, titles))[:300]
    return RefusedError(build_issue("position-columns-unknown", name, columns=shown or "-"))


def _find_named(
    name: str, head: list[list[str]], wanted: Mapping[str, str], width: int
) -> tuple[int, dict[str, int]]:
    """Return the columns that the user names, by their titles or numbers."""
    names = {role: _normalise(one) for role, one in wanted.items()}
    for number, row in enumerate(head):
        cells = [_normalise(cell) for cell in row]
        if all(one in cells for one in names.values()):
            return number + 1, {role: cells.index(one) for role, one in names.items()}
    if all(one.isdecimal() and 0 < int(one[:4]) <= width for one in names.values()):
        roles = {role: int(one) - 1 for role, one in names.items()}
        row = next(iter(head), [])
        titled = max(roles.values()) < len(row) and all(_number(row[at]) is None for at in roles.values())
        return int(titled), roles
    titles = max(head, key=lambda row: sum(bool(cell.strip()) for cell in row), default=[])
    values = {"given": ", ".join(wanted.values())[:60], "columns": ", ".join(filter(None, titles))[:300]}
    raise RefusedError(build_issue("position-columns-not-found", name, **values))


def _find_roles(titles: Sequence[str]) -> dict[str, int]:
    """Return the columns that hold the positions by what their titles say; none where they say nothing."""
    known = _list_titles()
    roles: dict[str, int] = {}
    for at, title in enumerate(titles):
        for text in (title, re.sub(r"[((].*", "", _normalise(title))):
            word = normalise_word(text)
            for frame in _list_frames():
                word = word.replace(frame, "")
            if word in known:
                roles.setdefault(known[word], at)
    for one, other in _TOGETHER:
        if {one, other} <= roles.keys():
            return {one: roles[one], other: roles[other]}
    return {role: roles[role] for role in ("wkt", "pair") if role in roles and len(titles) > 1}


@cache
def _list_titles() -> dict[str, str]:
    """Return the role of a column by its title."""
    vocabulary = read_vocabulary()
    words = {
        role: vocabulary["columns"][role] for role in (*(one for pair in _TOGETHER for one in pair), "wkt")
    }
    words["pair"] = vocabulary["pairs"]
    return {normalise_word(word): role for role, spelled in words.items() for word in spelled}


@cache
def _list_frames() -> tuple[str, ...]:
    """Return the words of coordinate systems that titles of columns carry, the longest first."""
    vocabulary = read_vocabulary()
    rows = [*vocabulary["frames"].values(), *(datum["words"] for datum in vocabulary["datums"].values())]
    return tuple(sorted({normalise_word(word) for words in rows for word in words}, key=len, reverse=True))


def _holds_coordinates(rows: Sequence[Sequence[str]], at: int) -> bool:
    """Tell whether a column looks like coordinates: most of it is large, and has decimals."""
    cells = [row[at] for row in rows if at < len(row)]
    values = [_number(cell) for cell in cells]
    good = [value for value in values if value is not None and abs(value) > _LEAST]
    fine = sum("." in cell or "°" in cell for cell in cells)
    return bool(rows) and len(good) >= _COORDINATES * len(rows) and fine >= len(cells) / 2


def _name_columns(heads: Sequence[str]) -> list[str]:
    """Return a title of its own for every column; one without has its number."""
    titles: list[str] = []
    for number, head in enumerate(heads, 1):
        said = _UNPRINTED.sub(" ", head).encode("utf-8", "replace").decode().strip()
        title, count = said or f"column_{number}", 2
        while title.casefold() in {one.casefold() for one in titles}:
            title, count = f"{said or number}_{count}", count + 1
        titles.append(title)
    return titles


def _place(source: _Source, table: LocatedTable, roles: Mapping[str, int]) -> LocatedTable:
    """Read the positions from the columns that hold them."""
    titles = list(table.columns)
    table.found_in = tuple(titles[at] for at in roles.values())
    cells = [[str(cell or "") for cell in table.columns[title]] for title in table.found_in]
    if "wkt" in roles:
        shapes, frames = _parse_wkt(cells[0])
        del table.columns[table.found_in[0]]
        table.crs = table.crs or frames
        return _stand_on(table, shapes)
    if "pair" in roles:
        parts = [_PAIR.fullmatch(unicodedata.normalize("NFKC", cell)) for cell in cells[0]]
        cells = [[part[at] if part else "" for part in parts] for at in (1, 2)]
    cells = point_decimals(cells)
    sample = [*zip(*(column[:_SAMPLED] for column in cells), strict=True)]
    if roles.keys() & {"first", "second", "pair", "x"}:
        east, north = order_by_size(sample, 0, 1, north_first="x" in roles)
        cells = [cells[east], cells[north]]
    said = " ".join(table.found_in)
    packed = is_packed([(one, other) for one, other in sample if one and other], said)
    if packed:
        table.issues.append(build_issue("angles-packed", source.name))
    table.x, table.y = (_to_numbers(column, packed=packed) for column in cells)
    return table


def _parse_wkt(cells: list[str]) -> tuple[Shapes, str | None]:
    """Return the geometries of a column, and the one system that they name."""
    marks = [_SRID.match(cell) for cell in cells]
    texts = [cell[mark.end() :] if mark else cell for cell, mark in zip(cells, marks, strict=True)]
    codes = {mark[1] for mark in marks if mark}
    shapes = shapely.from_wkt([text or None for text in texts], on_invalid="ignore")
    return shapes, f"EPSG:{codes.pop()}" if len(codes) == 1 else None


def _to_numbers(cells: Sequence[str], *, packed: bool) -> Floats:
    found = [_number(cell, packed=packed) for cell in cells]
    return np.array([np.nan if one is None else one for one in found], dtype=np.float64)


def _number(cell: str, *, packed: bool = False) -> float | None:
    """Return a coordinate, or None; figures as they are read most are read fast."""
    if not packed:
        try:
            value = float(cell)
        except ValueError:
            pass
        else:
            return value if np.isfinite(value) and "_" not in cell else None
    text = cell.strip()
    return parse_coordinate(text, packed=packed) if 0 < len(text) < 40 else None  # noqa: PLR2004 - no angle is longer


def _refuse_many(name: str, count: int) -> None:
    if count > MAX_ROWS:
        raise RefusedError(build_issue("too-many-features", name, count=count, limit=MAX_ROWS))


def _refuse_wide(name: str, count: int) -> None:
    if count > MAX_COLUMNS:
        raise RefusedError(build_issue("columns-many", name, count=count, limit=MAX_COLUMNS))


def _normalise(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


# -- layers


def _read_json(source: _Source) -> LocatedTable:
    """Read GeoJSON; other kinds of JSON that GDAL knows are read as layers."""
    value = read_geojson(source.path.read_bytes())
    kind = value.get("type") if isinstance(value, dict) else None
    others = isinstance(value, dict) and (
        kind == "Topology" or "spatialReference" in value or "geometryType" in value
    )
    if others and kind not in (*DEPTHS, *COLLECTIONS):
        return _read_layer(source, "json")
    named = read_geojson_crs(source.path)
    return _collect_features(source, value, named or crs.LONLAT)


def _collect_features(source: _Source, value: object, frame: str) -> LocatedTable:
    name = source.name
    rows = [feature for _, feature in list_features(value)]
    _refuse_many(name, len(rows))
    given = [row.get("properties") if row["type"] == "Feature" else None for row in rows]
    said: list[dict[str, object]] = [one if isinstance(one, dict) else {} for one in given]
    titles = [*dict.fromkeys(title for row in said for title in row)]
    _refuse_wide(name, len(titles))
    names = _name_columns([str(title) for title in titles])
    columns: dict[str, list[Value]] = {
        shown: [source.clean(row.get(title)) for row in said]
        for title, shown in zip(titles, names, strict=True)
    }
    shapes = np.full(len(rows), None, dtype=object)
    parts: dict[int, list[SentGeometry]] = {}
    for sent in list_geometries(value):
        parts.setdefault(sent.feature, []).append(sent)
    for number, found in parts.items():
        built = [_build(sent) for sent in found]
        shapes[number] = built[0] if len(built) == 1 else shapely.GeometryCollection(built)
    return _stand_on(LocatedTable(name, columns, range(1, len(rows) + 1), frame), shapes)


def _build(sent: SentGeometry) -> shapely.Geometry:
    if sent.type == "Point":
        return shapely.Point(sent.coordinates)
    return shapely.geometry.shape({"type": sent.type, "coordinates": sent.coordinates})


def _read_layer(source: _Source, kind: str) -> LocatedTable:
    """Read a layer with GDAL: the one that is named, or the only one that has features."""
    import pyogrio
    from pyogrio.raw import read

    path, name, options = source.path, source.name, source.options
    if kind in {"shp", "tab"}:
        check_companions(path, name, kind)
    raw = kind in {"shp", "mif", "tab"}  # no two programs agree on the encoding of their attributes
    encoding = "ISO-8859-1" if raw else None
    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    opened: dict[str, Any] = {"encoding": encoding, **OPEN_OPTIONS.get(kind, {})}
    with gdal_errors(name, path):
        layer = _choose_layer(source, [str(row[0]) for row in pyogrio.list_layers(path)])
        info = pyogrio.read_info(path, layer=layer, force_feature_count=True, **opened)
        if info["driver"] not in DRIVERS:
            raise RefusedError(build_issue("unknown-format", name))
        _refuse_many(name, int(info["features"]))
        meta, _, wkb, values = read(path, layer=layer, force_2d=True, **opened)
    titles = [str(one) for one in meta["fields"]]
    cells = [_to_values(column) for column in values]
    issues: list[Issue] = []
    count = len(wkb) if wkb is not None else len(cells[0]) if cells else 0
    if raw:
        rows = [dict(zip(titles, row, strict=True)) for row in zip(*cells, strict=True)] or [{}] * count
        rows, issues = decode_rows(name, rows, options.encoding, read_cpg(path) if kind == "shp" else "utf-8")
        titles = list(rows[0]) if rows else titles
        cells = [[row[title] for row in rows] for title in titles]
    _refuse_wide(name, len(titles))
    names = _name_columns(titles)
    columns = {
        shown: [source.clean(cell) for cell in column] for shown, column in zip(names, cells, strict=True)
    }
    table = LocatedTable(name, columns, range(1, count + 1), meta["crs"] or None, (), issues)
    if wkb is not None:
        return _stand_on(table, shapely.from_wkb(wkb, on_invalid="ignore"))
    if options.position:
        roles = _find_named(name, [titles], options.position, len(titles))[1]
    else:
        roles = _find_roles(titles)
    if not roles:
        raise _refuse_columns(name, titles)
    return _place(source, table, roles)


def _choose_layer(source: _Source, layers: list[str]) -> str:
    import pyogrio

    wanted = source.options.table
    if wanted is not None:
        if wanted not in layers:
            raise _refuse_table(source.name, wanted, layers)
        return wanted
    if len(layers) > 1:
        infos = {
            layer: pyogrio.read_info(source.path, layer=layer, force_feature_count=True)
            for layer in layers[:20]
        }
        filled = [layer for layer, info in infos.items() if info["features"]]
        layers = [layer for layer in filled if infos[layer]["geometry_type"]] or filled
    if len(layers) != 1:
        if not layers:
            raise RefusedError(build_issue("file-empty", source.name))
        raise RefusedError(build_issue("several-layers", source.name, layers=join_texts(layers)))
    return layers[0]


def _to_values(column: NDArray[Any]) -> list[object]:
    """Return a column of GDAL's as plain values."""
    if column.dtype.kind == "M":
        return [None if np.isnat(one) else str(one) for one in column]
    if column.dtype.kind == "f":
        return [None if np.isnan(one) else float(one) for one in column]
    return [None if isinstance(one, bytes) else one for one in column.tolist()]


def _stand_on(table: LocatedTable, shapes: Shapes) -> LocatedTable:
    """Give each row the place of its geometry: a point's own, or one inside a line or an area."""
    table.shapes = shapes
    kinds = shapely.get_type_id(shapes)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    points = (kinds == shapely.GeometryType.POINT) & ~empty
    table.x[points], table.y[points] = shapely.get_x(shapes[points]), shapely.get_y(shapes[points])
    others = np.flatnonzero(~points & ~empty)
    if len(others):
        finite = [at for at in others if np.isfinite(shapely.get_coordinates(shapes[at])).all()]
        inside = shapely.point_on_surface(shapes[finite])
        table.x[finite], table.y[finite] = shapely.get_x(inside), shapely.get_y(inside)
        table.issues.append(build_issue("points-inside", table.name, count=len(finite)))
    bad = ~(np.isfinite(table.x) & np.isfinite(table.y))
    table.x[bad] = table.y[bad] = np.nan
    return table
