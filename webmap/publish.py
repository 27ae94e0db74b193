"""Publish: keep the live release in step with its inputs, import boundaries, return to an earlier one.

Each is one step: it publishes everything, or nothing and leaves the live release as it was.

Light on purpose: the web process imports this, and the heavy build runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from filelock import FileLock

from geodata.city import CITIES, VARIABLE, find_city, read_city
from layers.changes import ChangeSummary, compare, summarise
from layers.child_job import ENVIRONMENT
from layers.history import (
    CORE,
    Act,
    Entry,
    adopt,
    check_archive,
    check_imports,
    compare_archives,
    describe_import,
    list_data,
    open_data,
    read_history,
    read_last,
    record,
    replace_latest,
    tidy,
    write_import,
)
from layers.home import HomeError, Standing, claim, read_standing
from layers.store import (
    BrokenReleaseError,
    Release,
    find_placed,
    read_current,
    read_pointer,
    remove_leftovers,
)

if TYPE_CHECKING:
    from geodata.imported import ImportedBoundary
    from geodata.messages import Problem

ROOT = Path(__file__).parent.parent
FACTS = find_city()
PACKAGES = ("geodata", "layers", "webmap")
SUFFIXES = {".py", ".yaml", ".geojson", ".json", ".js", ".css", ".svg", ".sql"}
_FACTS = ("city/plan/", "city/places/", "city/boundaries/")  # as the names of inputs begin
Progress = Callable[[str], None]
Admit = Callable[[Release], None]
Verify = Callable[[Release], None]
BUILDS = 3  # in a row, while the inputs keep changing
LOCAL = "pages/local.json"  # what of a release says which additions it has
INPUTS_CHANGED = 3  # exit code of a build whose inputs changed under it


class BuildError(Exception):
    """The release could not be built; the message says why."""


class MeanwhileError(BuildError):
    """Others published between the check of some boundaries and their turn; nothing is wrong with either."""


class By(NamedTuple):
    """Who does something, and why."""

    who: str
    why: str | None = None


def admit_all(release: Release) -> None:
    """Let every release go live."""


def publish(
    home: Path,
    progress: Progress,
    facts: Path = FACTS,
    admit: Admit = admit_all,
    local: Path | None = None,
    verify: Verify = Release.verify,
    by: By | None = None,
) -> Release:
    """Return a sound release made from the current inputs, building it if there is none.

    `local` is the folder of what the operator adds to the facts; `verify` tells whether the live release is
    whole, and raises as :meth:`~layers.store.Release.verify` does; `by` is noted in the history. The
    imported boundaries in force stay in force. `admit` is called with a new release before it goes live, so
    that whatever serves its features holds them by then; it raises :class:`BuildError` where that cannot be.
    Raises :class:`BuildError` also when the build fails; the live release then stays on disk as it was, but
    it is not returned: it is not what the facts say now. Raises :class:`~layers.home.HomeError` where the
    home is not sound; nothing in it was changed then.
    """
    ready = _find_ready(home, facts, local, verify)
    if ready is not None:
        return ready
    with hold(home, progress):
        who, why = by or (None, None)
        act = Act("build", "", "", imports_in_force(home), who, why)
        return publish_act(home, act, progress, facts, admit, local, verify)


def _find_ready(home: Path, facts: Path, local: Path | None, verify: Verify) -> Release | None:
    """Return the live release of a home that may only be read, if it is what the inputs make now."""
    if os.access(home, os.W_OK) or read_standing(home) is not Standing.OURS:
        return None
    wanted = hash_inputs(facts, imports_in_force(home), local)
    return _sound_release(home, wanted, lambda _: None, verify)


@contextmanager
def hold(home: Path, progress: Progress) -> Iterator[None]:
    """Keep every other writer away from a home, and tidy up what a killed one left.

    Raises :class:`~layers.home.HomeError`, with nothing changed, for a folder that is somebody else's and
    for a home in which something is missing or damaged.
    """
    claim(home)
    # The system drops the lock of a killed process, so a build that died never blocks the next.
    with FileLock(home / ".lock"):
        if read_standing(home) is Standing.EARLIER:
            check_imports(home, read_history(home))
            adopt(home)
            progress(
                f"已接管 0.1.0 版的文件夹 {home}：发布记录已逐条相连并留副本 / "
                f"took over {home} from version 0.1.0: its publications are chained and copied"
            )
        check_imports(home, [*filter(None, [read_last(home)])])
        tidy(home)
        try:
            yield
        finally:
            with suppress(HomeError, OSError):
                remove_leftovers(home)  # of a build that was told to end


def publish_act(
    home: Path,
    act: Act,
    progress: Progress,
    facts: Path = FACTS,
    admit: Admit = admit_all,
    local: Path | None = None,
    verify: Verify = Release.verify,
) -> Release:
    """Return a sound release of the current inputs and the act's imports; the caller holds the home.

    A release that is live already is not built again. Raises as :func:`publish` does.
    """
    _check_city(home, facts)
    if local is None:
        _tell_dropped(read_current(home), progress)
    for _ in range(BUILDS):
        inputs = hash_inputs(facts, act.imports, local)
        live = _sound_release(home, inputs, progress, verify)
        if live is not None:
            return live
        wanted = replace(act, inputs=inputs, code=hash_code())
        release = _build(home, facts, wanted, progress, local)
        if release is not None:
            if is_mended(home, release) and imports_in_force(home) == act.imports:
                return release
            _admit(home, release, admit)
            record(home, release, replace(wanted, changes=_compare(home, release)))
            return release
        progress("生成期间输入有改动，结果已作废 / the inputs changed during the build, nothing was kept")
    raise BuildError(
        f"输入一直在改动，{BUILDS} 次均未生成；请在改动结束后重试 / "
        f"the inputs kept changing through {BUILDS} builds; try again when they are at rest"
    )


def has_additions(release: Release) -> bool:
    """Return whether a release holds anything that the operator added."""
    return bool(release.sha256(LOCAL) and release.read_json(LOCAL)["files"])


def _tell_dropped(live: Release | None, progress: Progress) -> None:
    """Say where the live release has local additions, and nobody names their folder now."""
    with suppress(BrokenReleaseError):  # who mends it says so
        if live is not None and has_additions(live):
            progress(
                "未指定本地补充的文件夹（WEIHAI_LAYOUT_LOCAL 或 --local），新版本不再含有它们 / "
                "no folder of local additions is named (WEIHAI_LAYOUT_LOCAL or --local): they go"
            )


def _check_city(home: Path, facts: Path) -> None:
    """Raise :class:`BuildError` where the live release is of another city: a home holds those of one."""
    try:
        live = read_current(home)
        held = live.read_json("pages/plan.json")["id"] if live else None
    except (BrokenReleaseError, KeyError, ValueError):
        return  # it is built anew
    if held is not None and held != read_city(facts).id:
        raise BuildError(
            f"{home} 存有另一城市（{held}）的发布版，请用 --home 指定另一文件夹 / "
            f"{home} holds releases of another city ({held}); name another folder with --home"
        )


def imports_in_force(home: Path) -> tuple[str, ...]:
    """Return the ids of the imported boundaries that the live release has."""
    last = read_last(home)
    return last.act.imports if last else ()


def publish_imports(
    home: Path,
    records: Sequence[ImportedBoundary],
    checked: tuple[str, ...],
    progress: Progress,
    admit: Admit = admit_all,
    local: Path | None = None,
) -> Release:
    """Publish a release in which `records` are in force, once `admit` has let it.

    `checked` are the ids that were in force when the records were checked: raises
    :class:`MeanwhileError` if others are now, and :class:`BuildError` when the build
    fails. Nothing is live then that was not before.
    """
    with hold(home, progress):
        before = imports_in_force(home)
        if before != checked:
            raise MeanwhileError(
                "检查期间另有边界导入，请重新运行 / other boundaries were imported meanwhile, run again"
            )
        fresh = [write_import(home, one) for one in records]
        act = Act(
            "import",
            "",
            "",
            replace_latest(home, before, fresh),
            who=records[0].who,
            why=records[0].why,
            imported=tuple(describe_import(one) for one in records),
        )
        return publish_act(home, act, progress, admit=admit, local=local)


def roll_back(
    home: Path,
    number: int,
    by: By,
    progress: Progress,
    admit: Admit = admit_all,
    local: Path | None = None,
) -> tuple[Release, bool] | None:
    """Return to the release of entry `number`, as a new entry; None where it is in force already.

    The release itself is taken where it is whole on disk and made by the code that runs now; it then
    stays live until the facts, the code or the imports change. Otherwise the boundaries of that entry
    are put in force and a release is built with the facts as they are now; the second value tells
    which. Raises KeyError for an unknown number, :class:`BuildError` as building does.
    """
    with hold(home, progress):
        entries = {entry.number: entry for entry in read_history(home)}
        target = entries[number]
        imports = target.act.imports
        inputs = hash_inputs(FACTS, imports, local)
        act = Act("rollback", inputs, hash_code(), imports, who=by.who, why=by.why, back_to=number)
        kept, last = _kept(home, target), read_last(home)
        if kept is None or target.act.code != act.code:
            return publish_act(home, act, progress, admit=admit, local=local), False
        admit(kept)
        if last and (last.release, last.act.inputs) == (target.release, inputs):
            return None
        for entry in filter(None, (last, target)):
            check_archive(home, entry)
        changes = compare_archives(home, last.release if last else "", target.release)
        record(home, kept, replace(act, changes=summarise(changes)))
        return kept, True


def _kept(home: Path, entry: Entry) -> Release | None:
    """Return the whole release of an entry, or None where it is gone or broken."""
    release = Release(home / "releases" / entry.release, entry.manifest_sha256)
    try:
        release.verify()
    except BrokenReleaseError:
        return None
    return release


def is_mended(home: Path, release: Release) -> bool:
    """Tell whether a release that was built is the live one again, byte for byte: that publishes nothing."""
    live = read_pointer(home)
    return live is not None and (live.release, live.manifest_sha256) == (release.id, release.manifest_sha256)


def _admit(home: Path, release: Release, admit: Admit) -> None:
    """Ask for a release that was just laid in its place; one that may not go live makes room again."""
    try:
        admit(release)
    except BuildError:
        live = read_pointer(home)
        if live is None or live.release != release.id:
            shutil.rmtree(release.folder, ignore_errors=True)  # it would count among those that are kept
        raise


def hash_inputs(facts: Path = FACTS, imports: Iterable[str] = (), local: Path | None = None) -> str:
    """Return the id of the release that the facts, code, libraries, imports and local additions make now."""
    digest = _hash_files(_inputs(facts))
    for name in sorted(imports):
        digest.update(b"import\0" + name.encode())
    for path in _list_local(local) if local else ():
        digest.update(b"local\0" + path.relative_to(local or "").as_posix().encode() + _hash_file(path))
    if local and not (local.is_dir() and os.access(local, os.R_OK | os.X_OK)):
        digest.update(b"local\0")  # so that a build is needed, which says why it cannot be read
    return digest.hexdigest()[:16]


def hash_code() -> str:
    """Return the hash of code, libraries and how the city is shown: of all inputs but its facts."""
    code = (one for one in _inputs(FACTS) if not one[0].startswith(_FACTS))
    return _hash_files(code).hexdigest()[:16]


def _hash_files(files: Iterable[tuple[str, Path]]) -> hashlib._Hash:
    digest = hashlib.sha256()
    for name, path in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest


def _list_local(folder: Path) -> list[Path]:
    # Few have such a folder, and what reads it is more than a web process needs.
    from geodata.local import list_inputs

    return list_inputs(folder)


def _hash_file(path: Path) -> bytes:
    """Return the digest of a file; of one that cannot be read, which reading it will tell, a fixed one."""
    try:
        with path.open("rb") as file:  # it may be as large as a province
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return bytes(32)


def _inputs(facts: Path) -> Iterator[tuple[str, Path]]:
    folders = {"city": facts} | {name: ROOT / name for name in PACKAGES}
    for name, folder in folders.items():
        for path in folder.rglob("*"):
            if path.suffix in SUFFIXES and (name == "city" or CITIES not in path.parents):
                yield f"{name}/{path.relative_to(folder).as_posix()}", path
    for single in (ROOT / "requirements.lock", facts / "LICENSE-DATA.md"):
        if single.exists():
            yield single.name, single


def _sound_release(home: Path, wanted: str, progress: Progress, verify: Verify) -> Release | None:
    release, last = read_current(home), read_last(home)
    if release is None or wanted not in {release.id, last.act.inputs if last else release.id}:
        return None
    try:
        verify(release)
    except BrokenReleaseError as error:
        progress(
            f"数据版本 {release.id} 已损坏，重新生成 / release {release.id} is broken, rebuilding: {error}"
        )
        return None
    return release


def _build(
    home: Path, facts: Path, act: Act, progress: Progress, local: Path | None = None
) -> Release | None:
    """Return the release built from the inputs of `act`, or None if they changed meanwhile."""
    code, said = _run_build(home, facts, act, progress, local)
    if code == INPUTS_CHANGED:
        return None
    if code:
        raise BuildError("\n".join(said) or f"生成进程中断 / the build was stopped: {code}")
    try:
        release = find_placed(home, act.inputs)
        release.verify()
    except (OSError, BrokenReleaseError) as error:
        raise BuildError("生成的数据版本未通过校验 / the release that was built is not sound") from error
    return release


def _compare(home: Path, release: Release) -> ChangeSummary:
    """Return what a release changes against the last one in the history."""
    last = read_last(home)
    if last is not None:
        check_archive(home, last)
    before = last.release if last else ""
    after = release.paths(CORE)

    def read(path: str) -> bytes | None:
        return release.read(path) if path in after else None

    return summarise(compare(open_data(home, before), read, [*list_data(home, before), *after]))


def _run_build(
    home: Path, facts: Path, act: Act, progress: Progress, local: Path | None = None
) -> tuple[int, list[str]]:
    """Build in a process of its own, which ends with this one; return its exit code and what it said."""
    named = [str(local.resolve())] if local else []
    command = [sys.executable, "-m", "webmap.build", str(home.resolve()), str(facts.resolve())]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        [*command, act.to_json(), *named],
        cwd=ROOT,
        env=os.environ
        | ENVIRONMENT
        | {VARIABLE: str(facts.resolve()), "PYTHONIOENCODING": "utf-8"},  # whatever the terminal takes
        stdin=subprocess.PIPE,  # that ends when this process does, however
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as child:
        lines = []
        for line in child.stdout or ():
            lines.append(line.rstrip())
            progress(line.rstrip())
        child.wait()  # while standard input is open still
    return child.returncode, lines


# -- what an operator adds

STAGED: Final = ".adding-"  # how folders begin in which files wait
Made = TypeVar("Made")


def add_files(
    folder: Path,
    wanted: Mapping[str, Path],
    make: Callable[[], Made | None],
    tell: Callable[[Problem], None],
) -> Made | None:
    """Put files in their places in a folder of additions and publish, or change nothing and return None.

    `wanted` are the new files by their places. All is checked together first; what is wrong is told. `make`
    publishes: where it returns None or raises, the old files are brought back. Raises OSError also for a
    file that cannot be read.
    """
    from geodata.local import read_local
    from geodata.read import read_facts

    folder.mkdir(parents=True, exist_ok=True)
    with (
        FileLock(folder / ".lock"),
        tempfile.TemporaryDirectory(prefix=STAGED, dir=folder, ignore_cleanup_errors=True) as name,
    ):
        staged, kept = Path(name) / "new", Path(name) / "old"
        _stage(folder, staged, wanted)
        problems = read_local(staged, read_facts()).problems
        for problem in problems:
            tell(problem)
        unused = [one.file for one in problems if one.code == "local-unknown-file" and one.file in wanted]
        if unused or any(problem.level == "error" for problem in problems):
            return None
        with _exchanged(folder, staged, kept, wanted) as keep:
            made = make()
            keep(made is not None)
    return made


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
