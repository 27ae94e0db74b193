"""Read tables of corner points, as offices keep them in CSV, text and workbooks.

Coordinates are returned as (east, north), whatever order the columns have. Tables are made to be
printed: points side by side, a head on every page, merged cells, notes below, sides between the corners.
"""

from __future__ import annotations

import csv
import html
import itertools
import math
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from geodata.boundary_import.coordinate_lists import (
    MAX_LON,
    MIN_POINTS,
    NUMBER,
    ZONE_EAST,
    CoordinateText,
    Plot,
    append_corner,
    find_crs,
    normalise_word,
    parse_wkt,
    read_vocabulary,
)
from geodata.boundary_import.formats import MAX_BYTES, ZIP_ERRORS
from geodata.boundary_import.issues import Issue, RefusedError, build_issue

Cells = Sequence[str]
MARKS: Final = ("\t", ";", "|", ",")  # that divide the cells of a text
csv.field_size_limit(MAX_BYTES)  # a cell may hold a whole outline
_LINES_WEIGHED: Final = 1_000  # that tell by which mark the others are divided, too
HEADER_ROWS: Final = 30  # among which the titles of a table's columns are looked for
_MIN_NORTH: Final = 1_500_000.0  # of land in China; an easting without the number of its zone is less
_MIN_EAST: Final = 100_000.0  # of such an easting
_MIN_PACKED: Final = 8  # angles that all look like dd.mmss before they are taken for that
_SIXTY: Final = 60
_LONGEST_MARK: Final = 8  # letters of a column's title that ends in a mark of an angle
_SHARE: Final = 0.6  # of a column's cells that are coordinates
_ANGLE: Final = re.compile(
    r"""[nsew]?\s*(?P<sign>[-+]?)(?P<d>\d{1,3})\s*[\u00b0\s:-]\s*(?P<m>\d{1,2}(?:\.\d+)?)\s*['\s:-]\s*
    (?P<s>\d{1,2}(?:\.\d+)?)?\s*"?\s*[nsew]?""",
    re.VERBOSE,
)
_COORDINATES: Final = frozenset({"lon", "lat", "x", "y", "east", "north"})
_LONGEST_TITLES: Final = 200  # letters of the titles in a message
_LABEL: Final = re.compile(r"[xyenbl]\s*[=:]\s*")
_PAIR: Final = re.compile(r"(-?(?<!\d)\d+\.\d+)\s*,\s*(-?\d+\.\d+)")  # never tried from within a number
_DECIMAL_COMMA: Final = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+")
_THOUSANDS: Final = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+")
_BOOK: Final = "xl/workbook.xml"
_ATTRIBUTE: Final = re.compile(r'\b(name|id|Id|Target)="([^"]*)"')
_UNRECKONED: Final = re.compile(
    r'<c\b[^>]*?\br="([A-Z]+\d+)"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*(0?)\s*</v>)?\s*</c>'
)
_RECKON_FIRST: Final = re.compile(r'\bfullCalcOnLoad="(?:1|true)"')
_CELLS_SHOWN: Final = 5
_BETWEEN_PAIRS: Final = re.compile(r"[\s\[\]();|,]*")


def split_rows(text: str) -> list[Cells]:
    """Return the cells of a text with one point a line, divided by whatever it uses.

    A text that is nothing but pairs, as web services and scripts write them, has one pair a row.
    """
    plain = unicodedata.normalize("NFKC", text)
    lines = plain.splitlines()
    pairs = _PAIR.findall(plain)
    if len(pairs) > len(lines) and _BETWEEN_PAIRS.fullmatch(_PAIR.sub(" ", plain)):
        return pairs
    for cut in (text.splitlines(), lines):  # marks of full width divide only where no others do
        marks = [mark for mark in MARKS if sum(mark in line for line in cut) > len(cut) / 2]
        if marks:
            mark = max(marks, key=lambda one: measure_likeness(cut, one))
            return [[cell.strip() for cell in row] for row in csv.reader(cut, delimiter=mark)]
    return [line.split() for line in lines]


def measure_likeness(lines: Sequence[str], mark: str) -> tuple[int, int]:
    """Return how many lines a mark divides alike, what is in quotes left whole, and into how many cells."""
    widths = Counter(len(row) for row in csv.reader(lines[:_LINES_WEIGHED], delimiter=mark) if len(row) > 1)
    return max(widths.values(), default=0), max(widths, default=0)


def read_point_table(name: str, rows: Sequence[Cells], columns: str | None = None) -> CoordinateText | None:
    """Read a table of corner points; None where it is none.

    `columns` names the columns of the east and the north coordinate, divided by a comma; otherwise they are
    found by their titles, or by their numbers.
    """
    plain = [[unicodedata.normalize("NFKC", str(cell or "")).strip() for cell in row] for row in rows]
    rows = _split_pairs(_join_angles(point_decimals(plain)))
    start, roles = _find_titles(rows)
    if columns is not None:
        start, given = _find_given(name, rows, start, columns)
        roles |= given
    elif start:
        rows = [*rows[:start], *_stack_blocks(rows[start - 1], rows[start:])]
        _check_titles(name, rows, start)
    if "wkt" in roles:
        return _read_wkt_rows(name, rows[start - 1], rows[start:], roles["wkt"])
    pair = _choose_pair(rows[start:], roles)
    if pair is None:
        if start or columns or len(_list_coordinate_columns(rows)) > 1:
            titles = ", ".join(rows[max(start - 1, 0)])[:_LONGEST_TITLES]
            raise RefusedError(build_issue("columns-unknown", name, columns=titles))
        return None
    if not start:  # below titles that are not known
        data = (at for at, row in enumerate(rows) if not _is_note([_get(row, column) for column in pair]))
        start = next(data, 0)
    return _collect_points(name, rows, start, roles, pair)


def list_unreckoned(path: Path, sheet: str) -> str:
    """Return the first cells of a sheet of an XLSX that hold a formula without its value; empty for none.

    So write programs that do not reckon, or with a 0 in a book that asks to be reckoned once it is opened.
    A text that came out empty is a value.
    """
    try:
        with zipfile.ZipFile(path) as book:
            content = _read_sheet_part(book, sheet) if _BOOK in book.namelist() else ""
            zero = bool(content and _RECKON_FIRST.search(book.read(_BOOK).decode()))
    except (*ZIP_ERRORS, KeyError, StopIteration, UnicodeDecodeError):  # GDAL says what is wrong
        return ""
    empty = [cell for cell in _UNRECKONED.finditer(content) if 't="str"' not in cell[0]]
    cells = [cell[1] for cell in empty if zero or not cell[2]]
    return ", ".join(cells[:_CELLS_SHOWN]) + (" …" if len(cells) > _CELLS_SHOWN else "")


def _read_sheet_part(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the part of an XLSX that a sheet is."""
    sheets, parts = (
        [
            dict(_ATTRIBUTE.findall(tag))
            for tag in re.findall(rf"<(?:\w+:)?{name}\b[^>]*>", book.read(file).decode())
        ]
        for name, file in (("sheet", _BOOK), ("Relationship", "xl/_rels/workbook.xml.rels"))
    )
    link = next(one["id"] for one in sheets if html.unescape(one["name"]) == sheet)
    target = next(one["Target"] for one in parts if one["Id"] == link)
    return book.read(target[1:] if target.startswith("/") else f"xl/{target}").decode()


def point_decimals(cells: list[list[str]]) -> list[list[str]]:
    """Return the cells of a table with decimal points where all its numbers have decimal commas.

    They have where a comma stands before other than three digits: 4134572,97, and not 4,134,572.
    """
    with_comma = {cell for row in cells for cell in row if "," in cell and re.search(r"\d", cell)}
    if all(map(_THOUSANDS.fullmatch, with_comma)) or not all(map(_DECIMAL_COMMA.fullmatch, with_comma)):
        return cells
    return [
        [cell.replace(".", "").replace(",", ".") if cell in with_comma else cell for cell in row]
        for row in cells
    ]


def _join_angles(rows: list[list[str]]) -> list[list[str]]:
    """Return a table with each angle in one column, where a head has its three parts in as many."""
    marks = read_vocabulary()["angle_columns"]
    for number, row in enumerate(rows[:HEADER_ROWS]):
        ends = [cell[-1:] if len(cell) < _LONGEST_MARK else "" for cell in row]
        starts = [at for at in range(len(row) - 2) if ends[at : at + 3] == marks]
        if len(starts) == 2:  # noqa: PLR2004 - a longitude and a latitude
            below = rows[number + 1 :]
            named_above = number > 0 and row[starts[0]] in marks
            head = rows[:number] if named_above else rows[: number + 1]
            joined = [_join_cells(one, starts, angle=False) for one in head]
            return joined + [_join_cells(one, starts, angle=True) for one in below]
    return rows


def _split_pairs(rows: list[list[str]]) -> list[list[str]]:
    """Return a table with a column for each coordinate, where one column holds both."""
    for column in range(max(map(len, rows), default=0)):
        read = [_PAIR.fullmatch(_get(row, column)) for row in rows]
        if sum(map(bool, read)) >= max(MIN_POINTS, _SHARE * len(rows)):
            return [
                [*row[:column], *(one.groups() if one else ("", "")), *row[column + 1 :]]
                for row, one in zip(rows, read, strict=True)
            ]
    return rows


def _join_cells(row: list[str], starts: Sequence[int], *, angle: bool) -> list[str]:
    joined = []
    for at, cell in enumerate(row):
        first = next((start for start in starts if start <= at <= start + 2), None)
        if first is None:
            joined.append(cell)
        elif first == at:
            parts = [*row[at : at + 3], "", ""][:3]
            joined.append("{}°{}'{}\"".format(*parts) if angle and any(parts) else parts[0])
    return joined


def _stack_blocks(titles: Cells, rows: Sequence[Cells]) -> list[Cells]:
    """Return the rows in which blocks that stand side by side under the same titles are one below the other.

    The titles may come again, as on every page of a print; each page is read before the next.
    """
    width = next((at for at in range(2, len(titles)) if titles[at] and titles[at] == titles[0]), len(titles))
    starts = range(0, len(titles), width)
    if len({" ".join(titles[at : at + width]).strip() for at in starts}) > 1:
        starts = range(1)
    pages: list[list[Cells]] = [[]]
    for row in rows:
        if [*row] == [*titles]:
            pages.append([])
        else:
            pages[-1].append(row)
    stacked: list[Cells] = []
    for page in pages:
        for at in starts:
            block = [row[at : at + width] if len(starts) > 1 else row for row in page]
            while block and len(starts) > 1 and not any(block[-1]):
                block.pop()
            stacked += block
    return stacked


def _find_titles(rows: Sequence[Cells]) -> tuple[int, dict[str, int]]:
    """Return the first row of data, and the columns by what their titles mean."""
    for number, row in enumerate(rows[:HEADER_ROWS]):
        roles: dict[str, int] = {}
        for column, cell in enumerate(row):
            role = _find_role(cell)
            if role is not None:
                roles.setdefault(role, column)
        if any(pair <= roles.keys() for pair in ({"lon", "lat"}, {"x", "y"}, {"east", "north"}, {"wkt"})):
            return number + 1, roles
    return 0, {}


def _find_role(title: str) -> str | None:
    """Return what the title of a column means, with or without what stands in brackets."""
    known = _list_roles()
    return known.get(normalise_word(title)) or known.get(normalise_word(re.sub(r"[((].*", "", title)))


@cache
def _list_roles() -> dict[str, str]:
    columns = read_vocabulary()["columns"].items()
    return {normalise_word(word): role for role, words in columns for word in words}


def _check_titles(name: str, rows: Sequence[Cells], start: int) -> None:
    """Refuse a table that has more than one column for the same coordinate, as of two systems."""
    width = max(map(len, rows[start:]), default=0)
    roles = [role for role in map(_find_role, rows[start - 1][:width]) if role in _COORDINATES]
    if len(set(roles)) < len(roles):
        raise RefusedError(
            build_issue("columns-unknown", name, columns=", ".join(rows[start - 1])[:_LONGEST_TITLES])
        )


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
    columns = _list_coordinate_columns(rows)
    if len(columns) > 2:  # noqa: PLR2004 - heights among them, maybe
        pairs = itertools.combinations(columns, 2)
        orders = [_order_by_place(one, other, rows) for one, other in pairs]
        fitting = [order for order in orders if order is not None]
        return fitting[0] if len(fitting) == 1 else None
    return order_by_size(rows, *columns) if len(columns) == 2 else None  # noqa: PLR2004 - east, north


def _list_coordinate_columns(rows: Sequence[Cells]) -> list[int]:
    return [column for column in range(max(map(len, rows), default=0)) if _holds_coordinates(rows, column)]


def _holds_coordinates(rows: Sequence[Cells], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and row[column]]
    values = [parse_coordinate(cell) for cell in cells]
    good = [value for value in values if value is not None and abs(value) > 10]  # noqa: PLR2004 - no small numbers
    fine = sum("." in cell or not cell.isdigit() for cell in cells)
    return len(good) >= MIN_POINTS and len(good) >= _SHARE * len(rows) and fine >= len(cells) / 2


def order_by_size(
    rows: Sequence[Cells], first: int, second: int, *, north_first: bool = False
) -> tuple[int, int]:
    """Return two columns as (east, north), by the size that either has in China; X is north otherwise."""
    found = _order_by_place(first, second, rows)
    if found is not None:
        return found
    large = max(_measure_size(rows, first), _measure_size(rows, second)) > MAX_LON
    return (second, first) if north_first and large else (first, second)


def _order_by_place(first: int, second: int, rows: Sequence[Cells]) -> tuple[int, int] | None:
    """Return two columns as (east, north) where their numbers lie in China in one order."""
    for north, east in ((first, second), (second, first)):
        y, x = _measure_size(rows, north), _measure_size(rows, east)
        degrees = y < 60 < x <= MAX_LON  # noqa: PLR2004 - degrees, as those of China lie
        metres = _MIN_NORTH <= y < ZONE_EAST and (_MIN_EAST <= x < _MIN_NORTH or x >= ZONE_EAST)
        if degrees or metres:
            return east, north
    return None


def _measure_size(rows: Sequence[Cells], column: int) -> float:
    values = [parse_coordinate(row[column]) for row in rows if column < len(row)]
    good = sorted(abs(value) for value in values if value is not None)
    return good[len(good) // 2] if good else 0.0


def _collect_points(
    name: str, rows: Sequence[Cells], start: int, roles: Mapping[str, int], pair: tuple[int, int]
) -> CoordinateText:
    """Return the plots of a table; a cell of a plot or ring that is empty is merged with the one above."""
    said = " ".join(cell for row in rows[:start] for cell in row)
    found = CoordinateText(crs=find_crs(said))
    rows = _drop_notes(name, rows, start, pair, found.issues)
    cells = [(_get(row, pair[0]), _get(row, pair[1])) for row in rows[start:]]
    packed = is_packed(cells, said)
    plots: dict[str, Plot] = {}
    broken, plot_name, ring = 0, "", ""
    for number, (row, (east, north)) in enumerate(zip(rows[start:], cells, strict=True), start=start + 1):
        plot_name = _get(row, roles.get("plot")) or plot_name
        ring = _get(row, roles.get("ring")) or ring
        if not (east or north):
            # A blank line or one with words begins another ring; one with numbers is a side between corners.
            broken += not any(row) or _has_words(row)
            continue
        point = parse_coordinate(east, packed=packed), parse_coordinate(north, packed=packed)
        if point[0] is None or point[1] is None:
            line = f"{number}: {', '.join(row)}"
            raise RefusedError(build_issue("line-unreadable", name, line=line[:80]))
        plot = plots.setdefault(plot_name, Plot({"name": plot_name} if "plot" in roles else {}))
        append_corner(plot, f"{ring}\0{broken}", (point[0], point[1]), _get(row, roles.get("point")))
    if packed:
        found.issues.append(build_issue("angles-packed", name))
    found.plots = list(plots.values())
    return found


def _drop_notes(
    name: str, rows: Sequence[Cells], start: int, pair: tuple[int, int], issues: list[Issue]
) -> Sequence[Cells]:
    """Return a table without what is written below its last point, such as who made it and when."""
    last = len(rows)
    while last > start and _is_note([_get(rows[last - 1], column) for column in pair]):
        last -= 1
    notes = [" ".join(filter(None, row)) for row in rows[last:] if _has_words(row)]
    if last == start or not notes:
        return rows
    issues.append(build_issue("notes-left-out", name, count=len(notes), line=notes[0][:60]))
    return rows[:last]


def _has_words(row: Cells) -> bool:
    return any(cell and parse_coordinate(cell) is None for cell in row)


def _is_note(cells: Cells) -> bool:
    """Tell whether words, or nothing, stand where the coordinates do."""
    return not any(cells) or any(cell and not re.search(r"\d", cell) for cell in cells)


def _get(row: Cells, column: int | None) -> str:
    return row[column] if column is not None and column < len(row) else ""


def is_packed(cells: Sequence[tuple[str, str]], said: str) -> bool:
    """Tell whether numbers are degrees, minutes and seconds, dd.mmss: no minute or second exceeds 59."""
    values = [cell for pair in cells for cell in pair if cell]
    if any(word in said.casefold() for word in read_vocabulary()["decimal_angles"]):
        return False
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
    >>> parse_coordinate("122.0336", packed=True), parse_coordinate("122°3.6′"), parse_coordinate("E122.06")
    (122.06, 122.06, 122.06)
    """
    text = unicodedata.normalize("NFKC", cell).strip().casefold()
    for mark, words in read_vocabulary()["angle_marks"].items():
        for word in words:
            text = text.replace(unicodedata.normalize("NFKC", word), mark)  # º is an o then
    text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    plain = re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))", "", text).removesuffix("m").rstrip("°").strip()
    bare, south = plain.strip("nsew ").rstrip("° "), text[:1] in {"s", "w"} or text[-1:] in {"s", "w"}
    if NUMBER.fullmatch(bare):
        value = _unpack_angle(bare) if packed else float(bare)
        return (-value if south else value) if math.isfinite(value) else None
    read = _ANGLE.fullmatch(text)
    if read is None or float(read["m"]) >= _SIXTY or float(read["s"] or 0) >= _SIXTY:
        return None
    value = int(read["d"]) + float(read["m"]) / 60 + float(read["s"] or 0) / 3600
    return -value if read["sign"] == "-" or south else value


def _unpack_angle(plain: str) -> float:
    whole, _, rest = plain.partition(".")
    rest = rest.ljust(4, "0")
    return float(whole) + int(rest[:2]) / 60 + float(f"{rest[2:4]}.{rest[4:] or 0}") / 3600


def _read_wkt_rows(name: str, titles: Cells, rows: Sequence[Cells], column: int) -> CoordinateText:
    found = CoordinateText()
    frames = set()
    for row in rows:
        if any(row):
            geometry, frame = parse_wkt(name, _get(row, column))
            frames.add(frame)
            others = {
                title: cell for title, cell in zip(titles, row, strict=False) if title != titles[column]
            }
            found.plots.append(Plot(others, geometry=geometry))
    found.crs = frames.pop() if len(frames) == 1 else None
    return found
