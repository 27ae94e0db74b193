"""Measure how long a search takes in process: every name as it is, half typed, misspelt, and nonsense.

``search``: the queries are made from the release's own index, always the same ones.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from layers.search import MAX_QUERY, Search
from layers.store import read_current

Result = dict[str, Any]
SEED = 20230716
SAMPLE = 600  # spellings of the index
LETTERS = "abcdefghijklmnopqrstuvwxyz 碳纤维海洋医疗器械产业新能源탄소섬유의료기기0123456789"
LANGUAGES = ("zh", "en", "ko")
LONG = 40  # queries of the greatest length


def bench_search(home: Path, rounds: int = 5) -> Result:
    """Return the time to load the index and the distribution of the time per query, milliseconds.

    Each query is asked `rounds` times, the languages taking turns, and its median counts. ``cpu`` is
    processor time, which other work on the machine does not lengthen; ``wall`` is what the clock says.
    """
    release = read_current(home)
    if release is None:
        raise FileNotFoundError(f"{home}: 先生成发布版 / build a release first")
    index = release.read_json("index/search.json")
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


def _spread(times: list[float]) -> Result:
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


def _queries(index: Result) -> Iterator[str]:
    chance = random.Random(SEED)  # noqa: S311 - a repeatable choice, no secret
    spellings = sorted({spelling for entry in index["entries"] for _, spelling, _ in entry["keys"]})
    typed = sorted({key for entry in index["entries"] for key, _, _ in entry["keys"]})
    for spelling in (*chance.sample(spellings, SAMPLE), *chance.sample(typed, SAMPLE)):
        half = spelling[: len(spelling) // 2 + 1]
        at = chance.randrange(len(spelling))
        yield from (spelling, half, spelling[:at] + chance.choice(LETTERS) + spelling[at + 1 :])
        yield f"{half} {chance.choice(spellings)}"
    for _ in range(LONG):
        yield " ".join(chance.sample(spellings, 12))[:MAX_QUERY]
        yield "".join(chance.choices(LETTERS, k=MAX_QUERY))
    yield from ("", " ", "🙂", "a", "威", "1" * MAX_QUERY, "碳" * MAX_QUERY, "탄" * MAX_QUERY)
