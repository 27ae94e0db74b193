"""Searching: the page with its answer, and the same for programs and for the box on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, render_template

from geodata.kinds import AREA_LAYERS, EMPHASES, PLACE_LAYERS
from webmap.http import send_json
from webmap.i18n import current_language, translate
from webmap.params import Q, parse_query, takes
from webmap.views.context import content

if TYPE_CHECKING:
    from layers.search import FoundRow, SearchDocument, ToldAnswer

blueprint = Blueprint("finding", __name__)
NAMED_ZONES = 3  # of an industry in one line
NAMED_BODIES = 4  # of the zones of an answer
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
        unbounded=content().unbounded,
        emphases=EMPHASES,
    )


@blueprint.get("/search.json")
@takes(Q, title="search.submit")
def search_document() -> Response:
    """Answer what a name may mean."""
    query, language = parse_query(), current_language()
    return send_json(answer_question(query, language))


def answer_question(query: str, language: str) -> SearchDocument:
    """Return what the index says, with the words that people read beside each result."""
    answer = content().search.answer(query, language)
    told = answer["answer"]
    if told and told["kind"] == "page":
        answer["results"] = [_page(told["url"] or "", language)]
    for row in (*answer["results"], *answer["near"]):
        describe_hit(row, language)
    for one in filter(None, (told, *answer["others"])):
        one["tells"] = _tells(one, language)
    answer["notice"] = _notice(answer, language)
    ours = told.get("tells", "") if told and told["kind"] in OURS else ""
    answer["said"] = " ".join(filter(None, (answer["notice"], ours)))
    return {"q": query, **answer}


def _page(url: str, language: str) -> FoundRow:
    """Return the page that answers a question as a result."""
    name = translate(PAGES[url], language)
    return {
        "id": url,
        "layer": "pages",
        "name": name,
        "zh": name,
        "url": url,
        "match": name,
        "match_marks": [],
        "marks": [],
    }


def describe_hit(row: FoundRow, language: str) -> None:
    """Set the words that people read beside a result: the name of its group, and what it is."""
    row["group"] = translate(f"layer.{row['layer']}", language)
    row["says"] = _says(row, language)


def describe_in_every_way(row: FoundRow, language: str) -> None:
    """Set what people read beside a result for each of the answers that a spelling of it may be."""
    if row["layer"] == "industries":
        ways = ("named", "synonym", "city", "nearest")
        row["says"] = [_says({**row, "how": how}, language) for how in ways]
    else:
        row["says"] = _says(row, language)
    row["group"] = translate(f"layer.{row['layer']}", language)


def describe_offline(
    told: ToldAnswer, language: str, is_file: Callable[[str, str], bool]
) -> dict[str, object]:
    """Return an answer for whatever word it is asked by: its ids, and the sentence that tells it.

    A page that answers is left out unless `is_file` says of it, in a language, that it needs no service.

    Where ``{word}`` and ``{printed}`` stand in the sentence, the browser puts the word and the plan's;
    ``same`` is the sentence where they are one, or how much of the other one it is, in UTF-16 units.
    """
    plain: Mapping[str, object] = told
    found = {key: plain[key] for key in ("kind", "printed")}
    found |= {key: [row["id"] for row in told[key]] for key in ("zones", "areas")}
    found |= {"places": [row["id"] for row in told["places"]]}
    short = {key: value for key, value in found.items() if value}
    if told["industry"]:
        short["industry"] = told["industry"]["id"]
    if told["url"] and is_file(told["url"], language):
        short["page"] = {
            **_page(told["url"], language),
            "group": translate("layer.pages", language),
            "says": "",
        }
    if told["kind"] in OURS:
        printed = "{printed}" if told["printed"] else None
        short["tells"] = tells = _tells({**told, "word": "{word}", "printed": printed}, language)
        if printed:
            same = _tells({**told, "word": "{word}", "printed": "{word}"}, language)
            short["same"] = len(same.encode("utf-16-le")) // 2 if tells.startswith(same) else same
    return short


def _says(row: FoundRow, language: str) -> str:
    """Return what a result is: what the plan says of an industry, the kind of a place."""
    if row["layer"] == "industries":
        return _says_industry(row, language)
    if "of" in row:  # of a layer of the operator's own
        return translate(f"layer.{row['of']}", language)
    group = {"chains": "chain_kind", "landmarks": "landmark"}.get(row["layer"], "kind")
    return translate(f"{group}.{row['kind']}", language) if "kind" in row else ""


def _says_industry(row: FoundRow, language: str) -> str:
    """Return for whom the plan names an industry; only its own words are designations."""
    if row.get("how") == "nearest":
        return translate("finding.by_nearness", language)
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
    return f"{translate('finding.by_synonym', language)} {said}" if row.get("how") == "synonym" else said


def _quoted(words: Iterable[str], language: str) -> str:
    quoted = (translate("finding.quoted", language, word=word) for word in dict.fromkeys(words))
    return translate("common.comma", language).join(quoted)


def _tells(told: ToldAnswer, language: str) -> str:
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


def _notice(answer: SearchDocument, language: str) -> str:
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
    if answer["results"] and not answer["answer"] and not said and not _is_number(answer["results"][0]):
        said = translate("finding.only_names", language)
    return said


def _is_number(row: FoundRow) -> bool:
    """Return whether a clause was found by its number."""
    return row["layer"] == "clauses" and f"{row['match']} " in (row["name"] + row["zh"])


def _card(answer: SearchDocument) -> dict[str, object] | None:
    """Return what the answer card shows, or None where the page of the first result says no more."""
    told = answer["answer"]
    if told and told["kind"] not in {"place", "page"}:
        industry = content().industries[told["industry"]["id"]] if told["industry"] else None
        zones = [row["id"] for row in (*told["zones"], *told["places"]) if "id" in row]
        return {"layer": "told", "row": industry, "bodies": _bodies(zones)}
    if not answer["results"]:
        return None
    first = answer["results"][0]
    if first["layer"] == "clusters":
        return {"layer": "clusters", "row": content().clusters[first["id"]]}
    if first["layer"] in PLACE_LAYERS:
        row = content().documents[first["id"]]
        return {"layer": "places", "row": row, "bodies": _bodies([first["id"]])}
    return None


def _bodies(places: Iterable[str]) -> list[dict[str, object]]:
    """Return the bodies of places with how they are reached, where the operator states that."""
    found: dict[str, dict[str, object]] = {}
    for place in places:
        document = content().documents[place]
        body, contact = document.get("government"), document.get("contact")
        if body:
            url, contact = f"/agencies/{body['agency_id']}", body["contact"] or contact
            found[url] = {"name": body["name"], "url": url, "contact": contact}
        elif contact:
            found[document["url"]] = {"name": document["name"], "url": document["url"], "contact": contact}
    return list(found.values())[:NAMED_BODIES]
