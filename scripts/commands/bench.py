"""Measure the product beside its peers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from scripts.answer import add_home, add_json, live_release, settings, write_json
from scripts.bench.common import Result
from scripts.bench.first import bench_map
from scripts.bench.ogc import bench_ogc
from scripts.bench.postgis import bench_postgis
from scripts.bench.search import bench_search
from scripts.bench.start import bench_start
from scripts.messages import write
from scripts.whole import whole

MAX_ROUNDS = 10_000

MEASURES = {
    "map": bench_map,
    "start": bench_start,
    "search": bench_search,
    "postgis": bench_postgis,
    "ogc": bench_ogc,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "measure",
        choices=MEASURES,
        help="首屏、冷启动、搜索、数据库、OGC API · first view, cold start, search, database, OGC API",
    )
    parser.add_argument("--rounds", type=whole(1, MAX_ROUNDS), default=15, help="重复次数 · repetitions (15)")
    add_home(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print what was measured; exit 1 if there is no release, or a program that it takes."""
    chosen = settings(options)
    release = live_release(chosen)
    if chosen is None or release is None:
        return 1
    try:
        measured = MEASURES[options.measure](chosen.home, options.rounds)
    except FileNotFoundError as error:
        write(str(error), error=True)
        return 1
    if options.json:
        write_json(measured)
    else:
        write("\n".join(_lines(measured)))
    return 0


def _lines(measured: Result, above: str = "") -> Iterator[str]:
    for name, value in measured.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{above}{name} ")
        else:
            yield f"{above + name:30} {value}"
