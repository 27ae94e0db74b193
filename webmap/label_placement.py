"""Where names go on every map that is drawn here: beside or above one another, never on top.

Boxes are left, top, right, bottom, with y downwards, in the map's own units: millimetres on paper, SVG units
on small maps, pixels in files.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.deferred import shapely

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


Box = tuple[float, float, float, float]
Size = tuple[float, float]  # width and height, or a step right and down
LATIN = 0.56  # width of a Latin letter over the font's size; a Chinese one is square
GAP = 0.5  # millimetres kept free around a name on paper
DETOUR = 13.0  # millimetres that a name may go so as not to stand on another figure
BESIDE = 2 * GAP + 0.05  # between a small figure and its name
RINGS, DIRECTIONS = 7, 12
CLOSING = ")、，。；：！？）》〉」』】〕”’"  # begin no line
GRID = 40  # steps across an area, at most
MIDDLE_TOLERANCE_M = 200


@dataclass(frozen=True)
class Spot:
    """A place for the middle of a name, and how far it may move away."""

    x: float
    y: float


class Room:
    """The room that is left on a map; `gap` is kept free around each name."""

    def __init__(self, frame: Box, gap: float = GAP) -> None:
        self.frame, self.gap = frame, gap
        self.taken: list[Box] = []
        self.lines: list[BaseGeometry] = []  # that lead from names to their places

    def block(self, box: Box) -> None:
        """Keep names off a box."""
        self.taken.append(box)

    def place(
        self,
        spot: Spot,
        size: Size,
        steps: tuple[Size, ...],
        is_clear: Callable[[Spot, Box], bool] | None = None,
        reach: float = DETOUR,
    ) -> Spot | None:
        """Return where a name of `size` fits, trying each of `steps` from the spot, and take the room.

        Only where `is_clear` of the name's middle and box, and no more than `reach` farther off than the
        first free spot: a name that had to go farther says no more where it belongs.
        """
        tries = (Spot(spot.x + dx, spot.y + dy) for dx, dy in steps)
        free = (one for one in tries if self._is_free(box_around(one, size, self.gap)))
        first = next(free, None)
        if first is None:
            return None
        near = math.dist((spot.x, spot.y), (first.x, first.y)) + reach
        close = (one for one in (first, *free) if math.dist((spot.x, spot.y), (one.x, one.y)) < near)
        clear = (one for one in close if is_clear is None or is_clear(one, box_around(one, size, self.gap)))
        found = next(clear, None)
        if found is not None:
            self.taken.append(box_around(found, size, self.gap))
        return found

    def crosses(self, line: BaseGeometry) -> bool:
        """Tell whether a line runs through the box of a name, or another line."""
        boxes = [shapely.box(*box) for box in self.taken if _overlap(box, line.bounds)]
        return bool(shapely.intersects([*boxes, *self.lines], line).any())

    def _is_free(self, box: Box) -> bool:
        if not _inside(box, self.frame) or any(_overlap(box, other) for other in self.taken):
            return False
        return not (self.lines and shapely.intersects(self.lines, shapely.box(*box)).any())


def box_around(spot: Spot, size: Size, gap: float = GAP) -> Box:
    """Return the box of a name with a gap around it."""
    half_x, half_y = size[0] / 2 + gap, size[1] / 2 + gap
    return spot.x - half_x, spot.y - half_y, spot.x + half_x, spot.y + half_y


def measure_text(text: str, size: float) -> float:
    """Return about how wide a text is at a font size."""
    return float(sum(size if unicodedata.east_asian_width(one) in "WF" else size * LATIN for one in text))


def around(size: Size) -> tuple[Size, ...]:
    """Return steps to try, nearest first: on the spot, a little to each side, then in growing rings."""
    width, height = size
    up, side = height + GAP, width / 3
    near = [(0.0, 0.0), (0, -up), (0, up), (side, 0), (-side, 0)]
    near += [(side, -up), (-side, -up), (side, up), (-side, up)]
    return (*near, *_rings(width / 2, height / 2))


def beside(size: Size, radius: Size) -> tuple[Size, ...]:
    """Return steps around a small figure of half that width and height, nearest first.

    Right, left, above, below, the corners, then growing rings.
    """
    width, height = size
    right, up = radius[0] + BESIDE + width / 2, radius[1] + BESIDE + height / 2
    corners = [(right, -up), (right, up), (-right, -up), (-right, up)]
    rings = _rings(width / 2 + radius[0] / 2, height / 2 + radius[1])
    return ((right, 0), (-right, 0), (0, -up), (0, up), *corners, *rings)


def within(area: BaseGeometry, at: tuple[float, float], size: Size) -> tuple[Size, ...]:
    """Return steps from `at` to where a name lies wholly in an area, nearest first."""
    left, top, right, bottom = area.bounds
    step_x, step_y = max(size[0] / 3, (right - left) / GRID), max(size[1] / 2, (bottom - top) / GRID)
    steps = []
    for column in range(int((right - left) / step_x) + 1):
        for row in range(int((bottom - top) / step_y) + 1):
            x, y = left + column * step_x, top + row * step_y
            if area.contains(shapely.box(*box_around(Spot(x, y), size))):
                steps.append((x - at[0], y - at[1]))
    return tuple(sorted(steps, key=lambda step: math.hypot(*step)))


def _rings(half_width: float, half_height: float) -> list[Size]:
    """Return steps that put a box off its spot in every direction, further out with each ring."""
    steps = []
    for ring in range(1, RINGS + 1):
        reach = ring * half_height * 1.6
        for number in range(DIRECTIONS):
            turn = math.tau * number / DIRECTIONS
            across, down = math.cos(turn), math.sin(turn)
            steps.append((across * (reach + half_width), down * (reach + half_height)))
    return steps


def to_edge(box: Box, x: float, y: float) -> tuple[float, float]:
    """Return the point of a box that is nearest to a point."""
    return min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])


def find_middle(geometry: BaseGeometry) -> tuple[float, float] | None:
    """Return the roomiest point of the largest part of an area in metres; None for an empty one."""
    parts = [part for part in shapely.get_parts(geometry) if part.area > 0]
    if not parts:
        return None
    largest = max(parts, key=lambda part: part.area)
    circle = shapely.maximum_inscribed_circle(largest, min(MIDDLE_TOLERANCE_M, math.sqrt(largest.area) / 20))
    x, y = shapely.get_coordinates(circle)[0]
    return float(x), float(y)


def _inside(box: Box, frame: Box) -> bool:
    return box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def wrap_text(text: str, room: float, size: float) -> list[str]:
    r"""Return a text in lines no wider than `room`, broken at spaces, or anywhere between Chinese letters.

    Where it has a line feed, between two languages, a line ends in any case.

    >>> wrap_text("检验中心(山东)\nTest Centre", 28, 4)
    ['检验中心(山', '东)', 'Test Centre']
    """
    lines = []
    for part in text.split("\n"):
        line = ""
        for piece in _pieces(part):
            if line and measure_text((line + piece).rstrip(), size) > room:
                lines.append(line.rstrip())
                line = ""
            line += piece
        lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    word = ""
    for letter in text:
        if letter in CLOSING and not word and pieces:
            pieces[-1] += letter
        elif ord(letter) > 0x2E7F and not 0xAC00 <= ord(letter) <= 0xD7A3:  # noqa: PLR2004 - CJK but not Hangul
            pieces += [word + letter] if word and letter in CLOSING else [word, letter] if word else [letter]
            word = ""
        else:
            word += letter
            if letter == " ":
                pieces.append(word)
                word = ""
    return [*pieces, word] if word else pieces
