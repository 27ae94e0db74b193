"""The entries of properties that are lists, so that an index finds what one of them is in.

A list is filtered as one text, its entries joined by ``;``. Beside it stand the entries, without case, in an
array with a GIN index, and which there are in all is kept with the collection: what matches
``LIKE '%port%'`` has an entry with ``port`` in it. Those are few, and the index finds their rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypedDict

from layers.rows import SEPARATOR, Scalar

DECLARED: Final = 'text[] COLLATE "C"'
MOST: Final = 2_000  # different entries; a property with more is read through
_LETTER = re.compile(r"\\(.)|(.)", re.DOTALL)  # taken literally, or as it is


class Entry(TypedDict):
    """Where the entries of a list stand in its table, and which there are."""

    column: str
    words: list[str]


Lists = dict[str, Entry]  # by the property's name


class Gathered:
    """The entries of one list while its table is filled."""

    def __init__(self, name: str, column: str) -> None:
        self.name = name
        self.column = column
        self._words: set[str] = set()

    def take(self, value: Scalar) -> list[str] | None:
        """Return the entries of one row, and remember them."""
        if not isinstance(value, str):
            return None
        words = sorted(set(value.casefold().split(SEPARATOR)))
        if self.few:
            self._words.update(words)
        return words

    @property
    def few(self) -> bool:
        """Whether they are worth an index."""
        return len(self._words) <= MOST

    def describe(self) -> Entry:
        """Return what questions need to know of them."""
        return {"column": self.column, "words": sorted(self._words)}


def find_lists(info: dict[str, Any]) -> list[Gathered]:
    """Return the properties of a collection that are lists."""
    names = [field["name"] for field in info["fields"] if field["type"] == "array"]
    return [Gathered(name, f"w{number}") for number, name in enumerate(names)]


def choose(words: Iterable[str], pattern: str) -> list[str] | None:
    """Return those of `words` of which whatever is ``LIKE`` the pattern has one; None where any may do.

    >>> choose(["fishery", "new-materials", "port"], "%Port%")
    ['port']
    """
    longest = max(_runs(pattern), key=len)
    return [word for word in words if longest in word] if longest else None


def _runs(pattern: str) -> list[str]:
    """Return the stretches of a pattern that stand in one entry as they are, without case."""
    runs = [""]
    for literal, letter in _LETTER.findall(pattern):
        if (letter and letter in "%_") or SEPARATOR in (literal, letter):
            runs.append("")
        else:
            runs[-1] += (literal or letter).casefold()
    return runs
