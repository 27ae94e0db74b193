"""Say what applies at a point."""

from __future__ import annotations

import argparse
import math

from geodata import crs
from scripts.answer import add_home, add_json, add_language, live_release, settings, write_json
from scripts.messages import text, warn, write
from webmap.content import Content, Document
from webmap.problems import UnavailableError
from webmap.stores import open_store

LON_LIMIT, LAT_LIMIT = 180, 90


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("lon", type=float, help="经度，或东坐标 · longitude, or metres east")
    parser.add_argument("lat", type=float, help="纬度，或北坐标 · latitude, or metres north")
    parser.add_argument(
        "--crs", choices=crs.FRAMES, default=crs.LONLAT, help=f"坐标系 · frame ({crs.LONLAT})"
    )
    add_language(parser)
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Print what applies; exit 2 for a position that cannot be, 1 where the store cannot be asked."""
    position = _position(options.lon, options.lat, options.crs)
    if position is None:
        return 2
    chosen = settings(options)
    release = live_release(chosen)
    if chosen is None or release is None:
        return 1
    store = open_store(release, chosen) if chosen.store else None
    try:
        answer = Content(release, store).lookup.at(*position)
    except UnavailableError as error:
        warn("store_down", reason=error.__cause__)
        return 1
    if options.json:
        write_json(answer)
    else:
        write("\n".join(_lines(answer, options.lang)))
    return 0


def _position(x: float, y: float, frame: str) -> tuple[float, float] | None:
    lon, lat = map(float, crs.transform(x, y, frame, crs.LONLAT))
    if math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= LON_LIMIT and abs(lat) <= LAT_LIMIT:
        return lon, lat
    swapped = abs(x) <= LAT_LIMIT < abs(y) <= LON_LIMIT
    warn("swapped_position" if swapped else "bad_position", x=f"{x:g}", y=f"{y:g}")
    return None


def _lines(answer: Document, language: str) -> list[str]:
    if not answer["applies"]:
        nearest = answer["nearest"]
        name, distance = nearest["name"][language], nearest["distance_m"]
        return [text("outside_coverage", name=name, id=nearest["id"], distance=distance)]
    lines = [_line(found, language) for found in answer["applies"]]
    return lines if answer["covered"] else [text("not_on_covered_land"), *lines]


def _line(found: Document, language: str) -> str:
    key = "near" if found["status"] == "near" else "inside_uncertain" if found["uncertain"] else "inside"
    place = f"{found['layer']:13} {found['id']:24} {found['name'][language]}"
    accuracy = found["positional_accuracy_m"]
    return f"{place}  {text(key, distance=found['distance_to_edge_m'], accuracy=f'{accuracy:g}')}"
