"""Settle slivers: nobody gets a new detached part that is narrower than our lines are accurate.

Such a part says nothing but that two drawings of one line differ. It goes to whom it shares the longest
edge with: the sea, or another piece that may take land. What was a part before stays one, and an
island that the polygon leaves out is no sliver. Nor is what lies in a hole of the polygon: it stays whose it
was, as nobody else is beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.incoming.planar import GRID_DEG, is_narrow
from geodata.land import SEA

_ROUNDS: Final = 3  # a sliver may lie behind another


@dataclass
class Face:
    """A face between all lines: who has it before and after, and whether it is inside the claim's area."""

    polygon: shapely.Polygon
    before: str
    owner: str
    inside: bool


def settle(faces: Sequence[Face], sides: tuple[frozenset[str], frozenset[str]], width_m: float) -> None:
    """Give every new detached sliver, narrower than `width_m`, to its neighbour.

    `sides` are the claim's own pieces, and those that may take land given up; nothing passes from one
    to the other.
    """
    work = _Work(faces, width_m)
    for _ in range(_ROUNDS):
        found = [(part, side) for side in sides for owner in sorted(side) for part in work.find(owner)]
        given = [work.give(part, side) for part, side in found]
        if not any(given):
            return


class _Work:
    def __init__(self, faces: Sequence[Face], width_m: float) -> None:
        self.faces, self.width_m = faces, width_m
        self.tree = shapely.STRtree([face.polygon for face in faces])

    def find(self, owner: str) -> list[list[int]]:
        """Return the faces of each new detached sliver of `owner`."""
        mine = [number for number, face in enumerate(self.faces) if face.owner == owner]
        old = [face.polygon for face in self.faces if face.before == owner]
        parts = self._parts([self.faces[number].polygon for number in mine])
        slivers = [part for part in parts[:-1] if is_narrow(part, self.width_m)]
        known = [part for part in self._parts(old) if is_narrow(part, self.width_m)] if slivers else []
        found = []
        for part in slivers:
            members = [one for one in mine if part.contains(self.faces[one].polygon.representative_point())]
            kept = all(self.faces[one].before == owner for one in members)
            was_there = kept and any(one.contains(part.representative_point()) for one in known)
            if not was_there and not self._is_island(members):
                found.append(members)
        return found

    def give(self, part: Sequence[int], side: frozenset[str]) -> bool:
        """Give a sliver to whom it shares the longest edge with; return whether there is one."""
        inside = self.faces[part[0]].inside
        own = self.faces[part[0]].owner
        lengths: dict[str, float] = defaultdict(float)
        for number, length in self._edges(part):
            lengths[self.faces[number].owner] += length
        outline = shapely.coverage_union_all([self.faces[one].polygon for one in part])
        lengths[SEA] += outline.length - sum(lengths.values())
        takers = {
            name: length
            for name, length in lengths.items()
            if length > GRID_DEG and name != own and (name in side or (name == SEA and not inside))
        }
        if not takers:
            return False
        taker = max(sorted(takers), key=lambda name: takers[name])
        for one in part:
            self.faces[one].owner = taker
        return True

    def _edges(self, part: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Yield the faces that share edges with a part, and how long each is."""
        for one in part:
            polygon = self.faces[one].polygon
            for number in self.tree.query(polygon, predicate="intersects"):
                if number not in part:
                    other = self.faces[number].polygon
                    yield int(number), shapely.intersection(polygon.boundary, other.boundary).length

    def _is_island(self, part: Sequence[int]) -> bool:
        """Tell whether a part is all the land there was, with nothing but sea around it, then and now."""
        return all(
            length <= GRID_DEG or self.faces[number].before == self.faces[number].owner == SEA
            for number, length in self._edges(part)
        )

    @staticmethod
    def _parts(polygons: list[shapely.Polygon]) -> list[BaseGeometry]:
        """Return the connected parts, the largest last."""
        parts = shapely.get_parts(shapely.coverage_union_all(polygons)) if polygons else ()
        return sorted(parts, key=lambda part: part.area)
