"""Read a file of boundaries that somebody brought: any format, nothing believed.

A boundary lies on the plane: heights and measures (Z, M, ZM) are left out, and nothing is said of it.
The only code that imports pyogrio, and only when called: the web process never does.
"""

from __future__ import annotations

import codecs
import hashlib
import mmap
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.finding import Finding, RefusedError, find
from geodata.incoming.named import read_named
from geodata.incoming.tables import MAX_TABLES, describe_table
from geodata.incoming.titles import join
from geodata.incoming.unpack import CHUNK, unpack

MAX_BYTES: Final = 200_000_000
MAX_FEATURES: Final = 2_000
MAX_VERTICES: Final = 1_000_000
_UNNAMED: Final = "EPSG:4326"  # what GDAL takes a GeoJSON for that names no system it knows
_HEAD: Final = 4096
_SHAPEFILE: Final = bytes.fromhex("0000270a")
_DRIVERS: Final = ("GeoJSON", "GPKG", "ESRI Shapefile", "KML", "LIBKML", "FlatGeobuf")
_ENCODINGS: Final = ("utf-8", "gb18030")
_OTHER_TEXT: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_POSITION: Final = re.compile(rb"\[\s*-?\d")
_SHOWN: Final = 80  # characters of what was given
_OBJECT_MB: Final = "500"  # GDAL's limit for one GeoJSON feature in memory; all MAX_VERTICES in one fit


@dataclass(frozen=True)
class Incoming:
    """One feature as the file has it."""

    path: str  # file, layer and place in it
    properties: Mapping[str, Any]
    geometry: BaseGeometry | None
    flaw: str | None = None  # what was wrong with it before it could be read at all


@dataclass
class Intake:
    """Everything that a file says; coordinates as they stand in it, x before y."""

    name: str
    sha256: str
    crs: str | None  # as WKT or authority code; None where the file names none
    features: list[Incoming]
    findings: list[Finding] = field(default_factory=list)


def read_intake(path: Path, table: str | None = None, encoding: str | None = None) -> Intake:
    """Read one file.

    `table` chooses the layer of a GeoPackage or KML. Raises
    :class:`~geodata.incoming.finding.RefusedError` for a file that cannot be used at all.
    """
    _check_file(path)
    try:
        found = _read(path, table, encoding)
    except OSError as error:  # gone or withheld while it was read
        raise RefusedError(find("not-readable", path.name, reason=error.strerror or "?")) from error
    if not found.features:
        raise RefusedError(find("file-empty", path.name))
    return found


def _read(path: Path, table: str | None, encoding: str | None) -> Intake:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with tempfile.TemporaryDirectory(prefix="boundary-") as folder:
        kind = _sniff(path)
        source = unpack(path, Path(folder)) if kind == "zip" else path
        if kind == "zip" and _sniff(source) in {"zip", None}:
            raise RefusedError(find("unknown-format", f"{path.name}/{source.name}"))
        if kind is None:
            raise RefusedError(find("unknown-format", path.name))
        if _sniff(source) == "geojson":
            _check_text(path.name, source)
            _check_positions(path.name, source)
        if _sniff(source) == "shp" and _companion(source, ".shx") is None:
            raise RefusedError(find("shapefile-incomplete", path.name, missing=".shx"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the reader finds odd is found out below
            found = _Reader(path.name, source).read(table, encoding)
    found.sha256 = digest
    return found


def _check_file(path: Path) -> None:
    try:
        exists, is_file = path.exists(), path.is_file()
        size = path.stat().st_size if is_file else 0
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise RefusedError(find("not-readable", path.name[:100], reason=reason)) from error
    if not exists:
        raise RefusedError(find("file-missing", path.name))
    if not is_file:
        raise RefusedError(find("not-a-file", path.name))
    if not size:
        raise RefusedError(find("file-empty", path.name))
    if size > MAX_BYTES:
        values = {"size": round(size / 1e6), "limit": round(MAX_BYTES / 1e6)}
        raise RefusedError(find("file-too-large", path.name, **values))


def _sniff(path: Path) -> str | None:
    """Tell the format by the first bytes, not by the name; None for none that is read here."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_OTHER_TEXT):
        return "geojson"  # if anything; its letters are checked
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"<"):
        whole = path.read_bytes()
        return "kml" if b"<kml" in head and b"<!ENTITY" not in whole else None
    kinds = {b"PK\x03\x04": "zip", b"SQLite format 3": "gpkg", b"fgb\x03fgb": "fgb", _SHAPEFILE: "shp"}
    return next((kind for magic, kind in kinds.items() if head.startswith(magic)), None) or (
        "geojson" if text.startswith(b"{") else None
    )


def _check_text(name: str, source: Path) -> None:
    """Tell text that is not UTF-8, as GeoJSON has to be."""
    try:
        with source.open(encoding="utf-8") as file:
            while file.read(CHUNK):
                pass
    except UnicodeDecodeError as error:
        raise RefusedError(find("not-utf8", name)) from error


def _companion(source: Path, suffix: str) -> Path | None:
    """Return the file that goes with a Shapefile, its ending in letters of either case."""
    beside = (path for path in source.parent.iterdir() if path.stem == source.stem)
    return next((path for path in beside if path.suffix.lower() == suffix), None)


def _check_positions(name: str, source: Path) -> None:
    """Count the positions of a GeoJSON before it is parsed: GDAL only calls a large feature unreadable."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        count = sum(1 for _ in _POSITION.finditer(content))
    if count > MAX_VERTICES:
        raise RefusedError(find("too-many-vertices", name, count=count, limit=MAX_VERTICES))


class _Reader:
    """Reads one file with GDAL; what GDAL says against it is a finding."""

    def __init__(self, name: str, source: Path) -> None:
        self.name, self.source = name, source
        self.findings: list[Finding] = []

    def read(self, table: str | None, encoding: str | None) -> Intake:
        import pyogrio
        from pyogrio.errors import DataSourceError, FieldError, GeometryError

        pyogrio.set_gdal_config_options({"OGR_GEOJSON_MAX_OBJ_SIZE": _OBJECT_MB})
        try:
            layer = self._choose([str(row[0]) for row in pyogrio.list_layers(self.source)], table)
            meta, _, shapes, columns = self._decode(layer, encoding)
        except (DataSourceError, FieldError, GeometryError, ValueError, OverflowError) as error:
            raise RefusedError(find("not-readable", self.name, reason=_tidy(error, self.source))) from error
        fields = [str(one) for one in meta["fields"]]
        features = [
            Incoming(
                f"{self.name}/{layer}#{row + 1}",
                {name: column[row] for name, column in zip(fields, columns, strict=True)},
                *_parse(shape),
            )
            for row, shape in enumerate(shapes if shapes is not None else [])
        ]
        return Intake(self.name, "", self._find_system(meta["crs"] or None), features, self.findings)

    def _find_system(self, read: str | None) -> str | None:
        """Return the coordinate system that the file names, whether or not anybody knows it."""
        if read not in {None, _UNNAMED} or _sniff(self.source) != "geojson":
            return read
        named = read_named(self.source)
        try:
            return read if named is None or crs.read_definition(named) in {crs.LONLAT, read} else named
        except ValueError:
            return named

    def _choose(self, layers: list[str], table: str | None) -> str:
        """Return the layer that is named, the only one, or the only one with polygons."""
        if not layers:
            raise RefusedError(find("file-empty", self.name))
        if table in layers or (table is None and len(layers) == 1):
            return table or layers[0]
        tables = [describe_table(self.source, layer) for layer in layers[:MAX_TABLES]]
        said = join(row.title for row in tables)
        whole = [row.name for row in tables if row.polygons]
        if table is not None:
            raise RefusedError(find("unknown-table", self.name, table=table[:_SHOWN], layers=said))
        if len(whole) != 1 or len(layers) > MAX_TABLES:
            raise RefusedError(find("several-layers", self.name, layers=said))
        self.findings.append(find("layer-chosen", self.name, layer=whole[0], layers=said))
        return whole[0]

    def _check_info(self, info: dict[str, Any]) -> None:
        if info["driver"] not in _DRIVERS:
            raise RefusedError(find("unknown-format", self.name))
        if info["features"] > MAX_FEATURES:
            limits = {"count": info["features"], "limit": MAX_FEATURES}
            raise RefusedError(find("too-many-features", self.name, **limits))

    def _read_layer(self, layer: str, encoding: str | None) -> Any:
        """Read a layer that is not too large; names of fields are in the encoding of the rest."""
        import pyogrio
        from pyogrio.raw import read

        self._check_info(
            pyogrio.read_info(self.source, layer=layer, encoding=encoding, force_feature_count=True)
        )
        return read(self.source, layer=layer, encoding=encoding, force_2d=True)

    def _decode(self, layer: str, encoding: str | None) -> Any:
        if self.source.suffix.lower() != ".shp":
            return self._read_layer(layer, None)
        named = _read_cpg(self.source)
        tried = [encoding] if encoding else [one for one in (named, *_ENCODINGS) if one]
        for one in tried:
            try:
                answer = self._read_layer(layer, one)
            except (UnicodeDecodeError, LookupError):
                continue
            if one not in (encoding, named) and not _is_ascii([answer[0]["fields"], *answer[3]]):
                self.findings.append(find("encoding-guessed", self.name, encoding=one))
            return answer
        raise RefusedError(find("bad-encoding", self.name, tried=", ".join(dict.fromkeys(tried))))


def _read_cpg(source: Path) -> str | None:
    """Return the encoding that a Shapefile's .cpg names, if Python knows it."""
    path = _companion(source, ".cpg")
    if path is None:
        return None
    name = path.read_bytes()[:40].decode("ascii", "ignore").strip()
    name = {"936": "gbk", "65001": "utf-8", "54936": "gb18030"}.get(name.upper().lstrip("CP"), name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _is_ascii(columns: Any) -> bool:
    return all(value.isascii() for column in columns for value in column if isinstance(value, str))


def _parse(wkb: Any) -> tuple[BaseGeometry | None, str | None]:
    """Return a geometry, and what had to be done to its rings before it was one."""
    shape: BaseGeometry | None = None if wkb is None else shapely.from_wkb(wkb, on_invalid="ignore")
    if shape is None and wkb is not None:
        return shapely.from_wkb(wkb, on_invalid="fix"), "Ring is not closed"
    return shape, None


def _tidy(error: Exception, source: Path) -> str:
    """Return a reason without the folder it happened in."""
    return str(error).replace(f"{source.parent}/", "").split(";")[0].strip()[:200]
