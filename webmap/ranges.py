"""Parts of a file (RFC 9110, section 14): of a large one a program reads only what it needs."""

from __future__ import annotations

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from webmap.problems import RangeError

READABLE = "Accept-Ranges, Content-Range, ETag"  # by scripts of other hosts


def wants_part() -> bool:
    """Return whether one part of a file is asked for; what is not understood is passed over.

    The whole goes out, as the standard allows, where several parts are asked for, where the request
    has another condition than If-Range, and where that names an answer that went out compressed.
    """
    asked = parse_range_header(request.headers.get("Range"))
    plain = request.method == "GET" and not (request.if_none_match or request.if_match)
    compressed = request.headers.get("If-Range", "").startswith("W/")
    return bool(asked and asked.units == "bytes" and len(asked.ranges) == 1 and plain and not compressed)


def make_conditional(response: Response, length: int, *, parts: bool = True) -> None:
    """Make an answer with a whole file of `length` bytes the part, or the 304, that is asked for.

    Without `parts` the whole goes out. Raises RangeError where there is no such part.
    """
    environ = dict(request.environ)
    if not parts or not wants_part():
        environ.pop("HTTP_RANGE", None)
    response.headers["Access-Control-Expose-Headers"] = READABLE
    try:
        response.make_conditional(environ, accept_ranges=parts, complete_length=length)
    except RequestedRangeNotSatisfiable as error:
        raise RangeError(request.headers.get("Range"), length) from error
