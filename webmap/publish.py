"""Keep the live release in step with its inputs: check it, rebuild it when needed.

Light on purpose: the web process imports this, and the heavy build runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from layers.changes import compare, summarise
from layers.history import CORE, Act, list_data, open_data, read_last, record, tidy
from layers.store import BrokenReleaseError, Release, find_placed, read_current, read_pointer

ROOT = Path(__file__).parent.parent
FACTS = ROOT / "geodata"
SUFFIXES = {".py", ".yaml", ".geojson", ".json", ".js", ".css", ".svg", ".sql"}
Progress = Callable[[str], None]
Admit = Callable[[Release], None]
BUILDS = 3  # in a row, while the inputs keep changing
INPUTS_CHANGED = 3  # exit code of a build whose inputs changed under it


class BuildError(Exception):
    """The release could not be built; the message says why."""


def admit_all(release: Release) -> None:
    """Let every release go live."""


def publish(home: Path, progress: Progress, facts: Path = FACTS, admit: Admit = admit_all) -> Release:
    """Return a sound release made from the current inputs, building it if there is none.

    The imported boundaries in force stay in force. `admit` is called with a new release before it goes
    live, so that whatever serves its features holds them by then; it raises :class:`BuildError` where
    that cannot be. Raises :class:`BuildError` also when the build fails; the live release then stays on
    disk as it was, but it is not returned: it is not what the facts say now.
    """
    with hold(home):
        last = read_last(home)
        act = Act("build", "", "", last.act.imports if last else ())
        return publish_act(home, act, progress, facts, admit)


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Keep every other writer away from a home, and tidy up what a killed one left."""
    home.mkdir(parents=True, exist_ok=True)
    # The system drops the lock of a killed process, so a build that died never blocks the next.
    with FileLock(home / ".lock"):
        if (home / "releases").is_dir():
            tidy(home)
        yield


def publish_act(
    home: Path, act: Act, progress: Progress, facts: Path = FACTS, admit: Admit = admit_all
) -> Release:
    """Return a sound release of the current inputs and the act's imports; the caller holds the home.

    A release that is live already is not built again. Raises as :func:`publish` does.
    """
    for _ in range(BUILDS):
        wanted = replace(act, inputs=hash_inputs(facts, act.imports), code=hash_code())
        live = _sound_release(home, wanted.inputs, progress)
        if live is not None:
            return live
        release = _build(home, facts, wanted, progress)
        if release is not None:
            _admit(home, release, admit)
            record(home, release, replace(wanted, changes=_compare(home, release)))
            return release
        progress("生成期间输入有改动，结果已作废 / the inputs changed during the build, nothing was kept")
    raise BuildError(
        f"输入一直在改动，{BUILDS} 次均未生成；请在改动结束后重试 / "
        f"the inputs kept changing through {BUILDS} builds; try again when they are at rest"
    )


def _admit(home: Path, release: Release, admit: Admit) -> None:
    """Ask for a release that was just laid in its place; one that may not go live makes room again."""
    try:
        admit(release)
    except BuildError:
        live = read_pointer(home)
        if live is None or live.release != release.id:
            shutil.rmtree(release.folder, ignore_errors=True)  # it would count among those that are kept
        raise


def hash_inputs(facts: Path = FACTS, imports: Iterable[str] = ()) -> str:
    """Return the id of the release that the current facts, code, libraries and these imports make."""
    digest = hashlib.sha256()
    for name, path in sorted(_inputs(facts)):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for name in sorted(imports):
        digest.update(b"import\0" + name.encode())
    return digest.hexdigest()[:16]


def hash_code() -> str:
    """Return the hash of the code and the libraries, without facts."""
    digest = hashlib.sha256()
    for name, path in sorted(_inputs(FACTS)):
        facts = name.startswith("facts/") or (name.startswith("geodata/") and path.suffix != ".py")
        if not facts:
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _inputs(facts: Path) -> Iterator[tuple[str, Path]]:
    folders = {"facts": facts, "geodata": FACTS, "layers": ROOT / "layers", "webmap": ROOT / "webmap"}
    for name, folder in folders.items():
        for path in folder.rglob("*"):
            if path.suffix in SUFFIXES:
                yield f"{name}/{path.relative_to(folder).as_posix()}", path
    for single in (ROOT / "requirements.lock", ROOT / "LICENSE-DATA.md"):
        if single.exists():
            yield single.name, single


def _sound_release(home: Path, wanted: str, progress: Progress) -> Release | None:
    release, last = read_current(home), read_last(home)
    if release is None or wanted not in {release.id, last.act.inputs if last else release.id}:
        return None
    try:
        release.verify()
    except BrokenReleaseError as error:
        progress(
            f"数据版本 {release.id} 已损坏，重新生成 / release {release.id} is broken, rebuilding: {error}"
        )
        return None
    return release


def _build(home: Path, facts: Path, act: Act, progress: Progress) -> Release | None:
    """Return the release built from the inputs of `act`, or None if they changed meanwhile."""
    code, said = _run_build(home, facts, act, progress)
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


def _compare(home: Path, release: Release) -> dict[str, Any]:
    """Return what a release changes against the last one in the history."""
    last = read_last(home)
    before = last.release if last else ""
    after = release.paths(CORE)

    def read(path: str) -> bytes | None:
        return release.read(path) if path in after else None

    return summarise(compare(open_data(home, before), read, [*list_data(home, before), *after]))


def _run_build(home: Path, facts: Path, act: Act, progress: Progress) -> tuple[int, list[str]]:
    """Build in a process of its own; return its exit code and what it said."""
    command = [sys.executable, "-m", "webmap.build", str(home.resolve()), str(facts.resolve())]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        [*command, act.to_json()],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},  # whatever the terminal takes
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
    return child.returncode, lines
