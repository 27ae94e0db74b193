"""Each kind of filter as a question whose answer is the same in any number of a country's blocks.

Every question has numbers of its own, so that no answer is kept from an earlier one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from urllib.parse import quote

from layers.query import Query
from scripts.bench import country
from scripts.bench.turns import Ask, Question, Side, build_items

SPAN = 30  # zones that a filter finds, about
TRIANGLE_DEG = 0.8  # one of these sides meets as many
PAGE = 30


def _of(filtered: Callable[[random.Random], str], more: str = "") -> Question:
    def question(chance: random.Random) -> Ask:
        text = quote(filtered(chance))
        return build_items(country.ID, f"limit={chance.randint(500, 1000)}{more}&filter={text}")

    return question


def _rare(chance: random.Random) -> str:
    """Ask for the rare kind, of which there are as many in any number of blocks."""
    return f"kind = '{country.RARE}' AND rank < {chance.uniform(1000, 2000):.6f}"


def _range(chance: random.Random) -> str:
    return f"number < {chance.uniform(SPAN / 2, SPAN * 3 / 2):.6f}"


def _between(chance: random.Random) -> str:
    least = chance.uniform(0, country.BLOCK - SPAN)
    return f"number BETWEEN {least:.6f} AND {least + SPAN:.6f}"


def _in(chance: random.Random) -> str:
    numbers = chance.sample(range(country.BLOCK), SPAN)
    ids = ", ".join(f"'zone-{number:06}'" for number in numbers)
    return f"id IN ({ids})"


def _starts(chance: random.Random) -> str:
    return f"id LIKE 'zone-0000{chance.randint(0, 9)}%'"


def _holds(chance: random.Random) -> str:
    return f"id LIKE '%-0000{chance.randint(0, 9)}%'"


def _entry(chance: random.Random) -> str:
    return f"uses LIKE '%pilot-p%' AND rank < {chance.uniform(1000, 2000):.6f}"


def _place(chance: random.Random) -> str:
    west, south, east, north = country.block_bounds(0)
    lon, lat = chance.uniform(west, east - TRIANGLE_DEG), chance.uniform(south, north - TRIANGLE_DEG)
    corners = (lon, lat), (lon + TRIANGLE_DEG, lat), (lon, lat + TRIANGLE_DEG), (lon, lat)
    ring = ", ".join(f"{one[0]:.6f} {one[1]:.6f}" for one in corners)
    return f"S_INTERSECTS(geometry, POLYGON(({ring})))"


def _mixed(chance: random.Random) -> str:
    return f"{_place(chance)} AND (kind = 'port' OR rank BETWEEN 100 AND 500) AND NOT kind IN ('rural')"


def _sorted(chance: random.Random) -> Ask:
    """Ask for a stretch of the whole in another order; how many there are in all differs, so not for that."""
    query = Query(sort=(("number", False),), limit=PAGE, offset=chance.randrange(country.BLOCK - PAGE))

    def ask(side: Side) -> bytes:
        return b"".join(feature.body for feature in side.store.select(country.ID, query).features)

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
