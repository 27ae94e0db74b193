"""Read boundaries that are written as text: corner points, WKT, and the JSON of district services.

Coordinates are returned as (east, north), whatever order the text has. Corner points form rings; rings of
one plot are combined by the even-odd rule, so a ring inside another is a hole whatever its direction.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, TypedDict

import shapely
import yaml
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.issues import Issue, RefusedError, Texts, build_issue

Point = tuple[float, float]
Cells = Sequence[str]
_FILE: Final = Path(__file__).with_name("vocabulary.yaml")
_MIN_POINTS: Final = 3
LINE_TYPES: Final = frozenset({"LineString", "MultiLineString", "LinearRing"})
HEADER_ROWS: Final = 30  # among which the titles of a table's columns are looked for
_MAX_LON: Final = 180.0
_ZONE_EAST: Final = 10_000_000.0  # an easting from here on begins with the number of its zone
_MIN_NORTH: Final = 1_500_000.0  # of land in China; an easting without the number of its zone is less
_WIDE_ZONES: Final = 24  # zones of 6 degrees have lower numbers in China, zones of 3 degrees higher ones
_MIN_PACKED: Final = 8  # angles that all look like dd.mmss before they are taken for that
_SIXTY: Final = 60
_SHARE: Final = 0.6  # of a column's cells that are coordinates
_AREA_PERCENT: Final = 1.0  # by which the stated area of a plot may be off
_M2_PER_HA: Final = 10_000.0
_PLOT_END: Final = "@"
_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_ANGLE: Final = re.compile(
    r"""[nsew]?\s*(?P<sign>[-+]?)(?P<d>\d{1,3})\s*[\u00b0\s:-]\s*(?P<m>\d{1,2})\s*['\s:-]\s*
    (?P<s>\d{1,2}(?:\.\d+)?)?\s*"?\s*[nsew]?""",
    re.VERBOSE,
)
_WKT: Final = re.compile(
    r"(?:SRID=(?P<srid>\d+);\s*)?(?P<wkt>(?:MULTI)?(?:POLYGON|LINESTRING|POINT)|GEOMETRYCOLLECTION|LINEARRING)"
    r"\s*(?:(?:ZM|Z|M)\s*)?(?:\(|EMPTY)",
    re.IGNORECASE,
)
_HEX: Final = re.compile(r"0[01](?:[0-9a-f]{2}){8,}", re.IGNORECASE)


@dataclass
class Plot:
    """One polygon of a text: its attributes and its rings, (east, north)."""

    properties: dict[str, str] = field(default_factory=dict)
    rings: list[list[Point]] = field(default_factory=list)
    geometry: BaseGeometry | None = None  # where the text gives it whole

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
    angle_marks: dict[str, list[str]]
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
        if len(set(ring)) < _MIN_POINTS:
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
    """Tell whether a text is a list of corner points in the ministry's exchange format."""
    return any(f"[{name}]" in text[:20_000] for name in read_vocabulary()["exchange"]["plots"])


def read_exchange_text(name: str, text: str) -> CoordinateText:
    """Read corner points in the ministry's exchange format: X is north, Y east.

    A plot begins with a line that ends in ``@``: how many points it has, its area in hectares, number, name …
    Lines of points are number, ring, X, Y.
    """
    words = read_vocabulary()["exchange"]
    header: dict[str, str] = {}
    found, in_plots = CoordinateText(), False
    stated: list[tuple[int | None, float | None]] = []
    for line in map(str.strip, unicodedata.normalize("NFKC", text).splitlines()):
        if not line:
            continue
        if line.startswith("["):
            in_plots = line.strip("[]") in words["plots"]
        elif not in_plots:
            key, _, value = line.partition("=")
            header[normalise_word(key)] = value.strip()
        elif line.endswith(_PLOT_END):
            cells = [cell.strip() for cell in line.split(",")]
            stated.append((_to_int(cells[0]), _to_float(cells[1]) if len(cells) > 1 else None))
            found.plots.append(Plot(dict(zip(("number", "name"), cells[2:4], strict=False))))
        else:
            if not found.plots:
                found.plots.append(Plot())
                stated.append((None, None))
            _add_corner(name, line, found.plots[-1])
    _check_stated(name, found, stated)
    easts = [point[0] for plot in found.plots for ring in plot.rings for point in ring]
    found.crs = _read_header_crs(name, header, easts)
    return found


def _add_corner(name: str, line: str, plot: Plot) -> None:
    """Add the point of a line; the ring before ends where the number of the ring changes."""
    cells = [cell.strip() for cell in line.split(",")]
    values = [_to_float(cell) for cell in cells[-2:]]
    if len(cells) < 3 or None in values:  # noqa: PLR2004 - ring, X, Y
        raise RefusedError(build_issue("line-unreadable", name, line=line[:60]))
    ring = cells[1] if len(cells) > 3 else cells[0]  # noqa: PLR2004 - with the number of the point
    _append(plot, ring, (float(values[1] or 0), float(values[0] or 0)))


def _append(plot: Plot, ring: str, point: Point) -> None:
    """Append a point to a plot's rings; a ring ends with its first point again, or where another begins."""
    last = plot.properties.get("\0ring")
    rings = plot.rings
    done = bool(rings) and len(rings[-1]) > _MIN_POINTS and rings[-1][0] == rings[-1][-1]
    if not rings or last != ring or done:
        rings.append([])
    plot.properties["\0ring"] = ring
    rings[-1].append(point)


def _check_stated(
    name: str, found: CoordinateText, stated: Sequence[tuple[int | None, float | None]]
) -> None:
    """Compare the numbers of points and the areas that a file states with what was read."""
    for number, (plot, (count, area_ha)) in enumerate(zip(found.plots, stated, strict=True), start=1):
        plot.properties.pop("\0ring", None)
        read = sum(map(len, plot.rings))
        closings = sum(ring[0] == ring[-1] for ring in plot.rings if len(ring) > 1)
        if count is not None and not read - closings <= count <= read:
            values = {"plot": plot.properties.get("name") or number, "stated": count, "read": read}
            raise RefusedError(build_issue("points-missing", name, **values))
        area = plot.to_geometry().area / _M2_PER_HA
        if area_ha and area > 1 and abs(area / area_ha - 1) * 100 > _AREA_PERCENT:
            values = {"plot": plot.properties.get("name") or number, "stated": f"{area_ha:g}"}
            found.issues.append(build_issue("plot-area-differs", name, **values, read=f"{area:.4f}"))


def _read_header_crs(name: str, header: Mapping[str, str], easts: Sequence[float]) -> str | None:
    """Return the coordinate system of the header; the easting may begin with the number of the zone."""
    words = read_vocabulary()["exchange"]

    def get(kind: str) -> str:
        return next((header[key] for key in map(normalise_word, words[kind]) if header.get(key)), "")

    datum = find_datum(get("crs"))
    zone = _to_int(get("zone"))
    prefixes = {int(east // 1_000_000) for east in easts if east >= _ZONE_EAST}
    if zone is not None and prefixes - {zone}:
        values = {"stated": zone, "read": ", ".join(map(str, sorted(prefixes)))}
        raise RefusedError(build_issue("zone-contradicts", name, **values))
    if datum is None:
        return None
    if easts and max(map(abs, easts)) <= _MAX_LON:
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


# -- tables of corner points


def split_rows(text: str) -> list[Cells]:
    """Return the cells of a text with one point a line, divided by whatever it uses."""
    plain = unicodedata.normalize("NFKC", text)
    lines = plain.splitlines()
    for mark in ("\t", ",", ";", "|"):
        if sum(mark in line for line in lines) > len(lines) / 2:
            return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    return [line.split() for line in lines]


def read_point_table(name: str, rows: Sequence[Cells], columns: str | None = None) -> CoordinateText | None:
    """Read a table of corner points; None where it is none.

    `columns` names the columns of the east and the north coordinate, divided by a comma; otherwise they are
    found by their titles, or by their numbers.
    """
    rows = [[unicodedata.normalize("NFKC", str(cell or "")).strip() for cell in row] for row in rows]
    start, roles = _find_titles(rows)
    if columns is not None:
        start, given = _find_given(name, rows, start, columns)
        roles |= given
    if "wkt" in roles:
        return _read_wkt_rows(name, rows[start - 1], rows[start:], roles["wkt"])
    pair = _choose_pair(rows[start:], roles)
    if pair is None:
        if start or columns:
            titles = ", ".join(rows[start - 1]) if start else "-"
            raise RefusedError(build_issue("columns-unknown", name, columns=titles[:200]))
        return None
    return _collect_points(name, rows, start, roles, pair)


def _find_titles(rows: Sequence[Cells]) -> tuple[int, dict[str, int]]:
    """Return the first row of data, and the columns by what their titles mean."""
    known = {
        normalise_word(word): role for role, words in read_vocabulary()["columns"].items() for word in words
    }
    for number, row in enumerate(rows[:HEADER_ROWS]):
        roles: dict[str, int] = {}
        for column, cell in enumerate(row):
            role = known.get(normalise_word(cell)) or known.get(normalise_word(re.sub(r"[((].*", "", cell)))
            if role is not None:
                roles.setdefault(role, column)
        if {"lon", "lat"} <= roles.keys() or {"x", "y"} <= roles.keys() or "wkt" in roles:
            return number + 1, roles
        if {"east", "north"} <= roles.keys():
            return number + 1, roles
    return 0, {}


def _find_given(name: str, rows: Sequence[Cells], start: int, columns: str) -> tuple[int, dict[str, int]]:
    """Return the first row of data, and the columns that the user names by their titles or numbers."""
    wanted = [part.strip() for part in unicodedata.normalize("NFKC", columns).split(",")]
    width = max(map(len, rows), default=0)
    titles = next((row for row in rows[:HEADER_ROWS] if set(wanted) <= set(row)), None)
    found = [
        titles.index(part)
        if titles and part in titles
        else int(part) - 1
        if part.isdigit() and int(part) <= width
        else None
        for part in wanted
    ]
    if len(found) != 2 or None in found:  # noqa: PLR2004 - east, north
        told = ", ".join(titles or (rows[start - 1] if start else rows[0] if rows else ()))
        raise RefusedError(build_issue("columns-not-found", name, given=columns[:60], columns=told[:200]))
    roles = {"east": int(found[0] or 0), "north": int(found[1] or 0)}
    if titles:
        return list(rows).index(titles) + 1, roles
    while start < min(len(rows), HEADER_ROWS) and parse_coordinate(_get(rows[start], roles["east"])) is None:
        start += 1  # a title that is no number
    return start, roles


def _choose_pair(rows: Sequence[Cells], roles: Mapping[str, int]) -> tuple[int, int] | None:
    """Return the columns of the east and north coordinate, or None."""
    for east, north in (("east", "north"), ("lon", "lat")):
        if {east, north} <= roles.keys():
            return roles[east], roles[north]
    if {"x", "y"} <= roles.keys():
        return order_by_size(rows, roles["x"], roles["y"], north_first=True)
    width = max(map(len, rows), default=0)
    columns = [column for column in range(width) if _holds_coordinates(rows, column)]
    return order_by_size(rows, *columns) if len(columns) == 2 else None  # noqa: PLR2004 - east, north


def _holds_coordinates(rows: Sequence[Cells], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and row[column]]
    values = [parse_coordinate(cell) for cell in cells]
    good = [value for value in values if value is not None and abs(value) > 10]  # noqa: PLR2004 - no small numbers
    fine = sum("." in cell or not cell.isdigit() for cell in cells)
    return len(good) >= _MIN_POINTS and len(good) >= _SHARE * len(rows) and fine >= len(cells) / 2


def order_by_size(
    rows: Sequence[Cells], first: int, second: int, *, north_first: bool = False
) -> tuple[int, int]:
    """Return two columns as (east, north), by the size that either has in China; X is north otherwise."""
    sizes = []
    for column in (first, second):
        values = [parse_coordinate(row[column]) for row in rows if column < len(row)]
        good = sorted(abs(value) for value in values if value is not None)
        sizes.append(good[len(good) // 2] if good else 0.0)
    readings = ((sizes[0], sizes[1], (second, first)), (sizes[1], sizes[0], (first, second)))
    for north, east, order in readings:
        degrees = north < 60 < east <= _MAX_LON  # noqa: PLR2004 - degrees, as those of China lie
        metres = _MIN_NORTH <= north < _ZONE_EAST and (east < _MIN_NORTH or east >= _ZONE_EAST)
        if degrees or metres:
            return order
    return (second, first) if north_first and max(sizes) > _MAX_LON else (first, second)


def _collect_points(
    name: str, rows: Sequence[Cells], start: int, roles: Mapping[str, int], pair: tuple[int, int]
) -> CoordinateText:
    said = " ".join(cell for row in rows[:start] for cell in row)
    found = CoordinateText(crs=find_crs(said))
    cells = [(row[pair[0]], row[pair[1]]) if len(row) > max(pair) else ("", "") for row in rows[start:]]
    packed = is_packed(cells, said)
    plots: dict[str, Plot] = {}
    broken = 0
    for number, (row, (east, north)) in enumerate(zip(rows[start:], cells, strict=True), start=start + 1):
        if not (east or north):
            broken += 1  # a blank line begins another ring
            continue
        point = parse_coordinate(east, packed=packed), parse_coordinate(north, packed=packed)
        if point[0] is None or point[1] is None:
            line = f"{number}: {', '.join(row)}"
            raise RefusedError(build_issue("line-unreadable", name, line=line[:80]))
        key = _get(row, roles.get("plot"))
        plot = plots.setdefault(key, Plot({"name": key} if "plot" in roles else {}))
        _append(plot, f"{_get(row, roles.get('ring'))}\0{broken}", (point[0], point[1]))
    if packed:
        found.issues.append(build_issue("angles-packed", name))
    for plot in plots.values():
        plot.properties.pop("\0ring", None)
    found.plots = list(plots.values())
    return found


def _get(row: Cells, column: int | None) -> str:
    return row[column] if column is not None and column < len(row) else ""


def is_packed(cells: Sequence[tuple[str, str]], said: str) -> bool:
    """Tell whether numbers are degrees, minutes and seconds, dd.mmss: no minute or second exceeds 59."""
    values = [cell for pair in cells for cell in pair if cell]
    if any(word in said.casefold() for word in read_vocabulary()["packed_angles"]):
        return bool(values) and all(re.fullmatch(r"\d{1,3}\.\d+", value) for value in values)
    if len(values) < 2 * _MIN_PACKED:
        return False
    for value in values:
        read = re.fullmatch(r"\d{1,3}\.(\d\d)(\d\d)\d*", value)
        if read is None or int(read[1]) >= _SIXTY or int(read[2]) >= _SIXTY:
            return False
    return True


def parse_coordinate(cell: str, *, packed: bool = False) -> float | None:
    r"""Return a coordinate: a number, or an angle in degrees, minutes and seconds; None for neither.

    >>> parse_coordinate("122°03'36\"E"), parse_coordinate("4,154,023.18")
    (122.06, 4154023.18)
    >>> parse_coordinate("122.0336", packed=True)
    122.06
    """
    text = unicodedata.normalize("NFKC", cell).strip().casefold()
    for mark, words in read_vocabulary()["angle_marks"].items():
        for word in words:
            text = text.replace(word, mark)
    plain = re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))", "", text).removesuffix("m").rstrip("°").strip()
    if _NUMBER.fullmatch(plain):
        value = float(plain)
        return _unpack_angle(plain) if packed else value
    read = _ANGLE.fullmatch(text)
    if read is None or int(read["m"]) >= _SIXTY or float(read["s"] or 0) >= _SIXTY:
        return None
    value = int(read["d"]) + int(read["m"]) / 60 + float(read["s"] or 0) / 3600
    return -value if read["sign"] == "-" or text[-1] in "sw" else value


def _unpack_angle(plain: str) -> float:
    whole, _, rest = plain.partition(".")
    rest = rest.ljust(4, "0")
    return float(whole) + int(rest[:2]) / 60 + float(f"{rest[2:4]}.{rest[4:] or 0}") / 3600


# -- WKT


def is_wkt(text: str) -> bool:
    """Tell whether a text begins with well-known text, with or without an SRID, or with WKB in hex."""
    head = text.lstrip("\ufeff \t\r\n\"'")
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
        geometry, frame = _parse_wkt(name, part)
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


def _parse_wkt(name: str, text: str) -> tuple[BaseGeometry, str | None]:
    plain = text.strip().rstrip(";,\"' \r\n\t")
    read = _WKT.match(plain)
    try:
        if read is None:
            shape = shapely.from_wkb(plain)
            srid = int(shapely.get_srid(shape))
        else:
            shape = shapely.from_wkt(plain[read.start("wkt") :])
            srid = int(read["srid"] or 0)
    except (GEOSException, ValueError, TypeError) as error:
        raise RefusedError(build_issue("not-readable", name, reason=str(error)[:200])) from error
    return shapely.force_2d(shape), f"EPSG:{srid}" if srid else None


def _read_wkt_rows(name: str, titles: Cells, rows: Sequence[Cells], column: int) -> CoordinateText:
    found = CoordinateText()
    frames = set()
    for row in rows:
        if any(row):
            geometry, frame = _parse_wkt(name, _get(row, column))
            frames.add(frame)
            others = {
                title: cell for title, cell in zip(titles, row, strict=False) if title != titles[column]
            }
            found.plots.append(Plot(others, geometry=geometry))
    found.crs = frames.pop() if len(frames) == 1 else None
    return found


# -- district services


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
            found.plots.append(Plot(plain, geometry=_parse_wkt(name, line)[0]))
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
    return float(plain) if _NUMBER.fullmatch(plain) and len(plain) < 40 else None  # noqa: PLR2004
