"""Places side by side: what they share comes first, then what each has of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from geodata.model import EMPHASES, PLACE_LAYERS
from webmap.content import Content
from webmap.http import send_csv, to_csv
from webmap.links import address_with
from webmap.params import ListParameter, takes
from webmap.problems import BadParameterError
from webmap.views.context import content

Row = dict[str, Any]
SUGGESTED = 6
CITED = ("term", "emphasis", "verb", "clause")
blueprint = Blueprint("comparison", __name__)
LEAST, MOST = 2, 5
PARAMETER = "zones"
ZONES = ListParameter(PARAMETER, LEAST, MOST)


def compare_places(content: Content, ids: Sequence[str]) -> Row:
    """Return the places in the order asked, and their facts in aligned rows.

    Every row has ``cells`` by place id; a place without an entry has none in the plan. ``common`` is
    true where all of them have one.
    """
    documents = [content.documents[one] for one in ids]
    return {
        "zones": [_head(document) for document in documents],
        "industries": _industries(documents),
        "industries_of_areas": _industries_of_areas(documents),
        "answers": {
            row["id"]: {one: answer["kind"] for one, answer in row["answers"].items()} for row in documents
        },
        "positioning_of_areas": {row["id"]: row["positioning_of_areas"] for row in documents},
        "positioning": {row["id"]: row["positioning"] for row in documents},
        "memberships": _aligned(documents, "memberships", "id", ("relation", "clause")),
        "platforms": _aligned(documents, "platforms", "id", ("kind",)),
        "responsible_units": _aligned(documents, "responsible_units", "agency_id", ("clause",)),
    }


def _head(document: Row) -> Row:
    """Return who a place is, how large, and how true its outline is."""
    keys = ("id", "layer", "kind", "name", "url", "parent", "extent")
    measured = ("area_km2", "official_area_km2", "no_industries")
    geometry = {key: document["geometry"][key] for key in ("method", "schematic", "accuracy_m")}
    chosen = next((row for row in document["official_areas"] if row["chosen"]), None)
    official = {key: chosen[key] for key in ("scope", "source", "confidence")} if chosen else None
    return {key: document[key] for key in (*keys, *measured)} | {
        "geometry": geometry,
        "official_area": official,
    }


def _industries(documents: Sequence[Row]) -> list[Row]:
    """Return a row for every industry that any of them is to develop, the most common first."""
    found: dict[str, Row] = {}
    for document in documents:
        for row in document["industries"]:
            own = {"id": row["industry_id"], "name": row["name"], "url": f"/industries/{row['industry_id']}"}
            entry = found.setdefault(row["industry_id"], own | {"cluster": row["cluster"], "cells": {}})
            entry["cells"].setdefault(document["id"], []).append({key: row[key] for key in CITED})
    for row in found.values():
        for cell in row["cells"].values():
            cell.sort(key=lambda one: EMPHASES.index(one["emphasis"]))
    return _ordered(found.values(), len(documents))


def _industries_of_areas(documents: Sequence[Row]) -> list[Row]:
    """Return a row for every industry that is listed for an area of any of them, the most common first."""
    found: dict[str, Row] = {}
    for document in documents:
        for area in document["industries_of_areas"]:
            for row in area["industries"]:
                industry_id = row["industry_id"]
                own = {"id": industry_id, "name": row["name"], "url": f"/industries/{industry_id}"}
                entry = found.setdefault(industry_id, own | {"cluster": row["cluster"], "cells": {}})
                said = {key: row[key] for key in CITED} | {"area": area["area"], "role": area["role"]}
                entry["cells"].setdefault(document["id"], []).append(said)
    return _ordered(found.values(), len(documents))


def _aligned(documents: Sequence[Row], name: str, key: str, told: Sequence[str]) -> list[Row]:
    """Return a row for everything that any of them lists under `name`, the most common first."""
    found: dict[str, Row] = {}
    for document in documents:
        for row in document[name]:
            url = row.get("url") or f"/agencies/{row[key]}"
            entry = found.setdefault(row[key], {"id": row[key], "name": row["name"], "url": url, "cells": {}})
            entry["cells"][document["id"]] = {one: row[one] for one in told}
    return _ordered(found.values(), len(documents))


def _ordered(rows: Iterable[Row], places: int) -> list[Row]:
    marked = [row | {"common": places > 1 and len(row["cells"]) == places} for row in rows]
    return sorted(marked, key=lambda row: -len(row["cells"]))


def group_rows(rows: Iterable[Row], ids: Sequence[str]) -> list[Row]:
    """Return rows gathered by the places that have them, those of the most places first."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(one for one in ids if one in row["cells"]), []).append(row)
    groups = [{"zones": list(zones), "items": items} for zones, items in found.items()]
    return sorted(groups, key=lambda row: (-len(row["zones"]), [ids.index(one) for one in row["zones"]]))


def suggest_places(content: Content, ids: Sequence[str]) -> list[Row]:
    """Return places worth comparing with those in `ids`: beside one of them, or with the same industries.

    The more industries in common the earlier; each says why.
    """
    beside = {other for one in ids for other in content.measures["places"].get(one, {"beside": []})["beside"]}
    wanted = {row["industry_id"] for one in ids for row in content.documents[one]["industries"]}
    found = []
    for place in content.places():
        shared = {row["industry_id"] for row in place["industries"]} & wanted
        if place["id"] not in ids and (shared or place["id"] in beside):
            reason = {"beside": place["id"] in beside, "industries": len(shared)}
            found.append({key: place[key] for key in ("id", "layer", "name", "url")} | reason)
    found.sort(key=lambda row: (-row["industries"], not row["beside"]))
    return found[:SUGGESTED]


def list_examples(content: Content, least: int, most: int) -> list[Row]:
    """Return the areas of the plan whose members can be compared with each other."""
    areas = [row for row in content.places() if least <= len(row["members"]) <= most]
    return [
        {
            "name": area["name"],
            "ids": [member["id"] for member in area["members"]],
            "members": [member["name"] for member in area["members"]],
        }
        for area in areas
    ]


def comparison_table(found: Row, language: str) -> list[list[object]]:
    """Return the comparison as a table: a line a fact, a column a place."""
    ids = [zone["id"] for zone in found["zones"]]
    lines: list[list[object]] = [["section", "id", "name_zh", f"name_{language}", "common", *ids]]
    if language == "zh":
        lines[0].remove("name_zh")

    def line(section: str, row: Row | None, common: object, cells: Iterable[object]) -> None:
        names = dict.fromkeys(("zh", language))
        own = [row["id"], *(row["name"][one] for one in names)] if row else ["", *("" for _ in names)]
        lines.append([section, *own, common, *cells])

    line("name", None, "", [zone["name"][language] for zone in found["zones"]])
    for key in ("kind", "area_km2", "official_area_km2"):
        line(key, None, "", [zone[key] for zone in found["zones"]])
    for key in ("method", "accuracy_m"):
        line(key, None, "", [zone["geometry"][key] for zone in found["zones"]])
    positioning = [found["positioning"][one] for one in ids]
    line("positioning", None, "", ["; ".join(_cite(row, language) for row in rows) for rows in positioning])
    for row in found["industries"]:
        cells = [row["cells"].get(one, ()) for one in ids]
        told = ["; ".join(f"{one['emphasis']}: {_cite(one, language)}" for one in cell) for cell in cells]
        line("industry", row, _yes(row), told)
    for row in found["industries_of_areas"]:
        cells = [row["cells"].get(one, ()) for one in ids]
        told = ["; ".join(f"{one['area']['id']}: {_cite(one, language)}" for one in cell) for cell in cells]
        line("industry_of_areas", row, _yes(row), told)
    for section, key in (("membership", "clause"), ("platform", "kind"), ("responsible_unit", "clause")):
        name = {"membership": "memberships", "platform": "platforms"}.get(section, "responsible_units")
        for row in found[name]:
            line(section, row, _yes(row), [row["cells"].get(one, {}).get(key, "") for one in ids])
    return lines


def _yes(row: Row) -> str:
    return "yes" if row["common"] else "no"


def _cite(row: Row, language: str) -> str:
    return f"{row['term'][language]} [{row['clause']}]"


@blueprint.get("/compare")
def compare_page() -> ResponseReturnValue:
    """Show up to five places side by side; with less than two, what to choose from."""
    ids = parse_zones(least=0)
    if len(request.args.getlist(PARAMETER)) > 1:  # from the form: one address for one comparison
        return redirect(address_with("/compare", zones=",".join(ids)).replace("%2C", ","))
    places = content().places()
    release = content().release
    paths = {one: f"locator/{one}.svg" for one in ids}
    found = compare_places(content(), ids)
    return render_template(
        "compare.html",
        page="compare",
        ids=ids,
        found=found,
        lists={name: group_rows(found[name], ids) for name in ("platforms", "responsible_units")},
        locators={one: release.read(path).decode() for one, path in paths.items() if release.sha256(path)},
        suggested=suggest_places(content(), ids),
        groups=[
            {"layer": layer, "items": [row for row in places if row["layer"] == layer]}
            for layer in PLACE_LAYERS
        ],
        examples=list_examples(content(), LEAST, MOST),
        most=MOST,
        least=LEAST,
    )


@blueprint.get("/compare.json")
@takes(PARAMETER)
def compare_document() -> Response:
    """Send the comparison with everything cited."""
    return jsonify(compare_places(content(), parse_zones(least=LEAST)))


@blueprint.get("/compare.csv")
@takes(PARAMETER)
def compare_csv() -> Response:
    """Send the comparison as a table: a line a fact, a column a place."""
    ids = parse_zones(least=LEAST)
    rows = comparison_table(compare_places(content(), ids), g.language)
    return send_csv(to_csv(rows), f"{content().plan['id']}-compare-{'-'.join(ids)}")


def parse_zones(*, least: int) -> list[str]:
    """Return the places of the request, from ``zones=a,b`` or ``zones=a&zones=b``.

    Raises BadParameterError for too few or too many, for one twice, and for one that there is not.
    """
    ids = ZONES.split(request.args.getlist(PARAMETER))
    for one in ids:
        _require_place(one)
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice:
        allowed = ",".join(dict.fromkeys(ids))
        raise BadParameterError("error.repeated", parameter=PARAMETER, value=twice, allowed=allowed)
    some = ids[:MOST]
    near = [{"id": "", "label": ", ".join(some), "href": f"/compare?zones={','.join(some)}"}]
    ZONES.check_count(ids, least=least, near=near)
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
