"""A child that does what it is told, for tests of what becomes of it: ``<what> <argument>``."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from pathlib import Path

from layers.store import BrokenReleaseError


def make(line: bytes) -> bytes:
    what, _, argument = line.decode().strip().partition(" ")
    if what == "sleep":
        Path(argument).write_text(str(os.getpid()))
        time.sleep(120)
    elif what == "grow":
        return b"x" * len(bytearray(int(argument)))
    elif what == "log":
        with Path(argument).open("a") as log:
            log.write("+\n")
            log.flush()
            time.sleep(0.3)
            log.write("-\n")
    elif what == "fill" and sys.argv[2].startswith(argument):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    elif what == "die":
        os.kill(os.getpid(), signal.Signals[argument])
    elif what == "raise":
        raise BrokenReleaseError(argument) if argument == "broken" else ZeroDivisionError
    return b"made"
