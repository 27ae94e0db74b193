"""Read and check the layers of an operator's own: what ``layers/<id>.yaml`` declares, and its data.

Data come as GeoJSON, GeoPackage, CSV or XLSX. Every value is checked against the field that it is of;
whatever is wrong is told by file, line and column. What is read is never the plan's: it has a source, a date
and terms of its own. GDAL (pyogrio) is imported only when data are read.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import shapely
from pydantic import Field, TypeAdapter, ValidationError
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import GeojsonError
from geodata.boundary_import.formats import check_file, detect_format
from geodata.boundary_import.georeference import resolve_crs
from geodata.boundary_import.issues import RefusedError
from geodata.city import read_city, read_layer_files
from geodata.kinds import LANGUAGES
from geodata.located_tables import LocatedTable, TableOptions, Value, read_located_table
from geodata.messages import Place, Problem, find_unprintable, problem
from geodata.model import Address, Day, Id, Mail, OwnText, Phone, Record, Short
from geodata.read import Row, find_faults, read_rows

LAYERS = "layers"  # the folder of them
FORMATS = {".geojson": "json", ".gpkg": "gpkg", ".csv": "text", ".xlsx": "xlsx"}
SUFFIXES = tuple(FORMATS)
RESERVED = frozenset(  # columns that every layer has, and names that files and filters need for themselves
    {
        *("id", "kind", "parent_id", "geometry", "geom", "fid", "wkt", "lon", "lat"),
        *(f"name_{language}" for language in LANGUAGES),
        *("source", "as_of", "licence", "geometry_method", "positional_accuracy_m"),
        *("q", "page", "lang", "f", "limit", "offset", "bbox", "datetime", "crs", "filter", "sortby"),
        *("properties", "profile", "theme", "industry", "cluster", "zone"),
    }
)
TAKEN = frozenset({"plan", "own", "themes"})  # names of files and addresses that no layer may have
MAX_LAYERS = 20
MAX_FEATURES = 20_000
MAX_VERTICES = 500_000
MAX_TEXT = 2_000  # letters of a value
LARGEST_WHOLE = 2**53 - 1  # that every reader of JSON keeps to the last figure
MAX_TOLD = 20  # problems of one file of data
MARGIN_DEG = 0.2  # beyond the city, within which a place may lie
_SHOWN = 60  # letters of a value in a finding
_POINTS, _POLYGONS = frozenset({"Point"}), frozenset({"Polygon", "MultiPolygon"})
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T ]0?0:00(?::00(?:\.0+)?)?)?"
)
_WHOLE = re.compile(r"[+-]?\d+")
_FEATURE_ID = re.compile(r"\w[\w-]{0,59}")  # stands in addresses
_TRUTHS = {
    **dict.fromkeys(("是", "有", "true", "yes", "y", "1", "예"), True),
    **dict.fromkeys(("否", "无", "false", "no", "n", "0", "아니요", "아니오"), False),
}

Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
FileName = Annotated[str, Field(pattern=r"^[\w-][\w. -]{0,80}\.(geojson|gpkg|csv|xlsx)$")]
Kind = Literal["text", "number", "integer", "yes-no", "date", "choice", "link", "phone", "email"]
Symbol = Literal["circle", "square", "triangle", "diamond", "star", "cross"]


class OwnChoice(OwnText):
    """One of the values of a field: as the data write it, in any language, and its colour on the map."""

    colour: Colour | None = None


class OwnField(Record):
    """One property of the features of a layer."""

    name: FieldName  # in files and filters
    title: OwnText
    column: Short | None = None  # in the data, where it has another name there
    kind: Kind = "text"
    unit: OwnText | None = None
    required: bool = False
    values: Annotated[tuple[OwnChoice, ...], Field(max_length=30)] = ()  # of a choice

    @property
    def heading(self) -> str:
        """The name of its column in the data."""
        return self.column or self.name


class OwnPosition(Record):
    """The columns of a table that say where a feature lies: two coordinates, or one of WKT."""

    lon: Short | None = None
    lat: Short | None = None
    east: Short | None = None
    north: Short | None = None
    wkt: Short | None = None

    @property
    def named(self) -> dict[str, str]:
        """The columns that are stated, by what they hold."""
        return {role: name for role, name in self.model_dump().items() if name}


class OwnStyle(Record):
    """How the map draws a layer: one colour, or those of a choice's values; the map's where it says none."""

    colour: Colour | None = None
    symbol: Symbol = "circle"
    by: FieldName | None = None


class OwnPopup(Record):
    """What a feature shows of itself: its name, and the fields in their order; all where none are named."""

    title: OwnText  # the name of a field; of another in each language where there are translations
    fields: tuple[FieldName, ...] = ()


class OwnLayer(Record):
    """A layer of an operator's own, as its file declares it."""

    title: OwnText
    description: OwnText | None = None
    data: FileName | None = None  # beside it; the file of the same name where it says none
    table: Short | None = None  # sheet of a workbook, layer of a GeoPackage
    crs: Short | None = None  # of the coordinates, where the data do not say or are wrong
    position: OwnPosition = OwnPosition()
    id: Short | None = None  # column of what identifies a feature for good; else they are numbered
    fields: Annotated[tuple[OwnField, ...], Field(min_length=1, max_length=40)]
    style: OwnStyle = OwnStyle()
    popup: OwnPopup
    source: Short
    source_url: Address | None = None
    as_of: Day
    licence: Short

    def field(self, name: str) -> OwnField | None:
        """Return one field, None where there is none of that name."""
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True)
class OwnFeature:
    """One feature: its name by language, its values by field, its place in lon/lat."""

    id: str
    names: Mapping[str, str]
    values: Mapping[str, Value]
    geometry: BaseGeometry


@dataclass(frozen=True)
class SuppliedLayer:
    """A layer of an operator's own with its features, which are all points or all polygons."""

    id: str
    declared: OwnLayer
    geometry: Literal["point", "polygon"]
    features: tuple[OwnFeature, ...]


def list_layer_files(folder: Path) -> list[Path]:
    """Return the files of a folder of layers that a release may depend on, by name; none without one."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
    return [one for one in files if one.name.endswith((".yaml", *SUFFIXES)) and not one.name.startswith(".")]


def read_own_layers(
    folder: Path, is_blank: Callable[[Path], bool], problems: list[Problem]
) -> tuple[SuppliedLayer, ...]:
    """Return the sound layers of a folder, in the order of their names; add what is wrong to `problems`.

    A declaration that `is_blank` holds nothing but comments, and the data beside it, are passed over.
    """
    names = [path.name for path in list_layer_files(folder)]
    declarations = [name for name in names if name.endswith(".yaml")]
    used: set[str] = set()
    found = []
    for name in declarations[:MAX_LAYERS]:
        stem = name.removesuffix(".yaml")
        if is_blank(folder / name):
            used |= {stem + suffix for suffix in SUFFIXES}
            continue
        declared = _read_declaration(folder, name, problems)
        if declared is None:
            used |= {stem + suffix for suffix in SUFFIXES}  # what is wrong with it comes first
            continue
        data = declared.data or next((stem + one for one in SUFFIXES if stem + one in names), None)
        used.add(data or "")
        if data is None or data not in names:
            wanted = data or f"{stem}.(geojson|gpkg|csv|xlsx)"
            problems.append(problem("own-no-data", Place(f"{LAYERS}/{name}", stem, "data"), wanted))
            continue
        layer = _DataReader(folder / data, stem, declared, problems).read()
        found += [layer] if layer else []
    if len(declarations) > MAX_LAYERS:
        where = Place(f"{LAYERS}/{declarations[MAX_LAYERS]}", "", "")
        problems.append(problem("own-too-many", where, len(declarations), limit=MAX_LAYERS))
    for name in _list_unknown(folder, {*declarations, *used}):
        known = f"{LAYERS}/<id>.yaml + .geojson, .gpkg, .csv, .xlsx"
        problems.append(
            problem("local-unknown-file", Place(f"{LAYERS}/{name}", "", ""), name, "warning", known=known)
        )
    return tuple(found)


def _list_unknown(folder: Path, known: set[str]) -> list[str]:
    try:
        return sorted(
            path.name for path in folder.iterdir() if path.name not in known and path.name[0] not in ".~"
        )
    except OSError:
        return []


# -- what a layer is said to be


def _read_declaration(folder: Path, name: str, problems: list[Problem]) -> OwnLayer | None:
    file, stem = f"{LAYERS}/{name}", name.removesuffix(".yaml")
    before = len(problems)
    try:
        TypeAdapter(Id).validate_python(stem)
    except ValidationError:
        problems.append(problem("own-bad-id", Place(file, stem, ""), stem))
    if stem in TAKEN or stem in read_layer_files():
        problems.append(problem("own-taken-id", Place(file, stem, ""), stem))
    declared = None
    for row in read_rows(folder / name, file, problems, sole=True):
        try:
            declared = OwnLayer.model_validate(row.value)
        except ValidationError as error:
            problems += find_faults(error, OwnLayer, file, row)
        else:
            problems += _check_declared(declared, file, stem, row)
    return declared if len(problems) == before else None


def _check_declared(declared: OwnLayer, file: str, stem: str, row: Row) -> Iterator[Problem]:
    """Yield where the parts of a declaration do not fit together."""

    def at(part: str) -> Place:
        return Place(file, stem, part, row.line(part) or 1)

    names = [one.name for one in declared.fields]
    for number, one in enumerate(declared.fields):
        yield from _check_field(one, names[:number], f"fields.{number}", at)
    titles = {f"popup.title.{one}": getattr(declared.popup.title, one) for one in ("zh", "en", "ko")}
    wanted = {key: name for key, name in titles.items() if name}
    wanted |= {f"popup.fields.{number}": name for number, name in enumerate(declared.popup.fields)}
    for part, name in wanted.items():
        if name not in names:
            yield problem("own-no-field", at(part), name, names=", ".join(names))
    choices = [one.name for one in declared.fields if one.kind == "choice"]
    by = declared.style.by
    if by and by not in choices:
        yield problem("own-style-by", at("style.by"), by, names=", ".join(choices) or "–")
    yield from _check_stated(declared, at)


def _check_stated(declared: OwnLayer, at: Callable[[str], Place]) -> Iterator[Problem]:
    today = dt.datetime.now(tz=dt.UTC).astimezone().date()
    if declared.as_of > today:
        yield problem("local-future", at("as_of"), declared.as_of, today=today)
    if declared.crs and _find_frame(declared.crs) is None:
        yield problem("own-crs", at("crs"), declared.crs, known=", ".join(crs.FRAMES))
    named = declared.position.named.keys()
    if named and named not in ({"lon", "lat"}, {"east", "north"}, {"wkt"}):
        yield problem("own-position", at("position"), ", ".join(sorted(named)))


def _check_field(
    one: OwnField, before: Sequence[str], where: str, at: Callable[[str], Place]
) -> Iterator[Problem]:
    if one.name in RESERVED:
        yield problem("own-reserved", at(f"{where}.name"), one.name, names=", ".join(sorted(RESERVED)))
    if one.name in before:
        yield problem("duplicate-key", at(f"{where}.name"), one.name)
    if (one.kind == "choice") != bool(one.values):
        yield problem("own-values", at(f"{where}.values"), one.name)
    texts = [text for value in one.values for text in {value.zh, value.en, value.ko} if text]
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        yield problem("own-same-value", at(f"{where}.values"), text)


def _find_frame(stated: str) -> str | None:
    """Return a coordinate system as it is known by code or in words, None for one that nobody knows."""
    try:
        return crs.read_definition(resolve_crs(stated))
    except ValueError:
        return None


# -- the data


class _Record(NamedTuple):
    """One row of the data: the line or number by which a reader finds it, and its cells by column."""

    line: int
    cells: Mapping[str, Value]


class DataFaultError(Exception):
    """A value or a file is wrong: the code of the message, and what goes into it."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class _DataReader:
    """Reads the data of one layer; what is wrong with them becomes problems."""

    def __init__(self, path: Path, layer_id: str, declared: OwnLayer, problems: list[Problem]) -> None:
        self.path, self.layer_id, self.declared = path, layer_id, declared
        self.file = f"{LAYERS}/{path.name}"
        self.all = problems
        self.problems: list[Problem] = []

    def read(self) -> SuppliedLayer | None:
        """Return the layer, None where anything is wrong with it."""
        try:
            table = self._read_table()
            self._check_columns(list(table.columns))
            features = [] if self.problems else self._read_features(table)
        except DataFaultError as fault:
            self._tell(fault, "", self.path.name)
            features = []
        except RefusedError as error:
            issue, fix = error.issue, error.issue.fix or {"zh": "", "en": ""}
            zh, en = (
                "; ".join(filter(None, said))
                for said in ((issue.message_zh, fix["zh"]), (issue.message_en, fix["en"]))
            )
            self.problems.append(Problem(issue.code, self.file, self.layer_id, "", self.path.name, zh, en))
            features = []
        shapes = {one.geometry.geom_type for one in features}
        if features and not (shapes <= _POINTS or shapes <= _POLYGONS):
            self._tell(DataFaultError("own-mixed", kinds=", ".join(sorted(shapes))), "", self.path.name)
        more = len(self.problems) - MAX_TOLD
        self.all += self.problems[:MAX_TOLD]
        if more > 0:
            self.all.append(problem("own-more", Place(self.file, self.layer_id, ""), more, count=more))
        if self.problems:
            return None
        geometry: Literal["point", "polygon"] = "point" if shapes <= _POINTS else "polygon"
        return SuppliedLayer(self.layer_id, self.declared, geometry, tuple(features))

    def _read_table(self) -> LocatedTable:
        check_file(self.path)
        kind = detect_format(self.path, self.path.name)
        if kind != FORMATS[self.path.suffix]:
            raise DataFaultError("own-format", kind=kind)
        options = TableOptions(self.declared.table, position=self.declared.position.named, strict=True)
        try:
            return read_located_table(self.path, self.path.name, options, self.path.parent)
        except GeojsonError as error:
            raise DataFaultError("own-unreadable", reason=error) from error

    def _tell(
        self, fault: DataFaultError, column: str, value: object, record: str = "", line: int | None = None
    ) -> None:
        where = Place(self.file, record or self.layer_id, column, line)
        self.problems.append(problem(fault.code, where, str(value)[:_SHOWN], "error", **fault.values))

    def _check_columns(self, columns: Sequence[str]) -> None:
        stated = [one.heading for one in self.declared.fields]
        stated += [name for name in (self.declared.id,) if name]
        for name in dict.fromkeys(stated):
            if name not in columns:
                self._tell(DataFaultError("own-no-column", columns=", ".join(columns)[:300]), name, name)

    def _read_features(self, table: LocatedTable) -> list[OwnFeature]:
        if len(table.lines) > MAX_FEATURES:
            raise DataFaultError("own-too-large", count=len(table.lines), limit=MAX_FEATURES)
        seen: dict[str, int] = {}
        found = []
        rows = zip(*table.columns.values(), strict=True)
        for number, (line, row, shape) in enumerate(
            zip(table.lines, rows, self._place(table), strict=True), 1
        ):
            before, record = len(self.problems), _Record(line, dict(zip(table.columns, row, strict=True)))
            row_id = self._read_id(record, number, seen)
            values = {one.name: self._read_value(one, record, row_id) for one in self.declared.fields}
            self._check_shape(shape, record, row_id)
            if len(self.problems) == before and shape is not None:
                found.append(OwnFeature(row_id, self._name(values), values, shape))
        return found

    def _read_id(self, record: _Record, number: int, seen: dict[str, int]) -> str:
        column = self.declared.id
        if column is None:
            return str(number)
        row_id = _to_text(record.cells.get(column)) or ""
        if not _FEATURE_ID.fullmatch(row_id):
            self._tell(DataFaultError("own-feature-id"), column, row_id, line=record.line)
        elif row_id in seen:
            fault = DataFaultError("duplicate-id", other=f"{self.path.name}:{seen[row_id]}")
            self._tell(fault, column, row_id, row_id, record.line)
        seen.setdefault(row_id, record.line)
        return row_id

    def _read_value(self, one: OwnField, record: _Record, row_id: str) -> Value:
        cell = record.cells.get(one.heading)
        try:
            text = _to_text(cell)
            value = None if text is None else _READERS[one.kind](text, one)
        except DataFaultError as fault:
            self._tell(fault, one.heading, "" if cell is None else cell, row_id, record.line)
            return None
        if value is None and (one.required or one.name == self.declared.popup.title.zh):
            self._tell(DataFaultError("own-required"), one.heading, "", row_id, record.line)
        return value

    def _name(self, values: Mapping[str, Value]) -> dict[str, str]:
        title = self.declared.popup.title.to_words()
        first = str(values[title["zh"]])
        return {one: str(values[title[one]] or first) for one in LANGUAGES}

    def _place(self, table: LocatedTable) -> list[BaseGeometry | None]:
        """Return the places of the rows in lon/lat."""
        stated = self.declared.crs or table.crs
        frame = _find_frame(stated) if stated else crs.LONLAT
        if frame is None:
            raise DataFaultError("own-crs", known=", ".join(crs.FRAMES))
        placed = list(map(_to_simple, table.geometries))
        known = [shape for shape in placed if shape is not None and not shape.is_empty]
        if shapely.get_num_coordinates(known).sum() > MAX_VERTICES:
            raise DataFaultError("own-vertices", limit=MAX_VERTICES)
        definition = resolve_crs(stated) if stated else crs.LONLAT
        moved = iter(shapely.get_parts(crs.to_lonlat(shapely.GeometryCollection(known), definition)))
        return [None if shape is None or shape.is_empty else next(moved) for shape in placed]

    def _check_shape(self, shape: BaseGeometry | None, record: _Record, row_id: str) -> None:
        try:
            _check_geometry(shape)
        except DataFaultError as fault:
            at = shape.centroid if shape is not None else None
            value = f"{at.x:.5f}, {at.y:.5f}" if at is not None and not at.is_empty else ""
            self._tell(fault, "geometry", value, row_id, record.line)


def _to_simple(shape: BaseGeometry | None) -> BaseGeometry | None:
    """Return a collection of one part as that part."""
    if shape is not None and shape.geom_type in {"MultiPoint", "GeometryCollection"}:
        parts = shapely.get_parts(shape)
        return parts[0] if len(parts) == 1 else shape
    return shape


def _check_geometry(shape: BaseGeometry | None) -> None:
    if shape is None:
        raise DataFaultError("own-no-place")
    if shape.geom_type not in _POINTS | _POLYGONS:
        raise DataFaultError("own-geometry", kind=shape.geom_type)
    west, south, east, north = read_city().region
    room = shapely.box(west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG)
    if not all(map(math.isfinite, shape.bounds)) or not room.covers(shape):
        swapped = shapely.transform(shape, lambda points: points[:, ::-1])
        raise DataFaultError("own-swapped" if room.covers(swapped) else "own-far")
    if not shape.is_valid:
        raise DataFaultError("own-invalid", reason=shapely.is_valid_reason(shape))


# -- values


def _to_text(cell: object) -> str | None:
    """Return a cell as text, None where it is empty; numbers as they are written."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    if text in {"", "NaT"}:
        return None
    if len(text) > MAX_TEXT:
        raise DataFaultError("string_too_long", max_length=MAX_TEXT)
    letter = find_unprintable(text)
    if letter:
        raise DataFaultError("unprintable", letter=letter)
    return text


def _read_number(text: str, _: OwnField) -> float:
    plain = re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))", "", unicodedata.normalize("NFKC", text))
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataFaultError("own-number")
    if _WHOLE.fullmatch(plain) and abs(int(plain)) > LARGEST_WHOLE:
        raise DataFaultError("own-long")
    return value


def _read_whole(text: str, one: OwnField) -> int:
    value = _read_number(text, one)
    if not value.is_integer():
        raise DataFaultError("own-whole")
    return int(value)


def _read_truth(text: str, _: OwnField) -> bool:
    found = _TRUTHS.get(text.casefold())
    if found is None:
        raise DataFaultError("own-truth")
    return found


def _read_date(text: str, _: OwnField) -> str:
    parts = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    try:
        year, month, day = map(int, parts.groups() if parts else ())
        return dt.date(year, month, day).isoformat()
    except ValueError as error:
        raise DataFaultError("not-a-date") from error


def _read_choice(text: str, one: OwnField) -> str:
    for value in one.values:
        if text in {value.zh, value.en, value.ko}:
            return value.zh
    raise DataFaultError("own-choice", allowed=", ".join(value.zh for value in one.values))


def _checked(adapter: TypeAdapter[str], code: str) -> Callable[[str, OwnField], str]:
    def read(text: str, _: OwnField) -> str:
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            raise DataFaultError(code) from error

    return read


_READERS: dict[str, Callable[[str, OwnField], Value]] = {
    "text": lambda text, _: text,
    "number": _read_number,
    "integer": _read_whole,
    "yes-no": _read_truth,
    "date": _read_date,
    "choice": _read_choice,
    "link": _checked(TypeAdapter(Address), "web-address"),
    "phone": _checked(TypeAdapter(Phone), "own-phone"),
    "email": _checked(TypeAdapter(Mail), "own-email"),
}
