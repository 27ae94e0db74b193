"""Return to an earlier publication, as a new one."""

from __future__ import annotations

import argparse
import getpass

from layers.history import Entry, read_history, read_last
from layers.store import Release
from scripts.answer import add_home, add_json, settings, show, tell_failed, write_json
from scripts.messages import say, text, warn
from scripts.stored import Admission
from scripts.whole import MAX_DIGITS
from webmap.publish import BuildError, By, roll_back


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("number", type=_number, help="编号，见 history · its number, see history")
    parser.add_argument("--who", help="经手人 · who does it (user name)")
    parser.add_argument("--why", help="缘由 · why")
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Roll back; exit 1 if that fails, 2 for an unknown number."""
    chosen = settings(options)
    if chosen is None:
        return 1
    known = [entry.number for entry in read_history(chosen.home)]
    if options.number not in known:
        warn("rollback_unknown", number=options.number, known=", ".join(map(str, known)) or "-")
        return 2
    who = (options.who or "").strip() or _user()
    try:
        found = roll_back(chosen.home, options.number, By(who, options.why), show, Admission(chosen))
    except (BuildError, OSError) as error:
        tell_failed(error)
        return 1
    last = read_last(chosen.home)
    if last is not None:
        _tell(options, last, found)
    return 0


def _tell(options: argparse.Namespace, last: Entry, found: tuple[Release, bool] | None) -> None:
    exact = found is None or found[1]
    if options.json:
        answer = {"back_to": options.number, "release": last.release, "exact": exact, "number": last.number}
        write_json(answer | {"repeated": found is None})
    if found is None:
        warn("rollback_repeated", number=options.number, release=last.release, entry=last.number)
    elif not options.json:
        key = "rollback_exact" if exact else "rollback_rebuilt"
        say(key, number=options.number, release=last.release, entry=last.number)


def _number(given: str) -> int:
    digits = given.strip().removeprefix("-")
    if not digits.isdecimal() or len(digits) > MAX_DIGITS:
        raise argparse.ArgumentTypeError(text("rollback_no_number", value=repr(given[:40])))
    return int(given)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "?"
