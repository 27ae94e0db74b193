"""Make a file in a process of its own: what writes it is heavy, and may not outlive its time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from layers.export.job import Job
from webmap.problems import BusyError

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 60.0


def make_file(job: Job, timeout_s: float = TIMEOUT_S) -> bytes:
    """Return the file of a job.

    Raises :class:`~webmap.problems.BusyError` when it takes too long, CalledProcessError when it fails.
    """
    command = [sys.executable, "-m", "layers.export"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            command, input=job.to_bytes(), capture_output=True, timeout=timeout_s, cwd=ROOT, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise BusyError from error
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr.decode(errors="replace"))
        raise
    return done.stdout
