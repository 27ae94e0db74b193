"""Places side by side: what they share comes first, then what each has of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict, TypeVar, get_args

from flask import Blueprint, Response, current_app, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from geodata.kinds import EMPHASES, PLACE_LAYERS
from layers import document_types as doc
from layers.answers import AreaIndustry, AreaPositioning
from layers.citations import to_cited
from layers.links import Link, Statement, Words
from webmap.content import Content
from webmap.http import address_with, send_csv
from webmap.params import ListParameter, takes
from webmap.problems import BadParameterError
from webmap.views.context import content

SUGGESTED = 6
blueprint = Blueprint("comparison", __name__)
LEAST, MOST = 2, 5
PARAMETER = "zones"
ZONES = ListParameter(PARAMETER, LEAST, MOST, meaning="ogc.site.zones")
Industries = Literal["industries", "industries_of_areas"]
Things = Literal["memberships", "platforms", "responsible_units"]
INDUSTRIES: tuple[Industries, ...] = get_args(Industries)
THINGS: tuple[Things, ...] = get_args(Things)


class ComparedIndustry(Link):
    """An industry, with the terms that name it by place."""

    cluster: str | None
    cells: dict[str, list[doc.CitedTerm]]
    common: bool


class ComparedThing(Link):
    """An area, platform or agency, with what is told of it by place."""

    cells: dict[str, dict[str, object]]
    common: bool


class ComparedPlace(doc.PlaceRef):
    """Who a place is, how large, and how true its outline is."""

    parent: Link | None
    extent: str | None
    area_km2: float | None
    official_area_km2: float | None
    no_industries: Words | None
    geometry: dict[str, object]
    official_area: dict[str, object] | None


class Comparison(TypedDict):
    """Places in the order asked, and their facts in aligned rows."""

    zones: list[ComparedPlace]
    industries: list[ComparedIndustry]
    industries_of_areas: list[ComparedIndustry]
    answers: dict[str, dict[str, str]]
    positioning_of_areas: dict[str, list[AreaPositioning]]
    positioning: dict[str, list[Statement]]
    memberships: list[ComparedThing]
    platforms: list[ComparedThing]
    responsible_units: list[ComparedThing]


class SuggestedPlace(TypedDict):
    """A place worth comparing, and why: it lies beside, or has so many industries in common."""

    id: str
    layer: str
    name: Words
    url: str
    beside: bool
    industries: int


class ComparedExample(TypedDict):
    """An area whose members can be compared with each other."""

    name: Words
    ids: list[str]
    members: list[Words]


Compared = TypeVar("Compared", ComparedIndustry, ComparedThing)


def compare_places(content: Content, ids: Sequence[str]) -> Comparison:
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
        "memberships": _align(documents, "memberships", "relation", "clause"),
        "platforms": _align(documents, "platforms", "kind", "zone_basis"),
        "responsible_units": _align(documents, "responsible_units", "clause"),
    }


def tabulate_comparison(content: Content) -> dict[str, object]:
    """Return what :func:`compare_places` takes of every place, for ``static/js/offline-comparison.js``."""
    places = {
        row["id"]: _tabulate(compare_places(content, [row["id"]]), row["id"]) for row in content.places()
    }
    return {"places": places, "emphases": EMPHASES, "least": LEAST, "most": MOST}


def _tabulate(found: Comparison, place_id: str) -> dict[str, object]:
    """Return the facts of one place: lists of entries, each with what it is ``about``."""
    lists: dict[str, object] = {
        name: [{"about": _about(row), **said} for row in found[name] for said in row["cells"][place_id]]
        for name in INDUSTRIES
    }
    lists |= {
        name: [{"about": _about(row), **row["cells"][place_id]} for row in found[name]] for name in THINGS
    }
    return lists | {
        "head": found["zones"][0],
        "answers": found["answers"][place_id],
        "positioning": found["positioning"][place_id],
        "positioning_of_areas": found["positioning_of_areas"][place_id],
    }


def _about(row: ComparedIndustry | ComparedThing) -> dict[str, object]:
    return {key: value for key, value in row.items() if key not in {"cells", "common"}}


def _head(document: doc.PlaceDocument) -> ComparedPlace:
    geometry = document["geometry"]
    chosen = next((row for row in document["official_areas"] if row["chosen"]), None)
    return {
        **doc.to_place_ref(document),
        "parent": document["parent"],
        "extent": document["extent"],
        "area_km2": document["area_km2"],
        "official_area_km2": document["official_area_km2"],
        "no_industries": document["no_industries"],
        "geometry": {
            "method": geometry["method"],
            "schematic": geometry["schematic"],
            "accuracy_m": geometry["accuracy_m"],
        },
        "official_area": {
            "scope": chosen["scope"],
            "source": chosen["source"],
            "confidence": chosen["confidence"],
        }
        if chosen
        else None,
    }


def _industries(documents: Sequence[doc.PlaceDocument]) -> list[ComparedIndustry]:
    """Return a row for every industry that any of them is to develop, the most common first."""
    found: dict[str, ComparedIndustry] = {}
    for document in documents:
        for row in document["industries"]:
            _cell(found, row, document["id"]).append(to_cited(row))
    for entry in found.values():
        for cell in entry["cells"].values():
            cell.sort(key=lambda one: EMPHASES.index(one["emphasis"] or ""))
    return _ordered(found.values(), len(documents))


def _industries_of_areas(documents: Sequence[doc.PlaceDocument]) -> list[ComparedIndustry]:
    """Return a row for every industry that is listed for an area of any of them, the most common first."""
    found: dict[str, ComparedIndustry] = {}
    for document in documents:
        for area in document["industries_of_areas"]:
            for row in area["industries"]:
                said: doc.CitedTerm = {**to_cited(row), "area": area["area"], "role": area["role"]}
                _cell(found, row, document["id"]).append(said)
    return _ordered(found.values(), len(documents))


def _cell(
    found: dict[str, ComparedIndustry], row: doc.PlaceIndustry | AreaIndustry, place_id: str
) -> list[doc.CitedTerm]:
    """Return the cell of an industry and a place, which it makes where there is none."""
    industry_id = row["industry_id"]
    entry = found.setdefault(
        industry_id,
        {
            "id": industry_id,
            "name": row["name"],
            "url": f"/industries/{industry_id}",
            "cluster": row["cluster"],
            "cells": {},
            "common": False,
        },
    )
    return entry["cells"].setdefault(place_id, [])


def _align(
    documents: Sequence[doc.PlaceDocument],
    listed: Things,
    *told: str,
) -> list[ComparedThing]:
    """Return a row for each thing that any of them lists, with what is `told` of it, the commonest first."""
    found: dict[str, ComparedThing] = {}
    for document in documents:
        rows: Sequence[Mapping[str, Any]] = document[listed]
        for row in rows:
            row_id, url = row.get("agency_id") or row["id"], row["url"] or ""
            entry: ComparedThing = {
                "id": row_id,
                "name": row["name"],
                "url": url,
                "cells": {},
                "common": False,
            }
            found.setdefault(row_id, entry)["cells"][document["id"]] = {key: row[key] for key in told}
    return _ordered(found.values(), len(documents))


def _ordered(rows: Iterable[Compared], places: int) -> list[Compared]:
    found = list(rows)
    for row in found:
        row["common"] = places > 1 and len(row["cells"]) == places
    return sorted(found, key=lambda row: -len(row["cells"]))


def group_rows(rows: Iterable[ComparedThing], ids: Sequence[str]) -> list[dict[str, object]]:
    """Return rows gathered by the places that have them, those of the most places first."""
    found: dict[tuple[str, ...], list[ComparedThing]] = {}
    for row in rows:
        found.setdefault(tuple(one for one in ids if one in row["cells"]), []).append(row)
    groups = sorted(found.items(), key=lambda group: (-len(group[0]), [ids.index(one) for one in group[0]]))
    return [{"zones": list(zones), "items": items} for zones, items in groups]


def suggest_places(content: Content, ids: Sequence[str]) -> list[SuggestedPlace]:
    """Return places worth comparing with those in `ids`: beside one of them, or with the same industries.

    The more industries in common the earlier; each says why.
    """
    measured = content.measures["places"]
    beside = {other for one in ids if one in measured for other in measured[one]["beside"]}
    wanted = {row["industry_id"] for one in ids for row in content.documents[one]["industries"]}
    found: list[SuggestedPlace] = []
    for place in content.places():
        shared = {row["industry_id"] for row in place["industries"]} & wanted
        if place["id"] not in ids and (shared or place["id"] in beside):
            found.append(
                {
                    "id": place["id"],
                    "layer": place["layer"],
                    "name": place["name"],
                    "url": place["url"],
                    "beside": place["id"] in beside,
                    "industries": len(shared),
                }
            )
    found.sort(key=lambda row: (-row["industries"], not row["beside"]))
    return found[:SUGGESTED]


def list_examples(content: Content, least: int, most: int) -> list[ComparedExample]:
    """Return the areas of the plan whose members can be compared with each other."""
    areas = [row for row in content.places() if least <= len(row["members"]) <= most]
    return [
        {
            "name": area["name"],
            "ids": [member["id"] for member in area["members"] if member],
            "members": [member["name"] for member in area["members"] if member],
        }
        for area in areas
    ]


def comparison_table(found: Comparison, language: str) -> list[list[object]]:
    """Return the comparison as a table: a line a fact, a column a place."""
    ids = [zone["id"] for zone in found["zones"]]
    lines: list[list[object]] = [["section", "id", "name_zh", f"name_{language}", "common", *ids]]
    if language == "zh":
        lines[0].remove("name_zh")

    def line(
        section: str, row: ComparedIndustry | ComparedThing | None, common: object, cells: Iterable[object]
    ) -> None:
        names = dict.fromkeys(("zh", language))
        own = [row["id"], *(row["name"][one] for one in names)] if row else ["", *("" for _ in names)]
        lines.append([section, *own, common, *cells])

    line("name", None, "", [zone["name"][language] for zone in found["zones"]])
    line("kind", None, "", [zone["kind"] for zone in found["zones"]])
    line("area_km2", None, "", [zone["area_km2"] for zone in found["zones"]])
    line("official_area_km2", None, "", [zone["official_area_km2"] for zone in found["zones"]])
    for key in ("method", "accuracy_m"):
        line(key, None, "", [zone["geometry"][key] for zone in found["zones"]])
    positioning = [found["positioning"][one] for one in ids]
    line("positioning", None, "", ["; ".join(_cite(row, language) for row in rows) for rows in positioning])
    for row in found["industries"]:
        cells = [row["cells"].get(one, []) for one in ids]
        told = ["; ".join(f"{one['emphasis']}: {_cite(one, language)}" for one in cell) for cell in cells]
        line("industry", row, _yes(row), told)
    for row in found["industries_of_areas"]:
        cells = [row["cells"].get(one, []) for one in ids]
        told = ["; ".join(f"{one['area']['id']}: {_cite(one, language)}" for one in cell) for cell in cells]
        line("industry_of_areas", row, _yes(row), told)
    things = (
        ("membership", "clause", found["memberships"]),
        ("platform", "kind", found["platforms"]),
        ("responsible_unit", "clause", found["responsible_units"]),
    )
    for section, key, rows in things:
        for thing in rows:
            line(section, thing, _yes(thing), [thing["cells"].get(one, {}).get(key, "") for one in ids])
    return lines


def _yes(row: ComparedIndustry | ComparedThing) -> str:
    return "yes" if row["common"] else "no"


def _cite(row: doc.CitedTerm | Statement, language: str) -> str:
    return f"{row['term'][language]} [{row['clause']}]"


@blueprint.get("/compare")
def compare_page() -> ResponseReturnValue:
    """Show up to five places side by side; with less than two, what to choose from."""
    ids = parse_zones(least=0)
    if len(request.args.getlist(PARAMETER)) > 1:  # from the form: one address for one comparison
        return redirect(address_with("/compare", zones=",".join(ids)).replace("%2C", ","))
    places = content().places()
    release = content().release
    as_file = current_app.extensions["settings"].files is not None
    shown = [row["id"] for row in places] if as_file else ids
    paths = {one: f"locator/{one}.svg" for one in shown}
    found = compare_places(content(), shown)
    return render_template(
        "compare.html",
        page="compare",
        ids=ids,
        found=found,
        lists={
            "platforms": group_rows(found["platforms"], ids),
            "responsible_units": group_rows(found["responsible_units"], ids),
        },
        locators={one: release.read(path).decode() for one, path in paths.items() if release.sha256(path)},
        suggested=suggest_places(content(), ids),
        groups=[
            {"layer": layer, "items": [row for row in places if row["layer"] == layer]}
            for layer in PLACE_LAYERS
        ],
        examples=list_examples(content(), LEAST, MOST),
        most=MOST,
        least=LEAST,
        kinds=sorted({kind for answers in found["answers"].values() for kind in answers.values()}),
    )


@blueprint.get("/compare.json")
@takes(ZONES, title="compare.title")
def compare_document() -> Response:
    """Send the comparison with everything cited."""
    return jsonify(compare_places(content(), parse_zones(least=LEAST)))


@blueprint.get("/compare.csv")
@takes(ZONES, title="compare.title")
def compare_csv() -> Response:
    """Send the comparison as a table: a line a fact, a column a place."""
    ids = parse_zones(least=LEAST)
    rows = comparison_table(compare_places(content(), ids), g.language)
    return send_csv(rows, f"{content().plan['id']}-compare-{'-'.join(ids)}")


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
