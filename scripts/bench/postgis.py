"""PostGIS with a whole country's zones beside 1,000 of them: the same questions, the same answers.

Both lie in one database on this machine, started for the purpose, as two releases. Each question is put
to both in turn, whole requests: parsing, statement, joining of the answer; all but the socket.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import shapely

from layers.postgis.load import PlaceRow, Snapshot, load
from layers.postgis.store import PostgisStore
from scripts.bench import country
from scripts.bench.common import Result
from scripts.bench.filters import FILTERS
from scripts.bench.turns import Ask, Question, Side, build_items, build_side, compare
from scripts.cluster import temporary_cluster
from scripts.stored import Bar

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
        url = cluster.new_database(country.ID)
        result: Result = {"load": {name: _load(url, name, blocks) for name, blocks in BLOCKS.items()}}
        small, large = (PostgisStore(url, name) for name in BLOCKS)
        with closing(small), closing(large):
            few, many = (build_side(name, store) for name, store in zip(BLOCKS, (small, large), strict=True))
            for side in (few, many):  # the first question opens the connection
                _lookup(random.Random(0))(side)  # noqa: S311 - a place like any
            for name, question in QUESTIONS.items():
                result[name] = compare(few, many, question, rounds * PER_ROUND)
    return result


def _load(url: str, name: str, blocks: int) -> Result:
    """Load one country, and return the seconds without those that making it took."""
    making = Watch()
    collections = (country.build_collection(blocks),)
    places = making.during(_places(blocks))
    snapshot = Snapshot(name, collections, lambda _: making.during(country.build_rows(blocks)), places)
    begun = time.perf_counter()
    load(url, snapshot, Bar())
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
    for row in country.build_rows(blocks):
        wkb: bytes = shapely.to_wkb(row.geometry)  # type: ignore[assignment]
        yield {"id": row.id, "positional_accuracy_m": ACCURACY_M}, wkb


def _inside(chance: random.Random, span: float) -> tuple[float, float]:
    """Return the lower left corner of a box of `span` degrees in the block that both have."""
    west, south, east, north = country.block_bounds(0)
    return chance.uniform(west, east - span), chance.uniform(south, north - span)


def _box(chance: random.Random) -> Ask:
    west, south = _inside(chance, BOX_DEG)
    return build_items(
        country.ID, f"limit=1000&bbox={west:.6f},{south:.6f},{west + BOX_DEG:.6f},{south + BOX_DEG:.6f}"
    )


def _lookup(chance: random.Random) -> Ask:
    lon, lat = _inside(chance, 0)
    point = shapely.Point(lon, lat)

    def ask(side: Side) -> bytes:
        near = side.store.near(lon, lat, REACH_M)
        return b"".join(wkb for _, wkb in near if shapely.from_wkb(wkb).covers(point))

    return ask


QUESTIONS: dict[str, Question] = {
    "items_bbox": _box,
    "lookup": _lookup,
} | {f"filter_{name}": question for name, question in FILTERS.items()}
