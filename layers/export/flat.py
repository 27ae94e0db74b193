"""Rows without nesting, for formats that have only columns: lists are joined with semicolons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from layers.export.job import Part, Row

JOINER = ";"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
DESIGNATIONS = "industries"  # the one field that holds records instead of words
TYPES = {"array": "string"}
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """One column: name, type (``string number integer boolean``), and its meaning in three languages."""

    name: str
    type: str
    meaning: dict[str, str]
    unit: str | None

    def title(self, language: str) -> str:
        """Return the meaning up to its first explanation."""
        return re.split(r"[；;：:]", self.meaning[language], maxsplit=1)[0].strip()


def columns_of(part: Part) -> tuple[Column, ...]:
    """Return the columns of a layer or table in the catalogue's order."""
    return tuple(
        Column(
            field["name"], TYPES.get(field["type"], field["type"]), field["description"], field.get("unit")
        )
        for field in part.info["fields"]
    )


def flatten(part: Part) -> list[dict[str, Value]]:
    """Return the rows as plain values by column name; what is unknown stays None, and so does no entry."""
    names = [field["name"] for field in part.info["fields"]]
    return [{name: _plain(name, values_of(row, part).get(name)) for name in names} for row in part.rows]


def values_of(row: Row, part: Part) -> Row:
    """Return the properties of a feature, or a table's row itself."""
    values: Row = row["properties"] if part.spatial else row
    return values


def _plain(name: str, value: Any) -> Value:
    if not isinstance(value, list):
        plain: Value = value
        return plain
    words = [one["industry_id"] for one in value] if name == DESIGNATIONS else value
    return JOINER.join(map(str, words)) or None


def harmless(value: Value) -> Value:
    """Return what a cell may hold: no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
