"""A small SVG writer: texts escaped, figures rounded so that the same map gives the same bytes.

One unit is a millimetre on paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.letters import strip_unprintable

SVG = "http://www.w3.org/2000/svg"
Attribute = str | float


class Drawing:
    """A drawing of a size in millimetres."""

    def __init__(self, width_mm: float, height_mm: float, title: str, family: str) -> None:
        size = {"width": f"{width_mm:g}mm", "height": f"{height_mm:g}mm"}
        self.root = Element("svg", {"xmlns": SVG, **size, "viewBox": f"0 0 {width_mm:g} {height_mm:g}"})
        self.root.set("font-family", family)
        SubElement(self.root, "title").text = title
        self._defs = SubElement(self.root, "defs")
        self._patterns: set[str] = set()

    def add(self, name: str, **attributes: Attribute) -> Element:
        """Append an element to the drawing; underscores in attribute names become hyphens."""
        return add_to(self.root, name, attributes)

    def words(self, x: float, y: float, text: str, size: float, **attributes: Attribute) -> Element:
        """Append a text whose middle line is at `y`."""
        node = self.add("text", x=x, y=y + size * 0.36, font_size=size, **attributes)
        node.text = text
        return node

    def clip(self, x: float, y: float, size: tuple[float, float]) -> Element:
        """Return a group that shows only what lies in a rectangle."""
        frame = SubElement(self._defs, "clipPath", {"id": "frame"})
        add_to(frame, "rect", {"x": x, "y": y, "width": size[0], "height": size[1]})
        return self.add("g", clip_path="url(#frame)")

    def pattern(self, name: str, size: float, mark: dict[str, Attribute], turn: float = 0) -> str:
        """Return the paint of a pattern, defined once by its name; `mark` are the attributes of its path."""
        if name not in self._patterns:
            self._patterns.add(name)
            own: dict[str, Attribute] = {"id": name, "width": size, "height": size}
            own |= {"patternUnits": "userSpaceOnUse", "patternTransform": f"rotate({turn:g})"}
            node = SubElement(self._defs, "pattern", {key: _write(value) for key, value in own.items()})
            add_to(node, "path", mark)
        return f"url(#{name})"

    def to_svg(self) -> str:
        """Return the document."""
        return tostring(strip_unprintable(self.root), encoding="unicode")


def add_to(parent: Element, name: str, attributes: Mapping[str, Attribute]) -> Element:
    """Append an element to another one."""
    return SubElement(
        parent, name, {key.replace("_", "-"): _write(value) for key, value in attributes.items()}
    )


def to_path(geometry: BaseGeometry) -> str:
    """Return the rings or lines of a geometry in millimetres as path data, to a hundredth."""
    parts = []
    for part in shapely.get_parts(geometry):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = [f"{x:.2f} {y:.2f}" for x, y in shapely.get_coordinates(ring)]
            if len(points) > 1:
                parts.append(f"M{'L'.join(points)}{'Z' if part.geom_type == 'Polygon' else ''}")
    return "".join(parts)


def _write(value: Attribute) -> str:
    return value if isinstance(value, str) else f"{round(value, 3):g}"
