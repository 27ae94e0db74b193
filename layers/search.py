"""Find places, industries, clauses and towns by name: Chinese, pinyin, English or Korean.

The index is built once per release by :mod:`layers.indexes`; searching it needs no library.
"""

from __future__ import annotations

import unicodedata
from typing import Any

LIMIT = 20
MAX_QUERY = 100
# How well a query fits a key, best first.
EXACT, START, WORD, PART = 0, 1, 2, 3
LAYER_ORDER = (
    *("zones", "counties", "parks", "five-zones", "belts", "marine-cores"),
    *("clusters", "industries", "platforms", "gateways", "towns", "clauses"),
)

Entry = dict[str, Any]


def fold(text: str) -> str:
    """Return `text` for comparison: full width to half, lower case, no accents, no punctuation."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    spaced = "".join(character if character.isalnum() else " " for character in plain)
    return unicodedata.normalize("NFKC", " ".join(spaced.split()))


class Search:
    """Ranks the index's entries for a query."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def find(self, query: str, language: str, limit: int = LIMIT) -> list[Entry]:
        """Return the best entries, each with the spelling that matched.

        `query` may be Chinese, pinyin with or without spaces and tones, initials, English or Korean.
        Characters past the first 100 are ignored.
        """
        wanted = fold(query[:MAX_QUERY])
        if not wanted:
            return []
        ranked = sorted(
            ((*best, index) for index, entry in enumerate(self._entries) if (best := _best(entry, wanted))),
            key=lambda hit: hit[:3],
        )
        return [self._result(self._entries[index], match, language) for *_, match, index in ranked[:limit]]

    def _result(self, entry: Entry, match: str, language: str) -> Entry:
        name = entry["name"]
        result = {"id": entry["id"], "layer": entry["layer"], "name": name[language], "zh": name["zh"]}
        return result | {
            "match": match,
            "url": entry["url"],
            **({"at": entry["at"]} if "at" in entry else {}),
        }


def _best(entry: Entry, wanted: str) -> tuple[int, int, int, str] | None:
    """Return (fit, layer's rank, length of the key, spelling) of the entry's best key, or None."""
    layer = LAYER_ORDER.index(entry["layer"])
    fits = [
        (fit, layer, len(key), spelling)
        for key, spelling in entry["keys"]
        if (fit := _fit(key, wanted)) is not None
    ]
    return min(fits, default=None)


def _fit(key: str, wanted: str) -> int | None:
    if key == wanted or key.replace(" ", "") == wanted.replace(" ", ""):
        return EXACT
    if key.startswith(wanted) or key.replace(" ", "").startswith(wanted.replace(" ", "")):
        return START
    if f" {wanted}" in key:
        return WORD
    return PART if wanted in key else None
