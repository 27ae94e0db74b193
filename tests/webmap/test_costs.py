"""What one request may cost: nothing cheap to ask is dear to answer, and light pages never wait for it."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import subprocess
import sys
import threading
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import brotli
import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment

from geodata.deferred import Deferred
from layers.axes import ALL
from layers.cql import evaluate
from layers.cql.type_check import RELATIONS
from layers.memory import MemoryStore
from layers.query import Query, dump_exactly
from layers.store import Release, share
from tests.webmap.conftest import running
from webmap import limiter
from webmap.app import create_app
from webmap.content import GuardedStore
from webmap.limiter import COMPUTING, MAKING, Limiter
from webmap.live import Live
from webmap.ogc.cache import ReprojectionCache, ResponseCache
from webmap.ogc.request import SITE_PLACEHOLDER, remembered_request
from webmap.params import MAX_EDGE_KM, MAX_MEETING
from webmap.problems import BusyError
from webmap.server import LIMITS
from webmap.settings import Settings

ROOT = Path(__file__).parents[2]
ITEMS = "/ogc/collections/towns/items"
PROGRAM = {"Accept": "application/json"}
GROWTH = 6  # times the steps for four times the length
MOST_BYTES = 64_000_000
Ring = list[list[float]]


def star(points: int, radius: float, inner: float) -> Ring:
    """A star around the middle of the city, with every second point at `inner` times its radius."""
    ring = []
    for number in range(points):
        angle, far = math.tau * number / points, radius * (1 if number % 2 else inner)
        ring.append([round(122.1 + far * math.cos(angle), 6), round(37.2 + 0.8 * far * math.sin(angle), 6)])
    return [*ring, ring[0]]


def triangle(lon: float, lat: float, size: float) -> list[Ring]:
    return [[[lon, lat], [lon + size, lat], [lon, lat + size], [lon, lat]]]


def send(client: FlaskClient, kind: str, coordinates: Any) -> Any:
    body = json.dumps({"type": kind, "coordinates": coordinates})
    return client.post("/lookup", data=body, content_type="application/geo+json")


class Counted:
    """Counts the calls of a function that is slow on large geometries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.calls, self._real = 0, getattr(shapely, name)
        monkeypatch.setattr(shapely, name, self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.calls += 1
        return self._real(*given, **named)


# Polygons.


@pytest.mark.parametrize("inner", [0.5, 0.2])
def test_a_polygon_whose_edges_cross_everything_is_refused_with_the_limit(
    client: FlaskClient, inner: float
) -> None:
    refused = send(client, "Polygon", [star(1200, 0.4, inner)])
    assert refused.status_code == 422
    problem = json.loads(refused.data)
    assert problem["allowed"] == f"≤ {MAX_EDGE_KM:,}"
    assert float(problem["value"].replace(",", "")) > MAX_EDGE_KM


def test_polygons_that_lie_on_one_another_are_refused_with_the_limit(client: FlaskClient) -> None:
    some = random.Random(1)
    heap = [triangle(122 + some.uniform(0, 0.002), 37.2 + some.uniform(0, 0.002), 0.01) for _ in range(450)]
    problem = json.loads(send(client, "MultiPolygon", heap).data)
    assert (problem["status"], problem["allowed"]) == (422, f"≤ {MAX_MEETING:,}")
    row = [triangle(121.9 + 0.001 * number, 37.2, 0.0009) for number in range(450)]
    assert send(client, "MultiPolygon", row).status_code == 200


def test_the_outline_of_a_county_is_no_cost(client: FlaskClient, release: Release) -> None:
    """What people have, however many vertices within the limit, is answered."""
    for row in json.loads(release.read("data/zones.geojson"))["features"]:
        if shapely.count_coordinates(shapely.geometry.shape(row["geometry"])) <= 2000:
            answer = send(client, row["geometry"]["type"], row["geometry"]["coordinates"])
            assert answer.status_code == 200, row["id"]


def test_no_polygon_moves_the_edges_of_places_or_cuts_what_it_covers(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place is cut only where an edge of it is met; moving edges was five sixths of every answer."""
    send(client, "Polygon", [star(4, 0.001, 1)])  # reads the blocks
    moved, cut = Counted(monkeypatch, "buffer"), Counted(monkeypatch, "intersection")
    near = send(client, "Polygon", [star(40, 0.0005, 1)]).get_json()
    assert moved.calls == 0
    assert len(near["shares"]) > 3
    assert cut.calls < 3 * len(near["shares"])


# Filters.


def ask(client: FlaskClient, condition: str) -> Any:
    return client.get(ITEMS, query_string={"filter": condition, "f": "json"})


def tangle(points: int) -> str:
    some = random.Random(1)
    return ",".join(f"{some.uniform(121.2, 122.7):.2f} {some.uniform(36.6, 37.5):.2f}" for _ in range(points))


@pytest.mark.parametrize(
    "shape",
    [
        f"LINESTRING({tangle(1100)})",
        f"MULTILINESTRING(({tangle(1100)}),(122 37,122.1 37.1))",
        f"GEOMETRYCOLLECTION(POINT(122 37),GEOMETRYCOLLECTION(LINESTRING({tangle(1100)})))",
    ],
)
@pytest.mark.parametrize("relation", ["TOUCHES", "CROSSES", "INTERSECTS"])
def test_a_line_that_is_tangled_is_refused_with_the_limit(
    client: FlaskClient, shape: str, relation: str
) -> None:
    refused = ask(client, f"S_{relation}(geometry,{shape})")
    assert refused.status_code == 400
    problem = json.loads(refused.data)
    assert (problem["parameter"], problem["allowed"]) == ("filter", "≤ 20000")


def test_a_long_line_that_is_not_tangled_is_answered(client: FlaskClient) -> None:
    road = ",".join(
        f"{121.3 + number * 0.001:.3f} {37 + 0.1 * math.sin(number):.2f}" for number in range(1100)
    )
    assert ask(client, f"S_CROSSES(geometry,LINESTRING({road}))").get_json()["numberMatched"] > 5


def test_a_geometry_is_not_related_to_itself_again_and_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = client.get(ITEMS).get_json()["numberMatched"]
    to_itself = {"intersects", "contains", "within", "equals"}
    monkeypatch.setattr(evaluate, "_relate", None)  # what is called fails
    for relation in RELATIONS:
        condition = " OR ".join([f"S_{relation.upper()}(geometry,geometry)"] * 300)
        matched = ask(client, condition).get_json()["numberMatched"]
        assert matched == (everything if relation in to_itself else 0), relation


# Turns.


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let others hold every turn for as long as the test lasts."""
    busy = Limiter(1)
    monkeypatch.setattr("webmap.views.finding.computing", busy)
    monkeypatch.setattr("webmap.ogc.resources.computing", busy)
    with busy.turn():
        yield


@pytest.mark.usefixtures("held")
def test_who_finds_no_turn_is_asked_to_come_back_and_light_pages_answer(client: FlaskClient) -> None:
    heavy = [
        send(client, "Polygon", [star(4, 0.01, 1)]),
        ask(client, "S_INTERSECTS(geometry,POINT(122 37))"),
        ask(client, "NOT (id='x' OR S_TOUCHES(geometry,POINT(122 37)))"),
    ]
    for answer in heavy:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert answer.mimetype == "application/problem+json"
    for path in ("/healthz", "/", "/lookup?lon=122&lat=37", ITEMS, f"{ITEMS}?bbox=122,37,122.1,37.1"):
        assert client.get(path, headers=PROGRAM).status_code == 200
    assert ask(client, "id='x'").status_code == 200


def test_turns_are_taken_one_after_the_other_and_given_back() -> None:
    turns, inside, most = Limiter(2, waiting=6, patience_s=30), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with turns.turn():
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most <= 2) == (0, True)
    with turns.turn(), turns.turn():
        pass


def test_a_turn_is_given_back_after_a_failure_and_patience_ends() -> None:
    turns = Limiter(1, waiting=1, patience_s=0.01)
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn(), pytest.raises(BusyError), turns.turn():
        pass
    with turns.turn():
        pass


def test_a_server_has_threads_for_all_turns_and_some_to_spare() -> None:
    held_at_most = MAKING + limiter.SHARING + COMPUTING + limiter.COMPUTING_WAITING
    assert held_at_most < LIMITS.most_threads


# What is kept in memory.


@pytest.fixture
def app(release: Release, tmp_path: Any) -> Flask:
    return create_app(release, Settings(tmp_path))


def test_what_is_kept_does_not_depend_on_the_host(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, select = [], MemoryStore.select

    def count(*given: Any) -> Any:
        asked.append(given)
        return select(*given)

    monkeypatch.setattr(MemoryStore, "select", count)
    client, path = app.test_client(), "/ogc/collections/zones/items?f=json"
    for encoding in ("identity", "gzip", "br", "gzip", "identity"):
        for number in range(40):
            host = f"h{number}.example"
            answer = client.get(path, headers={"Host": host, "Accept-Encoding": encoding})
            text = decode(answer.data, answer.headers.get("Content-Encoding"))
            links = json.loads(text)["links"]
            assert {link["href"].split("/ogc")[0] for link in links} == {f"http://{host}"}
            assert SITE_PLACEHOLDER.encode() not in text
    assert len(asked) <= 2  # what is asked for a second time is kept


def decode(body: bytes, encoding: str | None) -> bytes:
    if encoding == "br":
        return bytes(brotli.decompress(body))
    return gzip.decompress(body) if encoding == "gzip" else body


def test_random_hosts_and_requests_fill_no_more_than_there_is_room_for(app: Flask) -> None:
    client = app.test_client()
    before = memory_of(app)
    for number in range(300):
        query = f"/ogc/collections/zones/items?f=json&filter=id%3D%27{number:03}{'x' * 3000}%27"
        for _ in range(2):
            client.get(query, headers={"Host": f"h{number}.example", "Accept-Encoding": "br"})
    requests: Any = remembered_request.cache
    assert 0 < requests.currsize <= requests.maxsize
    kept: ResponseCache = app.extensions["ogc"]._cache
    assert 0 < kept._kept.currsize <= kept._kept.maxsize
    assert memory_of(app) - before <= kept._kept.maxsize


def memory_of(app: Flask) -> int:
    """Return the bytes of all answers that are kept, with every form of theirs."""
    kept: ResponseCache = app.extensions["ogc"]._cache
    return sum(one.body.size + sum(map(len, one._forms.values())) for one in kept._kept.values())


def test_frames_are_kept_within_a_bound_of_bytes(app: Flask) -> None:
    frames, store = ReprojectionCache(50_000), app.extensions["store"]
    features = store.select("towns", Query()).features
    first = {axes.frame: frames.bodies("towns", features, axes) for axes in ALL}
    assert frames._kept.currsize <= 50_000
    assert {axes.frame: frames.bodies("towns", features, axes) for axes in ALL} == first


def test_sixteen_large_polygons_leave_light_pages_their_threads(release: Release, tmp_path: Any) -> None:
    """Each is answered or asked to come back, and what is light is answered beside them."""
    body = json.dumps({"type": "Polygon", "coordinates": [star(1500, 0.03, 0.5)]}).encode()
    seen: list[int] = []

    def post(address: str) -> None:
        headers = {"Content-Type": "application/geo+json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=60) as answer:
                seen.append(answer.status)
        except urllib.error.HTTPError as error:
            seen.append(error.code)

    with running(create_app(release, Settings(tmp_path))) as site:
        threads = [threading.Thread(target=post, args=(f"{site}/lookup",)) for _ in range(16)]
        for thread in threads:
            thread.start()
        with urllib.request.urlopen(f"{site}/healthz", timeout=60) as answer:
            assert answer.status == 200
        for thread in threads:
            thread.join()
    assert len(seen) == 16
    assert set(seen) <= {200, 503}
    assert 200 in seen


def test_what_documents_repeat_is_kept_once_and_nothing_else_is_mixed_up() -> None:
    known: dict[int, Any] = {}
    one, other = (share(json.loads('{"a": ["xy", {"b": 1}], "c": true}'), known) for _ in range(2))
    assert one is other
    assert share([1, True, 1.0, "1", None, float("nan")], known)[:5] == [1, True, 1.0, "1", None]
    assert [type(value) for value in share([1, True, 1.0], known)] == [int, bool, float]


def test_json_that_is_kept_takes_its_length() -> None:
    tracemalloc.start()
    try:
        kept = [dump_exactly({"a": "b" * length}) for length in (10, 1_000, 20_000)]
        assert tracemalloc.get_traced_memory()[0] < sum(map(len, kept)) + 2_000
    finally:
        tracemalloc.stop()


def test_a_web_process_loads_nothing_of_what_only_reads_facts(release: Release) -> None:
    code = "import sys, webmap.app, scripts.supervisor; print({*sys.argv[1:]} & {*sys.modules})"
    unwanted = [
        "geodata.local",
        "geodata.own_layers",
        "geodata.shapes",
        "geodata.audit",
        "layers.catalogue",
        "layers.documents",
        "layers.release",
        "geopandas",
        "pandas",
        "folium",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *unwanted], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "set()"


# What takes longest to import, and no page needs: the first answer would wait for it.
FIRST = """
import sys
import scripts.commands.serve, scripts.supervisor
from pathlib import Path
from layers.store import Release
from webmap.app import create_app
from webmap.settings import Settings

heavy = {"numpy", "shapely", "pyproj", "pydantic", "layers.search", "layers.memory", "webmap.paper.poster"}
client = create_app(Release(Path(sys.argv[1]), sys.argv[2]), Settings(Path(sys.argv[3]))).test_client()
for path in ("/healthz", "/", "/zones/", "/industries/", "/data/"):
    assert client.get(path).status_code == 200, path
    assert not heavy & {*sys.modules}, (path, heavy & {*sys.modules})
assert client.get("/lookup.json?lon=122.1&lat=37.4").status_code == 200
assert {"numpy", "shapely", "pyproj"} <= {*sys.modules}
"""


def test_a_first_page_waits_for_no_library_that_it_does_not_need(release: Release, tmp_path: Path) -> None:
    given = [str(release.folder), release.manifest_sha256, str(tmp_path)]
    subprocess.run([sys.executable, "-c", FIRST, *given], cwd=ROOT, check=True)


def test_threads_that_use_a_deferred_library_at_once_all_get_the_whole_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first to use it imports it; who comes while that goes on must not see half of it."""
    (tmp_path / "slow_module.py").write_text("import time\nbegun = 1\ntime.sleep(0.05)\nended = 2\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module, found = Deferred("slow_module"), []
    threads = [threading.Thread(target=lambda: found.append(module.begun + module.ended)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 8


def test_what_the_first_answer_did_without_is_got_ready_and_requests_are_answered_meanwhile(
    release: Release, tmp_path: Path
) -> None:
    """Threads that ask for features while the store is opened open it once, and get the same answer."""
    opened: list[MemoryStore] = []

    def open_one() -> MemoryStore:
        opened.append(MemoryStore(release))
        return opened[-1]

    store, found = GuardedStore(open_one), []
    threads = [
        threading.Thread(target=lambda: found.append(store.select("towns", Query()))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(found)) == (1, 8)
    assert all(one == found[0] for one in found)
    live = Live(release, Settings(tmp_path), interval_s=3600)
    live.get_ready()
    assert live.app.test_client().get(ITEMS).status_code == 200


MIXED = """
import sys
from pathlib import Path
from layers.store import Release, share
from webmap.app import create_app
from webmap.live import settle
from webmap.settings import Settings

def memory_mb():
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) // 1024

release, settings = Release(Path(sys.argv[1]), sys.argv[2]), Settings(Path(sys.argv[3]))
started = None
for publication in range(3):
    app = create_app(release, settings)
    settle()
    started = started or memory_mb()
    client = app.test_client()
    for path in sys.argv[4:]:
        for number in range(1 if ".p" in path else 20):  # what children print, once
            answer = client.get(path.replace("NUMBER", str(number)), headers={"Host": f"h{number}.example"})
            assert answer.status_code == 200, path
    del app, client
print(started, memory_mb())
"""


def test_a_worker_stays_small_whatever_it_is_asked(release: Release, home: Path) -> None:
    paths = [
        "/",
        "/zones/gaoqu",
        "/industries/",
        "/plan",
        "/search?q=NUMBER",
    ]
    paths += [
        "/lookup?lon=122.NUMBER&lat=37",
        "/compare?zones=gaoqu,jingqu",
        "/find",
        "/data/",
        "/changes",
        "/zones/gaoqu.pdf?lang=en",
    ]
    paths += [f"{ITEMS}?f=json&limit=1NUMBER&crs=http://www.opengis.net/def/crs/EPSG/0/4550"]
    paths += ["/data/zones.gpkg?crs=EPSG:4550", "/ogc/collections/towns/items?f=html", "/print/belts.png"]
    command = [
        sys.executable,
        "-c",
        MIXED,
        str(release.folder),
        release.manifest_sha256,
        str(home),
    ]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    started, after = map(int, done.stdout.split())
    assert started <= 120
    assert after <= 200


def _filter(text: str) -> str:
    return f"/ogc/collections/zones/items?f=json&filter={quote(text)}"


# What grows to 16 kB, as a request of so many characters.
LONG: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: _filter("(" * (n // 2) + "a=1" + ")" * (n // 2)),
    "negations": lambda n: _filter("NOT " * (n // 4) + "area_km2=1"),
    "conditions": lambda n: _filter(" AND ".join(["area_km2=1"] * (n // 15))),
    "members of a list": lambda n: _filter("id IN (" + ",".join(["'a'"] * (n // 4)) + ")"),
    "wildcards": lambda n: _filter(f"name_zh LIKE '{'%a' * (n // 2)}'"),
    "quotation marks": lambda n: _filter("name_zh='" + "''" * (n // 2) + "'"),
    "sums": lambda n: _filter(f"area_km2={'1+' * (n // 2)}1"),
    "positions of a line": lambda n: _filter(
        f"S_INTERSECTS(geometry,LINESTRING({','.join(['122 37', '123 38'] * (n // 14))}))"
    ),
    "sides of a box": lambda n: f"/ogc/collections/zones/items?f=json&bbox={'1,' * (n // 2)}",
    "digits of a box": lambda n: f"/ogc/collections/zones/items?f=json&bbox={'1' * n},1,1,1",
    "system": lambda n: f"/lookup.json?lon=122&lat=37&crs={'EPSG:' * (n // 5)}",
    "digits of a position": lambda n: f"/lookup.json?lat=37&lon={'1' * n}",
    "numbers of a position": lambda n: f"/lookup?at={quote('1 ' * (n // 2))}",
    "signs of a position": lambda n: f"/lookup?at={quote('122°06′' * (n // 7))}",
    "words": lambda n: f"/search.json?q={quote('碳纤维 ' * (n // 4))}",
    "syllables": lambda n: f"/search.json?q={'tanxianwei' * (n // 10)}",
    "compound": lambda n: f"/search.json?q={quote('탄소' * (n // 2))}",
    "places": lambda n: f"/compare.json?zones={'gaoqu,' * (n // 6)}",
    "industries": lambda n: f"/find.json?industry={'biomedicine,' * (n // 12)}",
}


@pytest.mark.parametrize("name", LONG)
def test_what_is_read_of_a_request_costs_in_proportion_to_its_length(client: FlaskClient, name: str) -> None:
    """Steps are calls of functions, so that the same is counted on every machine."""
    client.get(LONG[name](100))  # what is loaded once
    short, long = (_count_calls(client, LONG[name](length)) for length in (4_000, 16_000))
    assert long <= GROWTH * short
    tracemalloc.start()
    try:
        assert client.get(LONG[name](16_001)).status_code < 500
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


def _count_calls(client: FlaskClient, address: str) -> int:
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        client.get(address)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("damage", ["none", "changed"])
def test_a_template_is_compiled_once_for_all_who_serve_a_home(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    pages = [create_app(release, Settings(tmp_path)).test_client().get("/about").data]
    for kept in (tmp_path / "cache" / "files").iterdir():
        if damage == "changed":
            kept.write_bytes(kept.read_bytes()[:-40] + bytes(40))
    compiled, compile_one = [], Environment.compile

    def count(self: Environment, *args: Any, **options: Any) -> Any:
        compiled.append(args)
        return compile_one(self, *args, **options)

    monkeypatch.setattr(Environment, "compile", count)
    pages.append(create_app(release, Settings(tmp_path)).test_client().get("/about").data)
    assert len({re.sub(rb'nonce="[^"]*"', b"", page) for page in pages}) == 1
    assert bool(compiled) is (damage == "changed")
