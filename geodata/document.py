"""Split the text of a Chinese government plan into its numbered clauses.

Pure text work: nothing here knows what the plan says, only how such documents are numbered
(``一、``, ``(一)``, ``1.``, ``(1)``) and how they print who is responsible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NOTICE = "通知"
PREAMBLE = "引言"

_CHAPTER, _SECTION, _ITEM, _POINT = 1, 2, 3, 4
_DIGITS = "一二三四五六七八九"
_CHINESE = f"[{_DIGITS}十]{{1,3}}"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_WRITTEN = re.compile(rf"([{_DIGITS}十])(?:\(({_CHINESE})\))?((?:\d+(?:\(\d+\))?)?)")
_HEADINGS = (
    (_CHAPTER, re.compile(rf"({_CHINESE})、")),
    (_SECTION, re.compile(rf"\(({_CHINESE})\)")),
    (_ITEM, re.compile(r"(\d{1,2})\.(?!\d)")),
    (_POINT, re.compile(r"\((\d{1,2})\)")),
)
_INLINE_POINT = re.compile(r"(?<=[。;:])(?=\(\d{1,2}\))")
_BLOCK = re.compile(r"[(〔]责任单位:((?:[^()〔〕]|\([^()]*\))+)[)〕]")
_UNIT_SEPARATOR = re.compile(r"[、,]")
_PAGE_BREAK = re.compile(r"_ueditor_page_break_tag_|\f")
_PAGE_NUMBER = re.compile(r"[-—–·]*第?\d{1,3}页?(?:[/,]?共?\d{1,3}页?)?[-—–·]*")
_NEW_PAGE = "-0-"  # as a page number is printed
_ENDS = tuple("。:!?”’)〕》")
_LONG = 20  # letters of a line that is no heading
_WEB_PROSE_ENDS = "原文如下"
_WEB_TAIL = re.compile(r"\n评论\s*$")
_TITLE_IN_NOTICE = re.compile(r"关于印发(.+?)的通知")
_ADDRESS = re.compile(rf"({_CHINESE})(?:\(({_CHINESE})\)(?:(\d{{1,2}})(?:\((\d{{1,2}})\))?)?)?")
_SENTENCE_END = re.compile(r"[。;\n]")

# Full-width ASCII punctuation and the half-width forms of CJK punctuation; letters and digits stay.
_WIDTH = {0xFEE0 + code: chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum()}
_WIDTH |= dict(zip(map(ord, "｡､｢｣"), "。、「」", strict=True))


@dataclass(frozen=True, slots=True)
class Document:
    """A plan cut into clauses, in the order of the text.

    ``own`` holds each clause's own words, ``units`` the names printed in the responsible-unit
    block of each clause that has one, ``points`` the points of each item.
    """

    own: dict[str, str]
    units: dict[str, tuple[str, ...]]
    points: dict[str, list[str]]

    def text(self, clause: str) -> str:
        """Return the words of `clause`; an item speaks through its points too. Empty if unknown."""
        speakers = [clause, *self.points.get(clause, [])]
        return "\n".join(filter(None, (self.own.get(speaker) for speaker in speakers)))

    def sentences(self, clause: str) -> list[str]:
        """Return the sentences of `clause`; a semicolon ends one, as the plan lists zones that way."""
        return [part for part in _SENTENCE_END.split(self.text(clause)) if part]


def normalise(text: str) -> str:
    """Return `text` without white space and with punctuation in one width; nothing else changes."""
    return "".join(text.translate(_WIDTH).split())


def is_address(clause: str) -> bool:
    """Return whether `clause` is numbered as such plans number: ``三(一)1(2)`` or a part of it."""
    return _ADDRESS.fullmatch(clause) is not None


def parent_of(clause: str) -> str | None:
    """Return the address one level up, or None for chapters and unnumbered parts."""
    numbers = _numbers(clause)
    return _to_address(numbers[:-1]) if len(numbers) > 1 else None


def above(clause: str) -> list[str]:
    """Return the clauses above `clause`, from the inside out."""
    parent = parent_of(clause)
    return [parent, *above(parent)] if parent else []


def item_of(clause: str) -> str | None:
    """Return the item that the point `clause` belongs to, or None if it is no point."""
    return parent_of(clause) if len(_numbers(clause)) == _POINT else None


def parse_document(text: str) -> Document:
    """Cut `text` into clauses with their responsible units.

    Web prose before 原文如下, breaks and numbers of pages and the trailing 评论 are left out. A heading
    counts only where its number follows the one before it, so that stray numbers open no clause.
    """
    parts: dict[str, list[str]] = {}
    address: str | None = None
    head: list[str] = []
    for line in _lines(text):
        address = _next_address(address, line) or address
        (head if address is None else parts.setdefault(address, [])).append(line)
    own = _split_head(head) | {clause: "\n".join(lines) for clause, lines in parts.items()}
    points = _points_of(own)
    own = _give_blocks_to_items(own, points)
    units = {clause: names for clause, words in own.items() if (names := parse_units(words))}
    return Document(own=own, units=units, points=points)


def parse_units(block: str) -> tuple[str, ...]:
    """Return the names in the responsible-unit block that `block` prints, in order."""
    blocks = _BLOCK.finditer(normalise(block))
    return tuple(name for match in blocks for name in _UNIT_SEPARATOR.split(match[1]))


def _lines(text: str) -> Iterator[str]:
    body = _WEB_TAIL.sub("\n", _PAGE_BREAK.sub(f"\n{_NEW_PAGE}\n", text))
    lines = body.splitlines()
    start = next((number + 1 for number, line in enumerate(lines) if line.startswith(_WEB_PROSE_ENDS)), 0)
    for line in _without_pages(filter(None, map(normalise, lines[start:]))):
        yield from filter(None, _INLINE_POINT.split(line))


def _without_pages(lines: Iterable[str]) -> list[str]:
    """Leave out the numbers of pages, and join what the end of a page cut in two."""
    kept: list[str] = []
    turned = False
    for line in lines:
        if _PAGE_NUMBER.fullmatch(line):
            turned = True
            continue
        if turned and kept and _goes_on(kept[-1], line):
            kept[-1] += line
        else:
            kept.append(line)
        turned = False
    return kept


def _goes_on(before: str, line: str) -> bool:
    opens = any(heading.match(line) for _, heading in _HEADINGS)
    return len(before) >= _LONG and not before.endswith(_ENDS) and not opens


def _next_address(address: str | None, line: str) -> str | None:
    """Return the address that `line` opens after `address`, or None if it opens none."""
    for level, heading in _HEADINGS:
        match = heading.match(line)
        if match:
            numbers = _numbers(address)
            opened = [*numbers[: level - 1], match[1]]
            return _to_address(opened) if _follows(numbers, opened, level) else None
    return None


def _follows(numbers: list[str], opened: list[str], level: int) -> bool:
    before = _value(numbers[level - 1]) if len(numbers) >= level else 0
    return len(opened) == level and _value(opened[-1]) == before + 1


def _numbers(address: str | None) -> list[str]:
    match = _ADDRESS.fullmatch(address) if address else None
    return [number for number in match.groups() if number] if match else []


def _to_address(numbers: list[str]) -> str:
    return "".join(
        f"({number})" if level in (_SECTION, _POINT) else number for level, number in enumerate(numbers, 1)
    )


def romanise(address: str) -> str:
    """Return the number of a clause as readers of other languages write it; another text as it is.

    >>> romanise("三(一)1(2)")
    'III(1)1(2)'
    """
    found = _WRITTEN.fullmatch(address)
    if found is None:
        return address
    part, section, rest = found.groups()
    middle = f"({_value(section)})" if section else ""
    return f"{_ROMAN[_value(part) - 1]}{middle}{rest}"


def _value(number: str) -> int:
    """Return a number below 100 written in digits or in Chinese."""
    if number.isascii():
        return int(number)
    tens, ten, ones = number.rpartition("十")
    return (10 * (_DIGITS.index(tens) + 1 if tens else 1) if ten else 0) + (
        _DIGITS.index(ones) + 1 if ones else 0
    )


def _split_head(head: list[str]) -> dict[str, str]:
    """Cut what stands before the first chapter: the notice, then the plan from its own title on."""
    title = _TITLE_IN_NOTICE.search("".join(head))
    start = next((number for number, line in enumerate(head) if title and line == title[1]), 0)
    parts = {NOTICE: "\n".join(head[:start]), PREAMBLE: "\n".join(head[start:])}
    return {name: part for name, part in parts.items() if part}


def _points_of(own: Iterable[str]) -> dict[str, list[str]]:
    points: dict[str, list[str]] = {}
    for clause in own:
        item = item_of(clause)
        if item is not None:
            points.setdefault(item, []).append(clause)
    return points


def _give_blocks_to_items(own: dict[str, str], points: dict[str, list[str]]) -> dict[str, str]:
    """Move a block up to the item, which it serves as a whole, where only the last point prints one."""
    moved = dict(own)
    for item, inside in points.items():
        blocks = [match[0] for point in inside if (match := _BLOCK.search(own[point]))]
        if len(blocks) == 1 and blocks[0] in own[inside[-1]]:
            moved[inside[-1]] = own[inside[-1]].replace(blocks[0], "").strip()
            moved[item] = f"{own[item]}\n{blocks[0]}"
    return moved
