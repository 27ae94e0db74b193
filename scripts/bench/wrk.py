"""The load: Debian's ``wrk``, which asks a list of addresses one after the other from 8 connections."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

CONNECTIONS = 8
# Each run begins elsewhere in the list, so that no run asks what another left in a cache.
SCRIPT = """
local paths, at = {}, tonumber(os.getenv("BENCH_START"))
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
wrk.headers["Accept-Encoding"] = os.getenv("BENCH_ENCODING")
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""


def find_wrk() -> str:
    """Return the program; raises FileNotFoundError, saying how to get it."""
    found = shutil.which("wrk")
    if found is None:
        raise FileNotFoundError("wrk: 未安装 / not installed: apt-get install wrk")
    return found


class Load:
    """Runs of one list of paths; `folder` takes the list and the script."""

    def __init__(self, folder: Path, name: str, paths: Iterable[str], encoding: str = "identity") -> None:
        self._encoding = encoding
        self._script = folder / "paths.lua"
        self._script.write_text(SCRIPT, encoding="utf-8")
        self._paths = folder / f"{name}.txt"
        lines = list(paths)
        self._paths.write_text("\n".join(lines), encoding="utf-8")
        self._count = len(lines)
        self._start = 0

    def run(self, base: str, seconds: int, *, strict: bool = True) -> float:
        """Return the good answers a second; where `strict`, raises RuntimeError if one is an error."""
        command = [find_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
        env = {"BENCH_PATHS": str(self._paths), "BENCH_START": str(self._start)}
        env["BENCH_ENCODING"] = self._encoding
        said = subprocess.run(
            [*command, "-s", str(self._script), base], env=env, check=True, capture_output=True, text=True
        ).stdout
        asked, rate = re.search(r"(\d+) requests in", said), re.search(r"Requests/sec:\s+([\d.]+)", said)
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        if not asked or not rate or (strict and bad):
            raise RuntimeError(said)
        self._start = (self._start + int(asked[1]) + CONNECTIONS) % self._count
        good = 1 - int(bad[1]) / int(asked[1]) if bad else 1.0
        return float(rate[1]) * good
