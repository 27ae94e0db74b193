"""Mixed traffic on the server as its operator runs it: many connections at once, and a long time.

Everything that a visit touches is asked for: pages in every language, the API, search, look-ups, small
files; beside it sheets and exports are made, some anew. The traffic is the same on every machine.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import cycle, islice
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

from geodata.city import read_city
from layers.store import Release
from scripts.bench.load import SCRIPT, Result, Served, ask, find_wrk, live_at, measure_mb, serving_home

CONNECTIONS, LOAD_S = 200, 60
WARMING = 200  # requests before those that count
PAUSE_S = 2.0  # from one request of a visitor to the next
HEAVY_AT_ONCE = 4  # who wait for sheets and exports
SEED = 7
LIGHT = 4000  # different requests
REACH_DEG = 0.4  # around the city's middle, where positions are looked up
PER_S = 20  # requests of the soak, so that a machine has time for others
SAMPLES = 20  # of memory, descriptors and disk
SOAK_LIGHT = 1000  # different light requests of the soak: each comes again within a minute or two
SOAK_CACHE_MB = 10  # full within minutes of sheets and exports


def list_light(release: Release) -> list[str]:
    """Return the paths of light requests, mixed."""
    chance = random.Random(SEED)  # noqa: S311 - the same traffic on every machine
    languages = read_city().languages
    lon, lat = read_city().position
    pages = [
        release.read_json(f"documents/{one}.json")["url"] for one in release.read_json("pages/order.json")
    ]
    pages += [
        f"/{name}/{row['id']}"
        for name in ("industries", "clusters", "agencies")
        for row in release.read_json(f"pages/{name}.json")
    ]
    pages += [
        "/",
        "/zones/",
        "/industries/",
        "/plan",
        "/data/",
        "/changes",
        "/find",
        "/compare",
        "/indicators",
    ]
    catalogue = release.read_json("pages/catalogue.json")
    layers, placed = (
        [row["id"] for row in catalogue if row["geometry"] not in without] for without in ((), ("none",))
    )
    words = [entry["name"]["zh"] for entry in release.read_json("index/search.json")["entries"]]
    found = []
    for _ in range(LIGHT):
        kind = chance.choice(placed)
        x, y = (round(one + chance.uniform(-REACH_DEG, REACH_DEG), 4) for one in (lon, lat))
        found.append(
            chance.choice(
                [
                    f"{chance.choice(pages)}?lang={chance.choice(languages)}",
                    f"{chance.choice(pages)}?lang={chance.choice(languages)}",
                    f"/ogc/collections/{chance.choice(layers)}/items?f=json&limit={chance.randint(1, 50)}",
                    f"/ogc/collections/{kind}/items?f=json&bbox={x},{y},{x + 0.1:.4f},{y + 0.1:.4f}",
                    f"/search.json?q={quote(chance.choice(words)[: chance.randint(1, 8)])}",
                    f"/lookup?lon={x}&lat={y}&lang={chance.choice(languages)}",
                    f"/lookup.json?lon={x}&lat={y}",
                ]
            )
        )
    return found


def list_heavy(release: Release) -> list[str]:
    """Return the paths of sheets, pictures and exports, so many and so various that each is made anew."""
    payload = release.read_json("map/zh.json")
    places = release.read_json("pages/order.json")
    languages, (lon, lat) = read_city().languages, read_city().position
    east_north = f"{lon + 1:.2f},{lat + 0.4:.2f}"
    found = [
        f"/print/{theme['id']}.{kind}?lang={one}&bbox={lon - west:.2f},{lat - 0.4:.2f},{east_north}"
        for theme in payload["themes"]
        for kind in ("png", "pdf")
        for one in languages
        for west in (0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
    ]
    found += [release.read_json(f"documents/{one}.json")["url"] + ".pdf" for one in places]
    found += [
        f"/data/towns.{kind}?crs=EPSG:{code}&filter={quote(f'area_km2 > {km2}')}"
        for kind in ("gpkg", "fgb", "xlsx")
        for code in (4490, 4550)
        for km2 in range(30)
    ]
    random.Random(SEED).shuffle(found)  # noqa: S311 - as above
    return found


@dataclass
class HeavyWork:
    """Asks for sheets and exports, `at_once`, until the block ends; 503 is an answer."""

    base: str
    paths: list[str]
    at_once: int = HEAVY_AT_ONCE
    statuses: Counter[int] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._waiting = cycle(self.paths)
        self._taking = threading.Lock()
        self._pool = ThreadPoolExecutor(self.at_once)
        self._runs = [self._pool.submit(self._ask_on) for _ in range(self.at_once)]
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._pool.shutdown()
        for run in self._runs:
            run.result()

    def _ask_on(self) -> None:
        while not self._ended.is_set():
            with self._taking:
                path = next(self._waiting)
            status = ask(self.base + path)
            self.statuses[status] += 1
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                self._ended.wait(1)


def bench_load(home: Path, seconds: int = LOAD_S) -> Result:
    """Return how light requests fare on 200 connections while sheets and exports are made.

    First ``visitors`` of workers that have answered before, who each ask once in two seconds: 100 requests
    a second. Then a ``crowd`` that never rests, whose times include waiting for one another. ``errors`` are
    answers of 400 and more, and connections that broke; ``heavy`` counts sheets and exports by status.
    Times are milliseconds.
    """
    release = live_at(home)
    light, heavy_paths = list_light(release), list_heavy(release)
    with tempfile.TemporaryDirectory(prefix="layout-bench-") as name, serving_home(home) as served:
        for path in light[:WARMING]:  # how a worker starts is measured elsewhere
            ask(served.base + path)
        with HeavyWork(served.base, heavy_paths) as heavy:
            visitors = Visitors(served.base, light).run(seconds)
            crowd = run_crowd(Path(name), served.base, light, seconds)
        after = {"memory_mb": measure_mb(served.workers())}
    return {"visitors": visitors, "crowd": crowd, "heavy": count_statuses(heavy.statuses)} | after


class Visitors:
    """200 connections that are kept, on each of which something is asked every :data:`PAUSE_S`."""

    def __init__(self, base: str, paths: list[str]) -> None:
        self._address = urlsplit(base)
        self._paths = cycle(paths)
        self._taking = threading.Lock()
        self._times: list[float] = []
        self._errors = 0

    def run(self, seconds: int) -> Result:
        """Ask for so long, and return how many answers came, the errors, and percentiles of the times."""
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for run in [pool.submit(self._visit, PAUSE_S * n / CONNECTIONS, end) for n in range(CONNECTIONS)]:
                run.result()
        cuts = statistics.quantiles(self._times, n=100)
        times = {f"p{share}_ms": round(cuts[share - 1], 1) for share in (50, 90, 99)}
        return {"requests": len(self._times), "errors": self._errors, **times}

    def _visit(self, delay: float, end: float) -> None:
        connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=30)
        next_at = time.monotonic() + delay
        while next_at < end:
            time.sleep(max(0.0, next_at - time.monotonic()))
            with self._taking:
                path = next(self._paths)
            begun = time.perf_counter()
            try:
                connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
                answer = connection.getresponse()
                answer.read()
                failed = answer.status >= HTTPStatus.BAD_REQUEST
            except OSError:
                connection.close()
                failed = True
            with self._taking:
                self._times.append(1000 * (time.perf_counter() - begun))
                self._errors += failed
            next_at += PAUSE_S
        connection.close()


def run_crowd(folder: Path, base: str, paths: list[str], seconds: int) -> Result:
    """Return what ``wrk`` measures of 200 connections that ask for one of `paths` after the other."""
    (folder / "paths.lua").write_text(SCRIPT, encoding="utf-8")
    (folder / "paths.txt").write_text("\n".join(paths), encoding="utf-8")
    command = [find_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    about = {"BENCH_PATHS": str(folder / "paths.txt"), "BENCH_START": "0", "BENCH_ENCODING": "gzip"}
    said = subprocess.run(
        [*command, "-s", str(folder / "paths.lua"), base],
        env=os.environ | about,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return read_wrk(said)


def read_wrk(said: str) -> Result:
    """Return what ``wrk`` says: answers a second, errors of all, and percentiles in milliseconds."""
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
    rows = re.findall(r"^\s+(50|90|99)%\s+([\d.]+)(us|ms|s|m)\s*$", said, re.MULTILINE)
    rate, asked = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    if not rate or not asked or not rows:
        raise RuntimeError(said)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = (int(bad[1]) if bad else 0) + (sum(map(int, broken.groups())) if broken else 0)
    times = {f"p{share}_ms": round(float(value) * units[unit], 1) for share, value, unit in rows}
    return {"requests": int(asked[1]), "per_s": float(rate[1]), "errors": errors, **times}


def bench_soak(home: Path, minutes: float = 10) -> Result:
    """Return memory, descriptors and disk at the start and along steady mixed traffic.

    The home is a copy whose files are kept within :data:`SOAK_CACHE_MB`: once that is full, the traffic makes
    files as before and the disk is to stay as it is. Each row is of one moment, by the minute: the greatest
    worker, MB resident, most descriptors of one process, bytes below the home, MB. ``grows_per_hour`` is how
    fast each rises over the second half. ``statuses`` counts light answers, 0 for a connection that broke,
    ``heavy`` those of sheets and exports.
    """
    release = live_at(home)
    light = cycle(list_light(release)[:SOAK_LIGHT])
    statuses: Counter[int] = Counter()
    with tempfile.TemporaryDirectory(prefix="layout-bench-") as name, ThreadPoolExecutor(4) as pool:
        soaked = shutil.copytree(home, Path(name) / "home", ignore=shutil.ignore_patterns("cache"))
        limit = {"WEIHAI_LAYOUT_CACHE_MB": str(SOAK_CACHE_MB)}
        with serving_home(soaked, environ=limit) as served:
            rows = {0.0: measure_now(served, soaked)}
            begun, pause = time.monotonic(), 60 * minutes / SAMPLES
            with HeavyWork(served.base, list_heavy(release), 1) as heavy:
                for number in range(1, SAMPLES + 1):
                    while (left := begun + number * pause - time.monotonic()) > 0:
                        paths = [served.base + path for path in islice(light, PER_S)]
                        statuses.update(pool.map(ask, paths))
                        time.sleep(min(1.0, left))
                    rows[(time.monotonic() - begun) / 60] = measure_now(served, soaked)
    later = {minute: row for minute, row in rows.items() if minute >= minutes / 2}
    return {
        "statuses": count_statuses(statuses),
        "heavy": count_statuses(heavy.statuses),
        "grows_per_hour": {one: measure_growth(later, one) for one in rows[0.0]},
        "minute": {f"{minute:.1f}": row for minute, row in rows.items()},
    }


def count_statuses(statuses: Counter[int]) -> dict[str, int]:
    """Return how many answers had each status."""
    return {str(one): count for one, count in sorted(statuses.items())}


def measure_growth(rows: Mapping[float, Mapping[str, float]], name: str) -> float:
    """Return by how much a figure of rows by the minute rises an hour: the line that fits all of them best.

    >>> measure_growth({30.0: {"disk_mb": 50}, 45.0: {"disk_mb": 50}, 60.0: {"disk_mb": 53}}, "disk_mb")
    6.0
    """
    fitted = statistics.linear_regression(list(rows), [row[name] for row in rows.values()])
    return round(60 * fitted.slope, 1)


def measure_now(served: Served, home: Path) -> dict[str, float]:
    """Return memory and descriptors of a server, and the disk that its home takes."""
    workers = served.workers()
    counts = [len(os.listdir(f"/proc/{pid}/fd")) for pid in (*workers, served.process.pid)]  # noqa: PTH208
    sizes = []
    for path in home.rglob("*"):
        with suppress(OSError):  # files of the cache come and go
            sizes.append(path.stat().st_size)
    return {
        "memory_mb": measure_mb(workers),
        "descriptors": max(counts),
        "disk_mb": round(sum(sizes) / 1e6, 1),
    }
