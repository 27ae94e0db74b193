"""What people wait for: a start, a search, and beside geopandas what it does in a script of a few lines.

Look-ups and joins are asked in one process, without a network between; files are made from nothing, each by
a process of its own, so that both sides start, read, write and end.
"""

from __future__ import annotations

import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from flask.testing import FlaskClient

from geodata.city import read_city
from layers.search import MAX_QUERY, Search
from layers.search.vocabulary import SearchIndex
from layers.store import Release
from scripts.bench.load import Result, ask, live_at, measure_mb, serving_home
from scripts.environment import compile_code
from webmap.app import create_app
from webmap.settings import Settings

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

SEED = 7
REACH_DEG = 0.3  # around the city's middle, where positions are looked up
POINTS, ROWS = 200, 1000
MOST_FILES = 5  # each takes seconds, on both sides
LAYERS = ("counties", "towns", "zones", "parks")
COUNTED = "counties"  # the layer whose answers must be the peer's
PEER_EXPORT = """
import sys, geopandas
geopandas.read_file(sys.argv[1]).to_crs(sys.argv[3]).to_file(sys.argv[2], layer="zones")
"""
PEER_PDF = """
import sys, geopandas
from matplotlib.figure import Figure
figure = Figure(figsize=(16.54, 11.69))
geopandas.read_file(sys.argv[1]).plot(ax=figure.add_subplot(), column="id", edgecolor="black")
figure.savefig(sys.argv[2])
"""
READY_S = 2.0  # after which a worker has loaded what its first answer did without
SAMPLE = 600  # spellings of the index
LETTERS = "abcdefghijklmnopqrstuvwxyz 钢铁山地木材加工产业新城林业철강목재가공0123456789"
LANGUAGES = ("zh", "en", "ko")
LONG = 40  # queries of the greatest length


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
    begun = time.perf_counter()
    with serving_home(home, workers=1) as served:
        seconds = time.perf_counter() - begun
        ask(served.base + "/")
        page_seconds = time.perf_counter() - begun
        time.sleep(READY_S)
        lon, lat = read_city().position
        visit = (
            "/zones/",
            f"/zones/{place}",
            f"/lookup?lon={lon}&lat={lat}",
            f"/search.json?q={place}",
            "/plan",
        )
        for path in visit:
            ask(served.base + path)
        (worker,) = served.workers()
        maps = Path(f"/proc/{worker}/maps").read_text(encoding="ascii", errors="replace")
        resident_mb = measure_mb([worker])
    heavy = [name for name in ("pandas", "pyogrio") if f"/{name}/" in maps]
    return {
        "first_200_s": seconds,
        "first_page_s": page_seconds,
        "resident_mb": resident_mb,
        "heavy_imports": heavy,
    }


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
    times = [_ask_often(search, query, rounds) for query in queries]
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


def _ask_often(search: Search, query: str, rounds: int) -> tuple[float, float]:
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


def bench_lookup(home: Path, rounds: int = 5) -> Result:
    """Return the milliseconds that one position takes, and those that an index of geopandas takes.

    Ours also says how likely each answer is, what is near, and which industries are listed there.
    Raises ValueError where ours lacks a county that the peer finds.
    """
    release, frame = live_at(home), _read_frame(live_at(home))
    client = create_app(release, Settings(home)).test_client()
    spots = _scatter(POINTS)

    def ours(lon: float, lat: float) -> set[str]:
        found = client.get(f"/lookup.json?lon={lon}&lat={lat}").get_json()
        return {row["id"] for row in found["applies"] if row["layer"] == COUNTED}

    def peer(lon: float, lat: float) -> set[str]:
        from shapely import Point

        found = frame.iloc[frame.sindex.query(Point(lon, lat), predicate="intersects")]
        return set(found[found.layer == COUNTED].id)

    for spot in spots:
        # Near an edge ours names both sides.
        _agree(ours(*spot) & peer(*spot), peer(*spot), f"{spot}")
    return {
        f"{name}_ms": round(
            1000 * _median(_time(partial(ask, *spot)) for _ in range(rounds) for spot in spots), 2
        )
        for name, ask in (("ours", ours), ("geopandas", peer))
    }


def bench_join(home: Path, rounds: int = 5) -> Result:
    """Return the seconds that a table of a thousand rows takes, and those of geopandas' ``sjoin``.

    Both read the same CSV. Raises ValueError where they place more than one row in a hundred in different
    counties: ours reaches over the doubtful coast.
    """
    import geopandas
    import pandas as pd

    release, frame = live_at(home), _read_frame(live_at(home))
    rows = [f"{number},{lon},{lat}\n" for number, (lon, lat) in enumerate(_scatter(ROWS))]
    table = "".join(["name,lon,lat\n", *rows]).encode()

    def ours(client: FlaskClient) -> dict[str, int]:
        form = {"file": (io.BytesIO(table), "table.csv"), "crs": "CRS84"}
        found = client.post("/join", data=form, headers={"Accept": "application/json"}).get_json()
        return {row["id"]: row["count"] for row in found[COUNTED]}

    def peer() -> dict[str, int]:
        given = pd.read_csv(io.BytesIO(table))
        points = geopandas.GeoDataFrame(
            given, geometry=geopandas.points_from_xy(given.lon, given.lat), crs=4326
        )
        joined = points.sjoin(frame)
        return dict(joined[joined.layer == COUNTED].id.value_counts())

    client = create_app(release, Settings(home)).test_client()
    told, counted = ours(client), peer()
    apart = {one for one, count in counted.items() if abs(told.get(one, 0) - count) > ROWS / 100}
    _agree(apart, set(), f"{told} {counted}")
    return {
        "rows": ROWS,
        "ours_s": _median(_time(lambda: ours(client)) for _ in range(rounds)),
        "geopandas_s": _median(_time(peer) for _ in range(rounds)),
    }


def bench_export(home: Path, rounds: int = 5) -> Result:
    """Return the seconds to a GeoPackage in another system, ours and those of a script with geopandas."""
    address = f"/data/zones.gpkg?crs={read_city().paper}"
    return _bench_file(home, rounds, address, ("geopandas_s", PEER_EXPORT, "zones.gpkg"))


def bench_pdf(home: Path, rounds: int = 5) -> Result:
    """Return the seconds to a PDF of a theme at A3, and those of a bare plot by geopandas and matplotlib."""
    peer = ("matplotlib_s", PEER_PDF, "zones.pdf")
    return _bench_file(home, rounds, "/print/districts.pdf?size=A3", peer) | {
        "atlas_s": _median([_make(live_at(home), "/atlas.pdf")])
    }


def bench_build(_home: Path, _: int = 1) -> Result:
    """Return the seconds that the shipped facts take from nothing to a release that is live."""
    with tempfile.TemporaryDirectory() as folder:
        return {"build_s": round(_time(lambda: _command("build", "--home", folder)), 1)}


def bench_site(home: Path, _: int = 1) -> Result:
    """Return the seconds that the static site without sheets takes, its files and megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        said = _command("site", str(Path(folder) / "site"), "--without-sheets", "--json", "--home", str(home))
        told = json.loads(said)
    return {
        "site_s": round(time.perf_counter() - begun, 1),
        "files": told["files"],
        "megabytes": round(told["bytes"] / 1e6, 1),
    }


def _scatter(count: int) -> list[tuple[float, float]]:
    """Return positions in and around the city, the same each time."""
    chance = random.Random(SEED)  # noqa: S311 - a repeatable choice, no secret
    lon, lat = read_city().position
    return [
        (
            round(lon + chance.uniform(-REACH_DEG, REACH_DEG), 6),
            round(lat + chance.uniform(-REACH_DEG, REACH_DEG), 6),
        )
        for _ in range(count)
    ]


def _read_frame(release: Release) -> GeoDataFrame:
    """Return the areas of a release with their layer, as who works with geopandas reads them."""
    import geopandas
    import pandas as pd

    frames = [
        geopandas.read_file(io.BytesIO(release.read(f"data/{layer}.geojson"))).assign(layer=layer)
        for layer in LAYERS
    ]
    return geopandas.GeoDataFrame(pd.concat(frames)[["id", "layer", "geometry"]], crs=4326)


def _bench_file(home: Path, rounds: int, path: str, peer: tuple[str, str, str]) -> Result:
    """Measure a file of ours, and the script of a peer that makes one of the zones."""
    release, (name, script, file) = live_at(home), peer
    with tempfile.TemporaryDirectory() as folder:
        zones, made = Path(folder) / "zones.geojson", Path(folder) / file
        zones.write_bytes(release.read("data/zones.geojson"))
        command = [sys.executable, "-c", script, str(zones), str(made), read_city().paper]
        ours, others = [], []
        for _ in range(min(rounds, MOST_FILES)):
            ours.append(_make(release, path))
            others.append(_time(lambda: subprocess.run(command, check=True, capture_output=True)))
    return {"ours_s": _median(ours), name: _median(others)}


def _make(release: Release, path: str) -> float:
    """Return the seconds that a file takes which was not made before."""
    with tempfile.TemporaryDirectory() as home:
        client = create_app(release, Settings(Path(home))).test_client()
        begun = time.perf_counter()
        answer = client.get(path)
        taken = time.perf_counter() - begun
    if not (answer.status_code == HTTPStatus.OK and answer.data):
        raise ValueError(f"{path}: {answer.status_code}")
    return taken


def _command(*arguments: str) -> str:
    command = [sys.executable, "-m", "scripts.cli", *arguments]
    return subprocess.run(command, check=True, text=True, encoding="utf-8", stdout=subprocess.PIPE).stdout


def _agree(ours: object, peer: object, asked: str) -> None:
    """Raise ValueError where two that are compared do not say the same."""
    if ours != peer:
        raise ValueError(f"{asked}: {ours} / {peer}")


def _median(seconds: Iterable[float]) -> float:
    return round(statistics.median(seconds), 5)


def _time(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
