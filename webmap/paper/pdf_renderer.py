"""Typeset sheets, posters, pictures and the atlas of one release in one language."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypedDict

import segno

from geodata.kinds import PLACE_LAYERS, POINT_LAYERS
from geodata.messages import fill
from layers import document_types as doc
from layers.basemap_cells import INDEX
from layers.citations import NO_WORDING
from layers.links import Reached, Words
from layers.map_types import MapDocument, MapTheme
from layers.store import Release
from webmap.i18n import choose_credit, format_clause, format_number, format_quantity
from webmap.map_choice import MapChoice, ShownMap
from webmap.paper import SIZES, typeset
from webmap.paper.drawing import Ground, explain_edges
from webmap.paper.poster import Wording, draw_poster
from webmap.paper.sheets import HUE, Chosen, SheetText, Writer, draw_locator

CARD = (1200, 630)  # points, and pixels at 72 to the inch: what link previews ask for
CARD_PPI = 72
SAID = {"name", "short", "label", "title", "note"}  # members of the map's document that are read
WORDING, LOGO = "pages/wording.json", "static/local/logo.png"
THEME_SIZE = "A4"
MM_PER_INCH = 25.4
MOST_PIXELS = 40_000_000  # of a picture: an A1 sheet at about 230 to the inch
COVER_SIZE = (170.0, 150.0)


class SheetFrame(TypedDict):
    """What stands around the text of a sheet: map, address, QR code, footer."""

    map: str | None
    map_alt: str
    map_note: str
    latin: bool
    url: str
    qr: str
    qr_alt: str
    foot: list[str]
    logo: list[int] | None


class Sheet(SheetText, SheetFrame):
    """A one-page sheet."""


class PosterDrawing(TypedDict):
    """A sheet of the map with its size in millimetres and a description."""

    title: str
    svg: str
    width: float
    height: float
    alt: str


class SheetTable(TypedDict):
    """A table of the atlas."""

    head: list[str]
    rows: list[list[str]]
    widths: list[float]


@dataclass(frozen=True)
class PdfRenderer:
    """Makes paper from one release.

    `absolute` returns the whole address of a path on the site, empty where that is not known; `say`
    translates into `language`.
    """

    release: Release
    ground: Ground
    plan: doc.PlanDocument
    language: str
    absolute: Callable[[str], str]
    say: Callable[..., str]

    @cached_property
    def payload(self) -> MapDocument:
        """The map's features and themes in the press's language."""
        payload: MapDocument = self.release.read_json(f"map/{self.language}.json")
        return payload

    @property
    def family(self) -> str:
        """The font of the language."""
        return typeset.FAMILIES[self.language]

    @cached_property
    def writer(self) -> Writer:
        """Writes the words of the sheets."""
        wording = self.release.read_json(WORDING) if self.release.sha256(WORDING) else NO_WORDING
        return Writer(self.language, self.say, self.plan["issuer"], wording)

    @cached_property
    def local(self) -> doc.LocalSummary:
        """Who publishes, and what may be said of the maps."""
        local: doc.LocalSummary = self.release.read_json("pages/local.json")
        return local

    def publisher_lines(self) -> list[str]:
        """Return who publishes, where somebody says so, and what may be said of the maps."""
        publisher, tr = self.local["publisher"], self.writer.tr
        name = tr(publisher["name"]) if publisher else ""
        notice = tr(publisher["map_review_notice"]) if publisher else ""
        number = publisher["map_review_number"] if publisher else None
        review = [self.say("about.review_number", number=number)] if number else []
        review += [notice] if notice else []
        return [
            " ".join(review) or self.say("about.not_reviewed"),
            *([f"{self.say('about.published_by')} {name}"] if name else []),
        ]

    @cached_property
    def logo(self) -> list[int] | None:
        """The publisher's logo as Typst takes bytes from JSON, None where there is none."""
        return list(self.logo_png) or None

    @property
    def logo_png(self) -> bytes:
        """The publisher's logo, empty where there is none."""
        return self.release.read(LOGO) if self.local["logo"] else b""

    def theme(self, theme_id: str) -> MapTheme:
        """Return a theme of the map; raises KeyError for an unknown one."""
        found = {theme["id"]: theme for theme in self.payload["themes"]}
        return found[theme_id]

    def place_sheet(self, place_id: str) -> Sheet:
        """Return what stands on the sheet of a place."""
        document: doc.PlaceDocument = self.release.read_json(f"documents/{place_id}.json")
        known = document["geometry"]["method"] is not None
        places: dict[str, doc.PlaceMeasures] = self.release.read_json("pages/measures.json")["places"]
        sheet = self.writer.of_place(document, places[place_id]["distances"] if place_id in places else None)
        chosen = Chosen({place_id: HUE}) if known else None
        return {**sheet, **self._frame(document["url"], sheet["title"], chosen)}

    def industry_sheet(self, industry_id: str) -> Sheet:
        """Return what stands on the sheet of an industry."""
        document: doc.IndustryDocument = self.release.read_json(f"industries/{industry_id}.json")
        cluster = document["cluster"]
        hue = cluster["colour"] if cluster else HUE
        own, near = document["designations"], document["cluster_designations"]
        rows = own or near
        chosen = Chosen({row["zone"]["id"]: hue for row in rows}, whole=True, light=not own)
        sheet = self.writer.of_industry(document)
        frame = self._frame(document["url"] or "", sheet["title"], chosen)
        if cluster and near and not own:  # the map shows where kindred industries are designated
            name = self.writer.tr(cluster["name"])
            frame["map_note"] = f"{self.say('industry.cluster_zones', name=name)} · {frame['map_note']}"
        return {**sheet, **frame}

    def cluster_sheet(self, cluster_id: str) -> Sheet:
        """Return what stands on the sheet of a cluster."""
        document: doc.ClusterDocument = self.release.read_json(f"clusters/{cluster_id}.json")
        sheet = self.writer.of_cluster(document)
        places = {place["id"]: document["colour"] for place in document["places"]}
        chosen = Chosen(places, whole=True) if places else None
        return {**sheet, **self._frame(document["url"], sheet["title"], chosen)}

    def poster(
        self, choice: MapChoice, size: str, note: str = "", also: PdfRenderer | None = None
    ) -> PosterDrawing:
        """Return a sheet of the map as a drawing with its size in millimetres and a description.

        `note` is added to its foot; with `also`, everything is said in that language as well.
        """
        both: list[PdfRenderer] = [self, also] if also else [self]
        theme_id = choice.theme
        sources = [one.sources() for one in both]
        words = Wording(
            self.family,
            tuple(one.say for one in both),
            " · ".join(
                dict.fromkeys(line for one in both for line in (one.say("site.name"), *one.publisher_lines()))
            ),
            tuple(source for source, _ in sources),
            tuple(f"{dated}  {note}".rstrip() for _, dated in sources),
            tuple(one.credit for one in both),
            [_pair(rows) for rows in zip(*(one.list_industries(theme_id) for one in both), strict=True)],
            {key: " · ".join(one.targets[key] for one in both) for key in self.targets},
            self.absolute(f"/?theme={theme_id}&lang={self.language}"),
            self.logo_png,
        )
        payload = _join(self.payload, also.payload) if also else self.payload
        width, height = SIZES[size]
        boxes = {row_id: one.bounds for row_id, one in self.ground.polygons.items()}
        drawn = draw_poster(ShownMap(payload, choice, boxes), size, self.ground, words)
        title = self.theme(theme_id)["title"]
        alt = self.say("paper.theme_alt", name=title)
        return {"title": title, "svg": drawn, "width": width, "height": height, "alt": alt}

    def list_industries(self, theme_id: str) -> list[tuple[str, str]]:
        """Return the areas of a theme that the plan lists industries for, with the plan's terms.

        Beside larger areas, those without a known extent are left out: the web page has them.
        A theme of points has the development zones that most of them belong to, so that its sheet says
        what those zones are for.
        """
        layers = set(self.theme(theme_id)["layers"])
        shown = layers if layers - {*POINT_LAYERS} else {"zones"}
        rows = []
        for place, row in self.payload["features"].items():
            if row["layer"] in shown and (row["method"] != "indicative" or len(shown) == 1):
                document: doc.PlaceDocument = self.release.read_json(f"documents/{place}.json")
                industries = document.get("industries", [])
                terms = list(dict.fromkeys(self.writer.tr(one["term"]) for one in industries))
                if terms:
                    rows.append((row["name"], self.say("common.list_comma").join(terms)))
        return rows

    @cached_property
    def targets(self) -> dict[str, str]:
        """The target of each cluster that has one, by id, with its year."""
        rows: list[doc.ClusterDocument] = self.release.read_json("pages/clusters.json")
        return {row["id"]: _value(self, target, target["unit"]) for row in rows if (target := row["target"])}

    def poster_as(self, extension: str, choice: MapChoice, size: str, also: PdfRenderer | None) -> bytes:
        """Return a sheet as ``pdf``, ``png`` or ``svg``; letters that no font has are told at its foot."""
        drawn = self.poster(choice, size, also=also)
        if extension == "svg":
            return drawn["svg"].encode()
        note = self._note(typeset.to_legible({"svg": drawn["svg"]})[1])
        drawn = self.poster(choice, size, note, also) if note else drawn
        if extension == "pdf":
            return self.to_pdf("poster.typ", drawn)
        width, height = SIZES[size]
        ppi = min(typeset.PPI, MM_PER_INCH * math.sqrt(MOST_PIXELS / (width * height)))
        return self._png("poster.typ", drawn, ppi)

    def chart_png(self, svg: str, size: tuple[float, float], title: str) -> bytes:
        """Return a chart as a picture on white, its size given in its own units."""
        drawn = {"svg": svg, "width": size[0] / 4, "height": size[1] / 4, "title": title, "alt": title}
        return self._png("poster.typ", drawn)

    def card_png(self, place_id: str) -> bytes:
        """Return the picture that a link to a place is previewed with."""
        sheet = self.place_sheet(place_id)
        if not sheet["lead"]:
            document: doc.PlaceDocument = self.release.read_json(f"documents/{place_id}.json")
            names = [self.writer.tr(row["term"]) for row in document.get("industries", [])]
            sheet["lead"] = self.say("common.list_comma").join(names)
        width, height = CARD
        return self._png("card.typ", {**sheet, "width": width, "height": height}, CARD_PPI)

    def qr(self, url: str) -> str:
        """Return the QR code of an address as SVG."""
        picture = io.BytesIO()
        segno.make(url, error="m", micro=False).save(picture, kind="svg", border=0, xmldecl=False)
        return picture.getvalue().decode()

    def _frame(self, path: str, title: str, chosen: Chosen | None) -> SheetFrame:
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
            "foot": [
                *self.publisher_lines(),
                *self.sources(),
                f"{self.say('paper.projection')}  {self.credit}",
            ],
            "logo": self.logo,
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
        dated = self.say("paper.dated", date=plan["date"], release=self.release.id[:12])
        return source, dated

    @cached_property
    def credit(self) -> str:
        """Whose data the ground of the maps is drawn from."""
        key, values = choose_credit(self.release.read_json(INDEX) if self.release.sha256(INDEX) else None)
        return self.say(key, **values)

    def _common(self) -> dict[str, object]:
        return {"lang": self.language, "family": self.family, "author": self.say("site.name")}

    def _note(self, missing: list[str]) -> str:
        """Return what a sheet says of letters that it cannot show, empty for none."""
        letters = typeset.name_letters(missing)
        return self.say("paper.replaced", mark=typeset.MARK, letters=letters) if missing else ""

    def to_pdf(self, template: str, data: Mapping[str, object]) -> bytes:
        """Return a template typeset with what stands in it, letters that no font has replaced."""
        legible, missing = typeset.to_legible({**data, **self._common()})
        foot, lead = legible.get("foot"), legible.get("method_lead")
        if missing and isinstance(foot, list):  # of a sheet
            foot.append(self._note(missing))
        elif missing and isinstance(lead, str):  # of the atlas
            legible["method_lead"] = f"{lead} {self._note(missing)}"
        return typeset.to_pdf(template, legible, self.plan["date"])

    def _png(self, template: str, data: Mapping[str, object], ppi: float = typeset.PPI) -> bytes:
        legible, _ = typeset.to_legible({**data, **self._common()})
        return typeset.to_png(template, legible, ppi)


def _pair(rows: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """Return the same row of a table in one or more languages as one."""
    names, terms = zip(*rows, strict=True)
    return "\n".join(dict.fromkeys(names)), " / ".join(dict.fromkeys(terms))


def _join(first: Any, second: Any, key: str = "") -> Any:
    """Return a document with every text that differs in `second` in both languages, a line feed between."""
    if isinstance(first, dict):
        return {name: _join(value, second[name], name) for name, value in first.items()}
    if isinstance(first, list):
        return [_join(one, other, key) for one, other in zip(first, second, strict=True)]
    if key in SAID and isinstance(first, str) and first != second:
        return f"{first}\n{second}"
    return first


def open_renderer(release: Release, language: str, absolute: Callable[[str], str]) -> PdfRenderer:
    """Return what prints a release in one language."""
    plan, strings = _read_common(release, language)

    def say(key: str, **values: object) -> str:
        return fill(strings[key], values)

    return PdfRenderer(release, _open_ground(release), plan, language, absolute, say)


@lru_cache(maxsize=3)  # one of each language: who prints a whole site reads them once
def _read_common(release: Release, language: str) -> tuple[doc.PlanDocument, dict[str, str]]:
    return release.read_json("pages/plan.json"), release.read_json(f"pages/{language}/strings.json")


@lru_cache(maxsize=1)
def _open_ground(release: Release) -> Ground:
    return Ground(release)


def build_atlas(renderer: PdfRenderer, chart: str) -> dict[str, object]:
    """Return the parts of the atlas in their order."""
    say, writer = renderer.say, renderer.writer
    places = [row_id for row_id, row in renderer.payload["features"].items() if row["layer"] in PLACE_LAYERS]
    return {
        "title": say("atlas.title"),
        "subtitle": renderer.plan["title"][renderer.language],
        "cover_lines": [
            renderer.plan["number"],
            renderer.plan["date"],
            *renderer.sources()[1:],
            renderer.credit,
            *renderer.publisher_lines(),
        ],
        "logo": renderer.logo,
        "cover_map": _cover(renderer),
        "cover_alt": say("paper.theme_alt", name=renderer.payload["themes"][0]["title"]),
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
    theme, features = renderer.payload["themes"][0], renderer.payload["features"]
    hues = {key: entry["colour"] for entry in theme["legend"] for key in entry["keys"]}
    shown = {row_id: hues[row["kind"]] for row_id, row in features.items() if row["layer"] == "zones"}
    chosen = Chosen(shown, whole=True, size=COVER_SIZE)
    return draw_locator(features, chosen, renderer.ground, (theme["title"], renderer.family))


def _documents(renderer: PdfRenderer, places: list[str]) -> list[doc.PlaceDocument]:
    rows: list[doc.PlaceDocument] = [
        renderer.release.read_json(f"documents/{place}.json") for place in places
    ]
    return [row for row in rows if row["geometry"]["source"]]


def _industries(renderer: PdfRenderer) -> SheetTable:
    tr = renderer.writer.tr
    comma = renderer.say("common.list_comma")
    rows = []
    industries: list[doc.IndustryDocument] = renderer.release.read_json("pages/industries.json")
    for row in industries:
        zones = dict.fromkeys(tr(one["zone"]["name"]) for one in row["designations"])
        cluster = row["cluster"]["letter"] if row["cluster"] else "–"
        where = comma.join(zones) or renderer.say("status.city")
        cited = [one["clause"] for one in row["designations"]]
        cited += [*(one["clause"] for one in row["named"]), *(one["clause"] for one in row["chains"])]
        clauses = dict.fromkeys(cited)
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


def _indicators(renderer: PdfRenderer) -> SheetTable:
    rows = []
    indicators: list[doc.IndicatorDocument] = renderer.release.read_json("pages/indicators.json")
    for row in indicators:
        unit = row["unit"]
        mark = renderer.say("indicators.below_base") if row["below_base"] else ""
        rows.append(
            [
                renderer.writer.tr(row["name"]),
                _value(renderer, row["base"], unit) or _missing(renderer, row["no_base"], "base"),
                _value(renderer, row["target"], unit) or _missing(renderer, row["no_target"], "target"),
                mark,
            ]
        )
    keys = ["indicators.indicator", "indicators.base", "indicators.target", "indicators.compared"]
    widths = [2.0, 1.2, 1.2, 0.8]
    if renderer.local["outcomes"]:
        keys.append("local.reached")
        widths.append(1.4)
        for cells, row in zip(rows, indicators, strict=True):
            cells.append("; ".join(_reached(renderer, one) for one in row["outcomes"]) or "–")
    return {"head": [renderer.say(key) for key in keys], "rows": rows, "widths": widths}


def _reached(renderer: PdfRenderer, one: Reached) -> str:
    figure = format_quantity(one["value"], one["unit"], renderer.language)
    return f"{figure} ({one['year']}; {one['source']}, {one['as_of']})"


def _value(renderer: PdfRenderer, value: doc.IndicatorFigure | doc.TargetEntry | None, unit: Words) -> str:
    if value is None:
        return ""
    figure = format_quantity(value["value"], unit, renderer.language)
    year = f" ({value['year']})" if value["year"] else ""
    return renderer.say(f"comparator.{value['comparator']}", value=figure) + year


def _missing(renderer: PdfRenderer, reason: Words | None, name: str) -> str:
    return renderer.writer.tr(reason) or renderer.say(f"indicators.no_{name}")


def _accuracy(renderer: PdfRenderer) -> SheetTable:
    rows = []
    for row in renderer.payload["features"].values():
        if row["layer"] in PLACE_LAYERS and row["accuracy_m"] is not None:
            area_km2 = row.get("area_km2")
            accuracy = renderer.say("zone.metres", value=format_number(float(f"{row['accuracy_m']:.2g}")))
            rows.append(
                [
                    row["name"],
                    renderer.say(f"method.{row['method']}"),
                    accuracy,
                    "–" if area_km2 is None else f"{format_number(area_km2)} km²",
                ]
            )
    keys = ("common.name", "zone.method", "zone.accuracy", "zone.computed")
    return {"head": [renderer.say(key) for key in keys], "rows": rows, "widths": [2.0, 1.0, 1.0, 1.0]}
