"""Rows without nesting, for formats that have only columns: lists are joined with semicolons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from layers.export.job import Part, Row

JOINER = ";"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
SHORT = 10  # letters of a column's name where a format has no more
TYPES = {"array": "string"}
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """One column: name, type (``string number integer boolean``), and its meaning in three languages."""

    name: str
    type: str
    meaning: dict[str, str]
    unit: str | None
    short: str  # at most ten letters

    def title(self, language: str) -> str:
        """Return the meaning up to its first explanation."""
        return headline(self.meaning[language])


def headline(meaning: str) -> str:
    """Return what a property means up to the first explanation.

    >>> headline("Kind: what the plan calls it")
    'Kind'
    """
    return re.split(r"[；;：:]|\. ", meaning, maxsplit=1)[0].strip()


def columns_of(part: Part) -> tuple[Column, ...]:
    """Return the columns of a layer or table in the catalogue's order."""
    return tuple(_to_columns(part))


def _to_columns(part: Part) -> Iterator[Column]:
    for field in part.info["fields"]:
        kind, short = TYPES.get(field["type"], field["type"]), field.get("short") or field["name"][:SHORT]
        yield Column(field["name"], kind, field["description"], field.get("unit"), short)
        if flat := field.get("flat"):
            yield Column(flat["name"], "string", flat["description"], None, flat["short"])


def flatten(part: Part) -> list[dict[str, Value]]:
    """Return the rows as plain values by column name; what is unknown stays None, and so does no entry."""
    return [_flatten(values_of(row, part), part) for row in part.rows]


def _flatten(values: Row, part: Part) -> dict[str, Value]:
    plain: dict[str, Value] = {}
    for field in part.info["fields"]:
        value = values.get(field["name"])
        plain[field["name"]] = _plain(value)
        if flat := field.get("flat"):
            plain[flat["name"]] = _plain([one[flat["of"]] for one in value or ()])
    return plain


def values_of(row: Row, part: Part) -> Row:
    """Return the properties of a feature, or a table's row itself."""
    values: Row = row["properties"] if part.spatial else row
    return values


def _plain(value: Any) -> Value:
    if not isinstance(value, list):
        plain: Value = value
        return plain
    words = [one["industry_id"] if isinstance(one, dict) else str(one) for one in value]
    return JOINER.join(words) or None


def harmless(value: Value) -> Value:
    """Return what a cell may hold: no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
