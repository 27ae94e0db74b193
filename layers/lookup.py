"""What applies at a point, how far the nearest edge is, and whether the polygons are good enough to say.

Runs in the web process on prepared geometry: shapely and pyproj only. Positions are WGS 84
(lon, lat) in degrees, distances geodesic metres.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapely.geometry import Point

from layers.around import Around
from layers.block import Entry
from layers.places import Places, measure_edge_m

ORDER = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores", "towns")
SHARING = ("counties", "zones", "towns")  # layers whose places do not overlap: a point is in one, or none


class Lookup:
    """Answers what applies at a point, from its `places` and what is `around` them."""

    def __init__(self, places: Places, around: Around) -> None:
        self.around = around
        self._places = places

    def at(self, lon: float, lat: float) -> dict[str, Any]:
        """Return what applies at a point.

        Each entry of ``applies`` is ``inside``, or ``near`` where the point lies outside but closer
        to the edge than the polygon is accurate. ``uncertain`` is true where the distance to the
        edge is less than the polygon's positional accuracy, so that the answer may be wrong; ``doubts``
        then lists, by layer, the places of which the point may be in one, or in none. ``where`` says
        whether the point is in the ``city``, at its ``edge``, on a ``neighbour``'s land, at ``sea`` or
        ``beyond`` what is recorded. ``gateways`` are the nearest port, airport and station.
        """
        point = Point(lon, lat)
        found = sorted(
            (answer for entry in self._places.near(point) if (answer := _answer(entry, point))),
            key=lambda answer: (ORDER.index(answer["layer"]), answer["status"], answer["distance_to_edge_m"]),
        )
        inside = [answer for answer in found if answer["status"] == "inside"]
        covered = any(answer["layer"] == "towns" for answer in inside)
        near = any(answer["layer"] == "counties" for answer in found)
        return {
            "lon": lon,
            "lat": lat,
            "where": self.around.where(point, covered=covered, near=near),
            "covered": covered,
            "uncertain": any(answer["uncertain"] for answer in found),
            # Borders inside the city are drawn less accurately than its coast, which therefore decides.
            "doubts": list(_doubts(found)) if covered or near else [],
            "applies": found,
            "nearest": None if inside else self._nearest(point),
            "gateways": self.around.gateways(point),
        }

    def _nearest(self, point: Point) -> dict[str, Any]:
        """Return the nearest place with its distance, for a point that lies in none."""
        distance, entry = self._places.nearest(point)
        return {key: entry.head[key] for key in ("id", "layer", "name", "url")} | {
            "distance_m": round(distance)
        }


def _doubts(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the layers in which it is not certain which place the point is in."""
    for layer in SHARING:
        rows = [row for row in found if row["layer"] == layer]
        if any(row["uncertain"] for row in rows):
            places = [{key: row[key] for key in ("id", "name", "url")} for row in rows]
            # The nearest edge of a single place leads out of the layer.
            yield {"layer": layer, "places": places, "or_none": len(rows) == 1}


def _answer(entry: Entry, point: Point) -> dict[str, Any] | None:
    distance = measure_edge_m(entry.geometry, point)
    inside = bool(entry.geometry.covers(point))
    uncertain = distance < entry.head["positional_accuracy_m"]
    if not inside and not uncertain:
        return None
    status = "inside" if inside else "near"
    return entry.head | {"status": status, "distance_to_edge_m": round(distance), "uncertain": uncertain}
