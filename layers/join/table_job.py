"""Join one file to a release: say what applies to every row, and write that as CSV, XLSX or GeoPackage.

Every column of the file stays, in its order; those that are added follow. Columns that bear the names of
ours, from an earlier join, are replaced. No cell is a formula in any of the formats.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata import crs
from geodata.boundaries import SEPARATOR, GeojsonError
from geodata.boundary_import.issues import RefusedError, build_issue
from geodata.kinds import AREA_LAYERS, PLACE_LAYERS
from geodata.located_tables import LocatedTable, TableOptions, Value, read_located_table
from geodata.messages import fill
from layers.answers import IndustryAnswer
from layers.export.job import BOM, harmless
from layers.join.join_request import (
    LANGUAGES,
    LAYER,
    SUMMARY,
    JoinRefusedError,
    JoinRequest,
    JoinSummary,
    PlaceCount,
    pack_answer,
)
from layers.join.placing import Floats, JudgedFrame, Likeliest, Placed, PointPlacer, judge_frame, open_placer
from layers.lookup import SHARING
from layers.search import Search
from layers.search.finder import ToldAnswer
from layers.store import Release

PREFIX: Final = "plan_"
SINGULAR: Final = {
    "counties": "county",
    "zones": "zone",
    "towns": "town",
}  # of the layers that share the land
OTHERS: Final = tuple(layer for layer in PLACE_LAYERS if layer not in SHARING)
MAY: Final = "may"  # how a row lies in a place whose extent nobody knows
PERCENT: Final = "percent"  # how likely it is in one with an extent
HOWS: Final = (PERCENT, "core", "centre", "support", "part", "city", MAY)
MAX_PRODUCTS: Final = 3_000  # different ones; some take 10 ms to look for
# What the plan says of an industry here, the strongest first; see layers.answers.
KINDS: Final = ("zone", "task", "positioning", "area", "city", "elsewhere")
SHOWN_ROWS: Final = 20
TERMS: Final = (
    "named",
    "area",
    "positioning",
    "city",
    "printed",
    "synonym",
)  # what is said of things, not places


def list_added_columns(*, product: bool) -> list[str]:
    """Return the names of the columns that are added, in order."""
    found = ["lon", "lat", "where"]
    for layer in SHARING:
        one = SINGULAR[layer]
        found += [f"{one}_id", one, f"{one}_percent", f"{one}_second", f"{one}_second_percent"]
    for layer in OTHERS:
        one = layer.replace("-", "_")
        found += [f"{one}_ids", one, f"{one}_how"]
    found += ["industries", "terms", "clauses", "area_industries", "area_terms", "area_clauses"]
    if product:
        found += [f"product_{one}" for one in ("says", "word", "industry", "here", "clauses")]
    return [PREFIX + name for name in found]


def describe_added_columns(strings: Mapping[str, str], *, product: bool) -> list[tuple[str, str, str]]:
    """Return name, meaning and possible words of every column that is added, from the texts of a language."""
    names = dict.fromkeys(list_added_columns(product=product), "")
    singular = {one: layer for layer, one in SINGULAR.items()}
    plural = {layer.replace("-", "_"): layer for layer in OTHERS}
    told = {
        "where": ("join.where", ("city", "edge", "neighbour", "sea", "beyond", "no-position")),
        "product_says": ("join.says", TERMS),
        "product_here": ("join.here", KINDS),
        **{f"{one}_how": ("join.applies", HOWS) for one in plural},
    }
    found = []
    for name in names:
        key, layer = name.removeprefix(PREFIX), ""
        of = next((one for one in (*singular, *plural) if key == one or key.startswith(f"{one}_")), "")
        if of:
            layer = strings[f"layer.{singular.get(of) or plural[of]}"]
            part = key.removeprefix(of).removeprefix("_") or ("name" if of in singular else "names")
        meaning = strings[f"join.column.{part if of else key}"].replace("{layer}", layer)
        kind, words = told.get(key, ("", ()))
        said = [f"{'%' if one == PERCENT else one}: {strings[f'{kind}.{one}']}" for one in words]
        found.append((name, meaning, "; ".join(said)))
    return found


@dataclass(frozen=True)
class _Said:
    """What applies to all rows that lie in the same places."""

    cells: dict[str, Value]
    places: tuple[str, ...]  # whose answers count for a product


class JoinAnswers:
    """Answers for placed tables, in one language."""

    def __init__(self, release: Release, placer: PointPlacer, language: str) -> None:
        self._release = release
        self._placer = placer
        self._language = language
        self._heads = [row.head for row in placer.places]
        self._numbers = {head["id"]: number for number, head in enumerate(self._heads)}
        self._none = release.read_json(f"pages/{language}/strings.json")["placing.in_none"]

    @cached_property
    def _search(self) -> Search:
        return Search(self._release.read_json("index/search.json"))

    def answer(
        self, table: LocatedTable, placed: Placed, position: tuple[Floats, Floats], product: str | None
    ) -> dict[str, list[Value]]:
        """Return the columns that are added; `position` is lon and lat, `product` the column with the words.

        Raises :class:`~geodata.boundary_import.issues.RefusedError` where there is no such column, or more
        different words than :data:`MAX_PRODUCTS`.
        """
        lon, lat = ([None if np.isnan(one) else round(float(one), 7) for one in axis] for axis in position)
        found: dict[str, list[Value]] = {"lon": [*lon], "lat": [*lat], "where": [*placed.where]}
        for layer in SHARING:
            found |= self._name_likeliest(SINGULAR[layer], placed.likeliest[layer], placed.where)
        groups, group_of = self._group(placed)
        for name in groups[0].cells if groups else ():
            found[name] = [groups[at].cells[name] for at in group_of]
        self._add_percents(found, placed)
        if product is not None:
            places = [groups[at].places for at in group_of]
            found |= self._add_products(table, product, places)
        order = list_added_columns(product=product is not None)
        return {name: found[name.removeprefix(PREFIX)] for name in order}

    def _name_likeliest(self, one: str, ranked: Likeliest, where: Sequence[str]) -> dict[str, list[Value]]:
        """Return the columns of one layer; nothing for rows that have no position."""
        ids: list[Value] = [*(head["id"] for head in self._heads), None]  # -1: none of them
        names: list[Value] = [*(head["name"][self._language] for head in self._heads), None]
        seconds: list[Value] = [*names[:-1], self._none]
        there = [word != "no-position" for word in where]
        rows = zip(ranked.first.tolist(), ranked.second.tolist(), ranked.second_percent.tolist(), strict=True)
        named = [(first, second if percent else None, percent) for first, second, percent in rows]
        return {
            f"{one}_id": [ids[first] if ok else None for (first, _, _), ok in zip(named, there, strict=True)],
            one: [names[first] if ok else None for (first, _, _), ok in zip(named, there, strict=True)],
            f"{one}_percent": [
                percent if ok else None
                for percent, ok in zip(ranked.first_percent.tolist(), there, strict=True)
            ],
            f"{one}_second": [
                seconds[second] if ok and second is not None else None
                for (_, second, _), ok in zip(named, there, strict=True)
            ],
            f"{one}_second_percent": [
                percent or None if ok else None for (_, _, percent), ok in zip(named, there, strict=True)
            ],
        }

    def _group(self, placed: Placed) -> tuple[list[_Said], list[int]]:
        """Return what applies to each set of places that rows lie in, and which set each row has."""
        others = [number for number, head in enumerate(self._heads) if head["layer"] in OTHERS]
        met = (placed.inside[:, others] | placed.may[:, others]).astype(np.int16)
        firsts = [placed.likeliest[layer].first for layer in SHARING[:2]]
        keys = np.column_stack([*firsts, met]).astype(np.int16)
        distinct, group_of = np.unique(keys, axis=0, return_inverse=True)
        groups = [
            self._say(
                [int(one) for one in key[:2] if one >= 0],
                [n for n, met in zip(others, key[2:], strict=True) if met],
            )
            for key in distinct
        ]
        return groups, group_of.reshape(-1).tolist()

    def _say(self, own: list[int], others: list[int]) -> _Said:
        """Return what applies in a county and zone, `own`, and the `others` that a row lies in or may."""
        cells: dict[str, Value] = {}
        for layer in OTHERS:
            rows = [number for number in others if self._heads[number]["layer"] == layer]
            one = layer.replace("-", "_")
            cells[f"{one}_ids"] = _join_texts(self._heads[number]["id"] for number in rows)
            cells[one] = _join_texts(self._heads[number]["name"][self._language] for number in rows)
            cells[f"{one}_how"] = _join_texts(self._tell_how(number, own) for number in rows)
        areas = [number for number in others if self._heads[number]["layer"] in AREA_LAYERS]
        sure = [number for number in areas if not self._heads[number]["spots"]]
        for start, numbers in (("", own), ("area_", sure)):
            listed = [row for number in numbers for row in self._heads[number]["industries"]]
            cells[f"{start}industries"] = _join_texts(row["industry_id"] for row in listed)
            cells[f"{start}terms"] = _join_texts(row["term"][self._language] for row in listed)
            cells[f"{start}clauses"] = _join_texts(row["clause"] for row in listed)
        return _Said(cells, tuple(self._heads[number]["id"] for number in own))

    def _tell_how(self, number: int, own: list[int]) -> str:
        """Return how a row lies in a place: it may, by a role of its county or zone, or for the whole city.

        Empty for a place with an extent: how likely the row is in it differs from row to row.
        """
        head = self._heads[number]
        if head["spots"]:
            return MAY
        if not self._placer.is_unbounded(number):
            return "" if head["extent"] != "whole-city" else "city"
        here = {self._heads[one]["id"] for one in own}
        roles = [anchor["role"] for anchor in head["anchors"] if anchor["id"] in here]
        return str(roles[0]) if roles else MAY

    def _add_percents(self, found: dict[str, list[Value]], placed: Placed) -> None:
        """Put how likely a row is in a place with an extent where :meth:`_tell_how` leaves it open."""
        for layer in OTHERS:
            one = layer.replace("-", "_")
            how, ids = found[f"{one}_how"], found[f"{one}_ids"]
            for row, (said, named) in enumerate(zip(how, ids, strict=True)):
                if named is not None and "" in str(said or "").split(SEPARATOR):
                    parts = zip(str(said or "").split(SEPARATOR), str(named).split(SEPARATOR), strict=True)
                    how[row] = SEPARATOR.join(
                        part or f"{placed.chances[row, self._numbers[place]]:.1f}%" for part, place in parts
                    )

    # -- products

    def _add_products(
        self, table: LocatedTable, product: str, places: Sequence[tuple[str, ...]]
    ) -> dict[str, list[Value]]:
        titles = {title.casefold(): title for title in table.columns}
        title = titles.get(product.strip().casefold())
        if title is None:
            values = {"given": product[:60], "columns": ", ".join(table.columns)[:300]}
            raise RefusedError(build_issue("column-missing", table.name, **values))
        words = [str(one).strip() if one is not None else "" for one in table.columns[title]]
        distinct = {*words} - {""}
        if len(distinct) > MAX_PRODUCTS:
            limits = {"count": len(distinct), "limit": MAX_PRODUCTS}
            raise RefusedError(build_issue("products-many", table.name, **limits))
        told = {word: self._search.answer(word, self._language)["answer"] for word in distinct}
        kept: dict[tuple[str, tuple[str, ...]], dict[str, Value]] = {}
        for key in {*zip(words, places, strict=True)}:
            kept[key] = self._fit(told.get(key[0]), key[1])
        rows = [kept[key] for key in zip(words, places, strict=True)]
        names = ("says", "word", "industry", "here", "clauses")
        return {f"product_{name}": [row.get(name) for row in rows] for name in names}

    def _fit(self, told: ToldAnswer | None, places: tuple[str, ...]) -> dict[str, Value]:
        """Return what the plan says of a product, and of its industry in a row's county and zone."""
        if told is None or told["kind"] not in TERMS:
            return {}
        industry = told["industry"]["id"] if told["industry"] else None
        answers = [self._answers_of(place).get(industry) for place in places] if industry else []
        found = [answer for answer in answers if answer]
        here = min((answer["kind"] for answer in found), key=KINDS.index, default=KINDS[-1])
        clauses = [said["clause"] for answer in found for said in answer["said"] if said["kind"] == here]
        return {
            "says": told["kind"],
            "word": told["printed"],
            "industry": industry,
            "here": here if industry and places else None,
            "clauses": _join_texts(clauses or told["clauses"]),
        }

    def _answers_of(self, place: str) -> dict[str, IndustryAnswer]:
        if place not in self._known:
            self._known[place] = self._release.read_json(f"documents/{place}.json")["answers"]
        return self._known[place]

    @cached_property
    def _known(self) -> dict[str, dict[str, IndustryAnswer]]:
        return {}

    # -- the whole table

    def summarise(
        self, table: LocatedTable, frame: JudgedFrame, placed: Placed, columns: dict[str, list[Value]]
    ) -> JoinSummary:
        """Return what is said of a whole table; `columns` are those of the answer."""
        zones = placed.likeliest["zones"]
        there = np.array([word != "no-position" for word in placed.where])
        firsts = {layer: placed.likeliest[layer].first[there].tolist() for layer in SHARING[:2]}
        here = columns.get(f"{PREFIX}product_here", [])
        return JoinSummary(
            file=table.name,
            count=len(table.x),
            placed=int(there.sum()),
            where=dict(Counter(placed.where)),
            counties=list(self._count(firsts["counties"])),
            zones=list(self._count(firsts["zones"])),
            doubtful=int((zones.first_percent[there] < 90).sum()),  # noqa: PLR2004 - nine of ten
            found_in=list(table.found_in),
            frame=frame.code,
            frame_how=frame.how,
            frame_certainty=frame.certainty,
            frame_others=list(frame.others),
            products=dict(Counter(str(one) for one in here if one is not None)),
            titles=list(table.columns),
            labels=_label(table),
            columns=list(columns),
            rows=[[column[at] for column in columns.values()] for at in range(min(len(table.x), SHOWN_ROWS))],
        )

    def _count(self, numbers: Iterable[int]) -> Iterator[PlaceCount]:
        """Yield how many rows lie in each place, most first; -1 for none of them last."""
        counted = Counter(numbers)
        for number, count in sorted(counted.items(), key=lambda pair: (pair[0] < 0, -pair[1])):
            head = self._heads[number] if number >= 0 else None
            if head:
                yield {"id": head["id"], "name": head["name"], "url": head["url"], "count": count}
            else:
                yield {"id": None, "name": None, "url": None, "count": count}


def _label(table: LocatedTable) -> list[str]:
    """Return what the first rows are called: the first column that is no position and says something."""
    named = (column[:SHOWN_ROWS] for title, column in table.columns.items() if title not in table.found_in)
    column = next((one for one in named if any(isinstance(value, str) for value in one)), None)
    numbers = range(1, min(len(table.x), SHOWN_ROWS) + 1)
    return [str(column[at - 1] or at)[:60] if column else str(at) for at in numbers]


def _join_texts(texts: Iterable[str]) -> str | None:
    """Return texts as one cell, each once; empty ones stay, as they stand for a place of their own."""
    found = list(texts)
    return SEPARATOR.join(found if "" in found else dict.fromkeys(found)) or None


Columns = dict[str, list[Value]]
Told = Sequence[tuple[str, ...]]  # what the added columns mean, under a head
MAX_CELL: Final = 32_767  # characters of a cell of a workbook
_FIGURE: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")  # what is a number and no code or phone
_TAKEN: Final = {"fid", "geom", "ogc_fid"}  # names of columns that GeoPackage has of its own
# The field of the form that may mend what is wrong.
_FIELDS: Final = {
    "position-columns-unknown": "lon",
    "position-columns-not-found": "lon",
    "positions-swapped": "lon",
    "several-layers": "table",
    "unknown-table": "table",
    "zip-ambiguous": "table",
    "bad-encoding": "encoding",
    "unknown-crs": "crs",
    "unknown-numbers": "crs",
    "column-missing": "product",
    "products-many": "product",
}


def join_file(asked: JoinRequest) -> tuple[JoinSummary, bytes]:
    """Return what is said of the whole table, and the file; none of it for a summary alone.

    Raises :class:`~layers.join.join_request.JoinRefusedError` for a table that cannot be joined.
    """
    release = asked.release
    try:
        return _join(asked, release)
    except RefusedError as error:
        issue = error.issue
        texts = {"zh": issue.message_zh, "en": issue.message_en, "ko": issue.message_ko}
        raise JoinRefusedError(issue.code, _FIELDS.get(issue.code, "file"), texts, issue.fix) from error
    except GeojsonError as error:
        values = {"parameter": asked.name, **error.values}
        strings = {one: release.read_json(f"pages/{one}/strings.json") for one in LANGUAGES}
        texts = {one: fill(strings[one][f"error.{error.kind}"], values) for one in LANGUAGES}
        raise JoinRefusedError(f"geojson-{error.kind}", "file", texts) from error


def make_answer(line: bytes) -> bytes:
    """Return the answer to a line of :class:`~layers.join.join_request.JoinRequest`, in a child."""
    asked = JoinRequest.from_line(line)
    tempfile.tempdir = asked.work  # whatever libraries write goes with the folder, also when this is killed
    return answer_join(asked)


def answer_join(asked: JoinRequest) -> bytes:
    """Return the answer, or the refusal, as one text."""
    try:
        summary, content = join_file(asked)
    except JoinRefusedError as refusal:
        return pack_answer({"refused": asdict(refusal)}, b"")
    return pack_answer(asdict(summary), content)


def _join(asked: JoinRequest, release: Release) -> tuple[JoinSummary, bytes]:
    named = {"east": asked.lon, "north": asked.lat} if asked.lon and asked.lat else {}
    options = TableOptions(asked.table, asked.encoding, named)
    table = read_located_table(Path(asked.path), asked.name, options, Path(asked.work))
    placer = open_placer(release)
    frame, issues = judge_frame(table.name, table.x, table.y, table.crs, asked.crs, placer)
    lon, lat = _to_lonlat(table, frame.code)
    placed = placer.place(lon, lat)
    answers = JoinAnswers(release, placer, asked.language)
    added = answers.answer(table, placed, (lon, lat), asked.product)
    summary = answers.summarise(table, frame, placed, added)
    summary.notes = [
        {"zh": one.message_zh, "en": one.message_en, "ko": one.message_ko} for one in (*table.issues, *issues)
    ]
    if asked.format == SUMMARY:
        return summary, b""
    ours = {name.casefold() for name in list_added_columns(product=True)}
    columns = {name: column for name, column in table.columns.items() if name.casefold() not in ours} | added
    strings = release.read_json(f"pages/{asked.language}/strings.json")
    head = tuple(strings[f"join.column.{one}"] for one in ("head", "meaning", "values"))
    told = [head, *describe_added_columns(strings, product=asked.product is not None)]
    return summary, _WRITERS[asked.format](columns, told, Path(asked.work))


def _to_lonlat(table: LocatedTable, frame: str) -> tuple[Floats, Floats]:
    """Return WGS 84 positions; NaN for one that lies nowhere on the globe."""
    if frame in crs.FRAMES:
        with np.errstate(all="ignore"):
            lon, lat = crs.transform(table.x, table.y, frame, crs.LONLAT)
    else:
        there = np.isfinite(table.x) & np.isfinite(table.y)
        lon, lat = (np.full(len(table.x), np.nan) for _ in range(2))
        if there.any():
            points = shapely.MultiPoint(np.column_stack([table.x[there], table.y[there]]))
            lon[there], lat[there] = shapely.get_coordinates(crs.to_lonlat(points, frame)).T
    west, south, east, north = crs.GLOBE
    lost = ~((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    return np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)


# -- files


def write_joined_csv(columns: Columns, _: Told, __: Path) -> bytes:
    """Return CSV with a byte order mark."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in columns])
    guarded = [_guard(column) for column in columns.values()]
    writer.writerows(zip(*guarded, strict=True))
    return (BOM + out.getvalue()).encode()


def _guard(column: list[Value]) -> list[Value]:
    """Return a column none of whose texts a spreadsheet takes for a formula."""
    guards = {text: harmless(text) for text in {one for one in column if type(one) is str}}
    return [guards[one] if type(one) is str else one for one in column]


def write_joined_workbook(columns: Columns, told: Told, folder: Path) -> bytes:
    """Return XLSX: numbers as numbers, everything else as text for good; what is added on a second sheet."""
    import xlsxwriter

    path = folder / "joined.xlsx"
    options = {"constant_memory": True, "tmpdir": str(folder), "strings_to_formulas": False}
    book = xlsxwriter.Workbook(path, options | {"strings_to_urls": False, "strings_to_numbers": False})
    sheet = book.add_worksheet(LAYER)
    bold = book.add_format({"bold": True})
    for at, name in enumerate(columns):
        sheet.write_string(0, at, name[:MAX_CELL], bold)
    typed = [_to_figures(column) for column in columns.values()]
    write_string, write_number = sheet.write_string, sheet.write_number
    for number, row in enumerate(zip(*typed, strict=True), 1):
        for at, value in enumerate(row):
            if type(value) is str:
                write_string(number, at, value[:MAX_CELL])
            elif isinstance(value, int | float):
                write_number(number, at, value)
    sheet.freeze_panes(1, 0)
    meanings = book.add_worksheet("columns")
    for number, line in enumerate(told):
        for at, text in enumerate(line):
            meanings.write_string(number, at, text, None if number else bold)
    meanings.set_column(0, 0, 26)
    meanings.set_column(1, 2, 60)
    book.close()
    return path.read_bytes()


def write_joined_geopackage(columns: Columns, _: Told, folder: Path) -> bytes:
    """Return a GeoPackage with a layer of points, WGS 84; rows without a position have no geometry."""
    import pyogrio.raw

    lon, lat = (
        np.array([np.nan if one is None else one for one in columns[f"{PREFIX}{axis}"]], dtype=float)
        for axis in ("lon", "lat")
    )
    points = shapely.to_wkb(
        np.where(np.isfinite(lon), shapely.points(np.nan_to_num(lon), np.nan_to_num(lat)), None)
    )
    arrays, masks = zip(*map(_to_array, columns.values()), strict=True)
    path = folder / "joined.gpkg"
    pyogrio.raw.write(
        path,
        points,
        list(arrays),
        [f"{name}_" if name.casefold() in _TAKEN else name for name in columns],
        field_mask=list(masks),
        geometry_type="Point",
        crs="EPSG:4326",
        driver="GPKG",
        layer=LAYER,
    )
    return path.read_bytes()


_WRITERS: Final[dict[str, Callable[[Columns, Told, Path], bytes]]] = {
    "csv": write_joined_csv,
    "xlsx": write_joined_workbook,
    "gpkg": write_joined_geopackage,
}


def _to_figures(column: list[Value]) -> list[Value]:
    """Return a column of texts as numbers where every one is a number and nothing else."""
    texts = [one for one in column if one is not None]
    if not all(type(one) is str and _FIGURE.fullmatch(one) for one in texts):
        return column
    return [None if one is None else float(one) if "." in str(one) else int(one) for one in column]


def _to_array(column: list[Value]) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return a column as GDAL takes it, and which of its values are unknown."""
    typed = _to_figures(column)
    unknown = np.array([one is None for one in typed], dtype=bool)
    kinds = {type(one) for one in typed if one is not None}
    if kinds == {int} and all(abs(int(one or 0)) < 2**63 for one in typed):
        return np.array([one or 0 for one in typed], dtype="int64"), unknown
    if kinds and kinds <= {int, float}:
        return np.array([one or 0.0 for one in typed], dtype="float64"), unknown
    return np.array(["" if one is None else str(one) for one in typed], dtype=object), unknown
