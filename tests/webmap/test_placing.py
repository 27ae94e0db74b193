"""Looking up as people and programs do it: points in every notation, polygons, and what is refused."""

from __future__ import annotations

import html
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from werkzeug.test import TestResponse

PERSON = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LANGUAGES = ("zh", "en", "ko")
SQUARE = [[122.0, 37.2], [122.2, 37.2], [122.2, 37.4], [122.0, 37.4], [122.0, 37.2]]


def _polygon(ring: Any = SQUARE, kind: str = "Polygon") -> str:
    return json.dumps({"type": kind, "coordinates": [ring]})


def _send(client: FlaskClient, text: str | bytes, query: str = "", **headers: str) -> TestResponse:
    kind = headers.pop("type", "application/geo+json")
    return client.post(f"/lookup{query}", data=text, content_type=kind, headers=headers)


# Points.


@pytest.mark.parametrize(
    ("at", "frame"),
    [
        ("37°18′29.5″N 122°06′58.7″E", "CRS84"),
        ("东经122°06′58.7″ 北纬37°18′29.5″", "CRS84"),
        ("122.1163056, 37.3081944", "CRS84"),
        ("37.3081944 122.1163056", "EPSG:4490"),
        ("421659, 4131081", "EPSG:4550"),
        ("4131081, 421659", "EPSG:4550"),
        ("x=13593925 y=4482153", "EPSG:3857"),
        ("122.121346, 37.309159", "GCJ-02"),
        ("122.127885, 37.314996", "BD-09"),
    ],
)
def test_every_notation_and_frame_gives_the_same_answer(client: FlaskClient, at: str, frame: str) -> None:
    answer = client.get("/lookup", query_string={"at": at, "crs": frame}).get_json()
    assert (answer["lon"], answer["lat"]) == pytest.approx((122.116306, 37.308194), abs=1e-5)
    assert answer["where"] == "city"


def test_programs_get_the_document_and_people_the_page(client: FlaskClient) -> None:
    address = "/lookup?lon=122.1163&lat=37.3082"
    for accept in ("*/*", "application/json", None):
        answer = client.get(address, headers={"Accept": accept} if accept else {})
        assert answer.mimetype == "application/json"
        assert "Accept" in answer.headers["Vary"]
    page = client.get(address, headers=PERSON)
    assert page.mimetype == "text/html"
    assert "Accept" in page.headers["Vary"]
    assert client.get("/lookup.json?lon=122.1163&lat=37.3082", headers=PERSON).get_json() == (
        client.get(address).get_json()
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_where_how_sure_and_what_is_designated(client: FlaskClient, language: str) -> None:
    page = client.get(f"/lookup?lon=122.1163&lat=37.3082&lang={language}", headers=PERSON).text
    accuracy_m = client.get("/zones/lingang.json").get_json()["geometry"]["accuracy_m"]
    for part in (
        'href="/zones/lingang',
        'href="/industries/new-materials',
        'href="/plan/',
        'href="/places/airport-weihai',
        f"{round(accuracy_m, -2 if accuracy_m >= 1000 else -1):,}",
        'href="/lookup.json?',
    ):
        assert part in page, part
    doubtful = client.get(f"/lookup?lon=122.08&lat=37.42&lang={language}", headers=PERSON).text
    assert 'class="said"' in doubtful  # which of the towns it may be


def test_an_area_without_extent_is_not_taken_for_sharp(client: FlaskClient) -> None:
    page = client.get("/lookup?lon=122.42&lat=37.16&lang=zh", headers=PERSON).text
    assert "规划只说以荣成市为中心，未给出该区范围" in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("lon=122.9&lat=36.5", "at sea"),
        ("lon=121.4&lat=37.3", "outside the city"),
        ("lon=2.35&lat=48.85", "beyond this map"),
    ],
)
def test_the_page_says_what_is_outside(client: FlaskClient, query: str, said: str) -> None:
    assert said in client.get(f"/lookup?{query}&lang=en", headers=PERSON).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unclear_order_is_asked_about(client: FlaskClient, language: str) -> None:
    answer = client.get("/lookup", query_string={"at": "36.9, 37.2", "lang": language}, headers=PERSON)
    assert answer.status_code == 400
    links = re.findall(r'href="(/lookup\?lon=[^"]+)"', answer.text)
    assert any("lon=36.9&amp;lat=37.2" in link for link in links)
    assert any("lon=37.2&amp;lat=36.9" in link for link in links)
    field = answer.text[answer.text.index('<input id="at"') : answer.text.index('id="at-note"')]
    assert 'aria-invalid="true"' in field  # why, and what may have been meant, stands beside the field
    assert links[0] in field
    problem = client.get("/lookup", query_string={"at": "36.9, 37.2"}).get_json()
    assert len(problem["near"]) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_metres_without_their_system_are_asked_about(client: FlaskClient, language: str) -> None:
    query = {"at": "x=421658 y=4131081", "lang": language}
    assert query["at"] in client.get(f"/lookup?lang={language}", headers=PERSON).text  # the hint's own words
    answer = client.get("/lookup", query_string=query, headers=PERSON)
    assert answer.status_code == 400
    near = client.get("/lookup", query_string=query).get_json()["near"]
    assert [row["label"].split(":")[1] for row in near] == ["4549", "4550", "3857"]
    for row in near:
        assert row["href"].split("?")[1].replace("&", "&amp;") in answer.text
    found = client.get(near[1]["href"], headers={"Accept": "application/json"}).get_json()
    assert (round(found["lon"], 3), round(found["lat"], 3)) == (122.116, 37.308)


BAD_POINTS = [
    {"at": "nowhere"},
    {"at": "999, 37"},
    {"at": "122.1, 37.3", "crs": "EPSG:4550"},
    {"at": "421659, 4131081"},
    {"at": "37°70′N 122°E"},
    {"at": "x" * 10_000},
    {"at": "🙂"},
    {"at": "\u202e122.1, 37.3\u202c🙂"},
    {"at": "'; DROP TABLE zones; --"},
    {"at": "<script>alert(1)</script>"},
    {"lon": "37.5", "lat": "122.1"},
    {"lon": "<script>alert(1)</script>", "lat": "37"},
    {"lon": "122", "lat": "37", "crs": "<script>alert(1)</script>"},
    {"lon": "122"},
]


@pytest.mark.parametrize("query", BAD_POINTS, ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bad_position_is_refused_on_the_page_and_for_programs(
    client: FlaskClient, query: dict[str, str], language: str
) -> None:
    page = client.get("/lookup", query_string=query | {"lang": language}, headers=PERSON)
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert "<script>alert" not in page.text
    problem = client.get("/lookup", query_string=query)
    assert problem.status_code == 400
    assert problem.mimetype == "application/problem+json"
    body = problem.get_json()
    assert body["parameter"]
    assert body["detail"] != body["detail_zh"]


@given(
    st.text(max_size=300),
    st.sampled_from(["CRS84", "EPSG:4549", "EPSG:4550", "EPSG:3857", "GCJ-02", "BD-09"]),
)
def test_any_text_is_a_position_or_refused(client: FlaskClient, text: str, frame: str) -> None:
    answer = client.get("/lookup", query_string={"at": text, "crs": frame, "lon": "1", "lat": "1"})
    assert answer.status_code in {200, 400}


def test_the_map_lights_up_what_is_likeliest_and_the_runner_up(client: FlaskClient) -> None:
    """Where a point is likelier in no zone, the likeliest zone is but the runner-up."""
    seen = set()
    for lon in (121.98, 122.02, 122.06, 122.1, 122.115):
        for lat in (37.40, 37.46, 37.512):
            address = f"/lookup?lon={lon}&lat={lat}"
            page = client.get(address, headers=PERSON).get_data(as_text=True)
            (found,) = re.findall(r'data-hits="([^"]*)"', page)
            lit = [(hit["id"], hit["rank"]) for hit in json.loads(html.unescape(found))]
            rows = {row["layer"]: row for row in client.get(address).get_json()["likely"]}
            zones = rows.get("zones", {"places": [], "none_percent": 100})
            chances = [(one["likelihood_percent"], one["id"]) for one in zones["places"]]
            top = sorted([*chances, (zones["none_percent"], None)], key=lambda row: -row[0])[:2]
            wanted = [(place, rank) for rank, (chance, place) in enumerate(top) if place and chance >= 5]
            if wanted:
                assert lit == wanted, address
                seen.add(tuple(rank for _, rank in wanted))
    assert {(0,), (1,)} <= seen


# Polygons.


def test_a_polygon_is_shared_out_among_the_places(client: FlaskClient) -> None:
    answer = _send(client, _polygon()).get_json()
    assert answer["area_km2"] == pytest.approx(393.5, rel=0.01)
    by_id = {row["id"]: row for row in answer["shares"]}
    assert 0 < by_id["lingang"]["share_percent"] < 100
    low, high = by_id["lingang"]["share_range_percent"]
    assert low < by_id["lingang"]["share_percent"] < high
    assert by_id["lingang"]["industries"]


@pytest.mark.parametrize(
    "text",
    [
        _polygon(),
        _polygon(SQUARE[::-1]),  # wound the other way
        _polygon([[*one, 12.5] for one in SQUARE]),  # with heights
        json.dumps({"type": "MultiPolygon", "coordinates": [[SQUARE]]}),
        json.dumps({"type": "Feature", "properties": None, "geometry": json.loads(_polygon())}),
        "\ufeff" + _polygon(),
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "geometry": json.loads(_polygon())}] * 2,
            }
        ),
    ],
)
def test_the_same_polygon_in_other_words_has_the_same_shares(client: FlaskClient, text: str) -> None:
    expected = _send(client, _polygon()).get_json()["shares"]
    answer = _send(client, text.encode())
    assert answer.status_code == 200
    assert answer.get_json()["shares"] == expected


def test_a_polygon_may_be_in_any_frame(client: FlaskClient) -> None:
    ring = [[400000, 4110000], [430000, 4110000], [430000, 4140000], [400000, 4140000], [400000, 4110000]]
    answer = _send(client, _polygon(ring), "?crs=EPSG:4550").get_json()
    assert answer["area_km2"] == pytest.approx(900, rel=0.01)
    assert answer["shares"]


@pytest.mark.parametrize("way", ["file", "text"])
def test_the_form_takes_a_file_or_text(client: FlaskClient, way: str) -> None:
    form: dict[str, Any] = {"crs": "CRS84", "polygon": "" if way == "file" else _polygon()}
    if way == "file":
        form["file"] = (io.BytesIO(_polygon().encode()), "site.geojson", "application/geo+json")
    page = client.post("/lookup?lang=en", data=form, content_type="multipart/form-data", headers=PERSON)
    assert page.status_code == 200
    assert 'href="/zones/lingang' in page.text
    assert "data-outline" in page.text


BOW = [[122, 37], [122.1, 37.1], [122.1, 37], [122, 37.1], [122, 37]]
WAVE = [[122 + index / 10_000, 37 + (index % 2) / 100] for index in range(2_100)]
BAD_POLYGONS = {
    "not JSON": ("{", 400),
    "nothing": ("", 400),
    "a number": ("5", 400),
    "no geometry": ('{"type": "Feature", "geometry": null}', 422),
    "a point": ('{"type": "Point", "coordinates": [122, 37]}', 422),
    "a collection": ('{"type": "GeometryCollection", "geometries": []}', 422),
    "empty collection": ('{"type": "FeatureCollection", "features": []}', 422),
    "crossing itself": (_polygon(BOW), 422),
    "a line": (_polygon([[122, 37], [122.1, 37], [122, 37]]), 400),
    "open": (_polygon(SQUARE[:-1]), 400),
    "no rings": ('{"type": "Polygon", "coordinates": []}', 422),
    "texts": (_polygon([["a", "b"]] * 5), 400),
    "truths": (_polygon([[True, False]] * 5), 400),
    "deep": ('{"type": "Polygon", "coordinates": ' + "[" * 500 + "]" * 500 + "}", 400),
    "too deep": ("[" * 2_000, 400),
    "too many vertices": (_polygon([*WAVE, WAVE[0]]), 422),
    "too large": (_polygon([[120, 35], [124, 35], [124, 39], [120, 39], [120, 35]]), 422),
    "without area": (_polygon([[122, 37]] * 5), 422),
    "off the earth": (_polygon([[999, 37], [999.1, 37], [999, 37.1], [999, 37]]), 422),
    "swapped": (_polygon([[y, x] for x, y in SQUARE]), 422),
    "metres": (_polygon([[4e5, 4e6], [4.1e5, 4e6], [4e5, 4.1e6], [4e5, 4e6]]), 422),
    "another frame": (
        json.dumps(json.loads(_polygon()) | {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::4550"}}}),
        422,
    ),
    "scripts": ('{"type": "<script>alert(1)</script>"}', 400),
    "too many bytes": (_polygon() + " " * 300_000, 413),
    "far too many bytes": (_polygon() + " " * 1_100_000, 413),
}


@pytest.mark.parametrize("case", BAD_POLYGONS)
def test_a_bad_polygon_is_refused_for_programs(client: FlaskClient, case: str) -> None:
    text, status = BAD_POLYGONS[case]
    answer = _send(client, text)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["detail_zh"]


def test_areas_out_of_range_are_told_in_plain_figures(client: FlaskClient) -> None:
    large = _send(client, BAD_POLYGONS["too large"][0]).get_json()
    assert float(large["value"].replace(",", "")) > 10_000
    small = _send(client, _polygon([[122, 37], [122.000001, 37], [122, 37.000001], [122, 37]])).get_json()
    assert small["value"].startswith("0.00000")
    assert small["allowed"] == large["allowed"] == "0.000001–10,000"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", BAD_POLYGONS)
def test_a_bad_polygon_is_refused_on_the_page(client: FlaskClient, case: str, language: str) -> None:
    text, status = BAD_POLYGONS[case]
    form = {"polygon": text, "crs": "CRS84"}
    page = client.post(f"/lookup?lang={language}", data=form, headers=PERSON)
    assert page.status_code == status
    beside = page.text[page.text.index("</textarea>") : page.text.index('id="polygon-note"')]
    assert 'role="alert"' in beside
    assert page.text.count('role="alert"') == 1
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("kind", ["text/csv", "application/zip", "image/png", ""])
def test_other_types_are_not_read(client: FlaskClient, kind: str) -> None:
    answer = client.post("/lookup", data=b"x", content_type=kind)
    assert answer.status_code == 415
    file = {"file": (io.BytesIO(b"PK"), "site.zip", "application/zip")}
    page = client.post("/lookup", data=file, content_type="multipart/form-data", headers=PERSON)
    assert page.status_code == 415
    assert 'role="alert"' in page.text


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=6)
            | st.dictionaries(st.sampled_from(["type", "coordinates", "features", "geometry", "crs"]), inner)
        ),
        max_leaves=20,
    )
)
def test_any_json_is_measured_or_refused(client: FlaskClient, value: Any) -> None:
    assert _send(client, json.dumps(value)).status_code in {200, 400, 422}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-200, 200), st.floats(-100, 100)), min_size=3, max_size=12))
def test_any_ring_is_measured_or_refused(client: FlaskClient, ring: list[tuple[float, float]]) -> None:
    assert _send(client, _polygon([*ring, ring[0]])).status_code in {200, 422}


@given(st.binary(max_size=200))
def test_any_bytes_are_measured_or_refused(client: FlaskClient, body: bytes) -> None:
    assert _send(client, body).status_code in {200, 400, 422}


# In the browser.


def _open(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".pointer.ready")).to_be_attached()


@pytest.mark.browser
def test_a_click_on_the_map_answers_and_can_be_linked(page: Page, site: str) -> None:
    _open(page, f"{site}/lookup?lang=en")
    page.locator(".pointer").click()
    answer = page.locator("#lookup-answer")
    expect(answer.get_by_role("heading", name="Nearest port, airport and station")).to_be_visible()
    page.wait_for_url(re.compile(r"\?(.*&)?lat="))
    query = parse_qs(urlsplit(page.url).query)
    assert {"lon", "lat"} <= query.keys()
    expect(page.locator("#at")).to_have_value(f"{query['lon'][0]}, {query['lat'][0]}")
    expect(page.locator(".asked-ring")).to_be_attached()
    title = answer.locator("#answer-title").inner_text()
    _open(page, page.url)
    expect(answer.locator("#answer-title")).to_have_text(title)


@pytest.mark.browser
def test_the_keyboard_asks_about_the_centre_of_the_map(page: Page, site: str) -> None:
    _open(page, f"{site}/lookup?lang=zh")
    page.locator(".pointer .leaflet-container").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#lookup-answer #answer-title")).to_be_visible()


@pytest.mark.browser
def test_degrees_minutes_and_seconds_can_be_typed(page: Page, site: str) -> None:
    _open(page, f"{site}/lookup?lang=zh")
    page.get_by_label("坐标", exact=True).fill("北纬37°18′29.5″，东经122°06′58.7″")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.locator("#answer-title")).to_have_text("122.116306, 37.308194")
    expect(page.locator("#applies")).to_be_visible()


@pytest.mark.browser
def test_a_polygon_can_be_uploaded_and_is_drawn(page: Page, site: str) -> None:
    _open(page, f"{site}/lookup?lang=ko")
    page.locator("details.ask summary").click()
    page.locator("#file").set_input_files(
        {"name": "site.geojson", "mimeType": "application/geo+json", "buffer": _polygon().encode()}
    )
    page.get_by_role("button", name="계산").click()
    expect(page.locator("#shares")).to_be_visible()
    expect(page.locator(".asked-area")).to_be_attached()


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    ["/lookup?lang=en", "/lookup?lon=122.1163&lat=37.3082&lang=zh", "/lookup?lon=122.9&lat=36.5&lang=ko"],
)
def test_the_page_is_accessible(page: Page, site: str, path: str) -> None:
    _open(page, site + path)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []


@pytest.mark.browser
def test_the_page_is_light(page: Page, site: str) -> None:
    sizes: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    _open(page, f"{site}/lookup?lon=122.1163&lat=37.3082&lang=zh")
    page.wait_for_load_state("networkidle")
    assert sizes
    assert sum(sizes) <= 300_000


def test_a_point_beside_a_zone_is_not_said_to_lie_in_it(client: FlaskClient) -> None:
    said = {}
    for at in (
        "37.48,122.05",
        "37.52,122.05",
    ):  # 400 m outside the zone as drawn; inside
        asked = {"at": at, "lang": "en"}
        rows = client.get("/lookup", query_string=asked, headers={"Accept": "application/json"}).get_json()
        (status,) = {row["status"] for row in rows["areas"] if row["id"] == "five-innovation"}
        page = client.get("/lookup", query_string=asked, headers={"Accept": "text/html"}).text
        assert "Weihai Hi-Tech Zone is its core" in page
        said[status] = "The point is in Weihai Hi-Tech Zone" in page
    assert said == {"near": False, "inside": True}
