"""Numbers as the page's language writes them."""

from __future__ import annotations

import re

CLAUSE = re.compile(r"([一二三四五六七八])(?:\(([一二三四五六七八九十])\))?((?:\d+(?:\(\d+\))?)?)")
CHINESE_DIGITS = "一二三四五六七八九十"
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
UNNUMBERED = {
    "通知": {"en": "Notice", "ko": "통지"},
    "引言": {"en": "Preamble", "ko": "서문"},
}


def format_clause(clause_id: str, language: str) -> str:
    """Return the number of a clause as the language writes it; Chinese keeps the plan's own.

    >>> format_clause("三(一)1(2)", "en")
    'III(1)1(2)'
    >>> format_clause("引言", "ko")
    '서문'
    """
    if language == "zh":
        return clause_id
    if clause_id in UNNUMBERED:
        return UNNUMBERED[clause_id][language]
    found = CLAUSE.fullmatch(clause_id)
    if found is None:
        return clause_id
    part, section, rest = found.groups()
    middle = f"({CHINESE_DIGITS.index(section) + 1})" if section else ""
    return f"{ROMAN[CHINESE_DIGITS.index(part)]}{middle}{rest}"


def format_number(value: float | None, digits: int | None = None) -> str:
    """Return `value` with thousands separated; `digits` after the point, or as many as it needs."""
    if value is None:
        return "–"
    if digits is None:
        return f"{value:,.10g}"
    return f"{value:,.{digits}f}"


def format_area(value: float | None) -> str:
    """Return km² with one decimal, more for small areas."""
    small = 10
    return format_number(value, 1 if value is None or value >= small else 2)


def format_quantity(value: float, unit: dict[str, str], language: str) -> str:
    """Return a figure with its unit; English counts in thousands, so the number takes the unit's factor.

    >>> format_quantity(450, {"zh": "亿元", "en": "100 million yuan", "ko": "억 위안"}, "en")
    '45 billion yuan'
    """
    word = unit[language]
    if language == "en" and word[0] not in "%‰":
        for prefix, factor, scaled in (("100 million ", 0.1, "billion "), ("10,000 ", 10_000, "")):
            if word.startswith(prefix):
                return f"{format_number(value * factor)} {scaled}{word.removeprefix(prefix)}"
        return f"{format_number(value)} {word}"
    return f"{format_number(value)}{word}"
