"""``join``: a table or layer of somebody's own, with what the plan says of each of its rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from layers.home import write_atomically
from layers.store import Release
from scripts.commands.common import (
    asked_release,
    command,
    home_option,
    json_option,
    lang_option,
    option,
    settings,
    write_json,
)
from scripts.messages import say, text, warn, write

if TYPE_CHECKING:
    from layers.join.request import JoinRefusedError, JoinSummary

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
    from layers.join.request import FILES, SUMMARY, JoinRefusedError

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
        _refuse(refusal)
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
        write("\n".join(_lines(summary, options.lang)))
        if options.out:
            say("written", path=options.out, size=len(content))
    return 0


def _join(options: JoinOptions, kind: str, release: Release) -> tuple[JoinSummary, bytes]:
    from layers.join.job import join_file
    from layers.join.request import OPTIONS, JoinRequest

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


def _refuse(refusal: JoinRefusedError) -> None:
    for language in ("zh", "en"):
        write(refusal.texts[language], error=True)
        if refusal.fix:
            write(f"  → {refusal.fix[language]}", error=True)


def _lines(summary: JoinSummary, language: str) -> Iterator[str]:
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
