"""Numbers as the page's language writes them."""

from __future__ import annotations


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
