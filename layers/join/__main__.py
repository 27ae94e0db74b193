"""Join one table in a process of its own; see :mod:`layers.child_job`."""

from __future__ import annotations

import sys
import tempfile

from layers.child_job import run
from layers.join.job import answer_join
from layers.join.request import parse_join_request


def _answer(line: bytes) -> bytes:
    asked = parse_join_request(line)
    tempfile.tempdir = asked.work  # whatever libraries write goes with the folder, also when this is killed
    return answer_join(asked)


if __name__ == "__main__":
    sys.exit(run(_answer))
