"""Where names go on a paper map: beside or above one another, never on top.

Boxes are in millimetres: left, top, right, bottom.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

Box = tuple[float, float, float, float]
Size = tuple[float, float]  # width and height, or a step right and down
LATIN = 0.56  # width of a Latin letter over the font's size; a Chinese one is square
GAP = 0.5


@dataclass(frozen=True)
class Spot:
    """A place for the middle of a name, and how far it may move away."""

    x: float
    y: float


class Room:
    """The room that is left on a map."""

    def __init__(self, frame: Box) -> None:
        self.frame = frame
        self.taken: list[Box] = []

    def block(self, box: Box) -> None:
        """Keep names off a box."""
        self.taken.append(box)

    def place(self, spot: Spot, size: Size, steps: tuple[Size, ...]) -> Spot | None:
        """Return where a name of `size` fits, trying each of `steps` from the spot, and take the room."""
        width, height = size
        for dx, dy in steps:
            x, y = spot.x + dx, spot.y + dy
            box = (x - width / 2 - GAP, y - height / 2 - GAP, x + width / 2 + GAP, y + height / 2 + GAP)
            if _inside(box, self.frame) and not any(_overlap(box, other) for other in self.taken):
                self.taken.append(box)
                return Spot(x, y)
        return None


def measure(text: str, size: float) -> float:
    """Return about how wide a text is at a font size."""
    return float(sum(size if unicodedata.east_asian_width(one) in "WF" else size * LATIN for one in text))


def around(size: Size, reach: int = 3) -> tuple[Size, ...]:
    """Return steps to try, nearest first: on the spot, above, below, and to the sides."""
    width, height = size
    steps = [(0.0, 0.0)]
    for number in range(1, reach + 1):
        up, side = number * (height + GAP), number * width / 3
        steps += [
            (0, -up),
            (0, up),
            (side, 0),
            (-side, 0),
            (side, -up),
            (-side, -up),
            (side, up),
            (-side, up),
        ]
    return tuple(steps)


def beside(size: Size, radius: float) -> tuple[Size, ...]:
    """Return steps around a point symbol: right, left, above, below, then the corners."""
    width, height = size
    right, up = radius + GAP + width / 2, radius + GAP + height / 2
    corners = [(right, -up), (right, up), (-right, -up), (-right, up)]
    return ((right, 0), (-right, 0), (0, -up), (0, up), *corners)


def _inside(box: Box, frame: Box) -> bool:
    return box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
