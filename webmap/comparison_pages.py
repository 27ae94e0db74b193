"""The page that sets places side by side, and the same as data."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from webmap import comparison
from webmap.api import content
from webmap.links import address
from webmap.parameters import takes
from webmap.problems import BadParameterError
from webmap.spreadsheet import send_csv, to_csv

blueprint = Blueprint("comparison", __name__)
Row = dict[str, Any]
LEAST, MOST = 2, 5
PARAMETER = "zones"
LAYERS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores")


@blueprint.get("/compare")
def compare_page() -> ResponseReturnValue:
    """Show up to five places side by side; with less than two, what to choose from."""
    ids = parse_zones(least=0)
    if len(request.args.getlist(PARAMETER)) > 1:  # from the form: one address for one comparison
        return redirect(address("/compare", zones=",".join(ids)).replace("%2C", ","))
    places = content().places()
    release = content().release
    paths = {one: f"locator/{one}.svg" for one in ids}
    found = comparison.compare(content(), ids)
    return render_template(
        "compare.html",
        page="compare",
        ids=ids,
        found=found,
        lists={name: comparison.group(found[name], ids) for name in ("platforms", "responsible_units")},
        locators={one: release.read(path).decode() for one, path in paths.items() if release.sha256(path)},
        suggested=comparison.suggest(content(), ids),
        groups=[
            {"layer": layer, "items": [row for row in places if row["layer"] == layer]} for layer in LAYERS
        ],
        examples=comparison.examples(content(), LEAST, MOST),
        most=MOST,
        least=LEAST,
    )


@blueprint.get("/compare.json")
@takes(PARAMETER)
def compare_document() -> Response:
    """Send the comparison with everything cited."""
    return jsonify(comparison.compare(content(), parse_zones(least=LEAST)))


@blueprint.get("/compare.csv")
@takes(PARAMETER)
def compare_csv() -> Response:
    """Send the comparison as a table: a line a fact, a column a place."""
    ids = parse_zones(least=LEAST)
    rows = comparison.to_rows(comparison.compare(content(), ids), g.language)
    return send_csv(to_csv(rows), f"{content().plan['id']}-compare-{'-'.join(ids)}")


def parse_zones(*, least: int) -> list[str]:
    """Return the places of the request, from ``zones=a,b`` or ``zones=a&zones=b``.

    Raises BadParameterError for too few or too many, for one twice, and for one that there is not.
    """
    given = [part.strip() for value in request.args.getlist(PARAMETER) for part in value.split(",")]
    ids = [part for part in given if part]
    for one in ids:
        _require_place(one)
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice:
        allowed = ",".join(dict.fromkeys(ids))
        raise BadParameterError("error.repeated", parameter=PARAMETER, value=twice, allowed=allowed)
    if len(ids) > MOST:
        near = [{"id": "", "label": ", ".join(ids[:MOST]), "href": f"/compare?zones={','.join(ids[:MOST])}"}]
        raise BadParameterError(
            "error.too_many", parameter=PARAMETER, value=str(len(ids)), allowed=f"{LEAST}-{MOST}", near=near
        )
    if len(ids) < least:
        raise BadParameterError(
            "error.too_few", parameter=PARAMETER, value=",".join(ids), allowed=f"{LEAST}-{MOST}"
        )
    return ids


def _require_place(place_id: str) -> None:
    places = [row["id"] for row in content().places()]
    if place_id not in places:
        rows = content().near(place_id, g.language)
        near = [row | {"href": f"/compare?zones={row['id']}"} for row in rows]
        raise BadParameterError(
            "error.unknown_zone",
            parameter=PARAMETER,
            value=place_id,
            allowed=", ".join(places),
            near=near,
        )
