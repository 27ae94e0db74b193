"""Measure the product beside its peers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scripts.bench.load import Result
from scripts.bench.map import bench_map
from scripts.bench.ogc import bench_ogc
from scripts.bench.postgis import bench_postgis
from scripts.bench.start import bench_search, bench_start
from scripts.commands.common import (
    OneOf,
    command,
    home_option,
    json_option,
    live_release,
    option,
    settings,
    whole,
    write_json,
)
from scripts.messages import write

MAX_ROUNDS = 10_000

MEASURES = {
    "map": bench_map,
    "start": bench_start,
    "search": bench_search,
    "postgis": bench_postgis,
    "ogc": bench_ogc,
}


@command("bench")
@click.argument(
    "measure",
    type=OneOf(MEASURES),
    help="首屏、冷启动、搜索、数据库、OGC API · first view, cold start, search, database, OGC API",
)
@option("--rounds", type=whole(1, MAX_ROUNDS), default="15", metavar="N", help="重复次数 · repetitions (15)")
@home_option
@json_option
def bench(*, measure: str, rounds: int, home: Path | None, as_json: bool) -> int:
    """Print what was measured; exit 1 if there is no release, or a program that it takes."""
    chosen = settings(home)
    release = live_release(chosen)
    if chosen is None or release is None:
        return 1
    try:
        measured = MEASURES[measure](chosen.home, rounds)
    except FileNotFoundError as error:
        write(str(error), error=True)
        return 1
    if as_json:
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
