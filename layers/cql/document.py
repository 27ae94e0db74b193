"""Bring a CQL2 JSON document into the shape that pygeofilter reads, refusing everything else.

pygeofilter reads a draft of CQL2 JSON: it takes the bounds of BETWEEN as one list, orders a bbox
otherwise, and looks at no numbers of arguments.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from layers.cql.fault import FilterError, unknown
from layers.cql.moments import KINDS, read_moment

RELATIONS = ("intersects", "disjoint", "contains", "within", "touches", "crosses", "overlaps", "equals")
_ANY = 10_000  # more arguments than fit into a filter
_ARITY = {
    "and": (2, _ANY),
    "or": (2, _ANY),
    "not": (1, 1),
    "isNull": (1, 1),
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), (2, 2)),
    **{f"s_{relation}": (2, 2) for relation in RELATIONS},
    "between": (3, 3),
    "like": (2, 2),
    "in": (2, 2),
    "casei": (1, 1),
}
_GEOMETRIES = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
_BOX_SIZES = (4, 6)
BOX = "BBox"  # no type of GeoJSON: what its numbers mean depends on the order of the axes


def to_draft(node: Any) -> Any:
    """Return the document as pygeofilter takes it; raises FilterError where it is no CQL2."""
    if isinstance(node, str | int | float):  # also true and false
        return node
    if not isinstance(node, dict):
        raise FilterError("syntax", _show(node))
    if "op" in node:
        return _operation(node)
    if set(node) == {"property"} and isinstance(node["property"], str):
        return node
    if len(node) == 1 and (name := next(iter(node))) in _LITERALS:
        return _LITERALS[name](node[name])
    if node.get("type") == "GeometryCollection":
        # pygeofilter knows a geometry by its coordinates, and keeps what stands beside them.
        return {"type": "GeometryCollection", "coordinates": [], "geometries": node.get("geometries")}
    if node.get("type") in _GEOMETRIES and set(node) <= {"type", "coordinates", "bbox"}:
        return {"type": node["type"], "coordinates": node.get("coordinates")}
    raise FilterError("syntax", _show(node))


def _operation(node: dict[str, Any]) -> dict[str, Any]:
    name, arguments = node["op"], node.get("args")
    if not isinstance(name, str) or name not in _ARITY:
        raise unknown("function", name if isinstance(name, str) else _show(name), _ARITY)
    least, most = _ARITY[name]
    if not isinstance(arguments, list) or not least <= len(arguments) <= most or set(node) != {"op", "args"}:
        raise FilterError("syntax", _show(node))
    if name == "in":
        return {"op": name, "args": [to_draft(arguments[0]), _options(arguments[1])]}
    read = [to_draft(argument) for argument in arguments]
    return {"op": name, "args": [read[0], read[1:]] if name == "between" else read}


def _options(given: Any) -> list[Any]:
    if not isinstance(given, list) or not given:
        raise FilterError("syntax", _show(given))
    return [to_draft(option) for option in given]


def _bbox(numbers: Any) -> dict[str, Any]:
    good = isinstance(numbers, list) and len(numbers) in _BOX_SIZES
    if not good or not all(type(number) in {int, float} for number in numbers):
        raise FilterError("geometry", _show(numbers))
    return box_document([float(number) for number in numbers])


def _show(node: Any) -> str:
    """Return a part of the document as it was written, not as Python would."""
    return json.dumps(node, ensure_ascii=False)


def box_document(numbers: list[float]) -> dict[str, Any]:
    """Return a bounding box of four numbers, or of six with heights, as pygeofilter carries geometries."""
    size = len(numbers) // 2
    return {"type": BOX, "coordinates": [*numbers[:2], *numbers[size : size + 2]]}


_LITERALS: dict[str, Callable[[Any], Any]] = {
    "bbox": _bbox,
    **{kind: partial(read_moment, kind) for kind in KINDS},
}
