"""Before anything of the program is read: tests start hundreds of processes, and each would compile it."""

from __future__ import annotations

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
