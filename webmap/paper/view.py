"""Which part of the ground a map shows, and at which scale."""

from __future__ import annotations

from dataclasses import dataclass

import shapely
from shapely import affinity
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds

SCALES = (
    *(25_000, 50_000, 75_000, 100_000, 125_000, 150_000, 200_000, 250_000, 300_000, 350_000, 400_000),
    *(450_000, 500_000, 550_000, 600_000, 650_000, 700_000, 750_000, 800_000, 900_000, 1_000_000),
    *(1_100_000, 1_200_000, 1_300_000, 1_400_000, 1_500_000, 1_600_000, 1_750_000, 2_000_000),
    *(2_250_000, 2_500_000, 3_000_000),
)
MM = 1000.0  # in a metre


@dataclass(frozen=True)
class View:
    """A rectangle on paper, in millimetres, and what of the ground it shows at 1:`scale`."""

    left: float
    top: float
    width: float
    height: float
    east_m: float  # of the rectangle's middle
    north_m: float
    scale: int

    @property
    def bounds_m(self) -> Bounds:
        """West, south, east and north of what is shown, metres."""
        half_x, half_y = self.width * self.scale / MM / 2, self.height * self.scale / MM / 2
        return (
            self.east_m - half_x,
            self.north_m - half_y,
            self.east_m + half_x,
            self.north_m + half_y,
        )

    def to_paper(self, x: float, y: float) -> tuple[float, float]:
        """Return millimetres on paper of metres on the ground."""
        factor = MM / self.scale
        return (
            self.left + self.width / 2 + (x - self.east_m) * factor,
            self.top + self.height / 2 - (y - self.north_m) * factor,
        )

    def draw(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return what of a geometry is shown, in millimetres on paper."""
        west, south, east, north = self.bounds_m
        margin = (east - west) * 0.02
        room = box(west - margin, south - margin, east + margin, north + margin)
        shown = shapely.intersection(geometry, room)
        factor = MM / self.scale
        (x0, y0), (x1, _) = self.to_paper(0, 0), self.to_paper(1, 0)
        return affinity.affine_transform(shown, [x1 - x0, 0, 0, -factor, x0, y0])


def fit(bounds: Bounds, left: float, top: float, size: tuple[float, float], margin: float = 1.04) -> View:
    """Return the view of the roundest scale at which `bounds`, metres, fit into `size`, millimetres."""
    west, south, east, north = bounds
    needed = max((east - west) / size[0], (north - south) / size[1]) * margin * MM
    scale = next((one for one in SCALES if one >= needed), SCALES[-1])
    return View(left, top, size[0], size[1], (west + east) / 2, (south + north) / 2, scale)
