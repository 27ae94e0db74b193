"""Keep the live release in step with its inputs: check it, rebuild it when needed.

Light on purpose: the web process imports this, and the heavy build runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock

from layers.store import BrokenReleaseError, Release, read_current

ROOT = Path(__file__).parent.parent
FACTS = ROOT / "geodata"
SUFFIXES = {".py", ".yaml", ".geojson", ".json", ".js", ".css", ".svg", ".lark", ".sql"}
Progress = Callable[[str], None]


BUILDS = 3  # in a row, while the inputs keep changing
INPUTS_CHANGED = 3  # exit code of a build whose inputs changed under it


class BuildError(Exception):
    """The release could not be built; the message says why."""


def publish(home: Path, progress: Progress, facts: Path = FACTS) -> Release:
    """Return a sound release made from the current inputs, building it if there is none.

    Raises :class:`BuildError` when the build fails; the live release then stays on disk as it was,
    but it is not returned: it is not what the facts say now.
    """
    home.mkdir(parents=True, exist_ok=True)
    # The system drops the lock of a killed process, so a build that died never blocks the next.
    with FileLock(home / ".lock"):
        for _ in range(BUILDS):
            wanted = hash_inputs(facts)
            release = _sound_release(home, wanted, progress) or _build(home, facts, wanted, progress)
            if release is not None:
                return release
            progress("生成期间输入有改动，结果已作废 / the inputs changed during the build, nothing was kept")
    raise BuildError(
        f"输入一直在改动，{BUILDS} 次均未生成；请在改动结束后重试 / "
        f"the inputs kept changing through {BUILDS} builds; try again when they are at rest"
    )


def hash_inputs(facts: Path = FACTS) -> str:
    """Return the id of the release that the current facts, code and libraries make."""
    digest = hashlib.sha256()
    for name, path in sorted(_inputs(facts)):
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
    release = read_current(home)
    if release is None or release.id != wanted:
        return None
    try:
        release.verify()
    except BrokenReleaseError as error:
        progress(
            f"数据版本 {release.id} 已损坏，重新生成 / release {release.id} is broken, rebuilding: {error}"
        )
        return None
    return release


def _build(home: Path, facts: Path, wanted: str, progress: Progress) -> Release | None:
    """Return the release built from the inputs `wanted`, or None if they changed meanwhile."""
    code, said = _run_build(home, facts, wanted, progress)
    if code == INPUTS_CHANGED:
        return None
    if code:
        raise BuildError("\n".join(said) or f"生成进程中断 / the build was stopped: {code}")
    release = _sound_release(home, wanted, progress)
    if release is None:
        raise BuildError("生成的数据版本未通过校验 / the release that was built is not sound")
    return release


def _run_build(home: Path, facts: Path, wanted: str, progress: Progress) -> tuple[int, list[str]]:
    """Build in a process of its own; return its exit code and what it said."""
    command = [sys.executable, "-m", "webmap.build", str(home.resolve()), str(facts.resolve()), wanted]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
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
