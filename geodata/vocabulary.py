"""The words that the plan prints: what each belongs to, and whether a text is covered by them.

A text is covered where every run of Chinese characters in it falls apart into words that the facts
or ``plan/vocabulary.yaml`` have, and into the function words of the language. What is left over is a
word that a reader could look for and that would be denied although the plan prints it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from geodata.document import normalise
from geodata.kinds import LANGUAGES
from geodata.messages import Problem, list_words, problem
from geodata.model import Record, Text
from geodata.read import Facts
from geodata.references import place, rows, unread_tables

HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_PLAN_TABLES = (  # whose Chinese names and terms are the plan's own
    "plans",
    "agencies",
    "zones",
    "designations",
    "clusters",
    "chains",
    "areas",
    "platforms",
    "ties",
    "industries",
)
# Fields in our own words.
_OURS = (
    "note",
    "no_industries",
    "no_target",
    "no_name",
    "no_codes",
    "full_name",
    "short_name",
)


def printed_terms(facts: Facts) -> dict[str, list[Text]]:
    """Return the texts of the facts that are the plan's words, by their Chinese wording."""
    found: dict[str, list[Text]] = {}
    for table in _PLAN_TABLES:
        for row in rows(facts, table):
            for text in _plan_texts(row):
                found.setdefault(text.zh, []).append(text)
    return found


def words_by_clause(facts: Facts) -> dict[str, set[str]]:
    """Return for each clause the words of the vocabulary that it prints, normalised."""
    found: dict[str, set[str]] = {clause: set() for clause in facts.clauses}
    for word in facts.vocabulary:
        for clause in word.clauses:
            found.setdefault(clause, set()).add(normalise(word.zh))
    return found


def known_words(facts: Facts) -> set[str]:
    """Return the runs of Chinese in names and terms of the facts, and the function words."""
    spellings = [*printed_terms(facts)]
    for table in ("zones", "areas", "platforms", "gateways"):
        for row in rows(facts, table):
            spellings += [getattr(row, "printed", None) or "", *getattr(row, "aliases", ())]
    known = {run for spelling in spellings for run in HAN_RUN.findall(normalise(spelling))}
    return {word for word in known if len(word) > 1} | set(list_words("function-words"))


def uncovered(text: str, words: Iterable[str]) -> list[str]:
    """Return the runs of Chinese characters in `text` that `words` do not cover, in order.

    Of all ways to cut a run into words, one that leaves the fewest characters over counts.

    >>> uncovered("发展山地经济和林业", ["发展", "山地", "山地经济", "和"])
    ['林业']
    """
    known = set(words)
    longest = max(map(len, known), default=0)
    return [rest for run in HAN_RUN.findall(text) for rest in _left_over(run, known, longest)]


def prints_word(text: str, word: str, words: Iterable[str]) -> bool:
    """Tell whether `text` prints `word` as one or more of the words that it is cut into.

    >>> prints_word("人才培养基地", "培养基", ["人才", "培养", "基地"])
    False
    >>> prints_word("人才培养基地", "培养基地", ["人才", "培养", "基地"])
    True
    """
    known = set(words) - {word}
    longest = max(map(len, known), default=0)
    for run in HAN_RUN.findall(text):
        if word in run:
            ends = [0, *accumulate(map(len, _cut(run, known, longest)))]
            if any(run[start:].startswith(word) and start + len(word) in ends for start in ends):
                return True
    return False


def _left_over(run: str, known: set[str], longest: int) -> Iterator[str]:
    kept = ("\n" if piece in known else piece for piece in _cut(run, known, longest))
    yield from "".join(kept).split()


def _cut(run: str, known: set[str], longest: int) -> list[str]:
    """Return the words that a run is made of, and single characters where no known word fits."""
    best = [(0, 0)] + [(len(run), 0)] * len(run)  # characters left over up to here, length of the last word
    for end in range(1, len(run) + 1):
        sizes = (size for size in range(min(longest, end), 0, -1) if run[end - size : end] in known)
        choices = [(best[end - 1][0] + 1, 0), *((best[end - size][0], size) for size in sizes)]
        best[end] = min(choices, key=lambda choice: (choice[0], -choice[1]))
    pieces: list[str] = []
    end = len(run)
    while end:
        size = best[end][1] or 1
        pieces.append(run[end - size : end])
        end -= size
    return pieces[::-1]


def check_vocabulary(facts: Facts) -> Iterator[Problem]:
    """Find words that stand twice, and words without a kind of their own."""
    seen: set[str] = set()
    for index, word in enumerate(facts.vocabulary):
        if word.zh in seen:
            yield problem("duplicate-value", place("vocabulary", word.zh, "zh", index), word.zh)
        seen.add(word.zh)


def check_thesaurus(facts: Facts) -> Iterator[Problem]:
    """Find synonyms that stand twice, or that are a word of the plan or its translation."""
    taken = _claimed(facts)
    seen: dict[str, str] = {}
    words = {word.zh: word.industry for word in facts.vocabulary}
    whole = "vocabulary" not in unread_tables(facts)
    for index, row in enumerate(facts.thesaurus):
        if whole and row.word and words.get(row.word) != row.industry:
            yield problem(
                "unknown-id", place("thesaurus", row.zh[0], "word", index), row.word, tables="vocabulary"
            )
        for language in LANGUAGES:
            for word in getattr(row, language):
                where, key = place("thesaurus", row.zh[0], language, index), word.casefold()
                if key in taken:
                    yield problem("word-of-the-plan", where, word, other=taken[key])
                elif seen.setdefault(key, row.zh[0]) != row.zh[0]:
                    yield problem("duplicate-name", where, word, other=seen[key])


def check_one_translation(facts: Facts) -> Iterator[Problem]:
    """Find terms that are translated in two ways, across all names and terms that are the plan's words."""
    for zh, texts in printed_terms(facts).items():
        for language in LANGUAGES[1:]:
            found = {_plain(getattr(text, language)): getattr(text, language) for text in texts}
            if len(found) > 1:
                where = place("designations", zh, language)
                yield problem("two-translations", where, zh, others=" | ".join(sorted(found.values())))
    terms = printed_terms(facts)
    for index, word in enumerate(facts.vocabulary):
        for text in terms.get(word.zh, ())[:1]:
            for language in LANGUAGES[1:]:
                own = getattr(word, language)
                if own and _plain(own[0]) != _plain(getattr(text, language)):
                    where = place("vocabulary", word.zh, language, index)
                    yield problem(
                        "two-translations", where, word.zh, others=f"{own[0]} | {getattr(text, language)}"
                    )


def _claimed(facts: Facts) -> Mapping[str, str]:
    """Return every word that is the plan's, or translates one, folded, with the Chinese one."""
    taken: dict[str, str] = {}
    for zh, texts in printed_terms(facts).items():
        for text in texts:
            for _, word in text:
                taken.setdefault(word.casefold(), zh)
    for row in facts.vocabulary:
        for word in (row.zh, *row.en, *row.ko):
            taken.setdefault(word.casefold(), row.zh)
    return taken


def _plain(text: str) -> str:
    """Return a translation without what its place in a sentence changes: capitals and an article."""
    return re.sub(r"^(the|a|an) ", "", text.casefold()).replace("“", "").replace("”", "")


def _plan_texts(row: Record) -> Iterator[Text]:
    for field, value in row:
        if field in _OURS:
            continue
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Text):
                yield item
            elif isinstance(item, Record):
                yield from _plan_texts(item)
