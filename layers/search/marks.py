"""Say which characters of a spelling a query hit, as ranges; pages set them as marked text."""

from __future__ import annotations

from collections.abc import Iterable

from layers.search.folding import RUNS, fold, is_latin, squeeze, stem, trace
from layers.search.vocabulary import INITIALS, PINYIN, Key

Ranges = list[list[int]]  # [start, end) in characters


def mark(text: str, needles: Iterable[str]) -> Ranges:
    """Return where folded `needles` stand in `text`, joined and in order."""
    hit: set[int] = set()
    folded, origin = trace(text)
    for needle in filter(None, map(squeeze, needles)):
        at = folded.find(needle)
        while at >= 0:
            hit.update(origin[at : at + len(needle)])
            at = folded.find(needle, at + len(needle))
    return _join(hit)


def mark_words(text: str, needles: Iterable[str]) -> Ranges:
    """Return the words of `text` that are the needles' words in another form: fibres for fiber."""
    wanted = {stem(word) for needle in needles for word in needle.split() if is_latin(word)}
    hit: set[int] = set()
    at = 0
    for run in text.split(" "):
        words = RUNS.findall(fold(run))
        if words and all(stem(word) in wanted for word in words):
            hit.update(range(at, at + len(run.rstrip(",;:.()"))))
        at += len(run) + 1
    return _join(hit)


def mark_reading(key: Key, needles: Iterable[str]) -> Ranges:
    """Return the Chinese characters of a spelling whose pinyin or initials the needles hit."""
    han = [index for index, letter in enumerate(key.spelling) if "㐀" <= letter <= "鿿"]
    syllables = list(key.text) if key.grade == INITIALS else key.text.split()
    if key.grade not in {PINYIN, INITIALS} or len(han) != len(syllables):
        return []
    origin = [index for index, syllable in zip(han, syllables, strict=True) for _ in syllable]
    hit: set[int] = set()
    for needle in filter(None, map(squeeze, needles)):
        at = key.squeezed.find(needle)
        if at >= 0:
            hit.update(origin[at : at + len(needle)])
    return _join(hit)


def _join(hit: set[int]) -> Ranges:
    ranges: Ranges = []
    for index in sorted(hit):
        if ranges and ranges[-1][1] == index:
            ranges[-1][1] += 1
        else:
            ranges.append([index, index + 1])
    return ranges
