"""``build``, ``history``, ``rollback``: publish, list publications, repair their records, return to one."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click
from filelock import FileLock

from layers.history import Entry, list_places, read_history, read_last, trace
from layers.home import Standing, find_home, read_standing
from layers.inspection import repair as repair_home
from scripts.bilingual import say, warn
from scripts.commands.common import (
    MAX_DIGITS,
    SHOWN,
    Refusal,
    command,
    home_option,
    json_option,
    live_release,
    local_option,
    option,
    settings,
    show,
    tell_failed,
    write_json,
)

if TYPE_CHECKING:
    from layers.store import Release


@command("build")
@json_option
@home_option
@local_option
def build(*, as_json: bool, home: Path | None, local: Path | None) -> int:
    """Print where the release is; exit 1 if there is none, or if the store does not take it."""
    # Only who publishes pays for it.
    from scripts.postgis_sync import Admission, Outcome, bring

    chosen = settings(home, local)
    admission = Admission(chosen)
    release = live_release(chosen, admission)
    if (admission.outcome or bring(chosen, release)) is not Outcome.READY:
        return 1
    if as_json:
        write_json({"id": release.id, "folder": str(release.folder), "files": release.manifest["files"]})
    else:
        say("release_at", path=release.folder)
    return 0


SHORT = 12


@command("history")
@click.argument("place", metavar="ID", required=False, help="地点的 id · id of a place")
@option(
    "--repair",
    is_flag=True,
    help="用文件夹中的副本恢复损坏或缺失的记录 · restore damaged or missing records from their copies",
)
@json_option
@home_option
def history(*, place: str | None, repair: bool, as_json: bool, home: Path | None) -> int:
    """Print the history; exit 1 where there is none, 2 for an unknown place."""
    folder = home or find_home()
    if repair:
        return _repair(folder, as_json=as_json)
    entries = read_history(folder)
    if not entries:
        warn("history_empty")
        return 1
    live = entries[-1]
    if place is not None:
        return _print_place(place, entries, as_json=as_json)
    if as_json:
        write_json([_describe(entry, live) for entry in entries])
    else:
        for entry in entries:
            _print_entry(entry, live)
    return 0


def _repair(home: Path, *, as_json: bool) -> int:
    """Restore what can be, and say it; what has to come from a backup is a HomeError."""
    if read_standing(home, strict=False) is Standing.NEW:
        warn("history_empty")
        return 1
    try:
        with FileLock(home / ".lock"):
            fixed = repair_home(home)
    except OSError as error:
        warn("file_unwritable", path=error.filename or home, reason=error.strerror)
        return 1
    if as_json:
        write_json([str(path) for path in fixed])
        return 0
    for path in fixed:
        say("home_repaired", path=path)
    say("home_sound", home=home, count=len(read_history(home)))
    return 0


def _describe(entry: Entry, live: Entry | None) -> dict[str, object]:
    return asdict(entry) | {"live": entry == live}


def _print_entry(entry: Entry, live: Entry | None) -> None:
    act = entry.act
    counts = act.changes.get("facts", {}).values()
    say(
        "history_line",
        mark="*" if entry == live else " ",
        number=entry.number,
        when=entry.when,
        release=entry.release[:SHORT],
        action=act.action if act.back_to is None else f"{act.action} {act.back_to}",
        who=act.who or "-",
        why=act.why or "-",
        areas=len(act.changes.get("areas", ())),
        facts=sum(sum(count.values()) for count in counts),
    )


def _print_place(place: str, entries: list[Entry], *, as_json: bool) -> int:
    events = trace(entries, place)
    if not events:
        near = get_close_matches(place, sorted(list_places(entries)), n=5, cutoff=0.4)
        warn("history_unknown", place=place, near=", ".join(near) or "-")
        return 2
    if as_json:
        write_json(events)
        return 0
    for event in events:
        after = event["after"] or {}
        say(
            "history_place",
            number=event["number"],
            when=event["when"],
            how=event["how"],
            before=(event["before"] or {}).get("area_km2", "-"),
            after=after.get("area_km2", "-"),
            method=after.get("geometry_method", "-"),
            accuracy=after.get("positional_accuracy_m", "-"),
            who=event["who"] or "-",
            why=event["why"] or "-",
        )
        for said in (event["import"] or {}).get("fixes", ()):
            say("history_remark", said=said)
    return 0


def _read_number(given: str) -> int:
    digits = given.strip().removeprefix("-")
    if not digits.isdecimal() or len(digits) > MAX_DIGITS:
        raise Refusal("rollback_no_number", value=repr(given[:SHOWN]))
    return int(given)


@command("rollback")
@click.argument(
    "number", type=_read_number, metavar="NUMBER", help="编号，见 history · its number, see history"
)
@option("--who", help="经手人 · who does it (user name)")
@option("--why", help="缘由 · why")
@json_option
@home_option
def rollback(*, number: int, who: str | None, why: str | None, as_json: bool, home: Path | None) -> int:
    """Roll back; exit 1 if that fails, 2 for an unknown number."""
    # Only who publishes pays for it.
    from scripts.postgis_sync import Admission
    from webmap.publish import BuildError, By, roll_back

    chosen = settings(home)
    known = [entry.number for entry in read_history(chosen.home)]
    if number not in known:
        warn("rollback_unknown", number=number, known=", ".join(map(str, known)) or "-")
        return 2
    by = By((who or "").strip() or _user(), why)
    try:
        found = roll_back(chosen.home, number, by, show, Admission(chosen), chosen.local)
    except (BuildError, OSError) as error:
        tell_failed(error)
        return 1
    last = read_last(chosen.home)
    if last is not None:
        _tell(number, last, found, as_json=as_json)
    return 0


def _tell(number: int, last: Entry, found: tuple[Release, bool] | None, *, as_json: bool) -> None:
    exact = found is None or found[1]
    if as_json:
        answer = {"back_to": number, "release": last.release, "exact": exact, "number": last.number}
        write_json(answer | {"repeated": found is None})
    if found is None:
        warn("rollback_repeated", number=number, release=last.release, entry=last.number)
    elif not as_json:
        key = "rollback_exact" if exact else "rollback_rebuilt"
        say(key, number=number, release=last.release, entry=last.number)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "?"
