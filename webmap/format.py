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
