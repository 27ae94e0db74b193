"""Write the live release as plain files that any web server or object store serves."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from filelock import FileLock

from layers.store import BrokenReleaseError, Release
from scripts.commands.common import (
    Refusal,
    asked_release,
    command,
    home_option,
    json_option,
    local_option,
    option,
    settings,
    show,
    write_json,
)
from scripts.messages import say, text, warn
from webmap.file_addresses import Files
from webmap.settings import URL, Settings
from webmap.site.build import NotOursError, check_folder, remove_site_leftovers, write_site

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
        return _refuse(folder, error)
    except OSError as error:
        return _give_up(folder, error)
    chosen = settings(home, local)
    release = asked_release(chosen)
    with FileLock(chosen.home / ".site.lock"):  # one at a time: the leftovers of others are removed
        try:
            return _write(folder, Files(url, sheets=not without_sheets), release, chosen, as_json=as_json)
        except NotOursError as error:
            return _refuse(folder, error)
        except OSError as error:
            return _give_up(folder, error)


def _write(folder: Path, files: Files, release: Release, chosen: Settings, *, as_json: bool) -> int:
    # Heavy, and not needed for a refusal.
    from webmap.site.build import build_site
    from webmap.site.crawler import SiteError

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


def _refuse(folder: Path, error: NotOursError) -> int:
    warn("site_not_ours", path=folder, file=error)
    return 2


def _give_up(folder: Path, error: OSError) -> int:
    warn("file_unwritable", path=error.filename or folder, reason=error.strerror)
    return 1
