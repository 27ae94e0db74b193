"""Write to files: layers and tables in any format of the download centre, maps, and the whole site."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
from filelock import FileLock

from layers.export.job import FORMATS, FRAMES, GEOMETRIES, PLAN, Job, build_job, release_path
from layers.home import write_atomically
from layers.store import BrokenReleaseError, Release
from scripts.bilingual import say, text, warn, write
from scripts.commands.common import (
    OneOf,
    Refusal,
    asked_release,
    command,
    home_option,
    json_option,
    local_option,
    option,
    settings,
    show,
    tell_wrong,
    write_json,
)
from webmap.content import Content
from webmap.downloads import DownloadRequest, parse_download
from webmap.file_addresses import Files
from webmap.i18n import LANGUAGES
from webmap.map_choice import parse_map_choice
from webmap.params import wrong_choice
from webmap.problems import RequestError
from webmap.settings import URL, Settings
from webmap.static_site import NotOursError, check_folder, remove_site_leftovers, write_site

FILTERS = ("filter", "theme", "industry", "cluster", "zone")


@dataclass(frozen=True)
class ExportOptions:
    """What was asked for; the filters are None where they were not given."""

    layer: tuple[str, ...]
    format: str | None
    crs: str | None
    geometry: str | None
    filter: str | None
    theme: str | None
    industry: str | None
    cluster: str | None
    zone: str | None
    out: str
    as_json: bool
    home: Path | None


@command("export")
@click.argument(
    "layer",
    nargs=-1,
    required=True,
    help=f"图层或表，如 zones；{PLAN} 为全部 · layers or tables; {PLAN} for everything",
)
@option(
    "--format",
    type=OneOf(FORMATS),
    metavar="FORMAT",
    help="默认按文件名，否则 geojson 或 json · by the file's name, else geojson or json: "
    + ", ".join(FORMATS),
)
@option("--crs", help=f"坐标系，或其 OGC 网址 · frame, or its OGC URI: CRS84, {', '.join(FRAMES)}")
@option("--geometry", help=f"CSV、XLSX 中的位置 · places in CSV, XLSX: {', '.join(GEOMETRIES)}")
@option("--filter", help="CQL2 条件，限单个图层 · CQL2 condition, for one layer")
@option("--theme", help="地图主题的图层 · the layers of a theme of the map")
@option("--industry", help="产业编号 · id of an industry")
@option("--cluster", help="产业集群编号 · id of a cluster")
@option("--zone", help="区域编号，含其内 · id of a place, with all inside")
@option(
    *("-o", "--out", "--output", "out"),
    required=True,
    metavar="FILE",
    help="文件，- 为标准输出 · file, - for standard output",
)
@json_option
@home_option
def export(**given: Any) -> int:
    """Write the file; exit 2 for what cannot be had, 1 if the file cannot be made or written."""
    options = ExportOptions(**given)
    if options.as_json and options.out == "-":
        warn("json_and_file")
        return 2
    if not _check_name(options):
        return 2
    release = asked_release(settings(options.home))
    content = Content(release)
    try:
        asked = _parse(options, content)
        made = _make(options, asked, content)
    except RequestError as error:
        return _refuse(error, release)
    return _answer(options, asked, made)


def _parse(options: ExportOptions, content: Content) -> DownloadRequest:
    names = options.layer
    given = {name: getattr(options, name) for name in ("crs", "geometry", *FILTERS)}
    arguments = {name: value for name, value in given.items() if value is not None}
    tables = {info["id"] for info in content.layers if info["geometry"] == "none"}
    kind = options.format or _format_of(options.out) or ("json" if names[0] in tables else "geojson")
    for name in names[1:]:  # each must be known, and there is no one file but the plan's that holds many
        parse_download(name, "json" if name in tables else "geojson", {}, content)
    return parse_download(names[0] if len(names) == 1 else PLAN, kind, arguments, content)


def _format_of(out: str) -> str | None:
    """Return the format that a file's name ends in, the longest that fits."""
    fitting = [kind for kind in FORMATS if out.lower().endswith(f".{kind}")]
    return max(fitting, key=len, default=None)


def _check_name(options: ExportOptions) -> bool:
    """Tell whether the file's name ends in its format, or says none; a name that lies is refused."""
    suffix = "" if options.out == "-" else Path(options.out).suffix.lower()
    if not suffix:
        return True
    if options.format is None:
        allowed = tuple(FORMATS)
        fits = _format_of(options.out) is not None
    else:
        allowed = _endings(options.format)
        fits = options.out.lower().endswith(tuple(f".{one}" for one in allowed))
    if not fits:
        endings = " ".join(f".{one}" for one in allowed)
        warn("export_bad_name", value=options.out, suffix=suffix, allowed=endings)
    return fits


def _endings(kind: str) -> tuple[str, ...]:
    """Return how a file of a format may end: as itself, or as the kind of file that it is."""
    more = {"geojson": "json", "topojson": "json", "shp.zip": "zip", "gdb.zip": "zip", "qgis.zip": "zip"}
    return (kind, more[kind]) if kind in more else (kind,)


def _make(options: ExportOptions, asked: DownloadRequest, content: Content) -> tuple[Job, bytes]:
    # Heavy, and not needed for a refusal.
    from layers.export.write import write_file

    job = build_job(asked.to_request(content.release))
    if len(options.layer) > 1:
        job = replace(job, parts=tuple(part for part in job.parts if part.id in options.layer))
    elif asked.usual:
        return job, content.release.read(release_path(asked.spec.name, asked.spec.format))
    return job, write_file(job)


def _refuse(error: RequestError, release: Release) -> int:
    """Say what is wrong in both languages, as the site does."""
    tell_wrong(release, error.key, error.values)
    if error.near:
        write(", ".join(one["id"] for one in error.near), error=True)
    return 1 if error.status == HTTPStatus.SERVICE_UNAVAILABLE else 2


def _answer(options: ExportOptions, asked: DownloadRequest, made: tuple[Job, bytes]) -> int:
    job, content = made
    if not options.as_json:
        return _put(options.out, content)
    code = _put(options.out, content, quiet=True)
    if not code:
        write_json(
            {
                "path": options.out,
                "format": asked.spec.format,
                "crs": asked.spec.frame,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "rows": {part.id: len(part.rows) for part in job.parts},
            }
        )
    return code


@command("map")
@option("--theme", default="districts", help="地图主题编号 · id of a theme of the map")
@option("--lang", "language", type=OneOf(LANGUAGES), default="zh", help="语言 · language: zh, en, ko")
@option("--industry", help="产业编号，突出其所在区域 · id of an industry whose places stand out")
@option("--cluster", help="产业集群编号（clusters 主题）· id of a cluster, on the theme of clusters")
@option("--layers", help="叠加图层，逗号分隔，可带不透明度 · layers on top, as zones:60,platforms")
@option("--base", default="", help="弹窗链接指向的站点 · address of the site that popups link to")
@option(
    *("-o", "--out", "--output", "out"),
    required=True,
    metavar="FILE",
    help="HTML 文件，- 为标准输出 · HTML file, - for standard output",
)
@home_option
def map(theme: str, language: str, out: str, base: str, home: Path | None, **asked: str | None) -> int:  # noqa: A001 - the name of the command
    """Write a theme as one HTML file that needs no other and no host; exit 2 for what is not there."""
    # Heavy, and only this command's.
    from webmap.folium_map import to_map

    release = asked_release(settings(home))
    payload = release.read_json(f"map/{language}.json")
    try:
        themes = [row["id"] for row in payload["themes"]]
        if theme not in themes:
            raise wrong_choice("theme", theme, themes)
        given = {name: value for name, value in asked.items() if value}
        choice = parse_map_choice(theme, given, payload)
    except RequestError as error:
        return _refuse(error, release)
    made = to_map(language=language, release=release, choice=choice, base=base.rstrip("/"))
    return _put(out, str(made.get_root().render()).encode())


def _put(out: str, content: bytes, *, quiet: bool = False) -> int:
    """Write a file, or standard output; return the exit code."""
    if out == "-":
        sys.stdout.buffer.write(content)
        return 0
    try:
        write_atomically(Path(out), content)
    except OSError as error:
        warn("file_unwritable", path=out, reason=error.strerror)
        return 1
    if not quiet:
        say("written", path=out, size=len(content))
    return 0


TOLD_EVERY_S = 10.0


def _parse_url(given: str) -> str:
    url = given.rstrip("/")
    if not URL.fullmatch(url):
        raise Refusal("site_bad_url", value=given)
    return url


@command("site")
@click.argument(
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="写到哪个文件夹；其中已有的静态站被整体替换 · where to write; a site that is there is replaced",
)
@option(
    "--url",
    type=_parse_url,
    metavar="URL",
    help="对外网址，用于完整链接、二维码、站点地图与 404 页 · "
    "its address from outside, for whole links, QR codes, sitemap and the page of 404",
)
@option("--without-sheets", is_flag=True, help="不写 PDF 与打印图 · without PDF and printed maps")
@json_option
@home_option
@local_option
def site(
    *,
    folder: Path,
    url: str | None,
    without_sheets: bool,
    as_json: bool,
    home: Path | None,
    local: Path | None,
) -> int:
    """Write the site; exit 2 for a folder that is not ours, 1 if the site cannot be made or written."""
    try:
        check_folder(folder)
    except NotOursError as error:
        return _refuse_folder(folder, error)
    except OSError as error:
        return _give_up(folder, error)
    chosen = settings(home, local)
    release = asked_release(chosen)
    with FileLock(chosen.home / ".site.lock"):  # one at a time: the leftovers of others are removed
        try:
            return _write(folder, Files(url, sheets=not without_sheets), release, chosen, as_json=as_json)
        except NotOursError as error:
            return _refuse_folder(folder, error)
        except OSError as error:
            return _give_up(folder, error)


def _write(folder: Path, files: Files, release: Release, chosen: Settings, *, as_json: bool) -> int:
    # Heavy, and not needed for a refusal.
    from webmap.static_site import SiteError, build_site

    about = {"release": release.id, "url": files.url, "sheets": files.sheets}
    remove_site_leftovers(folder)
    try:
        made = _tell(build_site(release, chosen, files))
        written = write_site(folder, made, about)
    except (SiteError, BrokenReleaseError) as error:
        warn("site_failed", reason=error)
        return 1
    if as_json:
        told = {"path": str(folder), "files": written.files, "bytes": written.size}
        write_json(told | about)
    else:
        say("site_written", path=folder, files=written.files, size=f"{written.size / 1e6:,.1f}")
    return 0


def _tell(files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Pass files on, and say now and then how many there were."""
    told = time.monotonic()
    for count, file in enumerate(files, 1):
        yield file
        if time.monotonic() - told > TOLD_EVERY_S:
            told = time.monotonic()
            show(text("site_progress", count=count, path=file[0]))


def _refuse_folder(folder: Path, error: NotOursError) -> int:
    warn("site_not_ours", path=folder, file=error)
    return 2


def _give_up(folder: Path, error: OSError) -> int:
    warn("file_unwritable", path=error.filename or folder, reason=error.strerror)
    return 1
