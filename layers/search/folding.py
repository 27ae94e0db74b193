"""Bring spellings and queries to one form, so that they can be compared letter by letter.

Folded text is lower case without accents, tones or punctuation; Hangul is spelt in initial-form
letters (jamo), so that a syllable that is still being typed is a prefix of the whole one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_FINALS = range(0x11A8, 0x11C3)  # jamo that close a syllable
_VOWELS = range(0x1161, 0x1176)
_INITIALS = re.compile(r"[ᄀ-ᄒ](?=[ᅡ-ᅵ])")
RUNS = re.compile(r"[㐀-䶿一-鿿]+|[ᄀ-ᇿ]+|[^\s㐀-䶿一-鿿ᄀ-ᇿ]+")  # one script each
_NUMBERED = re.compile(r"(?<=[a-z])[1-5](?![0-9])")  # tan4 xian1 wei2
SHORTEST_STEM = 4
_STEMS = (
    (re.compile(r"([bt])re(s?)$"), r"\1er\2"),  # fibre, centre
    (re.compile(r"our(s?)$"), r"or\1"),  # harbour
    (re.compile(r"is(ation|e|ed|ing)(s?)$"), r"iz\1\2"),  # utilisation
    (re.compile(r"ies$"), "y"),
    (re.compile(r"(?<=[sxz])es$|(?<=[cs]h)es$|(?<![siu])s$"), ""),
)


def _open_final(letter: str) -> str:
    """Return a closing jamo as the initial ones it consists of: what follows may yet open a syllable."""
    parts = unicodedata.name(letter).removeprefix("HANGUL JONGSEONG ").split("-")
    return "".join(unicodedata.lookup(f"HANGUL CHOSEONG {part}") for part in parts)


_OPENED = {code: _open_final(chr(code)) for code in _FINALS}


def fold(text: str) -> str:
    """Return `text` for comparison: words of letters and digits, one space between them."""
    return " ".join("".join(letter for letter, _ in _letters(text)).split())


def squeeze(folded: str) -> str:
    """Return folded text without its spaces."""
    return folded.replace(" ", "")


def trace(text: str) -> tuple[str, list[int]]:
    """Return the squeezed fold of `text`, and for each of its letters the index it comes from."""
    pairs = [(letter, index) for letter, index in _letters(text) if letter != " "]
    return "".join(letter for letter, _ in pairs), [index for _, index in pairs]


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return an English word without its plural and in one spelling; others stay as they are.

    >>> [stem(word) for word in ("fibres", "fiber", "batteries", "ships", "glass", "wei")]
    ['fiber', 'fiber', 'battery', 'ship', 'glass', 'wei']
    """
    if len(word) < SHORTEST_STEM or not (word.isascii() and word.isalpha()):
        return word
    for pattern, replacement in _STEMS:
        word = pattern.sub(replacement, word)
    return word


def stem_all(folded: str) -> str:
    """Return folded text with every word stemmed."""
    return " ".join(map(stem, folded.split()))


def is_latin(folded: str) -> bool:
    """Return whether folded text has neither Chinese nor Korean in it."""
    return not any(letter >= "ᄀ" for letter in folded)


def to_initials(folded: str) -> str:
    """Return the first consonant of each Korean syllable, empty for other scripts."""
    return "".join(_INITIALS.findall(folded))


def drop_tones(folded: str) -> str:
    """Return pinyin without the figures that stand for tones."""
    return _NUMBERED.sub("", folded)


def _letters(text: str) -> Iterator[tuple[str, int]]:
    """Yield the folded letters of `text` with the index each comes from; a space for what is neither."""
    for index, character in enumerate(text):
        for letter in _decompose(character):
            if letter.isalnum():
                yield letter, index
            elif not unicodedata.combining(letter):
                yield " ", index


def _decompose(character: str) -> str:
    if character.isascii():
        return character.lower()
    once = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return unicodedata.normalize("NFKD", once.casefold()).translate(_OPENED)
