"""List every publication, or what they did to one place's boundary; restore what was damaged."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from filelock import FileLock

from layers.history import Entry, list_places, read_history, trace
from layers.home import Standing, find_home, read_standing
from layers.inspection import repair
from scripts.answer import add_home, add_json, write_json
from scripts.messages import say, warn

SHORT = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("id", nargs="?", metavar="ID", help="地点的 id · id of a place")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="用文件夹中的副本恢复损坏或缺失的记录 · restore damaged or missing records from their copies",
    )
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Print the history; exit 1 where there is none, 2 for an unknown place."""
    home = options.home or find_home()
    if options.repair:
        return _repair(options, home)
    entries = read_history(home)
    if not entries:
        warn("history_empty")
        return 1
    live = entries[-1]
    if options.id is not None:
        return _print_place(options, entries)
    if options.json:
        write_json([_describe(entry, live) for entry in entries])
    else:
        for entry in entries:
            _print_entry(entry, live)
    return 0


def _repair(options: argparse.Namespace, home: Path) -> int:
    """Restore what can be, and say it; what has to come from a backup is a HomeError."""
    if read_standing(home, strict=False) is Standing.NEW:
        warn("history_empty")
        return 1
    try:
        with FileLock(home / ".lock"):
            fixed = repair(home)
    except OSError as error:
        warn("file_unwritable", path=error.filename or home, reason=error.strerror)
        return 1
    if options.json:
        write_json([str(path) for path in fixed])
        return 0
    for path in fixed:
        say("home_repaired", path=path)
    say("home_sound", home=home, count=len(read_history(home)))
    return 0


def _describe(entry: Entry, live: Entry | None) -> dict[str, Any]:
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


def _print_place(options: argparse.Namespace, entries: list[Entry]) -> int:
    events = trace(entries, options.id)
    if not events:
        near = get_close_matches(options.id, sorted(list_places(entries)), n=5, cutoff=0.4)
        warn("history_unknown", place=options.id, near=", ".join(near) or "-")
        return 2
    if options.json:
        write_json(events)
        return 0
    for event in events:
        after: dict[str, Any] = event["after"] or {}
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
