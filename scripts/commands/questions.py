"""``lookup``, ``search``, ``join``: what applies at a place or to rows of a table, what bears a name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from geodata import crs as frames
from geodata.crs import CoordinateError, parse_coordinates
from layers.home import write_atomically
from layers.lookup import LookupAnswer, PointAnswer, ShareAnswer, SharesAnswer
from layers.search.finder import SearchDocument, ToldAnswer, ToldTerm
from layers.store import Release
from scripts.bilingual import say, text, warn, write
from scripts.commands.common import (
    OneOf,
    asked_release,
    command,
    home_option,
    json_option,
    lang_option,
    option,
    settings,
    tell_wrong,
    write_json,
)
from webmap.content import Content, open_store
from webmap.i18n import format_clause
from webmap.params import parse_polygon
from webmap.problems import RequestError, UnavailableError
from webmap.settings import Settings

if TYPE_CHECKING:
    from layers.join.join_request import JoinRefusedError, JoinSummary

LON_LIMIT, LAT_LIMIT = 180, 90
PAIR = 2


@dataclass(frozen=True)
class AskedPlace:
    """Where is asked: a position as words, or a file with a polygon, in the frame `crs`."""

    position: tuple[str, ...]
    polygon: Path | None
    crs: str


@command("lookup")
@click.argument(
    "position",
    nargs=-1,
    help="经度 纬度，或东坐标 北坐标，或一段文字 · longitude latitude, or metres east north, or a text "
    'such as "37°18′29.5″N 122°06′58.7″E"',
)
@option(
    "--polygon",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="GeoJSON 面，代替位置 · a GeoJSON polygon instead",
)
@option("--crs", type=OneOf(frames.FRAMES), default=frames.LONLAT, help=f"坐标系 · frame ({frames.LONLAT})")
@lang_option()
@json_option
@home_option
def lookup(
    *, position: tuple[str, ...], polygon: Path | None, crs: str, lang: str, as_json: bool, home: Path | None
) -> int:
    """Print what applies; exit 2 for a question that cannot be, 1 where no store answers."""
    place = AskedPlace(position, polygon, crs)
    if bool(position) == bool(polygon):
        warn("position_or_polygon")
        return 2
    lonlat = _numbers(place)
    if lonlat is None and _is_pair(position):
        return 2
    chosen = settings(home)
    release = asked_release(chosen)
    store = open_store(release, chosen) if chosen.store else None
    try:
        answer, lines = _ask(Content(release, store), place, lonlat, lang)
    except UnavailableError as error:
        warn("store_down", reason=error.__cause__)
        return 1
    except (CoordinateError, RequestError, OSError) as error:
        _refuse(release, place, error)
        return 2
    if as_json:
        write_json(answer)
    else:
        write("\n".join(lines))
    return 0


def _ask(
    content: Content, place: AskedPlace, position: tuple[float, float] | None, lang: str
) -> tuple[SharesAnswer | LookupAnswer, list[str]]:
    if place.polygon:
        shares = content.shares.of(parse_polygon(place.polygon.read_bytes(), place.crs))
        return shares, [_share(row, lang) for row in shares["shares"]]
    if position is None:
        x, y = parse_coordinates(" ".join(place.position), place.crs)
        position = frames.position_to_lonlat(x, y, place.crs)
        if position is None:
            raise CoordinateError("range")
    answer = content.lookup.at(*position)
    return answer, list(_lines(answer, lang))


def _refuse(release: Release, place: AskedPlace, error: Exception) -> None:
    """Say in Chinese and English what is wrong, with the page's own words, and what may be meant."""
    if isinstance(error, CoordinateError):
        values = {"parameter": "position", "value": " ".join(place.position), "allowed": place.crs}
        tell_wrong(release, f"error.at_{error.kind}", values)
        for x, y in error.options:
            write(f"  weihai-layout lookup {x:.12g} {y:.12g}", error=True)
    elif isinstance(error, RequestError):
        tell_wrong(release, error.key, error.values)
    elif isinstance(error, OSError):
        warn("file_unreadable", path=place.polygon, reason=error.strerror or error)


def _is_pair(words: tuple[str, ...]) -> bool:
    """Return whether the position is two plain numbers, whose order is the one that is documented."""
    try:
        return len([float(word) for word in words]) == PAIR
    except ValueError:
        return False


def _numbers(place: AskedPlace) -> tuple[float, float] | None:
    if not _is_pair(place.position):
        return None
    x, y = map(float, place.position)
    position = frames.position_to_lonlat(x, y, place.crs)
    if position is None:
        swapped = abs(x) <= LAT_LIMIT < abs(y) <= LON_LIMIT
        warn("swapped_position" if swapped else "bad_position", x=f"{x:g}", y=f"{y:g}")
    return position


def _lines(answer: LookupAnswer, language: str) -> Iterator[str]:
    nearest = answer["nearest"]
    if not answer["applies"] and nearest:
        name, distance = nearest["name"][language], nearest["distance_m"]
        yield text("outside_coverage", name=name, id=nearest["id"], distance=distance)
    elif not answer["covered"]:
        yield text("not_on_covered_land")
    for found in answer["applies"]:
        yield _line(found, language)
    for area in answer["areas"]:
        roles = "; ".join(f"{one['role']} {one['name'][language]}" for one in area["anchors"])
        yield f"{area['layer']:15} {area['id']:24} {area['name'][language]}  {roles}"
    for gateway in answer["gateways"]:
        name, distance = gateway["name"][language], gateway["distance_m"]
        yield f"{gateway['kind']:15} {gateway['id']:24} {name}  {distance} m"


def _line(found: PointAnswer, language: str) -> str:
    key = "near" if found["status"] == "near" else "inside_uncertain" if found["uncertain"] else "inside"
    place = f"{found['layer']:13} {found['id']:24} {found['name'][language]}"
    accuracy = f"{found['positional_accuracy_m']:g}"
    if found["spots"]:
        return f"{place}  {text('somewhere', accuracy=accuracy)}"
    said = text(key, distance=found["distance_to_edge_m"], accuracy=accuracy)
    return f"{place}  {found['likelihood_percent']:5.1f} %  {said}"


def _share(found: ShareAnswer, language: str) -> str:
    low, high = found["share_range_percent"]
    share = f"{found['share_percent']:6.2f} %  ({low:.2f}–{high:.2f} %)"
    return f"{found['layer']:13} {found['id']:24} {share}  {found['name'][language]}"


@command("search")
@click.argument("query", help="中文、拼音、英文或韩文 · Chinese, pinyin, English or Korean")
@lang_option()
@json_option
@home_option
def search(*, query: str, lang: str, as_json: bool, home: Path | None) -> int:
    """Print what the plan answers, then what matches, best first; exit 1 if nothing matches."""
    chosen = settings(home)
    release = asked_release(chosen)
    from webmap.app import create_app  # only this command speaks as the pages do
    from webmap.views.finding import answer_question

    app = create_app(release, Settings(chosen.home))
    with app.app_context():
        answer = answer_question(query, lang)
    if as_json:
        write_json(answer)
    else:
        if not answer["results"]:
            say("nothing_found", query=query)
        write("\n".join(_search_lines(answer, lang)))
    return 0 if answer["results"] else 1


def _search_lines(answer: SearchDocument, language: str) -> Iterator[str]:
    """Yield what the pages say, in their language: the sentences, the answer's terms, then the results."""
    told = answer["answer"]
    yield from filter(None, (answer["notice"], told and told["tells"]))
    for row in _terms(told) if told else ():
        clause = format_clause(row["clause"], language)
        yield "  " + " ".join(filter(None, (row.get("name"), row["term"], "·", row.get("verb"), clause)))
    for hit in (*answer["results"], *answer["near"]):
        mark = "" if hit in answer["results"] else "~ "
        yield f"{mark + hit['layer']:13} {hit['id']:32} {hit['name']}  {hit['says']}".rstrip()


def _terms(told: ToldAnswer) -> Iterator[ToldTerm]:
    yield from (*told["zones"], *told["areas"], *told["positioning"], *told["city"], *told["tasks"])


UNSURE: Final = 0.9  # a certainty of the coordinate system below which it should be told


@dataclass(frozen=True)
class JoinOptions:
    """What was typed; None for what is to be found out."""

    file: Path
    out: Path | None
    crs: str | None
    lon: str | None
    lat: str | None
    table: str | None
    encoding: str | None
    product: str | None
    lang: str
    as_json: bool
    home: Path | None


@command("join")
@click.argument(
    "file",
    type=click.Path(path_type=Path),
    help="带坐标的表格或图层 · a table or layer with coordinates: CSV, XLSX, ODS, GPKG, GeoJSON, KML, "
    "Shapefile (zip)",
)
@option(
    *("-o", "--out", "--output", "out"),
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="写成 .csv、.xlsx 或 .gpkg；不给则只说概况 · write .csv, .xlsx or .gpkg; without it, only sum up",
)
@option("--crs", help="坐标系：代码、GCJ-02、BD-09 或名称 · frame: a code, GCJ-02, BD-09 or a name")
@option("--lon", metavar="COLUMN", help="经度（东）列，或第几列 · column of longitude, east, or its number")
@option("--lat", metavar="COLUMN", help="纬度（北）列 · column of latitude, north")
@option("--table", help="图层、工作表，或压缩包中的文件 · layer, sheet, or file of an archive")
@option("--encoding", help="文字编码 · encoding of the text")
@option("--product", metavar="COLUMN", help="产品词所在列 · column with product words")
@lang_option()
@json_option
@home_option
def join(**given: Any) -> int:
    """Write the answer, or sum it up; exit 2 for a file that cannot be joined, 1 if none can be written."""
    options = JoinOptions(**given)
    # Heavy, and only this command's.
    from layers.join.join_request import FILES, SUMMARY, JoinRefusedError

    kind = options.out.suffix.lower().removeprefix(".") if options.out else SUMMARY
    if options.out and kind not in FILES:
        warn("join_bad_name", value=options.out, allowed=" ".join(f".{one}" for one in FILES))
        return 2
    if bool(options.lon) != bool(options.lat):
        warn("join_pair")
        return 2
    release = asked_release(settings(options.home))
    try:
        summary, content = _join(options, kind, release)
    except JoinRefusedError as refusal:
        _refuse_table(refusal)
        return 2
    if options.out:
        try:
            write_atomically(options.out, content)
        except OSError as error:
            warn("file_unwritable", path=options.out, reason=error.strerror)
            return 1
    if options.as_json:
        write_json(asdict(summary))
    else:
        write("\n".join(_table_lines(summary, options.lang)))
        if options.out:
            say("written", path=options.out, size=len(content))
    return 0


def _join(options: JoinOptions, kind: str, release: Release) -> tuple[JoinSummary, bytes]:
    from layers.join.join_request import OPTIONS, JoinRequest
    from layers.join.table_job import join_file

    with tempfile.TemporaryDirectory() as folder:
        told = {name: getattr(options, name) for name in OPTIONS}
        asked = JoinRequest(
            str(release.folder.absolute()),
            release.manifest_sha256,
            str(options.file),
            options.file.name,
            folder,
            format=kind,
            language=options.lang,
            **told,
        )
        return join_file(asked)


def _refuse_table(refusal: JoinRefusedError) -> None:
    for language in ("zh", "en"):
        write(refusal.texts[language], error=True)
        if refusal.fix:
            write(f"  → {refusal.fix[language]}", error=True)


def _table_lines(summary: JoinSummary, language: str) -> Iterator[str]:
    yield text("join_rows", count=summary.count, placed=summary.placed)
    certainty = min(int(100 * summary.frame_certainty), 99)
    yield text(f"join_frame_{summary.frame_how}", crs=summary.frame, certainty=certainty)
    if summary.frame_how == "guessed" and summary.frame_certainty < UNSURE:
        yield text("join_frame_unsure")
    for note in summary.notes:
        yield " · ".join(note[one] for one in ("zh", "en"))
    for rows in (summary.zones, summary.counties):
        for row in rows:
            name = row["name"][language] if row["name"] else text("join_none")
            yield f"{row['count']:9,}  {row['id'] or '–':24} {name}"
    for where, count in summary.where.items():
        yield f"{count:9,}  {where}"
    if summary.doubtful:
        yield text("join_doubtful", count=summary.doubtful)
    for here, count in summary.products.items():
        yield f"{count:9,}  {text(f'join_here_{here}')}"
