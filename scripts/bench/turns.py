"""The same questions put to two servers' insides by turns: whole requests, all but the socket."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from layers.query import FeatureStore
from scripts.bench.common import Result
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
    return lambda side: side.service.answer(*asked).body


def compare(small: Side, large: Side, question: Question, count: int) -> Result:
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
    return rows | ratios


def _summary(times: list[float]) -> dict[str, float]:
    return {"p50_ms": statistics.median(times), "p99_ms": statistics.quantiles(times, n=100)[98]}
