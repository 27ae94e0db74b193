"""Rank candidates by criteria: a weighted mean of stated measures, and nothing else.

A score is ``sum(weight * measure) / sum(weight)`` over the criteria with a weight above zero. A measure
is a number from 0 to 1, or None where nothing is known. What is not known is not zero: it leaves the
sum, and its candidate is listed apart, without a rank, because it cannot be compared in full.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

MANUFACTURING = range(13, 44)  # divisions of GB/T 4754-2017


@dataclass(frozen=True)
class Measure:
    """How far a criterion is met, 0 to 1, and between which values the truth lies."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Ranked:
    """One candidate with its score; the score is exact, so that ties are ties."""

    id: str
    score: Fraction | None  # None where no criterion is known
    low: Fraction
    high: Fraction
    unknown: tuple[str, ...]
    known_weight: int
    rank: int | None = None  # shared by ties; None where a criterion is unknown
    tied: bool = False
    unclear: bool = False  # nearer to the one above than the measures are accurate


Measures = Mapping[str, Mapping[str, Measure | None]]


def rank(candidates: Measures, weights: Mapping[str, int]) -> list[Ranked]:
    """Return the candidates best first, then those of which a criterion is unknown, best first.

    `candidates` maps each id to its measure for every criterion. The order does not depend on the order
    of the input. With no weight above zero nothing is ranked: the list is empty. Raises ValueError
    for a negative weight and KeyError for a candidate without a measure for a criterion that has a weight.
    """
    if min(weights.values(), default=0) < 0:
        raise ValueError("a weight is below zero")
    counted = {criterion: weight for criterion, weight in sorted(weights.items()) if weight}
    if not counted:
        return []
    scored = sorted((_score(one, rows, counted) for one, rows in candidates.items()), key=_order)
    full = [row for row in scored if not row.unknown]
    return [*_number(full), *(row for row in scored if row.unknown)]


def _score(candidate: str, rows: Mapping[str, Measure | None], weights: Mapping[str, int]) -> Ranked:
    found = {one: rows[one] for one in weights}
    known = [(weights[one], measure) for one, measure in found.items() if measure is not None]
    total = sum(weight for weight, _ in known)
    if not total:
        return Ranked(candidate, None, Fraction(0), Fraction(1), tuple(weights), 0)
    return Ranked(
        id=candidate,
        score=sum((weight * Fraction(row.value) for weight, row in known), Fraction(0)) / total,
        low=sum((weight * Fraction(row.low) for weight, row in known), Fraction(0)) / total,
        high=sum((weight * Fraction(row.high) for weight, row in known), Fraction(0)) / total,
        unknown=tuple(one for one, measure in found.items() if measure is None),
        known_weight=total,
    )


def _order(row: Ranked) -> tuple[bool, Fraction, str]:
    return row.score is None, -(row.score or Fraction(0)), row.id


def _number(rows: Sequence[Ranked]) -> list[Ranked]:
    """Give the same rank to the same score, and mark what the accuracy cannot tell apart."""
    numbered: list[Ranked] = []
    for place, row in enumerate(rows):
        above = numbered[-1] if numbered else None
        same = above is not None and above.score == row.score
        tied = same or (place + 1 < len(rows) and rows[place + 1].score == row.score)
        number = above.rank if above is not None and same else place + 1
        unclear = above is not None and not same and row.high > above.low
        numbered.append(replace(row, rank=number, tied=tied, unclear=unclear))
    return numbered


def is_manufacturing(codes: Collection[str]) -> bool:
    """Return whether an industry has GB/T 4754 codes and all of them are of manufacturing.

    >>> is_manufacturing(["358", "277"]), is_manufacturing(["39", "65"]), is_manufacturing([])
    (True, False, False)
    """
    return bool(codes) and all(int(code[:2]) in MANUFACTURING for code in codes)


def select_service_kinds(listed: Mapping[str, Sequence[Collection[str]]]) -> set[str]:
    """Return the kinds of zones that are not made for manufacturing, as far as the plan's lists tell.

    `listed` maps each kind to the codes of every industry that is listed for zones of that kind. A kind
    is told by it only where more than half of these industries have codes, and none is of manufacturing.
    """
    return {
        kind
        for kind, industries in listed.items()
        if 2 * sum(map(bool, industries)) > len(industries)
        and not any(int(code[:2]) in MANUFACTURING for codes in industries for code in codes)
    }
