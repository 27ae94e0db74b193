"""``check`` and ``audit``: are facts and additions whole, and does the plan's text say them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click

from geodata import read
from geodata.audit import audit_facts
from geodata.check import check_facts
from geodata.local import read_local
from geodata.messages import Problem
from scripts.commands.common import (
    city_option,
    command,
    json_option,
    lang_option,
    local_option,
    option,
    settings,
    write_json,
)
from scripts.messages import say, warn, write

facts_option = option(
    "--facts",
    type=click.Path(path_type=Path),
    default=read.ROOT,
    metavar="FOLDER",
    help="含 plan/ 与 places/ 的文件夹，默认为城市的 · folder with plan/ and places/, the city's by default",
)


@command("check")
@facts_option
@local_option
@city_option
@json_option
def check(*, facts: Path, local: Path | None, as_json: bool) -> int:
    """Print the problems; exit 1 if one of them is an error."""
    chosen = settings(None, local)
    found = read.read_facts(facts)
    additions = read_local(chosen.local, found)
    problems = (*found.problems, *check_facts(found), *additions.problems)
    if additions.basemap and not found.problems:
        problems += tuple(_check_basemap(additions.basemap, found, facts))
    errors = sum(problem.level == "error" for problem in problems)
    if as_json:
        write_json({"ok": errors == 0, "problems": [problem.to_dict() for problem in problems]})
    else:
        _print(problems, errors)
    return 1 if errors else 0


def _check_basemap(path: Path, found: read.Facts, facts: Path) -> Iterator[Problem]:
    """Read a basemap as a build does, which may take minutes, and yield what is wrong with it."""
    # Only who has a basemap pays for what draws it.
    from geodata.basemap import BasemapError
    from layers.basemap import open_basemap

    try:
        open_basemap(path, found, read.read_boundaries(facts / "boundaries"))
    except BasemapError as error:
        yield error.to_problem()


def _print(problems: tuple[Problem, ...], errors: int) -> None:
    for problem in problems:
        write(str(problem))
    if problems:
        say("facts_bad", errors=errors, warnings=len(problems) - errors)
    else:
        say("facts_good")


@command("audit")
@option(
    "--plan",
    envvar="WEIHAI_LAYOUT_PLAN",
    metavar="FILE",
    help="规划文本 · the plan's text (WEIHAI_LAYOUT_PLAN)",
)
@facts_option
@city_option
@lang_option(("zh", "en"))
@json_option
def audit(*, plan: str | None, facts: Path, lang: Literal["zh", "en"], as_json: bool) -> int:
    """Print what each clause contributes and every miss; exit 1 on a miss, 2 without a plan."""
    if not plan:
        warn("plan_missing")
        return 2
    try:
        plan_text = Path(plan).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        warn("file_unreadable", path=plan, reason=error)
        return 2
    found = read.read_facts(facts)
    report = audit_facts(found, plan_text)
    if as_json:
        write_json(report.to_dict() | {"problems": [problem.to_dict() for problem in found.problems]})
    else:
        write("\n".join([*map(str, found.problems), *report.lines(lang)]))
    return 0 if report.ok and not found.problems else 1
