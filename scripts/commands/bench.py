"""Measure the product beside its peers; all of one machine's figures make ``docs/benchmarks.md``."""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import click

from layers.home import write_atomically
from scripts.bench.load import Result
from scripts.bench.map import bench_many, bench_map
from scripts.bench.ogc import bench_ogc
from scripts.bench.parsers import bench_parsers
from scripts.bench.postgis import bench_postgis
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
from scripts.bilingual import say, warn, write
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

MEASURED = ("granian", "flask", "shapely", "orjson", "cql2", "geopandas")
GIGABYTE = 1_000_000_000
WIDTH, LEFT, BAR, GAP = 860, 190, 16, 14  # pixels of the chart
COLOURS = {"ours": "#1d4ed8", "constant": "#64748b", "qgis_server": "#15803d", "pygeoapi": "#b45309"}
NAMES = {
    "ours": "ours",
    "constant": "same server, constant bytes",
    "qgis_server": "QGIS Server",
    "pygeoapi": "pygeoapi",
}


@dataclass(frozen=True)
class Measured:
    """One kind of measurement: its figures, or why there are none."""

    kind: str
    result: Result
    lacks: str = ""


def measure_apart(kind: str, home: Path, rounds: int, minutes: int) -> Measured:
    """Make one kind of measurement in a process of its own, which says on standard error how it goes."""
    command = [sys.executable, "-m", "scripts.cli", "bench", kind, "--json", "--rounds", str(rounds)]
    command += ["--minutes", str(minutes)]
    done = subprocess.run(
        [*command, "--home", str(home)], stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        return Measured(kind, {}, f"exit {done.returncode}")
    return Measured(kind, json.loads(done.stdout))


def write_report(measured: list[Measured], target: Path, when: datetime | None = None) -> None:
    """Write the page, and beside it its chart where there is something to draw."""
    rates = next((find_rates(one.result) for one in measured if one.kind == "ogc"), {})
    picture = target.with_suffix(".svg")
    if rates:
        write_atomically(picture, render_chart(rates).encode())
    text = render_report(measured, picture.name if rates else None, when or datetime.now(UTC))
    write_atomically(target, text.encode())


def find_rates(result: Result) -> dict[str, dict[str, float]]:
    """Return answers a second by question and server."""
    return {name: row["per_s"] for name, row in result.items() if isinstance(row, dict) and "per_s" in row}


def render_report(measured: list[Measured], picture: str | None, when: datetime) -> str:
    """Return the page, Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "<!-- Written by `weihai-layout bench all`; run it again, do not edit. -->",
        "",
        f"Measured on {when:%Y-%m-%d} with `weihai-layout bench all`, every peer in the same run and on the",
        "same data. Ratios travel between machines; seconds do not.",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in describe_machine().items()),
        "",
    ]
    if picture:
        lines += [f"![Answers a second of each server, longer is better; logarithmic]({picture})", ""]
    for one in measured:
        lines += [f"## {one.kind}", ""]
        if one.lacks:
            lines += [f"Not measured: {one.lacks}.", ""]
            continue
        lines += ["| figure | value |", "| --- | --- |"]
        lines += [f"| {name} | {value} |" for name, value in list_figures(one.result)]
        lines.append("")
    return "\n".join(lines)


def list_figures(result: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Yield every figure of a measurement with its name, those of groups after the group's."""
    for name, value in result.items():
        if isinstance(value, dict):
            yield from list_figures(value, f"{above}{name} ")
        else:
            yield above + name, value


def describe_machine() -> dict[str, str]:
    """Return what the measurements were made on."""
    versions = ", ".join(f"{name} {version(name)}" for name in MEASURED)
    found = {"processor": f"{_find_processor()}, {os.cpu_count()} cores", "system": platform.platform()}
    if hasattr(os, "sysconf"):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIGABYTE
        found["memory"] = f"{memory:.0f} GB"
    return found | {"Python": platform.python_version(), "packages": versions}


def _find_processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line), "?")


def render_chart(rates: Mapping[str, Mapping[str, float]]) -> str:
    """Return bars of answers a second, by question and server, on a logarithmic scale, as SVG."""
    most = max(rate for row in rates.values() for rate in row.values())
    scale = (WIDTH - LEFT - 90) / math.log10(max(most, 10))
    parts, y = [], GAP
    for question, row in rates.items():
        parts.append(f'<text x="8" y="{y + BAR - 4}" font-weight="bold">{escape(question)}</text>')
        for name, rate in row.items():
            width = max(1, round(scale * math.log10(max(rate, 1))))
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{width}" height="{BAR - 2}" fill="{COLOURS[name]}"/>'
                f'<text x="{LEFT + width + 6}" y="{y + BAR - 4}">{rate:,.0f}</text>'
            )
            y += BAR
        y += GAP
    for at, (name, colour) in enumerate(COLOURS.items()):
        x = 8 + at * 200
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{y + 11}">{escape(NAMES[name])}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 24}" font-family="sans-serif" '
    body = "\n".join(parts)
    return (
        f'{head}font-size="12" role="img">\n<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


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
