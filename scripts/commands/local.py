"""``local``: write examples of what an operator adds, and bring files into the additions of a site."""

from __future__ import annotations

from pathlib import Path

import click

from geodata.local import place_of_file, write_examples
from geodata.messages import Problem
from geodata.read import read_facts
from scripts.commands.common import OneOf, Refusal, command, home_option, local_option, settings, try_release
from scripts.messages import say, warn, write
from webmap.publish import add_files
from webmap.settings import Settings

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
