"""What an audit found, as data and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from geodata.messages import Language, say, word


@dataclass(frozen=True, slots=True)
class Miss:
    """Something that the facts say and the clause does not, or the other way round."""

    code: str
    kind: str
    record: str
    clause: str
    expected: str
    beside: str = ""
    nearest: str = ""
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseUse:
    """What one clause contributes: number of proven words by kind."""

    clause: str
    title_zh: str
    title_en: str
    contributes: dict[str, int]
    units_of: str | None  # the item whose responsible units serve this point too


@dataclass(frozen=True)
class AuditReport:
    """The outcome of an audit; ``ok`` says whether everything is proven and nothing is left out."""

    total: int
    misses: tuple[Miss, ...]
    clauses: tuple[ClauseUse, ...]
    uncited: tuple[str, ...]  # clauses that no fact cites; they may, but need not, bring one
    uncovered: tuple[str, ...]  # clauses that must bring a fact, themselves or below, and bring none
    missing: tuple[str, ...]  # clauses of the text that the data lack
    unknown: tuple[str, ...]  # clauses of the data that the text lacks
    unlisted: dict[str, tuple[str, ...]]  # by clause, words of it that neither facts nor vocabulary have

    @property
    def ok(self) -> bool:
        """Return whether the audit passes."""
        return not (self.misses or self.uncovered or self.missing or self.unknown or self.unlisted)

    @property
    def proven(self) -> int:
        """Return how many of the words checked the plan prints."""
        return self.total - len(self.misses)

    def to_dict(self) -> dict[str, object]:
        """Return the report as plain data for ``--json``."""
        return {"ok": self.ok, "proven": self.proven, **asdict(self)}

    def lines(self, language: Language = "zh") -> list[str]:
        """Return the report for people, one line each."""
        share = f"{self.proven / self.total:.1%}" if self.total else "—"
        summary = say("audit-proven", language, total=self.total, proven=self.proven, share=share)
        return [
            say("audit-clauses", language),
            *(_clause_line(use, language) for use in self.clauses),
            *self._lists(language),
            *(line for miss in self.misses for line in _miss_lines(miss, language)),
            summary,
        ]

    def _lists(self, language: Language) -> Iterator[str]:
        for name in ("uncited", "uncovered", "missing", "unknown"):
            clauses = getattr(self, name)
            if clauses:
                yield say(f"audit-{name}", language, count=len(clauses), clauses=" ".join(clauses))
        for clause, words in self.unlisted.items():
            yield say("audit-unlisted", language, clause=clause, words=" ".join(words))


def _clause_line(use: ClauseUse, language: Language) -> str:
    parts = [f"{word('audit-kinds', language, kind)} {count}" for kind, count in use.contributes.items()]
    if use.units_of:
        parts.append(say("audit-inherits", language, item=use.units_of))
    contributes = ", ".join(parts) or say("audit-nothing", language)
    title = use.title_zh if language == "zh" else use.title_en
    return say("audit-clause", language, clause=use.clause, title=title, contributes=contributes)


def _miss_lines(miss: Miss, language: Language) -> Iterator[str]:
    reason = say(miss.code, language, beside=miss.beside)
    kind = word("audit-kinds", language, miss.kind)
    yield say(
        "audit-miss",
        language,
        kind=kind,
        record=miss.record,
        clause=miss.clause,
        expected=miss.expected,
        reason=reason,
    )
    if miss.nearest:
        yield say("audit-nearest", language, nearest=miss.nearest)
    if miss.elsewhere:
        yield say("audit-elsewhere", language, clauses=" ".join(miss.elsewhere))
