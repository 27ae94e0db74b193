"""OGC API – Features as programs meet it: documents, links, pages, systems, headers, refusals."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import brotli
import pytest
import shapely
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely.geometry import shape as to_shape

from geodata.read import read_facts
from layers.axes import ALL, CRS84
from layers.cql.tree import CODES
from layers.store import Release
from tests.layers.oracle import as_served
from webmap.app import create_app
from webmap.ogc.request import BOX_PLACEHOLDER, SYSTEMS
from webmap.settings import Settings

ROOT = "/ogc"
ZONES = f"{ROOT}/collections/zones/items"
LONLAT = {axes.frame: axes.uri for axes in ALL}


@pytest.fixture(scope="module")
def catalogue(release: Release) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = release.read_json("pages/catalogue.json")
    return found


def read(client: FlaskClient, path: str, **query: Any) -> Any:
    answer = client.get(path, query_string=query or None)
    assert answer.status_code == 200, answer.data
    return json.loads(answer.data)


@cache
def transformer(frame: str) -> Transformer:
    """Return what turns lon/lat into a system in its authority's own order."""
    return Transformer.from_crs("OGC:CRS84", frame.replace("CRS84", "OGC:CRS84"))


def ids(page: Any) -> list[str]:
    return [feature["id"] for feature in page["features"]]


def test_the_landing_page_is_there_with_and_without_a_slash(client: FlaskClient) -> None:
    assert client.get(ROOT).data == client.get(f"{ROOT}/").data
    rels = {link["rel"] for link in read(client, ROOT)["links"]}
    assert rels >= {"self", "alternate", "service-desc", "service-doc", "conformance", "data", "license"}


A_TILE = {"tileMatrix": "9", "tileRow": "198", "tileCol": "429"}


def test_every_link_leads_somewhere_and_says_what_it_leads_to(client: FlaskClient) -> None:
    waiting, seen = [f"http://localhost{ROOT}/?f=json"], set()
    while waiting:
        href = waiting.pop()
        assert href.startswith(tuple(f"http://localhost/{one}/" for one in ("ogc", "data", "tiles"))), href
        answer = client.get(href.removeprefix("http://localhost"))
        assert answer.status_code == 200, href
        if "json" not in str(answer.mimetype) or f"localhost{ROOT}/" not in href:
            continue
        text = answer.get_data(as_text=True)
        for target, rel, media in re.findall(r'"href":"([^"]*)","rel":"([^"]*)","type":"([^"]*)"', text):
            made = rel == "enclosure" and not target.endswith(
                (".geojson", ".json")
            )  # the download centre's own tests
            if target in seen or made:
                continue
            seen.add(target)
            link = re.sub(r"\{(\w+)\}", lambda name: A_TILE[name[1]], target)  # of a template
            waiting.append(link)
            head = client.head(link.removeprefix("http://localhost"))
            assert head.headers["Content-Type"].partition(";")[0] == media.partition(";")[0], target
    assert len(seen) > 100


def test_a_site_behind_a_proxy_links_to_the_address_that_its_operator_set(release: Release, home) -> None:
    app = create_app(release, Settings(home, url="https://plan.example.org"))
    for path in (ROOT, f"{ROOT}/api", ZONES, f"{ZONES}/gaoqu"):
        text = app.test_client().get(path, headers={"Accept": "application/json"}).get_data(as_text=True)
        assert "http://localhost" not in text
        assert "https://plan.example.org/ogc" in text


def test_no_host_at_all_is_the_server_s_own(client: FlaskClient) -> None:
    answer = client.get(ROOT, environ_overrides={"HTTP_HOST": ""})
    assert json.loads(answer.data)["links"][0]["href"] == "http://localhost/ogc/?f=json"


@pytest.mark.parametrize("host", ['evil"><script>', "a b", "x" * 300 + "/y"])
def test_a_hostile_host_is_not_repeated(client: FlaskClient, host: str) -> None:
    answer = client.get(ROOT, environ_overrides={"HTTP_HOST": host})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert "links" not in json.loads(answer.data)


def test_the_collections_are_all_layers_and_tables(client: FlaskClient, catalogue) -> None:
    rows = read(client, f"{ROOT}/collections", lang="en")["collections"]
    assert [(row["id"], row["title"]) for row in rows] == [
        (row["id"], row["title"]["en"]) for row in catalogue
    ]
    for row in rows:
        assert read(client, f"{ROOT}/collections/{row['id']}", lang="en")["id"] == row["id"]
        rels = {link["rel"].rpartition("/")[2] for link in row["links"]}
        assert rels >= {"self", "items", "queryables", "describedby", "license", "enclosure"}
        spatial = next(layer["geometry"] for layer in catalogue if layer["id"] == row["id"]) != "none"
        assert ("storageCrs" in row) == ("extent" in row) == ("crs" in row) == spatial


def test_every_feature_of_every_collection_is_served_as_the_files_have_it(
    client: FlaskClient, catalogue, release: Release
) -> None:
    for layer in catalogue:
        page = read(client, f"{ROOT}/collections/{layer['id']}/items", limit=1000)
        assert page["numberMatched"] == page["numberReturned"] == len(page["features"])
        if layer["geometry"] == "none":
            rows = release.read_json(f"data/{layer['id']}.json")
            assert [feature["properties"] for feature in page["features"]] == rows
        else:
            rows = release.read_json(f"data/{layer['id']}.geojson")["features"]
            assert page["features"] == list(map(as_served, rows))
            kinds = {row["geometry"]["type"] for row in page["features"] if row["geometry"]}
            assert kinds == {"MultiPolygon" if layer["geometry"] == "polygon" else "Point"}
        for feature in page["features"][:3]:
            single = read(client, f"{ROOT}/collections/{layer['id']}/items/{feature['id']}")
            assert single.pop("links")
            assert single == feature


@given(limit=st.integers(1, 300), backwards=st.booleans())
@settings(max_examples=25)
def test_following_the_links_meets_every_feature_once(
    client: FlaskClient,
    limit: int,
    backwards: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    wanted = ids(read(client, f"{ROOT}/collections/platforms/items", limit=1000, filter="id > 'h'"))
    start = len(wanted) if backwards else 0
    query = f"filter=id%20%3E%20'h'&limit={limit}&offset={start}&f=json&lang=ko"
    href = f"{ROOT}/collections/platforms/items?{query}"
    met: list[str] = []
    pages = 0
    while href:
        page = read(client, href.removeprefix("http://localhost"))
        met = ids(page) + met if backwards else met + ids(page)
        assert page["numberMatched"] == len(wanted)
        links = {link["rel"]: link["href"] for link in page["links"]}
        href = links.get("prev" if backwards else "next", "")
        if href:
            assert "filter=id%20%3E%20%27h%27" in href
            assert "lang=ko" in href
            assert "f=json" in href
        pages += 1
    assert (list(dict.fromkeys(met)) if backwards else met) == wanted  # the first page may come short
    assert pages <= len(wanted) // limit + 2


@pytest.mark.parametrize("axes", ALL, ids=lambda axes: axes.frame)
def test_coordinates_come_in_the_system_and_the_order_of_its_authority(client: FlaskClient, axes) -> None:
    answer = client.get(ZONES, query_string={"crs": axes.uri, "limit": 3})
    assert answer.headers["Content-Crs"] == f"<{axes.uri}>"
    plain = read(client, ZONES, limit=3)
    change = transformer(axes.frame)
    tolerance = 0.001 if axes.metric else 1e-7
    for row, other in zip(json.loads(answer.data)["features"], plain["features"], strict=True):
        assert row["properties"] == other["properties"]
        assert row["geometry"]["type"] == other["geometry"]["type"]
        first = shapely.get_coordinates(to_shape(other["geometry"]))
        turned = shapely.get_coordinates(to_shape(row["geometry"]))
        assert len(first) == len(turned)
        for (lon, lat), found in zip(first, turned, strict=True):
            assert list(found) == pytest.approx(change.transform(lon, lat), abs=tolerance)
        assert row["bbox"] == pytest.approx(list(to_shape(row["geometry"]).bounds))


boxes = st.tuples(
    st.integers(12150, 12270), st.integers(3670, 3750), st.integers(1, 60), st.integers(1, 60)
).map(lambda n: (n[0] / 100, n[1] / 100, (n[0] + n[2]) / 100, (n[1] + n[3]) / 100))


@given(box=boxes, axes=st.sampled_from(ALL))
@settings(max_examples=60)
def test_a_box_in_any_system_selects_the_same_features(client: FlaskClient, box, axes) -> None:
    """In a curved system the box around a box encloses a little more."""
    path = f"{ROOT}/collections/towns/items"
    corners = transformer(axes.frame).transform_bounds(*box)
    found = read(client, path, limit=1000, **{"bbox": ",".join(map(repr, corners)), "bbox-crs": axes.uri})
    plain = read(client, path, limit=1000, bbox=",".join(map(repr, box)))
    if not axes.curved:
        assert ids(found) == ids(plain)
    else:
        assert set(ids(found)) >= set(ids(plain))
        assert len(ids(found)) <= len(ids(plain)) + 9


BOXES = st.one_of(
    st.tuples(*[st.floats(121, 123).map(lambda x: round(x, 3)), st.floats(36, 38)] * 2).map(
        lambda box: ",".join(f"{number:g}" for number in box)
    ),
    st.sampled_from(
        ["", "1,2,3", "121,36,123,38", " 121, 36,123,38", "a,b,c,d", "é&<", BOX_PLACEHOLDER, "0,0,1,1"]
    ),
)
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.sampled_from(["1", "3", "1000", "0", BOX_PLACEHOLDER]),
        "offset": st.sampled_from(["0", "2", "5000"]),
        "lang": st.sampled_from(["zh", "en", "fr"]),
        "crs": st.sampled_from([CRS84.uri, ALL[3].uri, "x"]),
        "bbox-crs": st.sampled_from([CRS84.uri, ALL[1].uri, ALL[4].uri]),
        "name_zh": st.sampled_from(["高区", BOX_PLACEHOLDER, "bbox=1"]),
        "filter": st.sampled_from(["id < 'm'", "id <"]),
    },
)


@settings(max_examples=150)
@given(box=BOXES, others=OTHERS, at=st.integers(0, 7))
def test_a_box_among_many_is_answered_as_it_is_alone(
    client: FlaskClient, box: str, others: dict[str, str], at: int
) -> None:
    pairs = [f"{name}={quote_plus(value)}" for name, value in others.items()]
    answers = []
    for name in ("bbox", "%62box"):  # what is not written plainly is read by itself
        parts = [*pairs[:at], f"{name}={quote_plus(box)}", *pairs[at:]]
        answers.append(client.get(f"{ZONES}?{'&'.join(parts)}"))
    plain, encoded = answers
    assert plain.status_code == encoded.status_code
    told = [{k: v for k, v in answer.get_json(force=True).items() if k != "instance"} for answer in answers]
    assert told[0] == told[1]
    if plain.status_code == 200:
        assert plain.data == encoded.data
        again = next(link["href"] for link in told[0]["links"] if link["rel"] == "self")
        assert parse_qs(urlsplit(again).query, keep_blank_values=True)["bbox"] == [box]
        assert ids(client.get(again).get_json(force=True)) == ids(told[0])


def test_a_box_may_cross_the_antimeridian(client: FlaskClient) -> None:
    path = f"{ROOT}/collections/towns/items"
    assert read(client, path, bbox="122,30,-170,40")["numberMatched"] > 0
    assert read(client, path, bbox="170,30,-170,40")["numberMatched"] == 0
    assert read(client, path, bbox="30,122,40,-170", **{"bbox-crs": LONLAT["EPSG:4326"]})["numberMatched"] > 0


@pytest.mark.parametrize("box", ["123,36,121,38", "3,2,1,4", "121,38,123,36"])
def test_a_box_with_its_corners_swapped_is_refused(client: FlaskClient, box: str) -> None:
    answer = client.get(f"{ROOT}/collections/towns/items", query_string={"bbox": box, "f": "json"})
    assert (answer.status_code, answer.get_json()["parameter"]) == (400, "bbox")
    assert answer.get_json()["allowed"] == "min ≤ max"


def test_a_box_beyond_the_reach_of_its_system_selects_nothing(client: FlaskClient) -> None:
    path = f"{ROOT}/collections/towns/items"
    for frame in ("EPSG:4550", "EPSG:4549", "EPSG:3857"):
        far = "1e12,1e12,2e12,2e12"
        assert read(client, path, bbox=far, **{"bbox-crs": LONLAT[frame]})["numberMatched"] == 0
        everything = "-1e300,-1e300,1e300,1e300"
        assert read(client, path, bbox=everything, **{"bbox-crs": LONLAT[frame]})["numberMatched"] == 73


def test_what_has_no_place_and_no_time_matches_any(client: FlaskClient) -> None:
    """Part 1, fc-bbox-response C and fc-time-response C."""
    nowhere = read(client, f"{ROOT}/collections/platforms/items", filter="geometry IS NULL")["numberMatched"]
    assert nowhere > 0
    for system, far in ((CRS84.uri, "0,0,1,1"), (LONLAT["EPSG:4550"], "0,0,1,1")):
        page = read(client, f"{ROOT}/collections/platforms/items", **{"bbox": far, "bbox-crs": system})
        assert page["numberMatched"] == nowhere
    agencies = len(read_facts().agencies)
    assert read(client, f"{ROOT}/collections/agencies/items", bbox="0,0,1,1")["numberMatched"] == agencies
    for moment in (
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "2024-01-01/..",
        "../2024-01-01T00:00:00+08:00",
        "2023-01-01/2024-01-01",
    ):
        assert read(client, ZONES, datetime=moment)["numberMatched"] == 7


def test_properties_are_selected_sorted_and_compared(client: FlaskClient) -> None:
    page = read(client, ZONES, properties="area_km2,kind", sortby="-area_km2", filter="area_km2 > 100")
    areas = [feature["properties"]["area_km2"] for feature in page["features"]]
    assert areas == sorted(areas, reverse=True)
    assert {tuple(feature["properties"]) for feature in page["features"]} == {("kind", "area_km2")}
    assert ids(read(client, ZONES, kind="hitech-zone")) == ["gaoqu"]
    assert ids(read(client, ZONES, kind="hitech-zone", parent_id="wendeng")) == []
    assert ids(read(client, f"{ROOT}/collections/clusters/items", number="3"))[0] == "cluster-equipment"
    below = read(client, f"{ROOT}/collections/indicators/items", target_below_base="true")
    assert below["numberMatched"] == 3
    assert "gaoqu" in ids(read(client, ZONES, filter="industries LIKE '%medical-devices%'"))
    assert (
        read(client, f"{ROOT}/collections/designations/items/gaoqu.fashion")["properties"]["zone_id"]
        == "gaoqu"
    )


def test_a_filter_may_be_a_document_and_in_any_system(client: FlaskClient) -> None:
    north, east = transformer("EPSG:4550").transform(122.06, 37.53)
    document = {
        "op": "s_intersects",
        "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [north, east]}],
    }
    query = {"filter": json.dumps(document), "filter-lang": "cql2-json", "filter-crs": LONLAT["EPSG:4550"]}
    assert ids(read(client, ZONES, **query)) == ["gaoqu"]
    assert ids(read(client, ZONES, filter="S_INTERSECTS(geometry,POINT(122.06 37.53))")) == ["gaoqu"]


@pytest.mark.parametrize(
    "path", ["", "/api", "/collections", "/collections/zones/items", "/collections/zones/items/gaoqu"]
)
def test_an_answer_is_asked_for_again_only_if_it_changed(client: FlaskClient, path: str) -> None:
    plain = client.get(ROOT + path, headers={"Accept-Encoding": "identity"})
    seen = set()
    for encoding, expand in (("gzip", gzip.decompress), ("br", brotli.decompress), ("identity", bytes)):
        headers = {"Accept-Encoding": encoding}
        answer = client.get(ROOT + path, headers=headers)
        assert expand(answer.data) == plain.data
        assert "Accept-Encoding" in answer.headers["Vary"]
        tag = answer.headers["ETag"]
        seen.add(tag)
        for sent in (tag, f'"x", W/{tag}', "*"):
            again = client.get(ROOT + path, headers=headers | {"If-None-Match": sent})
            assert (again.status_code, again.data) == (304, b"")
            assert again.headers["ETag"] == tag
        assert client.get(ROOT + path, headers=headers | {"If-None-Match": '"x"'}).status_code == 200
        head = client.head(ROOT + path, headers=headers)
        assert (head.data, head.headers["Content-Length"]) == (b"", str(len(answer.data)))
    assert len(seen) == 3


def test_every_answer_is_open_to_other_sites_and_runs_nothing(client: FlaskClient) -> None:
    for path in (ROOT, ZONES, f"{ROOT}/collections/nope", f"{ZONES}?limit=0"):
        headers = client.get(path, headers={"Accept": "application/json"}).headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        page = client.get("/zones/gaoqu").headers
        for name in ("Referrer-Policy", "Cross-Origin-Opener-Policy", "Permissions-Policy"):
            assert headers[name] == page[name]
    preflight = client.options(ZONES)
    assert preflight.status_code == 204
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_written(client: FlaskClient, method: str) -> None:
    answer = getattr(client, method)(ZONES, data=b"{}")
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("accept", "query", "media"),
    [
        ("", "", "application/json"),
        ("*/*", "", "application/json"),
        ("application/json", "", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "", "text/html"),
        ("text/html", "?f=json", "application/json"),
        ("application/json", "?f=html", "text/html"),
        ("image/png", "", "application/json"),
    ],
)
def test_the_format_is_what_f_says_and_else_what_is_accepted(client, accept, query, media) -> None:
    assert client.get(ROOT + "/" + query, headers={"Accept": accept}).mimetype == media


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("page", [False, True])
def test_a_table_has_no_coordinates_to_ask_for(
    client: FlaskClient, catalogue, name: str, *, page: bool
) -> None:
    """Part 2, fc-crs-valid-value: only what the collection lists may be asked for; a table lists none."""
    media = "text/html" if page else "application/json"
    for layer in catalogue:
        path = f"{ROOT}/collections/{layer['id']}/items"
        query = f"bbox=0,0,1,1&{name}={CRS84.uri}"
        answer = client.get(f"{path}?{query}&lang=en", headers={"Accept": media})
        assert (answer.status_code == 400) == (layer["geometry"] == "none"), layer["id"]
        if answer.status_code == 400 and page:
            assert f"{layer['id']} is a table and has no coordinates" in answer.text
        elif answer.status_code == 400:
            problem = answer.get_json(force=True)
            assert (problem["parameter"], problem["value"]) == (name, CRS84.uri)
            assert f"{layer['id']} 是表，没有坐标" in problem["detail_zh"]
            assert "bbox" in problem["allowed"].split(", ")
            assert not {*SYSTEMS} & set(problem["allowed"].split(", "))
    single = f"{ROOT}/collections/agencies/items"
    first = read(client, single, limit=1)["features"][0]["id"]
    answer = client.get(f"{single}/{first}?{name}={CRS84.uri}", headers={"Accept": media})
    assert answer.status_code == 400
    assert client.get(f"{single}/{first}", headers={"Accept": media}).status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("offset=-1", "offset"),
        ("offset=9" + "9" * 40, "offset"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,2,3,x", "bbox"),
        ("bbox=1,2,3,nan", "bbox"),
        ("bbox=1,2,3,1e999", "bbox"),
        ("bbox=122,38,123,37", "bbox"),
        ("bbox=1,2,9,3,4,8", "bbox"),
        ("bbox=", "bbox"),
        ("bbox=500,1,100,2&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857", "bbox"),
        ("bbox-crs=EPSG:2000", "bbox-crs"),
        ("crs=http://www.opengis.net/def/crs/EPSG/0/1234", "crs"),
        ("datetime=yesterday", "datetime"),
        ("datetime=2024-13-01", "datetime"),
        ("datetime=..", "datetime"),
        ("datetime=../..", "datetime"),
        ("datetime=2024-02-01/2024-01-01", "datetime"),
        ("sortby=nmae_zh", "sortby"),
        ("sortby=", "sortby"),
        ("sortby=" + ",".join(["id"] * 9), "sortby"),
        ("properties=nmae_zh", "properties"),
        ("filter=", "filter"),
        ("filter=nmae_zh='x'", "filter"),
        ("filter=area_km2>'x'", "filter"),
        ("filter=" + "(" * 99, "filter"),
        ("filter=" + "x" * 20_000, "filter"),
        ("filter={}&filter-lang=cql2-json", "filter"),
        ("filter-lang=ecql", "filter-lang"),
        ("filter-crs=EPSG:1", "filter-crs"),
        ("area_km2=big", "area_km2"),
        ("area_km2=nan", "area_km2"),
        ("kind=a%00b", "kind"),
        ("limt=3", "limt"),
        ("limit=1&limit=2", "limit"),
        ("f=xml", "f"),
        ("lang=fr", "lang"),
        ("&".join(f"p{n}=1" for n in range(200)), "*"),
    ],
)
def test_a_bad_parameter_is_named_with_what_is_allowed(
    client: FlaskClient, query: str, parameter: str
) -> None:
    answer = client.get(f"{ZONES}?{query}", headers={"Accept": "application/json"})
    problem = json.loads(answer.data)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert problem["parameter"] == parameter
    assert set(problem) >= {"type", "title", "status", "detail", "detail_zh", "instance", "value", "allowed"}
    assert not re.search(r"\{\w+\}", problem["detail"] + problem["detail_zh"])  # every gap is filled
    page = client.get(f"{ZONES}?{query}", headers={"Accept": "text/html"})
    lenient = query.endswith("=")  # a form sends what was not filled in
    assert page.status_code == (200 if lenient else 400)


@pytest.mark.parametrize(
    ("path", "query", "value"),
    [
        (f"{ROOT}/conformance", "bbox=122,37,123,38", "122,37,123,38"),
        (f"{ZONES}/gaoqu", "bbox=122,37,123,38", "122,37,123,38"),
        (ZONES, "%62box=122,37,123,38&bbox=121,37,122,38", "121,37,122,38"),
        (ZONES, "bbox=122,37,123,x", "122,37,123,x"),
    ],
)
def test_a_refused_box_is_shown_as_it_was_sent(
    client: FlaskClient, path: str, query: str, value: str
) -> None:
    answer = client.get(f"{path}?{query}", headers={"Accept": "application/json"})
    problem = json.loads(answer.data)
    assert (answer.status_code, problem["parameter"], problem["value"]) == (400, "bbox", value)
    assert BOX_PLACEHOLDER not in answer.text


def test_near_matches_are_offered(client: FlaskClient) -> None:
    def near(path: str) -> list[str]:
        return [row["id"] for row in json.loads(client.get(path).data)["near"]]

    assert "zones" in near(f"{ROOT}/collections/zone")
    assert near(f"{ZONES}?limt=3") == ["limit"]
    assert near(f"{ZONES}?filter=nmae_zh='x'")[0] == "name_zh"


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/collections/nope",
        "/collections/zones/nope",
        "/collections/zones/items/nope",
        "/collections/zones/items/a/b",
        "/api/x",
        "/collections//items",
        "/collections/zones/items/%00",
    ],
)
def test_what_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    answer = client.get(ROOT + path)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert client.get(ROOT + path, headers={"Accept": "text/html"}).status_code == 404


def test_a_limit_above_the_maximum_is_the_maximum(client: FlaskClient) -> None:
    """Part 1, fc-limit-response: no error."""
    found = read(client, f"{ROOT}/collections/platforms/items", limit=5000)
    assert found["numberReturned"] == len(read_facts().platforms)


def test_an_address_that_only_begins_alike_is_not_the_api(client: FlaskClient) -> None:
    assert client.get("/ogcx").status_code == 404
    assert client.get("/ogcx", headers={"Accept": "text/html"}).mimetype == "text/html"


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_every_fault_of_a_filter_has_its_words(release: Release, language: str) -> None:
    strings = release.read_json(f"pages/{language}/strings.json")
    for code in CODES:
        said = strings[f"ogc.filter.{code}"].format(parameter="filter", value="VALUE", allowed="")
        assert "VALUE" in said
        assert "filter" in said
    known = {key for key in strings if key.startswith("ogc.filter.")}
    assert known == {f"ogc.filter.{code}" for code in CODES}


def test_a_filter_that_cannot_be_read_brings_examples(client: FlaskClient) -> None:
    for text in ("((", ""):
        refusal = client.get("/ogc/collections/zones/items", query_string={"filter": text, "f": "json"})
        assert refusal.status_code == 400
        assert "LIKE" in refusal.get_json()["allowed"]
