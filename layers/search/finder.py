"""Find what the plan names, and where it is, by name: Chinese, pinyin, English or Korean.

The index is built once per release by :mod:`layers.search.names`. What is found says how: as a whole, as a
part, or only after a misspelling was put right; what the plan does not name is said not to be found. Which
characters of a spelling a query hit is said as ranges; pages set them as marked text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from geodata import kinds
from layers.search.replies import ORDER, Reply, SearchAnswers, Told
from layers.search.vocabulary import (
    ALIAS,
    EMPTY,
    INITIALS,
    KNOWN,
    OWN,
    PINYIN,
    RUNS,
    TERM,
    UNKNOWN,
    Key,
    Piece,
    SearchEntry,
    SearchIndex,
    TermMeaning,
    Vocabulary,
    drop_tones,
    fold,
    is_latin,
    squeeze,
    stem,
    stem_all,
    trace_letters,
)

if TYPE_CHECKING:
    from layers.search.vocabulary import Typos

Ranges = list[list[int]]  # [start, end) in characters
LIMIT = 20
MAX_QUERY = 100
# How well a query fits a key, best first. CORE: all but the empty words; WORDS: its words in any order;
# HOLDS: the query contains the key.
EXACT, CORE, START, WORD, PART, WORDS, HOLDS = range(7)
CLOSE = 0.6  # of a key typed already: nearly the whole
LONGEST_BROKEN = 24  # letters of a query that is looked for in two parts
WEAK = 2  # letters that are too few to be looked for inside a word
PLACE_LAYERS = sorted(kinds.PLACE_LAYERS, key=lambda layer: layer != "zones")  # zones first
LAYER_ORDER = (
    *PLACE_LAYERS,
    *("industries", "clusters", "chains", "platforms", "gateways", "towns", "landmarks"),
    *("agencies", "indicators", "clauses", OWN),
)
FAR = LAYER_ORDER.index("agencies")  # from here on nothing is offered as near
HAN = "⺀"  # from here on letters are Chinese
_ONE_SYLLABLE = re.compile("[ᄀ-ᄒ][ᅡ-ᅵ][ᄀ-ᄒ]{0,2}")
Rank = tuple[float, ...]


def mark(text: str, needles: Iterable[str]) -> Ranges:
    """Return where folded `needles` stand in `text`, joined and in order."""
    hit: set[int] = set()
    folded, origin = trace_letters(text)
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


class ZoneName(TypedDict):
    """A place that an industry is designated for."""

    id: str
    name: str
    layer: str


class FoundRow(TypedDict):
    """A result in one language; marks are the characters that the query hit, of the name and of the match."""

    id: str
    layer: str
    name: str
    zh: str
    url: str
    kind: NotRequired[str]
    at: NotRequired[list[float]]
    status: NotRequired[str]
    of: NotRequired[str]
    zones: NotRequired[list[ZoneName]]
    how: NotRequired[str]  # of an industry: which of the plan's answers it was found by
    match: NotRequired[str]
    match_marks: NotRequired[Ranges]
    marks: NotRequired[Ranges]
    group: NotRequired[str]  # what people read beside it, set by the pages
    says: NotRequired[str | list[str]]
    rank: NotRequired[float]  # of its layer, and the place of its answer: for a browser that finds by itself
    told: NotRequired[int]


class ToldTerm(TypedDict):
    """A term of the plan in an answer; `own` says whether it has the word that was asked for."""

    term: str
    zh: str
    clause: str
    verb: NotRequired[str]
    emphasis: NotRequired[str]
    own: bool
    id: NotRequired[str]  # of the place that it is for
    name: NotRequired[str]
    url: NotRequired[str]


class PlaceName(TypedDict):
    """A place in one language."""

    id: str
    name: str
    url: str


class ToldAnswer(TypedDict):
    """What the plan says of one word; see :class:`~layers.search.replies.Told`."""

    kind: str
    word: str
    printed: str | None
    industry: FoundRow | None
    relation: str | None
    entry: FoundRow | None
    url: str | None
    places: list[PlaceName]
    clauses: list[str]
    zones: list[ToldTerm]
    areas: list[ToldTerm]
    positioning: list[ToldTerm]
    city: list[ToldTerm]
    tasks: list[ToldTerm]
    elsewhere: list[ToldTerm]
    tells: NotRequired[str]  # the sentence that tells it, set by the pages


class SearchDocument(TypedDict):
    """What a query finds; see :meth:`Search.answer`."""

    q: NotRequired[str]
    answer: ToldAnswer | None
    others: list[ToldAnswer]
    unused: list[str]
    results: list[FoundRow]
    missing: list[str]
    corrected: str | None
    near: list[FoundRow]
    notice: NotRequired[str]  # the sentences above the results, set by the pages
    said: NotRequired[str]


class Hit(NamedTuple):
    """The best key of one entry: how it ranks, which it is, what of the query it answers."""

    rank: Rank
    key: int
    needles: tuple[str, ...]


class Search:
    """Ranks the index's entries for a query."""

    def __init__(self, index: SearchIndex) -> None:
        self.entries = index["entries"]
        self._by_place = {entry["id"]: entry for entry in self.entries if entry["layer"] in PLACE_LAYERS}
        self._variants = str.maketrans(index["variants"])
        self._sounds, self._spelt = index["sounds"], index["rules"]["spelt"]
        self.vocabulary = Vocabulary(index["keys"], index["empty"])
        names = self.vocabulary.keys.list_names(len(self.entries))
        self.answers = SearchAnswers(index, self._variants, names)
        self._at = {(entry["layer"], entry["id"]): at for at, entry in enumerate(self.entries)}
        self.ranks = [_rank(entry) for entry in self.entries]

    @cached_property
    def _typos(self) -> Typos:
        from layers.search.vocabulary import Typos  # only a query that fails needs its library

        is_ours = self.answers.is_synonym
        return Typos(self.vocabulary, self.ranks, self._sounds, FAR, is_ours, self._spelt)

    def find(self, query: str, language: str, limit: int = LIMIT) -> list[FoundRow]:
        """Return the best entries, each with the spelling that matched."""
        return self.answer(query, language, limit)["results"]

    def answer(self, query: str, language: str, limit: int = LIMIT) -> SearchDocument:
        """Return ``results`` best first, and what else is to be said of the query.

        `query` may be Chinese (simplified, traditional), pinyin with or without spaces and tones,
        initials, English or Korean; characters past the first 100 are ignored. ``missing`` are its
        words that no result answers, ``corrected`` the query as it was understood where that is not
        how it was typed, ``near`` the names that come nearest where words are missing, or the one industry
        that is nearest to what the plan has no industry for.
        """
        query = query[:MAX_QUERY]
        wanted = fold(query.translate(self._variants))
        hits, pieces = self._understand(wanted)
        reply = self.answers.ask(query)
        if reply:
            reply = self._without_own(hits, self._named_by(hits, reply, query))
        else:
            reply = self._reply_of(hits, pieces, query)
        nearest = self.answers.nearest_to(query)
        if nearest and (self.answers.lacks_industry(query) or (reply and reply.told.kind == "page")):
            hits, reply = [], None  # a terminal for gas is no card terminal; no page finds a site for steel
        if not reply and all(self._is_part_of_ours(hit, EXACT if nearest else START) for hit in hits):
            hits = []  # tobacco is not found where e-cigarettes are, which is a word of ours
        missing = (
            list(reply.unknown) if reply else _missing(hits, pieces) if hits else self.answers.unknown(query)
        )
        nearest = None if hits or reply else nearest
        corrected = None
        if wanted and not nearest and (missing or not (hits or reply)):
            meant, shown = self._typos.correct(pieces) or ("", "")
            again, parts = self._understand(meant)
            other = self.answers.ask(shown) or self._reply_of(again, parts, shown)
            left = list(other.unknown) if other else _missing(again, parts)
            same = (
                not (reply and other) or reply.told.industry == other.told.industry
            )  # a charter is no charger
            if again and (not (hits or reply) or (same and len(left) < len(missing))):
                hits, reply, missing, corrected = again, other, left, shown
        near = self._typos.near(pieces) if not nearest and (missing or not (hits or reply)) else []
        results = self._results(hits, reply, language, limit)
        found = {(row["layer"], row["id"]) for row in results}
        return {
            "answer": self.describe(reply.told, language) if reply else None,
            "others": [self.describe(one, language) for one in reply.others] if reply else [],
            "unused": list(reply.unused) if reply else [],
            "results": results,
            "missing": [_as_typed(query, piece) for piece in missing],
            "corrected": corrected,
            "near": [self._nearest(nearest, language)]
            if nearest
            else [
                {**self._found_by(one, spelling, language), "match": spelling}
                for one, spelling in near
                if (self.entries[one]["layer"], self.entries[one]["id"]) not in found
            ],
        }

    def _is_part_of_ours(self, hit: Hit, fit: int) -> bool:
        key = self.vocabulary.keys[hit.key]
        whole = hit.rank[0] == START and key.text.startswith(f"{hit.needles[0]} ")  # furniture of fittings
        return (hit.rank[0] > fit or whole) and self.answers.is_synonym(key.spelling)

    def _named_by(self, hits: list[Hit], reply: Reply, query: str) -> Reply:
        """Return the answer with what a word begins the name of, where the plan only prints it."""
        told, best = reply.told, next(iter(hits), None)
        if best is None or told.kind != "printed" or told.industry or told.entry is not None:
            return reply
        key = self.vocabulary.keys[best.key]
        entry = self.entries[key.entry]
        if best.rank[0] > START or key.grade > ALIAS or entry["layer"] == "clauses":
            return reply
        place = self.answers.of_entry(key.entry, query) if entry["layer"] in PLACE_LAYERS else None
        return replace(reply, told=place or replace(told, entry=key.entry))

    def _without_own(self, hits: list[Hit], reply: Reply) -> Reply:
        """Return the answer that leaves nothing over which the names of own features found beside it have."""
        own = [hit for hit in hits if self.entries[self.vocabulary.keys.entry_of(hit.key)]["layer"] == OWN]
        needles = {needle for hit in own for needle in hit.needles}

        def left(words: tuple[str, ...]) -> tuple[str, ...]:
            folded = ((word, fold(word.translate(self._variants))) for word in words)
            return tuple(word for word, form in folded if not any(form in needle for needle in needles))

        return replace(reply, unused=left(reply.unused), unknown=left(reply.unknown))

    def _reply_of(self, hits: list[Hit], pieces: list[Piece], query: str) -> Reply | None:
        """Return the answer to what was found by pinyin, initials, or the beginning of a name."""
        if not hits or _missing(hits, pieces):
            return None
        # Steel is not what it is a part of, where that is a word of ours; nuclear power is nuclear.
        keys = ((hit, self.vocabulary.keys[hit.key]) for hit in hits)
        plain = (
            key
            for hit, key in keys
            if _is_meant(hit, key)
            and (not self.answers.is_synonym(key.spelling) or (key.grade >= PINYIN and hit.rank[0] == EXACT))
        )
        key = next(plain, None)
        if key is None:
            return None
        reply = self.answers.ask(key.spelling) if key.grade >= TERM else None
        if reply is not None:
            return Reply(reply.told, (), (), ())
        told = self.answers.of_entry(key.entry, query)
        return Reply(told, (), (), ()) if told else None

    def _results(self, hits: list[Hit], reply: Reply | None, language: str, limit: int) -> list[FoundRow]:
        """Return the entries that were found, those that the answer speaks of before the others."""
        by_entry = {self.vocabulary.keys.entry_of(hit.key): hit for hit in hits}
        leading = [at for told in (reply.told, *reply.others) for at in self.led_to(told)] if reply else []
        first = [
            self._result(by_entry.pop(at), language)
            if at in by_entry
            else self._lead(at, reply.told, language)
            for at in dict.fromkeys(leading)
            if reply
        ]
        if reply and first and first[0]["layer"] == "industries":
            first[0]["how"] = reply.told.kind
        others = [self._result(hit, language) for hit in [*by_entry.values()][:limit]]
        return [*first, *others][:limit]

    def led_to(self, told: Told) -> Iterator[int]:
        """Yield the entries that an answer speaks of: its own, its places, its industry, its clauses."""
        if told.entry is not None:
            yield told.entry
        yield from (
            self._at[layer, one] for one in told.places for layer in PLACE_LAYERS if (layer, one) in self._at
        )
        if told.industry:
            yield self._at["industries", told.industry]
        if told.kind == "printed":
            yield from (self._at["clauses", one] for one in told.clauses if ("clauses", one) in self._at)

    def _lead(self, at: int, told: Told, language: str) -> FoundRow:
        head = self.head(self.entries[at], language)
        marks = mark(head["name"], [fold(told.word)])
        lead: FoundRow = {**head, "match": head["name"], "match_marks": marks, "marks": marks}
        return {**lead, "how": told.kind} if head["layer"] == "industries" else lead

    def place_of(self, industry: str) -> int:
        """Return the place of an industry among the entries."""
        return self._at["industries", industry]

    def _nearest(self, industry: str, language: str) -> FoundRow:
        head = self.head(self.entries[self.place_of(industry)], language)
        return {**head, "match": head["name"], "how": "nearest"}

    def describe(self, told: Told, language: str) -> ToldAnswer:
        """Return an answer as programs and pages read it, its terms by what they are for."""
        terms = self.answers.terms
        rows: dict[str, list[ToldTerm]] = {kind: [] for kind in ORDER}
        for at in told.terms:
            row, own = terms[at], self.answers.names(told, at)
            if own or not (told.kind == row["kind"] == "positioning"):
                rows[row["kind"]].append(self._term(row, language, own=own))
        places = (self._by_place[one] for one in told.places)
        entry = self.entries[told.entry] if told.entry is not None else None
        return {
            "kind": told.kind,
            "word": told.word,
            "printed": told.zh,
            "industry": self.head(self.entries[self._at["industries", told.industry]], language)
            if told.industry
            else None,
            "relation": told.relation,
            "entry": self.head(entry, language) if entry else None,
            "url": told.url,
            "places": [{"id": row["id"], "name": row["name"][language], "url": row["url"]} for row in places],
            "clauses": list(told.clauses),
            "zones": rows["named"],
            "areas": rows["area"],
            "positioning": rows["positioning"],
            "city": rows["city"],
            "tasks": rows["task"],
            "elsewhere": rows["printed"],
        }

    def _term(self, row: TermMeaning, language: str, *, own: bool) -> ToldTerm:
        """Return a term of an answer, with its verb and place where it has them."""
        text = row["term"]
        shown: ToldTerm = {"term": text[language], "zh": text["zh"], "clause": row["clause"], "own": own}
        if verb := row.get("verb"):
            shown["verb"] = verb
        if emphasis := row.get("emphasis"):
            shown["emphasis"] = emphasis
        if row["place"]:
            place = self._by_place[row["place"]]
            shown["id"], shown["name"], shown["url"] = place["id"], place["name"][language], place["url"]
        return shown

    def _understand(self, wanted: str) -> tuple[list[Hit], list[Piece]]:
        """Return what answers a folded query, best first, and the pieces that it was taken for."""
        if not wanted:
            return [], []
        plain = drop_tones(wanted)
        hits: dict[int, Hit] = {}
        ways: list[list[Piece]] = []
        for form in dict.fromkeys((wanted, plain, stem_all(wanted))):
            ways.append(self.vocabulary.split(form))
            for hit in self._hits(form, ways[-1]):
                entry = self.vocabulary.keys.entry_of(hit.key)
                if entry not in hits or hit.rank < hits[entry].rank:
                    hits[entry] = hit
        # As it is typed, unless a stem is known: a misspelt word is compared letter by letter.
        pieces = min(ways, key=lambda way: sum(piece.kind == UNKNOWN for piece in way))
        return sorted(hits.values(), key=lambda hit: hit.rank), pieces

    def _hits(self, wanted: str, pieces: list[Piece]) -> Iterator[Hit]:
        told = [piece.text for piece in pieces if piece.kind != EMPTY]
        core = " ".join(told)
        yield from self._whole(wanted, EXACT)
        yield from self._within(wanted)
        if core != wanted and any(letter.isalpha() for letter in core):
            yield from self._whole(core, CORE)
            yield from self._within(core)
        weighty = [text for text in told if len(text) >= WEAK]
        if len(weighty) > 1:
            yield from self._together(weighty)
        if len(core) <= LONGEST_BROKEN and core >= HAN:
            yield from self._broken(squeeze(core))
        if told and len(pieces) > 1:
            for piece in pieces:
                if piece.kind == KNOWN and len(piece.text) >= WEAK:
                    yield from self._whole(piece.text, HOLDS)

    def _whole(self, text: str, fit: int) -> Iterator[Hit]:
        for form in dict.fromkeys((text, stem_all(text))):
            for index in self.vocabulary.exact(form):
                key = self.vocabulary.keys[index]
                if fit == EXACT or key.grade != INITIALS:
                    length = -len(key.squeezed) if fit == HOLDS else 0
                    yield Hit(self._place(fit, key, first=length), index, (text,))

    def _within(self, wanted: str) -> Iterator[Hit]:
        """Yield the keys that begin with the query, have a word that does, or contain it."""
        squeezed = squeeze(wanted)
        known = self.vocabulary
        closed = _ONE_SYLLABLE.fullmatch(squeezed) is not None
        generic = all(piece.kind == EMPTY for piece in known.split(wanted))
        for index in known.haystack.holding(squeezed):
            key = known.keys[index]
            fit = _fit(key, wanted, squeezed)
            if fit is not None and closed and not _has_syllables(key, squeezed):
                continue
            if fit == PART and wanted[0] < HAN and not _has_syllables(key, squeezed):
                continue
            if fit is not None:
                far = len(squeezed) < CLOSE * len(key.squeezed) or self.ranks[key.entry] >= FAR
                place = self._place(PART if generic else fit, key, first=far)
                yield Hit(place, index, (wanted,))

    def _together(self, told: list[str]) -> Iterator[Hit]:
        """Yield, for every entry that has all the words in whatever order, the key that has most of them."""
        having: list[set[int]] = []
        entries: set[int] | None = None
        for word in told:
            having.append(self._having(word))
            own = set(map(self.vocabulary.keys.entry_of, having[-1]))
            entries = own if entries is None else entries & own
            if not entries:
                return
        for index in sorted(set.union(*having)):
            key = self.vocabulary.keys[index]
            if entries is not None and key.entry in entries:
                count = sum(index in other for other in having)
                yield Hit(self._place(WORDS, key, first=-count), index, tuple(told))

    def _broken(self, core: str) -> Iterator[Hit]:
        """Yield the keys that have the query in two parts with something between: 大水泊机场."""
        parts = [(core[:at], core[at:]) for at in range(WEAK, len(core) - WEAK + 1)]
        holding = self.vocabulary.haystack.holding
        for index in sorted({*holding(core[:WEAK])}.intersection(holding(core[-WEAK:]))):
            text = self.vocabulary.squeezed[index]
            for one, other in parts:
                if one in text and other in text[text.find(one) + len(one) :]:
                    place = self._place(WORDS, self.vocabulary.keys[index], first=0)
                    yield Hit(place, index, (one, other))
                    break

    def _having(self, word: str) -> set[int]:
        if is_latin(word):
            return self.vocabulary.starting(word)
        return set(self.vocabulary.haystack.holding(word))

    def _place(self, fit: int, key: Key, *, first: float) -> Rank:
        layer = self.ranks[key.entry]
        if key.grade and layer >= FAR and fit < START:  # the title of a clause is our own and proves nothing
            fit, first = START, 1
        return (fit, key.grade == INITIALS, first, layer, key.grade, len(key.squeezed), key.entry)

    def _result(self, hit: Hit, language: str) -> FoundRow:
        key = self.vocabulary.keys[hit.key]
        head = self._found_by(key.entry, key.spelling, language)
        marks = mark(head["name"], hit.needles) or mark_words(head["name"], hit.needles)
        reading = mark(key.spelling, hit.needles) or mark_reading(key, hit.needles)
        reading = reading or mark_words(key.spelling, hit.needles)
        if key.spelling == head["name"]:
            marks = reading
        return {**head, "match": key.spelling, "match_marks": reading, "marks": marks}

    def _found_by(self, at: int, spelling: str, language: str) -> FoundRow:
        """Return an entry, and of an industry which answer the spelling is that it was found by."""
        head = self.head(self.entries[at], language)
        if head["layer"] == "industries":
            head["how"] = self.answers.how(spelling, head["id"])
        return head

    def head(self, entry: SearchEntry, language: str) -> FoundRow:
        """Return what every result has of an entry."""
        name = entry["name"]
        head: FoundRow = {
            "id": entry["id"],
            "layer": entry["layer"],
            "name": name[language],
            "zh": name["zh"],
            "url": entry["url"],
        }
        if "kind" in entry:
            head["kind"] = entry["kind"]
        if "at" in entry:
            head["at"] = entry["at"]
        if "status" in entry:
            head["status"] = entry["status"]
        if "of" in entry:
            head["of"] = entry["of"]
        if "zones" in entry:
            zones = (self._by_place[one] for one in entry["zones"])
            head["zones"] = [
                {"id": zone["id"], "name": zone["name"][language], "layer": zone["layer"]} for zone in zones
            ]
        return head


def _rank(entry: SearchEntry) -> float:
    """Return the place of an entry's layer; what has no designated zone stands behind what has."""
    return LAYER_ORDER.index(entry["layer"]) + (0.5 if entry.get("status") == "city" else 0)


def _fit(key: Key, wanted: str, squeezed: str) -> int | None:
    if key.squeezed.startswith(squeezed):
        return START
    if key.grade == INITIALS:
        return None
    if f" {wanted}" in key.text or (is_latin(key.text) and _starts_word(key, squeezed)):
        return WORD
    return None if is_latin(squeezed) else PART  # rope is no part of property


def _is_meant(hit: Hit, key: Key) -> bool:
    """Return whether a query stands for a spelling, where it is less than it: gold for no golden coast.

    It is nearly the whole, whole words of a name or its last one, whole syllables of pinyin, or all its
    words are there.
    """
    fit, wanted = hit.rank[0], hit.needles[0]
    if fit not in {START, WORD}:
        return fit < START or (fit == WORDS and hit.rank[2] in {0, -len(hit.needles)}) or fit == HOLDS
    if key.grade == PINYIN and wanted < HAN:
        ends = accumulate(map(len, key.text.split()))
        return fit == START and len(squeeze(wanted)) in list(ends)[1:]
    size = len(squeeze(wanted))
    if fit == START and ((wanted >= HAN and size > 1) or size >= CLOSE * len(key.squeezed)):
        return True
    if not is_latin(wanted):
        return fit == START and key.grade <= ALIAS
    name = f" {key.text} "
    words = f" {wanted} " in name and (fit == START or " " in wanted or name.endswith(f" {wanted} "))
    return key.grade <= ALIAS and words


def _has_syllables(key: Key, squeezed: str) -> bool:
    """Return whether a query stands in a Korean spelling as whole syllables: 전복 is not in 안전보건."""
    letters, origin = trace_letters(key.spelling)
    at = letters.find(squeezed)
    while at >= 0:
        end = at + len(squeezed)
        starts = at == 0 or origin[at] != origin[at - 1]
        if starts and (end == len(letters) or origin[end] != origin[end - 1]):
            return True
        at = letters.find(squeezed, at + 1)
    return False


def _starts_word(key: Key, squeezed: str) -> bool:
    """Return whether a query typed without spaces begins at one of the key's words."""
    words = key.text.split()
    return any("".join(words[at:]).startswith(squeezed) for at in range(1, len(words)))


def _as_typed(query: str, piece: str) -> str:
    """Return the part of the query that a folded piece comes from."""
    folded, origin = trace_letters(query)
    at = folded.find(squeeze(piece))
    return query[origin[at] : origin[at + len(squeeze(piece)) - 1] + 1] if at >= 0 else piece


def _missing(hits: Iterable[Hit], pieces: list[Piece]) -> list[str]:
    """Return the pieces that the best hit does not answer."""
    best = next(iter(hits), None)
    if best is not None and best.rank[0] < HOLDS:
        return []
    return [piece.text for piece in pieces if piece.kind == UNKNOWN]
