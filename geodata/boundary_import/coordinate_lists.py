"""Read boundaries that are written as text: the exchange format, WKT, and the JSON of district services.

Coordinates are returned as (east, north), whatever order the text has. Corner points form rings; rings of
one plot are combined by the even-odd rule, so a ring inside another is a hole whatever its direction.
"""

from __future__ import annotations

import csv
import math
import re
import tempfile
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, TypedDict

import numpy as np
import shapely
import yaml
from numpy.typing import NDArray
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.issues import Issue, RefusedError, Texts, build_issue

Point = tuple[float, float]
_FILE: Final = Path(__file__).with_name("vocabulary.yaml")
MIN_POINTS: Final = 3
LINE_TYPES: Final = frozenset({"LineString", "MultiLineString", "LinearRing"})
MAX_LON: Final = 180.0
ZONE_EAST: Final = 10_000_000.0  # an easting from here on begins with the number of its zone
MAX_ZONE: Final = 45  # of 3 degrees, in China
_WIDE_ZONES: Final = 24  # zones of 6 degrees have lower numbers in China, zones of 3 degrees higher ones
_AREA_PERCENT: Final = 1.0  # by which the stated area of a plot may be off
_M2_PER_HA: Final = 10_000.0
_PLOT_END: Final = "@"
_PLOT_HEAD: Final = re.compile(r"\s*\d+\s*[,\t][^\n]*@\s*\n")
NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_CURVED: Final = "CURVEPOLYGON|COMPOUNDCURVE|CIRCULARSTRING|MULTISURFACE|MULTICURVE"
CURVES: Final = re.compile(_CURVED, re.IGNORECASE)
_WKT: Final = re.compile(
    r"(?:SRID=(?P<srid>\d+);\s*)?(?P<wkt>(?:MULTI)?(?:POLYGON|LINESTRING|POINT)|GEOMETRYCOLLECTION|LINEARRING"
    rf"|{_CURVED})"
    r"\s*(?:(?:ZM|Z|M)\s*)?(?:\(|EMPTY)",
    re.IGNORECASE,
)
GDAL_OPTIONS: Final = {
    "OGR_GEOJSON_MAX_OBJ_SIZE": "500",  # MB for one feature; all MAX_VERTICES in one fit
    "OGR_ARC_STEPSIZE": "0.2",  # degrees: an arc of 30 km radius is kept within 0.1 m
    "GML_SKIP_RESOLVE_ELEMS": "ALL",  # links in a file lead nowhere
}
_HEX: Final = re.compile(r"0[01](?:[0-9a-f]{2}){8,}", re.IGNORECASE)


@dataclass
class Plot:
    """One polygon of a text: its attributes and its rings, (east, north)."""

    properties: dict[str, str] = field(default_factory=dict)
    rings: list[list[Point]] = field(default_factory=list)
    geometry: BaseGeometry | None = None  # where the text gives it whole
    last: tuple[str, str, str] = ("", "", "")  # ring of the last corner, number of its first, and its own

    def to_geometry(self) -> BaseGeometry:
        """Return the polygon; a ring of fewer than three points stays visible as a line or point."""
        return self.geometry if self.geometry is not None else build_even_odd(self.rings)


@dataclass
class CoordinateText:
    """What a text says."""

    crs: str | None = None
    plots: list[Plot] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


class Datum(TypedDict):
    """How people call a datum, and the EPSG codes of its systems.

    `series` gives of each kind of zones the number of the first, or its meridian in degrees, and its code.
    """

    words: list[str]
    geographic: int
    series: dict[str, tuple[int, int]]


class ImportVocabulary(TypedDict):
    """The words that files use, by what they mean."""

    exchange: dict[str, list[str]]
    columns: dict[str, list[str]]
    pairs: list[str]
    packed_angles: list[str]
    decimal_angles: list[str]
    angle_marks: dict[str, list[str]]
    angle_columns: list[str]
    sides: list[str]
    services: dict[str, Texts]
    frames: dict[str, list[str]]
    datums: dict[str, Datum]
    patterns: dict[str, list[str]]
    kinds_of_places: list[list[str]]
    prefixes: list[str]
    suffixes: list[str]


@lru_cache(maxsize=1)
def read_vocabulary() -> ImportVocabulary:
    """Return the words that files use, by what they mean."""
    vocabulary: ImportVocabulary = yaml.load(_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return vocabulary


def normalise_word(text: object) -> str:
    """Return what two spellings of one word share: width, case, blanks and punctuation do not matter.

    >>> normalise_word(" Ｗendeng_District ")
    'wendengdistrict'
    """
    plain = unicodedata.normalize("NFKC", str(text)).casefold()
    return "".join(character for character in plain if character.isalnum() or character == "°")


def find_crs(text: str) -> str | None:
    """Return the code of the coordinate system that `text` names in words, or None.

    The number of a zone or a central meridian makes it a projected one.

    >>> find_crs("CGCS2000_3_Degree_GK_Zone_40"), find_crs("CGCS2000 / 3-degree, CM 117E")
    ('EPSG:4528', 'EPSG:4548')
    """
    vocabulary, words = read_vocabulary(), normalise_word(text)
    for frame, names in vocabulary["frames"].items():
        if any(name in words for name in map(normalise_word, names)):
            return str(frame)
    for datum in vocabulary["datums"].values():
        name = next((name for name in map(normalise_word, datum["words"]) if name in words), None)
        if name is not None:
            return _find_projected(words.replace(name, "/", 1), datum)
    return None


def _find_projected(words: str, datum: Datum) -> str | None:
    zone = _find_number(words, "zone")
    wide = any(re.search(pattern, words) for pattern in read_vocabulary()["patterns"]["six"])
    if not datum["series"]:
        return f"EPSG:{datum['geographic']}"
    if zone is not None:
        return find_zone_crs(zone, datum, wide=wide)
    meridian = _find_number(words, "meridian")
    first, code = datum["series"]["meridian3"]
    if meridian is not None and not (meridian - first) % 3 and 0 <= (meridian - first) // 3 <= 20:  # noqa: PLR2004
        return f"EPSG:{code + (meridian - first) // 3}"
    return f"EPSG:{datum['geographic']}" if meridian is None else None


def find_zone_crs(zone: int, datum: Datum, *, wide: bool = False) -> str | None:
    """Return the system of a numbered zone: of 3 degrees from 25 to 45, of 6 degrees from 13 to 23."""
    first, code = datum["series"]["zone6" if wide or zone < _WIDE_ZONES else "zone3"]
    last = 10 if wide or zone < _WIDE_ZONES else 20
    return f"EPSG:{code + zone - first}" if 0 <= zone - first <= last else None


def _find_number(words: str, kind: str) -> int | None:
    found = (re.search(pattern, words) for pattern in read_vocabulary()["patterns"][kind])
    return next((int(match[1]) for match in found if match), None)


def build_even_odd(rings: Iterable[Sequence[Point]]) -> BaseGeometry:
    """Return the area that an odd number of `rings` encloses; what is no ring comes back as a line.

    The direction of a ring does not matter. Rings that cross are left as they are, for the checks to find.
    """
    closed: list[shapely.Polygon] = []
    for ring in rings:
        if len(set(ring)) < MIN_POINTS:
            return shapely.LineString(list(ring) * (2 if len(ring) == 1 else 1))
        closed.append(shapely.Polygon(ring))
    return combine_even_odd(closed)


def list_rings(shape: BaseGeometry | None) -> list[shapely.Polygon]:
    """Return the rings of areas and of closed lines, each as a polygon."""
    rings = []
    for part in shapely.get_parts(shape) if shape is not None else ():
        lines = [part.exterior, *part.interiors] if isinstance(part, shapely.Polygon) else [part]
        rings += [
            shapely.Polygon(line.coords)
            for line in lines
            if line.geom_type in LINE_TYPES and line.is_closed and len(set(line.coords)) > 2  # noqa: PLR2004 - a ring
        ]
    return rings


def combine_even_odd(shells: Sequence[shapely.Polygon]) -> BaseGeometry:
    """Return polygons without holes as one geometry, in which one within another is a hole of it."""
    if not shells:
        return shapely.Polygon()
    inside: dict[int, list[int]] = defaultdict(list)
    with suppress(GEOSException):  # of rings that cross themselves: nothing is known to lie within them
        pairs = shapely.STRtree(shells).query(shells, predicate="covered_by")
        for inner, outer in zip(*pairs.tolist(), strict=True):
            if shells[inner].area < shells[outer].area:
                inside[inner].append(outer)
    holes: dict[int, list[shapely.LinearRing]] = defaultdict(list)
    for inner, around in inside.items():
        if len(around) % 2:
            holes[max(around, key=lambda outer: len(inside.get(outer, ())))].append(shells[inner].exterior)
    polygons = [
        shapely.Polygon(shell.exterior, holes[number])
        for number, shell in enumerate(shells)
        if not len(inside.get(number, ())) % 2
    ]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


# -- the ministry's exchange format


def is_exchange_text(text: str) -> bool:
    """Tell whether a text is a list of corner points in the exchange format, with a head or not."""
    head = unicodedata.normalize("NFKC", text[:20_000])
    return any(f"[{name}]" in head for name in read_vocabulary()["exchange"]["plots"]) or bool(
        _PLOT_HEAD.match(head)
    )


def read_exchange_text(name: str, text: str) -> CoordinateText:
    """Read corner points in the ministry's exchange format: X is north, Y east.

    A plot begins with a line that ends in ``@``: how many points it has, its area in hectares, number, name …
    Lines of points are number, ring, X, Y.
    """
    words = read_vocabulary()["exchange"]
    header: dict[str, str] = {}
    plain = unicodedata.normalize("NFKC", text)
    found, in_plots = CoordinateText(), bool(_PLOT_HEAD.match(plain))
    stated: list[tuple[int | None, float | None]] = []
    for line in (one.strip().rstrip(",") for one in plain.splitlines()):
        if not line:
            continue
        if line.startswith("["):
            in_plots = line.strip("[]") in words["plots"]
        elif not in_plots:
            key, _, value = line.partition("=")
            header[normalise_word(key)] = value.strip()
        elif line.endswith(_PLOT_END):
            cells = [cell.strip() for cell in re.split("[,\t]", line)]
            stated.append((_to_int(cells[0]), _to_float(cells[1]) if len(cells) > 1 else None))
            found.plots.append(Plot(dict(zip(("number", "name"), cells[2:4], strict=False))))
        else:
            if not found.plots:
                found.plots.append(Plot())
                stated.append((None, None))
            _add_corner(name, line, found.plots[-1])
    _check_stated(name, found, stated)
    values = [value for plot in found.plots for ring in plot.rings for point in ring for value in point]
    found.crs = _read_header_crs(name, header, values)
    return found


def _add_corner(name: str, line: str, plot: Plot) -> None:
    """Add the point of a line; the ring before ends where the number of the ring changes.

    A line is number, ring, X, Y, whatever follows; or ring, X, Y. One without any number is a note.
    """
    cells = [cell.strip() for cell in re.split("[,;]", line)] if re.search("[,;]", line) else line.split()
    corner = ""
    if len(cells) > 3:  # noqa: PLR2004 - with the number of the point
        corner, *cells = cells[:4]
    values = [_to_float(cell) for cell in cells]
    if not any(character.isdigit() for character in line):
        return
    if len(cells) < 3 or None in values[1:]:  # noqa: PLR2004 - ring, X, Y
        raise RefusedError(build_issue("line-unreadable", name, line=line[:60]))
    append_corner(plot, cells[0], (float(values[2] or 0), float(values[1] or 0)), corner)


def append_corner(plot: Plot, ring: str, point: Point, corner: str) -> None:
    """Append a point to a plot's rings; a ring ends with its first point again, or where another begins.

    Another begins with another name, or where the number of the first `corner` comes again elsewhere.
    """
    last, first, before = plot.last
    rings = plot.rings
    done = bool(rings) and len(rings[-1]) > MIN_POINTS and rings[-1][0] == rings[-1][-1]
    again = bool(rings) and corner == first != before and point != rings[-1][0]
    if not rings or last != ring or done or again:
        rings.append([])
        first = corner
    plot.last = ring, first, corner
    rings[-1].append(point)


def _check_stated(
    name: str, found: CoordinateText, stated: Sequence[tuple[int | None, float | None]]
) -> None:
    """Compare the numbers of points and the areas that a file states with what was read."""
    for number, (plot, (count, area_ha)) in enumerate(zip(found.plots, stated, strict=True), start=1):
        read = sum(map(len, plot.rings))
        closings = sum(ring[0] == ring[-1] for ring in plot.rings if len(ring) > 1)
        if count is not None and not read - closings <= count <= read:
            values = {"plot": plot.properties.get("name") or number, "stated": count, "read": read}
            raise RefusedError(build_issue("points-missing", name, **values))
        area = plot.to_geometry().area / _M2_PER_HA
        if area_ha and area > 1 and abs(area / area_ha - 1) * 100 > _AREA_PERCENT:
            values = {"plot": plot.properties.get("name") or number, "stated": f"{area_ha:g}"}
            found.issues.append(build_issue("plot-area-differs", name, **values, read=f"{area:.4f}"))


def _read_header_crs(name: str, header: Mapping[str, str], values: Sequence[float]) -> str | None:
    """Return the coordinate system of the header; the easting may begin with the number of the zone.

    `values` are all coordinates, as two may be exchanged: no northing is as large.
    """
    words = read_vocabulary()["exchange"]

    def get(kind: str) -> str:
        return next((header[key] for key in map(normalise_word, words[kind]) if header.get(key)), "")

    datum = find_datum(get("crs"))
    zone = _to_int(get("zone"))
    if zone is not None and zone > MAX_ZONE and not zone % 3:  # its central meridian instead
        zone //= 3
    prefixes = {int(value // 1_000_000) for value in values if value >= ZONE_EAST}
    if zone is not None and prefixes - {zone}:
        read = ", ".join(map(str, sorted(prefixes)))
        raise RefusedError(build_issue("zone-contradicts", name, stated=zone, read=read))
    if datum is None:
        return None
    if values and max(map(abs, values)) <= MAX_LON:
        return f"EPSG:{datum['geographic']}"
    wide = "6" in get("degrees")
    zone = zone if zone is not None else next(iter(prefixes), None) if len(prefixes) == 1 else None
    if zone is None or not datum["series"]:
        return None
    if prefixes:
        return find_zone_crs(zone, datum, wide=wide)
    meridian = zone * 6 - 3 if wide or zone < _WIDE_ZONES else zone * 3
    first, code = datum["series"]["meridian3"]
    return f"EPSG:{code + (meridian - first) // 3}" if meridian >= first else None


def find_datum(text: str) -> Datum | None:
    """Return the datum that `text` names in words, or None."""
    words = normalise_word(text)
    rows = read_vocabulary()["datums"].values()
    return next((row for row in rows if any(normalise_word(one) in words for one in row["words"])), None)


# -- WKT


def is_wkt(text: str) -> bool:
    """Tell whether a text begins with well-known text, with or without an SRID, or with WKB in hex."""
    head = text.lstrip("\ufeff \t\r\n\"'")
    title, _, below = head.partition("\n")
    if normalise_word(title[:20]) in read_vocabulary()["columns"]["wkt"]:  # of the only column
        head = below.lstrip("\"'")
    return bool(_WKT.match(head) or _HEX.fullmatch(head.strip()[:2000].split("\n")[0].strip()))


def read_wkt_text(name: str, text: str) -> CoordinateText:
    """Read one or several geometries in WKT, EWKT or hexadecimal WKB, one after another."""
    text = text.strip("\ufeff \t\r\n\"'")
    if _HEX.match(text):
        parts = text.split()
    else:
        starts = _find_top_level(text)
        parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    found = CoordinateText()
    frames = set()
    for part in parts:
        geometry, frame = parse_wkt(name, part)
        frames.add(frame)
        found.plots.append(Plot(geometry=geometry))
    found.crs = frames.pop() if len(frames) == 1 else None
    return found


def _find_top_level(text: str) -> list[int]:
    """Return where the geometries of a text begin, without those that are members of a collection."""
    depth, last, starts = 0, 0, []
    for match in _WKT.finditer(text):
        depth += text.count("(", last, match.start()) - text.count(")", last, match.start())
        last = match.start()
        if depth <= 0:
            starts.append(match.start())
    return starts


def parse_wkt(name: str, text: str) -> tuple[BaseGeometry, str | None]:
    """Return a geometry in WKT, EWKT or hexadecimal WKB, and the code of the system that it names."""
    plain = text.strip().rstrip(";,\"' \r\n\t")
    read = _WKT.match(plain)
    try:
        if read is None:
            shape = shapely.from_wkb(plain)
            srid = int(shapely.get_srid(shape))
        else:
            whole = plain[read.start("wkt") :]
            shape = straighten([whole])[0] if CURVES.search(whole) else shapely.from_wkt(whole)
            srid = int(read["srid"] or 0)
    except (GEOSException, ValueError, TypeError, NotImplementedError) as error:  # the last of curves as WKB
        raise RefusedError(build_issue("not-readable", name, reason=str(error)[:200])) from error
    if shape is None:
        raise RefusedError(build_issue("not-readable", name, reason=plain[:40]))
    return shapely.force_2d(shape), f"EPSG:{srid}" if srid else None


def straighten(wkts: Sequence[str]) -> NDArray[np.object_]:
    """Return geometries with their arcs as lines; None for each that GDAL does not read."""
    import pyogrio

    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as table, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what comes back as None
        csv.writer(table).writerows([["WKT"], *([wkt] for wkt in wkts)])
        table.flush()
        shapes: NDArray[np.object_] = shapely.from_wkb(pyogrio.raw.read(table.name)[2])
    return shapely.force_2d(shapes)


# -- district services, and what programs save of their JSON

_ESRI_TYPES: Final = {"rings": "esriGeometryPolygon", "paths": "esriGeometryPolyline"}


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


def read_district_json(name: str, content: object) -> CoordinateText | None:
    """Read what the district services of Amap (GCJ-02) and Tianditu (CGCS2000) answer; None for neither."""
    if not isinstance(content, dict):
        return None
    districts = content.get("districts")
    if isinstance(districts, list) and any(isinstance(row, dict) and "adcode" in row for row in districts):
        return _collect_districts(name, "amap", "GCJ-02", _walk(districts, "districts"), "polyline")
    data = content.get("data")
    rows = data.get("district") if isinstance(data, dict) else data
    if isinstance(rows, list) and any(
        isinstance(row, dict) and ("gb" in row or "points" in row) for row in rows
    ):
        return _collect_districts(name, "tianditu", "EPSG:4490", _walk(rows, "children"), "boundary")
    return None


def _walk(rows: Iterable[object], below: str) -> Iterable[dict[str, object]]:
    pending = [row for row in rows if isinstance(row, dict)]
    while pending:
        row = pending.pop(0)
        yield row
        children = row.get(below)
        pending += (
            [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []
        )


def _collect_districts(
    name: str, service: str, frame: str, rows: Iterable[dict[str, object]], member: str
) -> CoordinateText:
    found = CoordinateText(frame)
    for row in rows:
        line = row.get(member) or ""
        points = row.get("points")
        if not line and isinstance(points, list):
            line = "|".join(str(one.get("region", "")) for one in points if isinstance(one, dict))
        if not line or not isinstance(line, str):
            continue
        plain = {key: value for key, value in row.items() if isinstance(value, str) and key != member}
        if is_wkt(line):
            found.plots.append(Plot(plain, geometry=parse_wkt(name, line)[0]))
        else:
            parts = line.split("|")
            divider = ";" if ";" in line else ","
            rings = [
                [_parse_pair(name, pair) for pair in part.split(divider) if pair.strip()] for part in parts
            ]
            found.plots.append(Plot(plain, [ring for ring in rings if ring]))
    told = read_vocabulary()["services"][service]
    found.issues.append(build_issue("from-service", name, service=told, crs=frame))
    return found


def _parse_pair(name: str, pair: str) -> Point:
    values = [_to_float(part) for part in re.split(r"[,\s]+", pair.strip())]
    if len(values) != 2 or None in values:  # noqa: PLR2004 - lon, lat
        raise RefusedError(build_issue("line-unreadable", name, line=pair[:60]))
    return float(values[0] or 0), float(values[1] or 0)


def describes_in_words(text: str) -> bool:
    """Tell whether a text describes a boundary by what lies on its four sides."""
    return sum(word in text for word in read_vocabulary()["sides"]) > 1


def is_datav(features: Sequence[Mapping[str, object]]) -> bool:
    """Tell whether GeoJSON features come from DataV GeoAtlas, whose positions are Amap's."""
    return bool(features) and all({"adcode", "level", "parent"} <= row.keys() for row in features)


def _to_int(text: str) -> int | None:
    return int(text) if text.isdigit() and len(text) < 9 else None  # noqa: PLR2004 - no number is longer


def _to_float(text: str) -> float | None:
    plain = text.strip().casefold()
    value = float(plain) if NUMBER.fullmatch(plain) and len(plain) < 40 else math.nan  # noqa: PLR2004
    return value if math.isfinite(value) else None
