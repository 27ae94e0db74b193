"""The page that joins a table: for people and programs, with hostile files, and nothing left behind."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from pyproj import Transformer
from werkzeug.test import TestResponse

from layers.store import Release
from tests.geodata.test_geojson_input import MALFORMED, WRONG
from webmap.app import create_app
from webmap.export_worker import TEMPORARY, ExportWorker
from webmap.limiter import Limiter
from webmap.settings import Settings
from webmap.views import own_data

PERSON = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TABLE = "名称,经度,纬度,产品\n甲,122.1163,37.3082,碳纤维\n=1+1,122.05,37.52,医疗器械\n".encode("gb18030")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Files that are sent go here, and are gone when the test ends."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.glob(f"{TEMPORARY}*")) == []


def send(
    client: FlaskClient, content: bytes | None, name: str = "table.csv", *, person: bool = False, **form: Any
) -> TestResponse:
    data: dict[str, Any] = dict(form)
    if content is not None:
        data["file"] = (io.BytesIO(content), name)
    query = f"?lang={data.pop('lang', 'en')}"
    headers = PERSON if person else {}
    return client.post(f"/join{query}", data=data, content_type="multipart/form-data", headers=headers)


def test_programs_get_the_summary_or_the_file(client: FlaskClient) -> None:
    answer = send(client, TABLE, product="产品")
    summary = answer.get_json()
    assert (summary["count"], summary["placed"], summary["found_in"]) == (2, 2, ["经度", "纬度"])
    assert answer.headers["Cache-Control"] == "no-store"
    file = send(client, TABLE, format="csv", crs="GCJ-02", lang="ko")
    assert file.headers["Content-Disposition"] == 'attachment; filename="joined.csv"'
    assert file.data.decode("utf-8-sig").splitlines()[2].startswith("'=1+1,")
    assert "웨이하이 린강" in file.text


@pytest.mark.parametrize(
    ("language", "name", "code"),
    [
        ("zh", "2000国家大地坐标系 40带", "EPSG:4528"),
        ("zh", "西安80 40带", "EPSG:2364"),
        ("en", "CGCS2000 zone 40", "EPSG:4528"),
        ("ko", "Xian 1980 zone 40", "EPSG:2364"),
    ],
)
def test_a_system_named_as_the_page_shows_it_is_the_one_that_is_read(client, language, name, code) -> None:
    assert name in client.get(f"/join?lang={language}", headers=PERSON).text
    east, north = Transformer.from_crs("EPSG:4326", code, always_xy=True).transform(122.1163, 37.3082)
    summary = send(client, f"x,y\n{east},{north}\n".encode(), crs=name).get_json()
    assert (summary["placed"], summary["frame"], summary["frame_how"]) == (1, code, "told")


def test_the_page_is_there_in_every_language(client: FlaskClient) -> None:
    for language in ("zh", "en", "ko"):
        page = client.get(f"/join?lang={language}", headers=PERSON)
        assert page.status_code == 200
        assert 'id="result"' not in page.text


@pytest.mark.parametrize("language", ["ko"])
def test_the_page_shows_the_first_rows_and_keeps_what_was_chosen(client: FlaskClient, language: str) -> None:
    page = send(client, TABLE, person=True, lang=language, product="产品", crs="GCJ-02").text
    for part in (
        "甲",
        "=1+1",
        'href="/zones/lingang',
        'href="/plan/',
        'name="crs" value="GCJ-02"',
        'value="产品"',
    ):
        assert part in page, part


@pytest.mark.parametrize(
    ("content", "form", "status", "field"),
    [
        (b"foo,bar\np,q\n", {}, 422, "lon"),
        (TABLE, {"lon": "x"}, 400, "lat"),
        (TABLE, {"crs": "EPSG:999999"}, 422, "crs"),
        (TABLE, {"product": "x"}, 422, "product"),
        (TABLE, {"encoding": "x" * 300}, 400, "encoding"),
        (TABLE, {"format": "pdf"}, 400, "format"),
        (TABLE, {"colour": "red"}, 400, "colour"),
        (b"", {}, 422, "file"),
        (b"\x89PNG", {}, 415, "file"),
        (None, {}, 400, "file"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    client: FlaskClient, content: bytes | None, form: dict[str, Any], status: int, field: str
) -> None:
    page = send(client, content, person=True, **form)
    assert page.status_code == status
    if field not in {"format", "colour"}:
        assert f'id="{field}-fault"' in page.text
        assert f"{field}-fault" in page.text.partition(f'id="{field}"')[2].partition(">")[0]
    assert 'role="alert"' in page.text


def test_programs_are_told_what_is_wrong_with_which_field(client: FlaskClient) -> None:
    answer = send(client, TABLE, lon="x", lat="y")
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert (problem["parameter"], problem["value"]) == ("lon", "x")
    assert "名称, 经度, 纬度, 产品" in problem["detail"]
    assert problem["detail"] != problem["detail_zh"]


def _zip(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return out.getvalue()


HOSTILE = {
    "a bomb": ("a.zip", _zip("a.csv", b"0" * 30_000_000), 413),
    "a path": ("a.zip", _zip("../../../escaped.csv", b"lon,lat\n122,37\n"), 422),
    "a name": ("../../etc/\x00passwd\u202e.csv", b"a,b\n", 422),
    "scripts": ("<script>alert(1)</script>.csv", b"b,<script>alert(1)</script>\nfoo,y\n", 422),
    "GeoJSON": ("a.geojson", str(WRONG["twice inside"][0]).encode(), 400),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused(client: FlaskClient, case: str) -> None:
    name, content, status = HOSTILE[case]
    page = send(client, content, name, person=True)
    assert page.status_code == status
    assert "<script>alert" not in page.text


def test_only_so_many_bytes_are_read(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "MAX_BYTES", 1000)
    assert send(client, b"x" * 1001).status_code == 413
    assert send(client, b"x" * 200_000).status_code == 413
    assert client.post("/join", data=b"x", content_type="text/csv").status_code == 415


def test_what_a_killed_process_left_is_removed(folder: Path, home: Path, release: Release) -> None:
    old, new = folder / f"{TEMPORARY}old", folder / f"{TEMPORARY}new"
    for one in (old, new):
        one.mkdir()
        (one / "table.csv").write_bytes(TABLE)
    os.utime(old, (1, 1))
    create_app(release, Settings(home))
    assert (old.exists(), new.exists()) == (False, True)
    shutil.rmtree(new)


@pytest.mark.parametrize("person", [True, False])
def test_past_the_queue_one_is_asked_to_come_back(home: Path, release: Release, *, person: bool) -> None:
    app = create_app(release, Settings(home))
    worker: ExportWorker = app.extensions["export_worker"]
    worker._limiter = Limiter(1)
    with worker._limiter.turn():
        answer = send(app.test_client(), TABLE, person=person)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("person", [True, False])
@pytest.mark.parametrize("where", ["tempfile.mkdtemp", "webmap.export_worker.run_child"])
def test_where_no_disk_has_room_one_is_asked_to_come_back(
    home: Path, release: Release, monkeypatch: pytest.MonkeyPatch, where: str, *, person: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/somewhere")

    client = create_app(release, Settings(home)).test_client()
    monkeypatch.setattr(where, fail)
    answer = send(client, TABLE, person=person)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert "somewhere" not in answer.text


@settings(max_examples=120)
@given(MALFORMED | st.sampled_from(sorted(WRONG)))
@example({"type": "MultiPolygon", "coordinates": []})  # sound, and none
def test_no_geojson_fails_the_lookup(client: FlaskClient, value: Any) -> None:
    body = WRONG[value][0] if isinstance(value, str) else json.dumps(value)
    answer = client.post("/lookup", data=body, content_type="application/geo+json")
    assert answer.status_code in {200, 400, 413, 422}
    if answer.status_code == 400:  # it says where, but of a text that is no JSON
        assert "$" in answer.get_json()["detail"] or "is not JSON" in answer.get_json()["detail"]


@pytest.mark.browser
def test_a_table_is_previewed_and_downloaded_without_choosing_it_again(
    site: str, page: Page, tmp_path: Path
) -> None:
    table = tmp_path / "own.csv"
    table.write_bytes(TABLE)
    page.goto(f"{site}/join?lang=en")
    page.get_by_label("File", exact=True).set_input_files(table)
    page.get_by_label("Coordinate system").fill("GCJ-02")
    page.get_by_role("button", name="Preview").press("Enter")
    expect(page.get_by_role("heading", name="Result")).to_be_visible(timeout=30_000)
    expect(page.get_by_label("Coordinate system")).to_have_value("GCJ-02")
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    with page.expect_download(timeout=30_000) as started:
        page.get_by_role("button", name="CSV").press("Enter")
    assert "plan_zone" in Path(started.value.path()).read_text(encoding="utf-8-sig")
