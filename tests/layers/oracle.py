"""What a filter means, said a second time as plainly as possible, and filters written as CQL2."""

from __future__ import annotations

import json
import math
import operator
import re
from typing import Any

import shapely
from hypothesis import strategies as st
from shapely.geometry import shape as to_shape

from layers.cql.tree import (
    And,
    Arithmetic,
    ArrayCompare,
    Compare,
    Condition,
    Constant,
    Elements,
    Entries,
    Folded,
    In,
    IsNull,
    IsUnknown,
    Kind,
    Like,
    Not,
    Or,
    PlaceConstant,
    Property,
    Spatial,
    Truth,
)

SETS = {
    "contains": lambda a, b: a >= b,
    "containedBy": lambda a, b: a <= b,
    "equals": lambda a, b: a == b,
    "overlaps": lambda a, b: bool(a & b),
}
CALCULATED: dict[str, Any] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": pow,
}
OPERATORS = ("+", "-", "*", "/", "%", "div", "^")
ORDERS = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def value_of(feature: dict[str, Any], value: Any) -> Any:  # noqa: PLR0911 - one case per kind of value
    """Return a value for one feature as flat formats have it, or None."""
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Folded):
        text = value_of(feature, value.property)
        return text if text is None else text.casefold()
    if isinstance(value, Arithmetic):
        pair = value_of(feature, value.left), value_of(feature, value.right)
        return None if None in pair else calculated(value.operator, *pair)
    if isinstance(value, Entries):
        text = value_of(feature, value.property)
        return text if text is None else frozenset((str, entry) for entry in text.split(";"))
    if isinstance(value, Elements):
        found = [value_of(feature, one) for one in value.members]
        return None if None in found else frozenset((type(one), one) for one in found)
    if value.name == "geometry":
        return feature["geometry"] and to_shape(feature["geometry"])
    given = feature["properties"][value.name]
    if isinstance(given, list):
        return ";".join(one["industry_id"] if isinstance(one, dict) else one for one in given) or None
    return float(given) if type(given) is int else given


def as_served(feature: dict[str, Any]) -> dict[str, Any]:
    """Return a feature of a file as the stores have it: every polygon a MultiPolygon."""
    place = feature["geometry"]
    if place and place["type"] == "Polygon":
        place = {"type": "MultiPolygon", "coordinates": [place["coordinates"]]}
    return feature | {"geometry": place}


def holds(  # noqa: C901, PLR0911 - one case per kind of node
    condition: Condition, feature: dict[str, Any]
) -> bool | None:
    """Tell whether a condition is true of one feature; None where that is unknown."""
    match condition:
        case Truth(value):
            return value
        case Not(part):
            inner = holds(part, feature)
            return None if inner is None else not inner
        case And(parts):
            return all_of([holds(part, feature) for part in parts])
        case Or(parts):
            opposite = all_of([holds(Not(part), feature) for part in parts])
            return None if opposite is None else not opposite
        case IsNull(operand):
            return value_of(feature, operand) is None
        case IsUnknown(part):
            return holds(part, feature) is None
        case ArrayCompare(relation, left, right):
            arrays = value_of(feature, left), value_of(feature, right)
            return None if None in arrays else SETS[relation](*arrays)
        case Compare(order, left, right):
            values = value_of(feature, left), value_of(feature, right)
            return None if None in values else ORDERS[order](*values)
        case In(value, options):
            found = value_of(feature, value)
            return None if found is None else any(found == option.value for option in options)
        case Like(value, pattern):
            found = value_of(feature, value)
            return None if found is None else matches(found, pattern)
        case Spatial(relation, left, right):
            pair = [
                one.geometry if isinstance(one, PlaceConstant) else value_of(feature, one)
                for one in (left, right)
            ]
            return None if None in pair else bool(getattr(pair[0], relation)(pair[1]))
    raise AssertionError(condition)


def calculated(how: str, left: float, right: float) -> float | None:
    if any(one and not 1e-100 <= abs(one) <= 1e100 for one in (left, right)):
        return None
    try:
        if how in {"div", "%"}:
            whole = float(int(left / right))
            return whole if how == "div" else left - right * whole
        if how == "^" and left and abs(right * math.log(abs(left))) > math.log(1e100):
            return None
        made = CALCULATED[how](left, right)
    except ZeroDivisionError:
        return None
    return made if isinstance(made, float) else None


def all_of(values: list[bool | None]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True


def matches(text: str, pattern: str) -> bool:
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    plain = {"%": ".*", "_": "."}
    return bool(re.fullmatch("".join(plain.get(one, re.escape(one[-1])) for one in pieces), text, re.DOTALL))


def to_text(node: Any) -> str:  # noqa: C901, PLR0911, PLR0912 - one case per kind of node
    """Return a condition or a value as CQL2 text."""
    match node:
        case Truth(value):
            return str(value).upper()
        case Not(part):
            return f"NOT ({to_text(part)})"
        case And(parts):
            return " AND ".join(f"({to_text(part)})" for part in parts)
        case Or(parts):
            return " OR ".join(f"({to_text(part)})" for part in parts)
        case IsNull(Property() as name):
            return f"{to_text(name)} IS NULL"
        case IsNull(operand) | IsUnknown(operand):
            return f"({to_text(operand)}) IS NULL"
        case ArrayCompare(relation, left, right):
            return f"A_{relation.upper()}({to_text(left)}, {to_text(right)})"
        case Entries(name):
            return to_text(name)
        case Elements(members):
            return f"({', '.join(map(to_text, members))})"
        case Arithmetic(how, left, right):
            return f"({to_text(left)} {how} {to_text(right)})"
        case Compare(order, left, right):
            return f"{to_text(left)} {order} {to_text(right)}"
        case In(value, options):
            return f"{to_text(value)} IN ({', '.join(map(to_text, options))})"
        case Like(value, pattern):
            return f"{to_text(value)} LIKE {to_text(Constant(pattern))}"
        case Spatial(relation, left, right):
            return f"S_{relation.upper()}({to_text(left)}, {to_text(right)})"
        case Property(name):
            return f'"{name}"'
        case Folded(name):
            return f"CASEI({to_text(name)})"
        case PlaceConstant(geometry):
            return shapely.to_wkt(geometry, rounding_precision=-1)
        case Constant(value):
            return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).upper()
    raise AssertionError(node)


def to_json(node: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - one case per kind of node
    """Return a condition or a value as a CQL2 JSON document."""
    match node:
        case Truth(value) | Constant(value):
            return value
        case Not(part):
            return operation("not", part)
        case And(parts):
            return operation("and", *parts)
        case Or(parts):
            return operation("or", *parts)
        case IsNull(operand) | IsUnknown(operand):
            return operation("isNull", operand)
        case ArrayCompare(relation, left, right):
            return operation(f"a_{relation}", left, right)
        case Entries(name):
            return to_json(name)
        case Elements(members):
            return [to_json(one) for one in members]
        case Arithmetic(how, left, right):
            return operation(how, left, right)
        case Compare(order, left, right):
            return operation(order, left, right)
        case In(value, options):
            return {"op": "in", "args": [to_json(value), [to_json(option) for option in options]]}
        case Like(value, pattern):
            return operation("like", value, Constant(pattern))
        case Spatial(relation, left, right):
            return operation(f"s_{relation}", left, right)
        case Property(name):
            return {"property": name}
        case Folded(name):
            return operation("casei", name)
        case PlaceConstant(geometry):
            return json.loads(shapely.to_geojson(geometry))
    raise AssertionError(node)


def operation(name: str, *arguments: Any) -> dict[str, Any]:
    return {"op": name, "args": [to_json(argument) for argument in arguments]}


RELATIONS = ("intersects", "disjoint", "contains", "within", "touches", "crosses", "overlaps", "equals")
positions = st.tuples(
    st.integers(12140, 12280).map(lambda n: n / 100), st.integers(3660, 3760).map(lambda n: n / 100)
)
shapes = st.one_of(
    positions.map(shapely.Point),
    st.lists(positions, min_size=2, max_size=4, unique=True).map(shapely.LineString),
    st.tuples(positions, st.integers(1, 80), st.integers(1, 80)).map(
        lambda given: shapely.box(*given[0], given[0][0] + given[1] / 100, given[0][1] + given[2] / 100)
    ),
)


def conditions(features: list[dict[str, Any]], kinds: dict[str, Kind]) -> st.SearchStrategy[Condition]:
    """Generate conditions that use the values which the features have, and values near them."""
    names = sorted(kinds)

    def given(name: str) -> list[Any]:
        found = {value_of(feature, Property(name, kinds[name])) for feature in features}
        return sorted(found - {None}, key=str)

    def constants(name: str) -> Any:
        kind = kinds[name]
        any_value: dict[str, Any] = {
            "string": st.text("a%_é中'\\ ", max_size=4),
            "list": st.text("a;中", max_size=3),
            "number": st.integers(-5, 3000).map(float),
        }
        # CQL2 reads a backslash before a quote or an "a" as escaping it, so such a text cannot be written.
        any_value["string"] = any_value["string"].filter(
            lambda text: "\\'" not in text and "\\a" not in text.replace("\\\\", "")
        )
        usual: Any = st.sampled_from(known) if (known := given(name)) else st.nothing()
        return (usual | any_value.get(kind, st.booleans())).map(Constant)

    def of_kind(*wanted: str) -> st.SearchStrategy[str]:
        return st.sampled_from([name for name in names if kinds[name] in wanted])

    def comparison(name: str) -> st.SearchStrategy[Condition]:
        return st.builds(Compare, st.sampled_from(list(ORDERS)), st.just(prop(name)), constants(name))

    def prop(name: str) -> Property:
        return Property(name, kinds[name])

    def pattern(name: str) -> Any:
        pieces = st.lists(st.sampled_from(["%", "_", "\\%", "\\_", *given(name)[:9], "a", "区"]), max_size=4)
        sliced = constants(name).map(lambda constant: "%" + constant.value[1:3].replace("\\", "") + "%")
        return pieces.map("".join).filter(lambda text: not text.endswith("\\")) | sliced

    leaves: list[Any] = [
        st.booleans().map(Truth),
        st.sampled_from(names).map(prop).map(IsNull),
        of_kind("string", "list", "number", "boolean").flatmap(comparison),
        of_kind("string", "list", "number").flatmap(
            lambda name: st.builds(
                In, st.just(prop(name)), st.lists(constants(name), min_size=1, max_size=3).map(tuple)
            )
        ),
        of_kind("string", "list").flatmap(lambda name: st.builds(Like, st.just(prop(name)), pattern(name))),
        of_kind("string", "list").flatmap(
            lambda name: st.builds(
                Like, st.just(Folded(prop(name))), pattern(name).map(lambda text: text.casefold())
            )
        ),
        of_kind("number").flatmap(
            lambda name: st.builds(
                Compare, st.sampled_from(list(ORDERS)), st.just(prop(name)), of_kind("number").map(prop)
            )
        )
        if "number" in kinds.values()
        else st.nothing(),
    ]
    if "number" in kinds.values():
        numbers = (of_kind("number").map(prop)) | of_kind("number").flatmap(constants)
        calculations = st.recursive(
            of_kind("number").map(prop),
            lambda inner: st.builds(Arithmetic, st.sampled_from(OPERATORS), inner | numbers, numbers),
            max_leaves=3,
        ).filter(lambda made: isinstance(made, Arithmetic))
        leaves.append(st.builds(Compare, st.sampled_from(list(ORDERS)), calculations, numbers))
        leaves.append(calculations.map(IsNull))
    if "list" in kinds.values():
        scalars = [name for name in names if kinds[name] in {"string", "list", "number", "boolean"}]
        entry = st.sampled_from(
            [
                part
                for name in names
                if kinds[name] == "list"
                for text in given(name)
                for part in text.split(";")
            ]
            or ["a"]
        ).map(Constant)
        member = entry | st.sampled_from([n for n in scalars if kinds[n] != "list"]).flatmap(
            lambda name: constants(name) | st.just(prop(name))
        )
        members = st.lists(entry, max_size=3) | st.lists(member, max_size=3)
        arrays = of_kind("list").map(prop).map(Entries) | members.map(tuple).map(Elements)
        related = st.builds(ArrayCompare, st.sampled_from(list(SETS)), arrays, arrays)
        leaves += [
            related,
            related.map(IsUnknown),
            arrays.filter(lambda one: one != Elements(())).map(IsNull),
        ]
    if "geometry" in kinds:
        place = st.just(Property("geometry", "geometry"))
        pairs = st.tuples(place, shapes.map(PlaceConstant)) | st.tuples(shapes.map(PlaceConstant), place)
        leaves.append(
            st.builds(lambda relation, pair: Spatial(relation, *pair), st.sampled_from(RELATIONS), pairs)
        )
    return st.recursive(
        st.one_of(leaves),
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=5,
    )
