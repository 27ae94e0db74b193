"""The spellings that a release answers to, how a query falls apart into them, what a misspelt one may mean.

Spellings and queries are brought to one form, so that they can be compared letter by letter: lower case
without accents, tones or punctuation; Hangul is spelt in initial-form letters (jamo), so that a syllable
that is still being typed is a prefix of the whole one.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple, NotRequired, TypedDict, overload

from rapidfuzz import process
from rapidfuzz.distance import OSA

from layers.links import Words

_FINALS = range(0x11A8, 0x11C3)  # jamo that close a syllable
FIRST_LETTERS = re.compile(r"[ᄀ-ᄒ](?=[ᅡ-ᅵ])")
RUNS = re.compile(r"[㐀-䶿一-鿿]+|[ᄀ-ᇿ]+|[^\s㐀-䶿一-鿿ᄀ-ᇿ]+")  # one script each
_PLAIN = re.compile(r"[a-z0-9]+")
_NUMBERED = re.compile(r"(?<=[a-z])[1-5](?![0-9])")  # tan4 xian1 wei2
SHORTEST_STEM = 4
STEMS = (
    (re.compile(r"([bt])re(s?)$"), r"\1er\2"),  # fibre, centre
    (re.compile(r"our(s?)$"), r"or\1"),  # harbour
    (re.compile(r"is(ation|e|ed|ing)(s?)$"), r"iz\1\2"),  # utilisation
    (re.compile(r"ies$"), "y"),
    (re.compile(r"(?<=[sxz])es?$|(?<=[cs]h)es$|(?<![siu])s$"), ""),
)
# How closely a spelling belongs to its thing, best first.
NAME, ALIAS, TERM, PINYIN, INITIALS = range(5)
OWN = "own"  # what stands for their layer with the features that are the operator's own
KNOWN, EMPTY, UNKNOWN = "known", "empty", "unknown"
WINDOW = 6  # words of one spelling at most, within a longer query
SHORTEST_HAN, SHORTEST_HANGUL = 2, 4  # letters that a spelling needs to be seen inside a word
ENDING = 4  # jamo after a known Korean word that are taken for its ending
LAST = chr(0x10FFFF)  # stands behind every letter
MAX_PIECES = 12  # of a query; what comes after is not looked at
SHORTEST_TYPO, LONG_TYPO = 4, 10  # letters of a word that may hold one slip, or two
SURE_TYPO = 6  # letters of a word that may have another letter in the place of one
HAN_TYPO = 2
HANGUL, HAN = "ᄀ", "⺀"  # from here on letters are Korean, and Chinese
MOST_TYPOS = 3  # unknown pieces of one query that are looked at
HANGUL_TYPO, LONG_HANGUL_TYPO = 8, 12
NEAR_TYPOS, TYPO_SIMILARITY = 5, 0.7


def _open_final(letter: str) -> str:
    """Return a closing jamo as the initial ones it consists of: what follows may yet open a syllable."""
    parts = unicodedata.name(letter).removeprefix("HANGUL JONGSEONG ").split("-")
    return "".join(unicodedata.lookup(f"HANGUL CHOSEONG {part}") for part in parts)


OPENED = {code: _open_final(chr(code)) for code in _FINALS}


def fold(text: str) -> str:
    """Return `text` for comparison: words of letters and digits, one space between them."""
    if text.isascii():
        return " ".join(_PLAIN.findall(text.lower()))
    return " ".join("".join(letter for letter, _ in _letters(text)).split())


def squeeze(folded: str) -> str:
    """Return folded text without its spaces."""
    return folded.replace(" ", "")


def trace_letters(text: str) -> tuple[str, list[int]]:
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
    for pattern, replacement in STEMS:
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
    return "".join(FIRST_LETTERS.findall(folded))


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
    return unicodedata.normalize("NFKD", once.casefold()).translate(OPENED)


class Key(NamedTuple):
    """One spelling, folded, of one entry."""

    text: str
    squeezed: str
    entry: int
    grade: int
    spelling: str


class Piece(NamedTuple):
    """A part of a query: a spelling that is known, an empty word, or neither."""

    text: str
    kind: str


class Haystack(Sequence[str]):
    """Many folded texts in one, looked through for a part of one in a single pass."""

    def __init__(self, texts: Iterable[str]) -> None:
        lines = list(texts)
        self._joined = "\n".join(lines)
        self._starts = array("I", accumulate((len(line) + 1 for line in lines), initial=0))

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Return one text, or some."""
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if index >= len(self):
            raise IndexError(index)
        return self._joined[self._starts[index] : self._starts[index + 1] - 1]

    def __iter__(self) -> Iterator[str]:
        """Yield the texts in order, one at a time."""
        for start, end in pairwise(self._starts):
            yield self._joined[start : end - 1]

    def holding(self, part: str) -> list[int]:
        """Return the indexes of the texts that contain `part`, in order."""
        found: list[int] = []
        at = self._joined.find(part) if part else -1
        while at >= 0:
            found.append(bisect_right(self._starts, at) - 1)
            at = self._joined.find(part, self._starts[found[-1] + 1])
        return found


class PackedKeys(TypedDict):
    """The keys of all entries in columns, see :func:`pack_keys`."""

    texts: str
    spellings: list[str]
    of: list[int]  # the spelling of each key
    entries: list[int]
    grades: str


def pack_keys(keys: Iterable[Iterable[tuple[str, str, int]]]) -> PackedKeys:
    """Return the keys of every entry, (folded text, spelling, grade), as an index holds them: in columns.

    A spelling stands in it once, however many readings it has. No text has an end of line in it.
    """
    rows = [(entry, *key) for entry, found in enumerate(keys) for key in found]
    spellings = {spelling: None for _, _, spelling, _ in rows}
    places = {spelling: at for at, spelling in enumerate(spellings)}
    return {
        "texts": "\n".join(text for _, text, _, _ in rows),
        "spellings": list(spellings),
        "of": [places[spelling] for _, _, spelling, _ in rows],
        "entries": [entry for entry, *_ in rows],
        "grades": "".join(str(grade) for *_, grade in rows),
    }


class Keys(Sequence[Key]):
    """All keys, in columns: far less memory than as many tuples. Each is put together when it is asked for.

    Those whose words are stemmed stand behind those they are made of.
    """

    def __init__(self, packed: PackedKeys) -> None:
        self._spellings = packed["spellings"]
        self._of, self._entries, self.grades = array("I"), array("I"), array("B")
        self._stemmed = array("B")
        texts = []
        rows = zip(
            packed["texts"].split("\n"), packed["of"], packed["entries"], packed["grades"], strict=True
        )
        for text, spelling, entry, grade in rows:
            stemmed = stem_all(text) if int(grade) <= TERM else text
            for form in dict.fromkeys((text, stemmed)):
                texts.append(form)
                self._add(spelling, entry, int(grade), stemmed=form != text)
        self.texts = Haystack(texts)
        self.squeezed = Haystack(map(squeeze, texts))

    def _add(self, spelling: int, entry: int, grade: int, *, stemmed: bool) -> None:
        self._of.append(spelling)
        self._entries.append(entry)
        self.grades.append(grade)
        self._stemmed.append(stemmed)

    def __len__(self) -> int:
        return len(self._of)

    @overload
    def __getitem__(self, index: int) -> Key: ...
    @overload
    def __getitem__(self, index: slice) -> list[Key]: ...
    def __getitem__(self, index: int | slice) -> Key | list[Key]:
        """Return one key, or some."""
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        spelling = self._spellings[self._of[index]]
        return Key(
            self.texts[index], self.squeezed[index], self._entries[index], self.grades[index], spelling
        )

    def __iter__(self) -> Iterator[Key]:
        """Yield all keys in order, one at a time."""
        rows = zip(self.texts, self.squeezed, self._entries, self.grades, self._of, strict=True)
        for text, squeezed, entry, grade, of in rows:
            yield Key(text, squeezed, entry, grade, self._spellings[of])

    def entry_of(self, index: int) -> int:
        """Return the entry of one key."""
        return self._entries[index]

    def list_names(self, count: int) -> list[list[str]]:
        """Return the names and other names of each of `count` entries, as often as they are keys."""
        found: list[list[str]] = [[] for _ in range(count)]
        for index, (entry, grade) in enumerate(zip(self._entries, self.grades, strict=True)):
            if grade <= ALIAS and not self._stemmed[index]:
                found[entry].append(self._spellings[self._of[index]])
        return found

    def list_typed(self, count: int) -> list[list[tuple[str, str, int]]]:
        """Return what :func:`pack_keys` was given, for `count` entries."""
        found: list[list[tuple[str, str, int]]] = [[] for _ in range(count)]
        for key, stemmed in zip(self, self._stemmed, strict=True):
            if not stemmed:
                found[key.entry].append((key.text, key.spelling, key.grade))
        return found


class SearchEntry(TypedDict):
    """One thing that can be found, whose keys stand in columns beside it once all are known."""

    id: str
    layer: str
    name: Words
    url: str
    keys: NotRequired[list[tuple[str, str, int]]]
    kind: NotRequired[str]
    placed: NotRequired[bool]  # of a platform: whether it is somewhere
    clauses: NotRequired[list[str]]
    at: NotRequired[list[float]]  # lon, lat
    status: NotRequired[str]
    zones: NotRequired[list[str]]
    of: NotRequired[str]  # of a feature of the operator's own: its layer


class TermMeaning(TypedDict):
    """A term of the plan, the answer that it is, and what it is about."""

    kind: str
    term: Words
    clause: str
    industries: list[str]
    place: str | None
    verb: NotRequired[str | None]
    emphasis: NotRequired[str]


class WordMeaning(TypedDict):
    """A word that the plan prints; see :class:`~geodata.model.Word`."""

    zh: str
    en: list[str]
    ko: list[str]
    kind: str
    clauses: list[str]
    industry: str | None


class SynonymMeaning(TypedDict):
    """A synonym of ours; see :class:`~geodata.model.Synonym`."""

    zh: list[str]
    en: list[str]
    ko: list[str]
    industry: str
    relation: str
    word: str | None


class KindMeaning(TypedDict):
    """A kind of places, by its spellings."""

    places: list[str]
    spellings: list[str]


class PageMeaning(TypedDict):
    """A page that answers a question, by its spellings."""

    url: str
    spellings: list[str]


class IndustryMeaning(TypedDict):
    """An industry with its codes."""

    id: str
    name: str
    gbt4754: list[str]
    isic4: list[str]


class Meanings(TypedDict):
    """What words can mean, table by table."""

    terms: list[TermMeaning]
    words: list[WordMeaning]
    synonyms: list[SynonymMeaning]
    kinds: list[KindMeaning]
    pages: list[PageMeaning]
    industries: list[IndustryMeaning]


class TurnMeaning(TypedDict):
    """Words for what is done with things of some industries, and the industry of that."""

    words: list[str]
    of: list[str]
    to: str


class SearchRules(TypedDict):
    """The words that questions are cut by."""

    stop: list[str]
    weak: list[str]
    particles: list[str]
    prepositions: list[str]
    turns: list[TurnMeaning]
    ends: dict[str, str]  # of longer words: their industry
    spelt: list[str]  # ordinary words, nearly spelt as some of ours


class SearchIndex(TypedDict):
    """Everything that answers are found in."""

    entries: list[SearchEntry]
    keys: PackedKeys
    meanings: Meanings
    rules: SearchRules
    variants: dict[str, str]
    sounds: dict[str, str]
    empty: list[str]


class Vocabulary:
    """All keys, and the look-up of a whole one."""

    def __init__(self, packed: PackedKeys, empty: list[str]) -> None:
        self.keys = Keys(packed)
        self.squeezed = self.haystack = self.keys.squeezed
        self._add_words()
        self._exact: dict[str, int] = {}  # the last key of each squeezed form
        self._before = array("i")  # the one before of the same form, -1 for none
        known = set()
        for index, (squeezed, grade) in enumerate(zip(self.squeezed, self.keys.grades, strict=True)):
            form = sys.intern(squeezed)
            self._before.append(self._exact.get(form, -1))
            self._exact[form] = index
            if grade != INITIALS:
                known.add(form)
        self._initials = {form for form in self._exact if form not in known}  # which are no words
        self._empty = set(empty)
        self._longest = max(map(len, known))

    def _add_words(self) -> None:
        owners: dict[str, list[int]] = {}
        for index, text in enumerate(self.keys.texts):
            for word in text.split():
                owners.setdefault(word, []).append(index)
        self._words = sorted(owners)
        self._owners = array("I", (index for word in self._words for index in owners[word]))
        self._firsts = array("I", accumulate((len(owners[word]) for word in self._words), initial=0))

    def exact(self, folded: str) -> list[int]:
        """Return the indexes of the keys that `folded` spells out, whatever the spaces."""
        found = [self._exact.get(squeeze(folded), -1)]
        while found[-1] >= 0:
            found.append(self._before[found[-1]])
        return found[-2::-1]

    def starting(self, start: str) -> set[int]:
        """Return the indexes of the keys that have a word which begins with `start`."""
        low = bisect_left(self._words, start)
        high = bisect_left(self._words, start + LAST, low)
        return set(self._owners[self._firsts[low] : self._firsts[high]])

    def split(self, folded: str) -> list[Piece]:
        """Return `folded` as pieces, taking the longest known spelling at each place."""
        return list(_cap(self._pieces(RUNS.findall(folded))))

    def _pieces(self, runs: list[str]) -> Iterator[Piece]:
        at = 0
        while at < len(runs):
            size = self._window(runs, at)
            text = " ".join(runs[at : at + max(size, 1)])
            if size:
                yield Piece(text, self._kind(text))
            elif is_latin(text):
                yield Piece(text, UNKNOWN)
            else:
                yield from self._inside(text)
            at += max(size, 1)

    def _window(self, runs: list[str], at: int) -> int:
        """Return how many runs from `at` on make the longest known spelling, 0 for none."""
        sizes = range(min(WINDOW, len(runs) - at), 0, -1)
        return next((size for size in sizes if self._kind(" ".join(runs[at : at + size])) != UNKNOWN), 0)

    def _kind(self, text: str) -> str:
        for form in (squeeze(text), squeeze(stem_all(text))):
            if form in self._empty:
                return EMPTY
            if form in self._exact and form not in self._initials:
                return KNOWN
        return UNKNOWN

    def _inside(self, run: str) -> Iterator[Piece]:
        """Yield the pieces of one run of Chinese or Korean, which has no spaces to go by."""
        hangul = run[0] < "⺀"
        shortest = SHORTEST_HANGUL if hangul else SHORTEST_HAN
        at, rest, seen = 0, "", False
        while at < len(run):
            end = self._end(run, at, shortest)
            if end is None or (hangul and rest):
                rest += run[at]
                at += 1
                continue
            if rest:
                yield Piece(rest, UNKNOWN)
                rest = ""
            yield Piece(run[at:end], self._kind(run[at:end]))
            at, seen = end, True
        if rest:
            yield Piece(rest, EMPTY if hangul and seen and len(rest) <= ENDING else UNKNOWN)

    def _end(self, run: str, at: int, shortest: int) -> int | None:
        for end in range(min(len(run), at + self._longest), at, -1):
            kind = self._kind(run[at:end])
            if kind == EMPTY or (kind == KNOWN and end - at >= shortest):
                return end
        return None


def _cap(pieces: Iterator[Piece]) -> Iterator[Piece]:
    for _, piece in zip(range(MAX_PIECES), pieces, strict=False):
        yield piece


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
            long = [sys.intern(word) for word in every if len(word) >= SHORTEST_TYPO]
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
        fixed = {text: found for text in unknown[:MOST_TYPOS] if (found := self._fix(text))}
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
        if len(text) < HAN_TYPO:
            return None
        pinyin = "".join(self._sounds.get(letter, letter) for letter in text)
        keys = (self._vocabulary.keys[index] for index in self._vocabulary.exact(pinyin))
        return next((fold(key.spelling) for key in keys if key.grade == PINYIN), None)

    def _nearest(self, text: str, choices: list[str]) -> str | None:
        slips = _slips(text)
        if not slips:
            return None
        found = process.extract(text, choices, scorer=OSA.distance, score_cutoff=slips, limit=NEAR_TYPOS)
        if any(not distance for _, distance, _ in found):
            return None  # spelt as it should be, if only as a part of a name
        likely = (one for one, distance, _ in found if distance and _may_be_meant(text, one))
        return next(likely, None)

    def near(self, pieces: list[Piece]) -> list[tuple[int, str]]:
        """Return the entries that come nearest to what is not known, with their spellings, nearest first."""
        scored: dict[int, tuple[float, str]] = {}
        unknown = [piece.text for piece in pieces if piece.kind == UNKNOWN]
        for piece in unknown[:MOST_TYPOS]:
            for text, score in self._similar(piece):
                key = self._vocabulary.keys[self._names[text]]
                scored[key.entry] = max((score, key.spelling), scored.get(key.entry, (0, "")))
        ranked = sorted(scored.items(), key=lambda item: -item[1][0])
        return [(entry, spelling) for entry, (_, spelling) in ranked[:NEAR_TYPOS]]

    def _similar(self, text: str) -> Iterator[tuple[str, float]]:
        if is_latin(text):
            if len(text) <= SHORTEST_TYPO:
                return
            found = process.extract(
                text,
                self._choosable,
                scorer=OSA.normalized_similarity,
                score_cutoff=TYPO_SIMILARITY,
                limit=NEAR_TYPOS,
            )
            yield from ((spelling, score) for spelling, score, _ in found)
            return
        size = 2 if text[0] >= HAN else SHORTEST_TYPO  # two Chinese characters, or two Korean syllables
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
    return len(text) >= SURE_TYPO or len(text) != len(one) or same


def _slips(text: str) -> int:
    """Return how many letters of `text` may be wrong, missing, added or swapped.

    None in Chinese, where another character is another word, and none in numbers.
    """
    if not text or max(text) >= HAN or any(letter.isdigit() for letter in text):
        return 0
    shortest, long = (SHORTEST_TYPO, LONG_TYPO) if is_latin(text) else (HANGUL_TYPO, LONG_HANGUL_TYPO)
    return 0 if len(text) < shortest else 1 if len(text) < long else 2
