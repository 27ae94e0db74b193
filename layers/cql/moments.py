"""Dates and timestamps in a filter.

No queryable is one, so they only meet each other, and whether a comparison holds is known at once.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from layers.cql.fault import FilterError
from layers.cql.tree import ORDERS, Order, Truth

_FORMS = {  # as RFC 3339 writes them; CQL2 knows timestamps in UTC only
    "date": (re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), date, "2026-01-31"),
    "timestamp": (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII),
        datetime,
        "2026-01-31T00:00:00Z",
    ),
}
KINDS = tuple(_FORMS)


def read_moment(kind: str, text: Any) -> date:
    """Return a date, or a timestamp in UTC; raises FilterError where the text is none."""
    form, build, example = _FORMS[kind]
    if isinstance(text, str) and form.fullmatch(text):
        with suppress(ValueError):  # the 30th of February
            return build.fromisoformat(text)
    raise FilterError("moment", str(text), [example])


def compare(order: Order, left: date, right: date) -> Truth:
    """Return whether two moments stand in an order; raises FilterError for a date beside a timestamp."""
    if type(left) is not type(right):
        raise FilterError("kind", str(right), ["timestamp" if isinstance(left, datetime) else "date"])
    return Truth(bool(ORDERS[order](left, right)))
