"""Answers are kept for what is asked again, within a bound."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from webmap.http import POSTPONE
from webmap.ogc.cache import Body, CachedResponse, ResponseCache


def answer(size: int = 10) -> CachedResponse:
    return CachedResponse(200, "application/json", Body(b"x" * size))


def test_what_is_made_twice_is_kept_and_what_is_made_once_is_not() -> None:
    cache, made = ResponseCache(), answer()
    cache.put("page", made)
    assert cache.get("page") is None
    cache.put("page", made)
    assert cache.get("page") == made
    assert cache.get("other") is None


def test_many_that_come_once_do_not_drive_out_what_comes_again() -> None:
    cache, made = ResponseCache(room=10_000), answer()
    cache.put("page", made)
    cache.put("page", made)
    for number in range(1000):
        cache.put(number, answer(1000))
    assert cache.get("page") == made


def test_the_least_recently_used_go_where_there_is_no_room() -> None:
    cache = ResponseCache(room=10_000)
    for key in ("a", "a", "b", "b"):
        cache.put(key, answer(1000))
    assert cache.get("a")
    for key in ("c", "c"):
        cache.put(key, answer(1000))
    assert [bool(cache.get(key)) for key in ("a", "b", "c")] == [True, False, True]


@pytest.mark.parametrize(
    ("query", "headers", "at_once", "at_hand"),
    [
        ("f=json&limit=3", {}, True, True),
        ("f=json&bbox=121.9,37.1,122.2,37.5", {}, True, True),
        ("filter=area_km2>50 AND name_zh<>'x'", {}, True, True),
        ("filter=name_zh LIKE '%a%'", {}, False, True),
        ("filter=S_INTERSECTS(geometry,POINT(122 37))", {}, False, True),
        (f"filter=area_km2>{'0' * 300}", {}, False, True),
        ("limit=3&properties=name_zh", {}, False, True),
        ("limit=3&profile=flat", {}, False, True),
        ("limit=3&crs=http://www.opengis.net/def/crs/EPSG/0/4549", {}, False, True),
        ("limit=3&lang=ko", {"Accept-Encoding": "br"}, False, True),
        ("limit=4", {"Accept-Encoding": "gzip", "Host": "plan.example.org"}, False, True),
        ("limit=5", {"Accept": "text/html"}, False, False),
        ("limit=6", {"Accept": f"application/json, {'a/b, ' * 300}"}, False, False),
        ("limit=0", {}, False, False),
        ("bbox=1,2,3", {}, False, False),
        ("filter=area_km2 >", {}, False, False),
        ("&".join(f"a{number}=1" for number in range(200)), {}, False, False),  # more than are read
    ],
)
def test_what_is_quick_or_was_kept_is_at_hand_and_the_same_and_all_else_is_postponed(
    client: FlaskClient, query: str, headers: dict[str, str], *, at_once: bool, at_hand: bool
) -> None:
    client.get("/ogc/collections/towns")  # which opens the store

    def ask(*, postponing: bool) -> tuple[bool, Any]:
        built = EnvironBuilder("/ogc/collections/towns/items", query_string=query, headers=[*headers.items()])
        environ = built.get_environ()
        rest: list[Any] = []
        said: list[Any] = []
        if postponing:
            environ[POSTPONE] = rest.append
        application: Any = client.application
        body = application(environ, lambda *given: said.extend(given))
        if rest:
            assert (said, body) == ([], [])
            body = rest[0](lambda *given: said.extend(given))
        return not rest, (said[0], sorted(said[1]), b"".join(body))

    first = ask(postponing=True)
    again = [ask(postponing=False), ask(postponing=True), ask(postponing=True)]
    assert (first[0], again[-1][0]) == (at_once, at_hand)
    assert not at_hand or [one[1] for one in again] == [first[1]] * 3
