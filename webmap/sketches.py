"""Arrange the small maps that pages draw inline: which places, in which order, with which labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from webmap.content import Content

Row = dict[str, Any]
Box = tuple[float, float, float, float]  # left, top, right, bottom in the sketch's units
SIZES = {"wide": 15, "large": 22}  # height of a label; the second where the map is shown small
NARROW = 0.56  # width of a Latin letter over its height; a Chinese one is square
LINE = 1.15  # height of a line over its letters
# Where a label is tried: shares of its own width and height beside the place's own spot.
OFFSETS = (
    *((0, 0), (0, -1), (0, 1), (-0.3, -0.8), (0.3, -0.8), (-0.3, 0.8), (0.3, 0.8)),
    *((0.6, 0), (-0.6, 0), (0.6, -0.8), (-0.6, -0.8), (0.6, 0.8), (-0.6, 0.8), (0, -2), (0, 2)),
)


def arrange(
    content: Content, marks: Mapping[str, str], language: str, prefixes: Mapping[str, str] | None = None
) -> Row:
    """Return what the template draws: the ground, and the marked places with the largest at the back.

    `marks` gives each place's mark, which becomes a class and a letter of its label. A place has a
    label for each of `SIZES`; one without room is `tight`, as it would cover another: the list beside
    the map has them all. `prefixes` are set before the names, and only places with one are labelled,
    the first ones first.
    """
    sketch = content.sketch
    known = [place for place in marks if place in sketch["places"]]
    known.sort(key=lambda place: -(content.documents[place]["area_km2"] or 0))
    before = dict.fromkeys(reversed(known), "") if prefixes is None else prefixes
    texts = {place: (prefix, _name(content, place, language)) for place, prefix in before.items()}
    labels = {name: _labels(texts, size, sketch) for name, size in SIZES.items()}
    rows = [
        _row(content, place, marks[place]) | {name: labels[name].get(place) for name in SIZES}
        for place in known
    ]
    ground = {key: sketch[key] for key in ("width", "height", "neighbour", "land", "borders")}
    return ground | {"places": rows, "sizes": list(SIZES)}


def _name(content: Content, place: str, language: str) -> str:
    document = content.documents[place]
    return str((document["short_name"] or document["name"])[language])


def _row(content: Content, place: str, mark: str) -> Row:
    document = content.documents[place]
    shape = content.sketch["places"][place]
    own = {key: document[key] for key in ("id", "layer", "url", "name")}
    return own | {"mark": mark} | dict(shape)


def _labels(texts: Mapping[str, tuple[str, str]], size: int, sketch: Row) -> dict[str, Row]:
    """Return where each prefix and name stands at `size` covering no other; `tight` where none fits."""
    taken: list[Box] = []
    labels = {}
    for place, (prefix, name) in texts.items():
        shape = sketch["places"][place]
        width = _width(prefix + name, size)
        spots = [(shape["x"] + dx * width, shape["y"] + dy * LINE * size) for dx, dy in OFFSETS]
        boxes = {spot: _box(spot, width, size) for spot in spots}
        free = next((spot for spot in spots if _is_free(boxes[spot], taken, sketch)), None)
        if free:
            taken.append(boxes[free])
        x, y = free or spots[0]
        labels[place] = {
            "x": round(x, 1),
            "y": round(y, 1),
            "text": name,
            "prefix": prefix,
            "tight": free is None,
        }
    return labels


def _width(text: str, size: int) -> float:
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return size * (wide + NARROW * (len(text) - wide))


def _box(spot: tuple[float, float], width: float, size: int) -> Box:
    (x, y), half = spot, width / 2
    return (x - half, y - LINE * size / 2, x + half, y + LINE * size / 2)


def _is_free(box: Box, taken: list[Box], sketch: Row) -> bool:
    inside = min(box[:2]) > 0 and box[2] < sketch["width"] and box[3] < sketch["height"]
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
