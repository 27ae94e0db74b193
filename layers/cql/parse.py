"""Parse CQL2 text and JSON: refused by size and depth first, parsed by pygeofilter, then checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from lark import Lark, UnexpectedInput, v_args
from pygeofilter import ast, values
from pygeofilter.parsers import cql2_json
from pygeofilter.parsers.cql2_text.parser import CQLTransformer

from layers.axes import CRS84, Axes
from layers.cql import check, geometry
from layers.cql.document import to_draft
from layers.cql.fault import FilterError
from layers.cql.moments import KINDS, read_moment
from layers.cql.tree import Condition, Kind

MAX_BYTES = 16_384
MAX_DEPTH = 32  # brackets in brackets
LANGUAGES = ("cql2-text", "cql2-json")
_QUOTED = {"cql2-text": r"'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)", "cql2-json": r'"(?:\\.|[^"\\])*(?:"|\Z)'}
_CONTROLS = dict(zip("abtnvfr", "\a\b\t\n\v\f\r", strict=True))
# Two backslashes stay as they are: a pattern means one by them.
_ESCAPED = re.compile(r"''|\\\\|\\['abtnvfr]")
_BRACKETS = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)


def parse_filter(text: str, language: str, kinds: Mapping[str, Kind], axes: Axes = CRS84) -> Condition:
    """Return the checked filter.

    `language` is one of :data:`LANGUAGES`, `kinds` the queryables of the collection, `axes` the system
    of the coordinates in the filter. Raises :class:`~layers.cql.fault.FilterError`.
    """
    refuse_large(text, language)
    tree = _parse_text(text) if language == "cql2-text" else _parse_json(text)
    return check.Checker(kinds, axes).condition(tree)


def refuse_large(text: str, language: str) -> None:
    """Raise FilterError for a filter that is not worth parsing: too many bytes, or too deep."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise FilterError("bytes", str(size), [f"≤ {MAX_BYTES}"])
    depth = deepest = 0
    for character in re.sub(_QUOTED[language], "", text):
        depth += _BRACKETS.get(character, 0)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise FilterError("depth", str(deepest), [f"≤ {MAX_DEPTH}"])


def _parse_text(text: str) -> Any:
    try:
        return _grammar().parse(text)
    except UnexpectedInput as error:
        if text.lstrip().startswith("{"):
            raise FilterError("language", text, ["cql2-json"]) from error
        at = max(getattr(error, "pos_in_stream", None) or 0, 0)
        raise FilterError("syntax", text[at:] or "…") from error


def _unescape(found: re.Match[str]) -> str:
    written = found[0]
    if written == r"\\":
        return written
    return _CONTROLS.get(written[1], "'")


def _parse_json(text: str) -> Any:
    try:
        document = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise FilterError("syntax", text) from error
    draft = to_draft(document)
    try:
        return cql2_json.parse(draft)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise FilterError("syntax", text) from error


@v_args(inline=True)
class _Transformer(CQLTransformer):  # type: ignore[misc]
    """pygeofilter's, for a grammar that ranks AND before OR and reads all of CQL2's literals."""

    def truth(self, value: bool) -> ast.Node:  # noqa: FBT001 - called by the parser
        return ast.Include(not value)

    def function(self, name: Any, *arguments: Any) -> ast.Node | date:
        if name.lower() in KINDS and len(arguments) == 1 and isinstance(arguments[0], str):
            return read_moment(name.lower(), arguments[0])
        return ast.Function(str(name), [one for one in arguments if one is not None])

    def bbox(self, *numbers: float) -> values.Geometry:
        return geometry.box(numbers)

    def WKT(self, token: str) -> values.Geometry:  # noqa: N802 - named by the grammar
        return geometry.read_wkt(str(token))

    def STRING(self, token: str) -> str:  # noqa: N802
        return _ESCAPED.sub(_unescape, token[1:-1])

    def QUOTED(self, token: str) -> str:  # noqa: N802
        return token[1:-1].replace('""', '"')

    def NUMBER(self, token: str) -> float:  # noqa: N802
        return float(token)


@cache
def _grammar() -> Lark:
    text = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", transformer=_Transformer(), maybe_placeholders=False)
