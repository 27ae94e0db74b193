"""Searching: the page with its answer, and the same for programs and for the box on every page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, g, render_template

from geodata.model import AREA_LAYERS, EMPHASES, PLACE_LAYERS
from webmap.http import send_json
from webmap.i18n import current_language, translate
from webmap.params import parse_query, takes
from webmap.views.context import content

blueprint = Blueprint("finding", __name__)
Row = dict[str, Any]
NAMED_ZONES = 3  # of an industry in one line
PAGES = {  # that answer a question, by the names of their titles
    "/agencies/": "finding.pages.agencies",
    "/indicators": "finding.pages.indicators",
    "/data/": "finding.pages.data",
    "/find": "finding.pages.find",
}
SAYINGS = (
    "corrected",
    "missing",
    "unused",
    "only_names",
    "quoted",
    "no_page",
)  # with words of a question in them
OURS = {"synonym", "printed"}  # kinds of answers that are told in a sentence above the results


@blueprint.get("/search")
def search_page() -> str:
    """Show what the plan answers, and the results by name."""
    query = parse_query()
    answer = answer_question(query, g.language)
    groups = {row["layer"]: row["group"] for row in answer["results"]}
    return render_template(
        "search.html",
        page="search",
        q=query,
        answer=answer,
        groups=groups,
        card=_card(answer),
        emphases=EMPHASES,
    )


@blueprint.get("/search.json")
@takes("q")
def search_document() -> Response:
    """Answer what a name may mean."""
    query, language = parse_query(), current_language()
    return send_json(answer_question(query, language))


def answer_question(query: str, language: str) -> Row:
    """Return what the index says, with the words that people read beside each result."""
    answer = content().search.answer(query, language)
    told = answer["answer"]
    if told and told["kind"] == "page":
        answer["results"] = [_page(told, language)]
    for row in (*answer["results"], *answer["near"]):
        describe_hit(row, language)
    for one in filter(None, (told, *answer["others"])):
        one["tells"] = _tells(one, language)
    answer["notice"] = _notice(answer, language)
    ours = told["tells"] if told and told["kind"] in OURS else ""
    answer["said"] = " ".join(filter(None, (answer["notice"], ours)))
    return {"q": query} | answer


def _page(told: Row, language: str) -> Row:
    """Return the page that answers a question as a result."""
    name = translate(PAGES[told["url"]], language)
    row = {"id": told["url"], "layer": "pages", "name": name, "zh": name, "url": told["url"]}
    return row | {"match": name, "match_marks": [], "marks": []}


def describe_hit(row: Row, language: str) -> None:
    """Set the words that people read beside a result: the name of its group, and what it is."""
    row["group"] = translate(f"layer.{row['layer']}", language)
    row["says"] = _says(row, language)


def describe_in_every_way(row: Row, language: str) -> None:
    """Set what people read beside a result for each of the answers that a spelling of it may be."""
    if row["layer"] == "industries":
        ways = ("named", "synonym", "city")
        row["says"] = [_says(row | {"how": how}, language) for how in ways]
    else:
        row["says"] = _says(row, language)
    row["group"] = translate(f"layer.{row['layer']}", language)


def describe_offline(told: Row, language: str) -> Row:
    """Return an answer for whatever word it is asked by: its ids, and the sentence that tells it.

    Where ``{word}`` and ``{printed}`` stand in the sentence, the browser puts the word and the plan's;
    ``same`` is the sentence where they are one.
    """
    short = {key: told[key] for key in ("kind", "relation", "clauses", "printed") if told[key]}
    short |= {
        key: [row["id"] for row in told[key]] for key in ("zones", "areas", "positioning", "tasks", "places")
    }
    short = {key: found for key, found in short.items() if found}
    if told["industry"]:
        short["industry"] = told["industry"]["id"]
    if told["kind"] == "page":
        short["page"] = _page(told, language) | {"group": translate("layer.pages", language), "says": ""}
    if told["kind"] in OURS:
        printed = {"printed": "{printed}"} if told["printed"] else {}
        short["tells"] = _tells(told | {"word": "{word}"} | printed, language)
        if printed:
            short["same"] = _tells(told | {"word": "{word}", "printed": "{word}"}, language)
    return short


def _says(row: Row, language: str) -> str:
    """Return what a result is: what the plan says of an industry, the kind of a place."""
    if row["layer"] == "industries":
        return _says_industry(row, language)
    group = {"chains": "chain_kind", "landmarks": "landmark"}.get(row["layer"], "kind")
    return translate(f"{group}.{row['kind']}", language) if "kind" in row else ""


def _says_industry(row: Row, language: str) -> str:
    """Return for whom the plan names an industry; only its own words are designations."""
    zones = [zone["name"] for zone in row["zones"] if zone["layer"] not in AREA_LAYERS]
    areas = [zone["name"] for zone in row["zones"] if zone["layer"] in AREA_LAYERS]
    names = zones or areas
    if not names:
        key = "city_only"
    elif row.get("how", "named") == "named" and zones:
        key = "designated"
    else:
        key = "industry_listed" if zones else "industry_areas"
    if len(names) > NAMED_ZONES:
        key += "_more"
    named = translate("common.comma", language).join(names[:NAMED_ZONES])
    said = translate(f"finding.{key}", language, zones=named, count=len(names))
    if row.get("how") == "synonym":
        return translate("finding.by_synonym", language) + " " + said
    return said


def _quoted(words: Iterable[str], language: str) -> str:
    quoted = (translate("finding.quoted", language, word=word) for word in dict.fromkeys(words))
    return translate("common.comma", language).join(quoted)


def _tells(told: Row, language: str) -> str:
    """Return the sentence that says which of the plan's answers it is."""
    industry = told["industry"]["name"] if told["industry"] else ""
    key = told["kind"]
    if industry and key != "synonym" and not told["printed"]:
        key = "industry"  # a code, or a name of ours
    if key == "synonym" and told["relation"] != "is_a":
        key = f"synonym_{told['relation']}"
    said = translate(f"finding.tells.{key}", language, word=told["word"], industry=industry)
    printed = told["printed"]
    if printed and printed != told["word"] and key != "place":
        said += " " + translate("finding.as_printed", language, zh=printed)
    if printed and industry and key in {"printed", "city", "positioning"}:
        said += " " + translate("finding.filed", language, industry=industry)
    return said


def _notice(answer: Row, language: str) -> str:
    """Return the sentence that must stand above the results: what was not found or used, or put right."""
    if answer["corrected"]:
        said = translate("finding.corrected", language, words=answer["corrected"])
    elif answer["missing"] and not answer["answer"]:
        return translate("finding.missing", language, words=_quoted(answer["missing"], language))
    else:
        said = ""
    if answer["unused"]:
        unused = translate("finding.unused", language, words=_quoted(answer["unused"], language))
        said = f"{said} {unused}".strip()
    if answer["results"] and not answer["answer"] and not said:
        said = translate("finding.only_names", language)
    return said


def _card(answer: Row) -> Row | None:
    """Return what the answer card shows, or None where the page of the first result says no more."""
    told = answer["answer"]
    if told and told["kind"] not in {"place", "page"}:
        industry = content().industries[told["industry"]["id"]] if told["industry"] else None
        return {"layer": "told", "row": industry}
    if not answer["results"]:
        return None
    first = answer["results"][0]
    if first["layer"] == "clusters":
        return {"layer": "clusters", "row": content().clusters[first["id"]]}
    if first["layer"] in PLACE_LAYERS:
        return {"layer": "places", "row": content().documents[first["id"]]}
    return None
