"""What stands in the atlas: themes, places, the index of industries, the figures, how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webmap.format import format_clause, format_number, format_quantity
from webmap.paper.locator import Chosen, draw_locator

if TYPE_CHECKING:
    from webmap.paper.press import Press

Document = dict[str, Any]
LAYERS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores")
CHAPTERS = ("themes", "places", "clusters", "industries", "indicators", "method")
THEME_SIZE = "A4"
COVER, COVER_SIZE = "districts", (170.0, 150.0)


def build_atlas(press: Press, chart: str) -> Document:
    """Return the parts of the atlas in their order."""
    say, writer = press.say, press.writer
    places = [row_id for row_id, row in press.payload["features"].items() if row["layer"] in LAYERS]
    return {
        "title": say("atlas.title"),
        "subtitle": press.plan["title"][press.language],
        "cover_lines": [press.plan["number"], press.plan["date"], *press.sources()[1:]],
        "cover_map": _cover(press),
        "cover_alt": say("paper.theme_alt", name=press.theme(COVER)["title"]),
        "contents": say("atlas.contents"),
        "chapters": {
            key: say(f"atlas.{key}")
            for key in ("themes", "places", "clusters", "industries", "indicators", "method")
        },
        "themes": [press.poster(theme["id"], THEME_SIZE) for theme in press.payload["themes"]],
        "places": [press.place_sheet(place) for place in places],
        "chart": chart,
        "chart_alt": say("chart.clusters"),
        "chart_note": say("chart.clusters_note"),
        "industries": _industries(press),
        "indicators": _indicators(press),
        "method_lead": say("atlas.method_lead"),
        "methods": [
            [say(f"method.{key}"), say(f"method_note.{key}")]
            for key in ("surveyed", "official", "digitised", "reconstructed", "indicative", "derived")
        ],
        "accuracy": _accuracy(press),
        "schematic": say("footer.schematic"),
        "foot": say("site.name"),
        "url": press.absolute("/"),
        "sources": sorted({writer.tr(row["geometry"]["source"]) for row in _documents(press, places)}),
        "sources_title": say("atlas.sources"),
    }


def _cover(press: Press) -> str:
    """Return the map on the cover: the places of one theme in the whole city."""
    theme, features = press.theme(COVER), press.payload["features"]
    hues = {key: entry["colour"] for entry in theme["legend"] for key in entry["keys"]}
    shown = {row_id: hues[row["kind"]] for row_id, row in features.items() if row["layer"] == "zones"}
    chosen = Chosen(shown, whole=True, size=COVER_SIZE)
    return draw_locator(features, chosen, press.ground, (theme["title"], press.family))


def _documents(press: Press, places: list[str]) -> list[Document]:
    rows = [press.release.read_json(f"documents/{place}.json") for place in places]
    return [row for row in rows if row["geometry"]["source"]]


def _industries(press: Press) -> Document:
    tr = press.writer.tr
    comma = press.say("common.list_comma")
    rows = []
    for row in press.release.read_json("pages/industries.json"):
        zones = dict.fromkeys(tr(one["zone"]["name"]) for one in row["designations"])
        cluster = row["cluster"]["letter"] if row["cluster"] else "–"
        where = comma.join(zones) or press.say("status.city")
        clauses = dict.fromkeys(
            one["clause"] for one in (*row["designations"], *row["named"], *row["chains"])
        )
        rows.append(
            [
                tr(row["name"]),
                cluster,
                where,
                comma.join(format_clause(one, press.language) for one in clauses),
            ]
        )
    keys = ("industries.industry", "industry.cluster", "industry.zones", "common.clause")
    return {"head": [press.say(key) for key in keys], "rows": rows, "widths": [1.3, 0.5, 2.2, 1.0]}


def _indicators(press: Press) -> Document:
    rows = []
    for row in press.release.read_json("pages/indicators.json"):
        mark = press.say("indicators.below_base") if row["below_base"] else ""
        rows.append(
            [press.writer.tr(row["name"]), _value(press, row, "base"), _value(press, row, "target"), mark]
        )
    keys = ("indicators.indicator", "indicators.base", "indicators.target", "indicators.compared")
    return {"head": [press.say(key) for key in keys], "rows": rows, "widths": [2.0, 1.2, 1.2, 0.8]}


def _value(press: Press, row: Document, name: str) -> str:
    value = row[name]
    if value is None:
        return press.writer.tr(row.get(f"no_{name}")) or press.say(f"indicators.no_{name}")
    figure = format_quantity(value["value"], row["unit"], press.language)
    year = f" ({value['year']})" if value["year"] else ""
    return press.say(f"comparator.{value['comparator']}", value=figure) + year


def _accuracy(press: Press) -> Document:
    rows = []
    for row in press.payload["features"].values():
        if row["layer"] in LAYERS:
            accuracy = press.say("zone.metres", value=format_number(float(f"{row['accuracy_m']:.2g}")))
            rows.append(
                [
                    row["name"],
                    press.say(f"method.{row['method']}"),
                    accuracy,
                    f"{format_number(row['area_km2'])} km²",
                ]
            )
    keys = ("common.name", "zone.method", "zone.accuracy", "zone.computed")
    return {"head": [press.say(key) for key in keys], "rows": rows, "widths": [2.0, 1.0, 1.0, 1.0]}
