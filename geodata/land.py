"""Names of what is no place of the plan: the whole city, and the sea."""

from __future__ import annotations

from typing import Final

from geodata.city import read_city

CITY: Final = read_city().id  # the id of the whole city
SEA: Final = "sea"  # in place of a place: what is no land
