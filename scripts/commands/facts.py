"""``check``, ``audit``, ``local``: are facts and additions whole, does the plan say them, what is added."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click

from geodata import read
from geodata.audit import audit_facts
from geodata.check import check_facts
from geodata.local import place_of_file, read_local, write_examples
from geodata.messages import Problem
from geodata.read import read_facts
from scripts.bilingual import say, warn, write
from scripts.commands.common import (
    OneOf,
    Refusal,
    city_option,
    command,
    home_option,
    json_option,
    lang_option,
    local_option,
    option,
    settings,
    try_release,
    write_json,
)
from webmap.publish import add_files
from webmap.settings import Settings

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
    from layers.basemap_cells import open_basemap

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


INIT, ADD = "init", "add"


@command("local")
@click.argument(
    "act",
    type=OneOf((INIT, ADD)),
    metavar="init|add",
    help="写出各文件的示例，或加入、更新文件并发布 · write examples, or add or renew files and publish",
)
@click.argument(
    "paths",
    type=click.Path(path_type=Path),
    nargs=-1,
    required=True,
    metavar="PATH...",
    help="init：写到哪个文件夹；add：一个或几个文件 · init: the folder to write to; add: one file or several",
)
@home_option
@local_option
def local(*, act: str, paths: tuple[Path, ...], home: Path | None, local: Path | None) -> int:
    """Write the examples or add the files; exit 1 where that cannot be, with nothing changed."""
    if act == INIT:
        if len(paths) > 1:
            raise Refusal("usage_unknown", arguments=" ".join(map(str, paths[1:])))
        return _write_examples(paths[0])
    chosen = settings(home, local)
    if chosen.local is None:
        warn("local_unnamed")
        return 2
    return _add(chosen, chosen.local, paths)


def _write_examples(folder: Path) -> int:
    try:
        names = write_examples(folder, read_facts())
    except FileExistsError as error:
        warn("local_exists", path=folder, names=error)
        return 1
    except OSError as error:
        warn("file_unwritable", path=folder, reason=error.strerror or error)
        return 1
    say("local_written", path=folder, names=", ".join(names))
    return 0


def _add(chosen: Settings, folder: Path, paths: tuple[Path, ...]) -> int:
    """Check the files with what is there, put them in their places and publish; or change nothing."""
    places = {path: place_of_file(path.name) for path in paths}
    unknown = [path.name for path, place in places.items() if place is None]
    if unknown:
        warn("local_unknown", names=", ".join(unknown))
        return 1
    wanted = {place: path for path, place in places.items() if place}
    try:
        release = add_files(folder, wanted, lambda: try_release(chosen), _say_problem)
    except OSError as error:
        warn("file_unreadable", path=error.filename or folder, reason=error.strerror or error)
        return 1
    if release is None:
        warn("local_refused", path=folder)
        return 1
    say("local_added", names=", ".join(wanted), release=release.id)
    return 0


def _say_problem(found: Problem) -> None:
    write(str(found), error=True)
