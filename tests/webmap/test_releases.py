"""Every release at the address of its hash: what it is, all its files, and nothing half while it goes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import sqlite3
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from layers.history import Act, record
from layers.store import Release, read_current
from tests.webmap.conftest import Watched, running
from tests.webmap.test_changes import IMPORT, PLACE, clone, official
from webmap import export_worker
from webmap.app import create_app
from webmap.http import IMMUTABLE
from webmap.publish import hash_code
from webmap.settings import Settings

ARCHIVED, OTHER, WHOLE, LIVE = "aaaa000011112222", "aaaa111122223333", "cccc000011112222", "dddd000011112222"
HOLDINGS = {ARCHIVED: "archived", OTHER: "ready", WHOLE: "whole", LIVE: "whole"}
AREAS = {ARCHIVED: 201.0, OTHER: 202.0, WHOLE: 290.5, LIVE: 204.0}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}


def fresh(release: Release, home: Path, name: str) -> Release:
    """Put a release with an area of its own into a home, newer than those before."""

    def change(properties: dict[str, Any]) -> None:
        official(properties)
        properties["area_km2"] = AREAS.get(name, 300.0)

    found = clone(release, home, name, change)
    moment_ns = max(path.stat().st_mtime_ns for path in (home / "releases").iterdir()) + 1_000_000
    os.utime(found.folder, ns=(moment_ns, moment_ns))
    return found


def fill(release: Release, home: Path) -> None:
    """Publish four releases: only three stay whole, one of them of other code."""
    code = hash_code()
    for name in HOLDINGS:
        found = fresh(release, home, name)
        act = Act("build", name, "other code" if name == OTHER else code)
        if name == WHOLE:
            act = Act("import", name, code, who="张某", why="正式界线", imported=(IMPORT,))
        record(home, found, act)


@pytest.fixture(scope="module")
def published(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("releases")
    fill(release, home)
    assert {path.name for path in (home / "releases").iterdir()} == {OTHER, WHOLE, LIVE}
    return home


@pytest.fixture(scope="module")
def asker(published: Path) -> FlaskClient:
    return open_site(published).test_client()


def open_site(home: Path) -> Flask:
    current = read_current(home)
    assert current is not None
    return create_app(current, Settings(home))


def area_of(rows: dict[str, Any]) -> float:
    found: float = next(row for row in rows["features"] if row["id"] == PLACE)["properties"]["area_km2"]
    return found


@pytest.mark.parametrize("name", HOLDINGS)
def test_a_release_says_what_it_is_and_every_file_is_as_it_says(
    asker: FlaskClient, name: str, pytestconfig: pytest.Config
) -> None:
    said = asker.get(f"/r/{name}/", headers=PROGRAM).get_json()
    assert said == asker.get(f"/r/{name}/index.json").get_json()
    assert (said["release"], said["holding"], said["live"]) == (name, HOLDINGS[name], name == LIVE)
    assert (said["template"] is None) == (HOLDINGS[name] != "whole")
    rows = {row["id"]: row["files"] for row in said["data"]}
    assert len(rows) == (17 if name == ARCHIVED else 18)
    step = 1 if pytestconfig.getoption("thorough") else 4
    for file in [one for files in rows.values() for one in files][::step]:
        path = file["href"].removeprefix("http://localhost")
        answer = asker.get(path)
        assert answer.status_code == 200, path
        assert (len(answer.data), hashlib.sha256(answer.data).hexdigest()) == (file["bytes"], file["sha256"])
        assert answer.headers["Cache-Control"] == IMMUTABLE
        saved = re.search(r'filename="(weihai-[\w.-]+)"', answer.headers["Content-Disposition"])
        assert saved
        assert name[:8] in saved[1] or path.endswith(("plan.gpkg", "plan.qgz"))  # which find each other
        again = asker.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    assert area_of(asker.get(f"/r/{name}/data/zones.geojson").get_json(force=True)) == AREAS[name]


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
@pytest.mark.parametrize("name", HOLDINGS)
def test_the_page_of_a_release_leads_to_everything(asker: FlaskClient, name: str, language: str) -> None:
    page = asker.get(f"/r/{name}/?lang={language}", headers=BROWSER).text
    said = asker.get(f"/r/{name}/index.json").get_json()
    for file in (one for row in said["data"] for one in row["files"]):
        assert file["href"].removeprefix("http://localhost") in page
        assert file["sha256"] in page
    for one in said["publications"]:
        assert one["when"] in page
        for beside in (one["supersedes"], one["superseded_by"]):
            assert beside is None or f"/r/{beside['release']}/" in page
    if name != ARCHIVED:
        number = said["publications"][0]["number"]
        assert f"/changes?from={number - 1}&amp;to={number}" in page
    if name == WHOLE:
        assert "张某" in page
        assert "某局&lt;b&gt;" in page
    assert f'action="/r/{name}/data/download"' in page or HOLDINGS[name] != "whole"


def test_publications_are_told_with_their_neighbours(asker: FlaskClient) -> None:
    (one,) = asker.get(f"/r/{WHOLE}/index.json").get_json()["publications"]
    assert (one["number"], one["action"], one["who"], one["live"]) == (3, "import", "张某", False)
    assert (one["supersedes"]["release"], one["superseded_by"]["release"]) == (OTHER, LIVE)
    compared = asker.get(one["changes"], headers=PROGRAM).get_json()
    assert [row["after"]["area_km2"] for row in compared["areas"]] == [AREAS[WHOLE]]
    assert one["imported"][0]["source"] == IMPORT["source"]


def test_a_whole_release_comes_in_any_frame_and_selection_for_ever(asker: FlaskClient) -> None:
    answer = asker.get(f"/r/{WHOLE}/data/zones.gpkg?crs=EPSG:4550")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, IMMUTABLE)
    assert f"weihai-zones-epsg4550-{WHOLE[:8]}.gpkg" in answer.headers["Content-Disposition"]
    database = sqlite3.connect(":memory:")
    database.deserialize(answer.data)
    assert database.execute("SELECT srs_id FROM gpkg_geometry_columns").fetchall() == [(4550,)]
    assert database.execute("SELECT area_km2 FROM zones WHERE id = ?", (PLACE,)).fetchall() == [(290.5,)]
    database.close()
    chosen = asker.get(f"/r/{WHOLE}/data/zones.geojson", query_string={"filter": "area_km2 = 290.5"})
    assert [row["id"] for row in json.loads(chosen.data)["features"]] == [PLACE]
    assert asker.get(f"/r/{WHOLE}/data/download").mimetype == "text/html"
    form = asker.get(f"/r/{WHOLE}/data/download?layer=zones&format=fgb&crs=EPSG:4549")
    assert form.headers["Location"] == f"/r/{WHOLE}/data/zones.fgb?crs=EPSG%3A4549"
    assert asker.get(f"/r/{WHOLE}/data/zones.gpkg?crs=EPSG:2000").get_json(force=True)["parameter"] == "crs"
    assert asker.get(f"/r/{WHOLE}/data/zones.schema.json").mimetype == "application/schema+json"


@pytest.mark.parametrize("name", [ARCHIVED, OTHER])
def test_what_cannot_be_made_any_more_is_refused_by_name(asker: FlaskClient, name: str) -> None:
    refused = asker.get(f"/r/{name}/data/zones.geojson?filter=id='x'")
    assert (refused.status_code, refused.get_json(force=True)["parameter"]) == (400, "filter")
    missing = asker.get(f"/r/{name}/data/zones.dwg")
    problem = json.loads(missing.data)
    assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")
    assert "zones.geojson" in problem["allowed"]
    assert f"/r/{name}/data/zones.geojson" in {row["href"] for row in problem["near"]}
    assert asker.get(f"/r/{name}/data/zones.gpkg").status_code == (404 if name == ARCHIVED else 200)
    page = asker.get(f"/r/{name}/data/zones.dwg", headers=BROWSER)
    assert (page.status_code, page.mimetype) == (404, "text/html")


def test_compressed_on_the_way_the_bytes_and_what_is_said_of_them_agree(asker: FlaskClient) -> None:
    path = f"/r/{ARCHIVED}/data/clauses.json"
    plain, packed = asker.get(path), asker.get(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)
    digest = base64.b64encode(hashlib.sha256(plain.data).digest()).decode()
    assert plain.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert "Repr-Digest" not in packed.headers
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    for asked in (plain, packed):
        assert asker.get(path, headers={"If-None-Match": asked.headers["ETag"]}).status_code == 304


def test_the_start_of_a_hash_leads_to_the_release(asker: FlaskClient) -> None:
    for asked, led in (
        ("cccc/", f"/r/{WHOLE}/"),
        ("cccc", f"/r/{WHOLE}/"),
        ("aaaa0/?lang=en", f"/r/{ARCHIVED}/?lang=en"),
        ("cccc000/data/zones.gpkg?crs=4550", f"/r/{WHOLE}/data/zones.gpkg?crs=4550"),
        ("dddd/static/css/pages.css", f"/r/{LIVE}/static/css/pages.css"),
    ):
        answer = asker.get(f"/r/{asked}")
        assert (answer.status_code, answer.headers["Location"]) == (302, led)
        assert answer.headers["Cache-Control"] == "no-cache"
    assert asker.get("/r/?lang=en").headers["Location"] == "/changes?lang=en"


@pytest.mark.parametrize(
    "asked", ["ccc", "1", "3", "ffff", "cccc000011112222a", "..", "%E9%AB%98", "x" * 5000]
)
@pytest.mark.parametrize("below", ["", "index.json", "data/zones.geojson", "map/zh.json"])
def test_an_unknown_release_is_named_with_those_there_are(asker: FlaskClient, asked: str, below: str) -> None:
    answer = asker.get(f"/r/{asked}/{below}")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    if asked != "..":
        problem = json.loads(answer.data)
        assert [row["id"] for row in problem["near"]] == [LIVE, WHOLE, OTHER, ARCHIVED]
        page = asker.get(f"/r/{asked}/{below}", headers=BROWSER)
        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert f'href="/r/{WHOLE}/"' in page.text


def test_the_start_of_two_releases_is_none(asker: FlaskClient) -> None:
    problem = json.loads(asker.get("/r/aaaa/").data)
    assert problem["status"] == 404
    assert [row["id"] for row in problem["near"]] == [OTHER, ARCHIVED]


@pytest.mark.parametrize("path", ["/changes", "/changes?from=1&to=3", f"/r/{WHOLE}/", f"/r/{ARCHIVED}/"])
def test_a_page_and_its_document_share_an_address(asker: FlaskClient, path: str) -> None:
    for accept, kind in (
        (None, "text/html"),
        ("*/*", "text/html"),
        (BROWSER["Accept"], "text/html"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
    ):
        answer = asker.get(path, headers={"Accept": accept} if accept else {})
        assert (answer.status_code, answer.mimetype) == (200, kind), accept
        assert "Accept" in answer.vary
        again = asker.get(path, headers={"Accept": accept or "*/*", "If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    refused = asker.get("/changes?from=99", headers=PROGRAM)
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")


def test_lists_and_histories_lead_to_the_releases(asker: FlaskClient) -> None:
    for path in ("/changes", "/changes?from=2&to=3", f"/zones/{PLACE}"):
        assert f'href="/r/{WHOLE}/"' in asker.get(path).text
    assert f'href="/r/{LIVE}/"' in asker.get("/data/").text
    rows = asker.get("/changes.json").get_json()["publications"]
    assert [row["href"] for row in rows] == [f"http://localhost/r/{name}/" for name in HOLDINGS]


def test_a_release_without_a_history_has_its_page(
    client: FlaskClient, release: Release, tmp_path: Path
) -> None:
    bare = create_app(release, Settings(tmp_path)).test_client()
    said = bare.get(f"/r/{release.id}/index.json").get_json()
    assert (said["holding"], said["live"], said["publications"]) == ("whole", True, [])
    assert bare.get(f"/r/{release.id}/").status_code == 200
    assert bare.get("/r/0000000000000000/").status_code == 404


def test_a_process_that_has_not_moved_on_knows_the_next_release(release: Release, tmp_path: Path) -> None:
    fill(release, tmp_path)
    asker = open_site(tmp_path).test_client()
    assert asker.get("/r/eeee000011112222/static/css/pages.css").status_code == 404
    record(tmp_path, fresh(release, tmp_path, "eeee000011112222"), Act("build", "x", hash_code()))
    assert asker.get("/r/eeee000011112222/static/css/pages.css").status_code == 200
    assert asker.get(f"/r/{LIVE}/data/zones.geojson").status_code == 200


def test_a_lost_archive_is_said(release: Release, tmp_path: Path) -> None:
    fill(release, tmp_path)
    (tmp_path / "archive" / f"{ARCHIVED}.zip").unlink()
    asker = open_site(tmp_path).test_client()
    assert asker.get(f"/r/{ARCHIVED}/index.json").get_json()["holding"] == "lost"
    assert asker.get(f"/r/{ARCHIVED}/").status_code == 200
    assert asker.get(f"/r/{ARCHIVED}/data/zones.geojson").status_code == 404


@pytest.fixture
def leaving(release: Release, tmp_path: Path) -> Path:
    """A home of its own whose releases are archived while they are read."""
    fill(release, tmp_path)
    return tmp_path


def test_a_release_removed_before_its_file_is_made_is_archived(
    leaving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, make = open_site(leaving).test_client(), export_worker.run_child

    def make_late(*given: Any) -> None:
        shutil.rmtree(leaving / "releases" / WHOLE)
        make(*given)

    monkeypatch.setattr(export_worker, "run_child", make_late)
    refused = asker.get(f"/r/{WHOLE}/data/zones.csv?crs=EPSG:4550")
    assert (refused.status_code, refused.get_json(force=True)["parameter"]) == (400, "crs")
    assert asker.get(f"/r/{WHOLE}/index.json").get_json()["holding"] == "archived"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("data/zones.geojson", 200),
        ("data/clauses.json", 200),
        ("data/zones.gpkg", 404),
        ("data/zones.gpkg?crs=EPSG:4550", 400),
        ("files/zones.gpkg", 404),
        ("static/css/pages.css", 404),
    ],
)
def test_a_release_removed_between_two_looks_is_archived(
    leaving: Path, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    asker, read = open_site(leaving).test_client(), Release.read
    wanted = asker.get(f"/r/{WHOLE}/{path.partition('?')[0]}").data

    def read_late(release: Release, name: str) -> bytes:
        if release.id == WHOLE:
            shutil.rmtree(release.folder, ignore_errors=True)
        return read(release, name)

    monkeypatch.setattr(Release, "read", read_late)
    answer = asker.get(f"/r/{WHOLE}/{path}")
    assert answer.status_code == status
    assert status != 200 or answer.data == wanted


def test_readers_of_a_release_that_is_archived_get_all_of_a_file_or_a_plain_no(
    leaving: Path, release: Release
) -> None:
    """Over a real server, while publications push the release out and files are made of it."""
    whole = Release(leaving / "releases" / WHOLE, digest_of(leaving / "releases" / WHOLE))
    digests = {
        "zones.geojson": whole.sha256("data/zones.geojson"),
        "clauses.json": whole.sha256("data/clauses.json"),
        "plan.gpkg": whole.sha256("files/plan.gpkg"),
        "zones.csv?crs=EPSG:4550": None,
    }
    seen: dict[str, set[tuple[int, str]]] = {name: set() for name in digests}
    done = threading.Event()

    def read(site: str, name: str) -> None:
        while not done.is_set():
            status, body = fetch(f"{site}/r/{WHOLE}/data/{name}")
            seen[name].add((status, hashlib.sha256(body).hexdigest() if status == 200 else ""))

    with running(open_site(leaving)) as site:
        readers = [threading.Thread(target=read, args=(site, name)) for name in digests]
        for reader in readers:
            reader.start()
        for name in ("eeee000011112222", "ffff000011112222"):
            record(leaving, fresh(release, leaving, name), Act("build", name, hash_code()))
        while any(reader.is_alive() for reader in readers) and (404, "") not in seen["plan.gpkg"]:
            done.wait(0.02)
        done.set()
        for reader in readers:
            reader.join(60)
    assert seen["zones.geojson"] == {(200, digests["zones.geojson"])}
    assert seen["clauses.json"] == {(200, digests["clauses.json"])}
    assert seen["plan.gpkg"] <= {(200, digests["plan.gpkg"]), (404, "")}
    made = {digest for status, digest in seen["zones.csv?crs=EPSG:4550"] if status == 200}
    assert len(made) <= 1
    assert {status for status, _ in seen["zones.csv?crs=EPSG:4550"]} <= {200, 400}


def digest_of(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def fetch(address: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read()  # raises where there are fewer bytes than were announced
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width"), [(ARCHIVED, 1440), (WHOLE, 360)])
def test_the_page_of_a_release_has_no_barrier_and_fits_its_window(
    browser: Browser, published: Path, name: str, width: int
) -> None:
    with running(open_site(published)) as site:
        context = browser.new_context(viewport={"width": width, "height": 800}, locale="zh-CN")
        watched = Watched(context.new_page(), site)
        page = watched.page
        page.goto(f"{site}/r/{name}/?lang=zh")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert Axe().run(page).response["violations"] == []
        if name == WHOLE:
            page.locator("select[name=layer]").select_option("zones")
            with page.expect_download() as download:
                page.get_by_role("button", name="下载").click()
            assert download.value.suggested_filename == f"weihai-zones-{WHOLE[:8]}.gpkg"
        context.close()
        assert watched.faults == []
