"""Parse CQL2 text and JSON, refused by size and depth first, and check them against the queryables.

JSON is the tree that :mod:`layers.cql.type_check` takes; text becomes one by the ``cql2`` library. That
parser recurses by operator, needs time that doubles with every bracket before a mistake, and takes
``ORDER`` for ``OR DER``. So it is given the content of one pair of brackets at a time, with few operators
in a row, and names, geometries and what other brackets hold stand in it as numbered names.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from string import digits
from typing import Any

import cql2
import orjson

from layers.axes import CRS84, Axes
from layers.cql.tree import MOMENTS, Condition, FilterError, Kind, unknown
from layers.cql.type_check import ARRAYS, FUNCTIONS, MAX_NESTED, RELATIONS, Checker, read_wkt, refuse_no_text

MAX_BYTES = 16_384
MAX_DEPTH = 32  # brackets in brackets
LANGUAGES = ("cql2-text", "cql2-json")
_QUOTED = {"cql2-text": r"'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)", "cql2-json": r'"(?:\\.|[^"\\])*(?:"|\Z)'}
_BRACKETS = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)
_CONTROLS = dict(zip("abtnvfr", "\a\b\t\n\v\f\r", strict=True))
# Two backslashes stay as they are: a pattern means one by them.
_ESCAPED = re.compile(r"''|\\\\|\\['abtnvfr]")

_KEYWORDS = {"and", "or", "not", "between", "like", "in", "is", "null", "true", "false", "div"}
_OPERATORS = {"not", "between", "like", "in", "is", "div"}  # beside the signs
_ARRAYS = {name.lower(): name for name in ARRAYS}
_CALLED = {*FUNCTIONS, *(f"s_{relation}" for relation in RELATIONS), *_ARRAYS, "bbox"}
_LETTER = (
    r"A-Za-z_:\xC0-\xD6\xD8-\xF6\xF8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_CALL = re.compile(r"\s*\(")


@cache
def _compile_token() -> re.Pattern[str]:
    """Return what matches one token; the letters of all scripts take as long to compile as a request."""
    return re.compile(
        rf"""
        (?P<text>'(?:''|\\'|[^'])*')
        |(?P<quoted>"(?:""|[^"])+")
        |(?P<geometry>(?:multi)?(?:point|linestring|polygon)|geometrycollection)\s*(?:z\s*)?(?=\()
        |(?P<name>[{_LETTER}][{_LETTER}0-9.\xB7\u0300-\u036F\u203F-\u2040]*)
        |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?)
        |(?P<open>\()|(?P<close>\))|(?P<space>\s+)|(?P<sign><=|>=|<>|[=<>+*/%^-])|(?P<comma>,)|(?P<other>.)
        """,
        re.VERBOSE | re.IGNORECASE | re.DOTALL,
    )


def parse_filter(
    text: str, language: str, kinds: Mapping[str, Kind], axes: Axes = CRS84, max_bytes: int = MAX_BYTES
) -> Condition:
    """Return the checked filter.

    `language` is one of :data:`LANGUAGES`, `kinds` the queryables of the collection, `axes` the system
    of the coordinates in the filter. Raises :class:`~layers.cql.tree.FilterError`.
    """
    refuse_large(text, language, max_bytes)
    tree = _TextReader(text).read() if language == "cql2-text" else _parse_json(text)
    return Checker(kinds, axes).condition(tree)


def refuse_large(text: str, language: str, max_bytes: int) -> None:
    """Raise FilterError for a filter that is not worth parsing: too many bytes, or too deep."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > max_bytes:
        raise FilterError("bytes", str(size), [f"≤ {max_bytes}"])
    depth = deepest = 0
    for character in re.sub(_QUOTED[language], "", text):
        depth += _BRACKETS.get(character, 0)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise FilterError("depth", str(deepest), [f"≤ {MAX_DEPTH}"])


def _parse_json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise FilterError("syntax", text) from error


@dataclass
class _Frame:
    """What stands in one pair of brackets, or outside all, as it is given to the parser."""

    function: str | None = None  # as it is written; "in" of a list; None of bare brackets
    text: str = ""
    starts: list[int] = field(default_factory=list)  # of its tokens, in `text`
    sources: list[int] = field(default_factory=list)  # and in the filter
    operators: int = 0  # since the last AND, OR or comma

    @property
    def ends_in_value(self) -> bool:
        """Whether a sign that comes next stands between two numbers, not before one."""
        return self.text[-2:-1] in {"'", '"', *digits}

    def add(self, written: str, source: int) -> None:
        """Append one token, which begins at `source` in the filter."""
        self.starts.append(len(self.text))
        self.sources.append(source)
        self.text += written if written in {"+", "-"} and not self.ends_in_value else written + " "


class _TextReader:
    """Reads CQL2 text into the tree that JSON writes; geometries in it are shapely's."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes: list[Any] = []  # what the numbered names stand for
        self._frames = [_Frame()]

    def read(self) -> Any:
        """Return the tree; raises FilterError."""
        if self._text.lstrip().startswith("{"):
            raise FilterError("language", self._text, ["cql2-json"])
        at = 0
        while found := _compile_token().match(self._text, at):
            at = self._take(found)
        if len(self._frames) > 1:
            raise self._syntax(len(self._text))
        return self._parse(self._frames[0])

    def _take(self, found: re.Match[str]) -> int:
        """Take one token, and return where the next begins."""
        kind, written = found.lastgroup, found[0]
        frame = self._frames[-1]
        if kind == "text":
            value = _ESCAPED.sub(_unescape, written[1:-1])
            refuse_no_text(value)
            frame.add("'" + value.replace("'", "''") + "'", found.start())
        elif kind == "quoted":
            self._put({"property": written[1:-1].replace('""', '"')}, found.start())
        elif kind == "name":
            return self._take_name(found)
        elif kind == "geometry":
            return self._take_geometry(found)
        elif kind == "open":
            self._open(None, found.start())
        elif kind == "close":
            self._close(found.start())
        elif kind == "number":
            frame.add(f"0{written}" if written.startswith(".") else written, found.start())
        elif kind == "other":
            raise self._syntax(found.start())
        elif kind != "space":
            self._count(written)
            frame.add(written, found.start())
        return found.end()

    def _take_name(self, found: re.Match[str]) -> int:
        name, word = found[0], found[0].lower()
        bracket = _CALL.match(self._text, found.end())
        if word in _KEYWORDS:
            self._count(word)
            self._frames[-1].add(name, found.start())
        elif bracket is None:
            self._put({"property": name}, found.start())
        elif word not in _CALLED:
            raise unknown("function", name, FUNCTIONS)
        if bracket is None or (word in _KEYWORDS and word != "in"):
            return found.end()
        self._open(name, found.start())
        return bracket.end()

    def _take_geometry(self, found: re.Match[str]) -> int:
        """Take well-known text up to the bracket that closes it."""
        depth, at = 0, found.end()
        while at < len(self._text):
            depth += {"(": 1, ")": -1}.get(self._text[at], 0)
            at += 1
            if not depth:
                # Blanks of every width are one to whoever writes them, not to the library.
                self._put(read_wkt(" ".join(self._text[found.start() : at].split())), found.start())
                return at
        raise self._syntax(at)

    def _count(self, written: str) -> None:
        """Count operators in a row, each of which the parser goes deeper for."""
        frame = self._frames[-1]
        if written in {"and", "or", ","}:
            frame.operators = 0
        elif written in _OPERATORS or not written.isalpha():
            frame.operators += 1
            if frame.operators > MAX_NESTED:
                raise FilterError("depth", str(frame.operators), [f"≤ {MAX_NESTED}"])

    def _put(self, node: Any, source: int) -> None:
        self._frames[-1].add(f'"{len(self._nodes)}"', source)
        self._nodes.append(node)

    def _open(self, function: str | None, source: int) -> None:
        frame = _Frame(function)
        frame.add("(" if function is None else "f(", source)
        self._frames.append(frame)

    def _close(self, source: int) -> None:
        if len(self._frames) == 1:
            raise self._syntax(source)
        frame = self._frames.pop()
        of_array = frame.function is None and (self._frames[-1].function or "").lower() in _ARRAYS
        empty = of_array and not frame.text[1:].strip()
        frame.add(")", source)
        node: Any = [] if empty else self._parse(frame)
        if frame.function is not None:
            node = _call(frame.function, node["args"])
        elif of_array and not isinstance(node, list):
            node = [node]
        self._put(node, frame.sources[0])

    def _parse(self, frame: _Frame) -> Any:
        try:
            tree = cql2.parse_text(frame.text).to_json()
        except BaseException as error:
            # What panics in the library is no Exception, and none of its classes can be imported.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise self._syntax(_find_source(frame, str(error), len(self._text))) from error
        return self._resolve(tree)

    def _resolve(self, node: Any) -> Any:
        """Put what the numbered names stand for in their places."""
        if isinstance(node, list):
            return [self._resolve(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "op" not in node:
            number = str(node.get("property"))
            if not number.isdecimal():  # a keyword in the place of a name
                raise FilterError("syntax", number)
            return self._nodes[int(number)]
        arguments = self._resolve(node["args"])
        if node["op"] == "in":
            options = arguments[1][0]
            if not isinstance(options, list):  # without the brackets of a list
                raise FilterError("syntax", self._text)
            arguments[1] = options
        return {"op": node["op"], "args": arguments}

    def _syntax(self, at: int) -> FilterError:
        """Return the error of what cannot be read from `at` on; at the end, of the last that was."""
        last = next((frame.sources[-1] for frame in reversed(self._frames) if frame.sources), at)
        return FilterError("syntax", self._text[at:] or self._text[last:] or "…")


def _find_source(frame: _Frame, message: str, end: int) -> int:
    """Return where in the filter lies what the parser points at by line and column."""
    pointed = re.search(r"--> (\d+):(\d+)", message)
    if pointed is None:
        return frame.sources[0] if frame.sources else end
    line, column = int(pointed[1]), int(pointed[2])
    before = sum(len(row) + 1 for row in frame.text.split("\n")[: line - 1])
    found = before + column - 1
    if found >= len(frame.text.rstrip()):
        return end
    return frame.sources[max(bisect_right(frame.starts, found) - 1, 0)]


def _call(name: str, arguments: list[Any]) -> Any:
    """Return a function, a literal that looks like one, or the list of IN."""
    word = name.lower()
    if word == "in":
        return arguments
    if word == "bbox":
        return {"bbox": arguments}
    if word in MOMENTS:
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            raise FilterError("syntax", f"{name}(…)")
        return {word: arguments[0]}
    if len(arguments) != (1 if word in FUNCTIONS else 2):
        raise FilterError("syntax", f"{name}(…)")
    return {"op": _ARRAYS.get(word, word), "args": arguments}


def _unescape(found: re.Match[str]) -> str:
    written = found[0]
    if written == r"\\":
        return written
    return _CONTROLS.get(written[1], "'")
