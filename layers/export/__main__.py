"""Make one download in a process of its own; see :mod:`layers.child_job`."""

from __future__ import annotations

import sys

from layers.child_job import run
from layers.export.request import build_job, parse_request
from layers.export.write import write

if __name__ == "__main__":
    sys.exit(run(lambda wanted: write(build_job(parse_request(wanted)))))
