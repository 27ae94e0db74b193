"""Print in a process of its own; see :mod:`layers.child_job`."""

from __future__ import annotations

import sys

from layers.child_job import run
from webmap.paper.request import make_paper, parse_paper_request

if __name__ == "__main__":
    sys.exit(run(lambda wanted: make_paper(parse_paper_request(wanted))))
