"""Import a boundary from a file: check it, show what it changes, publish it."""

from __future__ import annotations

import argparse
import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from geodata.boundary_import.propose import Baseline, ImportRequest, Proposal, propose
from geodata.boundary_import.records import LAYERS, Method
from geodata.letters import UNPRINTABLE, find_unprintable
from geodata.read import read_boundaries, read_facts
from layers.history import read_imports, read_last
from layers.home import claim, write_atomically
from layers.release import read_neighbours
from scripts.answer import add_home, add_json, add_language, settings, show, tell_failed, write_json
from scripts.messages import say, text, warn
from scripts.proposed import Answer, describe, tell
from scripts.stored import Admission
from webmap.preview import render_preview
from webmap.publish import BuildError, imports_in_force, publish_imports
from webmap.settings import Settings

SAID = ("source", "licence", "who", "why")
MAX_TEXT = 500
PAGES = (".html", ".htm")  # the map before and after is a page
MAX_ACCURACY_M = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add(
        "file",
        type=Path,
        help="界址点 TXT、DXF、Shapefile、GDB、KML/KMZ、GeoJSON、CSV/XLSX … · the boundary's file",
    )
    add("--layer", choices=LAYERS, required=True, help="图层 · layer")
    add("--id", help="整个文件是这一个地点 · the whole file is this one place")
    add("--map", metavar="FIELD", help="含名称、代码或 id 的字段 · field with names, codes or ids")
    add(
        "--feature",
        metavar="NAME",
        help="只用这个要素（名称或序号）· only this feature, by a value or its number",
    )
    add("--table", metavar="NAME", help="图层、工作表或压缩包中的文件 · layer, sheet, or file of an archive")
    add("--columns", metavar="EAST,NORTH", help="表格中东、北坐标的列 · columns of a table's coordinates")
    add("--crs", help="坐标系，如 EPSG:4490、西安80、GCJ-02 · coordinate system")
    add("--encoding", help="文字的编码 · encoding of the text")
    add("--source", help="来源 · where it comes from")
    add("--licence", help="使用条件 · what may be done with it")
    add("--who", help="经手人或单位 · who imports it")
    add("--why", help="缘由 · why")
    add("--accuracy-m", type=_metres, required=True, help="位置精度，米 · positional accuracy, metres")
    add("--method", choices=get_args(Method), default="official", help="方法 · method (official)")
    add(
        "--fix",
        action="store_true",
        help="修复多边形、交换坐标轴、闭合线 · repair rings, swap axes, close lines",
    )
    add(
        "--accept-loss",
        action="store_true",
        help="认可土地划出威海市、与邻区留有空隙 · let land leave the city, or gaps",
    )
    add("--dry-run", action="store_true", help="只检查并画前后对照 · only check, and draw a map")
    add("--preview", type=Path, metavar="FILE", help="对照图存为 · where the map is written")
    add("--yes", action="store_true", help="不再询问 · publish without asking")
    add_language(parser)
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Check and publish; exit 1 if it cannot be published, 2 for wrong usage."""
    chosen = settings(options)
    if chosen is None:
        return 1
    if not _complete(options):
        return 2
    in_force = imports_in_force(chosen.home)
    baseline = Baseline(read_facts(), read_boundaries(), read_imports(chosen.home, in_force))
    proposal = propose(_build_request(options), baseline)
    answer = describe(proposal, baseline)
    code = _act(options, proposal, baseline, (chosen, answer))
    if options.json:
        write_json(answer)
    return code


def _act(
    options: argparse.Namespace, proposal: Proposal, baseline: Baseline, told: tuple[Settings, Answer]
) -> int:
    """Draw what was only asked for, publish what may be, and say it."""
    chosen, answer = told
    code = 1 if proposal.errors else 0
    page = _draw(proposal, baseline, options.lang) if options.dry_run else None
    if page is not None:
        answer["preview"] = _write_preview(options, page, chosen.home)
        code = code if answer["preview"] else 1
    if not options.json:
        tell(proposal, baseline, answer)
        if options.dry_run and page is None:
            say("import_no_preview")
        _conclude(proposal, answer)
    if answer["repeated"] and code == 0:
        warn("import_repeated")
    elif code == 0 and not options.dry_run:
        code = _publish(options, proposal, chosen, answer)
    return code


def _conclude(proposal: Proposal, answer: Answer) -> None:
    if answer["preview"]:
        say("import_preview", path=answer["preview"])
    if proposal.errors:
        say("import_errors", errors=proposal.errors)
    else:
        say("import_ok", warnings=len(proposal.issues))


def _complete(options: argparse.Namespace) -> bool:
    if options.id and options.map:
        warn("import_both")
        return False
    if options.preview and options.preview.suffix.lower() not in PAGES:
        warn("import_bad_value", option="--preview", value=options.preview, reason=" ".join(PAGES))
        return False
    missing = [f"--{name}" for name in SAID if not (getattr(options, name) or "").strip()]
    if missing and not options.dry_run:
        warn("import_missing", options=" ".join(missing))
        return False
    long = [name for name in SAID if len(getattr(options, name) or "") > MAX_TEXT]
    for name in long:
        warn(
            "import_bad_value", option=f"--{name}", value=getattr(options, name)[:20], reason=f"> {MAX_TEXT}"
        )
    said = {f"--{name}": getattr(options, name) or "" for name in SAID} | {"file": options.file.name}
    odd = {option: letter for option, value in said.items() if (letter := find_unprintable(value))}
    for option, letter in odd.items():
        warn("import_bad_value", option=option, value=UNPRINTABLE.sub("", said[option])[:20], reason=letter)
    return not long and not odd


def _build_request(options: argparse.Namespace) -> ImportRequest:
    said = {name: (getattr(options, name) or "").strip() or "-" for name in SAID}
    return ImportRequest(
        file=options.file,
        layer=options.layer,
        when=datetime.now(UTC).replace(microsecond=0),
        accuracy_m=options.accuracy_m,
        method=options.method,
        of=options.id,
        field=options.map,
        feature=options.feature,
        table=options.table,
        columns=options.columns,
        crs=options.crs,
        encoding=options.encoding,
        fix=options.fix,
        accept_loss=options.accept_loss,
        **said,
    )


def _draw(proposal: Proposal, baseline: Baseline, language: str) -> str | None:
    """Return the page with the map, or None where there is nothing to draw."""
    neighbours = read_neighbours(dict(baseline.boundaries), baseline.facts.plans)
    return render_preview(proposal, baseline, neighbours, language)


def _write_preview(options: argparse.Namespace, page: str, home: Path) -> str | None:
    """Write the page and return its path, or None after saying why it cannot be written."""
    path: Path = options.preview or home / "previews" / f"{options.file.stem[:60] or options.layer}.html"
    try:
        if options.preview is None:
            claim(home)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, page.encode())
    except OSError as error:
        warn("file_unwritable", path=path, reason=error.strerror)
        return None
    return str(path)


def _publish(options: argparse.Namespace, proposal: Proposal, chosen: Settings, answer: Answer) -> int:
    folder = chosen.home
    if not options.yes and not _confirm(options):
        warn("import_unconfirmed")
        return 1
    try:
        publish_imports(folder, proposal.records, proposal.in_force, show, Admission(chosen))
    except (BuildError, OSError) as error:
        tell_failed(error)
        return 1
    entry = read_last(folder)
    if entry is not None:
        answer["published"] = {"number": entry.number, "release": entry.release}
        if not options.json:
            say("import_published", **answer["published"])
    return 0


def _confirm(options: argparse.Namespace) -> bool:
    if options.json or not sys.stdin.isatty():
        return False
    return input(text("import_confirm")).strip().lower() in {"y", "yes"}


def _metres(given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_ACCURACY_M:
        raise argparse.ArgumentTypeError(text("bad_metres", value=repr(given[:40]), most=MAX_ACCURACY_M))
    return value
