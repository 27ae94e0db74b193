"""Siting, comparison and look-up are worked out in the browser as the server does it: the same documents."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from geodata import crs
from geodata.city import read_city
from webmap.assets import bundle
from webmap.static_site import tabulate_lookup
from webmap.views.comparison import tabulate_comparison
from webmap.views.siting import tabulate_siting

pytestmark = pytest.mark.browser

Asking = Callable[[str, list[str]], list[dict[str, Any]]]

MODULES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (Path(__file__).parents[3] / "webmap" / "static" / "js").glob("*.js")
} | {
    "asked": """import { createComparison } from "./offline-comparison.js";
import { createPositions, parsePosition } from "./offline-positions.js";
import { createLookup } from "./offline-lookup.js";
import { createSiting } from "./offline-siting.js";
export const answer = {
  find(tables) {
    const { parse, rank, toRows } = createSiting(tables);
    return (query) => { const found = rank(parse(query)); return [found, toRows(found, "en")]; };
  },
  compare(tables) {
    const { parse, compare, toRows } = createComparison(tables);
    return (query) => { const found = compare(parse(query)); return [found, toRows(found, "en")]; };
  },
  lookup(tables) {
    const [frames, place] = [createPositions(tables.frames), createLookup(tables)];
    return (query) => [place(...parsePosition(query, frames))];
  },
};
"""
}
APART = {  # the last figure of what is measured
    **dict.fromkeys(("distance_m", "distance_to_edge_m"), 1),
    **dict.fromkeys(("likelihood_percent", "none_percent"), 0.11),
    **dict.fromkeys(("lon", "lat"), 2e-7),
}
ASK = """([name, tables, queries]) => {
  %s
  const answer = $asked.answer[name](JSON.parse(tables));
  return JSON.stringify(queries.map((query) => {
    try { return { found: answer(new URLSearchParams(query)) }; }
    catch (error) { return { key: error.message, values: error.values ?? String(error.stack) }; }
  }));
}"""
TEXTS = (  # positions as people write them, and what is none
    *("122.1163, 37.3082", "37.3082 122.1163", "37°18′29.5″N 122°06′58.7″E", "东经122.1163 北纬37.3082"),
    *("북위 37도 18분 29초 동경 122도 6분 58초", "N37.3 E122.1", "lat=37.3 lon=122.1", "geo:37.3,122.1"),
    *("POINT(122.1 37.3)", "srid=4326;point (122.1 37.3)", "37 18 29.5, 122 06 58.7", "37:18:29 122:6:58"),
    *(
        "45, 45",
        "45, 46",
        "12, 34",
        "",
        "x",
        "高区",
        "91, 200",
        "122.1 E 37.3 E",
        "37°61′N 122°E",
        "１２２．１，３７．３",
    ),
    *(
        "421681, 4130300",
        "-58.2 -37.5",
        "0 0",
        "122.1163 37.3082 5",
        "122.1163;37.3082",
        "E122 37.3",
        "20421681 4130300",
    ),
)


@pytest.fixture(scope="module")
def tables(client: FlaskClient) -> dict[str, bytes]:
    """What each page answers from."""
    content = client.application.extensions["content"]
    made = {
        "find": tabulate_siting(content),
        "compare": tabulate_comparison(content),
        "lookup": tabulate_lookup(content.release),
    }
    return {name: orjson.dumps(table) for name, table in made.items()}


@pytest.fixture(scope="module")
def asked(browser: Browser, tables: dict[str, bytes]) -> Asking:
    """Return what the browser answers to many addresses of one page."""
    script = ASK % bundle(MODULES, "asked")

    def ask(name: str, queries: list[str]) -> list[dict[str, Any]]:
        page = browser.new_page()
        answers: list[dict[str, Any]] = orjson.loads(
            page.evaluate(script, [name, tables[name].decode(), queries])
        )
        page.close()
        return answers

    return ask


def check(client: FlaskClient, name: str, queries: list[str], answers: list[dict[str, Any]]) -> int:
    """Compare every answer with the server's; return how many were refused."""
    strings, refused = client.application.extensions["strings"]["en"], 0
    for query, answer in zip(queries, answers, strict=True):
        response = client.get(f"/{name}.json?{query}")
        expected = response.get_json(force=True)
        if response.status_code == 200:
            assert "found" in answer, (query, answer)
            difference = differ(answer["found"][0], expected)
            assert difference is None, (query, difference)
        else:
            assert "key" in answer, (query, expected)
            assert strings[answer["key"]].format(**answer["values"]) == expected["detail"], query
            refused += 1
    return refused


def differ(one: Any, other: Any, at: str = "") -> str | None:
    """Return where two documents differ by more than the last figure that is told; None where nowhere."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return f"{at}: {sorted(one.keys() ^ other.keys())}"
        pairs = [(one[key], other[key], f"{at}.{key}") for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(*pair, f"{at}[{index}]") for index, pair in enumerate(zip(one, other, strict=True))]
    elif isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool):
        return None if abs(one - other) <= APART.get(at.rpartition(".")[2], 0) else f"{at}: {one} {other}"
    else:
        return None if one == other else f"{at}: {str(one)[:200]} {str(other)[:200]}"
    return next((found for pair in pairs if (found := differ(*pair))), None)


def test_sites_are_ranked_as_the_server_ranks_them(
    client: FlaskClient, asked: Asking, tables: dict[str, bytes]
) -> None:
    drawn = random.Random(20230716)
    content = client.application.extensions["content"]
    names, industries = orjson.loads(tables["find"])["circumstances"], list(content.industries)
    queries = ["", *(f"industry={one}" for one in industries[::4])]
    for _ in range(180):
        weights = {one: drawn.randint(0, 5) for one in drawn.sample(names, drawn.randint(0, 4))}
        some = drawn.sample(industries, drawn.randint(0, 4))
        more = {
            "weight": drawn.randint(0, 5),
            "reach": drawn.randint(1, 200),
            "area": f"{drawn.random():.2f}",
        }
        kept = dict(drawn.sample(sorted(more.items()), drawn.randint(0, 3)))
        queries.append(urlencode({"industry": ",".join(some)} | weights | kept))
    queries += [f"industry={industries[0]}&{one}" for one in ("weight=6", "port=x", "reach=0", "area=1.5")]
    queries += ["industry=nowhere", f"industry={','.join(industries[:11])}", f"coast=-1&industry={'x' * 99}"]
    answers = asked("find", queries)
    assert check(client, "find", queries, answers) == 7
    rows = [len(answer["found"][1]) for answer in answers if "found" in answer]
    assert max(rows) > 50
    table = client.get(f"/find.csv?{queries[100]}&lang=en").get_data(as_text=True).lstrip("\ufeff")
    head, *lines = table.splitlines()
    assert head.split(",") == answers[100]["found"][1][0]
    assert len(lines) == len(answers[100]["found"][1]) - 1


def test_places_are_compared_as_the_server_compares_them(client: FlaskClient, asked: Asking) -> None:
    drawn = random.Random(20230716)
    places = [row["id"] for row in client.application.extensions["content"].places()]
    sets = [drawn.sample(places, drawn.randint(2, 5)) for _ in range(220)]
    queries = [f"zones={','.join(one)}" for one in sets]
    queries += [
        f"zones={places[0]},nowhere",
        f"zones={places[0]},{places[0]}",
        f"zones={','.join(places[:6])}",
    ]
    answers = asked("compare", queries)
    assert check(client, "compare", queries, answers) == 3
    for query, answer in zip(queries[:5], answers, strict=False):
        table = client.get(f"/compare.csv?{query}&lang=en").get_data(as_text=True)
        assert len(table.splitlines()) == len(answer["found"][1])


def test_points_are_looked_up_as_the_server_looks_them_up(
    client: FlaskClient, asked: Asking, tables: dict[str, bytes]
) -> None:
    drawn = random.Random(20230716)
    west, south, east, north = read_city().region
    queries = []
    for _ in range(160):
        lon, lat = drawn.uniform(west, east), drawn.uniform(south, north)
        frame = drawn.choice(crs.FRAMES)
        x, y = (float(one) for one in crs.transform(lon, lat, crs.LONLAT, frame))
        queries.append(urlencode({"lon": f"{x:.8f}", "lat": f"{y:.8f}", "crs": frame}))
    for edge in orjson.loads(tables["lookup"])["edges"][::5]:
        lon, lat = (step / 1e7 for step in edge["rings"][0][:2])
        queries.append(urlencode({"lon": f"{lon + drawn.uniform(-0.01, 0.01):.6f}", "lat": f"{lat:.6f}"}))
    queries += [urlencode({"lon": lon, "lat": lat}) for lon, lat in ((116.4, 39.9), (130, 35), (-122, 37.7))]
    assert len(queries) > 200
    check(client, "lookup", queries, asked("lookup", queries))
    written = [urlencode({"at": text, "crs": frame}) for text in TEXTS for frame in ("CRS84", *crs.PROJECTED)]
    written += ["lon=1", "lon=x&lat=1", "lon=37&lat=122", "lon=190&lat=3", "lon=1&lat=1&crs=EPSG:1"]
    assert check(client, "lookup", written, asked("lookup", written)) > 20
