"""Where a collection's queryables lie in its table: typed columns, numbers and truth values first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from layers.cql.tree import Kind
from layers.rows import Scalar

TYPES: Final[dict[Kind, str]] = {"string": "text", "number": "float8", "boolean": "bool"}
# Text compares by code point, as in Python; numbers are doubles.
DECLARED: Final[dict[Kind, str]] = {"string": 'text COLLATE "C"', "number": "float8", "boolean": "boolean"}

# Of each queryable: its column, and that of the text without case, which may be the same.
Columns = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Slot:
    """One queryable's place in its table."""

    name: str
    kind: Kind
    column: str
    folded: str | None

    def take(self, value: Scalar) -> Scalar:
        """Return `value` as the column holds it; of another type than its kind it is no value."""
        if self.kind == "string":
            return value if isinstance(value, str) else None
        if self.kind == "boolean":
            return value if isinstance(value, bool) else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def to_slots(kinds: dict[str, Kind]) -> list[Slot]:
    """Return the places of a collection's queryables in the order of their columns."""
    slots = [
        Slot(name, kind, f"v{number}", f"f{number}" if kind == "string" else None)
        for number, (name, kind) in enumerate(kinds.items())
        if kind != "geometry"
    ]
    return sorted(slots, key=lambda slot: slot.kind == "string")
