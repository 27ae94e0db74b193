"""``local``: write examples of what an operator adds, and bring files into the additions of a site."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from filelock import FileLock

from geodata.local import place_of_file, read_local, write_examples
from geodata.read import Facts, read_facts
from scripts.commands.common import OneOf, Refusal, command, home_option, local_option, settings, try_release
from scripts.messages import say, warn, write
from webmap.settings import Settings

INIT, ADD = "init", "add"
STAGED = ".adding-"  # how folders begin in which files wait


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
        folder.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(folder / ".lock"),
            tempfile.TemporaryDirectory(prefix=STAGED, dir=folder, ignore_cleanup_errors=True) as name,
        ):
            staged, kept = Path(name) / "new", Path(name) / "old"
            _stage(folder, staged, wanted)
            if not _is_sound(staged, wanted, read_facts()):
                warn("local_refused", path=folder)
                return 1
            with _exchanged(folder, staged, kept, wanted) as keep:
                release = try_release(chosen)
                keep(release is not None)
    except OSError as error:
        warn("file_unreadable", path=error.filename or folder, reason=error.strerror or error)
        return 1
    if release is None:
        warn("local_refused", path=folder)
        return 1
    say("local_added", names=", ".join(wanted), release=release.id)
    return 0


def _stage(folder: Path, staged: Path, wanted: Mapping[str, Path]) -> None:
    """Make a folder as it will be: links to what is there, which may be large; copies of the new files."""
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in place.parts):
            (staged / place).parent.mkdir(parents=True, exist_ok=True)
            (staged / place).symlink_to(path.resolve())
    for name, source in wanted.items():
        target = staged / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)


def _is_sound(staged: Path, wanted: Mapping[str, Path], facts: Facts) -> bool:
    """Say everything that is wrong with a folder, and tell whether it may be published."""
    problems = read_local(staged, facts).problems
    for problem in problems:
        write(str(problem), error=True)
    unused = [one.file for one in problems if one.code == "local-unknown-file" and one.file in wanted]
    return not unused and all(problem.level != "error" for problem in problems)


@contextmanager
def _exchanged(folder: Path, staged: Path, kept: Path, wanted: Mapping[str, Path]) -> Iterator[_Keep]:
    """Put the new files in place of the old; bring the old ones back unless they are to be kept so."""
    keep = _Keep()
    try:
        for place in wanted:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            if (folder / place).exists():
                (kept / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(folder / place, kept / place)
            (staged / place).replace(folder / place)
        yield keep
    finally:
        for place in () if keep.sure else wanted:
            if (kept / place).exists():
                (kept / place).replace(folder / place)
            elif not (staged / place).exists():  # it was new
                (folder / place).unlink(missing_ok=True)


class _Keep:
    """Whether what was exchanged stays."""

    sure = False

    def __call__(self, sure: bool) -> None:  # noqa: FBT001
        self.sure = sure
