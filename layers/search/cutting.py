"""Cut a question into words that the plan, our synonyms or names know.

Chinese and Korean have no spaces, or few, to go by: a run of letters is cut so that the fewest of them are
left over. What is left over may still be known by how it ends, and a code of an industry is one of its words.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from geodata.kinds import PLACE_LAYERS
from layers.search.vocabulary import IndustryMeaning, SearchIndex, fold, stem

PLACES = {*PLACE_LAYERS}
POINTS = {"towns", "landmarks", "platforms", "gateways", "agencies", "clusters", "chains"}
_TOKENS = re.compile(r"[㐀-鿿]+|[가-힣]+|[^\W㐀-鿿가-힣_]+")
CODE_COLUMNS = {  # of industries, by the scheme that a question names; "" for none
    "": ("gbt4754", "isic4"),
    "gb": ("gbt4754",),
    "isic": ("isic4",),
}
CODE = re.compile(r"(isic|gb|gbt|gbt4754|gb4754)?(?:rev4|2017)?([a-u])?(\d{2,4})")
FIGURES = range(2, 5)  # of a code
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


def _list_codes(
    rows: list[IndustryMeaning], columns: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the industries of whole codes, and of what codes begin with; the first that has one counts."""
    whole: dict[str, str] = {}
    begun: dict[str, str] = {}
    for column in columns:
        for row in rows:
            for code in row["gbt4754"] if column == "gbt4754" else row["isic4"]:
                whole.setdefault(code, row["id"])
                for size in FIGURES:
                    begun.setdefault(code[:size], row["id"])
    return whole, begun


def tokenise(text: str, variants: dict[int, str]) -> list[Token]:
    """Return the runs of one script in `text`, with simplified characters, lower case and stems."""
    found = []
    for match in _TOKENS.finditer(text.translate(variants)):
        run = match[0]
        script = "han" if "㐀" <= run[0] <= "鿿" else "hangul" if "가" <= run[0] <= "힣" else "latin"
        form = "".join(stem(word) for word in fold(run).split()) if script == "latin" else run
        found.append(Token(form, script, match.start(), match.end()))
    return found


class QuestionCutter:
    """Cuts questions by all spellings of the index, each with its senses and how much it weighs."""

    def __init__(self, index: SearchIndex, variants: dict[int, str], names: list[list[str]]) -> None:
        self._entries = index["entries"]
        self._variants = variants
        self.table = index["meanings"]
        self.rules = index["rules"]
        self._particles = sorted(self.rules["particles"], key=len, reverse=True)
        self.senses: dict[str, list[Sense]] = {}
        self.weights: dict[str, int] = {}
        self.latin: dict[str, set[int]] = {}
        self.heads: dict[str, set[int]] = {}  # what the other words of a term describe
        self.folded: list[dict[str, str]] = []
        self.nearest: dict[str, str] = {}  # industries that are nearest to what the plan has no industry for
        industries = (at for at, entry in enumerate(self._entries) if entry["layer"] == "industries")
        self._entry_of = {self._entries[at]["id"]: at for at in industries}
        industry_rows = self.table["industries"]
        self.codes = {scheme: _list_codes(industry_rows, columns) for scheme, columns in CODE_COLUMNS.items()}
        self.ends = sorted(self.rules["ends"], key=lambda word: (-len(word), word))
        # What is done with things of an industry: the industry of that.
        self.turns: dict[str, dict[str, str]] = {}
        for turn in self.rules["turns"]:
            for word in turn["words"]:
                self.turns.setdefault(self.to_form(word), {}).update(dict.fromkeys(turn["of"], turn["to"]))
        self._fill(names)
        for form in self.turns:  # words that describe: 船用 of a pump
            self.weights.setdefault(form, WEAK)

    def _fill(self, names: list[list[str]]) -> None:
        for words, weight in ((self.rules["stop"], STOP), (self.rules["weak"], WEAK)):
            self.weights |= {self.to_form(word): weight for word in words}
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
                self.nearest |= {self.to_form(word): synonym["industry"] for word in spellings}
            else:
                self._add(spellings, Sense("synonyms", at))
        for at, (entry, own) in enumerate(zip(self._entries, names, strict=True)):
            if entry["layer"] in PLACES | POINTS | {"industries"}:
                self._add(own, Sense("entries", at))
        self._hangul = sorted(form for form in self.senses if "가" <= form[0] <= "힣")

    def _fill_term(self, at: int, term: dict[str, str]) -> None:
        self._add(term.values(), Sense("terms", at))
        korean = (token.form for token in tokenise(term.get("ko", ""), self._variants))
        self.folded.append({"zh": self.to_form(term.get("zh", "")), "ko": " ".join(korean)})
        joints = {"and", *self.rules["prepositions"]}
        words = [token.form for token in tokenise(term["en"], self._variants)]
        for word, following in zip(words, [*words[1:], "and"], strict=False):  # there may be none
            self.latin.setdefault(word, set()).add(at)
            if following in joints:
                self.heads.setdefault(word, set()).add(at)

    def _add(self, spellings: Iterable[str], sense: Sense, weight: int = STRONG) -> None:
        for spelling in spellings:
            for text in dict.fromkeys((spelling, _BRACKETS.sub("", spelling))):
                form = self.to_form(text)
                if form:
                    senses = self.senses.setdefault(form, [])
                    if sense not in senses:
                        senses.append(sense)
                    if self.weights.get(form) not in {STOP, WEAK}:
                        self.weights[form] = min(weight, self.weights.get(form, weight))

    def to_form(self, text: str) -> str:
        """Return a text as spellings are compared: simplified, in lower case, stemmed, without spaces."""
        return "".join(token.form for token in tokenise(text, self._variants))

    def _without_particle(self, form: str) -> list[Sense]:
        for particle in self._particles:
            if form.endswith(particle) and len(form) > len(particle):
                senses = self.senses.get(form[: -len(particle)])
                if senses:
                    return senses
        return []

    def _is_weak(self, form: str) -> bool:
        return self.weights.get(form) in {WEAK, STOP}

    def _code(self, form: str) -> str | None:
        """Return the industry that has a code of GB/T 4754 or ISIC, or that a class of it belongs to."""
        match = CODE.fullmatch(form)
        if not match:
            return None
        scheme, _, code = match.groups()
        whole, begun = self.codes["isic" if scheme == "isic" else "gb" if scheme else ""]
        wider = (whole.get(code[:size]) for size in range(len(code), 1, -1))
        return next(filter(None, wider), begun.get(code))

    def _pieces(self, query: str, tokens: list[Token]) -> list[QueryPart]:
        """Return the pieces of a text; what is unknown is known by how it ends, if it is long enough."""
        pieces = self._join_ends(query, self._join_unknown(query, list(self._cut(tokens))))
        for at, piece in enumerate(pieces):
            if piece.weight == UNKNOWN:
                last = pieces[at - 1] if at else piece
                led = last.end == piece.start and last.weight != STOP
                start = last.start if led else piece.start
                sense = self._end_of(query[start : piece.end])
                if sense:
                    pieces[at] = QueryPart((sense,), STRONG, start, piece.end)
        return pieces

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

    def _join_unknown(self, query: str, pieces: list[QueryPart]) -> list[QueryPart]:
        """Return pieces with what is unknown joined to weak words that touch it: 量子 and 计算 are one word.

        A word that says what something is for stays apart: 船用 before what is unknown.
        """
        joined: list[QueryPart] = []
        for piece in pieces:
            last = joined[-1] if joined else None
            if last is not None and last.end == piece.start:
                weights = {piece.weight, last.weight}
                weak = (one for one in (last, piece) if one.weight == WEAK)
                apart = any(self.to_form(query[one.start : one.end]) in self.turns for one in weak)
                if UNKNOWN in weights <= {UNKNOWN, WEAK} and not apart:
                    joined[-1] = QueryPart((), UNKNOWN, last.start, piece.end)
                    continue
            joined.append(piece)
        return joined

    def _join_ends(self, query: str, pieces: list[QueryPart]) -> list[QueryPart]:
        """Return pieces with the unknown words before one that tells what they are joined to it.

        So a cutting machine is one, as 切割机 is.
        """
        joined: list[QueryPart] = []
        loose = {UNKNOWN} if any(piece.weight == STRONG for piece in pieces) else {UNKNOWN, WEAK}
        for piece in pieces:
            start = piece.start
            if piece.weight == WEAK and self.to_form(query[start : piece.end]) in self.ends:
                while joined and joined[-1].weight in loose:
                    start = joined.pop().start
            joined.append(QueryPart((), UNKNOWN, start, piece.end) if start < piece.start else piece)
        return joined

    def _end_of(self, text: str) -> Sense | None:
        form = self.to_form(text)
        ends = (at for at, one in enumerate(self.ends) if form.endswith(one))
        at = next(ends, None) if len(form) >= SHORTEST["ended"] else None
        return None if at is None else Sense("ends", at)

    def _window(self, tokens: list[Token]) -> tuple[int, list[Sense], int]:
        for size in range(min(WINDOW, len(tokens)), 0, -1):
            form = "".join(token.form for token in tokens[:size])
            code = None if form.isdigit() else self._code(form)  # a figure alone may be an amount
            if code:
                return size, [Sense("entries", self._entry_of[code])], STRONG
            if form in self.nearest:  # 재활용 is not what 재활 is for
                return size, [], UNKNOWN
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
            if any(sense.table != "synonyms" for sense in senses):  # concrete is no concrete mixer
                return QueryPart(senses, self.weights[longer], token.start, token.end)
        return QueryPart((), UNKNOWN, token.start, token.end)

    def _may_stand(self, text: str, start: int, end: int, *, hangul: bool) -> bool:
        form = text[start:end]
        if hangul and end == len(text) and start and form in self._particles:
            return True
        if form not in self.weights:
            return False
        return len(form) > 1 or (self.weights[form] == STOP and not hangul)
