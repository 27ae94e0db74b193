"""Whole answers, kept while they are asked for: a release never changes, so neither do they.

What is kept names no host: the site's address stands in it as :data:`~webmap.ogc.asked.SITE`, and is put in
when an answer goes out.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache

import brotli
import orjson
from cachetools import LRUCache
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from webmap.ogc.asked import SITE

KEPT_BYTES = 24_000_000
REMEMBERED = 20_000  # answers made once
MIN_COMPRESSED = 1024
FORMS = 2  # compressed forms of one answer that are kept, of all hosts
_BROTLI_QUALITY, _GZIP_LEVEL = 4, 5  # what takes a few milliseconds per megabyte
_SITE = SITE.encode()


@dataclass(frozen=True)
class Answer:
    """One answer, as it is for every host."""

    status: int
    media: str
    body: bytes
    etag: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    _forms: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False, compare=False)

    def sent(self, base: str, encoding: str | None = None) -> bytes:
        """Return the body for a site at `base`, as is or as ``br`` or ``gzip``.

        The last compressed forms are kept: most who ask name the same host.
        """
        found = self._forms.get((base, encoding)) if encoding else None
        if found is None:
            found = self.body.replace(_SITE, orjson.dumps(base)[1:-1])
            if encoding:
                found = _compress(found, encoding)
                if len(self._forms) >= FORMS:
                    self._forms.clear()
                self._forms[base, encoding] = found
        return found


class Cache:
    """Answers by what was asked, the latest used, within a bound of bytes.

    An answer is kept when it is made for the second time: what is asked once, such as the box of a map
    that is being moved, neither costs room nor drives out what is asked again and again.
    """

    def __init__(self, room: int = KEPT_BYTES) -> None:
        self._once: OrderedDict[int, None] = OrderedDict()
        self._kept: LRUCache[Hashable, Answer] = LRUCache(room, _weigh)
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Answer | None:
        """Return an answer that was kept."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer that was made before; the least recently used go where there is no room."""
        with self._lock:
            if self._made_before(hash(key)) and _weigh(answer) <= self._kept.maxsize:
                self._kept[key] = answer

    def _made_before(self, key: int) -> bool:
        """Return whether an answer was made before, and remember that it is now."""
        if key in self._once:
            return True
        self._once[key] = None
        if len(self._once) > REMEMBERED:
            self._once.popitem(last=False)
        return False


def _weigh(answer: Answer) -> int:
    return 2 * len(answer.body) + 2000  # with its compressed forms and all around it


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
