"""Fetch everything that the program needs into one folder, for a machine without network.

``python3 scripts/wheels.py FOLDER`` on a connected machine, then ``python3 scripts/start.py --wheels FOLDER``
on the other. Each file is checked by the hash in the lock when it is fetched, and again when it is installed.
"""

from __future__ import annotations

import argparse
import glob
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it only sees its folder

from scripts.bilingual import say, warn
from scripts.environment import NEEDED, ROOT, check_python

SCRIPT = "scripts/wheels.py"
LOCK = ROOT / "requirements.lock"
MEGABYTE = 1_000_000
GLIBC = re.compile(r"manylinux_2_(\d+)_(\w+)")
OLDER_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}  # of the same tags, see PEP 600


def parse_wanted(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the folder, and the Python and systems that it is for."""
    parser = argparse.ArgumentParser(
        prog=f"python3 {SCRIPT}",
        description="下载离线安装所需的全部软件包 · fetch all packages for an installation without network",
    )
    parser.add_argument("folder", type=Path, help="目标文件夹 · folder for them")
    parser.add_argument(
        "--python",
        metavar="3.12",
        help="目标机器的 Python 版本，默认同本机 · Python of the other machine (the one that runs this)",
    )
    parser.add_argument(
        "--platform",
        action="append",
        default=[],
        metavar="TAG",
        help="目标机器的平台标签，可重复，如 manylinux2014_x86_64 · wheel tag of its system, repeatable",
    )
    return parser.parse_args(arguments)


def list_pip_arguments(options: argparse.Namespace, folder: Path) -> list[str]:
    """Return what pip is called with to fetch the lock's packages into `folder`."""
    found = ["download", "--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-input"]
    found += ["--disable-pip-version-check", "--progress-bar", "off", "-r", str(LOCK), "-d", str(folder)]
    if options.python or options.platform:
        found += ["--implementation", "cp", "--python-version", options.python or ".".join(map(str, NEEDED))]
    tags = [one for tag in options.platform for one in list_fitting(tag)]
    return found + [part for tag in tags for part in ("--platform", tag)]


def list_fitting(tag: str) -> Iterator[str]:
    """Yield a platform's tag and those of packages that run there as well: pip takes it by the letter.

    >>> list(list_fitting("manylinux_2_6_x86_64"))
    ['manylinux_2_6_x86_64', 'manylinux_2_5_x86_64', 'manylinux1_x86_64']
    """
    glibc = GLIBC.fullmatch(tag)
    if not glibc:
        yield tag
        return
    for version in range(int(glibc[1]), min(OLDER_NAMES) - 1, -1):
        yield f"manylinux_2_{version}_{glibc[2]}"
        if version in OLDER_NAMES:
            yield f"{OLDER_NAMES[version]}_{glibc[2]}"


def fetch(options: argparse.Namespace) -> bool:
    """Fill the folder, whole or not at all; tell whether that went well, or say why not."""
    target: Path = options.folder.resolve()
    if target.exists() and any(target.iterdir()):
        warn("wheels_not_empty", folder=target)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = f".{target.name}-weihai-layout-"
    for leftover in target.parent.glob(f"{glob.escape(beside)}*"):  # of a killed run
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix=beside, dir=target.parent) as name:
        own, filled = Path(name) / "pip", Path(name) / "wheels"
        venv.create(own, with_pip=True, symlinks=sys.platform != "win32")
        python = own / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        filled.mkdir()
        done = subprocess.run([python, "-m", "pip", *list_pip_arguments(options, filled)], check=False)
        if done.returncode:
            warn("wheels_failed", lock=LOCK.name)
            return False
        shutil.copy(LOCK, filled)  # tells which version of the program the folder is for
        if target.exists():
            target.rmdir()
        filled.rename(target)
    files = list(target.glob("*.whl"))
    size = sum(one.stat().st_size for one in files) // MEGABYTE
    say("wheels_ready", folder=target, count=len(files), size=size)
    return True


def main() -> int:
    """Fetch; exit 1 where that cannot be done."""
    if not check_python(SCRIPT):
        return 1
    return 0 if fetch(parse_wanted(sys.argv[1:])) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # tidies up, as Ctrl-C does
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
