"""Publications on the web: what changed, the history of a boundary, and a server that follows."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from layers.history import Act, record
from layers.store import Release, read_current
from scripts import cli
from tests.webmap.conftest import running
from webmap import live
from webmap.app import create_app
from webmap.live import Live
from webmap.publish import hash_code
from webmap.settings import Settings

PLACE = "lingang"
ZONES = "data/zones.geojson"
LOSS = {
    "code": "leaves-city",
    "zh": "已认可 56 km²",
    "en": "accepted 56 km² to 某区",
    "ko": "56 km² 승인 → 某区",
}
IMPORT: Any = {
    "of": PLACE,
    "layer": "zones",
    "method": "official",
    "accuracy_m": 5,
    "source": "某局<b>成果</b>",
    "licence": "内部使用",
    "who": "张某",
    "why": "正式界线",
    "when": "2026-11-01T00:00:00Z",
    "file_name": "zones.shp",
    "file_sha256": "ab" * 32,
    "crs": "EPSG:4490",
    "fixes": ["axes swapped", LOSS],  # the first as it was kept once
    "import": "cd" * 10,
}


def clone(release: Release, home: Path, name: str, change, *, whole: bool = False) -> Release:
    """Put a copy of a release with another zone layer into a home, without building it.

    `change` gets the properties of one zone, or with `whole` the collection of all.
    """
    folder = home / "releases" / name
    apart = shutil.ignore_patterns("*.gz", "*.br", "manifest.json", "zones.geojson")
    shutil.copytree(release.folder, folder, ignore=apart, copy_function=os.link)
    entries = {path: entry for path, entry in release.manifest["files"].items() if (folder / path).is_file()}
    for path in release.paths():
        if path.endswith("/zones.geojson"):
            rows = release.read_json(path)
            if path == ZONES:
                one = next(row for row in rows["features"] if row["id"] == PLACE)
                change(rows if whole else one["properties"])
            content = json.dumps(rows, ensure_ascii=False).encode()
            (folder / path).write_bytes(content)
            entries[path] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = json.dumps({"release": name, "files": entries}).encode()
    (folder / "manifest.json").write_bytes(manifest)
    return Release(folder, hashlib.sha256(manifest).hexdigest())


def official(properties):
    properties |= {"area_km2": 290.5, "geometry_method": "official", "positional_accuracy_m": 5}
    properties["positioning_zh"] = "另一定位"


@pytest.fixture(scope="module")
def published(release, tmp_path_factory):
    """A home with three publications: a build, an import and the way back."""
    home = tmp_path_factory.mktemp("home")
    code = hash_code()
    first = clone(release, home, "aaaa000011112222", lambda _: None)
    before = {"area_km2": 297.023, "geometry_method": "reconstructed", "positional_accuracy_m": 5884}
    after = {"area_km2": 290.5, "geometry_method": "official", "positional_accuracy_m": 5}
    base: Any = [{"id": PLACE, "layer": "zones", "before": None, "after": before}]
    record(home, first, Act("build", first.id, code, changes={"areas": base}))
    second = clone(release, home, "bbbb000011112222", official)
    moved: Any = {"areas": [{"id": PLACE, "layer": "zones", "before": before, "after": after}], "facts": {}}
    act = Act("import", second.id, code, who="张某", why="正式界线", imported=(IMPORT,), changes=moved)
    record(home, second, act)
    record(home, first, Act("rollback", first.id, code, who="李某", why="待核实", back_to=1))
    return home


@pytest.fixture(scope="module")
def asker(published):
    current = read_current(published)
    assert current is not None
    return create_app(current, Settings(published)).test_client()


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_list_names_every_publication(asker, language):
    page = asker.get(f"/changes?lang={language}").get_data(as_text=True)
    assert page.count("aaaa000011112222") >= 2
    assert "bbbb000011112222" in page
    assert "张某" in page
    assert "from=1" in page


def test_the_list_for_programs(asker):
    rows = asker.get("/changes.json").get_json()["publications"]
    assert [(row["number"], row["act"]["action"], row["live"]) for row in rows] == [
        (1, "build", False),
        (2, "import", False),
        (3, "rollback", True),
    ]


@pytest.mark.parametrize("pair", ["from=1&to=2", "from=aaaa00&to=bbbb0000", "to=2"])
def test_two_publications_are_compared_in_areas_and_facts(asker, pair):
    found = asker.get(f"/changes.json?{pair}").get_json()
    (area,) = found["areas"]
    assert (area["id"], area["after"]["area_km2"]) == (PLACE, 290.5)
    (fact,) = found["facts"]
    assert [change["field"] for change in fact["fields"]] == ["positioning_zh"]
    for language in ("zh", "en", "ko"):
        page = asker.get(f"/changes?{pair}&lang={language}").get_data(as_text=True)
        assert "290.50" in page
        assert "另一定位" in page


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", "面积、方法、精度"), ("en", "area, method, accuracy"), ("ko", "면적, 방법, 정확도")],
)
def test_each_row_says_what_of_a_place_changed(asker, language, said):
    page = asker.get(f"/changes?from=1&to=2&lang={language}").get_data(as_text=True)
    assert said in re.sub(r"\s+", " ", page)


def test_a_change_of_words_alone_says_which(release, tmp_path):
    """No area differs; the terms do, and what is new in them is shown."""
    first = clone(release, tmp_path, "aaaa000011112222", lambda _: None)
    before: list[str] = []

    def add_terms(row):
        before.append(row["geometry_licence"])
        row["geometry_licence"] += "; 内部使用"

    second = clone(release, tmp_path, "bbbb000011112222", add_terms)
    for one in (first, second):
        record(tmp_path, one, Act("build", one.id, hash_code()))
    asker = create_app(second, Settings(tmp_path)).test_client()
    (area,) = asker.get("/changes.json?from=1&to=2").get_json()["areas"]
    assert (area["moved"], area["changed"]) == (False, ["licence"])
    page = asker.get("/changes?from=1&to=2&lang=zh").get_data(as_text=True)
    assert "使用条件 + 内部使用<" in page
    assert before[0] not in page  # what stays is not said again


def add_file(release: Release, path: str, content: bytes) -> Release:
    """Put one more file into a release that was cloned."""
    (release.folder / path).write_bytes(content)
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    files = release.manifest["files"] | {path: entry}
    manifest = json.dumps({"release": release.id, "files": files}).encode()
    (release.folder / "manifest.json").write_bytes(manifest)
    return Release(release.folder, hashlib.sha256(manifest).hexdigest())


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_a_layer_of_an_operator_s_that_is_gone_is_told_by_its_id(release, tmp_path, language):
    properties = {"id": "p-1", "name_zh": "自有地块", "price": 1}
    place = {"type": "Point", "coordinates": [122.1, 37.2]}
    rows = {"features": [{"id": "p-1", "geometry": place, "properties": properties}]}
    first = clone(release, tmp_path, "aaaa000011112222", lambda _: None)
    first = add_file(first, "data/own-plots.geojson", json.dumps(rows).encode())
    second = clone(release, tmp_path, "bbbb000011112222", lambda _: None)
    for one in (first, second):
        record(tmp_path, one, Act("build", one.id, hash_code()))
    asker = create_app(second, Settings(tmp_path)).test_client()
    found = asker.get("/changes.json?from=1&to=2").get_json()
    assert (found["areas"], found["facts"][0]["change"]) == ([], "removed")
    answer = asker.get(f"/changes?from=1&to=2&lang={language}")
    assert answer.status_code == 200
    assert "own-plots" in answer.get_data(as_text=True)


def test_the_owners_words_are_not_cut(release, tmp_path):
    """Terms may hold what terms are joined with; a part of them that stays elsewhere is no less theirs."""
    old, new = "仅限内部; 不得转让", "公开; 不得转让"

    def with_terms(terms: str):
        return lambda row: row.update(geometry_licence=f"{row['geometry_licence']}; {terms}")

    for name, terms in (("aaaa000011112222", old), ("bbbb000011112222", new)):
        made = clone(release, tmp_path, name, with_terms(terms))
        imported = (IMPORT | {"licence": terms, "import": name},)
        record(tmp_path, made, Act("import", made.id, hash_code(), imported=imported))
    asker = create_app(made, Settings(tmp_path)).test_client()
    page = asker.get("/changes?from=1&to=2&lang=zh").get_data(as_text=True)
    assert f"使用条件 − {old} + {new}<" in page


@pytest.mark.parametrize(
    ("language", "area", "source"),
    [
        ("zh", "公布面积 − 297.02 平方公里 + 1,300.25 平方公里<", "公布面积的来源"),
        (
            "en",
            "published area − 297.02 km² + 1,300.25 km²<",
            "source of the published area",
        ),
        ("ko", "공표 면적 − 297.02 km² + 1,300.25 km²<", "공표 면적의 출처"),
    ],
)
def test_a_published_area_has_its_unit_and_its_source(release, tmp_path, language, area, source):
    said = {"official_area_km2": 297.023, "official_area_source": "56tv"}
    for letter, more in (
        ("a", {}),
        ("b", {"official_area_source": "yearbook"}),
        ("c", {"official_area_source": "yearbook", "official_area_km2": 1300.25}),
    ):
        changed = said | more
        last = clone(release, tmp_path, f"{letter * 4}000011112222", lambda row, now=changed: row.update(now))
        record(tmp_path, last, Act("build", last.id, hash_code()))
    asker = create_app(last, Settings(tmp_path)).test_client()
    both = asker.get(f"/changes?from=1&to=3&lang={language}").get_data(as_text=True)
    assert area in both
    assert f"{source} − 56tv + yearbook<" in both
    alone = asker.get(f"/changes?from=1&to=2&lang={language}").get_data(as_text=True)
    assert f"{source} − 56tv + yearbook<" in alone
    assert "1,300.25" not in alone


def test_a_publication_compared_with_itself_or_its_like_differs_in_nothing(asker):
    for pair in ("from=1&to=1", "from=1&to=3"):
        assert asker.get(f"/changes.json?{pair}").get_json()["areas"] == []
        assert asker.get(f"/changes?{pair}").status_code == 200


@pytest.mark.parametrize("query", ["from=9", "to=nothing", "from=&to=1", "from=1&to=" + "x" * 5000, "to=-1"])
def test_an_unknown_publication_is_named_with_what_there_is(asker, query):
    answer = asker.get(f"/changes.json?{query}")
    assert answer.status_code == 400
    problem = answer.get_json()
    assert problem["parameter"] in {"from", "to"}
    assert "aaaa00001111" in problem["allowed"]


def test_without_a_history_the_pages_say_so(client, release, tmp_path):
    bare = create_app(release, Settings(tmp_path)).test_client()
    assert bare.get("/changes").status_code == 200
    assert bare.get("/changes.json").get_json() == {"publications": []}
    assert bare.get("/changes.json?to=1").status_code == 400
    assert bare.get(f"/zones/{PLACE}").status_code == 200
    assert bare.get(f"/zones/{PLACE}/history.json").get_json()["history"] == []


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_a_place_shows_the_history_of_its_boundary(asker, language):
    page = asker.get(f"/zones/{PLACE}?lang={language}").get_data(as_text=True)
    for words in ("张某", "正式界线", "zones.shp", "EPSG:4490", "abababababab", "axes swapped", "290.50"):
        assert words in page
    assert ('lang="zh">某区</span>' in page) == (language != "zh")
    assert "某局&lt;b&gt;" in page
    for one in ("zh", "en", "ko"):
        assert (LOSS[one].removesuffix("某区") in page) == (language == one)
    assert page.count("±5&nbsp;") == 1  # a figure and its unit stay on one line
    events = asker.get(f"/zones/{PLACE}/history.json").get_json()["history"]
    assert [event["how"] for event in events] == ["imported", "base"]
    assert asker.get("/zones/nowhere/history.json").status_code == 404


def test_the_command_tells_what_is_on_record_of_a_boundary(published, capsys):
    assert cli.main(["history", PLACE, "--home", str(published)]) == 0
    out = capsys.readouterr().out
    for said in ("axes swapped", LOSS["zh"], LOSS["en"]):
        assert said in out


def test_every_release_stays_addressable_by_its_hash(asker, published):
    for name in ("aaaa000011112222", "bbbb000011112222"):
        answer = asker.get(f"/r/{name}/data/zones.geojson")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        asked_again = {"If-None-Match": answer.headers["ETag"]}
        assert asker.get(f"/r/{name}/data/zones.geojson", headers=asked_again).status_code == 304
    assert asker.get("/r/bbbb000011112222/static/css/pages.css").status_code == 200  # still whole on disk
    whole, away = published / "releases/bbbb000011112222", published / "releases/.away"
    whole.rename(away)
    try:
        old = asker.get("/r/bbbb000011112222/data/zones.geojson").get_json()
        row = next(row for row in old["features"] if row["id"] == PLACE)
        assert row["properties"]["area_km2"] == 290.5
        for path in ("static/css/pages.css", "data/none.json", "../../current", "pages/facts.json"):
            assert asker.get(f"/r/bbbb000011112222/{path}").status_code == 404
    finally:
        away.rename(whole)
    for name in ("cccc", "..", "aaaa1111"):
        assert asker.get(f"/r/{name}/data/zones.geojson").status_code == 404


@pytest.fixture
def following(release, tmp_path):
    """A server on a home of its own with one publication; returns its address and the home."""
    first = clone(release, tmp_path, "aaaa000011112222", lambda _: None)
    record(tmp_path, first, Act("build", first.id, hash_code()))
    application = Live(first, Settings(tmp_path), interval_s=0.02)
    with running(application) as address:
        yield address, tmp_path, application


def ask(address, path):
    with urllib.request.urlopen(address + path, timeout=30) as answer:
        return json.loads(answer.read())


def area_of(address):
    rows = ask(address, "/data/zones.geojson")["features"]
    return next(row["properties"]["area_km2"] for row in rows if row["id"] == PLACE)


def wait_for(address, name):
    for _ in range(1500):
        if ask(address, "/healthz")["release"] == name:
            return
        time.sleep(0.02)
    pytest.fail(f"{name} never came")


def test_a_running_server_takes_over_a_new_release_whole(following, release):
    address, home, _ = following
    drawn = area_of(address)
    assert ask(address, "/healthz")["release"] == "aaaa000011112222"
    seen: set[tuple[str, float]] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            before, area_km2, after = ask(address, "/healthz"), area_of(address), ask(address, "/healthz")
            if before == after:
                seen.add((before["release"], area_km2))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    second = clone(release, home, "bbbb000011112222", official)
    record(home, second, Act("import", second.id, hash_code()))
    wait_for(address, second.id)
    assert area_of(address) == 290.5
    assert ask(address, "/changes.json")["publications"][-1]["live"]
    record(
        home, Release(home / "releases/aaaa000011112222", _digest(home)), Act("rollback", "x", hash_code())
    )
    wait_for(address, "aaaa000011112222")
    done.set()
    for reader in readers:
        reader.join(30)
    assert seen <= {("aaaa000011112222", drawn), ("bbbb000011112222", 290.5)}
    assert len(ask(address, "/changes.json")["publications"]) == 3


class Reader(threading.Thread):
    """Asks for all zones and for a page, over and over; keeps which words the zones of one answer had."""

    PATHS = ("/ogc/collections/zones/items?limit=100", "/zones/gaoqu.json", "/data/zones.geojson")

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.done = address, threading.Event()
        self.seen, self.wrong = set(), []

    def run(self):
        while not self.done.is_set():
            for path in self.PATHS:
                try:
                    rows = ask(self.address, path).get("features", ())
                except (OSError, ValueError) as error:
                    self.wrong.append((path, error))
                else:
                    self.seen.add(words_of(rows))


def words_of(rows):
    return frozenset(row["properties"]["positioning_en"] for row in rows)


def test_under_load_every_answer_is_one_release_whole(following, release):
    address, home, _ = following
    original = words_of(json.loads(release.read("data/zones.geojson"))["features"])
    readers = [Reader(address) for _ in range(3)]
    for reader in readers:
        reader.start()
    marks = ("bbbb000011112222", "cccc000011112222")
    for name in marks:
        newer = clone_marked(release, home, name)
        record(home, newer, Act("import", newer.id, hash_code()))
        wait_for(address, newer.id)
    old = Release(home / "releases/aaaa000011112222", _digest(home))
    record(home, old, Act("rollback", "x", hash_code(), back_to=1))
    wait_for(address, old.id)
    for reader in readers:
        reader.done.set()
        reader.join(30)
        assert reader.wrong == []
        assert reader.seen <= {frozenset(), original, *(frozenset([mark]) for mark in marks)}
    assert len(set().union(*(reader.seen for reader in readers))) > len(marks)


def clone_marked(release, home, name):
    """Put a release into a home in which every zone carries the release's name."""

    def mark(zones):
        for row in zones["features"]:
            row["properties"]["positioning_en"] = name

    return clone(release, home, name, mark, whole=True)


def _digest(home):
    return hashlib.sha256((home / "releases/aaaa000011112222/manifest.json").read_bytes()).hexdigest()


def test_a_release_of_other_code_or_a_broken_one_is_left_alone(following, release, capsys):
    address, home, application = following
    drawn = area_of(address)
    other = clone(release, home, "bbbb000011112222", official)
    record(home, other, Act("import", other.id, "other code"))
    application.look()
    assert ask(address, "/healthz")["release"] == "aaaa000011112222"
    broken = clone(release, home, "cccc000011112222", official)
    record(home, broken, Act("import", broken.id, hash_code()))
    (broken.folder / "data/zones.geojson").write_text("{}")
    application.look()
    assert ask(address, "/healthz")["release"] == "aaaa000011112222"
    (home / "current").write_text("\0")
    assert ask(address, "/healthz")["release"] == "aaaa000011112222"
    assert area_of(address) == drawn


def test_a_new_release_is_taken_over_though_nobody_asks(release, tmp_path):
    first = clone(release, tmp_path, "aaaa000011112222", lambda _: None)
    application = Live(first, Settings(tmp_path), interval_s=0.02)
    second = clone(release, tmp_path, "bbbb000011112222", official)
    record(tmp_path, second, Act("import", second.id, hash_code()))
    before = application.app
    for _ in range(1500):
        if application.app is not before:
            break
        time.sleep(0.02)
    assert Client(application).get("/healthz").get_json()["release"] == second.id


def test_requests_do_not_look(release, tmp_path, monkeypatch):
    looks: list[Path] = []
    monkeypatch.setattr(live, "read_pointer", looks.append)
    first = clone(release, tmp_path, "aaaa000011112222", lambda _: None)
    application = Live(first, Settings(tmp_path), interval_s=1000.0)
    looks.clear()
    for _ in range(5):
        assert Client(application).get("/healthz").status_code == 200
    assert tmp_path not in looks  # those that other tests left behind look at their own
