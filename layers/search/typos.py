"""Find what a misspelt query may have meant, and what comes near one that means nothing here."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA

from layers.search.vocabulary import (
    EMPTY,
    INITIALS,
    PINYIN,
    TERM,
    UNKNOWN,
    Haystack,
    Piece,
    Vocabulary,
    fold,
    is_latin,
    squeeze,
    stem,
)

SHORTEST, LONG = 4, 10  # letters of a word that may hold one slip, or two
SURE = 6  # letters of a word that may have another letter in the place of one
SHORTEST_HAN = 2
HANGUL, HAN = "ᄀ", "⺀"  # from here on letters are Korean, and Chinese
MOST = 3  # unknown pieces of one query that are looked at
SHORTEST_HANGUL, LONG_HANGUL = 8, 12
NEAR, NEAR_SIMILARITY = 5, 0.7


class Typos:
    """Compares queries with every spelling; the first of several equally near ones wins.

    Ordinary words, which are `spelt` right, are not taken for others.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        ranks: list[float],
        sounds: dict[str, str],
        far: float,
        is_ours: Callable[[str], bool],
        spelt: list[str],
    ) -> None:
        self._vocabulary = vocabulary
        self._sounds = sounds
        self._wholes: dict[str, int] = {}  # keys by what they squeeze to
        self._names: dict[str, int] = {}  # keys by names and terms, and each of their words
        self._written: dict[str, str] = {}  # how a Korean word is written, by its letters
        self._spelt = {*map(stem, spelt)}
        self._stems = set(self._spelt)
        words: dict[str, None] = {}
        # A name of someone's own may sound nearly like anything of the many words that are ours.
        ranked = sorted(
            (ranks[key.entry], key.grade, at)
            for at, key in enumerate(vocabulary.keys)
            if key.grade != INITIALS and (key.grade != PINYIN or not is_ours(key.spelling))
        )
        for rank, grade, at in ranked:
            key = vocabulary.keys[at]
            form, every = sys.intern(key.squeezed), key.text.split()
            long = [sys.intern(word) for word in every if len(word) >= SHORTEST]
            self._wholes.setdefault(form, at)
            self._stems.update(map(stem, every))
            words |= dict.fromkeys(long)
            if HANGUL <= key.text < HAN:
                self._written |= {fold(word): word for word in key.spelling.split()}
            if grade <= TERM and rank < far:
                for text in (form, *long):
                    self._names.setdefault(text, at)
        self._choices, self._words, self._choosable = list(self._wholes), list(words), list(self._names)
        self._haystack = Haystack(self._choosable)

    def correct(self, pieces: list[Piece]) -> tuple[str, str] | None:
        """Return the query with its unknown pieces put right, folded and as it is written; None without."""
        told = [piece.text for piece in pieces if piece.kind != EMPTY]
        unknown = [piece.text for piece in pieces if piece.kind == UNKNOWN]
        right = any(stem(text) in self._spelt for text in unknown)
        whole = None if right else self._nearest(squeeze(" ".join(told)), self._choices)
        if whole:
            key = self._vocabulary.keys[self._wholes[whole]]
            return key.text, key.spelling
        fixed = {text: found for text in unknown[:MOST] if (found := self._fix(text))}
        if not fixed:
            return None
        meant = " ".join(fixed.get(text, text) for text in told)
        return meant, " ".join(self._written.get(word, word) for word in meant.split())

    def _fix(self, text: str) -> str | None:
        if text >= HAN:
            return self._same_sound(text)
        if stem(text) in self._stems:
            return None
        word = self._nearest(text, self._words)
        if word:
            return word
        whole = self._nearest(squeeze(text), self._choices)
        return self._vocabulary.keys[self._wholes[whole]].text if whole else None

    def _same_sound(self, text: str) -> str | None:
        """Return the known spelling that sounds like `text`: with another character it is another word."""
        if len(text) < SHORTEST_HAN:
            return None
        pinyin = "".join(self._sounds.get(letter, letter) for letter in text)
        keys = (self._vocabulary.keys[index] for index in self._vocabulary.exact(pinyin))
        return next((fold(key.spelling) for key in keys if key.grade == PINYIN), None)

    def _nearest(self, text: str, choices: list[str]) -> str | None:
        slips = _slips(text)
        if not slips:
            return None
        found = process.extract(text, choices, scorer=OSA.distance, score_cutoff=slips, limit=NEAR)
        if any(not distance for _, distance, _ in found):
            return None  # spelt as it should be, if only as a part of a name
        likely = (one for one, distance, _ in found if distance and _may_be_meant(text, one))
        return next(likely, None)

    def near(self, pieces: list[Piece]) -> list[tuple[int, str]]:
        """Return the entries that come nearest to what is not known, with their spellings, nearest first."""
        scored: dict[int, tuple[float, str]] = {}
        unknown = [piece.text for piece in pieces if piece.kind == UNKNOWN]
        for piece in unknown[:MOST]:
            for text, score in self._similar(piece):
                key = self._vocabulary.keys[self._names[text]]
                scored[key.entry] = max((score, key.spelling), scored.get(key.entry, (0, "")))
        ranked = sorted(scored.items(), key=lambda item: -item[1][0])
        return [(entry, spelling) for entry, (_, spelling) in ranked[:NEAR]]

    def _similar(self, text: str) -> Iterator[tuple[str, float]]:
        if is_latin(text):
            if len(text) <= SHORTEST:
                return
            found = process.extract(
                text,
                self._choosable,
                scorer=OSA.normalized_similarity,
                score_cutoff=NEAR_SIMILARITY,
                limit=NEAR,
            )
            yield from ((spelling, score) for spelling, score, _ in found)
            return
        size = 2 if text[0] >= HAN else SHORTEST  # two Chinese characters, or two Korean syllables
        wanted = {text[at : at + size] for at in range(len(text) - size + 1)}
        shared = Counter(at for part in wanted for at in self._haystack.holding(part))
        for at, count in sorted(shared.items()):
            yield self._choosable[at], count / (len(wanted) + len(self._choosable[at]))


def _may_be_meant(text: str, one: str) -> bool:
    """Return whether a slip may have made `text` of `one`.

    A word with another first letter is another word, and so is a very short one with another letter in the
    place of one of its own: coal is no coat, a duck no dock.
    """
    same = sorted(text.replace("v", "u")) == sorted(one)  # lv and lu are typed for one sound
    if one[0] != text[0] and not same:
        return False
    return len(text) >= SURE or len(text) != len(one) or same


def _slips(text: str) -> int:
    """Return how many letters of `text` may be wrong, missing, added or swapped.

    None in Chinese, where another character is another word, and none in numbers.
    """
    if not text or max(text) >= HAN or any(letter.isdigit() for letter in text):
        return 0
    shortest, long = (SHORTEST, LONG) if is_latin(text) else (SHORTEST_HANGUL, LONG_HANGUL)
    return 0 if len(text) < shortest else 1 if len(text) < long else 2
