"""What can be wrong with a filter; the web and the command line turn these into messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN = 60  # characters of what was given


class FilterError(ValueError):
    """A filter that cannot be answered.

    Attributes
    ----------
    code
        What is wrong, one of :data:`CODES`.
    value
        The part of the filter that is wrong, shortened.
    allowed
        What may stand there.
    near
        What may have been meant, best first.
    """

    def __init__(self, code: str, value: str, allowed: Iterable[str] = (), near: Iterable[str] = ()) -> None:
        self.code = code
        self.value = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        self.allowed = tuple(allowed)
        self.near = tuple(near)
        super().__init__(f"{code}: {self.value}")


CODES = (
    "bytes",  # larger than is read
    "depth",  # nested deeper than is read
    "syntax",
    "language",  # JSON where text was to be read
    "property",  # unknown queryable
    "function",  # unknown function or operator
    "kind",  # a value of another type than what it is compared with
    "text",  # U+0000 or half a surrogate pair
    "number",  # not finite
    "moment",  # no date, or no timestamp in UTC
    "escape",  # a pattern that ends in a lone backslash
    "constant",  # a property where only a constant may stand
    "geometry",  # invalid, empty or unreadable
    "tangled",  # crosses itself more often than is answered
)


def unknown(code: str, value: str, known: Iterable[str]) -> FilterError:
    """Return the error of a name that does not exist, with near matches."""
    names = sorted(known)
    close = difflib.get_close_matches(value.casefold(), names, n=3, cutoff=0.5)
    return FilterError(code, value, names, close)
