"""Do a task of the workbench in a process of its own; see :mod:`layers.child_job`."""

from __future__ import annotations

import sys

from layers.child_job import run
from webmap.workbench.tasks import run_task

if __name__ == "__main__":
    sys.exit(run(run_task))
