"""What can be wrong with a request; :mod:`webmap.views.errors` turns these into answers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from http import HTTPStatus
from itertools import islice
from typing import Any

from geodata.messages import fill
from webmap.access_log import request_id

PROBLEM = "application/problem+json"
NAMED = 20  # ids that an error lists
RETRY_AFTER_S = "10"
TITLED = {403, 404, 405, 408, 409, 413, 414, 415, 416, 422, 429, 500, 503}
MEMBERS = ("parameter", "value", "allowed", "hint")
REPEATED = {"parameter", "value"}  # what was given, however long
MOST_NEAR, NEAR_SIMILARITY = 5, 0.45  # of what may have been meant
SHOWN = 60  # characters of it that an error repeats
Strings = Mapping[str, Mapping[str, str]]  # texts by language and key


class RequestError(Exception):
    """A request that cannot be answered; carries the translation key and what fills it."""

    status = 400

    def __init__(self, key: str, *, near: list[dict[str, str]] | None = None, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = {name: shorten(value) if name in REPEATED else value for name, value in values.items()}
        self.near = near or []


class BadParameterError(RequestError):
    """A parameter is missing, malformed or out of range."""

    def __init__(self, key: str, *, parameter: str, value: str | None, allowed: str, **values: Any) -> None:
        super().__init__(key, parameter=parameter, value=value, allowed=allowed, **values)


class ForbiddenError(RequestError):
    """Who asks may not do this, or it cannot be told that they mean it."""

    status = 403


class ConflictError(RequestError):
    """What was asked for no longer goes with how things stand."""

    status = 409


class NotFoundError(RequestError):
    """There is no such thing; ``near`` lists what may have been meant."""

    status = 404


class TooLargeError(RequestError):
    """What was sent has more bytes than are read."""

    status = 413


class UnsupportedTypeError(RequestError):
    """What was sent is of a type that is not read."""

    status = 415


class RangeError(RequestError):
    """The part of a file that is asked for lies beyond its end; `length` is the file's, in bytes."""

    status = 416

    def __init__(self, given: str | None, length: int) -> None:
        super().__init__("error.bytes", parameter="Range", value=given, allowed=f"bytes=0-{length - 1}")
        self.length = length


class UnfitError(RequestError):
    """What was sent can be read, but is not what can be worked with."""

    status = 422


class FailedError(RequestError):
    """A file could not be made; the log says why."""

    status = 500

    def __init__(self) -> None:
        super().__init__("error.not_made")


class TooManyError(RequestError):
    """A client asks too often; it may ask again after `wait_s` seconds."""

    status = 429

    def __init__(self, wait_s: float) -> None:
        super().__init__("error.too_often")
        self.retry_after_s = math.ceil(wait_s)


class LaterError(RequestError):
    """Nothing is wrong with the request, but it cannot be answered now; each kind has its own `key`."""

    status = 503
    key: str

    def __init__(self) -> None:
        super().__init__(self.key)


class BusyError(LaterError):
    """Too much is being made at once; asking again later will do."""

    key = "error.busy"


class TooCostlyError(LaterError):
    """A file took more time or memory than it may; asking for less, or later, will do."""

    key = "error.too_costly"


class FullError(LaterError):
    """There is no room on the disk for a file that was to be made; the log says where."""

    key = "error.full"


class UnavailableError(LaterError):
    """What holds the features cannot be reached now; asking again later will do."""

    key = "error.unavailable"


class SlowError(LaterError):
    """What holds the features took too long; asking for less, or later, will do."""

    key = "error.slow"


class ReplacedError(LaterError):
    """The release that this process serves is no longer on disk; the next one is on its way."""

    key = "error.replaced"


class DamagedError(LaterError):
    """A file of a release, or the history, is not as it was written; the log names it."""

    key = "error.damaged"


def to_error(key: str, status: int, **values: object) -> RequestError:
    """Return the error of a status that no other class has."""
    error = RequestError(key, near=None, **values)
    error.status = status
    return error


def find_near(given: str, known: Iterable[str]) -> list[str]:
    """Return which of the known ids or names may have been meant, the likeliest first.

    >>> find_near("nort", ["north", "south", "zones"])
    ['north']
    """
    return get_close_matches(given[:SHOWN], known, n=MOST_NEAR, cutoff=NEAR_SIMILARITY)


def find_near_rows(given: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return which of the rows by id may have been meant by an id or a name in any language, ids first."""
    names = {name: row_id for row_id, row in rows.items() for name in row["name"].values()}
    close = [*find_near(given.lower(), rows), *(names[name] for name in find_near(given, names))]
    return list(dict.fromkeys(close))[:MOST_NEAR]


def link_near(given: str, known: Iterable[str], to_address: Callable[[str], str]) -> list[dict[str, str]]:
    """Return what may have been meant, each with the address that it leads to."""
    return [{"id": near, "label": near, "href": to_address(near)} for near in find_near(given, known)]


def shorten(given: object) -> object:
    """Return what was given as an error repeats it: texts of at most :data:`SHOWN` characters."""
    return given[: SHOWN - 1] + "…" if isinstance(given, str) and len(given) > SHOWN else given


def name_some(ids: Collection[str], count: int | None = None) -> str:
    """Return the first of some ids, and how many there are, `count` or these, where that is not all."""
    some, total = ", ".join(islice(ids, NAMED)), len(ids) if count is None else count
    return some if total <= NAMED else f"{some}, … ({total})"


def title_key(status: int) -> str:
    """Return the key of the title that errors of one status have."""
    return f"error.title_{status}" if status in TITLED else "error.title_400"


def members_of(error: RequestError) -> dict[str, object]:
    """Return what an error says beside its message."""
    members = {name: error.values[name] for name in MEMBERS if name in error.values}
    return members | {"near": error.near} if error.near else members


def values_in(error: RequestError, language: str) -> dict[str, object]:
    """Return what fills the text of an error; a value that is a dict is by language."""
    return {
        name: one.get(language, one["en"]) if isinstance(one, dict) else one
        for name, one in error.values.items()
    }


def headers_of(error: RequestError) -> dict[str, str]:
    """Return the headers that go with an error, which nothing keeps."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, RangeError):
        headers["Content-Range"] = f"bytes */{error.length}"
    elif isinstance(error, TooManyError):
        headers["Retry-After"] = f"{error.retry_after_s}"
    elif error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = RETRY_AFTER_S
    return headers


def to_problem(error: RequestError, strings: Strings, instance: str) -> bytes:
    """Return an error as problem+json (RFC 9457), in Chinese and English; `instance` is the address.

    The id of the request that is being answered goes with it.
    """
    languages = ("en", "zh")
    texts = {one: fill(strings[one][error.key], values_in(error, one)) for one in languages}
    body = {
        "type": "about:blank",
        "title": strings["en"][title_key(error.status)],
        "status": error.status,
        "detail": texts["en"],
        "detail_zh": texts["zh"],
        "instance": instance,
        **members_of(error),
    }
    if asked := request_id.get():
        body["request_id"] = asked
    return json.dumps(body, ensure_ascii=False).encode(errors="replace")  # half of a pair may have been sent
