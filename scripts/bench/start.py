"""A cold start to the first answer, and the memory of one worker."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path

from scripts.bench.common import Result, ask, free_port, live_at, wait_for


def bench_start(home: Path, rounds: int = 5) -> Result:
    """Return the seconds from starting the command to its first 200, and a worker's memory.

    The release is built first; memory is the resident set after a visit to every page.
    """
    place = live_at(home).read_json("pages/order.json")[0]
    found = [_start_once(home, place) for _ in range(rounds)]
    return {
        "first_200_s": round(statistics.median(row["first_200_s"] for row in found), 3),
        "resident_mb": round(max(row["resident_mb"] for row in found), 1),
        "heavy_imports": sorted({name for row in found for name in row["heavy_imports"]}),
    }


def _start_once(home: Path, place: str) -> Result:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "scripts.cli",
        "serve",
        "--no-browser",
        "--port",
        str(port),
        "--home",
        str(home),
    ]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        base = f"http://127.0.0.1:{port}"
        wait_for(lambda: ask(f"{base}/healthz") == HTTPStatus.OK)
        seconds = time.perf_counter() - begun
        for path in (
            "/",
            "/zones/",
            f"/zones/{place}",
            "/lookup?lon=122.1&lat=37.3",
            f"/search.json?q={place}",
            "/plan",
        ):
            ask(base + path)
        status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
        maps = Path(f"/proc/{server.pid}/maps").read_text(encoding="ascii", errors="replace")
        server.terminate()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    heavy = [name for name in ("pandas", "pyogrio") if f"/{name}/" in maps]
    return {"first_200_s": seconds, "resident_mb": resident_kb / 1000, "heavy_imports": heavy}
