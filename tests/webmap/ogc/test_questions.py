"""What is asked of features: boxes and their edges, words, long filters, flat properties, schemas."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from layers.axes import ALL
from layers.export.job import Part, columns_of, flatten_rows
from layers.store import Release
from webmap.ogc.request import FORM, MAX_SEARCH

ROOT = "/ogc/collections"
JSON = "application/json"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SPATIAL = ("counties", "towns", "zones", "parks", "five-zones", "belts", "marine-cores", "land", "gateways")


def read(client: FlaskClient, path: str, **query: Any) -> Any:
    answer = client.get(f"{ROOT}/{path}", query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def ids(page: Any) -> list[str]:
    return [feature["id"] for feature in page["features"]]


@pytest.mark.parametrize("axes", ALL, ids=lambda axes: axes.frame)
def test_what_lies_on_the_edge_of_a_box_is_in_it(client: FlaskClient, axes: Any) -> None:
    """Asked for with the box that came with it, and with each edge of it, every feature is found again."""
    for collection in SPATIAL:
        for feature in read(client, f"{collection}/items", limit=12, crs=axes.uri)["features"]:
            west, south, east, north = feature["bbox"]
            edges = ((west, south, west, north), (east, south, east, north), (west, south, east, south))
            for corners in ((west, south, east, north), *edges, (west, north, east, north)):
                box = ",".join(map(repr, corners))
                page = read(client, f"{collection}/items", limit=1000, **{"bbox": box, "bbox-crs": axes.uri})
                assert feature["id"] in ids(page), (collection, box)


def test_a_page_of_a_box_says_how_many_are_nowhere(client: FlaskClient) -> None:
    nowhere = read(client, "platforms/items", filter="geometry IS NULL")["numberMatched"]
    for query in ({}, {"filter": "kind = 'university'"}, {"limit": 1, "offset": 9000}):
        page = read(client, "platforms/items", bbox="122,37,122.2,37.6", **query)
        rest = {"filter": f"({query['filter']}) AND geometry IS NULL"} if "filter" in query else {}
        wanted = read(client, "platforms/items", **rest)["numberMatched"] if rest else nowhere
        assert page["numberWithoutGeometry"] == wanted <= page["numberMatched"]
    curved = {"bbox": "0,0,1,1", "bbox-crs": ALL[3].uri}
    assert read(client, "platforms/items", **curved)["numberWithoutGeometry"] == nowhere
    assert "numberWithoutGeometry" not in read(client, "platforms/items")
    assert "numberWithoutGeometry" not in read(client, "clauses/items", bbox="0,0,1,1")
    page = client.get(f"{ROOT}/platforms/items?f=html&lang=en&bbox=0,0,1,1").get_data(as_text=True)
    assert f"{nowhere} of them have no known place" in page


def test_words_are_looked_for_in_every_text(client: FlaskClient) -> None:
    towns = read(client, "towns/items", limit=1000)["features"]
    names = {row["id"]: row["properties"] for row in towns}
    some = next(iter(names))
    found = ids(read(client, "towns/items", q=names[some]["name_en"].upper()))
    assert some in found
    assert len(found) < len(names)
    both = read(client, "zones/items", q="hi-tech zone，no such thing")
    assert "gaoqu" in ids(both)
    assert read(client, "zones/items", q="hi-tech  ZONE")["numberMatched"] == both["numberMatched"]
    assert read(client, "zones/items", q="100%_\\")["numberMatched"] == 0
    everything = read(client, "zones/items")["numberMatched"]
    assert read(client, "zones/items", q=" , ")["numberMatched"] == everything
    assert read(client, "clauses/items", q="三(一)1(2)")["numberMatched"] > 0
    zones = read(client, "zones/items", limit=1000)["features"]
    for term in ("term_zh", "term_en", "term_ko"):  # what the plan names for a zone is found by its name
        word = zones[0]["properties"]["industries"][0][term]
        named = {
            row["id"]
            for row in zones
            if any(word.casefold() in one[term].casefold() for one in row["properties"]["industries"])
        }
        assert named <= set(ids(read(client, "zones/items", q=word)))
    assert client.get(f"{ROOT}/zones/items?q={'x' * 201}").status_code == 400
    assert client.get(f"{ROOT}/zones/items?q=a%00").status_code == 400


def test_only_systems_that_a_collection_lists_are_taken(client: FlaskClient) -> None:
    for name in ("EPSG:4326", "[EPSG:4326]", "4326", "http://www.opengis.net/def/crs/EPSG/9.9/4326"):
        for parameter in ("crs", "bbox-crs", "filter-crs"):
            answer = client.get(f"{ROOT}/zones/items", query_string={parameter: name})
            assert (answer.status_code, answer.get_json()["parameter"]) == (400, parameter)


def test_truth_values_may_be_figures(client: FlaskClient) -> None:
    said = [
        ids(read(client, "indicators/items", **query))
        for query in (
            {"target_below_base": "true"},
            {"target_below_base": "1"},
            {"filter": "target_below_base = 1"},
            {"filter": "target_below_base <> 0"},
        )
    ]
    assert said == [said[0]] * 4
    assert said[0]
    assert client.get(f"{ROOT}/indicators/items?target_below_base=2").status_code == 400


def test_a_long_filter_is_sent(client: FlaskClient) -> None:
    """Longer than any address; the links lead through the pages of the answer."""
    wanted = read(client, "towns/items", limit=1000, filter="area_km2 > 100")
    many = " OR ".join(f"id = 'no-such-town-{number}'" for number in range(2000))
    question = {"filter": f"area_km2 > 100 OR {many}", "limit": 20, "sortby": ["-area_km2"]}
    found = []
    sent: dict[str, Any] = {"json": question}
    while True:
        answer = client.post(f"{ROOT}/towns/search", **sent)
        assert answer.status_code == 200, answer.get_json()
        assert answer.mimetype == "application/geo+json"
        page = answer.get_json()
        found += ids(page)
        following = [one for one in page["links"] if one["rel"] == "next"]
        if not following:
            break
        (more,) = following
        assert more["method"] == "POST"
        assert more["href"].endswith(f"{ROOT}/towns/search")
        sent = {"data": more["request"]["body"], "content_type": more["request"]["type"]}
    assert sorted(found) == sorted(ids(wanted))
    document = {"op": ">", "args": [{"property": "area_km2"}, 100]}
    box = {"bbox": [122, 37, 122.5, 37.6], "filter": document, "crs": ALL[4].uri}
    answer = client.post(f"{ROOT}/towns/search", json=box)
    asked = {"bbox": "122,37,122.5,37.6", "filter": "area_km2 > 100", "crs": ALL[4].uri}
    assert answer.headers["Content-Crs"] == f"<{ALL[4].uri}>"
    assert answer.get_json()["features"] == read(client, "towns/items", **asked)["features"]


@pytest.mark.parametrize(
    ("sent", "status", "parameter"),
    [
        ({"json": {"limit": "9"}}, 400, "limit"),
        ({"json": {"limit": True}}, 400, "limit"),
        ({"json": {"bbox": "1,2,3,4"}}, 400, "bbox"),
        ({"json": {"bbox": [1, "2", 3, 4]}}, 400, "bbox"),
        ({"json": {"filter": None}}, 400, "filter"),
        ({"json": {"filter": {"op": "no"}}}, 400, "filter"),
        ({"json": {"crs": "EPSG:4326"}}, 400, "crs"),
        ({"json": {"limt": "9"}}, 400, "limt"),
        ({"json": [1]}, 400, "body"),
        ({"data": b"\xff{", "content_type": "application/json"}, 400, "body"),
        ({"data": b'{"filter":' + b'{"a":' * 400 + b"1" + b"}" * 401, "content_type": JSON}, 400, "filter"),
        ({"data": b'{"bbox":{"a":' + b"[" * 1000 + b"]" * 1000 + b"}}", "content_type": JSON}, 400, "bbox"),
        ({"data": b"[" * 1000 + b"]" * 1000, "content_type": JSON}, 400, "body"),
        ({"data": "x", "content_type": "text/plain"}, 415, "Content-Type"),
        ({"data": b"filter=" + b"x" * MAX_SEARCH, "content_type": FORM}, 413, None),
        ({"data": b"filter=" + b"x" * 140_000, "content_type": FORM}, 400, "filter"),
        ({"query_string": {"limit": 1}, "json": {}}, 400, "limit"),
    ],
)
def test_what_is_sent_amiss_is_named(
    client: FlaskClient, sent: Any, status: int, parameter: str | None
) -> None:
    answer = client.post(f"{ROOT}/zones/search", **sent)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json().get("parameter") == parameter


def test_search_takes_nothing_but_post(client: FlaskClient) -> None:
    for method in ("get", "put", "delete"):
        answer = getattr(client, method)(f"{ROOT}/zones/search")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    assert client.get(f"{ROOT}/zones/search", headers={"Accept": "text/html"}).status_code == 405
    assert client.post(f"{ROOT}/no-such/search", json={}).status_code == 404
    assert client.post(f"{ROOT}/zones/items/search", json={}).status_code == 405
    allowed = client.options(f"{ROOT}/zones/search").headers
    assert allowed["Access-Control-Allow-Methods"] == allowed["Allow"] == "POST, OPTIONS"


def test_flat_properties_are_those_of_the_files(client: FlaskClient, release: Release) -> None:
    """Every value is plain, as tables of every format have it, and the schema says so."""
    for info in release.read_json("pages/catalogue.json"):
        name = info["id"]
        spatial = info["geometry"] != "none"
        rows = release.read_json(f"data/{name}.geojson")["features"] if spatial else None
        part = Part(info, rows if rows is not None else release.read_json(f"data/{name}.json"))
        page = read(client, f"{name}/items", limit=1000, profile="flat")
        assert [feature["properties"] for feature in page["features"]] == flatten_rows(part)
        schema = read(client, f"{name}/schema", profile="flat")["properties"]
        assert [key for key in schema if key != "geometry"] == [column.name for column in columns_of(part)]
        assert {row.get("type", "string") for row in schema.values()} <= {
            "string",
            "number",
            "integer",
            "boolean",
        }
        single = read(client, f"{name}/items/{page['features'][0]['id']}", profile="flat")
        assert single["properties"] == page["features"][0]["properties"]
    links = read(client, "zones", profile="flat")["links"]
    followed = [one["href"] for one in links if "/ogc/" in one["href"]]
    assert followed
    assert all("profile=flat" in href for href in followed)
    assert client.get(f"{ROOT}/zones/items?profile=round").status_code == 400


def test_features_lead_to_what_describes_them(client: FlaskClient) -> None:
    """In the header of GET and HEAD, and in the links of every page."""
    address = f"{ROOT}/zones/items"
    for path in (address, f"{address}?bbox=1,2,3,4", f"{address}/gaoqu", f"{address}?f=html"):
        for method in (client.get, client.head):
            header = method(path).headers["Link"]
            found = dict(re.findall(r'<([^>]*)>; rel="([^"]*)"', header))
            assert {rel: href for href, rel in found.items()}[QUERYABLES].endswith("/zones/queryables?f=json")
            for href in found:
                assert client.get(href).mimetype == "application/schema+json"
    links = {one["rel"]: one["href"] for one in read(client, "zones/items")["links"]}
    assert links[QUERYABLES].endswith("/zones/queryables?f=json")
    assert links["describedby"].endswith("/zones/schema?f=json")
    proxied = client.get(address, headers={"Host": "localhost:8443"})
    assert "<http://localhost:8443/ogc/collections/zones/queryables" in proxied.headers["Link"]


def test_schemas_are_those_of_part_5(client: FlaskClient, release: Release) -> None:
    for info in release.read_json("pages/catalogue.json"):
        fields = {field["name"]: field for field in info["fields"]}
        for name in ("schema", "queryables", "sortables"):
            document = read(client, f"{info['id']}/{name}")
            Draft202012Validator.check_schema(document)
            assert document["$id"].endswith(f"{ROOT}/{info['id']}/{name}")
            members = document["properties"]
            places = {key: row for key, row in members.items() if row.get("x-ogc-role") == "primary-geometry"}
            assert bool(places) == (info["geometry"] != "none" and name != "sortables")
            assert all("type" not in row and row["format"].startswith("geometry-") for row in places.values())
            scalars = {key: row for key, row in members.items() if key not in places}
            assert scalars.keys() == fields.keys()
            for key, row in scalars.items():
                assert isinstance(row["type"], str)
                assert row.get("enum") == (fields[key]["values"] or None)
                assert (row.get("x-ogc-unit") is not None) == (fields[key]["unit"] is not None)
                if fields[key]["type"] in {"integer", "boolean", "number"}:
                    assert row["type"] == fields[key]["type"]
            assert [key for key, row in members.items() if row.get("x-ogc-role") == "id"] == ["id"] * (
                "id" in fields
            )
        returned = read(client, f"{info['id']}/schema")["properties"].values()
        assert [row["x-ogc-propertySeq"] for row in returned] == list(range(1, len(returned) + 1))
        assert all(row["readOnly"] for row in returned)


def test_whole_numbers_are_declared_as_such(client: FlaskClient, release: Release) -> None:
    for info in release.read_json("pages/catalogue.json"):
        rows = read(client, f"{info['id']}/items", limit=1000)["features"]
        for field in info["fields"]:
            values = [row["properties"][field["name"]] for row in rows]
            known = [value for value in values if value is not None]
            if known and field["type"] == "number":
                assert any(type(value) is float for value in known), (info["id"], field["name"])
            if field["type"] == "integer":
                assert all(type(value) is int for value in known), (info["id"], field["name"])


def test_lists_are_compared_by_their_entries(client: FlaskClient) -> None:
    rows = read(client, "zones/items")["features"]
    named = {row["id"]: {one["industry_id"] for one in row["properties"]["industries"]} for row in rows}
    some = sorted(named["gaoqu"])[:2]
    document = {"op": "a_contains", "args": [{"property": "industries"}, some]}
    found = read(client, "zones/items", **{"filter": json.dumps(document), "filter-lang": "cql2-json"})
    assert ids(found) == [key for key, own in named.items() if set(some) <= own]
    text = f"A_OVERLAPS(industries, ('{some[0]}', 'no-such'))"
    assert ids(read(client, "zones/items", filter=text)) == [
        key for key, own in named.items() if some[0] in own
    ]
