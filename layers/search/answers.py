"""Say what the plan answers to a question: which of its answers, for which places, in which clauses.

The plan may name a thing for a zone, for an area that a zone is the centre of, in what a place is to become,
or for the whole city; it may only print the word, or not print it at all. :class:`SearchAnswers` cuts
a question into words that the plan or our synonyms know and tells these cases apart, never mixing them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

from geodata.kinds import PLACE_LAYERS
from layers.search.vocabulary import (
    IndustryMeaning,
    SearchIndex,
    TermMeaning,
    WordMeaning,
    fold,
    stem,
)

Kind = Literal["named", "area", "positioning", "city", "printed", "synonym", "place", "kind", "page"]
ORDER = ("named", "area", "positioning", "city", "task", "printed")  # of the plan's terms, most telling first
PLACES = {*PLACE_LAYERS}
POINTS = {"towns", "landmarks", "platforms", "gateways", "agencies", "clusters", "chains"}
_TOKENS = re.compile(r"[㐀-鿿]+|[가-힣]+|[^\W㐀-鿿가-힣_]+")
INSIDE = {"terms", "words"}  # tables of the plan's own words, which longer terms may have
CODE_COLUMNS = {  # of industries, by the scheme that a question names; "" for none
    "": ("gbt4754", "isic4"),
    "gb": ("gbt4754",),
    "isic": ("isic4",),
}
CODE = re.compile(r"(isic|gb|gbt|gbt4754|gb4754)?(?:rev4|2017)?([a-u])?(\d{2,4})")
_BRACKETS = re.compile(r"[(（].*?[)）]")
WINDOW = 7  # tokens of one spelling at most
LONGEST = 24  # characters of one spelling without spaces at most
SHORTEST = {
    "han": 2,
    "hangul": 2,
    "latin": 4,
    "begun": 3,
    "ended": 3,
}  # letters of a word that is looked for inside a term
STRONG, WEAK, STOP, UNKNOWN = range(4)


class Token(NamedTuple):
    """A run of one script in the text, with its form for comparison."""

    form: str
    script: str
    start: int
    end: int


class Sense(NamedTuple):
    """What a spelling stands for: a row of one of the index's tables."""

    table: str
    at: int


class QueryPart(NamedTuple):
    """A part of a question: its senses, how much it says, and where it stands in the text."""

    senses: tuple[Sense, ...]
    weight: int
    start: int
    end: int


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


def list_codes_of(row: IndustryMeaning, column: str) -> list[str]:
    """Return the codes of an industry in one of :data:`CODE_COLUMNS`."""
    return row["gbt4754"] if column == "gbt4754" else row["isic4"]


def tokenise(text: str, variants: dict[int, str]) -> list[Token]:
    """Return the runs of one script in `text`, with simplified characters, lower case and stems."""
    found = []
    for match in _TOKENS.finditer(text.translate(variants)):
        run = match[0]
        script = "han" if "㐀" <= run[0] <= "鿿" else "hangul" if "가" <= run[0] <= "힣" else "latin"
        form = "".join(stem(word) for word in fold(run).split()) if script == "latin" else run
        found.append(Token(form, script, match.start(), match.end()))
    return found


class SearchAnswers:
    """Answers questions from the plan's terms, words, names and our synonyms."""

    def __init__(self, index: SearchIndex, variants: dict[int, str], names: list[list[str]]) -> None:
        self._entries = index["entries"]
        self._variants = variants
        self.table = index["meanings"]
        self.words = {row["zh"]: row for row in self.table["words"]}
        self.rules = index["rules"]
        self._particles = sorted(self.rules["particles"], key=len, reverse=True)
        self.senses: dict[str, list[Sense]] = {}
        self.weights: dict[str, int] = {}
        self.latin: dict[str, set[int]] = {}
        self.heads: dict[str, set[int]] = {}  # what the other words of a term describe
        self.folded: list[dict[str, str]] = []
        self.nearest: dict[str, str] = {}  # industries that are nearest to what the plan has no industry for
        self._industries = {row["id"]: at for at, row in enumerate(self.table["industries"])}
        self._own: dict[str, list[int]] = {}
        for at, row in enumerate(self.table["terms"]):
            for industry in row["industries"]:
                self._own.setdefault(industry, []).append(at)
        self._known_terms: dict[str, list[int]] = {}  # by the plan's words, which are as many as they are
        self._known_hows: dict[tuple[str, str], Kind] = {}  # by the spellings of the index, likewise
        self.ends = sorted(self.rules["ends"], key=lambda word: (-len(word), word))
        self.turns: dict[
            str, dict[str, str]
        ] = {}  # what is done with things of an industry: the industry of that
        for turn in self.rules["turns"]:
            for word in turn["words"]:
                self.turns.setdefault(self._form(word), {}).update(dict.fromkeys(turn["of"], turn["to"]))
        self._fill(names)

    @property
    def terms(self) -> list[TermMeaning]:
        """The plan's terms with their clauses, as :class:`Told` counts them."""
        return self.table["terms"]

    def names(self, told: Told, at: int) -> bool:
        """Return whether the term at `at` has the plan's word that was asked for."""
        text = self.table["terms"][at]["term"]["zh"]
        return told.zh is not None and any(_has(text, words) for words in self._parts(told.zh))

    def _fill(self, names: list[list[str]]) -> None:
        for words, weight in ((self.rules["stop"], STOP), (self.rules["weak"], WEAK)):
            self.weights |= {self._form(word): weight for word in words}
        for at, kind in enumerate(self.table["kinds"]):
            self._add(kind["spellings"], Sense("kinds", at))
        for at, page in enumerate(self.table["pages"]):
            self._add(page["spellings"], Sense("pages", at))
        for at, term in enumerate(self.table["terms"]):
            self._fill_term(at, term["term"])
        for at, word in enumerate(self.table["words"]):
            spellings = (word["zh"], *word["en"], *word.get("ko", ()))
            self._add(spellings, Sense("words", at), WEAK if word["kind"] == "general" else STRONG)
        for at, synonym in enumerate(self.table["synonyms"]):
            spellings = (*synonym["zh"], *synonym["en"], *synonym.get("ko", ()))
            if synonym["relation"] == "nearest":
                self.nearest |= {self._form(word): synonym["industry"] for word in spellings}
            else:
                self._add(spellings, Sense("synonyms", at))
        for at, (entry, own) in enumerate(zip(self._entries, names, strict=True)):
            if entry["layer"] in PLACES | POINTS | {"industries"}:
                self._add(own, Sense("entries", at))
        self._hangul = sorted(form for form in self.senses if "가" <= form[0] <= "힣")

    def _fill_term(self, at: int, term: dict[str, str]) -> None:
        self._add(term.values(), Sense("terms", at))
        korean = (token.form for token in tokenise(term.get("ko", ""), self._variants))
        self.folded.append({"zh": self._form(term.get("zh", "")), "ko": " ".join(korean)})
        joints = {"and", *self.rules["prepositions"]}
        words = [token.form for token in tokenise(term["en"], self._variants)]
        for word, following in zip(words, [*words[1:], "and"], strict=False):  # there may be none
            self.latin.setdefault(word, set()).add(at)
            if following in joints:
                self.heads.setdefault(word, set()).add(at)

    def _add(self, spellings: Iterable[str], sense: Sense, weight: int = STRONG) -> None:
        for spelling in spellings:
            for text in dict.fromkeys((spelling, _BRACKETS.sub("", spelling))):
                form = self._form(text)
                if form:
                    senses = self.senses.setdefault(form, [])
                    if sense not in senses:
                        senses.append(sense)
                    if self.weights.get(form) not in {STOP, WEAK}:
                        self.weights[form] = min(weight, self.weights.get(form, weight))

    def _form(self, text: str) -> str:
        return "".join(token.form for token in tokenise(text, self._variants))

    def ask(self, query: str) -> Reply | None:
        """Return what answers `query`, or None where none of its words is known."""
        tokens = tokenise(query, self._variants)
        form = "".join(token.form for token in tokens)
        if not form:
            return None
        whole = self._whole(query, form, tokens)
        if whole:
            return Reply(whole, self._described(whole, query, tokens), (), ())
        pieces = self._pieces(query, tokens)
        core = [piece for piece in pieces if piece.weight != STOP]
        if len(core) < len(pieces) and core:
            text = query[core[0].start : core[-1].end]
            tokens = tokenise(text, self._variants)
            whole = self._whole(text, self._form(text), tokens)
            if whole:
                return Reply(whole, self._described(whole, text, tokens), (), ())
        return self._weigh(query, pieces)

    def lacks_industry(self, query: str) -> bool:
        """Return whether a question is, whole, something that the plan has no industry for."""
        return self._form(query) in self.nearest

    def nearest_to(self, query: str) -> str | None:
        """Return the industry that is nearest to a thing in a question that the plan has none for."""
        tokens = tokenise(query, self._variants)
        for size in range(min(WINDOW, len(tokens)), 0, -1):
            for at in range(len(tokens) - size + 1):
                industry = self.nearest.get("".join(token.form for token in tokens[at : at + size]))
                if industry:
                    return industry
        runs = [token.form for token in tokens if token.script != "latin"]
        longest = sorted(self.nearest, key=lambda form: (-len(form), form))
        return next((self.nearest[form] for form in longest if any(form in run for run in runs)), None)

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
        senses = self.senses.get(self._form(spelling), ())
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
        code = self._code(form, text)
        if code:
            return code
        senses = self.senses.get(form) or self._without_particle(form)
        if not senses or (len(tokens) > 1 and all(sense.table in INSIDE for sense in senses)):
            senses = [*senses, *(Sense("terms", at) for at in sorted(self._inside(tokens)))]
        return self.best(senses, text)

    def _without_particle(self, form: str) -> list[Sense]:
        for particle in self._particles:
            if form.endswith(particle) and len(form) > len(particle):
                senses = self.senses.get(form[: -len(particle)])
                if senses:
                    return senses
        return []

    def _inside(self, tokens: list[Token]) -> set[int]:
        """Return the terms that have all the words of a text, none of which may be unknown or weak alone."""
        scripts = {token.script for token in tokens}
        words = [token.form for token in tokens]
        if scripts == {"latin"}:
            return self._inside_latin([word for word in words if self.weights.get(word) != STOP])
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

    def _is_weak(self, form: str) -> bool:
        return self.weights.get(form) in {WEAK, STOP}

    def _code(self, form: str, text: str) -> Told | None:
        """Return the industry that has a code of GB/T 4754 or ISIC, or that a class of it belongs to."""
        match = CODE.fullmatch(form)
        if not match:
            return None
        scheme, _, code = match.groups()
        columns = CODE_COLUMNS["isic" if scheme == "isic" else "gb" if scheme else ""]
        wider = (code[:size] for size in range(len(code), 1, -1))
        for own in wider:
            for column in columns:
                for row in self.table["industries"]:
                    if own in list_codes_of(row, column):
                        return self.of_industry(row["id"], text)
        for column in columns:
            for row in self.table["industries"]:
                if any(own.startswith(code) for own in list_codes_of(row, column)):
                    return self.of_industry(row["id"], text)
        return None

    def _cut(self, tokens: list[Token]) -> Iterator[QueryPart]:
        """Yield a text as pieces, longest spellings over several tokens first."""
        at = 0
        while at < len(tokens):
            size, senses, weight = self._window(tokens[at:])
            if size:
                yield QueryPart(tuple(senses), weight, tokens[at].start, tokens[at + size - 1].end)
            elif tokens[at].script == "latin":
                yield self._unknown(tokens[at])
            else:
                yield from self._segment(tokens[at])
            at += max(size, 1)

    def _pieces(self, query: str, tokens: list[Token]) -> list[QueryPart]:
        """Return the pieces of a text; what is unknown is known by how it ends, if it is long enough."""
        pieces = _join_unknown(list(self._cut(tokens)))
        for at, piece in enumerate(pieces):
            if piece.weight == UNKNOWN:
                last = pieces[at - 1] if at else piece
                led = last.end == piece.start and last.weight != STOP
                start = last.start if led else piece.start
                sense = self._end_of(query[start : piece.end])
                if sense:
                    pieces[at] = QueryPart((sense,), STRONG, start, piece.end)
        return pieces

    def _end_of(self, text: str) -> Sense | None:
        form = self._form(text)
        ends = (at for at, one in enumerate(self.ends) if form.endswith(one))
        at = next(ends, None) if len(form) >= SHORTEST["ended"] else None
        return None if at is None else Sense("ends", at)

    def _window(self, tokens: list[Token]) -> tuple[int, list[Sense], int]:
        for size in range(min(WINDOW, len(tokens)), 0, -1):
            form = "".join(token.form for token in tokens[:size])
            if form in self.weights:
                return size, self.senses.get(form, []), self.weights[form]
            if tokens[size - 1].script == "hangul":
                senses = self._without_particle(form)
                if senses:
                    return size, senses, self._weight_of(form)
        return 0, [], UNKNOWN

    def _weight_of(self, form: str) -> int:
        for particle in self._particles:
            if form.endswith(particle) and form[: -len(particle)] in self.weights:
                return self.weights[form[: -len(particle)]]
        return UNKNOWN

    def _unknown(self, token: Token) -> QueryPart:
        """Return a word of an alphabet that is no spelling: a word of some term, or unknown."""
        inside = self.heads.get(token.form, set()) if len(token.form) >= SHORTEST["latin"] else set()
        senses = tuple(Sense("terms", at) for at in sorted(inside))
        return QueryPart(senses, WEAK if token.form in self.latin else UNKNOWN, token.start, token.end)

    def _segment(self, token: Token) -> Iterator[QueryPart]:
        """Yield the pieces of a run without spaces: fewest letters unknown, then fewest pieces."""
        text, hangul = token.form, token.script == "hangul"
        best: list[tuple[int, int, int]] = [(0, 0, 0)]  # letters unknown, pieces, where the last one starts
        for end in range(1, len(text) + 1):
            starts = range(max(0, end - LONGEST), end)
            known = (one for one in starts if self._may_stand(text, one, end, hangul=hangul))
            options = [(best[start][0], best[start][1] + 1, start) for start in known]
            best.append(min([(best[end - 1][0] + 1, best[end - 1][1] + 1, end - 1), *options]))
        cuts = [len(text)]
        while cuts[-1]:
            cuts.append(best[cuts[-1]][2])
        cuts.reverse()
        if hangul and best[-1][0] == len(text):
            yield self._begun(token)
            return
        lost = False
        for start, end in pairwise(cuts):
            form = text[start:end]
            # Two Korean syllables behind others that are unknown end another word: 리스 of 매트리스.
            ends = hangul and lost and len(form) < SHORTEST["begun"] and form not in self._particles
            stands = self._may_stand(text, start, end, hangul=hangul) and not ends
            lost = lost or not stands
            senses = tuple(self.senses.get(form, ())) if stands else ()
            weight = self.weights.get(form, STOP) if stands else UNKNOWN
            yield QueryPart(senses, weight, token.start + start, token.start + end)

    def _begun(self, token: Token) -> QueryPart:
        """Return a Korean word as the beginning of a longer one that is known: 자유무역 of 자유무역지대."""
        at = bisect_left(self._hangul, token.form)
        longer = self._hangul[at] if at < len(self._hangul) else ""
        if len(token.form) >= SHORTEST["begun"] and longer.startswith(token.form):
            senses = tuple(self.senses.get(longer, ()))
            told = self.best(senses, "")
            if told is not None and told.kind != "synonym":  # concrete is no concrete mixer
                return QueryPart(senses, self.weights[longer], token.start, token.end)
        return QueryPart((), UNKNOWN, token.start, token.end)

    def _may_stand(self, text: str, start: int, end: int, *, hangul: bool) -> bool:
        form = text[start:end]
        if hangul and end == len(text) and start and form in self._particles:
            return True
        if form not in self.weights:
            return False
        return len(form) > 1 or (self.weights[form] == STOP and not hangul)

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
        found: list[tuple[QueryPart, Told]] = []
        for piece in used:
            told = self.best(piece.senses, query[piece.start : piece.end])
            if told:
                found.append((piece, told))
        if not found:
            return None
        main = self._head(query, found)
        turn = self._turn(query, every, main)
        if turn:
            main = turn[1]
            found.append(turn)
        others = tuple(told for _, told in found if told != main)
        taken = {(piece.start, piece.end) for piece, _ in found}
        unused = [one for one in pieces if one.weight != STOP and (one.start, one.end) not in taken]
        words = tuple(query[one.start : one.end] for one in unused)
        return Reply(main, others, words, tuple(query[one.start : one.end] for one in unknown))

    def _turn(self, query: str, pieces: list[QueryPart], main: Told) -> tuple[QueryPart, Told] | None:
        """Return the word for what is done with a thing, and the answer of that: of a farm for oysters.

        Behind a thing that is no word of the plan it may be a word of a longer one: of nuclear plants.
        """
        core = [piece for piece in pieces if piece.weight != STOP]
        behind = False
        for piece in core:
            tokens = tokenise(query[piece.start : piece.end], self._variants)
            form = "".join(token.form for token in tokens)
            bare = (form.removesuffix(particle) for particle in self._particles if form != particle)
            words = [token.form for token in tokens] if behind and main.kind == "synonym" else []
            behind = behind or form == self._form(main.word)
            for one in (form, *bare, *words):
                industry = self.turns.get(one, {}).get(main.industry or "")
                if industry and form != self._form(main.word):
                    return piece, replace(self.turned(industry), word=query[core[0].start : core[-1].end])
        return None

    def turned(self, industry: str) -> Told:
        """Return what answers for a thing and what is done with it: no word of the plan's."""
        return replace(self.of_industry(industry, ""), kind="synonym", zh=None, relation="is_a", places=())

    def is_name(self, zh: str | None) -> bool:
        """Return whether a word of the plan is a name."""
        word = self.words.get(zh or "")
        return word is not None and word["kind"] == "name"

    def _head(self, query: str, found: list[tuple[QueryPart, Told]]) -> Told:
        subjects = [pair for pair in found if pair[1].kind not in {"place", "page"}] or found
        subjects = (
            [pair for pair in subjects if pair[1].industry or pair[1].kind != "printed"]
            or [pair for pair in subjects if self.is_name(pair[1].zh)]
            or subjects
        )
        for (piece, told), (following, _) in pairwise(subjects):
            between = tokenise(query[piece.end : following.start], self._variants)
            if any(token.form in self.rules["prepositions"] for token in between):
                return told
        if subjects[-1][1].kind == "place":
            return subjects[0][1]
        said = [told for _, told in subjects if told.kind != "printed"]
        return said[-1] if said else subjects[-1][1]

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
        if kind == "positioning" and not industry:  # 人才 is not what a place is for
            kind = None
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
        return told if self._form(text) == self._form(zh) and zh in self.words else replace(told, zh=None)

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


def _join_unknown(pieces: list[QueryPart]) -> list[QueryPart]:
    """Return pieces with what is unknown joined to weak words that touch it: 量子 and 计算 are one word."""
    joined: list[QueryPart] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        touching = last is not None and last.end == piece.start
        loose = {UNKNOWN, WEAK}
        if (
            last is not None
            and touching
            and {piece.weight, last.weight} <= loose
            and UNKNOWN in {piece.weight, last.weight}
        ):
            joined[-1] = QueryPart((), UNKNOWN, last.start, piece.end)
        else:
            joined.append(piece)
    return joined
