"""Write out what the search knows, so that a browser answers as the server does where there is no server.

Every spelling is resolved here: the browser gets a table from spellings to answers, the words and
patterns that questions are cut by, and the limits that names are compared with. What
``webmap/static/js/offline-search.js`` does with them is what :class:`~layers.search.finder.Search` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from statistics import mode
from typing import NotRequired, TypedDict

from layers.search import cutting, finder, replies, vocabulary
from layers.search.cutting import CODE, Sense
from layers.search.finder import Search
from layers.search.replies import SearchAnswers, Told
from layers.search.vocabulary import (
    ALIAS,
    INITIALS,
    NAME,
    PINYIN,
    TERM,
    SearchIndex,
    fold,
    to_initials,
)

HOWS = {"named": 0, "synonym": 1}  # which of the plan's answers a spelling of an industry is; 2: another
OTHER = 2
FLAG_OURS = 4  # of a spelling that is no word of the plan


def build_offline_tables(search: Search, index: SearchIndex) -> OfflineTables:
    """Return all that answers depend on but the names and words that they are told in.

    Parameters
    ----------
    search, index
        The search, and the index that it was made from.

    Returns
    -------
    dict
        ``told``: one row per answer, with ``row`` as :meth:`Search.describe` returns it and what the browser
        needs to weigh it; everything else refers to them by their place. ``entries`` by place as well.
    """
    told = _ToldTable(search)
    asked = search.answers
    typed = search.vocabulary.keys.list_typed(len(search.entries))
    forms = {form: _form(asked, told, form) for form in asked.weights}
    entries = [_entry(search, told, at) for at in range(len(search.entries))]
    _leave_to_keys(asked, entries, typed, forms)
    return {
        "entries": entries,
        "keys": [list(_keys(search, at, own)) for at, own in enumerate(typed)],
        "forms": forms,
        "terms": [
            [row["zh"], row["ko"], told.add(asked.best([Sense("terms", at)], ""))]
            for at, row in enumerate(asked.folded)
        ],
        "latin": {form: sorted(found) for form, found in sorted(asked.latin.items())},
        "heads": {form: sorted(found) for form, found in sorted(asked.heads.items())},
        "codes": {
            scheme: [
                {code: told.add(asked.of_industry(one, "")) for code, one in found.items()} for found in both
            ]
            for scheme, both in asked.codes.items()
        },
        "turns": {
            form: {of: told.add(asked.turned(to)) for of, to in turns.items()}
            for form, turns in asked.turns.items()
        },
        "nearest": {form: search.place_of(one) for form, one in sorted(asked.nearest.items())},
        "ends": [[word, told.add(asked.turned(index["rules"]["ends"][word]))] for word in asked.ends],
        "told": told.rows,
        "rules": _rules(index),
        "sounds": _by_sound(index["sounds"]),
        "variants": index["variants"],
        "empty": index["empty"],
    }


class ToldWeight(TypedDict):
    """What a browser needs to weigh an answer."""

    telling: int
    led: list[int]
    entry: NotRequired[int]
    name: NotRequired[bool]
    kinds: NotRequired[dict[str, int]]  # other answers, by the places that a question may name beside it


class EntryWeight(TypedDict):
    """What a browser needs to weigh an entry, and the place of the answer that it is itself."""

    rank: float
    told: NotRequired[int]
    form: NotRequired[int]  # of its keys that are ours, where the forms say nothing else


class OfflineTables(TypedDict):
    """What :func:`build_offline_tables` returns."""

    entries: list[EntryWeight]
    keys: list[list[list[int | str]]]
    forms: dict[str, int]
    terms: list[list[str | int]]
    latin: dict[str, list[int]]
    heads: dict[str, list[int]]
    codes: dict[str, list[dict[str, int]]]
    turns: dict[str, dict[str, int]]
    nearest: dict[str, int]
    ends: list[list[str | int]]
    told: list[tuple[Told, ToldWeight]]
    rules: dict[str, object]
    sounds: dict[str, str]
    variants: dict[str, str]
    empty: list[str]


class _ToldTable:
    """Answers by their place, each once, whatever word asked for them."""

    def __init__(self, search: Search) -> None:
        self.rows: list[tuple[Told, ToldWeight]] = []
        self._search = search
        self._places: dict[Told, int] = {}

    def add(self, told: Told | None) -> int:
        """Return the place of an answer, -1 for none."""
        if told is None:
            return -1
        told = replace(told, word="")
        if told not in self._places:
            self._places[told] = len(self.rows)
            asked = self._search.answers
            first, second = asked.telling(told)
            more: ToldWeight = {
                "telling": first * len(replies.ORDER) + second,
                "led": list(self._search.led_to(told)),
            }
            if told.entry is not None:
                more["entry"] = told.entry
            if asked.is_name(told.zh):
                more["name"] = True
            self.rows.append((told, more))
            kinds = asked.kinds_of(told) if told.zh else {}
            if kinds:
                more["kinds"] = {place: self.add(one) for place, one in kinds.items()}
        return self._places[told]


def _form(asked: SearchAnswers, told: _ToldTable, form: str) -> int:
    """Return the answer of a spelling, whether the plan's terms alone have it, and how much it weighs."""
    senses = asked.senses.get(form, [])
    plain = all(sense.table in replies.INSIDE for sense in senses)
    return (told.add(asked.best(senses, form)) << 3) + (plain << 2) + asked.weights[form]


def _leave_to_keys(
    asked: SearchAnswers,
    entries: list[EntryWeight],
    typed: list[list[tuple[str, str, int]]],
    forms: dict[str, int],
) -> None:
    """Leave out the forms that a browser makes of the keys: of our words, as most of an entry's are told."""
    of: dict[str, set[int]] = {}
    for at, own in enumerate(typed):
        for _, spelling, grade in own:
            if grade == TERM and asked.is_synonym(spelling):
                of.setdefault(asked.to_form(spelling), set()).add(at)
    single = {form: at for form, places in of.items() for at in places if len(places) == 1}
    for at in set(single.values()):
        own_forms = [form for form, place in single.items() if place == at]
        usual = entries[at]["form"] = mode(forms[form] for form in own_forms)
        for form in own_forms:
            if forms[form] == usual:
                del forms[form]


def _keys(search: Search, at: int, typed: list[tuple[str, str, int]]) -> Iterator[list[int | str]]:
    """Yield the keys of an entry as [grade and flags, spelling, folded text].

    0 stands for the spelling of the key before; the text is left out where it is the folded spelling, or the
    initials of that or of the pinyin before it.
    """
    before, spelt, sound = "", "", ""
    for text, spelling, grade in typed:
        spelt = fold(spelling) if spelling != before else spelt
        initials = to_initials(spelt) or "".join(word[0] for word in sound.split())
        derived = initials if grade == INITIALS else spelt
        marks = grade | _flags(search, at, spelling) << 3
        yield [marks, 0 if spelling == before else spelling, *([text] if text != derived else [])]
        before, sound = spelling, text if grade == PINYIN else ""


def _entry(search: Search, told: _ToldTable, at: int) -> EntryWeight:
    row: EntryWeight = {"rank": search.ranks[at]}
    if own := search.answers.of_entry(at, ""):
        row["told"] = told.add(own)
    return row


def _flags(search: Search, at: int, spelling: str) -> int:
    entry = search.entries[at]
    ours = FLAG_OURS if search.answers.is_synonym(spelling) else 0
    if entry["layer"] != "industries":
        return ours
    return ours | HOWS.get(search.answers.how(spelling, entry["id"]), OTHER)


def _by_sound(sounds: dict[str, str]) -> dict[str, str]:
    """Return the characters by their pinyin, in one text each."""
    found: dict[str, str] = {}
    for letter, sound in sounds.items():
        found[sound] = found.get(sound, "") + letter
    return found


def _rules(index: SearchIndex) -> dict[str, object]:
    """Return the words, patterns and limits that questions are cut and names compared by."""
    given = index["rules"]
    return {
        "particles": sorted(given["particles"], key=len, reverse=True),
        "prepositions": given["prepositions"],
        "stems": [[pattern.pattern, _for_browsers(text)] for pattern, text in vocabulary.STEMS],
        "initials": vocabulary.FIRST_LETTERS.pattern,
        "opened": {chr(code): letters for code, letters in vocabulary.OPENED.items()},
        "code": CODE.pattern,
        "grades": {"name": NAME, "alias": ALIAS, "term": TERM, "pinyin": PINYIN, "initials": INITIALS},
        "weights": {
            "strong": cutting.STRONG,
            "weak": cutting.WEAK,
            "stop": cutting.STOP,
            "unknown": cutting.UNKNOWN,
        },
        "kinds": list(replies.ORDER),
        "answers": {"window": cutting.WINDOW, "longest": cutting.LONGEST, "shortest": cutting.SHORTEST},
        "words": {
            "window": vocabulary.WINDOW,
            "han": vocabulary.SHORTEST_HAN,
            "hangul": vocabulary.SHORTEST_HANGUL,
            "ending": vocabulary.ENDING,
            "pieces": vocabulary.MAX_PIECES,
            "stem": vocabulary.SHORTEST_STEM,
        },
        "names": {
            "limit": finder.LIMIT,
            "query": finder.MAX_QUERY,
            "close": finder.CLOSE,
            "broken": finder.LONGEST_BROKEN,
            "weak": finder.WEAK,
            "far": finder.FAR,
            "places": list(finder.PLACE_LAYERS),
        },
        "typos": {
            "shortest": vocabulary.SHORTEST_TYPO,
            "long": vocabulary.LONG_TYPO,
            "sure": vocabulary.SURE_TYPO,
            "han": vocabulary.HAN_TYPO,
            "most": vocabulary.MOST_TYPOS,
            "shortestHangul": vocabulary.HANGUL_TYPO,
            "hangul": vocabulary.LONG_HANGUL_TYPO,
            "near": vocabulary.NEAR_TYPOS,
            "similarity": vocabulary.TYPO_SIMILARITY,
            "spelt": index["rules"]["spelt"],
        },
    }


def _for_browsers(replacement: str) -> str:
    return re.sub(r"\\(\d)", r"$\1", replacement)
