"""Set up ``.venv`` from the hash-pinned lock files, completely or not at all, and Debian packages.

Needs nothing but the standard library. A stamp in ``.venv`` tells what is installed; it is removed
before anything changes and written last, so an interrupted set-up is seen and done anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from scripts.bilingual import say, text, warn, write

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
STAMP = FOLDER / "installed.json"
NEEDED = (3, 11)
PACKAGES = ("geodata", "layers", "webmap", "scripts")
PROGRAMS = FOLDER / ("Scripts" if os.name == "nt" else "bin")
SUFFIX = ".exe" if os.name == "nt" else ""
PYTHON = PROGRAMS / f"python{SUFFIX}"
COMMAND = PROGRAMS / f"weihai-layout{SUFFIX}"
PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>\S+?)(?: ; (?P<marker>.*?))?(?: \\)?$",
    re.MULTILINE,
)


STDERR = 2


class SetUpError(Exception):
    """The environment could not be completed; the reason has been said."""


def list_pinned(lock: str = "requirements.lock") -> list[re.Match[str]]:
    """Return the packages that a lock file pins: name, version, and the condition that goes with it."""
    return list(PINNED.finditer((ROOT / lock).read_text(encoding="utf-8")))


def check_python(script: str) -> bool:
    """Tell whether this Python is new enough for the product; if not, say how to run `script`."""
    if sys.version_info[:2] >= NEEDED:
        return True
    warn("python_too_old", needed=_dotted(NEEDED), found=_dotted(sys.version_info[:3]), script=script)
    return False


def prepare_environment(locks: tuple[str, ...], command: str, wheels: Path | None = None) -> None:
    """Bring ``.venv`` to exactly what `locks` pin; quick when nothing changed.

    Packages come from the folder `wheels` alone, where one is given. Raises :class:`SetUpError` after saying
    what is missing and how to run `command` again.
    """
    sources = {name: (ROOT / name).read_bytes() for name in (*locks, "pyproject.toml")}
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in sources.items()}
    with _only_one_at_a_time():
        done = _read_stamp()
        if not done or not _works():
            _create(command)
            done = {}
        changed = [name for name in wanted if done.get(name) != wanted[name]]
        if not changed:
            compile_code()
            return
        STAMP.unlink(missing_ok=True)
        for name in changed:
            _install_own_command(command) if name == "pyproject.toml" else _install(name, command, wheels)
        _write_stamp({**done, **wanted})
        compile_code()
        say("environment_ready")


def compile_code(python: str | Path = PYTHON) -> None:
    """Compile the project's code ahead, as pip does with what it installs.

    Python keeps what it compiles by itself only where it may write, and the environment does not forbid it.
    """
    quiet = [python, "-m", "compileall", "-q", *PACKAGES]
    subprocess.run(quiet, cwd=ROOT, capture_output=True, check=False)


def install_packages(missing: Callable[[], list[str]]) -> bool:
    """Install what `missing` names, if root; tell whether nothing is missing afterwards, or say what is."""
    packages = missing()
    apt = shutil.which("apt-get")
    if packages and apt and os.geteuid() == 0:
        write(text("installing_system_packages", packages=" ".join(packages)), error=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = [apt, "install", "-y", "-q", "--no-install-recommends", *packages]
        for step in ([apt, "update", "-q"], install):
            # What a command answers stands alone on its standard output.
            subprocess.run(step, check=False, env=quiet, stdin=subprocess.DEVNULL, stdout=STDERR)
        packages = missing()
    if packages:
        warn("system_packages_missing", packages=" ".join(packages))
    return not packages


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def _read_stamp() -> dict[str, str]:
    """Return what is installed; nothing if unfinished or made by another Python."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    good = isinstance(stamp, dict) and stamp.pop("python", None) == sysconfig.get_python_version()
    return stamp if good else {}


def _write_stamp(done: dict[str, str]) -> None:
    draft = STAMP.with_suffix(".part")
    draft.write_text(json.dumps({"python": sysconfig.get_python_version(), **done}), encoding="utf-8")
    draft.replace(STAMP)


def _works() -> bool:
    """Tell whether the environment's Python starts and finds pip and this project."""
    probe = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('pip', 'scripts.cli'))))"
    try:
        answer = subprocess.run([PYTHON, "-I", "-c", probe], capture_output=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and COMMAND.exists()


def _create(command: str) -> None:
    say("rebuilding_environment" if FOLDER.exists() else "creating_environment", folder=FOLDER.name)
    try:
        venv.create(FOLDER, clear=True, with_pip=True, symlinks=os.name != "nt")
    except (OSError, subprocess.CalledProcessError) as error:
        warn("environment_failed", folder=FOLDER.name, reason=error, command=command)
        raise SetUpError from error


def _install(lock: str, command: str, wheels: Path | None = None) -> None:
    total = len(list_pinned(lock))
    say("installing", lock=lock, count=total)
    source = ["--no-index", "--find-links", str(wheels)] if wheels else []
    _run_pip(["--require-hashes", "--only-binary", ":all:", *source, "-r", lock], lock, command)


def _install_own_command(command: str) -> None:
    """Put ``weihai-layout`` beside the environment's Python, run from this checkout.

    An editable install gives the right kind of launcher on every system (a script, or an ``.exe``), and
    setuptools is pinned in the lock: no build isolation, so nothing is fetched that has no hash.
    """
    say("installing_command")
    own = ["--no-deps", "--no-build-isolation", "--no-index", "-e", "."]
    _run_pip(own, "pyproject.toml", command)


def _run_pip(arguments: list[str], lock: str, command: str) -> None:
    fixed = ["--no-input", "--disable-pip-version-check", "--no-user", "--progress-bar", "off"]
    pip = [str(PYTHON), "-m", "pip", "install", *fixed, *arguments]
    with subprocess.Popen(
        pip, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        lines = list(_follow(process.stdout or iter(())))
    if process.returncode == 0:
        return
    for line in lines[-8:]:
        write(f"  {line}", error=True)
    warn("install_failed", what=_culprit(lines), lock=lock, command=command)
    raise SetUpError


def _follow(output: IO[str] | Iterator[str]) -> Iterator[str]:
    """Pass pip's lines on, showing each package as progress."""
    for line in map(str.rstrip, output):
        found = re.match(r"(?:Collecting|Processing|Requirement already satisfied:) (\S+)", line)
        if found:
            write(f"  {Path(found[1]).name}")
        yield line


def _culprit(lines: list[str]) -> str:
    """Name the package that pip's messages say is missing."""
    for line in reversed(lines):
        found = re.search(r"(?:No matching distribution found for|satisfies the requirement) (\S+)", line)
        if found:
            return found[1]
    return next((line for line in reversed(lines) if line.startswith("ERROR")), "pip")


@contextlib.contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    """Hold a lock that the system frees however this process ends."""
    with (ROOT / ".venv.lock").open("a+b") as file:
        if not _lock(file, wait=False):
            say("waiting_for_setup")
            _lock(file, wait=True)
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes], *, wait: bool) -> bool:
        file.seek(0)
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
            else:
                return True

else:
    import fcntl

    def _lock(file: IO[bytes], *, wait: bool) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
