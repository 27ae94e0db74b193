"""Odd requests of every route: an answer or a refusal that says why, never a failure."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from werkzeug.test import run_wsgi_app

from layers.store import Release

EXPAND: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
PART = re.compile(r"\{(\w+)\}")
SLOW = {".pdf", ".png"}  # made by typesetting: asked with ids and parameters that are refused
ODD = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e999",
        "NaN",
        "Infinity",
        "null",
        "é中😀",
        "\0",
        "\x7f",
        "'",
        '"',
        "\\",
        "%",
        "%00",
        "%zz",
    ),
    *(
        "../../etc/passwd",
        "<script>",
        "${7*7}",
        "{{7*7}}",
        "{0}",
        "{x!r}",
        "%s",
        "()",
        "[]",
        "{}",
        "\r\nX: y",
        "\u202e",
    ),
    *(
        "9" * 400,
        "x" * 8000,
        "中" * 2700,
        "//evil.example",
        "javascript:1",
        ";",
        "&",
        "=",
        "a,b,,c",
        "gaoqu",
        "*",
        "²",
        "١",
    ),
    *(
        "122.1,37.4",
        "1e5",
        "-0",
        "0x10",
        "1_000",
        "३",
        "zh",
        "EPSG:4490",
        "三(一)1",
        "new-materials",
        "cluster-it",
        "en",
    ),
)
RAW = (
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"\xf8\x88\x80\x80\x80",
    b"%C0%AF",
    b"\x80",
    b"%ED%A0%80",
    b"%00",
    b"%",
)
HEADERS = (
    *(
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_ACCEPT_ENCODING",
        "HTTP_IF_NONE_MATCH",
        "HTTP_RANGE",
        "HTTP_IF_RANGE",
    ),
    *(
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_HOST",
        "HTTP_COOKIE",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_AUTHORIZATION",
        "HTTP_ORIGIN",
    ),
)
SAID = (
    *(
        "*/*",
        "text/html",
        "application/json",
        "gzip",
        "br;q=0",
        "zh-CN,en;q=0.5",
        "q=x",
        ";;;",
        "*;q=2",
        "bytes=0-0",
    ),
    *(
        "bytes=5-",
        "bytes=-1",
        "bytes=9-1",
        "bytes=0-1,5-9",
        "bytes=" + "9" * 30 + "-",
        "lines=1-2",
        '"x", W/"y"',
        "*",
    ),
    *(
        "Thu, 99 Xxx 2024",
        "ä",
        "x" * 8000,
        "localhost",
        "evil.example:99999",
        "xn--a",
        "\t",
        "a=b; c=" + "d" * 100,
    ),
)
NAMES = (
    *(
        "lang",
        "q",
        "at",
        "lon",
        "lat",
        "crs",
        "zones",
        "zone",
        "industry",
        "cluster",
        "theme",
        "weight",
        "reach",
        "path",
    ),
    *(
        "size",
        "points",
        "filter",
        "filter-lang",
        "geometry",
        "layer",
        "format",
        "from",
        "to",
        "port",
        "airport",
        "f",
    ),
    *(
        "limit",
        "offset",
        "bbox",
        "bbox-crs",
        "datetime",
        "properties",
        "sortby",
        "near",
        "min_area",
        "rail",
        "sort",
    ),
)
TYPES = (
    *(
        "application/json",
        "application/geo+json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
        "x",
        "a/b;c",
    ),
    *("multipart/form-data; boundary=x", "multipart/form-data", "application/json; charset=utf-7"),
)


Rule = tuple[str, dict[str, str], bool]


@pytest.fixture(scope="module")
def rules(client: FlaskClient, release: Release) -> list[Rule]:
    """Return every route as a pattern, with an id for each of its parts that exists, and if it is slow."""
    known = {
        "place_id": "gaoqu",
        "industry_id": "new-materials",
        "cluster_id": "cluster-it",
        "name": "clusters",
    }
    known |= {"clause_id": "三(一)1", "theme_id": "districts", "extension": "svg", "file": "zones.geojson"}
    known |= {"path": "documents/gaoqu.json", "below": "collections/zones/items", "release_id": release.id}
    known |= {"layer": "zones", "z": "9", "x": "429", "y": "198"}
    known |= {"layer_id": "own-nowhere", "feature_id": "nothing"}  # no layer of an operator is here
    known["agency_id"] = next(iter(client.application.extensions["content"].agencies))
    return list_rules(client.application, known) + _list_api_rules(client)


def list_rules(app: Flask, known: dict[str, str], below: str = "/") -> list[Rule]:
    """Return the routes of an application; `known` are values for their parts."""
    found = []
    for rule in app.url_map.iter_rules():
        pattern = "".join(f"{{{part}}}" if dynamic else part for dynamic, part in rule._trace if part != "|")
        slow = any(rule.rule.endswith(one) for one in SLOW) or rule.rule.startswith("/print/")
        if rule.rule.startswith(below):
            names = rule.arguments - (rule.defaults or {}).keys()
            found.append((pattern, {name: known[name] for name in names}, slow))
    return found


def _list_api_rules(client: FlaskClient) -> list[Rule]:
    """Return what the API says of itself, of a layer and of a table; Flask knows it as one route."""
    known = {"featureId": "gaoqu", "tileMatrix": "9", "tileRow": "198", "tileCol": "429"}
    own = ("/collections/zones", "/collections/clusters", "/tile", "/conformance", "/api")
    paths = [path for path in client.get("/ogc/api").get_json()["paths"] if path.startswith(own)]
    assert len(paths) > 20
    return [(f"/ogc{path}", {name: known[name] for name in PART.findall(path)}, False) for path in paths]


TEXTS = st.one_of(st.sampled_from(ODD), st.text(max_size=30))
SENT = (  # bodies of any request: forms, questions, polygons, right and wrong
    *(
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b"q=%ff&lang=x",
        b"polygon=%7B%7D",
        b"limit=2&filter=id%3D'a'",
        b"a=" * 300,
    ),
    *(b'{"limit":2}', b'{"filter":{"op":"="}}', b'{"bbox":[1,2,3]}', b'{"filter":"id=\'a\'","limit":"x"}'),
    *(
        b'{"type":"Point","coordinates":[122,37]}',
        b"--x\r\n\r\n--x--",
        b"\xff\xfe",
        b"[" * 500,
        b'{"a":' * 99,
    ),
    b'{"type":"Polygon","coordinates":[[[122,37],[122.1,37],[122.1,37.1],[122,37]]]}',
)


@st.composite
def requests(draw: st.DrawFn, rules: list[Rule]) -> dict[str, Any]:
    """Return the WSGI environment of a request for one of `rules`, with faults mixed in."""
    pattern, known, slow = draw(st.sampled_from(rules))
    odd = slow or draw(st.booleans())
    path = pattern.format(**{name: draw(TEXTS) if odd else value for name, value in known.items()})
    raw = path.encode("utf-8", "surrogatepass")
    if not draw(st.integers(0, 7)):
        raw = b"/" + draw(st.sampled_from(RAW)) + raw
    pairs = draw(st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), TEXTS), TEXTS), max_size=3))
    if slow and not known:
        pairs.append(("odd", "1"))
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)
    if not draw(st.integers(0, 7)):
        query += "&" + draw(st.sampled_from(RAW)).decode("latin-1")
    method = draw(st.sampled_from(["GET"] * 8 + ["HEAD", "POST", "POST", "OPTIONS", "PUT", "BREW"]))
    body = (
        b"" if method in {"GET", "HEAD"} else draw(st.one_of(st.sampled_from(SENT), st.binary(max_size=60)))
    )
    environ = {
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": draw(st.sampled_from(TYPES)) if body else "",
        "CONTENT_LENGTH": str(len(body)),
        "SCRIPT_NAME": "",
        "PATH_INFO": raw.decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }
    said = st.one_of(st.sampled_from(SAID), st.text(st.characters(max_codepoint=255), max_size=20))
    return environ | draw(st.dictionaries(st.sampled_from(HEADERS), said, max_size=2))


def _quoted(text: str) -> str:
    return quote(text, errors="surrogatepass")


def check(client: FlaskClient, environ: dict[str, Any]) -> int:
    """Send a request; return the status of the answer, which is sound and no failure."""
    told = {key: value for key, value in environ.items() if not key.startswith("wsgi.")}
    body, status, headers = run_wsgi_app(client.application, environ, buffered=True)
    content, code = b"".join(body), int(status[:3])
    assert code < 500, (told, content[:300])
    assert headers["X-Content-Type-Options"] == "nosniff", told
    assert all("\n" not in value and "\r" not in value for value in headers.values()), told
    if "application/problem+json" in headers.get("Content-Type", "") and environ["REQUEST_METHOD"] != "HEAD":
        problem = json.loads(EXPAND[headers.get("Content-Encoding", "")](content))
        assert problem["status"] == code, told
        assert problem["detail"], told
        assert problem["detail_zh"], told
    assert b"<script>alert" not in content, told
    return code


def test_no_request_makes_any_route_fail(
    client: FlaskClient, rules: list[Rule], request: pytest.FixtureRequest
) -> None:
    met: set[int] = set()

    @seed(request.config.getoption("--seed"))
    @settings(
        max_examples=request.config.getoption("--requests"),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(rules))
    def ask(environ: dict[str, Any]) -> None:
        met.add(check(client, environ))

    ask()
    assert {200, 400, 404, 405} <= met


NUMBERS = st.one_of(
    st.floats(), st.integers(-200, 200), st.sampled_from([1e308, -1e308, 10**30, -(10**400), 2**63, 2**64])
)
LEAVES = st.one_of(NUMBERS, st.none(), st.booleans(), st.text(max_size=5), st.just([]), st.just({}))
POSITIONS = st.one_of(LEAVES, st.lists(LEAVES, max_size=4), st.tuples(NUMBERS, NUMBERS).map(list))
RINGS = st.one_of(
    LEAVES, st.lists(POSITIONS, max_size=5), st.just([[122, 37], [122.1, 37], [122.1, 37.1], [122, 37]])
)
POLYGONS = st.one_of(LEAVES, st.lists(RINGS, max_size=3))
GEOMETRIES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["Polygon", "MultiPolygon", "Point", "GeometryCollection", "x", 3, None, ["Polygon"]]
        ),
        "coordinates": st.one_of(POLYGONS, st.lists(POLYGONS, max_size=3)),
    },
    optional={"crs": st.one_of(LEAVES, st.just({"properties": {"name": "EPSG:4326\ud800"}}))},
)
OBJECTS = st.recursive(
    st.one_of(GEOMETRIES, LEAVES),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("Feature"), "geometry": inner}),
        st.fixed_dictionaries(
            {"type": st.just("FeatureCollection"), "features": st.one_of(inner, st.lists(inner, max_size=3))}
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=5,
)
BODIES = (
    *(
        b"",
        b" ",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"NaN",
        b'"\\ud800"',
        b"\0",
    ),
    b'{"type":"Polygon","coordinates":[1]}',
    b'{"type":"Polygon","coordinates":[[1,2,3,4]]}',
    b'{"type":"Polygon","coordinates":3}',
    b'{"type":"MultiPolygon","coordinates":[1]}',
    b'{"type":"MultiPolygon","coordinates":[[1]]}',
    b'{"type":"MultiPolygon","coordinates":[{"a":1}]}',
    b'{"type":"Polygon","coordinates":[[[1e999,1],[1,1],[1,1],[1,1]]]}',
    b'{"type":"Polygon","coordinates":[[[' + b"9" * 400 + b",1],[1,1],[1,1],[1,1]]]}",
    b'{"type":"\\ud800","coordinates":[]}',
    b'{"type":"Feature","geometry":' * 5000 + b"null" + b"}" * 5000,
    '{"type":"Polygon"}'.encode("utf-16"),
    b'{"type":"Polygon","coordinates":[[[122,37],[122,37],[122,37],[122,37]]]}',
    b'{"type":"Polygon","coordinates":[[[122,37],[123,38],[123,37],[122,38],[122,37]]]}',
)


def post(client: FlaskClient, body: bytes, kind: str, accept: str, query: str = "") -> int:
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/lookup",
        "QUERY_STRING": query,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_ACCEPT": accept,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }
    return check(client, environ)


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_is_no_polygon_is_refused(client: FlaskClient, body: bytes, accept: str) -> None:
    assert post(client, body, "application/json", accept) in {400, 413, 422}
    form = b"polygon=" + quote(body).encode()
    if len(form) < 200_000:
        assert post(client, form, "application/x-www-form-urlencoded", accept) in {400, 413, 422}


def test_no_geojson_makes_the_lookup_fail(client: FlaskClient, request: pytest.FixtureRequest) -> None:
    dice = random.Random(request.config.getoption("--seed"))

    @seed(request.config.getoption("--seed"))
    @settings(
        max_examples=request.config.getoption("--requests"),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(OBJECTS, st.sampled_from(["", "crs=EPSG:4550", "crs=GCJ-02", "crs=x", "lang=en", "lang=x"]))
    def ask(value: Any, query: str) -> None:
        body = json.dumps(value).encode()
        accept = dice.choice(["application/json", "text/html", "*/*"])
        assert post(client, body, "application/geo+json", accept, query) in {200, 400, 422}

    ask()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("length", ["", "0", "-1", "x", "99999999999999999999", "10"])
def test_no_kind_or_length_of_a_body_makes_the_lookup_fail(
    client: FlaskClient, kind: str, length: str
) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="\x80\xff"\r\n\r\n{}\r\n--x--\r\n'
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/lookup",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": length,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }
    assert check(client, environ) in {400, 411, 413, 415, 422}
