"""Typeset sheets, posters, pictures and the atlas of one release in one language."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import segno

from layers.store import Release
from webmap.i18n import format_clause, format_number, format_quantity
from webmap.map_choice import MapChoice, ShownMap
from webmap.paper import typeset
from webmap.paper.drawing import Ground
from webmap.paper.locator import HUE, Chosen, draw_locator
from webmap.paper.look import explain_edges
from webmap.paper.poster import SIZES, Wording, draw_poster
from webmap.paper.sheets import Writer

Document = dict[str, Any]
CARD = (1200, 630)  # points, and pixels at 72 to the inch: what link previews ask for
CARD_PPI = 72
POINTS = ("platforms", "gateways")
LAYERS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores")
CHAPTERS = ("themes", "places", "clusters", "industries", "indicators", "method")
THEME_SIZE = "A4"
COVER, COVER_SIZE = "districts", (170.0, 150.0)


@dataclass(frozen=True)
class PdfRenderer:
    """Makes paper from one release.

    `absolute` returns the whole address of a path on the site, empty where that is not known; `say`
    translates into `language`.
    """

    release: Release
    ground: Ground
    plan: Document
    language: str
    absolute: Callable[[str], str]
    say: Callable[..., str]

    @cached_property
    def payload(self) -> Document:
        """The map's features and themes in the press's language."""
        payload: Document = self.release.read_json(f"map/{self.language}.json")
        return payload

    @property
    def family(self) -> str:
        """The font of the language."""
        return typeset.FAMILIES[self.language]

    @cached_property
    def writer(self) -> Writer:
        """Writes the words of the sheets."""
        return Writer(self.language, self.say)

    def theme(self, theme_id: str) -> Document:
        """Return a theme of the map; raises KeyError for an unknown one."""
        found = {theme["id"]: theme for theme in self.payload["themes"]}
        theme: Document = found[theme_id]
        return theme

    def place_pdf(self, place_id: str) -> bytes:
        """Return the sheet of a place."""
        return self._pdf("one.typ", self.place_sheet(place_id))

    def industry_pdf(self, industry_id: str) -> bytes:
        """Return the sheet of an industry."""
        return self._pdf("one.typ", self.industry_sheet(industry_id))

    def place_sheet(self, place_id: str) -> Document:
        """Return what stands on the sheet of a place."""
        document = self.release.read_json(f"documents/{place_id}.json")
        known = document["geometry"]["method"] is not None
        sheet = self.writer.of_place(document)
        chosen = Chosen({place_id: HUE}) if known else None
        return sheet | self._frame(document["url"], sheet["title"], chosen)

    def industry_sheet(self, industry_id: str) -> Document:
        """Return what stands on the sheet of an industry."""
        document = self.release.read_json(f"industries/{industry_id}.json")
        hue = document["cluster"]["colour"] if document["cluster"] else HUE
        own, near = document["designations"], document["cluster_designations"]
        rows = own or near
        chosen = Chosen({row["zone"]["id"]: hue for row in rows}, whole=True, light=not own)
        sheet = self.writer.of_industry(document)
        frame = self._frame(document["url"], sheet["title"], chosen)
        if near and not own:  # the map shows where kindred industries are designated, and says so
            name = self.writer.tr(document["cluster"]["name"])
            frame["map_note"] = f"{self.say('industry.cluster_zones', name=name)} · {frame['map_note']}"
        return sheet | frame

    def poster(self, choice: MapChoice, size: str, note: str = "") -> Document:
        """Return a sheet of the map as a drawing with its size in millimetres and a description.

        `note` is added to its foot.
        """
        boxes = {row_id: one.bounds for row_id, one in self.ground.polygons.items()}
        shown = ShownMap(self.payload, choice, boxes)
        source, dated = self.sources()
        dated = f"{dated}  {note}" if note else dated
        words = Wording(self.language, self.family, self.say, self.say("site.name"), source, dated)
        width, height = SIZES[size]
        drawn = draw_poster(shown, size, self.ground, words)
        title = shown.theme["title"]
        return {"title": title, "svg": drawn, "width": width, "height": height} | {
            "alt": self.say("paper.theme_alt", name=title)
        }

    def poster_as(self, extension: str, choice: MapChoice, size: str) -> bytes:
        """Return a sheet as ``pdf``, ``png`` or ``svg``; letters that no font has are told at its foot."""
        drawn = self.poster(choice, size)
        if extension == "svg":
            return str(drawn["svg"]).encode()
        note = self._note(typeset.to_legible(drawn["svg"])[1])
        drawn = self.poster(choice, size, note) if note else drawn
        return self._pdf("poster.typ", drawn) if extension == "pdf" else self._png("poster.typ", drawn)

    def chart_png(self, svg: str, size: tuple[float, float], title: str) -> bytes:
        """Return a chart as a picture on white, its size given in its own units."""
        drawn = {"svg": svg, "width": size[0] / 4, "height": size[1] / 4, "title": title, "alt": title}
        return self._png("poster.typ", drawn)

    def card_png(self, place_id: str) -> bytes:
        """Return the picture that a link to a place is previewed with."""
        sheet = self.place_sheet(place_id)
        if not sheet["lead"]:
            industries = self.release.read_json(f"documents/{place_id}.json").get("industries", ())
            names = [self.writer.tr(row["term"]) for row in industries]
            sheet["lead"] = self.say("common.list_comma").join(names)
        width, height = CARD
        return self._png("card.typ", sheet | {"width": width, "height": height}, CARD_PPI)

    def atlas_pdf(self, chart: str) -> bytes:
        """Return the atlas; `chart` is the drawing of the clusters' targets."""
        return self._pdf("atlas.typ", build_atlas(self, chart))

    def qr(self, url: str) -> str:
        """Return the QR code of an address as SVG."""
        picture = io.BytesIO()
        segno.make(url, error="m", micro=False).save(picture, kind="svg", border=0, xmldecl=False)
        return picture.getvalue().decode()

    def _frame(self, path: str, title: str, chosen: Chosen | None) -> Document:
        """Return map, address, QR code and footer of a sheet; no map where nothing has a place."""
        features, url = self.payload["features"], self.absolute(f"{path}?lang={self.language}")
        drawn = draw_locator(features, chosen, self.ground, (title, self.family)) if chosen else None
        return {
            "map": drawn,
            "map_alt": self.say("paper.map_of", name=title),
            "map_note": self._map_note(chosen) if chosen else "",
            "latin": self.language == "en",
            "url": url,
            "qr": self.qr(url) if url else "",
            "qr_alt": self.say("share.qr"),
            "foot": [*self.sources(), self.say("paper.projection")],
        }

    def _map_note(self, chosen: Chosen) -> str:
        """Return what the edges on a sheet's map mean."""
        rows = [self.payload["features"][row_id] for row_id in chosen.hues]
        edges = [row["edge"] for row in rows if not row.get("point")]
        meanings = [meaning for _, meaning in explain_edges(edges, self.say)]
        return " · ".join([*meanings, self.say("footer.schematic")])

    def sources(self) -> tuple[str, str]:
        """Return where the facts come from, and how old plan and data are."""
        plan = self.plan
        source = self.say(
            "footer.source", title=plan["title"][self.language], number=plan["number"], date=plan["date"]
        )
        return source, self.say("paper.dated", date=plan["date"], release=self.release.id[:12])

    def _common(self) -> Document:
        return {"lang": self.language, "family": self.family, "author": self.say("site.name")}

    def _note(self, missing: list[str]) -> str:
        """Return what a sheet says of letters that it cannot show, empty for none."""
        letters = typeset.name_letters(missing)
        return self.say("paper.replaced", mark=typeset.MARK, letters=letters) if missing else ""

    def _pdf(self, template: str, data: Document) -> bytes:
        legible, missing = typeset.to_legible(data | self._common())
        if missing and isinstance(legible.get("foot"), list):  # of a sheet
            legible["foot"].append(self._note(missing))
        elif missing and "method_lead" in legible:  # of the atlas
            legible["method_lead"] += f" {self._note(missing)}"
        return typeset.to_pdf(template, legible, self.plan["date"])

    def _png(self, template: str, data: Document, ppi: float = typeset.PPI) -> bytes:
        legible, _ = typeset.to_legible(data | self._common())
        return typeset.to_png(template, legible, ppi)


def open_renderer(release: Release, language: str, absolute: Callable[[str], str]) -> PdfRenderer:
    """Return what prints a release in one language."""
    plan, strings = _read_common(release, language)

    def say(key: str, **values: object) -> str:
        return strings[key].format(**values)

    return PdfRenderer(release, _open_ground(release), plan, language, absolute, say)


@lru_cache(maxsize=3)  # one of each language: who prints a whole site reads them once
def _read_common(release: Release, language: str) -> tuple[Document, dict[str, str]]:
    return release.read_json("pages/plan.json"), release.read_json(f"pages/{language}/strings.json")


@lru_cache(maxsize=1)
def _open_ground(release: Release) -> Ground:
    return Ground(release)


def build_atlas(renderer: PdfRenderer, chart: str) -> Document:
    """Return the parts of the atlas in their order."""
    say, writer = renderer.say, renderer.writer
    places = [row_id for row_id, row in renderer.payload["features"].items() if row["layer"] in LAYERS]
    return {
        "title": say("atlas.title"),
        "subtitle": renderer.plan["title"][renderer.language],
        "cover_lines": [renderer.plan["number"], renderer.plan["date"], *renderer.sources()[1:]],
        "cover_map": _cover(renderer),
        "cover_alt": say("paper.theme_alt", name=renderer.theme(COVER)["title"]),
        "contents": say("atlas.contents"),
        "chapters": {
            key: say(f"atlas.{key}")
            for key in ("themes", "places", "clusters", "industries", "indicators", "method")
        },
        "themes": [
            renderer.poster(MapChoice(theme["id"]), THEME_SIZE) for theme in renderer.payload["themes"]
        ],
        "places": [renderer.place_sheet(place) for place in places],
        "chart": chart,
        "chart_alt": say("chart.clusters"),
        "chart_note": say("chart.clusters_note"),
        "industries": _industries(renderer),
        "indicators": _indicators(renderer),
        "method_lead": say("atlas.method_lead"),
        "methods": [
            [say(f"method.{key}"), say(f"method_note.{key}")]
            for key in ("surveyed", "official", "digitised", "reconstructed", "indicative", "derived")
        ],
        "accuracy": _accuracy(renderer),
        "schematic": say("footer.schematic"),
        "foot": say("site.name"),
        "url": renderer.absolute("/"),
        "sources": sorted({writer.tr(row["geometry"]["source"]) for row in _documents(renderer, places)}),
        "sources_title": say("atlas.sources"),
    }


def _cover(renderer: PdfRenderer) -> str:
    """Return the map on the cover: the places of one theme in the whole city."""
    theme, features = renderer.theme(COVER), renderer.payload["features"]
    hues = {key: entry["colour"] for entry in theme["legend"] for key in entry["keys"]}
    shown = {row_id: hues[row["kind"]] for row_id, row in features.items() if row["layer"] == "zones"}
    chosen = Chosen(shown, whole=True, size=COVER_SIZE)
    return draw_locator(features, chosen, renderer.ground, (theme["title"], renderer.family))


def _documents(renderer: PdfRenderer, places: list[str]) -> list[Document]:
    rows = [renderer.release.read_json(f"documents/{place}.json") for place in places]
    return [row for row in rows if row["geometry"]["source"]]


def _industries(renderer: PdfRenderer) -> Document:
    tr = renderer.writer.tr
    comma = renderer.say("common.list_comma")
    rows = []
    for row in renderer.release.read_json("pages/industries.json"):
        zones = dict.fromkeys(tr(one["zone"]["name"]) for one in row["designations"])
        cluster = row["cluster"]["letter"] if row["cluster"] else "–"
        where = comma.join(zones) or renderer.say("status.city")
        clauses = dict.fromkeys(
            one["clause"] for one in (*row["designations"], *row["named"], *row["chains"])
        )
        rows.append(
            [
                tr(row["name"]),
                cluster,
                where,
                comma.join(format_clause(one, renderer.language) for one in clauses),
            ]
        )
    keys = ("industries.industry", "industry.cluster", "industry.zones", "common.clause")
    return {"head": [renderer.say(key) for key in keys], "rows": rows, "widths": [1.3, 0.5, 2.2, 1.0]}


def _indicators(renderer: PdfRenderer) -> Document:
    rows = []
    for row in renderer.release.read_json("pages/indicators.json"):
        mark = renderer.say("indicators.below_base") if row["below_base"] else ""
        rows.append(
            [
                renderer.writer.tr(row["name"]),
                _value(renderer, row, "base"),
                _value(renderer, row, "target"),
                mark,
            ]
        )
    keys = ("indicators.indicator", "indicators.base", "indicators.target", "indicators.compared")
    return {"head": [renderer.say(key) for key in keys], "rows": rows, "widths": [2.0, 1.2, 1.2, 0.8]}


def _value(renderer: PdfRenderer, row: Document, name: str) -> str:
    value = row[name]
    if value is None:
        return renderer.writer.tr(row.get(f"no_{name}")) or renderer.say(f"indicators.no_{name}")
    figure = format_quantity(value["value"], row["unit"], renderer.language)
    year = f" ({value['year']})" if value["year"] else ""
    return renderer.say(f"comparator.{value['comparator']}", value=figure) + year


def _accuracy(renderer: PdfRenderer) -> Document:
    rows = []
    for row in renderer.payload["features"].values():
        if row["layer"] in LAYERS:
            accuracy = renderer.say("zone.metres", value=format_number(float(f"{row['accuracy_m']:.2g}")))
            rows.append(
                [
                    row["name"],
                    renderer.say(f"method.{row['method']}"),
                    accuracy,
                    f"{format_number(row['area_km2'])} km²",
                ]
            )
    keys = ("common.name", "zone.method", "zone.accuracy", "zone.computed")
    return {"head": [renderer.say(key) for key in keys], "rows": rows, "widths": [2.0, 1.0, 1.0, 1.0]}
