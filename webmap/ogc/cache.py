"""Whole answers, kept while they are asked for: a release never changes, so neither do they."""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache

import brotli
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

KEPT_BYTES = 64_000_000
REMEMBERED = 20_000  # answers made once
MIN_COMPRESSED = 1024
_BROTLI_QUALITY, _GZIP_LEVEL = 4, 5  # what takes a few milliseconds per megabyte


@dataclass(frozen=True)
class Answer:
    """One answer; compressed variants are made when first asked for."""

    status: int
    media: str
    body: bytes
    etag: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    _variants: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def encoded(self, encoding: str | None) -> bytes:
        """Return the body as is, or as ``br`` or ``gzip``."""
        if encoding is None:
            return self.body
        if encoding not in self._variants:
            self._variants[encoding] = _compress(self.body, encoding)
        return self._variants[encoding]


class Cache:
    """Answers by what was asked, the latest used, within a bound.

    An answer is kept when it is made for the second time: what is asked once, such as the box of a map
    that is being moved, neither costs room nor drives out what is asked again and again.
    """

    def __init__(self, room: int = KEPT_BYTES) -> None:
        self._room = room
        self._size = 0
        self._once: OrderedDict[int, None] = OrderedDict()
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Answer | None:
        """Return an answer that was kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer that was made before; the least recently used go where there is no room."""
        with self._lock:
            if not self._made_before(hash(key)):
                return
            if key not in self._kept:
                self._size += _weight(answer)
            self._kept[key] = answer
            while self._size > self._room:
                self._size -= _weight(self._kept.popitem(last=False)[1])

    def _made_before(self, key: int) -> bool:
        """Return whether an answer was made before, and remember that it is now."""
        if key in self._once:
            return True
        self._once[key] = None
        if len(self._once) > REMEMBERED:
            self._once.popitem(last=False)
        return False


def _weight(answer: Answer) -> int:
    return 2 * len(answer.body) + 2000  # with its compressed variants and all around it


@lru_cache(maxsize=256)
def choose_encoding(accepted: str) -> str | None:
    """Return the encoding that an Accept-Encoding header asks for: ``br``, ``gzip`` or none.

    >>> choose_encoding("gzip, deflate, br")
    'br'
    >>> choose_encoding("identity, gzip;q=0") is None
    True
    """
    wanted = parse_accept_header(accepted, Accept)
    return next((one for one in ("br", "gzip") if wanted[one] > 0), None)


def _compress(body: bytes, encoding: str) -> bytes:
    if encoding == "br":
        compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
        return compressed
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)
