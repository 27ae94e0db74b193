"""Say what applies at a point, or how much of a polygon lies in each place."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from geodata import crs
from geodata.coordinates import CoordinateError, parse_coordinates
from layers.store import Release
from scripts.answer import add_home, add_json, add_language, live_release, settings, write_json
from scripts.messages import text, warn, write
from webmap.content import Content, Document, open_store
from webmap.polygons import parse_polygon
from webmap.problems import RequestError, UnavailableError

LON_LIMIT, LAT_LIMIT = 180, 90
PAIR = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "position",
        nargs="*",
        help="经度 纬度，或东坐标 北坐标，或一段文字 · longitude latitude, or metres east north, or a text "
        'such as "37°18′29.5″N 122°06′58.7″E"',
    )
    parser.add_argument(
        "--polygon", type=Path, metavar="FILE", help="GeoJSON 面，代替位置 · a GeoJSON polygon instead"
    )
    parser.add_argument(
        "--crs", choices=crs.FRAMES, default=crs.LONLAT, help=f"坐标系 · frame ({crs.LONLAT})"
    )
    add_language(parser)
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Print what applies; exit 2 for a question that cannot be, 1 where no store answers."""
    if bool(options.position) == bool(options.polygon):
        warn("position_or_polygon")
        return 2
    position = _numbers(options)
    if position is None and _is_pair(options.position):
        return 2
    chosen = settings(options)
    release = live_release(chosen)
    if chosen is None or release is None:
        return 1
    store = open_store(release, chosen) if chosen.store else None
    try:
        answer, lines = _ask(Content(release, store), options, position)
    except UnavailableError as error:
        warn("store_down", reason=error.__cause__)
        return 1
    except (CoordinateError, RequestError, OSError) as error:
        _refuse(release, options, error)
        return 2
    if options.json:
        write_json(answer)
    else:
        write("\n".join(lines))
    return 0


def _ask(
    content: Content, options: argparse.Namespace, position: tuple[float, float] | None
) -> tuple[Document, list[str]]:
    if options.polygon:
        shares = content.shares.of(parse_polygon(options.polygon.read_bytes(), options.crs))
        return shares, [_share(row, options.lang) for row in shares["shares"]]
    if position is None:
        x, y = parse_coordinates(" ".join(options.position), options.crs)
        position = crs.position_to_lonlat(x, y, options.crs)
        if position is None:
            raise CoordinateError("range")
    answer = content.lookup.at(*position)
    return answer, list(_lines(answer, options.lang))


def _refuse(release: Release, options: argparse.Namespace, error: Exception) -> None:
    """Say in Chinese and English what is wrong, with the page's own words, and what may be meant."""
    if isinstance(error, CoordinateError):
        values = {"parameter": "position", "value": " ".join(options.position), "allowed": options.crs}
        _say_wrong(release, f"error.at_{error.kind}", values)
        for x, y in error.options:
            write(f"  weihai-layout lookup {x:.12g} {y:.12g}", error=True)
    elif isinstance(error, RequestError):
        _say_wrong(release, error.key, error.values)
    elif isinstance(error, OSError):
        warn("file_unreadable", path=options.polygon, reason=error.strerror or error)


def _say_wrong(release: Release, key: str, values: Document) -> None:
    for language in ("zh", "en"):
        strings = release.read_json(f"pages/{language}/strings.json")
        write(strings[key].format(**values), error=True)


def _is_pair(words: list[str]) -> bool:
    """Return whether the position is two plain numbers, whose order is the one that is documented."""
    try:
        return len([float(word) for word in words]) == PAIR
    except ValueError:
        return False


def _numbers(options: argparse.Namespace) -> tuple[float, float] | None:
    if not _is_pair(options.position):
        return None
    x, y = map(float, options.position)
    position = crs.position_to_lonlat(x, y, options.crs)
    if position is None:
        swapped = abs(x) <= LAT_LIMIT < abs(y) <= LON_LIMIT
        warn("swapped_position" if swapped else "bad_position", x=f"{x:g}", y=f"{y:g}")
    return position


def _lines(answer: Document, language: str) -> Iterator[str]:
    if not answer["applies"]:
        nearest = answer["nearest"]
        name, distance = nearest["name"][language], nearest["distance_m"]
        yield text("outside_coverage", name=name, id=nearest["id"], distance=distance)
    elif not answer["covered"]:
        yield text("not_on_covered_land")
    for found in answer["applies"]:
        yield _line(found, language)
    for found in answer["gateways"]:
        yield f"{found['kind']:15} {found['id']:24} {found['name'][language]}  {found['distance_m']} m"


def _line(found: Document, language: str) -> str:
    key = "near" if found["status"] == "near" else "inside_uncertain" if found["uncertain"] else "inside"
    place = f"{found['layer']:13} {found['id']:24} {found['name'][language]}"
    accuracy = found["positional_accuracy_m"]
    return f"{place}  {text(key, distance=found['distance_to_edge_m'], accuracy=f'{accuracy:g}')}"


def _share(found: Document, language: str) -> str:
    low, high = found["share_range_percent"]
    share = f"{found['share_percent']:6.2f} %  ({low:.2f}–{high:.2f} %)"
    return f"{found['layer']:13} {found['id']:24} {share}  {found['name'][language]}"
