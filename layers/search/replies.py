"""Say what the plan answers to a question: which of its answers, for which places, in which clauses.

The plan may name a thing for a zone, for an area that a zone is the centre of, in what a place is to become,
or for the whole city; it may only print the word, or not print it at all. :class:`SearchAnswers` cuts
a question into words that the plan or our synonyms know and tells these cases apart, never mixing them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from layers.search.cutting import (
    PLACES,
    POINTS,
    SHORTEST,
    STOP,
    STRONG,
    UNKNOWN,
    WEAK,
    WINDOW,
    QueryPart,
    QuestionCutter,
    Sense,
    Token,
    tokenise,
)
from layers.search.vocabulary import SearchIndex, TermMeaning, WordMeaning

Kind = Literal["named", "area", "positioning", "city", "printed", "synonym", "place", "kind", "page"]
ORDER = ("named", "area", "positioning", "city", "task", "printed")  # of the plan's terms, most telling first
INSIDE = {"terms", "words"}  # tables of the plan's own words, which longer terms may have


@dataclass(frozen=True)
class Told:
    """What the plan says of one word, `word` as it was typed: ids, clauses, indexes of the plan's terms."""

    kind: Kind
    word: str
    zh: str | None = None  # the plan's own word
    industry: str | None = None
    relation: str | None = None  # of a synonym to its industry
    places: tuple[str, ...] = ()
    terms: tuple[int, ...] = ()
    clauses: tuple[str, ...] = ()
    entry: int | None = None  # of the index, where the word is a name
    url: str | None = None


@dataclass(frozen=True)
class Reply:
    """The answer to a question, what else in it has one, and the words that were not used."""

    told: Told
    others: tuple[Told, ...]
    unused: tuple[str, ...]
    unknown: tuple[str, ...]


class SearchAnswers(QuestionCutter):
    """Answers questions from the plan's terms, words, names and our synonyms."""

    def __init__(self, index: SearchIndex, variants: dict[int, str], names: list[list[str]]) -> None:
        super().__init__(index, variants, names)
        self.words = {row["zh"]: row for row in self.table["words"]}
        self._industries = {row["id"]: at for at, row in enumerate(self.table["industries"])}
        self._own: dict[str, list[int]] = {}
        for at, row in enumerate(self.table["terms"]):
            for industry in row["industries"]:
                self._own.setdefault(industry, []).append(at)
        self._known_terms: dict[str, list[int]] = {}  # by the plan's words, which are as many as they are
        self._known_hows: dict[tuple[str, str], Kind] = {}  # by the spellings of the index, likewise

    @property
    def terms(self) -> list[TermMeaning]:
        """The plan's terms with their clauses, as :class:`Told` counts them."""
        return self.table["terms"]

    def names(self, told: Told, at: int) -> bool:
        """Return whether the term at `at` has the plan's word that was asked for."""
        text = self.table["terms"][at]["term"]["zh"]
        return told.zh is not None and any(_has(text, words) for words in self._parts(told.zh))

    def ask(self, query: str) -> Reply | None:
        """Return what answers `query`, or None where none of its words is known."""
        tokens = tokenise(query, self._variants)
        form = "".join(token.form for token in tokens)
        if not form:
            return None
        whole = self._whole(query, form, tokens) or self._turned_round(query, tokens)
        if whole:
            return Reply(whole, self._described(whole, query, tokens), (), ())
        pieces = self._pieces(query, tokens)
        core = [piece for piece in pieces if piece.weight != STOP]
        if len(core) < len(pieces) and core:
            text = query[core[0].start : core[-1].end]
            tokens = tokenise(text, self._variants)
            whole = self._whole(text, self.to_form(text), tokens)
            if whole:
                return Reply(whole, self._described(whole, text, tokens), (), ())
        return self._weigh(query, pieces)

    def lacks_industry(self, query: str) -> bool:
        """Return whether the plan has no industry for what a question asks: as a whole, or its last word."""
        core = [one for one in self._pieces(query, tokenise(query, self._variants)) if one.weight != STOP]
        last = query[core[-1].start : core[-1].end] if core else ""
        whole = self.to_form(query)
        return whole in self.nearest or (whole not in self.senses and self.to_form(last) in self.nearest)

    def nearest_to(self, query: str) -> str | None:
        """Return the industry that is nearest to a thing in a question that the plan has none for."""
        tokens = tokenise(query, self._variants)
        for size in range(min(WINDOW, len(tokens)), 0, -1):
            for at in range(len(tokens) - size + 1):
                industry = self.nearest.get("".join(token.form for token in tokens[at : at + size]))
                if industry:
                    return industry
        runs = [token.form for token in tokens if token.script != "latin"]
        found = (form for form in self.nearest if any(form in run for run in runs))
        longest = min(found, key=lambda form: (-len(form), form), default="")
        return self.nearest.get(longest)

    def unknown(self, query: str) -> list[str]:
        """Return the words of a text that have no meaning here, as they are typed."""
        pieces = self._pieces(query, tokenise(query, self._variants))
        return [query[one.start : one.end] for one in pieces if one.weight not in {STRONG, STOP}]

    def _described(self, whole: Told, text: str, tokens: list[Token]) -> tuple[Told, ...]:
        """Return what the plan says of a word inside a synonym: of the cold chain, for its warehouse."""
        if whole.kind != "synonym":
            return ()
        pieces = (self._window(tokens[at:-1])[1] for at in range(len(tokens) - 1))
        told = [self.best(senses, text) for senses in pieces if senses]
        return tuple(
            replace(one, word=one.zh or one.word)
            for one in told
            if one is not None and one.kind in ORDER and one.industry == whole.industry
        )

    def is_synonym(self, spelling: str) -> bool:
        """Return whether a spelling is ours alone, no word of the plan."""
        senses = self.senses.get(self.to_form(spelling), ())
        return bool(senses) and all(sense.table == "synonyms" for sense in senses)

    def how(self, spelling: str, industry: str) -> Kind:
        """Return which answer a spelling is that an industry was found by."""
        reply = self.ask(spelling)
        told = (
            reply.told if reply and reply.told.industry == industry else self.of_industry(industry, spelling)
        )
        return told.kind

    def of_entry(self, at: int, word: str) -> Told | None:
        """Return what the plan says of a thing that was found by name."""
        entry = self._entries[at]
        if entry["layer"] == "industries":
            return self.of_industry(entry["id"], word)
        if not entry.get("placed", True):
            return Told("printed", word, entry["name"]["zh"], clauses=tuple(entry["clauses"]), entry=at)
        if entry["layer"] in PLACES | POINTS:
            return Told("place", word, places=(entry["id"],) if entry["layer"] in PLACES else (), entry=at)
        return None

    def _whole(self, text: str, form: str, tokens: list[Token]) -> Told | None:
        """Return the answer to a text that is one spelling, a code, or words of one term."""
        code = self._code(form)
        if code:
            return self.of_industry(code, text)
        senses = self.senses.get(form) or self._without_particle(form)
        if not senses or (len(tokens) > 1 and all(sense.table in INSIDE for sense in senses)):
            senses = [*senses, *(Sense("terms", at) for at in sorted(self._inside(tokens)))]
        return self.best(senses, text)

    def _turned_round(self, text: str, tokens: list[Token]) -> Told | None:
        """Return the answer to a spelling whose words stand round a preposition: repair of ships."""
        at = next((at for at, one in enumerate(tokens) if one.form in self.rules["prepositions"]), None)
        if at is None:
            return None
        words = (one.form for one in (*tokens[at + 1 :], *tokens[:at]) if self.weights.get(one.form) != STOP)
        return self.best(self.senses.get("".join(words), ()), text)

    def _inside(self, tokens: list[Token]) -> set[int]:
        """Return the terms that have all the words of a text, none of which may be unknown or weak alone."""
        scripts = {token.script for token in tokens}
        words = [token.form for token in tokens]
        if scripts == {"latin"}:
            core = [word for word in words if self.weights.get(word) != STOP]
            return self._inside_latin(core if len(core) > 1 or core == words else [])
        form = "".join(words)
        if "latin" in scripts or len(form) < SHORTEST["han"] or self._is_weak(form):
            return set()
        if "han" in scripts and any(piece.weight == UNKNOWN for piece in self._cut(tokens)):
            return set()
        if tokens[0].script == "han":
            return {at for at, row in enumerate(self.folded) if _has(row["zh"], words)}
        begun = re.compile(
            ".*".join(rf"(?:^| ){' ?'.join(word)}" for word in words)
        )  # 마트 is no part of 스마트
        return {at for at, row in enumerate(self.folded) if begun.search(row["ko"])}

    def _inside_latin(self, words: list[str]) -> set[int]:
        if len(words) > 1:
            return set.intersection(*(self.latin.get(word, set()) for word in words))
        if not words or len(words[0]) < SHORTEST["latin"] or self._is_weak(words[0]):
            return set()
        return self.heads.get(words[0], set())

    def _weigh(self, query: str, pieces: list[QueryPart]) -> Reply | None:
        """Return the answer of the word that matters most, the others beside it.

        The last of several words is what the others describe (cold-chain *warehouse*), unless they are joined
        by a preposition; a place only tells where.
        """
        every = pieces
        strong = [piece for piece in pieces if piece.weight == STRONG]
        if strong:  # one Chinese character that is left over is part of the grammar
            pieces = [one for one in pieces if one.weight != UNKNOWN or one.end - one.start > 1]
        unknown = [piece for piece in pieces if piece.weight == UNKNOWN]
        weak = [piece for piece in pieces if piece.weight == WEAK and piece.senses]
        used = (
            strong or ([] if unknown else weak) or ([] if unknown else [one for one in pieces if one.senses])
        )
        found = list(self._tell_all(query, used))
        if not found:
            return None
        if not unknown and all(told.kind in {"kind", "place"} for _, told in found):  # zones for electronics
            beside = self._tell_all(query, weak)
            found = [
                *((piece, told) for piece, told in beside if told.industry or told.kind == "place"),
                *found,
            ]
        main = self._head(query, found)
        main = self._placed(main, [told for _, told in found])
        turn = self._turn(query, every, main)
        if turn:
            main = turn[1]
            found.append(turn)
        others = tuple(told for _, told in found if told != main)
        taken = {(piece.start, piece.end) for piece, _ in found}
        unused = [one for one in pieces if one.weight != STOP and (one.start, one.end) not in taken]
        words = tuple(query[one.start : one.end] for one in unused)
        return Reply(main, others, words, tuple(query[one.start : one.end] for one in unknown))

    def _tell_all(self, query: str, pieces: list[QueryPart]) -> Iterator[tuple[QueryPart, Told]]:
        for piece in pieces:
            told = self.best(piece.senses, query[piece.start : piece.end])
            if told:
                yield piece, told

    def _turn(self, query: str, pieces: list[QueryPart], main: Told) -> tuple[QueryPart, Told] | None:
        """Return the word for what is done with a thing, and the answer of that: of a farm for oysters.

        It may be a word of a longer one: of nuclear plants.
        """
        core = [piece for piece in pieces if piece.weight != STOP]
        industry = main.industry or ""
        turn = None
        for piece in core:
            tokens = tokenise(query[piece.start : piece.end], self._variants)
            form = "".join(token.form for token in tokens)
            bare = (form.removesuffix(particle) for particle in self._particles if form != particle)
            words = [token.form for token in tokens]
            found = (self.turns.get(one, {}).get(industry) for one in (form, *bare, *words))
            to = next(filter(None, found), None)
            if to and form != self.to_form(main.word):
                turn, industry = piece, to
        if turn is None:
            return None
        return turn, replace(self.turned(industry), word=query[core[0].start : core[-1].end])

    def _placed(self, main: Told, found: list[Told]) -> Told:
        """Return the answer for the place that a question names, where the plan has a kind of it there."""
        places = [place for told in found if told.kind == "place" for place in told.places]
        kinds = self.kinds_of(main) if main.zh and places else {}
        here = next((kinds[place] for place in places if place in kinds), None)
        return replace(here, word=main.word) if here else main

    def kinds_of(self, told: Told) -> dict[str, Told]:
        """Return what a word's kinds are that other industries' terms end with: 航运物流, by their places."""
        terms = self.table["terms"]
        own = {terms[at]["place"] for at in told.terms}
        ends = (terms[at] for at in self._containing(told.zh or "") if terms[at]["kind"] in {"named", "area"})
        rows = [row for row in ends if row["term"]["zh"].endswith(told.zh or "") and row["place"] not in own]
        return {row["place"]: self._of_term(row, "") for row in reversed(rows) if row["place"]}

    def turned(self, industry: str) -> Told:
        """Return what answers for a thing and what is done with it: no word of the plan's."""
        return replace(self.of_industry(industry, ""), kind="synonym", zh=None, relation="is_a", places=())

    def is_name(self, zh: str | None) -> bool:
        """Return whether a word of the plan is a name."""
        word = self.words.get(zh or "")
        return word is not None and word["kind"] == "name"

    def _head(self, query: str, found: list[tuple[QueryPart, Told]]) -> Told:
        subjects = [pair for pair in found if pair[1].kind not in {"place", "page", "kind"}]
        subjects = (
            subjects or [pair for pair in found if pair[1].kind == "place"] or found
        )  # of several of a kind
        subjects = (
            [pair for pair in subjects if pair[1].industry or pair[1].kind != "printed"]
            or [pair for pair in subjects if self.is_name(pair[1].zh)]
            or [pair for pair in found if pair[1].kind == "place"]
            or subjects
        )
        for (piece, told), (following, _) in pairwise(subjects):
            between = tokenise(query[piece.end : following.start], self._variants)
            if any(token.form in self.rules["prepositions"] for token in between):
                return told
        if subjects[-1][1].kind == "place":
            return subjects[0][1]
        return subjects[-1][1]

    def best(self, senses: Iterable[Sense], text: str) -> Told | None:
        """Return the most telling of a spelling's senses."""
        told = [one for one in (self.tell(sense, text) for sense in senses) if one is not None]
        return min(told, key=self.telling, default=None)

    def telling(self, told: Told) -> tuple[int, int]:
        """Return how soon one meaning of a word comes: places and pages, what the plan says, ours."""
        if told.kind == "place" and told.places:
            return 0, 0
        if told.kind in {"kind", "page"}:
            return 1, 0
        if told.kind == "printed" and told.entry is not None:
            return 3, 1
        if told.kind in ORDER:
            return 2 if told.kind != "printed" or told.industry else 4, ORDER.index(told.kind)
        return (3 if told.kind == "place" else 5), 0

    def tell(self, sense: Sense, text: str) -> Told | None:
        """Return what a spelling says in one of its senses."""
        if sense.table == "entries":
            return self.of_entry(sense.at, text)
        if sense.table == "kinds":
            places = tuple(self.table["kinds"][sense.at]["places"])
            return Told("kind" if len(places) > 1 else "place", text, places=places)
        if sense.table == "pages":
            return Told("page", text, url=self.table["pages"][sense.at]["url"])
        if sense.table in {"synonyms", "ends"}:
            return self._of_ours(sense, text)
        if sense.table == "words":
            return self._of_word(self.table["words"][sense.at], text)
        return self._of_term(self.table["terms"][sense.at], text)

    def _of_ours(self, sense: Sense, text: str) -> Told:
        """Return the answer of the plan's word that is nearest, else of the industry."""
        if sense.table == "ends":
            return replace(self.turned(self.rules["ends"][self.ends[sense.at]]), word=text)
        row = self.table["synonyms"][sense.at]
        if word := row.get("word"):
            told = self._of_word(self.words[word], text)
        else:
            told = replace(self.of_industry(row["industry"], text), zh=None, places=())
        return replace(told, kind="synonym", industry=row["industry"], relation=row["relation"])

    def _of_word(self, row: WordMeaning, text: str) -> Told:
        """Return the answer for a word of the plan: the most telling of the terms that contain it."""
        terms = self._containing(row["zh"])
        industry = row["industry"]
        own = [at for at in terms if self._belongs(self.table["terms"][at], industry)] or terms
        kind = self._kind_of(own)
        if not industry and (kind == "positioning" or row["kind"] == "general"):
            kind = None  # 人才 is not what a place is for, and 设备 are not those of one industry
        if kind in {None, "task"} and row["kind"] != "general" and not industry:
            named = self._named_with(row["zh"])
            if named and row["kind"] == "name":
                return Told("place", text, row["zh"], places=named[:1])
            if named:
                return Told("kind", text, row["zh"], places=named, clauses=tuple(row["clauses"]))
        return self._say(kind or "printed", text, row["zh"], industry, own, row["clauses"])

    def _of_term(self, row: TermMeaning, text: str) -> Told:
        word = self.words.get(row["term"]["zh"])
        if word and word["industry"]:
            return self._of_word(word, text)
        industry = row["industries"][0] if row["industries"] else None
        terms = self._containing(row["term"]["zh"])
        own = [at for at in terms if self._belongs(self.table["terms"][at], industry)]
        clauses = word["clauses"] if word else [self.table["terms"][at]["clause"] for at in own]
        return self._say(self._kind_of(own) or "printed", text, row["term"]["zh"], industry, own, clauses)

    def _say(
        self, kind: str, text: str, zh: str, industry: str | None, own: list[int], clauses: Iterable[str]
    ) -> Told:
        """Return the answer with the terms that it rests on, and the other terms of its industry."""
        terms = self.table["terms"]
        if industry is None and kind in {"named", "area", "city"}:
            first = next(at for at in own if terms[at]["kind"] == kind)
            industry = next(iter(terms[first]["industries"]), None)
        if kind == "positioning":
            said = (terms[at]["place"] for at in own if terms[at]["kind"] == kind)
            places = tuple(dict.fromkeys(place for place in said if place))
        else:
            places = ()
        rows = [*own, *self._of_its_own(industry)] if industry else own
        return Told(
            "printed" if kind == "task" else kind,  # type: ignore[arg-type]
            text,
            zh,
            industry,
            places=places,
            terms=tuple(dict.fromkeys(rows)),
            clauses=tuple(dict.fromkeys(clauses)),
        )

    def of_industry(self, industry: str, text: str) -> Told:
        """Return what the plan says of an industry, asked for by whatever word."""
        rows = self._of_its_own(industry)
        kind = self._kind_of(rows) or "printed"
        zh = self.table["industries"][self._industries[industry]]["name"]
        told = self._say(kind, text, zh, industry, rows, ())
        return told if self.to_form(text) == self.to_form(zh) and zh in self.words else replace(told, zh=None)

    def _of_its_own(self, industry: str | None) -> list[int]:
        return self._own.get(industry or "", [])

    def _containing(self, zh: str) -> list[int]:
        """Return the terms that have a word, as it is or with others between its parts."""
        if zh not in self._known_terms:
            parts = self._parts(zh)
            self._known_terms[zh] = [
                at
                for at, row in enumerate(self.table["terms"])
                if any(_has(row["term"]["zh"], words) for words in parts)
            ]
        return self._known_terms[zh]

    def _parts(self, zh: str) -> list[list[str]]:
        """Return a word of the plan whole, and in the two words that it is made of: 现代 and 农业."""
        cuts = ((zh[:at], zh[at:]) for at in range(SHORTEST["han"], len(zh) - SHORTEST["han"] + 1))
        return [[zh], *([one, other] for one, other in cuts if one in self.words and other in self.words)]

    @staticmethod
    def _belongs(term: TermMeaning, industry: str | None) -> bool:
        return industry is None or not term["industries"] or industry in term["industries"]

    def _kind_of(self, terms: list[int]) -> str | None:
        kinds = [self.table["terms"][at]["kind"] for at in terms]
        return min(kinds, key=ORDER.index, default=None)

    def _named_with(self, zh: str) -> tuple[str, ...]:
        """Return the places that have the word in their name."""
        rows = (entry for entry in self._entries if entry["layer"] in PLACES)
        found = [row for row in rows if zh in row["name"]["zh"]]
        found = [row for row in found if row["layer"] != "parks"] or found
        found.sort(key=lambda row: not row["name"]["zh"].startswith(zh))
        return tuple(row["id"] for row in found)


def _has(text: str, words: list[str]) -> bool:
    """Return whether `text` has the words in their order, with or without others between them."""
    at = 0
    for word in words:
        at = text.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True
