"""Measure the product beside its peers."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import click

from scripts.bench.many import bench_many
from scripts.bench.map import bench_map
from scripts.bench.ogc import bench_ogc
from scripts.bench.parsers import bench_parsers
from scripts.bench.postgis import bench_postgis
from scripts.bench.report import Measured, list_figures, measure_apart, write_report
from scripts.bench.tasks import (
    bench_build,
    bench_export,
    bench_join,
    bench_lookup,
    bench_pdf,
    bench_search,
    bench_site,
    bench_start,
)
from scripts.bench.traffic import LOAD_S, bench_load, bench_soak
from scripts.commands.common import (
    OneOf,
    asked_release,
    command,
    home_option,
    json_option,
    option,
    settings,
    whole,
    write_json,
)
from scripts.environment import ROOT
from scripts.messages import say, warn, write

MAX_ROUNDS, MAX_MINUTES = 10_000, 10_000
ALL = "all"
MEASURES = {
    "map": bench_map,
    "many": bench_many,
    "start": bench_start,
    "search": bench_search,
    "lookup": bench_lookup,
    "join": bench_join,
    "build": bench_build,
    "export": bench_export,
    "pdf": bench_pdf,
    "site": bench_site,
    "postgis": bench_postgis,
    "ogc": bench_ogc,
    "parsers": bench_parsers,
    "load": lambda home, _: bench_load(home, LOAD_S),
    "soak": bench_soak,
}
IN_MINUTES = {"soak"}
# What a measurement takes beside what the program runs on: packages of requirements-test.lock, and programs,
# any of those in a row.
BROWSER = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKAGES = {
    **dict.fromkeys(("map", "many"), ("playwright", "mapclassify", "matplotlib")),
    "pdf": ("matplotlib",),
}
PROGRAMS = {"map": (BROWSER,), "many": (BROWSER,), "load": (("wrk",),)}


@command("bench")
@click.argument(
    "measure",
    type=OneOf([*MEASURES, ALL]),
    help="首屏、大量多边形、冷启动、搜索、查询地点、连接表格、生成、导出、PDF、静态站、数据库、"
    "OGC API、解析、负载、长时间运行，或全部 · first view, many polygons, start, search, look-up, "
    "join, build, export, PDF, static site, "
    "database, OGC API, parsers, load, soak, all",
)
@option("--rounds", type=whole(1, MAX_ROUNDS), default="15", metavar="N", help="重复次数 · repetitions (15)")
@option(
    "--minutes",
    type=whole(1, MAX_MINUTES),
    default="10",
    metavar="N",
    help="soak 的分钟数 · minutes of soak (10)",
)
@option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=ROOT / "docs" / "benchmarks.md",
    metavar="FILE",
    help="all 写入的文件 · file that all writes (docs/benchmarks.md)",
)
@home_option
@json_option
def bench(*, measure: str, rounds: int, minutes: int, output: Path, home: Path | None, as_json: bool) -> int:
    """Print what was measured; exit 1 if there is no release, or something that it takes is missing."""
    missing = find_missing(measure)
    if missing:
        warn("command_lacks", command=f"bench {measure}", missing=", ".join(missing))
        return 1
    chosen = settings(home)
    asked_release(chosen)
    if measure == ALL:
        return _measure_all(chosen.home, rounds, minutes, output)
    try:
        measured = MEASURES[measure](chosen.home, minutes if measure in IN_MINUTES else rounds)
    except FileNotFoundError as error:
        write(str(error), error=True)
        return 1
    if as_json:
        write_json(measured)
    else:
        write("\n".join(f"{name:30} {value}" for name, value in list_figures(measured)))
    return 0


def find_missing(measure: str) -> list[str]:
    """Return the packages and programs that a measurement takes and that are not there."""
    missing = [name for name in PACKAGES.get(measure, ()) if find_spec(name) is None]
    return missing + [names[0] for names in PROGRAMS.get(measure, ()) if not any(map(shutil.which, names))]


def _measure_all(home: Path, rounds: int, minutes: int, output: Path) -> int:
    """Make every measurement and write the page; exit 1 if one could not be made."""
    found: list[Measured] = []
    for kind in MEASURES:
        missing = find_missing(kind)
        if missing:
            found.append(Measured(kind, {}, f"{', '.join(missing)} is not installed"))
            warn("command_lacks", command=f"bench {kind}", missing=", ".join(missing))
        else:
            write(f"== {kind}", error=True)
            found.append(measure_apart(kind, home, rounds, minutes))
    write_report(found, output)
    say("bench_written", file=output)
    return 1 if any(one.lacks for one in found) else 0
