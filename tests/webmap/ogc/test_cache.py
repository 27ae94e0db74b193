"""Answers are kept for what is asked again, within a bound."""

from __future__ import annotations

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
