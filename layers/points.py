"""Platforms and gateways as points, with the same account of their truth as polygons carry."""

from __future__ import annotations

from collections.abc import Iterator

from shapely.geometry import Point

from geodata.model import Position
from geodata.read import Facts
from geodata.shapes import Shape

SURE_M = 1000.0  # a point known worse than this is shown as indicative


def build_points(facts: Facts) -> dict[str, Shape]:
    """Return the shape of every platform and gateway whose position is known; their area is 0."""
    return {row_id: _to_shape(row_id, position, facts) for row_id, position in _positions(facts)}


def _positions(facts: Facts) -> Iterator[tuple[str, Position]]:
    for gateway in facts.gateways.values():
        yield gateway.id, gateway.position
    for site in facts.sites:
        if site.of in facts.platforms and site.position is not None:
            yield site.of, site.position


def _to_shape(row_id: str, position: Position, facts: Facts) -> Shape:
    point = Point(position.lon, position.lat)
    licences = (facts.sources[source].licence for source in position.sources)
    return Shape(
        id=row_id,
        geometry=point,
        method="digitised" if position.accuracy_m <= SURE_M else "indicative",
        accuracy_m=position.accuracy_m,
        sources=position.sources,
        licence="; ".join(dict.fromkeys(licence for licence in licences if licence)),
        area_km2=0.0,
        label=point,
    )
