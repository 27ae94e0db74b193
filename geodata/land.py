"""Names of what is no place of the plan: the whole city, and the sea."""

from __future__ import annotations

from typing import Final

CITY: Final = "weihai"  # the id of the whole city
SEA: Final = "sea"  # in place of a place: what is no land
