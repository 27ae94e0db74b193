"""All measurements of one machine as a page with a chart: ``docs/benchmarks.md``."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from layers.home import write_atomically
from scripts.bench.load import Result

PACKAGES = ("granian", "flask", "shapely", "orjson", "cql2", "geopandas")
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
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
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
