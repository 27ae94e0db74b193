"""Name places for people: the name in the language of the message, and the id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from geodata.incoming.finding import LANGUAGES, fill
from geodata.land import CITY, SEA
from geodata.read import Facts

Words = dict[str, str]  # by language
_FILE: Final = Path(__file__).with_name("words.yaml")
NOTHING: Final[Words] = dict.fromkeys(LANGUAGES, "")


class Titles:
    """Knows the names of all places of the facts, and of the neighbouring counties in the base geometry."""

    def __init__(self, facts: Facts, boundaries: Mapping[str, Any] | None = None) -> None:
        self.facts = facts
        land = boundaries["land"]["features"] if boundaries else ()
        self.outside = {row["id"]: row["properties"]["name_zh"] for row in land}

    def of(self, place: str) -> Words:
        """Return the title of a place by language; its id where it has no name."""
        for table in (self.facts.zones, self.facts.areas, self.facts.towns):
            row: Any = table.get(place)
            if row is not None:
                names = {language: getattr(row.name, language) for language in LANGUAGES}
                return phrase("title", name=names, id=place)
        if place in {SEA, CITY}:
            return word("place", place)
        return dict.fromkeys(LANGUAGES, self.outside.get(place, place))

    def join(self, places: Iterable[str]) -> Words:
        """Return the titles of several places."""
        return join(map(self.of, places))


def word(kind: str, name: str) -> Words:
    """Return a term by language, for example that of a method."""
    found = _words()[kind][name]
    return {language: found[language] for language in LANGUAGES}


def join_words(kind: str, names: Iterable[str]) -> Words:
    """Return several terms by language, in the order of their list; those without a term as they are."""
    known, wanted = _words()[kind], set(names)
    return join([*(known[name] for name in known if name in wanted), *sorted(wanted - set(known))])


def join(texts: Iterable[Words | str]) -> Words:
    """Return a list of texts as one; a plain text is the same in every language."""
    rows = [dict.fromkeys(LANGUAGES, text) if isinstance(text, str) else text for text in texts]
    comma = _words()["comma"]
    return {language: comma[language].join(row[language] for row in rows) for language in LANGUAGES}


def phrase(name: str, /, **values: object) -> Words:
    """Return a phrase by language, filled with `values`; one that is a dict is by language."""
    return fill(_words()["phrase"][name], values, LANGUAGES)


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, Any]]:
    words: dict[str, dict[str, Any]] = yaml.load(_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return words
