"""Import a boundary from a file: check it, show what it changes, publish it."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypedDict

import click

from geodata import crs
from geodata.boundary_import.issues import Texts, join_terms
from geodata.boundary_import.propose import (
    AreaChange,
    Baseline,
    ImportRequest,
    Proposal,
    ShiftReport,
    Step,
    TransferRow,
    propose,
)
from geodata.imported import LAYERS, METHODS, CheckOptions, keep_latest
from geodata.messages import UNPRINTABLE, find_unprintable
from geodata.read import read_boundaries, read_facts
from layers.history import read_imports, read_last
from layers.home import claim, write_atomically
from layers.release import read_neighbours
from scripts.bilingual import say, text, warn, write
from scripts.commands.common import (
    SHOWN,
    OneOf,
    Refusal,
    command,
    home_option,
    json_option,
    lang_option,
    option,
    settings,
    show,
    tell_failed,
    write_json,
)
from scripts.postgis_sync import Admission
from webmap.preview import render_preview
from webmap.publish import BuildError, imports_in_force, publish_imports
from webmap.settings import Settings

SAID = ("source", "licence", "who", "why")
MAX_TEXT = 500
PAGES = (".html", ".htm")  # the map before and after is a page
MAX_ACCURACY_M = 100_000


MOST_SHOWN: Final = 20  # transfers on the screen; the JSON has all


class Published(TypedDict):
    """The publication that an import became."""

    number: int
    release: str


class ImportAnswer(TypedDict):
    """What was found and what would change, what was drawn and published."""

    ok: bool
    places: list[str]
    findings: list[dict[str, object]]
    areas: list[AreaChange]
    transfers: list[TransferRow]
    shifts: dict[str, ShiftReport]
    repeated: bool
    preview: str | None
    published: Published | None


@dataclass(frozen=True, kw_only=True)
class ImportOptions(CheckOptions):
    """What was typed, None where it was not given."""

    file: Path
    source: str | None
    licence: str | None
    who: str | None
    why: str | None
    dry_run: bool
    preview: Path | None
    yes: bool
    lang: str
    as_json: bool
    home: Path | None

    def said(self, name: str) -> str:
        """Return who, why, source or licence; empty where it was not given."""
        return str(getattr(self, name) or "").strip()


def _metres(given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_ACCURACY_M:
        raise Refusal("bad_metres", value=repr(given[:SHOWN]), most=MAX_ACCURACY_M)
    return value


@command("import-boundary")
@click.argument(
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="界址点 TXT、DXF、Shapefile、GDB、KML/KMZ、GeoJSON、CSV/XLSX … · the boundary's file",
)
@option("--layer", type=OneOf(LAYERS), required=True, help="图层 · layer")
@option("--id", "of", help="整个文件是这一个地点 · the whole file is this one place")
@option("--map", "field", metavar="FIELD", help="含名称、代码或 id 的字段 · field with names, codes or ids")
@option(
    "--feature",
    metavar="NAME",
    help="只用这个要素（名称或序号）· only this feature, by a value or its number",
)
@option("--table", metavar="NAME", help="图层、工作表或压缩包中的文件 · layer, sheet, or file of an archive")
@option("--columns", metavar="EAST,NORTH", help="表格中东、北坐标的列 · columns of a table's coordinates")
@option("--crs", help="坐标系，如 EPSG:4490、西安80、GCJ-02 · coordinate system")
@option("--encoding", help="文字的编码 · encoding of the text")
@option("--source", help="来源 · where it comes from")
@option("--licence", help="使用条件 · what may be done with it")
@option("--who", help="经手人或单位 · who imports it")
@option("--why", help="缘由 · why")
@option(
    "--accuracy-m",
    type=_metres,
    required=True,
    metavar="METRES",
    help="位置精度，米 · positional accuracy, metres",
)
@option("--method", type=OneOf(METHODS), default="official", help="方法 · method (official)")
@option("--fix", is_flag=True, help="修复多边形、交换坐标轴、闭合线 · repair rings, swap axes, close lines")
@option("--accept-loss", is_flag=True, help="认可土地划出本市 · let land leave the city")
@option("--dry-run", is_flag=True, help="只检查并画前后对照 · only check, and draw a map")
@option(
    "--preview", type=click.Path(path_type=Path), metavar="FILE", help="对照图存为 · where the map is written"
)
@option("--yes", is_flag=True, help="不再询问 · publish without asking")
@lang_option()
@json_option
@home_option
def import_boundary(**given: Any) -> int:
    """Check and publish; exit 1 if it cannot be published, 2 for wrong usage."""
    options = ImportOptions(**given)
    chosen = settings(options.home)
    if not _complete(options):
        return 2
    in_force = imports_in_force(chosen.home)
    baseline = Baseline(read_facts(), read_boundaries(), read_imports(chosen.home, in_force))
    proposal = propose(_build_request(options), baseline, _tell_step)
    answer = describe(proposal, baseline)
    code = _act(options, proposal, baseline, (chosen, answer))
    if options.as_json:
        write_json(answer)
    return code


def _tell_step(step: Step) -> None:
    """Show on standard error what is being done, and how many seconds of a processor it took so far."""
    show(f"{time.process_time():7.1f} s  {text(f'import_step_{step}')}")


def _act(
    options: ImportOptions, proposal: Proposal, baseline: Baseline, told: tuple[Settings, ImportAnswer]
) -> int:
    """Draw what was only asked for, publish what may be, and say it."""
    chosen, answer = told
    code = 1 if proposal.errors else 0
    page = _draw(proposal, baseline, options.lang) if options.dry_run else None
    if page is not None:
        answer["preview"] = _write_preview(options, page, chosen.home)
        code = code if answer["preview"] else 1
    if not options.as_json:
        tell(proposal, baseline, answer)
        if options.dry_run and page is None:
            say("import_no_preview")
        _conclude(proposal, answer)
    if answer["repeated"] and code == 0:
        warn("import_repeated")
    elif code == 0 and not options.dry_run:
        code = _publish(options, proposal, chosen, answer)
    return code


def _conclude(proposal: Proposal, answer: ImportAnswer) -> None:
    if answer["preview"]:
        say("import_preview", path=answer["preview"])
    if proposal.errors:
        say("import_errors", errors=proposal.errors)
    else:
        say("import_ok", warnings=len(proposal.issues))


def _complete(options: ImportOptions) -> bool:
    if options.of and options.field:
        warn("import_both")
        return False
    if options.preview and options.preview.suffix.lower() not in PAGES:
        warn("import_bad_value", option="--preview", value=options.preview, reason=" ".join(PAGES))
        return False
    missing = [f"--{name}" for name in SAID if not options.said(name)]
    if missing and not options.dry_run:
        warn("import_missing", options=" ".join(missing))
        return False
    long = [name for name in SAID if len(getattr(options, name) or "") > MAX_TEXT]
    for name in long:
        warn(
            "import_bad_value", option=f"--{name}", value=getattr(options, name)[:20], reason=f"> {MAX_TEXT}"
        )
    said = {f"--{name}": getattr(options, name) or "" for name in SAID} | {"file": options.file.name}
    odd = {name: letter for name, value in said.items() if (letter := find_unprintable(value))}
    for name, letter in odd.items():
        warn("import_bad_value", option=name, value=UNPRINTABLE.sub("", said[name])[:20], reason=letter)
    return not long and not odd


def _build_request(options: ImportOptions) -> ImportRequest:
    said = {name: options.said(name) or "-" for name in SAID}
    checked = {one.name: getattr(options, one.name) for one in fields(CheckOptions)}
    return ImportRequest(file=options.file, when=datetime.now(UTC).replace(microsecond=0), **checked | said)


def _draw(proposal: Proposal, baseline: Baseline, language: str) -> str | None:
    """Return the page with the map, or None where there is nothing to draw."""
    neighbours = read_neighbours(baseline.boundaries, baseline.facts.plans)
    return render_preview(proposal, baseline, neighbours, language)


def _write_preview(options: ImportOptions, page: str, home: Path) -> str | None:
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


def _publish(options: ImportOptions, proposal: Proposal, chosen: Settings, answer: ImportAnswer) -> int:
    folder = chosen.home
    if not options.yes and not _confirm(options):
        warn("import_unconfirmed")
        return 1
    try:
        publish_imports(folder, proposal.records, proposal.in_force, show, Admission(chosen), chosen.local)
    except (BuildError, OSError) as error:
        tell_failed(error)
        return 1
    entry = read_last(folder)
    if entry is not None:
        answer["published"] = {"number": entry.number, "release": entry.release}
        if not options.as_json:
            say("import_published", number=entry.number, release=entry.release)
    return 0


def _confirm(options: ImportOptions) -> bool:
    if options.as_json or not sys.stdin.isatty():
        return False
    return input(text("import_confirm")).strip().lower() in {"y", "yes"}


def describe(proposal: Proposal, baseline: Baseline) -> ImportAnswer:
    """Return what was found and what would change; ``preview`` and ``published`` are for the caller."""
    in_force = keep_latest(baseline.records)
    repeated = [one.of in in_force and one.repeats(in_force[one.of]) for one in proposal.records]
    return {
        "ok": proposal.errors == 0,
        "places": [record.of for record in proposal.records],
        "findings": [issue.to_dict() for issue in proposal.issues],
        "areas": proposal.areas(),
        "transfers": proposal.list_transfer_rows(),
        "shifts": proposal.describe_shifts(),
        "repeated": bool(repeated) and all(repeated),
        "preview": None,
        "published": None,
    }


def tell(proposal: Proposal, baseline: Baseline, answer: ImportAnswer) -> None:
    """Print the findings, the areas, who gets which land, and the check for shifted coordinates."""
    for issue in proposal.issues:
        for line in issue.to_lines():
            write(line)
    for row in answer["areas"]:
        _tell_area(row, baseline)
    _tell_transfers(answer["transfers"], baseline)
    for place, verdict in answer["shifts"].items():
        _tell_shift(baseline.place_names.of(place), verdict)


def _tell_area(row: AreaChange, baseline: Baseline) -> None:
    say(
        "import_area",
        mark="* " if row["imported"] else "  ",
        place=baseline.place_names.of(row["id"]),
        before="–" if row["before_km2"] is None else f"{row['before_km2']:.2f}",
        after="–" if row["after_km2"] is None else f"{row['after_km2']:.2f}",
        official=f"{row['official_km2']:g}" if row["official_km2"] else "-",
        changed=join_terms("changed", row["changed"] or ["nothing"]),
    )


def _tell_transfers(rows: list[TransferRow], baseline: Baseline) -> None:
    if not rows:
        return
    say("import_transfers", area=f"{sum(row['area_km2'] for row in rows):.3f}")
    for row in rows[:MOST_SHOWN]:
        ends = {"giver": baseline.place_names.of(row["from"]), "taker": baseline.place_names.of(row["to"])}
        say("import_transfer", area=f"{row['area_km2']:.3f}", **ends)
    left = rows[MOST_SHOWN:]
    if left:
        say("import_transfers_left", count=len(left), area=f"{sum(row['area_km2'] for row in left):.3f}")


def _tell_shift(place: Texts, verdict: ShiftReport) -> None:
    metres = verdict["mean_distance_m"]
    values: dict[str, object] = {
        "place": place,
        "km": verdict["compared_km"],
        "metres": metres.get(crs.LONLAT),
    }
    values["median"] = verdict["median_distance_m"]
    if not verdict["told"]:
        say("import_shift_untold", **values)
    elif verdict["suspected"]:
        frame = verdict["suspected"]
        say("import_shift_found", frame=frame, shifted=metres[frame], **values)
    else:
        say("import_shift_far" if verdict["far"] else "import_shift_none", **values)
