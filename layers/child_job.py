"""The child's end of a job: one file, made in a process of its own, within limits, whole or not at all.

The parent starts ``python -m layers.child_job <maker> <file> <bytes> <seconds>``, writes what is to be made
as one line to standard input, and keeps that open for as long as it wants the file: when it closes, the
parent has given up or is gone, and the child goes too. The maker is ``module:function``, which takes the
line. Standard library only, so that a child loads what it needs and nothing more.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import threading
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Self

from layers.store import BrokenReleaseError, Release

BROKEN, OUT_OF_MEMORY, OUT_OF_SPACE = 3, 4, 5  # exit codes, beside 0 and Python's own 1
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
LEAST_BYTES = 100_000  # free on a disk: with less, whatever failed may have failed for that
NICE = 5  # who waits for a page goes before who waits for a file
FULL = 1.25  # times what is used, where libraries ask for much at a time
# Whoever runs it: files do not depend on settings of a user, whose folder may be closed to a service.
ENVIRONMENT = {"XDG_CONFIG_HOME": os.devnull}
CPU_S = 10  # beyond the parent's patience: for a child whose parent cannot stop it


@dataclass(frozen=True)
class ChildRequest:
    """What is asked of a child: plain values that pass as one line of JSON."""

    def to_line(self) -> bytes:
        """Return the request as one line of JSON; sets as sorted lists."""
        return json.dumps(asdict(self), default=sorted).encode()

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Return the request that :meth:`to_line` wrote."""
        return cls(**json.loads(line))


@dataclass(frozen=True)
class ReleaseRequest(ChildRequest):
    """A file that is made of a release, which `folder` and `manifest_sha256` name."""

    folder: str
    manifest_sha256: str

    @property
    def release(self) -> Release:
        """The release that the file is made of."""
        return Release(Path(self.folder), self.manifest_sha256)


def make_file(maker: str, path: Path, memory_bytes: int, seconds: float) -> int:
    """Make the file that standard input asks for, and return the exit code; 0 for no limit."""
    wanted = sys.stdin.buffer.readline()
    leave_with_parent()
    _limit(memory_bytes, seconds)
    try:
        path.write_bytes(resolve_name(maker)(wanted))
    except BrokenReleaseError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the parent reads it
        return BROKEN
    except BaseException as error:  # noqa: BLE001 - also the panics of libraries
        traceback.print_exc()
        if _is_out_of_space(error, path):
            return OUT_OF_SPACE
        return OUT_OF_MEMORY if isinstance(error, MemoryError) or _is_full(memory_bytes) else 1
    return 0


def _limit(memory_bytes: int, seconds: float) -> None:
    """Bound memory and processor time, where the system can."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    try:
        import resource
    except ImportError:  # Windows: the parent's patience is the only limit
        return
    if memory_bytes:
        # What the process writes to; fonts and libraries that are mapped from files are shared, and free.
        _lower(resource.RLIMIT_DATA, memory_bytes)
    if seconds:
        _lower(resource.RLIMIT_CPU, int(seconds) + CPU_S)
    _lower(resource.RLIMIT_CORE, 0)


def _is_full(memory_bytes: int) -> bool:
    """Return whether so little is left that whatever failed may have failed for that."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    used = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)
    return 0 < memory_bytes < used * FULL


def _is_out_of_space(error: BaseException, path: Path) -> bool:
    """Return whether the disk is full that the file is written to, or that of temporary files."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return True
    folders = path.parent, Path(tempfile.gettempdir())
    return any(shutil.disk_usage(folder).free < LEAST_BYTES for folder in folders)


def _lower(kind: int, wanted: int) -> None:
    import resource

    _, hard = resource.getrlimit(kind)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (limit, limit))


def leave_with_parent() -> None:
    """End this process once standard input ends, of which the parent holds the other side."""
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    while os.read(0, 1):  # beside Python's own buffer, which others may hold
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(make_file(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
