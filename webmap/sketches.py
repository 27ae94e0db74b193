"""Arrange the small maps that pages draw inline: which places, in which order, with which labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from webmap.content import Content

Row = dict[str, Any]
Box = tuple[float, float, float, float]  # left, top, right, bottom in the sketch's units
LABEL = 15  # height of a label
LARGE = 22  # where the map is shown small
NARROW = 0.56  # width of a Latin letter over its height; a Chinese one is square
OFFSETS = ((0, 0), (0, -LABEL), (0, LABEL), (0, -2 * LABEL), (0, 2 * LABEL))


def arrange(
    content: Content, marks: Mapping[str, str], language: str, prefixes: Mapping[str, str] | None = None
) -> Row:
    """Return what the template draws: the ground, and the marked places with the largest at the back.

    `marks` gives each place's mark, which becomes a class and a letter of its label. A label that
    would cover another is left out: the list beside the map has them all. `prefixes` are set before
    the names, and only places with one are labelled, the first ones first.
    """
    sketch = content.sketch
    known = [place for place in marks if place in sketch["places"]]
    known.sort(key=lambda place: -(content.documents[place]["area_km2"] or 0))
    taken: dict[int, list[Box]] = {LABEL: [], LARGE: []}
    before = dict.fromkeys(known, "") if prefixes is None else prefixes
    names = {place: content.documents[place]["name"][language] for place in known}
    labels = {
        place: _label((before[place], names[place]), sketch["places"][place], taken, sketch)
        for place in (reversed(known) if prefixes is None else prefixes)
    }
    rows = [_row(content, place, marks[place]) | {"label": labels.get(place)} for place in known]
    ground = {key: sketch[key] for key in ("width", "height", "neighbour", "land", "borders")}
    return ground | {"places": rows}


def _row(content: Content, place: str, mark: str) -> Row:
    document = content.documents[place]
    shape = content.sketch["places"][place]
    own = {key: document[key] for key in ("id", "layer", "url", "name")}
    return own | {"mark": mark} | dict(shape)


def _label(text: tuple[str, str], shape: Row, taken: dict[int, list[Box]], sketch: Row) -> Row | None:
    """Return where a prefix and name fit without covering another label, or None; takes the room.

    `tight` says that the same label in large letters would cover another.
    """
    prefix, name = text
    for dx, dy in OFFSETS:
        x, y = shape["x"] + dx, shape["y"] + dy
        if _take(prefix + name, (x, y, LABEL), taken, sketch):
            tight = not _take(prefix + name, (x, y, LARGE), taken, sketch)
            return {"x": round(x, 1), "y": round(y, 1), "text": name, "prefix": prefix, "tight": tight}
    return None


def _take(text: str, at: tuple[float, float, int], taken: dict[int, list[Box]], sketch: Row) -> bool:
    x, y, size = at
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    half = size * (wide + NARROW * (len(text) - wide)) / 2
    box = (x - half, y - size / 2, x + half, y + size / 2)
    inside = min(box[:2]) > 0 and box[2] < sketch["width"] and box[3] < sketch["height"]
    free = inside and not any(_overlap(box, other) for other in taken[size])
    if free:
        taken[size].append(box)
    return free


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
