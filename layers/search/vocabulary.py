"""The spellings that a release answers to, and how a query falls apart into them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from layers.search.folding import RUNS, is_latin, squeeze, stem_all

# How closely a spelling belongs to its thing, best first.
NAME, ALIAS, TERM, PINYIN, INITIALS = range(5)
KNOWN, EMPTY, UNKNOWN = "known", "empty", "unknown"
WINDOW = 6  # words of one spelling at most, within a longer query
SHORTEST_HAN, SHORTEST_HANGUL = 2, 4  # letters that a spelling needs to be seen inside a word
ENDING = 4  # jamo after a known Korean word that are taken for its ending
LAST = chr(0x10FFFF)  # stands behind every letter
MAX_PIECES = 12  # of a query; what comes after is not looked at


class Key(NamedTuple):
    """One spelling, folded, of one entry."""

    text: str
    squeezed: str
    entry: int
    grade: int
    spelling: str


class Piece(NamedTuple):
    """A part of a query: a spelling that is known, an empty word, or neither."""

    text: str
    kind: str


class Vocabulary:
    """All keys, and the look-up of a whole one."""

    def __init__(self, entries: list[dict[str, Any]], empty: list[str]) -> None:
        self.keys = list(_read_keys(entries))
        self.squeezed = [key.squeezed for key in self.keys]
        pairs = sorted((word, index) for index, key in enumerate(self.keys) for word in key.text.split())
        self._words = [word for word, _ in pairs]
        self._owners = [index for _, index in pairs]
        self._exact: dict[str, list[int]] = {}
        for index, key in enumerate(self.keys):
            self._exact.setdefault(key.squeezed, []).append(index)
        self._empty = set(empty)
        self._known = {key.squeezed for key in self.keys if key.grade != INITIALS}
        self._longest = max(map(len, self._known))

    def exact(self, folded: str) -> list[int]:
        """Return the indexes of the keys that `folded` spells out, whatever the spaces."""
        return self._exact.get(squeeze(folded), [])

    def starting(self, start: str) -> set[int]:
        """Return the indexes of the keys that have a word which begins with `start`."""
        low = bisect_left(self._words, start)
        return set(self._owners[low : bisect_left(self._words, start + LAST, low)])

    def split(self, folded: str) -> list[Piece]:
        """Return `folded` as pieces, taking the longest known spelling at each place."""
        return list(_cap(self._pieces(RUNS.findall(folded))))

    def _pieces(self, runs: list[str]) -> Iterator[Piece]:
        at = 0
        while at < len(runs):
            size = self._window(runs, at)
            text = " ".join(runs[at : at + max(size, 1)])
            if size:
                yield Piece(text, self._kind(text))
            elif is_latin(text):
                yield Piece(text, UNKNOWN)
            else:
                yield from self._inside(text)
            at += max(size, 1)

    def _window(self, runs: list[str], at: int) -> int:
        """Return how many runs from `at` on make the longest known spelling, 0 for none."""
        sizes = range(min(WINDOW, len(runs) - at), 0, -1)
        return next((size for size in sizes if self._kind(" ".join(runs[at : at + size])) != UNKNOWN), 0)

    def _kind(self, text: str) -> str:
        for form in (squeeze(text), squeeze(stem_all(text))):
            if form in self._empty:
                return EMPTY
            if form in self._known:
                return KNOWN
        return UNKNOWN

    def _inside(self, run: str) -> Iterator[Piece]:
        """Yield the pieces of one run of Chinese or Korean, which has no spaces to go by."""
        hangul = run[0] < "⺀"
        shortest = SHORTEST_HANGUL if hangul else SHORTEST_HAN
        at, rest, seen = 0, "", False
        while at < len(run):
            end = self._end(run, at, shortest)
            if end is None or (hangul and rest):
                rest += run[at]
                at += 1
                continue
            if rest:
                yield Piece(rest, UNKNOWN)
                rest = ""
            yield Piece(run[at:end], self._kind(run[at:end]))
            at, seen = end, True
        if rest:
            yield Piece(rest, EMPTY if hangul and seen and len(rest) <= ENDING else UNKNOWN)

    def _end(self, run: str, at: int, shortest: int) -> int | None:
        for end in range(min(len(run), at + self._longest), at, -1):
            kind = self._kind(run[at:end])
            if kind == EMPTY or (kind == KNOWN and end - at >= shortest):
                return end
        return None


def _read_keys(entries: list[dict[str, Any]]) -> Iterator[Key]:
    for index, entry in enumerate(entries):
        for text, spelling, grade in entry["keys"]:
            yield Key(text, squeeze(text), index, grade, spelling)
            stemmed = stem_all(text) if grade <= TERM else text
            if stemmed != text:
                yield Key(stemmed, squeeze(stemmed), index, grade, spelling)


def _cap(pieces: Iterator[Piece]) -> Iterator[Piece]:
    for _, piece in zip(range(MAX_PIECES), pieces, strict=False):
        yield piece
