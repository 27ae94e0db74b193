"""What somebody wishes of a place: industries and circumstances, each with a weight, from the address."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from webmap.content import Content
from webmap.language import pick
from webmap.problems import BadParameterError

DISTANCES = ("port", "airport", "station", "university")
GROUPS = ("five", "belt", "core")
COAST = "coast"
CIRCUMSTANCES = (*DISTANCES, COAST, *GROUPS)
INDUSTRY = "industry"
AREA = "area"
PARAMETERS = (INDUSTRY, "weight", AREA, *CIRCUMSTANCES, "reach")
MAX_WEIGHT, USUAL_WEIGHT = 5, 3
MAX_INDUSTRIES = 10
MAX_REACH_KM, USUAL_REACH_KM = 200, 50
USUAL_AREA_SHARE = 0.5


@dataclass(frozen=True)
class Wishes:
    """Industries that all weigh the same, and the weight of every circumstance; 0 is no wish."""

    industries: tuple[str, ...]
    industry_weight: int
    weights: Mapping[str, int]
    reach_km: int  # where a distance counts as nothing
    area_share: float = USUAL_AREA_SHARE  # what an industry counts that is listed for the zone's area, 0 to 1

    def to_weights(self) -> dict[str, int]:
        """Return the weight of every single wish, each industry being one."""
        industries = {to_wish(one): self.industry_weight for one in self.industries}
        return industries | dict(self.weights)


def to_wish(industry_id: str) -> str:
    """Return the name of the wish for an industry."""
    return f"{INDUSTRY}:{industry_id}"


def parse_wishes(arguments: MultiDict[str, str], content: Content) -> Wishes:
    """Return the wishes of a request; raises BadParameterError for what is unknown or out of range."""
    industries = split(arguments.getlist(INDUSTRY))
    for one in industries:
        if one not in content.industries:
            raise BadParameterError(
                "error.unknown_industry",
                parameter=INDUSTRY,
                value=one,
                allowed=", ".join(content.industries),
                near=_near(one, content),
            )
    if len(industries) > MAX_INDUSTRIES:
        raise BadParameterError(
            "error.too_many",
            parameter=INDUSTRY,
            value=str(len(industries)),
            allowed=f"0-{MAX_INDUSTRIES}",
        )
    return Wishes(
        industries=industries,
        industry_weight=_whole(arguments, "weight", USUAL_WEIGHT, (0, MAX_WEIGHT)),
        weights={name: _whole(arguments, name, 0, (0, MAX_WEIGHT)) for name in CIRCUMSTANCES},
        reach_km=_whole(arguments, "reach", USUAL_REACH_KM, (1, MAX_REACH_KM)),
        area_share=_share(arguments),
    )


def split(values: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct ids of a parameter that may be repeated, or hold several with commas."""
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _whole(arguments: Mapping[str, str], name: str, usual: int, limits: tuple[int, int]) -> int:
    text = arguments.get(name, "").strip()
    if not text:
        return usual
    low, high = limits
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(high)) else -1
    if not low <= value <= high:
        raise BadParameterError("error.whole", parameter=name, value=text, allowed=f"{low}-{high}")
    return value


def _share(arguments: Mapping[str, str]) -> float:
    """Return the share that an area's answer counts, with at most two decimals."""
    text = arguments.get(AREA, "").strip()
    if not text:
        return USUAL_AREA_SHARE
    if not re.fullmatch(r"0(\.[0-9]{1,2})?|1(\.0{1,2})?", text):
        raise BadParameterError("error.share", parameter=AREA, value=text, allowed="0-1")
    return float(text)


def _near(asked: str, content: Content) -> list[dict[str, str]]:
    names = {name: one for one, row in content.industries.items() for name in (one, *row["name"].values())}
    close = dict.fromkeys(names[name] for name in difflib.get_close_matches(asked, names, n=8, cutoff=0.45))
    rows = [content.industries[one] for one in close][:5]
    return [
        {"id": row["id"], "label": pick(row["name"]), "href": f"/find?industry={row['id']}"} for row in rows
    ]
