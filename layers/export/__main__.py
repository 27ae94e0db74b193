"""Make one file: a job as JSON on standard input, the file on standard output."""

from __future__ import annotations

import sys

from layers.export.job import parse_job
from layers.export.write import write

if __name__ == "__main__":
    sys.stdout.buffer.write(write(parse_job(sys.stdin.buffer.read())))
