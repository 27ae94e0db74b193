"""A cold start to the first answer with the memory of one worker, and the time of a search."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TypedDict

from geodata.city import read_city
from layers.search import MAX_QUERY, Search
from layers.search.vocabulary import SearchIndex
from scripts.bench.load import Result, ask, free_port, live_at, wait_for
from scripts.environment import compile_code

READY_S = 2.0  # after which a worker has loaded what its first answer did without


class StartFigures(TypedDict):
    """How soon a server answered, and what it weighs then."""

    first_200_s: float
    first_page_s: float
    resident_mb: float
    heavy_imports: list[str]


def bench_start(home: Path, rounds: int = 5) -> Result:
    """Return the seconds from starting the command to its first 200, and a worker's memory.

    The release is built first, and the code compiled, as set-up does it; ``first_page_s`` is until the map's
    page has come as well. Memory is the resident set after a visit to every page. The ratio is to the time
    that importing geopandas takes, in turns with it.
    """
    compile_code(sys.executable)
    place = live_at(home).read_json("pages/order.json")[0]
    found, imports = [], []
    for _ in range(rounds):
        found.append(_start_once(home, place))
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import geopandas"], check=True)
        imports.append(time.perf_counter() - begun)
    first, imported = statistics.median(row["first_200_s"] for row in found), statistics.median(imports)
    return {
        "first_200_s": round(first, 3),
        "first_page_s": round(statistics.median(row["first_page_s"] for row in found), 3),
        "import_geopandas_s": round(imported, 3),
        "ratio": round(first / imported, 2),
        "resident_mb": round(max(row["resident_mb"] for row in found), 1),
        "heavy_imports": sorted({name for row in found for name in row["heavy_imports"]}),
    }


def _start_once(home: Path, place: str) -> StartFigures:
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
        base, (lon, lat) = f"http://127.0.0.1:{port}", read_city().position
        wait_for(lambda: ask(f"{base}/healthz") == HTTPStatus.OK)
        seconds = time.perf_counter() - begun
        ask(base + "/")
        page_seconds = time.perf_counter() - begun
        time.sleep(READY_S)
        for path in (
            "/zones/",
            f"/zones/{place}",
            f"/lookup?lon={lon}&lat={lat}",
            f"/search.json?q={place}",
            "/plan",
        ):
            ask(base + path)
        (worker,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text("ascii").split()
        status = Path(f"/proc/{worker}/status").read_text(encoding="ascii")
        maps = Path(f"/proc/{worker}/maps").read_text(encoding="ascii", errors="replace")
        server.terminate()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    heavy = [name for name in ("pandas", "pyogrio") if f"/{name}/" in maps]
    return {
        "first_200_s": seconds,
        "first_page_s": page_seconds,
        "resident_mb": resident_kb / 1000,
        "heavy_imports": heavy,
    }


SEED = 7
SAMPLE = 600  # spellings of the index
LETTERS = "abcdefghijklmnopqrstuvwxyz 钢铁山地木材加工产业新城林业철강목재가공0123456789"
LANGUAGES = ("zh", "en", "ko")
LONG = 40  # queries of the greatest length


def bench_search(home: Path, rounds: int = 5) -> Result:
    """Return the time to load the index and the distribution of the time per query, milliseconds.

    Each query is asked `rounds` times, the languages taking turns, and its median counts. ``cpu`` is
    processor time, which other work on the machine does not lengthen; ``wall`` is what the clock says.
    """
    release = live_at(home)
    index: SearchIndex = release.read_json("index/search.json")
    begun = time.perf_counter()
    search = Search(index)
    search.answer("zzzz qqqq", "zh")  # loads what only failing queries need
    loaded_ms = 1000 * (time.perf_counter() - begun)
    queries = list(dict.fromkeys(_queries(index)))
    times = [_ask(search, query, rounds) for query in queries]
    return {
        "queries": len(queries),
        "load_ms": round(loaded_ms, 1),
        "cpu": _spread([cpu for cpu, _ in times]),
        "wall": _spread([wall for _, wall in times]),
    }


def _spread(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=1000)
    return {
        "median_ms": round(cuts[499], 2),
        "p95_ms": round(cuts[949], 2),
        "p99_ms": round(cuts[989], 2),
        "max_ms": round(max(times), 2),
    }


def _ask(search: Search, query: str, rounds: int) -> tuple[float, float]:
    """Return the median processor and wall time of one query."""
    cpu, wall = [], []
    for number in range(rounds):
        begun = time.thread_time(), time.perf_counter()
        search.answer(query, LANGUAGES[number % len(LANGUAGES)])
        cpu.append(1000 * (time.thread_time() - begun[0]))
        wall.append(1000 * (time.perf_counter() - begun[1]))
    return statistics.median(cpu), statistics.median(wall)


def _queries(index: SearchIndex) -> Iterator[str]:
    chance = random.Random(SEED)  # noqa: S311 - a repeatable choice, no secret
    spellings = sorted(index["keys"]["spellings"])
    typed = sorted(set(index["keys"]["texts"].split("\n")))
    for spelling in (*chance.sample(spellings, SAMPLE), *chance.sample(typed, SAMPLE)):
        half = spelling[: len(spelling) // 2 + 1]
        at = chance.randrange(len(spelling))
        yield from (spelling, half, spelling[:at] + chance.choice(LETTERS) + spelling[at + 1 :])
        yield f"{half} {chance.choice(spellings)}"
    for _ in range(LONG):
        yield " ".join(chance.sample(spellings, 12))[:MAX_QUERY]
        yield "".join(chance.choices(LETTERS, k=MAX_QUERY))
    yield from ("", " ", "🙂", "a", "威", "1" * MAX_QUERY, "碳" * MAX_QUERY, "탄" * MAX_QUERY)
