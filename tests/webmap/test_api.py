"""What programs get: data, documents, look-ups, and clear refusals."""

import gzip
import json

import brotli
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from layers.store import Release

SPATIAL = (
    "counties",
    "zones",
    "parks",
    "five-zones",
    "belts",
    "marine-cores",
    "towns",
    "land",
    "platforms",
    "gateways",
)
TABLES = ("designations", "industries", "clusters", "chains", "indicators", "clauses", "agencies")
CONTRACT = {
    *("id", "name_zh", "name_en", "name_ko", "kind", "parent_id", "positioning_zh", "positioning_en"),
    *("industries", "clauses", "responsible_units", "geometry_method", "positional_accuracy_m"),
    *("geometry_source", "area_km2", "official_area_km2"),
}


@pytest.mark.parametrize("layer", SPATIAL)
def test_every_layer_downloads_as_geojson(client: FlaskClient, layer: str) -> None:
    answer = client.get(f"/data/{layer}.geojson")
    assert answer.status_code == 200
    assert answer.mimetype == "application/geo+json"
    collection = json.loads(answer.data)
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection
    ids = [feature["id"] for feature in collection["features"]]
    assert len(ids) == len(set(ids)) > 0


@pytest.mark.parametrize("layer", [layer for layer in SPATIAL if layer not in {"platforms", "gateways"}])
def test_polygons_carry_the_properties_of_the_contract(client: FlaskClient, layer: str) -> None:
    for feature in client.get(f"/data/{layer}.geojson").get_json(force=True)["features"]:
        assert set(feature["properties"]) >= CONTRACT
        assert feature["properties"]["id"] == feature["id"]
        for row in feature["properties"]["industries"]:
            assert set(row) >= {"industry_id", "term_zh", "term_en", "emphasis", "clause"}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_downloads_as_json(client: FlaskClient, table: str) -> None:
    rows = client.get(f"/data/{table}.json").get_json()
    assert rows
    assert all(set(row) == set(rows[0]) for row in rows)


def test_the_catalogue_lists_exactly_the_fields_that_the_files_have(
    client: FlaskClient, release: Release
) -> None:
    for layer in release.read_json("pages/catalogue.json"):
        named = [field["name"] for field in layer["fields"]]
        if layer["geometry"] == "none":
            rows = client.get(f"/data/{layer['id']}.json").get_json()
            assert [list(row) for row in rows[:1]] == [named], layer["id"]
        else:
            features = client.get(f"/data/{layer['id']}.geojson").get_json(force=True)["features"]
            assert {tuple(row["properties"]) for row in features} == {tuple(named)}, layer["id"]


def test_the_ids_of_the_contract_are_there(client: FlaskClient) -> None:
    wanted = {
        "counties": "huancui wendeng rongcheng rushan",
        "zones": "gaoqu jingqu lingang nanhai zongbaoqu shidao haoyunjiao",
        "parks": "shuangdaowan chucun dongbu-binhai yuanyao haigaoyuan lanse-tangu zhonghan-park "
        "fuwu-maoyi-park zhongri-park zhongde-park lingang-wuliu-park rushan-jingkaiqu rushan-binhai",
        "five-zones": "five-innovation five-city-industry five-marine-economy five-blue-economy "
        "five-china-korea",
        "belts": "belt-central-manufacturing belt-north-hightech",
        "marine-cores": "marine-north marine-east marine-south",
    }
    for layer, ids in wanted.items():
        features = client.get(f"/data/{layer}.geojson").get_json(force=True)["features"]
        assert {feature["id"] for feature in features} == set(ids.split())


def test_a_zone_answers_as_document_and_as_geojson(client: FlaskClient) -> None:
    document = client.get("/zones/gaoqu.json").get_json()
    assert document["name"]["zh"] == "高区"
    assert {row["term"]["zh"] for row in document["industries"] if row["clause"] == "三(一)1(2)"} == {
        "医疗器械及医药",
        "电子信息",
        "时尚设计制造",
        "新材料及制品",
        "智能装备",
    }
    feature = client.get("/zones/gaoqu.geojson").get_json(force=True)
    assert feature["type"] == "Feature"
    assert feature["geometry"]["type"] == "MultiPolygon"


def test_prepared_bytes_come_compressed_with_etag_and_conditional_answers(client: FlaskClient) -> None:
    plain = client.get("/data/zones.geojson")
    zipped = client.get("/data/zones.geojson", headers={"Accept-Encoding": "gzip"})
    small = client.get("/data/zones.geojson", headers={"Accept-Encoding": "br, gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert small.headers["Content-Encoding"] == "br"
    assert gzip.decompress(zipped.data) == brotli.decompress(small.data) == plain.data
    assert len(small.data) < len(zipped.data) < len(plain.data)
    assert "Accept-Encoding" in small.headers["Vary"]
    again = client.get(
        "/data/zones.geojson", headers={"Accept-Encoding": "br", "If-None-Match": small.headers["ETag"]}
    )
    assert again.status_code == 304
    assert again.data == b""
    assert plain.headers["Access-Control-Allow-Origin"] == "*"


def test_head_gives_the_headers_of_get_without_a_body(client: FlaskClient) -> None:
    got, head = client.get("/data/zones.geojson"), client.head("/data/zones.geojson")
    assert head.data == b""
    assert head.headers["ETag"] == got.headers["ETag"]
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_addresses_with_the_release_never_change(client: FlaskClient, release: Release) -> None:
    answer = client.get(f"/r/{release.id}/map/overview.topojson")
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/r/0000000000000000/map/overview.topojson").status_code == 404
    assert client.get(f"/r/{release.id}/../current").status_code == 404
    assert client.get(f"/r/{release.id}/manifest.json").status_code == 404


def test_a_lookup_says_what_applies(client: FlaskClient) -> None:
    answer = client.get("/lookup?lon=122.1163&lat=37.3082").get_json()
    inside = {row["id"] for row in answer["applies"] if row["status"] == "inside"}
    assert {"huancui", "lingang", "belt-central-manufacturing"} <= inside
    terms = {
        one["term"]["zh"] for row in answer["applies"] if row["id"] == "lingang" for one in row["industries"]
    }
    assert {"新材料", "高端装备制造"} <= terms


def test_a_lookup_takes_other_frames(client: FlaskClient) -> None:
    plain = client.get("/lookup?lon=122.1163&lat=37.3082").get_json()
    shifted = client.get("/lookup?lon=122.1214&lat=37.3090&crs=GCJ-02").get_json()
    assert abs(shifted["lon"] - plain["lon"]) < 0.001
    projected = client.get("/lookup?lon=421681&lat=4130300&crs=EPSG:4550").get_json()
    assert abs(projected["lon"] - 122.11) < 0.05


@pytest.mark.parametrize(
    ("query", "parameter", "said"),
    [
        ("lat=37", "lon", "missing"),
        ("lon=122", "lat", "missing"),
        ("lon=&lat=37", "lon", "missing"),
        ("lon=abc&lat=37", "lon", "not a number"),
        ("lon=nan&lat=37", "lon", "not a number"),
        ("lon=1e999&lat=37", "lon", "not a number"),
        ("lon=999&lat=37", "lon", "outside"),
        ("lon=37.5&lat=122.1", "lat", "swapped"),
        ("lon=122&lat=-91", "lat", "swapped"),
        ("lon=122&lat=37&crs=EPSG:9999", "crs", "allowed"),
        ("lon=122&lat=37&lang=xx", "lang", "allowed"),
        ("lon=1e30&lat=1e30&crs=EPSG:4550", "lon", "outside"),
        ("lon=-180&lat=-90&crs=BD-09", "lon", "outside"),
        ("lon=1_2_2&lat=37", "lon", "not a number"),
        ("lon=١٢٢&lat=37", "lon", "not a number"),
        ("lon=x&lat=37&crs=EPSG:4550", "lon", "metres"),
    ],
)
def test_a_bad_lookup_names_parameter_value_and_what_is_allowed(
    client: FlaskClient, query: str, parameter: str, said: str
) -> None:
    answer = client.get(f"/lookup?{query}")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert problem["parameter"] == parameter
    assert "value" in problem
    assert problem["allowed"]
    if said != "swapped" or "122.1" in query:
        assert said in problem["detail"]
    assert problem["detail_zh"]


def test_swapped_coordinates_come_with_the_right_order(client: FlaskClient) -> None:
    assert client.get("/lookup?lon=37.5&lat=122.1").get_json()["hint"] == "lon=122.1&lat=37.5"


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/zones/gaoq.json", "gaoqu"),
        ("/zones/高区.json", "gaoqu"),
        ("/zones/Gaoqu.geojson", "gaoqu"),
        ("/data/zone.geojson", "zones"),
        ("/data/designation.json", "designations"),
    ],
)
def test_an_unknown_name_is_404_with_near_matches(client: FlaskClient, path: str, near: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert near in [row["id"] for row in answer.get_json()["near"]]


def test_error_messages_can_be_read_from_other_sites(client: FlaskClient) -> None:
    for path in ("/zones/nowhere.json", "/lookup?lon=abc&lat=37", "/data/nothing.geojson"):
        assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("frame", ["CRS84", "EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09"])
@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_every_frame_answers_or_refuses_over_the_whole_earth(
    client: FlaskClient, frame: str, lon: float, lat: float
) -> None:
    answer = client.get("/lookup", query_string={"lon": lon, "lat": lat, "crs": frame})
    assert answer.status_code in {200, 400}


def test_health_names_the_release(client: FlaskClient, release: Release) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok", "release": release.id}


def test_other_methods_are_refused_with_what_is_allowed(client: FlaskClient) -> None:
    answer = client.post("/lookup.json")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_makes_a_lookup_fail_inside(client: FlaskClient, lon: str, lat: str) -> None:
    answer = client.get("/lookup", query_string={"lon": lon, "lat": lat})
    assert answer.status_code in {200, 400}


@given(st.text(max_size=60))
def test_no_text_makes_a_search_or_a_page_fail_inside(client: FlaskClient, text: str) -> None:
    assert client.get("/search.json", query_string={"q": text}).status_code == 200
    assert client.get("/search", query_string={"q": text, "lang": "ko"}).status_code == 200
    from urllib.parse import quote

    for address in (f"/zones/{quote(text, safe='')}", f"/plan/{quote(text, safe='')}"):
        assert client.get(address).status_code in {200, 308, 404}


def test_a_query_that_is_too_long_is_refused(client: FlaskClient) -> None:
    answer = client.get("/search.json", query_string={"q": "威" * 10_000})
    assert answer.status_code == 400
    assert answer.get_json()["parameter"] == "q"
