"""PostGIS with a whole country's zones beside 1,000 of them: the same questions, the same answers.

Both lie in one database on this machine, started for the purpose, as two releases. Each question is put
to both in turn, whole requests: parsing, statement, joining of the answer; all but the socket. Every
question has numbers of its own, so that no answer is kept from an earlier one.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import shapely

from layers.postgis.loader import PlaceRow, Snapshot, load_release
from layers.postgis.queries import PostgisStore
from layers.query import FeatureStore, Query
from scripts.bench import synthetic
from scripts.bench.load import Result, temporary_cluster
from scripts.postgis_sync import Bar
from webmap.live import settle
from webmap.ogc.request import extract_box
from webmap.ogc.service import Service

BASE = "http://bench"


@dataclass(frozen=True)
class Side:
    """One of two that are compared."""

    name: str
    store: FeatureStore
    service: Service


Ask = Callable[[Side], bytes]  # puts one question and returns the answer
Question = Callable[[random.Random], Ask]  # a new question each time


def build_side(name: str, store: FeatureStore) -> Side:
    """Return a store with the API in front of it."""
    return Side(name, store, Service(store, name, {}, {}))


def build_items(collection: str, query: str) -> Ask:
    """Return the question for a page of features."""
    asked = extract_box(BASE, f"collections/{collection}/items", query)
    return lambda side: side.service.answer(*asked).sent(BASE)


def compare_sides(small: Side, large: Side, question: Question, count: int) -> Result:
    """Return the median and the 99th percentile of both, ms; raises ValueError where answers differ."""
    times: dict[str, list[float]] = {small.name: [], large.name: []}
    settle()  # as the server does
    chance = random.Random(1)  # noqa: S311 - the same questions on every machine
    for number in range(count):
        ask = question(chance)
        found = {}
        for side in (small, large) if number % 2 else (large, small):
            begun = time.perf_counter()
            found[side.name] = ask(side)
            times[side.name].append(1000 * (time.perf_counter() - begun))
        if found[small.name] != found[large.name]:
            raise ValueError(f"{number}: {found[small.name][:200]!r} {found[large.name][:200]!r}")
    both = {name: _summary(one) for name, one in times.items()}
    ratios = {
        f"{key}_ratio": round(both[large.name][f"{key}_ms"] / both[small.name][f"{key}_ms"], 2)
        for key in ("p50", "p99")
    }
    rows = {name: {key: round(value, 3) for key, value in one.items()} for name, one in both.items()}
    return {**rows, **ratios}


def _summary(times: list[float]) -> dict[str, float]:
    return {"p50_ms": statistics.median(times), "p99_ms": statistics.quantiles(times, n=100)[98]}


SPAN = 30  # zones that a filter finds, about
TRIANGLE_DEG = 0.8  # one of these sides meets as many
PAGE = 30


def _of(filtered: Callable[[random.Random], str], more: str = "") -> Question:
    def question(chance: random.Random) -> Ask:
        text = quote(filtered(chance))
        return build_items(synthetic.ID, f"limit={chance.randint(500, 1000)}{more}&filter={text}")

    return question


def _rare(chance: random.Random) -> str:
    """Ask for the rare kind, of which there are as many in any number of blocks."""
    return f"kind = '{synthetic.RARE}' AND rank < {chance.uniform(1000, 2000):.6f}"


def _range(chance: random.Random) -> str:
    return f"number < {chance.uniform(SPAN / 2, SPAN * 3 / 2):.6f}"


def _between(chance: random.Random) -> str:
    least = chance.uniform(0, synthetic.BLOCK - SPAN)
    return f"number BETWEEN {least:.6f} AND {least + SPAN:.6f}"


def _in(chance: random.Random) -> str:
    numbers = chance.sample(range(synthetic.BLOCK), SPAN)
    ids = ", ".join(f"'zone-{number:06}'" for number in numbers)
    return f"id IN ({ids})"


def _starts(chance: random.Random) -> str:
    return f"id LIKE 'zone-0000{chance.randint(0, 9)}%'"


def _holds(chance: random.Random) -> str:
    return f"id LIKE '%-0000{chance.randint(0, 9)}%'"


def _entry(chance: random.Random) -> str:
    return f"uses LIKE '%pilot-p%' AND rank < {chance.uniform(1000, 2000):.6f}"


def _place(chance: random.Random) -> str:
    west, south, east, north = synthetic.block_bounds(0)
    lon, lat = chance.uniform(west, east - TRIANGLE_DEG), chance.uniform(south, north - TRIANGLE_DEG)
    corners = (lon, lat), (lon + TRIANGLE_DEG, lat), (lon, lat + TRIANGLE_DEG), (lon, lat)
    ring = ", ".join(f"{one[0]:.6f} {one[1]:.6f}" for one in corners)
    return f"S_INTERSECTS(geometry, POLYGON(({ring})))"


def _mixed(chance: random.Random) -> str:
    return f"{_place(chance)} AND (kind = 'port' OR rank BETWEEN 100 AND 500) AND NOT kind IN ('rural')"


def _sorted(chance: random.Random) -> Ask:
    """Ask for a stretch of the whole in another order; how many there are in all differs, so not for that."""
    query = Query(sort=(("number", False),), limit=PAGE, offset=chance.randrange(synthetic.BLOCK - PAGE))

    def ask(side: Side) -> bytes:
        return b"".join(feature.body for feature in side.store.select(synthetic.ID, query).features)

    return ask


FILTERS: dict[str, Question] = {
    "equal": _of(_rare),
    "range": _of(_range),
    "between": _of(_between),
    "in": _of(_in),
    "like_start": _of(_starts),
    "like_inside": _of(_holds),  # no index finds these: all texts of the property are read
    "like_entry": _of(_entry),  # of a list, whose entries an index finds
    "intersects": _of(_place),
    "mixed": _of(_mixed),
    "equal_sorted": _of(_rare, "&sortby=-area_km2"),
    "sorted": _sorted,
}


BLOCKS = {"1,000": 1, "100,000": 100}
BOX_DEG = 0.6  # a box of this size meets about 30 zones
REACH_M = 275.0
ACCURACY_M = 250
PER_ROUND = 40
# As a server is run, unlike in the tests.
SERVER = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB"}

Made = TypeVar("Made")


def bench_postgis(home: Path, rounds: int = 15) -> Result:  # noqa: ARG001 - called as every measurement is
    """Return load times, and for each question the median and the 99th percentile of both, ms."""
    with temporary_cluster(SERVER) as cluster:
        url = cluster.new_database(synthetic.ID)
        result: Result = {"load": {name: _load(url, name, blocks) for name, blocks in BLOCKS.items()}}
        small, large = (PostgisStore(url, name) for name in BLOCKS)
        with closing(small), closing(large):
            few, many = (build_side(name, store) for name, store in zip(BLOCKS, (small, large), strict=True))
            for side in (few, many):  # the first question opens the connection
                _lookup(random.Random(0))(side)  # noqa: S311 - a place like any
            for name, question in QUESTIONS.items():
                result[name] = compare_sides(few, many, question, rounds * PER_ROUND)
    return result


def _load(url: str, name: str, blocks: int) -> Result:
    """Load one country, and return the seconds without those that making it took."""
    making = Watch()
    collections = (synthetic.build_collection(blocks),)
    places = making.during(_places(blocks))
    snapshot = Snapshot(name, collections, lambda _: making.during(synthetic.build_rows(blocks)), places)
    begun = time.perf_counter()
    load_release(url, snapshot, Bar())
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


def _places(blocks: int) -> Iterator[PlaceRow]:
    for row in synthetic.build_rows(blocks):
        wkb: bytes = shapely.to_wkb(row.geometry)  # type: ignore[assignment]
        yield {"id": row.id, "positional_accuracy_m": ACCURACY_M}, wkb


def _inside(chance: random.Random, span: float) -> tuple[float, float]:
    """Return the lower left corner of a box of `span` degrees in the block that both have."""
    west, south, east, north = synthetic.block_bounds(0)
    return chance.uniform(west, east - span), chance.uniform(south, north - span)


def _box(chance: random.Random) -> Ask:
    west, south = _inside(chance, BOX_DEG)
    return build_items(
        synthetic.ID, f"limit=1000&bbox={west:.6f},{south:.6f},{west + BOX_DEG:.6f},{south + BOX_DEG:.6f}"
    )


def _lookup(chance: random.Random) -> Ask:
    lon, lat = _inside(chance, 0)
    point = shapely.Point(lon, lat)

    def ask(side: Side) -> bytes:
        near = side.store.near(lon, lat, REACH_M)
        return b"".join(wkb for _, wkb in near if shapely.from_wkb(wkb).covers(point))

    return ask


QUESTIONS: dict[str, Question] = {"items_bbox": _box, "lookup": _lookup} | {
    f"filter_{name}": question for name, question in FILTERS.items()
}
