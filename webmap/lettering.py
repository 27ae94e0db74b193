"""Place labels on small maps so that none covers another."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, top, right, bottom in the map's units
Spot = tuple[float, float]
NARROW = 0.56  # width of a Latin letter over its height; a Chinese one is square
LINE = 1.15  # height of a line over its letters
# Where a label is tried: shares of its own width and height beside the place's own spot.
OFFSETS = (
    *((0, 0), (0, -1), (0, 1), (-0.3, -0.8), (0.3, -0.8), (-0.3, 0.8), (0.3, 0.8)),
    *((0.6, 0), (-0.6, 0), (0.6, -0.8), (-0.6, -0.8), (0.6, 0.8), (-0.6, 0.8), (0, -2), (0, 2)),
)

UPRIGHT = 3  # so many of them keep a label over its spot


@dataclass(frozen=True)
class Label:
    """A text that is to stand, centred, at or beside a spot; `size` is the height of its letters."""

    text: str
    at: Spot
    size: float
    strays: bool = True  # may stand to the side of its spot; above or below it always


def place_labels(labels: Iterable[Label], view: Spot) -> list[Spot | None]:
    """Return where the middle of each label stands in a view of (width, height); None where none fits.

    The first ones choose first.
    """
    taken: list[Box] = []
    found = []
    for label in labels:
        width = _width(label)
        x, y = label.at
        offsets = OFFSETS if label.strays else OFFSETS[:UPRIGHT]
        spots = [(x + dx * width, y + dy * LINE * label.size) for dx, dy in offsets]
        free = next((spot for spot in spots if _is_free(measure_box(label, spot), taken, view)), None)
        if free:
            taken.append(measure_box(label, free))
        found.append(free)
    return found


def _width(label: Label) -> float:
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in label.text)
    return label.size * (wide + NARROW * (len(label.text) - wide))


def measure_box(label: Label, spot: Spot) -> Box:
    """Return the room that a label takes whose middle is at `spot`."""
    (x, y), half = spot, _width(label) / 2
    return (x - half, y - LINE * label.size / 2, x + half, y + LINE * label.size / 2)


def _is_free(box: Box, taken: list[Box], view: Spot) -> bool:
    inside = min(box[:2]) > 0 and box[2] < view[0] and box[3] < view[1]
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
