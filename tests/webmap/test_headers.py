"""Laws of headers, asked of every address in every language, encoding and kind of answer."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import brotli
import pytest
from flask.testing import FlaskClient

from layers.store import Release

FIRST = {
    "layer": "zones",
    "z": 9,
    "x": 429,
    "y": 198,
    "place_id": "gaoqu",
    "industry_id": "new-materials",
    "cluster_id": "cluster-it",
    "clause_id": "三(一)1",
    "agency_id": None,  # the first that the release has
    "name": "clusters",
    "theme_id": "districts",
    "extension": "svg",
    "file": "zones.geojson",
    "path": "documents/gaoqu.json",
    "below": "collections/zones/items",
    "layer_id": "own-nowhere",  # the release has no layer of an operator: refused as unknown
    "feature_id": "nothing",
}
POINT = "airport-weihai"
MADE = (".pdf", ".png")  # on request, for each language: two of them show what they depend on
MORE = (
    *(
        "/zones/nowhere",
        "/places/nowhere.json",
        "/nowhere",
        "/data/nowhere.csv",
        "/r/0000/index.json",
        "/find?x=1",
    ),
    *(
        "/zones/gaoqu?lang=xx",
        "/zones/gaoqu?lang=ko",
        "/search?q=gaoqu",
        "/search.json?q=gaoqu",
        "/search.json",
    ),
    *(
        "/lookup?lon=122.1&lat=37.4",
        "/lookup.json?lon=122.1&lat=37.4",
        "/lookup?lon=x",
        "/qr.svg?path=/",
        "/qr.svg",
    ),
    *(
        "/compare?zones=gaoqu,nanhai",
        "/compare.csv?zones=gaoqu,nanhai",
        "/compare.json?zones=gaoqu",
        "/compare.csv",
    ),
    *("/find.csv?industry=new-materials", "/find.json?port=2", "/industries.csv?cluster=cluster-it"),
    *("/data/industries.json", "/data/zones.csv", "/data/plan.xlsx", "/data/zones.kml?crs=EPSG:4326"),
    *(
        "/ogc/",
        "/ogc/api",
        "/ogc/collections?lang=en",
        "/ogc/collections/nowhere",
        "/ogc/?f=html",
        "/ogc/x?f=html",
    ),
    *("/ogc/collections/zones/items/gaoqu", "/ogc/collections/zones/items?limit=x", "/openapi.json?x=1"),
    *("/robots.txt", "/.well-known/security.txt", "/charts/targets.png", "/og/gaoqu.png", "/print/x.pdf"),
)
WISHES = {
    "Accept-Language": ("zh", "en", "ko", "fr", "*"),
    "Accept-Encoding": ("identity", "gzip", "br"),
    "Accept": ("*/*", "text/html", "application/json"),
}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NONCE = re.compile(rb"""nonce=["'][^"']*["']""")
PASSING = {"Content-Security-Policy", "Date"}  # with a nonce in it


pytestmark = pytest.mark.usefixtures("printed_here")


@pytest.fixture(scope="module")
def addresses(client: FlaskClient, release: Release) -> list[str]:
    """Return one address of every route, every static file, and some that are refused."""
    content = client.application.extensions["content"]
    known = FIRST | {"agency_id": next(iter(content.agencies)), "release_id": release.id}
    adapter = client.application.url_map.bind("localhost")
    found = []
    for rule in client.application.url_map.iter_rules():
        values = dict(rule.defaults or {})
        values |= {name: known[name] for name in rule.arguments - values.keys()}
        if rule.rule.startswith("/places/"):
            values["place_id"] = POINT
        method = "POST" if rule.methods and "POST" in rule.methods else "GET"
        found.append(adapter.build(rule.endpoint, values, method=method))
    static = [f"/r/{release.id}/{path}" for path in release.manifest["files"] if path.startswith("static/")]
    plain = [one for one in static if not one.endswith((".br", ".gz"))]
    return list(dict.fromkeys([*found, *plain, *MORE]))


def unpack_raw(answer: Any) -> bytes:
    unpackers = {"gzip": gzip.decompress, "br": brotli.decompress}
    return bytes(unpackers.get(answer.headers.get("Content-Encoding", ""), bytes)(answer.data))


def unpack(answer: Any) -> bytes:
    """Return what was sent without what is new each time."""
    return NONCE.sub(b"", unpack_raw(answer))


def kinds(client: FlaskClient, address: str) -> Iterator[tuple[str, Mapping[str, str], Any]]:
    """Yield what is asked, one wish at a time, with its answer."""
    for name, values in WISHES.items():
        for value in values[:2] if urlsplit(address).path.endswith(MADE) else values:
            headers = {name: value}
            yield name, headers, client.get(address, headers=headers)


@pytest.mark.parametrize("part", range(3))
def test_every_answer_keeps_the_laws_and_names_what_it_depends_on(
    client: FlaskClient, addresses: list[str], part: int
) -> None:
    for address in addresses[part::3]:
        met: dict[str, dict[tuple[int, bytes], Any]] = {}
        varied: dict[str, list[bool]] = {}
        for name, asked, answer in kinds(client, address):
            keeps_the_laws(address, asked, answer)
            body = (answer.headers.get("Content-Encoding", "").encode(), unpack(answer))
            met.setdefault(name, {})[answer.status_code, b"".join(body)] = answer
            said = {one.lower() for one in answer.vary}
            varied.setdefault(name, []).append(name.lower() in said)
        for name, answers in met.items():
            assert len(answers) == 1 or all(varied[name]), (address, name)


def keeps_the_laws(address: str, asked: Mapping[str, str], answer: Any) -> None:
    where = (address, asked, dict(answer.headers))
    headers = answer.headers
    assert answer.status_code < 500, where
    assert EVERYWHERE.items() <= dict(headers).items(), where
    assert headers["Cross-Origin-Resource-Policy"] in {"same-origin", "cross-origin"}, where
    assert "default-src" in headers["Content-Security-Policy"], where
    kept = headers["Cache-Control"]
    if answer.status_code >= 400:
        assert headers.getlist("Cache-Control") == ["no-store"], where
        assert "ETag" not in headers, where
    assert ("immutable" in kept) <= address.startswith("/r/"), where
    page = answer.mimetype == "text/html"
    assert page or headers["Access-Control-Allow-Origin"] == "*", where
    if answer.status_code == 200 and kept != "no-store" and b"nonce=" not in unpack_raw(answer):
        assert "ETag" in headers, where


def test_what_has_a_tag_is_sent_once(client: FlaskClient, addresses: list[str]) -> None:
    tagged = 0
    for address in addresses:
        bodies: dict[str, bytes] = {}
        for _, asked, answer in kinds(client, address):
            tag = answer.headers.get("ETag")
            if tag is None or answer.headers["Cache-Control"] == "no-store":
                continue
            tagged += 1
            body = unpack(answer) if tag.startswith("W/") else answer.data
            known = tag in bodies
            assert bodies.setdefault(tag, body) == body, (address, asked)
            if known:
                continue
            for condition in (tag, f'"other", {tag}', "*"):
                again = client.get(address, headers={**asked, "If-None-Match": condition})
                where = (address, asked, condition, again.status_code)
                assert (again.status_code, again.data) == (304, b""), where
                for name in ("ETag", "Cache-Control", "Vary"):
                    assert again.headers.get(name) == answer.headers.get(name), (name, where)
            changed = client.get(address, headers={**asked, "If-None-Match": '"other"'})
            assert changed.status_code == 200, (address, asked)
    assert tagged > len(addresses)


def test_head_says_what_get_says_and_sends_nothing(client: FlaskClient, addresses: list[str]) -> None:
    for address in addresses:
        for headers in ({}, {"Accept-Encoding": "gzip"}, {"Accept": "text/html"}):
            full, head = client.get(address, headers=headers), client.head(address, headers=headers)
            assert (head.status_code, head.data) == (full.status_code, b""), address
            ours = {name: value for name, value in full.headers.items() if name not in PASSING}
            if b"nonce=" in unpack_raw(full) or full.status_code >= 400:
                ours.pop("Content-Length", None)  # compressed nonces differ in length; so may suggestions
            assert ours.items() <= dict(head.headers).items(), (address, ours, dict(head.headers))


def test_other_methods_are_refused_with_what_is_allowed(client: FlaskClient, addresses: list[str]) -> None:
    for address in addresses:
        for method in ("DELETE", "PUT", "PATCH", "TRACE", "PROPFIND"):
            answer = client.open(address, method=method)
            assert answer.status_code in {400, 404, 405}, (method, address)
            assert answer.status_code != 405 or "GET" in answer.headers["Allow"], (method, address)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
