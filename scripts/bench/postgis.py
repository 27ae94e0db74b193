"""PostGIS with a whole country's zones beside 1,000 of them: the same questions, the same answers.

Both lie in one database on this machine, started for the purpose, as two releases. Each question is put
to both in turn, whole requests: parsing, statement, joining of the answer; all but the socket.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import shapely

from layers.postgis.load import load
from layers.postgis.stock import Place, Stock
from layers.postgis.store import PostgisStore
from scripts.bench import country
from scripts.bench.common import Result
from scripts.cluster import temporary_cluster
from scripts.stored import Bar
from webmap.ogc.asked import Asked
from webmap.ogc.service import Service

BLOCKS = {"1,000": 1, "100,000": 100}
BOX_DEG = 0.6  # a box of this size meets about 30 zones
BASE = "http://bench"
REACH_M = 275.0
ACCURACY_M = 250
PER_ROUND = 40
# As a server is run, unlike in the tests.
SERVER = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB"}

Made = TypeVar("Made")
Ask = Callable[[Service, PostgisStore], bytes]  # puts one question and returns the answer


def bench_postgis(home: Path, rounds: int = 15) -> Result:  # noqa: ARG001 - called as every measurement is
    """Return load times, and for each question the median and the 99th percentile of both, ms."""
    with temporary_cluster(SERVER) as cluster:
        url = cluster.new_database(country.ID)
        result: Result = {"load": {name: _load(url, name, blocks) for name, blocks in BLOCKS.items()}}
        small, large = (PostgisStore(url, name) for name in BLOCKS)
        with closing(small), closing(large):
            for name, question in QUESTIONS.items():
                result[name] = _compare((small, large), question, rounds * PER_ROUND)
    return result


def _load(url: str, name: str, blocks: int) -> Result:
    """Load one country, and return the seconds without those that making it took."""
    making = Watch()
    collections = (country.build_collection(blocks),)
    places = making.during(_places(blocks))
    stock = Stock(name, collections, lambda _: making.during(country.build_rows(blocks)), places)
    begun = time.perf_counter()
    load(url, stock, Bar())
    return {"seconds": round(time.perf_counter() - begun - making.seconds, 1)}


class Watch:
    """Adds up the time that makers take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def during(self, made: Iterator[Made]) -> Iterator[Made]:
        """Pass on what is made."""
        while True:
            begun = time.perf_counter()
            one = next(made, None)
            self.seconds += time.perf_counter() - begun
            if one is None:
                return
            yield one


def _places(blocks: int) -> Iterator[Place]:
    for row in country.build_rows(blocks):
        wkb: bytes = shapely.to_wkb(row.geometry)  # type: ignore[assignment]
        yield {"id": row.id, "positional_accuracy_m": ACCURACY_M}, wkb


def _compare(
    stores: tuple[PostgisStore, PostgisStore], question: Callable[[random.Random], Ask], count: int
) -> Result:
    """Ask both stores the same by turns; raises ValueError where the answers differ."""
    services = [Service(store, name, {}, {}) for store, name in zip(stores, BLOCKS, strict=True)]
    times: list[list[float]] = [[], []]
    chance = random.Random(1)  # noqa: S311 - the same questions on every machine
    for number in range(count):
        ask = question(chance)
        found = []
        for index in (0, 1) if number % 2 else (1, 0):
            begun = time.perf_counter()
            found.append(ask(services[index], stores[index]))
            times[index].append(1000 * (time.perf_counter() - begun))
        if found[0] != found[1]:
            raise ValueError(f"{number}: {found[0][:200]!r} {found[1][:200]!r}")
    return _summary(times)


def _summary(times: list[list[float]]) -> Result:
    result: Result = {}
    for name, one in zip(BLOCKS, times, strict=True):
        cuts = statistics.quantiles(one, n=100)
        result[name] = {"p50_ms": round(statistics.median(one), 2), "p99_ms": round(cuts[98], 2)}
    small, large = result.values()
    return result | {"p99_ratio": round(large["p99_ms"] / small["p99_ms"], 2)}


def _inside(chance: random.Random, span: float) -> tuple[float, float]:
    """Return the lower left corner of a box of `span` degrees in the block that both have."""
    west, south, east, north = country.block_bounds(0)
    return chance.uniform(west, east - span), chance.uniform(south, north - span)


def _items(query: str) -> Ask:
    return lambda service, _: service.answer(Asked(BASE, f"collections/{country.ID}/items", query)).body


def _box(chance: random.Random) -> Ask:
    west, south = _inside(chance, BOX_DEG)
    return _items(f"limit=1000&bbox={west:.6f},{south:.6f},{west + BOX_DEG:.6f},{south + BOX_DEG:.6f}")


def _filter(chance: random.Random) -> Ask:
    """Ask for the rare kind, of which both have as many; the second term makes each question new."""
    text = f"kind = '{country.RARE}' AND rank < {chance.uniform(1000, 2000):.6f}"
    return _items(f"limit=1000&filter={quote(text)}")


def _lookup(chance: random.Random) -> Ask:
    lon, lat = _inside(chance, 0)
    point = shapely.Point(lon, lat)

    def ask(_: Service, store: PostgisStore) -> bytes:
        near = store.near(lon, lat, REACH_M)
        return b"".join(wkb for _, wkb in near if shapely.from_wkb(wkb).covers(point))

    return ask


QUESTIONS: dict[str, Callable[[random.Random], Ask]] = {
    "items_bbox": _box,
    "lookup": _lookup,
    "items_filter": _filter,
}
