"""The page that finds places for a purpose, and its answer as data."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from layers.answers import WHOLE_CITY
from webmap import siting, sketches
from webmap.api import content
from webmap.parameters import takes
from webmap.spreadsheet import send_csv, to_csv
from webmap.wishes import (
    AREA,
    CIRCUMSTANCES,
    INDUSTRY,
    MAX_REACH_KM,
    MAX_WEIGHT,
    PARAMETERS,
    USUAL_AREA_SHARE,
    USUAL_REACH_KM,
    USUAL_WEIGHT,
    parse_wishes,
    split,
)

blueprint = Blueprint("siting", __name__)
Row = dict[str, Any]
COMPARED = 5
SHADES = 5  # strengths of colour on the sketch
USUAL = {
    "weight": str(USUAL_WEIGHT),
    "reach": str(USUAL_REACH_KM),
    AREA: str(USUAL_AREA_SHARE),
} | dict.fromkeys(CIRCUMSTANCES, "0")


@blueprint.get("/find")
def find_page() -> ResponseReturnValue:
    """Show the zones ranked by the wishes of the address, each with its account."""
    wishes = parse_wishes(request.args, content())
    short = _shorten()
    if short is not None:
        return redirect(short)
    found = siting.find(content(), wishes)
    best = [row["id"] for row in found["ranked"][:COMPARED]]
    return render_template(
        "find.html",
        page="find",
        wishes=wishes,
        parameters=(*PARAMETERS, "lang"),
        found=found,
        sketch=_sketch(found),
        best=",".join(best) if len(best) > 1 else "",
        groups=_industry_groups(),
        whole_city=[row for row in content().places() if row["extent"] == WHOLE_CITY],
        circumstances=CIRCUMSTANCES,
        limits={"weight": MAX_WEIGHT, "reach": MAX_REACH_KM},
    )


@blueprint.get("/find.json")
@takes(*PARAMETERS)
def find_document() -> Response:
    """Send the ranking with every measure, weight and reason."""
    return jsonify(siting.find(content(), parse_wishes(request.args, content())))


@blueprint.get("/find.csv")
@takes(*PARAMETERS)
def find_csv() -> Response:
    """Send the ranking as a table: a line a zone and wish."""
    wishes = parse_wishes(request.args, content())
    found = siting.find(content(), wishes)
    head = ["rank", "zone_id", "zone_zh", f"zone_{g.language}", "score", "score_low", "score_high"]
    head += ["wish", "measure", "weight", "points", "distance_m", "accuracy_m", "nearest", "clauses"]
    rows = [
        line for row in (*found["ranked"], *found["incomplete"], *found["unsuitable"]) for line in _lines(row)
    ]
    return send_csv(to_csv([dict.fromkeys(head), *rows]), f"{content().plan['id']}-find")


def _lines(row: Row) -> list[list[object]]:
    names = dict.fromkeys(("zh", g.language))
    own = [row["rank"], row["id"], *(row["name"][one] for one in names)]
    own += [row["score"], row["score_low"], row["score_high"]]
    return [[*own, *_cells(one)] for one in row["criteria"]]


def _cells(one: Row) -> list[object]:
    clauses = [row["clause"] for row in (*one.get("said", ()), *one.get("groups", ()))]
    measured = one.get("distance_m", one.get("gap_m"))
    nearest = one["to"]["id"] if "to" in one else None
    own = [one["wish"], one["measure"], one["weight"], one["points"]]
    return [*own, measured, one.get("accuracy_m"), nearest, "; ".join(dict.fromkeys(clauses))]


def _shorten() -> str | None:
    """Return the address without repeated and usual values, or None where it is short already."""
    given = list(request.args.items(multi=True))
    kept = [(name, value) for name, value in given if name != INDUSTRY and value != USUAL.get(name, "")]
    industries = ",".join(split(request.args.getlist(INDUSTRY)))
    short = [*([(INDUSTRY, industries)] if industries else []), *kept]
    if sorted(short) == sorted(given):
        return None
    return f"/find?{urlencode(short, safe=',')}" if short else "/find"


def _sketch(found: Row) -> Row | None:
    """Return the sketch of the ranking: the higher the score, the stronger the colour."""
    marks = {
        row["id"]: f"score-{min(int(row['score'] * SHADES / 100), SHADES - 1)}" for row in found["ranked"]
    }
    marks |= {row["id"]: "score-none" for row in (*found["incomplete"], *found["unsuitable"])}
    ranks = {row["id"]: f"{row['rank']} " for row in found["ranked"]}
    return sketches.arrange(content(), marks, g.language, ranks) if marks else None


def _industry_groups() -> list[Row]:
    """Return the industries by cluster, those without one last."""
    rows = list(content().industries.values())
    groups = [
        {
            "cluster": one,
            "items": [row for row in rows if row["cluster"] and row["cluster"]["id"] == one["id"]],
        }
        for one in sorted(content().clusters.values(), key=lambda one: str(one["letter"]))
    ]
    return [*groups, {"cluster": None, "items": [row for row in rows if not row["cluster"]]}]
