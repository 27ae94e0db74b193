"""Say in Chinese and English what a code means, as ``messages.yaml`` words it, in letters that print.

No text of ours may hold letters that files of some format or other cannot be written with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from xml.etree.ElementTree import Element

import yaml

_PLANES: Final = "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
# Control characters but tabulator and line ends, halves of pairs, and what Unicode calls noncharacters.
UNPRINTABLE: Final = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANES}]")


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

    def to_dict(self) -> dict[str, object]:
        """Return the finding as plain data for ``--json``."""
        return asdict(self)

    def __str__(self) -> str:
        """Return one line: place, both messages, value; what does not print is left out."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = " ".join(filter(None, (place, self.record and f"[{self.record}]", self.field)))
        value = "" if self.value == self.file else f" ({self.value})"
        said = f"{where}: {self.message_zh} / {self.message_en}{value}"
        return "".join(filter(str.isprintable, said))


Language = Literal["zh", "en"]

Level = Literal["error", "warning"]

_FILE = Path(__file__).with_name("messages.yaml")


class Place(NamedTuple):
    """Where a finding is: one field of one record in one file.

    A record without an id of its own is known by its `row`, its place in the list, from 0.
    """

    file: str
    record: str
    field: str
    line: int | None = None
    row: int | None = None


def problem(code: str, place: Place, value: object, /, level: Level = "error", **values: object) -> Problem:
    """Return the finding `code` about `value` at `place`, worded in both languages."""
    values |= {"value": value, "field": place.field}
    return Problem(
        code=code,
        **place._asdict(),
        value=str(value),
        message_zh=to_message(code, "zh", **values),
        message_en=to_message(code, "en", **values),
        level=level,
    )


def to_message(code: str, language: Language, /, **values: object) -> str:
    """Return the message for `code` in `language`, filled with `values`; raises KeyError if unknown."""
    wording: str = _messages()[code][language]
    return fill(wording, values)


class _Values(dict[str, object]):
    def __missing__(self, key: str) -> str:
        name, *words = key.split("|")
        if not words:
            raise KeyError(name)
        return words[str(self[name]) != "1"]


def fill(text: str, values: Mapping[str, object]) -> str:
    """Return a text with its values filled in; one without any, as names are, stands as it is written.

    Words by number stand as ``{name|one|many}``.

    >>> fill("{count} {count|row|rows}", {"count": 1}), fill("{count} {count|row|rows}", {"count": 0})
    ('1 row', '0 rows')
    """
    return text.format_map(_Values(values)) if values else text


def words(code: str) -> dict[str, str]:
    """Return the Chinese word list `code`, in its order."""
    listed: dict[str, str] = _messages()[code]["zh"]
    return listed


def list_words(code: Literal["function-words", "grades", "ranks"]) -> tuple[str, ...]:
    """Return Chinese words that have no meaning of their own, or that belong to what they stand before."""
    return tuple(_messages()[code]["zh"])


def word(code: str, language: Language, key: str) -> str:
    """Return one word of the word list `code`, or `key` itself where the list lacks it."""
    words: dict[str, str] = _messages()[code][language]
    return words.get(key, key)


@lru_cache(maxsize=1)
def _messages() -> dict[str, dict[str, Any]]:
    messages: dict[str, dict[str, Any]] = yaml.load(_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return messages


def find_unprintable(text: str) -> str | None:
    """Return the first letter of a text that it may not hold, as ``U+0001``, or None.

    >>> find_unprintable("新区" + chr(1))
    'U+0001'
    >>> find_unprintable("新区") is None
    True
    """
    found = UNPRINTABLE.search(text)
    return name_letter(found[0]) if found else None


def name_letter(letter: str) -> str:
    """Return the name of a letter that cannot be shown."""
    return f"U+{ord(letter):04X}"


def strip_unprintable(root: Element) -> Element:
    """Take what XML cannot hold out of every text and attribute of a document, and return it."""
    for node in root.iter():
        node.text = node.text and UNPRINTABLE.sub("", node.text)
        node.tail = node.tail and UNPRINTABLE.sub("", node.tail)
        for name, value in node.items():
            if UNPRINTABLE.search(value):
                node.set(name, UNPRINTABLE.sub("", value))
    return root
