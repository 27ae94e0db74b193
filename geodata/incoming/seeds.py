"""Labelled points of which the nearest decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.incoming.planar import from_plane, to_plane

_SPACING_DEG: Final = 1e-3  # between the samples of an edge


class Seeds:
    """Labelled points of which the nearest decides."""

    def __init__(self, edges: Mapping[str, BaseGeometry]) -> None:
        labels: list[str] = []
        points: list[NDArray[np.float64]] = []
        for label, edge in edges.items():
            found = shapely.get_coordinates(shapely.segmentize(to_plane(edge), _SPACING_DEG))
            labels += [label] * len(found)
            points.append(found)
        every = np.concatenate(points) if points else np.empty((0, 2))
        self.points, first = np.unique(every.round(9), axis=0, return_index=True)
        self.labels = [labels[index] for index in first]
        self._tree = shapely.STRtree([shapely.Point(point) for point in self.points])

    def nearest(self, point: BaseGeometry) -> str | None:
        """Return the label of the nearest seed; None where there is none."""
        if not self.labels:
            return None
        found = self._tree.nearest(to_plane(point))
        return None if found is None else self.labels[int(found)]

    def cuts(self, region: BaseGeometry) -> list[BaseGeometry]:
        """Return the lines inside `region` between what is nearest to different labels."""
        if region.is_empty or len(set(self.labels)) < 2:  # noqa: PLR2004 - one label needs no line
            return []
        cells = shapely.get_parts(
            shapely.voronoi_polygons(
                shapely.MultiPoint(self.points), extend_to=to_plane(region).envelope, ordered=True
            )
        )
        groups: dict[str, list[BaseGeometry]] = {}
        for label, cell in zip(self.labels, cells, strict=True):
            groups.setdefault(label, []).append(cell)
        lines = shapely.union_all([shapely.coverage_union_all(found).boundary for found in groups.values()])
        return [shapely.intersection(from_plane(lines), region)]
