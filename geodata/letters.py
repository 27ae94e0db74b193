"""Letters that no text of ours may hold: files of some format or other cannot be written with them."""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element

_PLANES: Final = "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
# Control characters but tabulator and line ends, halves of pairs, and what Unicode calls noncharacters.
UNPRINTABLE: Final = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANES}]")


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
