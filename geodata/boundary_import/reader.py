"""Read a file of boundaries in any supported format, without trusting what it says of itself.

A boundary lies in the plane: heights and measures (Z, M, ZM) are dropped silently. GDAL (pyogrio) is
imported only when a file is read: the web process never does.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import mmap
import re
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.issues import Issue, RefusedError, Texts, build_issue, join, join_terms, phrase

_CRS_MEMBER: Final = re.compile(rb'"crs"\s*:\s*(?=\{)')
_CRS_MEMBER_BYTES: Final = 2000  # bytes that such a member may have


def read_geojson_crs(source: Path) -> str | None:
    """Return the name or address in the first ``crs`` member of a GeoJSON; None without one.

    GDAL takes WGS 84 where it does not know the name.
    """
    content = source.read_bytes()
    texts = (content[one.end() : one.end() + _CRS_MEMBER_BYTES] for one in _CRS_MEMBER.finditer(content))
    return next(filter(None, map(_parse_crs_member, texts)), None)


def _parse_crs_member(text: bytes) -> str | None:
    """Return the system named by the JSON object that `text` begins with; None for another kind of object."""
    try:
        member, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    said = member.get("properties")
    found = said.get("name", said.get("href")) if isinstance(said, dict) else None
    return found if isinstance(found, str) and member.get("type") in {"name", "link"} else None


MAX_LAYERS_SHOWN: Final = 20  # in one message
_FEATURES_SAMPLED: Final = 200  # features of a layer that does not declare their type
POLYGONS: Final = frozenset({"Polygon", "MultiPolygon"})
_SIMPLE_TYPES: Final = POLYGONS | {"Point", "MultiPoint", "LineString", "MultiLineString"}


@dataclass(frozen=True)
class LayerSummary:
    """One layer: its name, its title for people, and whether it holds polygons."""

    name: str
    title: Texts
    polygons: bool


def describe_layer(source: Path, name: str) -> LayerSummary:
    """Look into one layer of a file; raises what the reader raises."""
    import pyogrio
    from pyogrio.raw import read

    info = pyogrio.read_info(source, layer=name, force_feature_count=True)
    count = int(info["features"])
    if not count:
        return LayerSummary(name, phrase("layer_empty", name=name), polygons=False)
    kinds = {_to_flat_type(info["geometry_type"] or "")}
    if not kinds <= _SIMPLE_TYPES:
        shapes = read(source, layer=name, columns=[], max_features=_FEATURES_SAMPLED, force_2d=True)[2]
        known = shapely.from_wkb(shapes if shapes is not None else [], on_invalid="ignore")
        kinds = {shape.geom_type for shape in known if shape is not None}
    if not kinds:
        return LayerSummary(name, phrase("layer_bare", name=name, count=count), polygons=False)
    title = phrase("layer", name=name, count=count, kind=join_terms("geometry", kinds))
    return LayerSummary(name, title, polygons=bool(kinds & POLYGONS))


def _to_flat_type(declared: str) -> str:
    """Return a declared type without what it says of heights and measures.

    >>> [_to_flat_type(declared) for declared in ("Polygon Z", "MultiPolygon ZM", "Point M", "Unknown")]
    ['Polygon', 'MultiPolygon', 'Point', 'Unknown']
    """
    return declared.removesuffix("M").removesuffix("Z").rstrip()


MAX_ENTRIES: Final = 200
MAX_UNPACKED: Final = 400_000_000  # bytes
MAX_RATIO: Final = 250  # unpacked over packed; coordinates as text reach about 10
_RATIO_FREE_BYTES: Final = 1_000_000  # bytes below which the ratio says nothing
CHUNK: Final = 1 << 20
_DATA_SUFFIXES: Final = (".shp", ".gpkg", ".geojson", ".json", ".kml", ".fgb")


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack `archive` into `folder` and return the one data file in it.

    Raises :class:`~geodata.boundary_import.issues.RefusedError` for anything that is not a plain archive of
    one data set. Sizes are counted while unpacking: the archive's own figures are not trusted.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            entries = [entry for entry in source.infolist() if not (entry.is_dir() or _is_junk(entry))]
            _check_entries(archive, entries)
            left = MAX_UNPACKED
            for entry in entries:
                left -= _extract(source, entry, folder, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise RefusedError(build_issue("not-readable", archive.name, reason=str(error)[:200])) from error
    return _find_data_file(archive, folder)


def _is_junk(entry: zipfile.ZipInfo) -> bool:
    """Tell whether an entry is what macOS packs beside every file."""
    parts = PurePosixPath(entry.filename).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1].startswith("._"))


def _check_entries(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise RefusedError(build_issue("zip-entries", archive.name, count=len(entries), limit=MAX_ENTRIES))
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        outside = not parts or parts[0].startswith("/") or ".." in parts or ":" in parts[0]
        if outside or stat.S_ISLNK(entry.external_attr >> 16) or not entry.filename.isprintable():
            raise RefusedError(build_issue("zip-traversal", archive.name, name=ascii(entry.filename)[:100]))
        if entry.filename.lower().endswith((".zip", ".kmz", ".gz", ".7z", ".rar")):
            raise RefusedError(build_issue("zip-nested", archive.name, name=entry.filename[:100]))
    size = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if size > MAX_UNPACKED or (size > _RATIO_FREE_BYTES and size / packed > MAX_RATIO):
        raise _refuse_bomb(archive, size, packed)


def _refuse_bomb(archive: Path, size: int, packed: int) -> RefusedError:
    values = {"size": round(size / 1e6), "ratio": round(size / packed)}
    limits = {"limit": round(MAX_UNPACKED / 1e6), "most": MAX_RATIO}
    return RefusedError(build_issue("zip-bomb", archive.name, **values, **limits))


def _extract(source: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """Write one entry by its bare name, stopping at `left` bytes; return how many it has."""
    written = 0
    target = folder / PurePosixPath(entry.filename.replace("\\", "/")).name
    if target.exists():
        raise ValueError(f"{target.name}: twice")
    with source.open(entry) as packed, target.open("wb") as file:
        while chunk := packed.read(CHUNK):
            written += len(chunk)
            if written > left:
                raise _refuse_bomb(Path(source.filename or ""), written, max(entry.compress_size, 1))
            file.write(chunk)
    return written


def _find_data_file(archive: Path, folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _DATA_SUFFIXES)
    if not found:
        raise RefusedError(build_issue("zip-nothing", archive.name))
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:10])
        raise RefusedError(build_issue("zip-ambiguous", archive.name, names=names))
    return found[0]


MAX_BYTES: Final = 200_000_000
MAX_FEATURES: Final = 2_000
MAX_VERTICES: Final = 1_000_000
_GEOJSON_DEFAULT_CRS: Final = "EPSG:4326"  # what GDAL takes a GeoJSON for that names no system it knows
_HEAD_BYTES: Final = 4096
_SHAPEFILE: Final = bytes.fromhex("0000270a")
_DRIVERS: Final = ("GeoJSON", "GPKG", "ESRI Shapefile", "KML", "LIBKML", "FlatGeobuf")
_ENCODINGS: Final = ("utf-8", "gb18030")
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_POSITION: Final = re.compile(rb"\[\s*-?\d")
_MAX_SHOWN: Final = 80  # characters of what was given
_OBJECT_MB: Final = "500"  # GDAL's limit for one GeoJSON feature in memory; all MAX_VERTICES in one fit


@dataclass(frozen=True)
class SourceFeature:
    """One feature as the file has it."""

    path: str  # file, layer and place in it
    properties: Mapping[str, Any]
    geometry: BaseGeometry | None
    flaw: str | None = None  # what had to be repaired before it could be read at all


@dataclass
class BoundaryFile:
    """The content of a file; coordinates as they stand in it, x before y."""

    name: str
    sha256: str
    crs: str | None  # as WKT or authority code; None where the file names none
    features: list[SourceFeature]
    issues: list[Issue] = field(default_factory=list)


def read_boundary_file(path: Path, table: str | None = None, encoding: str | None = None) -> BoundaryFile:
    """Read one file.

    `table` chooses the layer of a GeoPackage or KML. Raises
    :class:`~geodata.boundary_import.issues.RefusedError` for a file that cannot be used at all.
    """
    _check_file(path)
    try:
        found = _read_source(path, table, encoding)
    except OSError as error:  # deleted or locked meanwhile
        raise RefusedError(build_issue("not-readable", path.name, reason=error.strerror or "?")) from error
    if not found.features:
        raise RefusedError(build_issue("file-empty", path.name))
    return found


def _read_source(path: Path, table: str | None, encoding: str | None) -> BoundaryFile:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with tempfile.TemporaryDirectory(prefix="boundary-") as folder:
        kind = _sniff(path)
        source = unpack(path, Path(folder)) if kind == "zip" else path
        if kind == "zip" and _sniff(source) in {"zip", None}:
            raise RefusedError(build_issue("unknown-format", f"{path.name}/{source.name}"))
        if kind is None:
            raise RefusedError(build_issue("unknown-format", path.name))
        if _sniff(source) == "geojson":
            _check_text(path.name, source)
            _check_positions(path.name, source)
        if _sniff(source) == "shp" and _companion(source, ".shx") is None:
            raise RefusedError(build_issue("shapefile-incomplete", path.name, missing=".shx"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the reader finds odd is found out below
            found = _GdalReader(path.name, source).read(table, encoding)
    found.sha256 = digest
    return found


def _check_file(path: Path) -> None:
    try:
        exists, is_file = path.exists(), path.is_file()
        size = path.stat().st_size if is_file else 0
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise RefusedError(build_issue("not-readable", path.name[:100], reason=reason)) from error
    if not exists:
        raise RefusedError(build_issue("file-missing", path.name))
    if not is_file:
        raise RefusedError(build_issue("not-a-file", path.name))
    if not size:
        raise RefusedError(build_issue("file-empty", path.name))
    if size > MAX_BYTES:
        values = {"size": round(size / 1e6), "limit": round(MAX_BYTES / 1e6)}
        raise RefusedError(build_issue("file-too-large", path.name, **values))


def _sniff(path: Path) -> str | None:
    """Tell the format by the first bytes, not by the name; None for none that is read here."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_UTF16_MARKS):
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
        raise RefusedError(build_issue("not-utf8", name)) from error


def _companion(source: Path, suffix: str) -> Path | None:
    """Return the file that goes with a Shapefile, its ending in letters of either case."""
    beside = (path for path in source.parent.iterdir() if path.stem == source.stem)
    return next((path for path in beside if path.suffix.lower() == suffix), None)


def _check_positions(name: str, source: Path) -> None:
    """Count the positions of a GeoJSON before it is parsed: GDAL only calls a large feature unreadable."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        count = sum(1 for _ in _POSITION.finditer(content))
    if count > MAX_VERTICES:
        raise RefusedError(build_issue("too-many-vertices", name, count=count, limit=MAX_VERTICES))


class _GdalReader:
    """Reads one file with GDAL; GDAL's objections become issues."""

    def __init__(self, name: str, source: Path) -> None:
        self.name, self.source = name, source
        self.issues: list[Issue] = []

    def read(self, table: str | None, encoding: str | None) -> BoundaryFile:
        import pyogrio
        from pyogrio.errors import DataSourceError, FieldError, GeometryError

        pyogrio.set_gdal_config_options({"OGR_GEOJSON_MAX_OBJ_SIZE": _OBJECT_MB})
        try:
            layer = self._choose_layer([str(row[0]) for row in pyogrio.list_layers(self.source)], table)
            meta, _, shapes, columns = self._decode(layer, encoding)
        except (DataSourceError, FieldError, GeometryError, ValueError, OverflowError) as error:
            raise RefusedError(
                build_issue("not-readable", self.name, reason=_strip_folder(error, self.source))
            ) from error
        fields = [str(one) for one in meta["fields"]]
        features = [
            SourceFeature(
                f"{self.name}/{layer}#{row + 1}",
                {name: column[row] for name, column in zip(fields, columns, strict=True)},
                *_parse_wkb(shape),
            )
            for row, shape in enumerate(shapes if shapes is not None else [])
        ]
        return BoundaryFile(self.name, "", self._find_crs(meta["crs"] or None), features, self.issues)

    def _find_crs(self, read: str | None) -> str | None:
        """Return the coordinate system that the file names, whether it is known or not."""
        if read not in {None, _GEOJSON_DEFAULT_CRS} or _sniff(self.source) != "geojson":
            return read
        named = read_geojson_crs(self.source)
        try:
            return read if named is None or crs.read_definition(named) in {crs.LONLAT, read} else named
        except ValueError:
            return named

    def _choose_layer(self, layers: list[str], table: str | None) -> str:
        """Return the layer that is named, the only one, or the only one with polygons."""
        if not layers:
            raise RefusedError(build_issue("file-empty", self.name))
        if table in layers or (table is None and len(layers) == 1):
            return table or layers[0]
        tables = [describe_layer(self.source, layer) for layer in layers[:MAX_LAYERS_SHOWN]]
        said = join(row.title for row in tables)
        whole = [row.name for row in tables if row.polygons]
        if table is not None:
            raise RefusedError(build_issue("unknown-table", self.name, table=table[:_MAX_SHOWN], layers=said))
        if len(whole) != 1 or len(layers) > MAX_LAYERS_SHOWN:
            raise RefusedError(build_issue("several-layers", self.name, layers=said))
        self.issues.append(build_issue("layer-chosen", self.name, layer=whole[0], layers=said))
        return whole[0]

    def _check_info(self, info: dict[str, Any]) -> None:
        if info["driver"] not in _DRIVERS:
            raise RefusedError(build_issue("unknown-format", self.name))
        if info["features"] > MAX_FEATURES:
            limits = {"count": info["features"], "limit": MAX_FEATURES}
            raise RefusedError(build_issue("too-many-features", self.name, **limits))

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
                self.issues.append(build_issue("encoding-guessed", self.name, encoding=one))
            return answer
        raise RefusedError(build_issue("bad-encoding", self.name, tried=", ".join(dict.fromkeys(tried))))


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


def _parse_wkb(wkb: Any) -> tuple[BaseGeometry | None, str | None]:
    """Return a geometry, and what had to be done to its rings before it was one."""
    shape: BaseGeometry | None = None if wkb is None else shapely.from_wkb(wkb, on_invalid="ignore")
    if shape is None and wkb is not None:
        return shapely.from_wkb(wkb, on_invalid="fix"), "Ring is not closed"
    return shape, None


def _strip_folder(error: Exception, source: Path) -> str:
    """Return a reason without the folder it happened in."""
    return str(error).replace(f"{source.parent}/", "").split(";")[0].strip()[:200]
