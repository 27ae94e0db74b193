"""The figures that the plan measures itself by, each with its year and the plan's own words."""

from __future__ import annotations

from typing import Literal

from geodata.model import ClauseId, Comparator, Id, Record, Text


class IndicatorValue(Record):
    """One figure of an indicator with its year and the plan's own words."""

    value: float
    year: int | None
    wording: str
    clause: ClauseId
    comparator: Comparator = "="


Direction = Literal["up", "down", "hold"]


class Indicator(Record):
    """Something the plan measures; base and target may be missing, with the reason."""

    id: Id
    group: Literal[
        "resources",
        "ecology",
        "enterprises",
        "industry",
        "marine",
        "opening",
        "tourism",
        "talent",
        "city",
        "cluster",
    ]
    name: Text
    unit: Text
    direction: Direction | None = None  # None where the plan sets no target
    base: IndicatorValue | None = None
    no_base: Text | None = None
    target: IndicatorValue | None = None
    no_target: Text | None = None
    note: Text | None = None
