"""What polygons that are to be imported are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shapely.geometry.base import BaseGeometry

from geodata.incoming.adjust import Members
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.titles import Titles
from geodata.land import CITY
from geodata.shapes import Shape


@dataclass(frozen=True)
class Standing:
    """What the new polygons are compared with: the shapes before, and who made them."""

    shapes: Mapping[str, Shape]
    members: Members
    records: Mapping[str, ImportedBoundary]  # by place, with the new ones
    titles: Titles
    beyond: Mapping[str, BaseGeometry] = field(default_factory=dict)  # the counties of other cities

    def accuracy_m(self, place: str) -> float:
        """Return how accurate a place's edge is."""
        record = self.records.get(place)
        return record.accuracy_m if record else self.shapes[place].accuracy_m

    def polygon(self, place: str) -> BaseGeometry:
        """Return a place's polygon, the new one where there is one."""
        record = self.records.get(place)
        return record.polygon() if record else self.shapes[place].geometry

    def holder(self, place: str) -> str | None:
        """Return the nearest place above `place` whose polygon is imported."""
        return next((one for one in self.members.above(place) if one in self.records), None)

    def county(self, place: str) -> str:
        """Return the county that `place` lies in; the city for a county, or where the facts name none."""
        return self.members.county(place) if self.members.parent(place) else CITY

    def method(self, place: str) -> str:
        """Return how a place's polygon was made."""
        record = self.records.get(place)
        return record.method if record else self.shapes[place].method
