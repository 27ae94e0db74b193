"""What is wrong with a fact: one record for every kind of finding, in Chinese and English."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about one field of one record in one file.

    `row` is the place of a record without an id in the list of its kind, from 0.
    """

    code: str
    file: str
    record: str
    field: str
    value: str
    message_zh: str
    message_en: str
    line: int | None = None
    row: int | None = None
    level: Literal["error", "warning"] = "error"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data for ``--json``."""
        return asdict(self)

    def __str__(self) -> str:
        """Return one line: place, both messages, value; what does not print is left out."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        said = f"{place} [{self.record}] {self.field}: {self.message_zh} / {self.message_en} ({self.value})"
        return "".join(filter(str.isprintable, said))
