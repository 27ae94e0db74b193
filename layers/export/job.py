"""What one file is made from: a specification, the layers that it is of, and what is known of them all.

Which layers, tables and rows go into it, by the map's own filters; and the rows without nesting, for
formats that have only columns, lists joined with semicolons. Plain values with a way to JSON
and back, so that another process can do the work. Which formats there are, what each can hold, and in which
coordinate frames it comes stands here too. Nothing heavy is imported: the web process reads this.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from geodata import crs
from geodata.boundaries import (
    SEPARATOR,
    GeoJsonFeature,
    Properties,
    Scalar,
    flatten_value,
    list_records,
    parse_geometry,
)
from geodata.city import read_city
from geodata.crs import LONLAT
from layers.child_job import ReleaseRequest
from layers.document_types import ImportEntry, LayerEntry, PlanDocument
from layers.map_types import OwnEntry
from layers.query import queryables, read_stored_rows
from layers.store import Release

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

PLAN: Final = "plan"  # the data set of everything: all layers, all tables
WGS84: Final = "EPSG:4326"
# GCJ-02 and BD-09 are displays of web maps: no file is written in them.
FRAMES: Final = tuple(frame for frame in crs.FRAMES if frame not in (LONLAT, *crs.SHIFTED))
FIXED: Final = (LONLAT,)
# Degrees, and the metres that are in use in the city, first those of paper.
LOCAL: Final = ("EPSG:4490", *sorted(crs.PROJECTED, key=lambda frame: frame != read_city().paper))
GEOMETRIES: Final = ("wkt", "lonlat", "none")  # what a table of text says of a place
BOM = "\ufeff"  # without it spreadsheets take UTF-8 for the system's own encoding
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# What begins like a formula and is none to any spreadsheet: a number, a sign alone or before a word.
_NO_FORMULA = re.compile(
    r"[+-](?:\d+(?:\.\d+)?%?|[ \u2E80-\uA4CF\uAC00-\uD7AF\uF900-\uFAFF].*)?", re.ASCII | re.DOTALL
)
SHORT = 10  # letters of a column's name where a format has no more
TYPES = {"array": "string"}
Value = Scalar
DESIGNATIONS = "designations"
_NAMING = ("industries", "industry_ids", "industry_id")  # properties that name industries
_WITH_TABLE = (
    "gpkg",
    "shp.zip",
    "gdb.zip",
    "xlsx",
)  # formats that hold the table a layer's designations come from


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    id
        The extension that its address ends in.
    holds
        What one file can be of: ``layer``, ``table``, ``plan``.
    frames
        The coordinate frames that it comes in, the default first.
    geometry
        The default of ``?geometry=`` where a reader may choose how a place is written.
    """

    id: str
    media_type: str
    holds: tuple[str, ...]
    frames: tuple[str, ...] = FIXED
    geometry: str | None = None


_LAYER, _TABLE, _BOTH, _ALL = ("layer",), ("table",), ("layer", "table"), ("layer", "table", "plan")
_ZIP: Final = "application/zip"
_ALL_FORMATS: Final = (
    Format("gpkg", "application/geopackage+sqlite3", ("layer", "plan"), FRAMES),
    Format("geojson", "application/geo+json", ("layer", "plan")),
    Format("json", "application/json", _TABLE),
    Format("shp.zip", _ZIP, ("layer", "plan"), FRAMES),
    Format("gdb.zip", _ZIP, ("layer", "plan"), (*LOCAL, WGS84)),
    Format("dxf", "image/vnd.dxf", ("layer", "plan"), LOCAL[1:]),
    Format("fgb", "application/vnd.flatgeobuf", _LAYER, FRAMES),
    Format("pmtiles", "application/vnd.pmtiles", _LAYER),
    Format("parquet", "application/vnd.apache.parquet", _BOTH, FRAMES),
    Format("kml", "application/vnd.google-earth.kml+xml", ("layer", "plan")),
    Format("topojson", "application/json", ("layer", "plan")),
    Format("csv", "text/csv; charset=utf-8", _BOTH, FRAMES, "lonlat"),
    Format(
        "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _ALL, FRAMES, "lonlat"
    ),
    Format("qgz", "application/x-qgis-project", ("plan",), FRAMES),
    Format("qgis.zip", _ZIP, ("plan",), FRAMES),
)
FORMATS: Final = {one.id: one for one in _ALL_FORMATS}


def formats_of(holds: str) -> tuple[Format, ...]:
    """Return the formats that a ``layer``, a ``table`` or the ``plan`` comes in."""
    return tuple(one for one in _ALL_FORMATS if holds in one.holds)


@dataclass(frozen=True)
class ExportSpec:
    """The file that is asked for.

    `name` is a layer, a table or the plan; `geometry` one of :data:`~layers.export.job.GEOMETRIES`
    for tables of text.
    """

    name: str
    format: str
    frame: str
    geometry: str | None = None
    tag: str = ""  # what its name says of frame and selection

    @property
    def code(self) -> str:
        """The frame as other programs know it: lon/lat is EPSG:4326 to them."""
        return WGS84 if self.frame == LONLAT else self.frame


@dataclass(frozen=True)
class Part:
    """One layer or table: its entry of the catalogue, and GeoJSON features in CRS84 or plain rows."""

    info: LayerEntry
    rows: Sequence[GeoJsonFeature | Properties]

    @property
    def id(self) -> str:
        """The layer's or table's id."""
        return self.info["id"]

    @property
    def spatial(self) -> bool:
        """Whether its rows have places."""
        return self.info["geometry"] != "none"

    @property
    def features(self) -> list[GeoJsonFeature]:
        """The rows of a layer; a table has no features."""
        return cast("list[GeoJsonFeature]", self.rows) if self.spatial else []

    @cached_property
    def geometries(self) -> list[BaseGeometry | None]:
        """The place of every row, lon/lat, None where it is not known; read once for all formats."""
        places = [parse_geometry(one) if one["geometry"] else None for one in self.features]
        return places or [None for _ in self.rows]

    @property
    def properties(self) -> list[Properties]:
        """The properties of every row."""
        if self.spatial:
            return [feature["properties"] for feature in self.features]
        return cast("list[Properties]", self.rows)

    @property
    def own(self) -> OwnEntry | None:
        """What the operator says of a layer of their own, which is no part of the plan; else None."""
        return self.info.get("own")


@dataclass(frozen=True)
class About:
    """What every file says of itself: the plan, the licence and the looks of the map."""

    plan: PlanDocument
    licence: str  # the statement of data licences, Markdown
    looks: dict[str, Any]  # see layers.export.styles
    themes: list[dict[str, str]]  # id and Chinese title of each, in the map's order
    words: dict[str, dict[str, str]]  # words that only files use, by key
    imports: list[ImportEntry] = field(default_factory=list)  # boundaries that were brought by others

    @property
    def sources(self) -> list[str]:
        """What the data comes from, one line each: the plan, then whose imported boundaries are in it."""
        plan = f"{self.plan['title']['zh']} {self.plan['number']} {self.plan['date']}"
        return [plan, *map(_title, self.imports)]

    @property
    def modified(self) -> str | None:
        """The date of the latest imported boundary, or None."""
        return max((str(one["date"]) for one in self.imports), default=None)

    @property
    def date(self) -> str:
        """The plan's date, which stands for the time of making: a file does not depend on the clock."""
        return str(self.plan["date"])


def _title(one: ImportEntry) -> str:
    return f"{one['name']['zh']} {one['id']}: {one['source']} ({one['who']}, {one['date']}; {one['licence']})"


@dataclass(frozen=True)
class Job:
    """Everything that one file is made from."""

    spec: ExportSpec
    parts: tuple[Part, ...]
    about: About

    @property
    def stem(self) -> str:
        """The name of the file without its extension."""
        return file_stem(self.about.plan, self.spec)


def file_stem(plan: PlanDocument, spec: ExportSpec) -> str:
    """Return the name that a file is saved under, without extension."""
    return "-".join(filter(None, (plan["id"], spec.name, spec.tag)))


@dataclass(frozen=True)
class Column:
    """One column: name, type (``string number integer boolean date``), and its meaning in three languages."""

    name: str
    type: str
    meaning: dict[str, str]
    unit: str | None
    short: str  # at most ten letters

    def title(self, language: str) -> str:
        """Return the meaning up to its first explanation."""
        return headline(self.meaning[language])


def headline(meaning: str) -> str:
    """Return what a property means up to the first explanation.

    >>> headline("Kind: what the plan calls it")
    'Kind'
    """
    return re.split(r"[；;：:]|\. ", meaning, maxsplit=1)[0].strip()


def columns_of(part: Part) -> tuple[Column, ...]:
    """Return the columns of a layer or table in the catalogue's order."""
    return tuple(_to_columns(part))


def _to_columns(part: Part) -> Iterator[Column]:
    for said in part.info["fields"]:
        kind = said.get("format") or TYPES.get(said["type"], said["type"])
        short = said.get("short") or said["name"][:SHORT]
        yield Column(said["name"], kind, said["description"], said.get("unit"), short)
        if flat := said.get("flat"):
            yield Column(flat["name"], "string", flat["description"], None, flat["short"])


def flatten_rows(part: Part) -> list[dict[str, Value]]:
    """Return the rows as plain values by column name; what is unknown stays None, and so does no entry."""
    return [flatten_values(values, part.info) for values in part.properties]


def flatten_values(values: Properties, info: LayerEntry) -> dict[str, Value]:
    """Return the properties of one row as plain values; `info` is its layer's entry of the catalogue."""
    plain: dict[str, Value] = {}
    for said in info["fields"]:
        value = values.get(said["name"])
        plain[said["name"]] = flatten_value(value)
        if flat := said.get("flat"):
            plain[flat["name"]] = flatten_value([str(one[flat["of"]]) for one in list_records(value)])
    return plain


def harmless(value: Value) -> Value:
    """Return what a cell of a file of text may hold: no spreadsheet takes it for a formula.

    >>> harmless("=1+1"), harmless("+86-631"), harmless("-3.5%"), harmless("— 无"), harmless("- 无")
    ("'=1+1", "'+86-631", '-3.5%', '— 无', '- 无')
    """
    formula = isinstance(value, str) and value.startswith(FORMULA) and not _NO_FORMULA.fullmatch(value)
    return f"'{value}" if formula else value


def to_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """Return rows as CSV that spreadsheets read as UTF-8; no cell is a formula, and None is an empty one."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        plain = (str(one).lower() if isinstance(one, bool) else one for one in row)
        writer.writerow([harmless(one) if isinstance(one, str) else one for one in plain])
    return (BOM + out.getvalue()).encode()


def release_path(name: str, file_format: str) -> str:
    """Return where a release keeps the usual file of a layer, a table or the plan."""
    folder = "data" if file_format in {"geojson", "json"} and name != PLAN else "files"
    return f"{folder}/{name}.{file_format}"


def to_job(spec: ExportSpec, parts: Sequence[Part], about: About) -> Job:
    """Return the job of one file from all `parts`; raises KeyError for an unknown layer or table.

    A layer's file has the designations of its places beside it where the format can hold a table.
    """
    if spec.name == PLAN:
        return Job(spec, tuple(part for part in parts if not part.own), about)
    known = {part.id: part for part in parts}
    part = known[spec.name]
    if part.own:
        return Job(spec, (part,), about_of(part, about))
    table = known.get(DESIGNATIONS)
    if spec.format not in _WITH_TABLE or table is None or not part.spatial:
        return Job(spec, (part,), about)
    places = {feature["id"] for feature in part.features}
    own = [row for row in table.properties if row["zone_id"] in places]
    designated = any("industries" in values for values in part.properties)
    return Job(spec, (part, Part(table.info, own)) if designated else (part,), about)


def about_of(part: Part, about: About) -> About:
    """Return what a file of one part says of itself: of the operator's own layers nothing is the plan's."""
    own, described = part.own, part.info["description"]
    if own is None:
        return about
    plan: dict[str, object] = {
        **about.plan,
        "title": part.info["title"],
        "number": own["source"],
        "date": str(own["as_of"]),
    }
    statement = "".join(f"{text}\n\n" for text in dict.fromkeys(described.values()))
    return replace(
        about,
        plan=cast("PlanDocument", plan),
        licence=f"# {part.info['title']['zh']}\n\n{statement}",
        imports=[],
    )


@dataclass(frozen=True)
class Choice:
    """The filters: layers to keep, industries, and a place with all that lies in it. None: no filter."""

    layers: tuple[str, ...] | None = None
    industries: frozenset[str] | None = None
    place: str | None = None


def select_parts(parts: Sequence[Part], choice: Choice) -> list[Part]:
    """Return the parts with the rows that the choice keeps.

    A table is filtered where its rows name an industry or a zone, else it stays whole: it explains the
    layers. A layer whose features have no industries keeps none when industries are asked for.
    """
    kept = [part for part in parts if choice.layers is None or not part.spatial or part.id in choice.layers]
    inside = None if choice.place is None else _inside(choice.place, parts)
    return [_keep(part, choice, inside) for part in kept]


def _keep(part: Part, choice: Choice, inside: frozenset[str] | None) -> Part:
    rows = zip(part.rows, part.properties, strict=True)
    return Part(part.info, [row for row, values in rows if _fits(values, part, choice, inside)])


def _fits(values: Properties, part: Part, choice: Choice, inside: frozenset[str] | None) -> bool:
    places = [values[name] for name in ("id", "parent_id") if name in values] if part.spatial else []
    places += [values["zone_id"]] if "zone_id" in values else []
    placed = inside is None or not places or bool(inside.intersection(places))
    if choice.industries is None or not placed:
        return placed
    named = _industries(values, part)
    return not part.spatial if named is None else bool(choice.industries.intersection(named))


def _industries(values: Properties, part: Part) -> list[str] | None:
    """Return the industries that a row names, None where such rows name none."""
    name = "id" if part.id == "industries" else next((one for one in _NAMING if one in values), None)
    named = flatten_value(values[name]) if name else None
    return None if name is None else str(named or "").split(SEPARATOR)


def _inside(place: str, parts: Iterable[Part]) -> frozenset[str]:
    """Return the place and everything that lies in it, at any depth."""
    parents = {row["id"]: row["properties"].get("parent_id") for part in parts for row in part.features}
    found = {place}
    while more := {row for row, parent in parents.items() if parent in found} - found:
        found |= more
    return frozenset(found)


def read_about(release: Release) -> About:
    """Return what every file says of itself."""
    return About(**release.read_json("pages/about.json"))


def read_part(release: Release, info: LayerEntry) -> Part:
    """Return the layer or table of one entry of the catalogue."""
    if info["geometry"] == "none":
        return Part(info, release.read_json(f"data/{info['id']}.json"))
    return Part(info, release.read_json(f"data/{info['id']}.geojson")["features"])


@dataclass(frozen=True)
class ExportRequest(ReleaseRequest):
    """A file of a release.

    Attributes
    ----------
    spec, choice
        The file, and what of the data goes into it.
    filter, filter_lang
        A CQL2 filter of the layer or table that the file is named after, and what it is written in.
    """

    spec: ExportSpec
    choice: Choice = field(default_factory=Choice)
    filter: str | None = None
    filter_lang: str = "cql2-text"

    @classmethod
    def from_line(cls, line: bytes) -> ExportRequest:
        """Return the request that :meth:`to_line` wrote.

        >>> spec, choice = ExportSpec("zones", "csv", "CRS84"), Choice(("zones",), frozenset({"a"}))
        >>> asked = ExportRequest("x", "0", spec, choice)
        >>> ExportRequest.from_line(asked.to_line()) == asked
        True
        """
        raw = json.loads(line)
        layers, industries = raw["choice"]["layers"], raw["choice"]["industries"]
        choice = Choice(
            layers=None if layers is None else tuple(layers),
            industries=None if industries is None else frozenset(industries),
            place=raw["choice"]["place"],
        )
        return cls(**raw | {"spec": ExportSpec(**raw["spec"]), "choice": choice})


def build_job(asked: ExportRequest) -> Job:
    """Return everything that the file is made from.

    Raises :class:`~layers.cql.tree.FilterError` for a filter that cannot be answered, and
    :class:`~layers.store.BrokenReleaseError` where the release is gone.
    """
    release, name = asked.release, asked.spec.name
    everything = name == PLAN or asked.choice.place is not None
    parts = [
        _read_part(release, info, asked)
        for info in release.read_json("pages/catalogue.json")
        if everything or info["id"] in {name, DESIGNATIONS}
    ]
    return to_job(asked.spec, select_parts(parts, asked.choice), read_about(release))


def _read_part(release: Release, info: LayerEntry, asked: ExportRequest) -> Part:
    """Return a layer or table, of the one that the file is named after the rows that make the filter true."""
    if not asked.filter or info["id"] != asked.spec.name:
        return read_part(release, info)
    # A store needs shapely, and most files are not filtered.
    from layers.cql.parse import parse_filter
    from layers.memory import MemoryTable
    from layers.query import Query

    condition = parse_filter(asked.filter, asked.filter_lang, queryables(info))
    rows = list(read_stored_rows(release, info))
    found = {feature.id for feature in MemoryTable(info, rows).select(Query(filter=condition)).features}
    whole = read_part(release, info)
    return Part(info, [kept for kept, row in zip(whole.rows, rows, strict=True) if row.id in found])
