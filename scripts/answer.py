"""What the subcommands share: the ``--json`` option and the release that they ask."""

from __future__ import annotations

import argparse
import errno
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.home import HomeError, find_home
from layers.store import BrokenReleaseError, Release, read_current
from scripts.messages import text, warn, write

if TYPE_CHECKING:
    from scripts.stored import Admission
    from webmap.settings import Settings

LANGUAGES = ("zh", "en", "ko")
UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json``."""
    parser.add_argument("--json", action="store_true", help="以 JSON 回答 · answer as JSON")


def add_language(parser: argparse.ArgumentParser, languages: tuple[str, ...] = LANGUAGES) -> None:
    """Declare ``--lang``."""
    parser.add_argument("--lang", choices=languages, default="zh", help="语言 · language (zh)")


def write_json(answer: Any) -> None:
    """Print `answer` as JSON, for programs."""
    write(json.dumps(answer, ensure_ascii=False, indent=2))


def add_home(parser: argparse.ArgumentParser) -> None:
    """Declare ``--home``."""
    parser.add_argument(
        "--home", type=Path, help="发布版的文件夹 · folder of the releases (WEIHAI_LAYOUT_HOME)"
    )


def settings(options: argparse.Namespace) -> Settings | None:
    """Return the operator's settings, or None after saying which one is wrong."""
    # Only who serves or publishes pays for it.
    from webmap.settings import read_settings

    try:
        found = read_settings()
    except ValueError as error:
        warn("bad_setting", reason=error)
        return None
    return found if options.home is None else replace(found, home=options.home)


def show(line: str) -> None:
    """Show progress on standard error, so that the answer stays alone on standard output."""
    write(line, error=True)


def tell_failed(error: Exception) -> None:
    """Say why nothing was published in place of the live release."""
    _show_reasons(error)
    if isinstance(error, OSError):  # whose words do not say what comes of it
        warn("unpublished")


def _show_reasons(error: Exception, shown: Collection[str] = ()) -> None:
    """Show the lines of an error, but for those that were shown already."""
    for line in str(error).splitlines():
        if line not in shown:
            show(line)


def live_release(settings: Settings | None, admission: Admission | None = None) -> Release | None:
    """Return a sound release of the current inputs, built if needed; None after saying why not.

    A new one goes live where the `admission` lets it, by default once the store holds it. Progress goes
    to standard error, so that the answer stays alone on standard output.
    """
    if settings is None:
        return None
    # Only who publishes pays for it.
    from scripts.stored import Admission, UnstoredError
    from webmap.publish import BuildError, publish

    shown: list[str] = []

    def note(line: str) -> None:
        shown.append(line)
        show(line)

    try:
        return publish(settings.home, note, admit=admission or Admission(settings))
    except (BuildError, OSError) as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            return _use_as_it_is(settings.home, error)
        _show_reasons(error, shown)
        if not isinstance(error, UnstoredError):
            warn("build_failed")
        return None


def _use_as_it_is(home: Path, error: OSError) -> Release | None:
    """Return the live release of a home that is only to be read; None after saying why it cannot be used."""
    reason = error.strerror or str(error)
    try:
        release = _read_sound(home)
    except BrokenReleaseError as broken:
        warn("home_without_release", home=home, reason=reason, what=broken)
        return None
    show(text("home_read_only", home=home, reason=reason, release=release.id))
    return release


def _read_sound(home: Path) -> Release:
    """Return the live release; raises BrokenReleaseError unless it is whole and this code can read it."""
    # Only who serves pays for it.
    from layers.history import read_last
    from webmap.publish import hash_code

    release, last = read_current(home), read_last(home)
    if release is None:
        raise BrokenReleaseError(text("no_release"))
    if last is not None and last.act.code != hash_code():
        raise BrokenReleaseError(text("made_by_other_code", release=release.id))
    release.verify()
    return release


def tell_home(error: HomeError, given: Path | None) -> int:
    """Say what is wrong with a home and how to restore it, and return the exit code."""
    home = given or find_home()
    file = error.path.relative_to(home) if error.path.is_relative_to(home) else error.path
    warn(f"home_{error.key}", path=error.path, home=home, file=file, **error.values)
    if error.key not in {"foreign", "newer"}:
        warn("home_untouched", home=home)
    return 2 if error.key == "foreign" else 1
