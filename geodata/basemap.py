"""Read an operator's file of OpenStreetMap data: roads, rail, water, built-up land, names, near the city.

A file may hold a whole province, so it is read with a bounding box, and in a process of its own with
limits of time and memory: ``python -m geodata.basemap FILE WEST SOUTH EAST NORTH``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypedDict

import orjson
import yaml

from geodata.crs import Bounds
from geodata.deferred import shapely
from geodata.messages import Place, Problem, problem, to_message

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SUFFIXES = (".osm.pbf", ".osm", ".gpkg", ".pmtiles")
MEGABYTE = 1_000_000
# The largest file of each kind that is sure to be read within the limits below.
LARGEST_MB = {".osm.pbf": 600, ".osm": 4000, ".gpkg": 6000, ".pmtiles": 4000}
SECONDS, MEMORY_BYTES = 170, 2000 * MEGABYTE  # of processor time, and of memory
PATIENCE_S = 900  # for a machine that has much else to do
REFUSED = 3  # exit code of a reading that says what is wrong with the file
POINT, LINE, POLYGON = 0, 1, 2
DIMENSIONS = {"place": POINT, "station": POINT, "peak": POINT, "road": LINE, "rail": LINE, "river": LINE} | {
    "water": POLYGON,
    "built": POLYGON,
}
_OUT_OF_TIME = getattr(signal, "SIGXCPU", 0)
_RULES = Path(__file__).with_name("basemap.yaml")
_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_XML_DATE = re.compile(rb'(?:osm_base|timestamp)="(\d{4}-\d\d-\d\d)')
_HEAD_BYTES = 4096
_MOST_SHOWN = 12
LONGEST_NAME = 60  # letters


class _Rule(TypedDict):
    """What is taken from a layer: the rows whose `field` has one of the values in `ranks`."""

    kind: str
    field: str
    ranks: dict[str | None, int]


class _Reading(TypedDict):
    layers: dict[str, list[_Rule]]


class _Rules(TypedDict):
    readings: list[_Reading]
    names: dict[str, list[str]]  # fields of names by language


class BasemapError(ValueError):
    """The file cannot be used; the message says in Chinese and English which file and why."""

    def __init__(self, code: str, file: str, **values: object) -> None:
        self.code, self.file, self.values = code, file, values
        super().__init__(f"{file}: {to_message(code, 'zh', **values)} / {to_message(code, 'en', **values)}")

    def to_problem(self) -> Problem:
        """Return what is wrong as one finding among others."""
        return problem(self.code, Place(self.file, "", ""), self.file, "error", **self.values)


class LocalName(NamedTuple):
    """What a thing of the ground is called; empty where the file does not say."""

    zh: str = ""
    en: str = ""
    ko: str = ""


@dataclass(frozen=True)
class GroundFeature:
    """One thing of the ground: `kind` is one of :data:`DIMENSIONS`, `rank` 1 what matters most of its kind.

    The geometry is in degrees (lon, lat).
    """

    kind: str
    rank: int
    name: LocalName
    geometry: BaseGeometry

    @property
    def at(self) -> tuple[float, float]:
        """The position (lon, lat) of a point."""
        return float(shapely.get_x(self.geometry)), float(shapely.get_y(self.geometry))


@dataclass(frozen=True)
class Basemap:
    """What a file shows near the city, and the date (2026-10-01) of its data where it states one."""

    file: str
    date: str | None
    features: tuple[GroundFeature, ...]


def load_basemap(path: Path, window: Bounds) -> Basemap:
    """Return what a file shows within `window` (west, south, east, north), read in a process of its own.

    Raises :class:`BasemapError` for a file that is none of OpenStreetMap data, is broken, too large, or
    holds nothing in the window.
    """
    check_basemap(path)
    command = [sys.executable, "-m", "geodata.basemap", str(path.resolve()), *map(str, window)]
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryFile() as found:
        try:
            child = subprocess.run(  # noqa: S603 - our own module, no shell
                command,
                cwd=Path(__file__).parent.parent,
                env=os.environ | {"CPL_TMPDIR": scratch},
                stdout=found,
                stderr=subprocess.PIPE,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BasemapError("basemap-too-slow", path.name, seconds=PATIENCE_S) from error
        found.seek(0)
        if child.returncode == REFUSED:
            refused = orjson.loads(found.read())
            raise BasemapError(refused["code"], path.name, **refused["values"])
        if child.returncode == -_OUT_OF_TIME:
            raise BasemapError("basemap-too-slow", path.name, seconds=SECONDS)
        if child.returncode:
            reason = child.stderr.decode(errors="replace").strip().rpartition("\n")[2][-200:]
            code = (
                "basemap-broken"
                if child.returncode == 1 and "MemoryError" not in reason
                else "basemap-memory"
            )
            raise BasemapError(code, path.name, reason=reason, megabytes=MEMORY_BYTES // MEGABYTE)
        return _read_answer(path.name, found)


def check_basemap(path: Path) -> Path:
    """Return the path of a file that is whole as far as can be told without reading it.

    Raises :class:`BasemapError` for one that is not there, is empty, incomplete, or larger than can be read.
    """
    suffix = suffix_of(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BasemapError("basemap-broken", path.name, reason=error.strerror) from error
    if not size:
        raise BasemapError("basemap-broken", path.name, reason="0 bytes")
    limit = LARGEST_MB[suffix]
    if size > limit * MEGABYTE:
        raise BasemapError("basemap-too-large", path.name, size=round(size / MEGABYTE), limit=limit)
    if suffix == ".osm.pbf":
        check_blocks(path)
    return path


def suffix_of(path: Path) -> str:
    """Return which of :data:`SUFFIXES` a file has; raises :class:`BasemapError` for another."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise BasemapError("basemap-suffix", path.name, allowed=" ".join(SUFFIXES))


def _read_answer(name: str, found: BinaryIO) -> Basemap:
    head = orjson.loads(next(found))
    rows = [orjson.loads(line) for line in found]
    geometries = shapely.from_wkb([bytes.fromhex(row[3]) for row in rows])
    features = (
        GroundFeature(kind, rank, LocalName(*names), geometry)
        for (kind, rank, names, _), geometry in zip(rows, geometries, strict=True)
    )
    return Basemap(name, head["date"], tuple(features))


# Below here: what the process of its own does.


def read_basemap(path: Path, window: Bounds) -> Basemap:
    """Return what a file shows within `window`; raises :class:`BasemapError`. Takes time and memory."""
    import pyogrio  # slow to load, and who asks for a file loads nothing

    check_basemap(path)
    suffix = suffix_of(path)
    try:
        layers = {str(name) for name, _ in pyogrio.list_layers(path)}
        rules = _choose_rules(path, layers)
        with tempfile.TemporaryDirectory() as folder:
            options = _write_options(rules, Path(folder)) if suffix in {".osm", ".osm.pbf"} else {}
            features = tuple(
                feature
                for layer in rules
                if layer in layers
                for feature in _read_layer(path, layer, rules[layer], window, options)
            )
        date = _read_date(path, suffix)
    except _broken() as error:
        reason = str(error).partition(";")[0].replace(str(path), path.name)[:200]
        raise BasemapError("basemap-broken", path.name, reason=reason) from error
    if not features:
        raise BasemapError("basemap-elsewhere", path.name, window=_write_window(window))
    return Basemap(path.name, date, features)


def _broken() -> tuple[type[Exception], ...]:
    from pyogrio import errors

    return errors.DataSourceError, errors.DataLayerError, errors.FeatureError, errors.GeometryError


def _write_window(window: Bounds) -> str:
    west, south, east, north = window
    return f"{west:.2f}–{east:.2f}°E {south:.2f}–{north:.2f}°N"


@lru_cache(maxsize=1)
def _read_rules() -> _Rules:
    rules: _Rules = yaml.load(_RULES.read_bytes(), Loader=yaml.CSafeLoader)
    return rules


def _choose_rules(path: Path, layers: set[str]) -> Mapping[str, list[_Rule]]:
    """Return the rules of the first reading that the file has a layer of."""
    for reading in _read_rules()["readings"]:
        if layers & set(reading["layers"]):
            return reading["layers"]
    shown = " ".join(sorted(layers)[:_MOST_SHOWN])
    known = " ".join(next(iter(reading["layers"])) for reading in _read_rules()["readings"])
    raise BasemapError("basemap-layers", path.name, layers=shown, known=known)


def _write_options(rules: Mapping[str, list[_Rule]], folder: Path) -> dict[str, str]:
    """Return GDAL's options for OpenStreetMap's own formats: only the fields that the rules ask for."""
    names = [field for fields in _read_rules()["names"].values() for field in fields if "_" not in field]
    lines = ["[general]", "closed_ways_are_polygons=landuse,natural,water,waterway=riverbank"]
    for layer, own in rules.items():
        fields = dict.fromkeys([*(rule["field"] for rule in own), *names])
        lines += [f"[{layer}]", "osm_id=no", "other_tags=no", f"attributes={','.join(fields)}"]
    for layer in ("multilinestrings", "other_relations"):
        lines += [f"[{layer}]", "osm_id=no", "other_tags=no", "attributes=type"]
    file = folder / "fields.ini"
    file.write_text("\n".join(lines), encoding="utf-8")
    return {"CONFIG_FILE": str(file)}


def _read_layer(
    path: Path, layer: str, rules: list[_Rule], window: Bounds, options: Mapping[str, str]
) -> Iterator[GroundFeature]:
    import geopandas
    import pyogrio

    info = pyogrio.read_info(path, layer=layer, **options)
    fields, frame = list(info["fields"]), info["crs"] or "OGC:CRS84"
    names = {
        one: [field for field in given if field in fields] for one, given in _read_rules()["names"].items()
    }
    asked = dict.fromkeys(
        [*(rule["field"] for rule in rules), *(name for row in names.values() for name in row)]
    )
    columns = [field for field in (*asked, "other_tags") if field in fields]
    room = geopandas.GeoSeries([shapely.box(*window)], crs="OGC:CRS84").to_crs(frame)
    # By SQL, since GDAL then reads no other layer of a file of OpenStreetMap data beside this one; not by
    # way of Arrow, which ends at a broken place of a file without a word.
    query = f"SELECT {', '.join(_quote(one) for one in columns)} FROM {_quote(layer)}{_where(rules, fields)}"  # noqa: S608
    rows = pyogrio.read_dataframe(
        path, sql=query, sql_dialect="OGRSQL", bbox=tuple(room.total_bounds), **options
    )
    if not len(rows):
        return
    shapes = rows.geometry if rows.crs is None else rows.geometry.to_crs("OGC:CRS84")
    data = rows.drop(columns=rows.geometry.name).to_dict("records")
    for row, geometry in zip(data, shapes, strict=True):
        yield from _classify(row, geometry, rules, names, window)


def _quote(field: str) -> str:
    return f'"{field}"'


def _where(rules: list[_Rule], fields: list[str]) -> str:
    """Return the condition that the rows of some rules meet; none where a field lies among other tags."""
    if any(rule["field"] not in fields for rule in rules):
        return ""
    parts = (f"{_quote(rule['field'])} IN ({', '.join(map(repr, rule['ranks']))})" for rule in rules)
    return f" WHERE {' OR '.join(parts)}"


def _classify(
    row: Mapping[str, object],
    geometry: BaseGeometry | None,
    rules: list[_Rule],
    names: Mapping[str, list[str]],
    window: Bounds,
) -> Iterator[GroundFeature]:
    """Yield what a row is by the first rule that it meets, cut to the window."""
    if geometry is None or geometry.is_empty:
        return
    tags = dict(_TAG.findall(_text(row, "other_tags")))
    for rule in rules:
        rank = rule["ranks"].get(_text(row, rule["field"]) or tags.get(rule["field"]))
        if rank is None or shapely.get_dimensions(geometry) != DIMENSIONS[rule["kind"]]:
            continue
        shown = shapely.clip_by_rect(geometry, *window)
        if DIMENSIONS[rule["kind"]] == POLYGON and not shapely.is_valid(geometry):
            shown = shapely.clip_by_rect(shapely.make_valid(geometry), *window)
        if not shown.is_empty:
            said = (_name(row, tags, names[one], one) for one in ("zh", "en", "ko"))
            yield GroundFeature(rule["kind"], rank, LocalName(*said), shown)
        return


def _name(row: Mapping[str, object], tags: Mapping[str, str], fields: list[str], language: str) -> str:
    own = (name for field in fields if (name := _text(row, field)))
    return next(own, tags.get(f"name:{language}", ""))[:LONGEST_NAME]


def _text(row: Mapping[str, object], field: str) -> str:
    """Return what a field holds, without what does not print; empty for nothing, which may be no text."""
    value = row.get(field)
    return "".join(filter(str.isprintable, value)).strip() if isinstance(value, str) else ""


# Dates, and whether a file is whole.


def _read_date(path: Path, suffix: str) -> str | None:
    """Return the date of the data that a file states of itself."""
    import pyogrio

    if suffix == ".osm.pbf":
        return _read_header_date(path)
    if suffix == ".osm":
        with path.open("rb") as file:
            found = _XML_DATE.search(file.read(_HEAD_BYTES).partition(b"<node")[0])
        return found[1].decode() if found else None
    if suffix == ".gpkg":
        contents = pyogrio.read_dataframe(
            path, sql="SELECT max(last_change) AS changed FROM gpkg_contents", read_geometry=False
        )
        return str(contents["changed"].iloc[0])[:10]
    stated = (pyogrio.read_info(path).get("dataset_metadata") or {}).values()
    dates = re.findall(r"\d{4}-\d\d-\d\d(?=T)", " ".join(map(str, stated)))
    return min(dates, default=None)


def check_blocks(path: Path) -> None:
    """Raise :class:`BasemapError` unless an ``.osm.pbf`` file is a row of whole blocks."""
    with path.open("rb") as file:
        end = path.stat().st_size
        while file.tell() < end:
            size = _read_block_head(file)
            if size is None or file.tell() + size > end:
                reason = f"incomplete block at byte {file.tell()}"
                raise BasemapError("basemap-broken", path.name, reason=reason)
            file.seek(size, os.SEEK_CUR)


_MOST_HEAD = 64 * 1024  # bytes of the head of a block, as the format has it


def _read_block_head(file: BinaryIO) -> int | None:
    """Return the size of the block that follows, or None where there is no head of one."""
    length = int.from_bytes(file.read(4), "big")
    head = file.read(length) if 0 < length <= _MOST_HEAD else b""
    size = _fields(head).get(3) if len(head) == length and head else None
    return size if isinstance(size, int) else None


def _read_header_date(path: Path) -> str | None:
    """Return the date that the header of an ``.osm.pbf`` file states: seconds since 1970, its field 32."""
    from datetime import UTC, datetime

    with path.open("rb") as file:
        size = _read_block_head(file)
        blob = _fields(file.read(size or 0))
    raw, packed = blob.get(1), blob.get(3)
    content = raw if isinstance(raw, bytes) else zlib.decompress(packed) if isinstance(packed, bytes) else b""
    seconds = _fields(content).get(32)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}" if isinstance(seconds, int) else None


def _fields(message: bytes) -> dict[int, int | bytes]:
    """Return the fields of a protocol buffer by number, the last of each; stops where it is no more one."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == 0:
            found[key >> 3] = value
        elif key & 7 == 2:  # noqa: PLR2004 - wire type: a length and so many bytes
            found[key >> 3] = message[at : at + value]
            at += value
        else:
            break
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            break
    return value, at


def main(path: str, *window: str) -> int:
    """Write what a file shows to standard output: its date, then a feature a line."""
    _limit()
    west, south, east, north = map(float, window)
    out = sys.stdout.buffer
    try:
        found = read_basemap(Path(path), (west, south, east, north))
    except BasemapError as error:
        out.write(orjson.dumps({"code": error.code, "values": error.values}))
        return REFUSED
    out.write(orjson.dumps({"date": found.date}) + b"\n")
    for row in found.features:
        line = (row.kind, row.rank, [*row.name], shapely.to_wkb(row.geometry, hex=True))
        out.write(orjson.dumps(line) + b"\n")
    return 0


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the patience of who waits is the only limit
        return
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
