"""Detect the format of a file by its content, unpack archives, decode text, and count what files declare.

Nothing that a file says of itself is trusted: not its name, the sizes in an archive, or an encoding.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from xml.etree import ElementTree as ET

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.coordinate_lists import LINE_TYPES
from geodata.boundary_import.issues import (
    Issue,
    RefusedError,
    build_issue,
    term,
)
from geodata.city import read_city

MAX_BYTES: Final = 200_000_000

MAX_ENTRIES: Final = 200
MAX_UNPACKED: Final = 400_000_000  # bytes
MAX_RATIO: Final = 250  # unpacked over packed; coordinates as text reach about 10
CHUNK: Final = 1 << 20
_RATIO_FREE_BYTES: Final = 1_000_000  # bytes below which the ratio says nothing
_ENCODINGS: Final = ("utf-8", "gb18030")
_HEAD_BYTES: Final = 4096
_CRS_MEMBER: Final = re.compile(rb'"crs"\s*:\s*(?=\{)')
_CRS_MEMBER_BYTES: Final = 2000
UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# By the first bytes: what is read, and what is known but cannot be.
_MAGIC: Final = {
    b"PK\x03\x04": "zip",
    b"SQLite format 3\0": "gpkg",
    b"fgb\x03fgb": "fgb",
    bytes.fromhex("0000270a"): "shp",
}
_REFUSED_MAGIC: Final = {
    b"AC10": "dwg",
    b"\0\1\0\0Standard Jet DB": "mdb",
    b"\0\1\0\0Standard ACE DB": "mdb",
    b"Rar!\x1a\x07": "rar",
    b"7z\xbc\xaf\x27\x1c": "rar",
    b"\x1f\x8b": "rar",
    b"BZh": "rar",
    b"\xfd7zXZ": "rar",
    b"%PDF": "document",
    b"{\\rtf": "document",
    b"\x89PNG": "image",
    b"\xff\xd8\xff": "image",
    b"GIF8": "image",
    b"II*\0": "image",
    b"MM\0*": "image",
    b"WMAP": "mapgis",
    b"AutoCAD Binary DXF": "dxf-binary",
}
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_OLE_SUFFIXES: Final = {
    ".xls": "xls",
    ".et": "xls",
    ".mxd": "project",
    ".mxt": "project",
    ".lyr": "project",
    ".dgn": "dgn",
}
_SUFFIXES_REFUSED: Final = {
    **dict.fromkeys((".dbf", ".shx", ".prj", ".sbn", ".sbx", ".cpg"), "shapefile-part"),
    **dict.fromkeys((".dat", ".map", ".id", ".mid"), "mapinfo-part"),
    **dict.fromkeys((".qml", ".sld", ".lyrx", ".qlr"), "project"),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp"), "image"),
    **dict.fromkeys((".heic", ".psd", ".ai", ".cdr"), "image"),
    **dict.fromkeys((".mht", ".mhtml", ".eml"), "document"),
    **dict.fromkeys((".udb", ".udd", ".udbx", ".smw", ".smwu", ".sxw", ".sxwu"), "supermap"),
    **dict.fromkeys((".gdbtable", ".gdbtablx", ".gdbindexes", ".atx", ".spx"), "gdb-part"),
    **dict.fromkeys((".vct", ".e00"), "exchange"),
    ".mpj": "mapgis",
    ".tar": "rar",
    ".dgn": "dgn",
}
_XML_ROOTS: Final = {
    "kml": "kml",
    "gpx": "gpx",
    "FeatureCollection": "gml",
    "qgis": "project",
    "svg": "image",
    "html": "document",
    "HTML": "document",
}
XML_DECLARED: Final = re.compile(r"""(<\?xml[^>]*?)\s+encoding\s*=\s*(["'])([\w.-]+)\2""")
XML_HEAD: Final = 200  # bytes in which an encoding is declared
_XML_ROOT: Final = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_XML_PREFIX: Final = re.compile(r"</?([A-Za-z][\w.-]*):")
_ESCAPED: Final = re.compile(r"\\U\+([0-9A-Fa-f]{4})")  # a letter in the texts of a drawing
_BARE_AMPERSAND: Final = re.compile(r"&(?!#?\w+;)")
_JSON_TYPES: Final = frozenset(
    {
        *("FeatureCollection", "Feature", "GeometryCollection", "Polygon", "MultiPolygon", "LineString"),
        *("MultiLineString", "Point", "MultiPoint"),
    }
)
SPATIAL: Final = (
    *(".shp", ".gpkg", ".geojson", ".json", ".kml", ".fgb", ".gdb", ".dxf", ".gml", ".gpx", ".tab", ".mif"),
    *(".topojson", ".wkt", ".ovkml"),
)
_ESRI_TYPES: Final = {"rings": "esriGeometryPolygon", "paths": "esriGeometryPolyline"}
TABULAR: Final = (".txt", ".csv", ".dat", ".xlsx", ".ods", ".xml", ".tsv")
ZIP_ERRORS: Final = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, struct.error),
)
_COMPANIONS: Final = {"tab": (".dat", ".map", ".id"), "shp": (".shx",)}

_MATCHED: Final = re.compile(rb'(?:numberMatched|totalFeatures)"?\s*[=:]\s*"?(\d{1,9})')
_EXCEEDED: Final = re.compile(rb'"exceededTransferLimit"\s*:\s*true')
_JSON_WRAPPED: Final = re.compile(
    rb"\s*(?:/\*.*?\*/\s*)?(?:(?:var|let|const)\s+)?[\w$.\x80-\xff]+\s*[=(]\s*(?=[{\[])", re.DOTALL
)


_INSUNITS: Final = re.compile(rb"\$INSUNITS\s+70\s+(\d+)")
_METRIC_M: Final = {4: 0.001, 5: 0.01, 6: 1.0, 7: 1000.0, 14: 0.1, 15: 10.0, 16: 100.0}  # by $INSUNITS
_FEET_M: Final = {1: 0.0254, 2: 0.3048, 3: 1609.344, 10: 0.9144, 21: 1200 / 3937, 24: 5280 * 1200 / 3937}
_WEST, _SOUTH, _EAST, _NORTH = read_city().region
_MAP_M: Final = shapely.box(1e5, _SOUTH * 110_500, 9e5, _NORTH * 111_700)  # as maps of the city are in metres
_ZONES: Final = {  # of 3 and 6 degrees, here and beside: an easting in metres may begin with one
    *range(int(_WEST / 3 + 0.5) - 1, int(_EAST / 3 + 0.5) + 2),
    *range(int(_WEST / 6), int(_EAST / 6) + 3),
}


@dataclass(frozen=True)
class Declared:
    """How many features, rings and positions a file declares; None where that cannot be told."""

    features: int | None = None
    rings: int | None = None
    positions: int | None = None


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder, in hexadecimal."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for part in sorted(path.iterdir()):
        if part.is_file():
            digest.update(part.name.encode() + b"\0" + part.read_bytes())
    return digest.hexdigest()


def check_file(path: Path) -> None:
    """Refuse what is no file, or no folder of a File Geodatabase, or too large."""
    try:
        exists, is_file = path.exists(), path.is_file()
        geodatabase = path.is_dir() and path.suffix.lower() == ".gdb"
        parts = list(path.iterdir()) if geodatabase else [path] if is_file else []
        size = sum(part.stat().st_size for part in parts)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise RefusedError(build_issue("not-readable", path.name[:100], reason=reason)) from error
    if not exists:
        raise RefusedError(build_issue("file-missing", path.name))
    if not (is_file or geodatabase):
        raise RefusedError(build_issue("not-a-file", path.name))
    if not size:
        raise RefusedError(build_issue("file-empty", path.name))
    if size > MAX_BYTES:
        values = {"size": round(size / 1e6), "limit": round(MAX_BYTES / 1e6)}
        raise RefusedError(build_issue("file-too-large", path.name, **values))


def detect_format(path: Path, name: str) -> str:
    """Return the format of a file, by its content rather than its name.

    Raises :class:`~geodata.boundary_import.issues.RefusedError` for one that is not read, saying what it is.
    """
    if path.is_dir():
        return "gdb"
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    suffix = PurePosixPath(name).suffix.lower()
    refused = next((kind for magic, kind in _REFUSED_MAGIC.items() if head.startswith(magic)), None)
    if head.startswith(_OLE):
        refused = _OLE_SUFFIXES.get(suffix, "document")
    if (
        refused is None
        and suffix in _SUFFIXES_REFUSED
        and not (suffix == ".dat" and head.isascii() and b"\0" not in head)
    ):
        refused = _SUFFIXES_REFUSED[suffix]
    if refused:
        raise refuse_format(refused, name)
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if kind == "zip":
        return _detect_package(path, name)
    return kind or _detect_text(path, name, head)


def refuse_format(kind: str, name: str) -> RefusedError:
    """Return the error that a known format is not read, with what to do instead."""
    return RefusedError(
        build_issue("format-refused", name, what=term("refused", kind), remedy=term("remedy", kind))
    )


def _detect_package(path: Path, name: str) -> str:
    """Return what a zip is: a workbook, or an archive of data; raises for documents and projects."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except ZIP_ERRORS as error:
        raise RefusedError(build_issue("not-readable", name, reason=str(error)[:200])) from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        if PurePosixPath(name).suffix.lower() == ".ods":
            return "ods"
        raise refuse_format("document", name)
    if any(one.startswith(("word/", "ppt/", "OFD.xml")) for one in names):
        raise refuse_format("document", name)
    if any(one.endswith(".qgs") or one == "GISProject.xml" for one in names):
        raise refuse_format("project", name)
    return "zip"


def _detect_text(path: Path, name: str, head: bytes) -> str:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    wide = find_utf16(head)
    if wide:
        text = head.decode(wide, "ignore").lstrip("\ufeff \t\r\n").encode()
    if text.startswith(b"<"):
        return _detect_xml(path, name)
    if text.startswith((b"{", b"[{")) or _JSON_WRAPPED.match(text):
        return "json"
    if text[:40].lower().startswith(b"!table"):
        return "tab"
    if re.match(rb"version\s+\d+\s", text, re.IGNORECASE) and b"columns" in text.lower():
        return "mif"
    if re.match(rb"(?:999\s.*\n\s*)*0\s+SECTION\s", text):
        return "dxf"
    if b"\0" in head and not wide:
        raise RefusedError(build_issue("unknown-format", name))
    return "text"


def _detect_xml(path: Path, name: str) -> str:
    text = decode_xml(name, path.read_bytes())
    root = _XML_ROOT.search(text)
    kind = _XML_ROOTS.get(root[1]) if root else None
    if kind in {"project", "image", "document"}:
        raise refuse_format(str(kind), name)
    if kind is None or "<!ENTITY" in text:
        raise RefusedError(build_issue("unknown-format", name))
    return kind


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Unpack `archive` into `folder` and return the files in it, a File Geodatabase as its folder.

    Raises :class:`~geodata.boundary_import.issues.RefusedError` for anything that is not a plain archive of
    data. Sizes are counted while unpacking: the archive's own figures are not trusted.
    """
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as source:
            entries = [entry for entry in source.infolist() if not (entry.is_dir() or _is_junk(entry))]
            check_entries(archive, entries)
            left = MAX_UNPACKED
            for entry in entries:
                left -= _extract(source, entry, folder, left)
    except ZIP_ERRORS as error:
        raise RefusedError(build_issue("not-readable", archive.name, reason=str(error)[:200])) from error
    return sorted(folder.iterdir())


def _is_junk(entry: zipfile.ZipInfo) -> bool:
    """Tell whether an entry is what macOS packs beside every file."""
    parts = PurePosixPath(entry.filename).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1].startswith("._"))


def check_entries(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that leads outside, holds archives or too many files, or is too large unpacked."""
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
    """Write one entry by its bare name, or into its File Geodatabase, up to `left` bytes; return its size."""
    written = 0
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    geodatabase = next((part for part in parts[:-1] if part.lower().endswith(".gdb")), None)
    place = folder / geodatabase if geodatabase else folder
    place.mkdir(exist_ok=True)
    target = place / parts[-1]
    if target.exists():
        archive = Path(source.filename or "").name
        raise RefusedError(build_issue("zip-twice", archive, name=target.name[:100]))
    with source.open(entry) as packed, target.open("wb") as file:
        while chunk := packed.read(CHUNK):
            written += len(chunk)
            if written > left:
                raise _refuse_bomb(Path(source.filename or ""), written, max(entry.compress_size, 1))
            file.write(chunk)
    return written


def find_utf16(content: bytes) -> str | None:
    """Return the encoding of a text in UTF-16, by its mark or as an XML begins; None for others."""
    if content.startswith(UTF16_MARKS):
        return "utf-16"
    return {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(content[:2])


def decode_text(name: str, content: bytes, encoding: str | None = None) -> str:
    """Return text that may be UTF-8, UTF-16 or GB 18030, with or without a byte order mark."""
    wide = find_utf16(content)
    tried = (wide,) if wide else (encoding,) if encoding else ("utf-8-sig", "gb18030")
    for one in tried:
        try:
            return content.decode(one).lstrip("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    raise RefusedError(build_issue("bad-encoding", name, tried=", ".join(tried)))


def unwrap_json(path: Path, folder: Path) -> Path:
    """Return a JSON without the script that services and web maps have around it.

    That is ``f({…});`` or ``var a = {…};``.
    """
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    start = _JSON_WRAPPED.match(content)
    if start is None:
        return path
    bare = folder / f"{path.name}.json"
    bare.write_bytes(content[start.end() :].rstrip(b"); \t\r\n"))
    return bare


def parse_json(name: str, path: Path) -> object:
    """Return the content of a JSON; that of one with a feature a line as a collection of them."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and all(line[0] + line[-1] == "{}" for line in lines):
            return {"type": "FeatureCollection", "features": [json.loads(line) for line in lines]}
        return json.loads(text)
    except UnicodeDecodeError as error:
        raise RefusedError(build_issue("not-utf8", name)) from error
    except (ValueError, RecursionError) as error:
        raise RefusedError(build_issue("not-readable", name, reason=str(error)[:200])) from error


def refuse_unreadable_json(name: str, content: bytes) -> None:
    """Refuse a JSON in which coordinates are packed, or curves that are not read."""
    for member, kind in ((b'"encodeOffsets"', "echarts"), (b'"curveRings"', "esri-curves")):
        if member in content:
            raise refuse_format(kind, name)


def complete_esri(content: object) -> object:
    """Return what an Esri JSON holds as a set of features; another JSON as it is.

    Programs also save one feature, or the rings of one, without what is around them.
    """
    if not isinstance(content, dict) or "geometryType" in content:
        return content
    row = {"attributes": {}, "geometry": content} if _ESRI_TYPES.keys() & content.keys() else content
    rows = [row] if "attributes" in row else content.get("features")
    shapes = [row.get("geometry") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found = [shape for shape in shapes if isinstance(shape, dict)]
    kinds = {kind for shape in found for kind in _ESRI_TYPES if isinstance(shape.get(kind), list)}
    if len(kinds) != 1:
        return content
    system = content.get("spatialReference") or found[0].get("spatialReference")
    named = {"spatialReference": system} if system else {}
    return {"geometryType": _ESRI_TYPES[kinds.pop()], "features": rows, **named}


def is_cut_answer(content: bytes, read: int) -> bool:
    """Tell whether a file is the answer of a service that gave no more than `read` of its features."""
    matched = _MATCHED.search(content)
    return bool(_EXCEEDED.search(content)) or (matched is not None and int(matched[1]) > read)


def count_json(content: object) -> Declared | None:
    """Return what a GeoJSON, TopoJSON or Esri JSON declares; None for another kind of JSON."""
    if not isinstance(content, dict):
        return None
    kind, rows = content.get("type"), content.get("features")
    if kind == "Topology":
        return Declared() if isinstance(content.get("objects"), dict) else None
    if kind in _JSON_TYPES - {"FeatureCollection"}:
        return Declared(1, *_count_rings([_list_coordinates(content.get("geometry", content))]))
    is_esri = "geometryType" in content or "spatialReference" in content
    if not isinstance(rows, list) or not (kind == "FeatureCollection" or is_esri):
        return None
    shapes = [row.get("geometry") for row in rows if isinstance(row, dict)]
    return Declared(len(rows), *_count_rings([_list_coordinates(shape) for shape in shapes]))


def count_arcs(name: str, topology: Mapping[str, object]) -> tuple[int, int]:
    """Return how many positions the arcs of a TopoJSON have, and how many as often as they are drawn.

    Raises RefusedError where an arc that is used is not there, or holds what is no position.
    """
    arcs, objects = topology.get("arcs"), topology.get("objects")
    lengths = [_count_positions(arc) for arc in (arcs if isinstance(arcs, list) else ())]
    drawn, used, lost = 0, 0, 0
    pending = list(objects.values()) if isinstance(objects, dict) else []
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending += [node.get("geometries"), node.get("arcs")]
        elif isinstance(node, list):
            pending += node
        elif isinstance(node, int):
            length = lengths[max(node, ~node)] if max(node, ~node) < len(lengths) else 0
            drawn, used, lost = drawn + length, used + 1, lost + (not length)
    if lost:
        values = {"what": term("counted", "arcs"), "stated": used, "read": used - lost}
        raise RefusedError(build_issue("content-lost", name, **values))
    return sum(lengths), drawn


def _count_positions(arc: object) -> int:
    """Return how many positions an arc has, 0 where one is none."""
    if not isinstance(arc, list):
        return 0
    sound = all(
        isinstance(at, list) and len(at) > 1 and all(isinstance(one, int | float) for one in at[:2])
        for at in arc
    )
    return len(arc) if sound else 0


def _list_coordinates(shape: object) -> list[object]:
    """Return the rings or lines of a geometry of GeoJSON or Esri JSON, or of a collection."""
    if not isinstance(shape, dict):
        return []
    if isinstance(shape.get("geometries"), list):
        return [_list_coordinates(one) for one in shape["geometries"]]
    found = [shape.get(member) for member in ("coordinates", "rings", "curveRings", "paths")]
    dotted = str(shape.get("type")).endswith("Point")
    return [] if dotted else [rings for rings in found if isinstance(rings, list)]


def _count_rings(nested: list[object]) -> tuple[int, int]:
    """Return how many rings or lines, and positions in them, nested lists of coordinates hold."""
    rings = positions = 0
    pending: list[object] = [nested]
    while pending:
        node = pending.pop()
        if not isinstance(node, list):
            continue
        if any(not isinstance(child, list) or _is_position(child) for child in node):
            rings += 1
            positions += len(node)
        else:
            pending += node
    return rings, positions


def _is_position(node: object) -> bool:
    return isinstance(node, list) and bool(node) and not isinstance(node[0], list)


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


def decode_xml(name: str, content: bytes) -> str:
    """Return an XML as text, by its byte order mark or declared encoding."""
    declared = XML_DECLARED.search(content[:XML_HEAD].decode("latin-1"))
    encoding = declared[3].lower() if declared else None
    if encoding in {"gb2312", "gbk"}:
        encoding = "gb18030"  # which holds both
    return decode_text(name, content, None if encoding in {None, "utf-8", "utf8", "utf-16"} else encoding)


def repair_xml(text: str) -> str:
    """Return an XML with what programs forget: `&` written out, and names of namespaces declared."""
    text = _BARE_AMPERSAND.sub("&amp;", text)
    root = _XML_ROOT.search(text)
    if root is None:
        return text
    used = set(_XML_PREFIX.findall(text)) - {"xml", "xmlns"}
    missing = sorted(one for one in used if f"xmlns:{one}" not in text)
    declared = "".join(f' xmlns:{one}="urn:{one}"' for one in missing)
    return text[: root.end()] + declared + text[root.end() :]


def count_kml(source: Path) -> Declared:
    """Return how many rings and positions in rings a KML declares."""
    rings = positions = 0
    for _, node in ET.iterparse(source):  # noqa: S314 - a file with entities was refused
        if node.tag.rpartition("}")[2] == "LinearRing":
            texts = [child.text or "" for child in node if child.tag.rpartition("}")[2] == "coordinates"]
            rings += 1
            positions += sum(len(re.sub(r"\s*,\s*", ",", text).split()) for text in texts)
            node.clear()
    return Declared(None, rings, positions)


def count_shapefile(path: Path) -> Declared:
    """Return what the records of a .shp declare, as far as they can be followed."""
    content = path.read_bytes()
    features = rings = positions = 0
    at = 100
    while at + 12 <= len(content):
        (words,) = struct.unpack(">i", content[at + 4 : at + 8])
        if words < 2 or at + 8 + 2 * words > len(content):  # noqa: PLR2004 - a type at least
            return Declared(features + 1, None, None)
        (kind,) = struct.unpack("<i", content[at + 8 : at + 12])
        if kind % 10 in {3, 5} and words >= 22:  # noqa: PLR2004 - lines and polygons with a box and counts
            parts, points = struct.unpack("<ii", content[at + 44 : at + 52])
            rings, positions = rings + max(parts, 0), positions + max(points, 0)
        features += 1
        at += 8 + 2 * words
    return Declared(features, rings, positions)


def count_read(shapes: Iterable[BaseGeometry | None]) -> tuple[int, int]:
    """Return how many rings and lines, and positions in them, geometries have."""
    every = [part for shape in shapes if shape is not None for part in _flatten(shape)]
    polygons = [part for part in every if isinstance(part, shapely.Polygon)]
    lines = [part for part in every if part.geom_type in LINE_TYPES]
    rings = shapely.get_rings(polygons)
    counted = [*rings, *lines]
    return len(counted), int(shapely.get_num_coordinates(counted).sum()) if counted else 0


def _flatten(shape: BaseGeometry) -> list[BaseGeometry]:
    parts = list(shapely.get_parts(shape))
    return [one for part in parts for one in (_flatten(part) if hasattr(part, "geoms") else [part])]


def find_drawing_unit(name: str, content: bytes, shapes: Sequence[BaseGeometry]) -> tuple[float, list[Issue]]:
    """Return how many metres a drawing's unit has by its numbers, and what to say of that.

    Many that are in metres declare millimetres, and the other way round: what is declared counts only where
    the numbers are none of metres, and where neither fits they may be millimetres all the same.
    """
    found = _INSUNITS.search(content)
    declared = (_METRIC_M | _FEET_M).get(int(found[1][:4]), 1.0) if found else 1.0
    points = shapely.get_coordinates(shapes)
    middle = np.median(np.abs(points), axis=0) if len(points) else np.zeros(2)

    def fits(scale: float) -> bool:
        pairs = (middle * scale, middle[::-1] * scale)
        bare = [(east % 1e6 if east // 1e6 in _ZONES else east, north) for east, north in pairs]
        return any(map(_MAP_M.covers, shapely.points(bare)))

    scale = next((one for one in (1.0, declared, 0.001) if fits(one)), None)
    if scale is None:
        return 1.0, []
    code, factor = ("drawing-scaled", scale) if scale != 1 else ("drawing-unit-contradicts", declared)
    return scale, [build_issue(code, name, factor=f"{factor:g}")] if factor != 1 else []


def unescape_drawing(properties: Mapping[str, object]) -> dict[str, object]:
    """Return texts of a drawing with letters where it has their numbers."""
    return {
        key: _ESCAPED.sub(lambda code: chr(int(code[1], 16)), value) if isinstance(value, str) else value
        for key, value in properties.items()
    }


def decode_rows(
    name: str, rows: list[dict[str, object]], given: str | None, named: str | None, *, names_too: bool = True
) -> tuple[list[dict[str, object]], list[Issue]]:
    """Return attributes, read as Latin-1, in the encoding that fits all of them, and what to say of it.

    A value cut inside a letter, as the width of a field may cut it, loses that letter only. Without
    `names_too`, names of fields that are in no known encoding stay as they are.
    """
    names = {key for row in rows for key in row}
    values = {value for row in rows for value in row.values() if isinstance(value, str)}
    raw = {text: text.encode("latin-1") for text in values | names if not text.isascii()}
    counted = [raw[text] for text in (values | names if names_too else values) if text in raw]
    tried = [given] if given else [one for one in dict.fromkeys((named, *_ENCODINGS)) if one]
    chosen, cut = _choose_encoding(counted, tried)
    if chosen is None:
        raise RefusedError(build_issue("bad-encoding", name, tried=", ".join(tried)))
    issues = []
    if counted and chosen not in (given, named):
        issues.append(build_issue("encoding-guessed", name, encoding=chosen))
    if cut:
        issues.append(build_issue("text-cut", name, count=cut, encoding=chosen))
    decoded = {text: raw[text].decode(chosen, "replace") for text in values & raw.keys()}
    for text in names & raw.keys():
        with suppress(UnicodeDecodeError):
            decoded[text] = raw[text].decode(chosen)
    return [
        {
            decoded.get(key, key): decoded.get(value, value) if isinstance(value, str) else value
            for key, value in row.items()
        }
        for row in rows
    ], issues


def _choose_encoding(contents: Sequence[bytes], tried: Sequence[str]) -> tuple[str | None, int]:
    """Return the first encoding that fits all contents, and how many of them are cut in their last letter.

    Hardly anything but UTF-8 is valid UTF-8, so one that is so but for cuts comes before another that fits.
    """
    cut_first = [(one, True) for one in tried if find_codec(one) == "utf-8"]
    strict = [(one, False) for one in tried]
    after = tried.index("utf-8") + 1 if "utf-8" in tried else 0
    order = [*strict[:after], *cut_first, *strict[after:], *((one, True) for one in tried)]
    for encoding, allowed in order:
        cut = 0
        try:
            for content in contents:
                cut += _is_cut(content, encoding) if allowed else not content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        return encoding, cut
    return None, 0


def find_codec(encoding: str) -> str | None:
    """Return Python's name of an encoding, or None for an unknown one."""
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return None


def _is_cut(content: bytes, encoding: str) -> bool:
    """Tell whether only the last letter is incomplete; raises what decoding raises for anything else."""
    decoder = codecs.getincrementaldecoder(encoding)()
    decoder.decode(content)
    return bool(decoder.getstate()[0])


def companion(source: Path, suffix: str) -> Path | None:
    """Return the file that goes with another, its suffix in letters of either case."""
    beside = (path for path in source.parent.iterdir() if path.stem == source.stem)
    return next((path for path in beside if path.suffix.lower() == suffix), None)


def check_companions(path: Path, name: str, kind: str) -> None:
    """Refuse a Shapefile or MapInfo table without the files that belong to it."""
    missing = [suffix for suffix in _COMPANIONS[kind] if companion(path, suffix) is None]
    if missing:
        code = "shapefile-incomplete" if kind == "shp" else "mapinfo-incomplete"
        raise RefusedError(build_issue(code, name, missing=", ".join(missing)))


def read_cpg(source: Path) -> str | None:
    """Return the encoding that a Shapefile's .cpg names, if Python knows it."""
    path = companion(source, ".cpg")
    if path is None:
        return None
    name = path.read_bytes()[:40].decode("ascii", "ignore").strip()
    name = {"936": "gbk", "65001": "utf-8", "54936": "gb18030"}.get(name.upper().lstrip("CP"), name)
    return find_codec(name)


def is_utf8(content: bytes) -> bool:
    """Tell whether bytes are valid UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
