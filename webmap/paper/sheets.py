"""What stands on the one-page sheets of places and industries, in one language, and the map of a sheet."""

from __future__ import annotations

import math
from collections.abc import (
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from layers import document_types as doc
from layers.answers import AreaIndustries, AreaIndustry, AreaPositioning
from layers.cartography import STYLE
from layers.citations import PlanWording, find_sentences
from layers.links import ContactCard, Reached, ResponsibleUnit, Statement
from layers.map_types import MapFeature, ShownFeature, SymbolLook
from webmap.i18n import format_area, format_clause, format_number, format_quantity, write_clauses
from webmap.label_placement import find_middle, measure_text, wrap_text
from webmap.map_choice import UNITS, FigureLook
from webmap.paper.drawing import MUTED, Drawing, Figure, Ground, fit
from webmap.paper.painter import Painter

Say = Callable[..., str]
# Of the page of a sheet, see sheet.typ: its columns, what the map takes of the second, and what both have.
COLUMNS_MM, MAP_MM, ROOM_MM = (94.0, 84.0), 73.0, 205.0
SIZES_MM = tuple(points * 25.4 / 72 for points in (10.5, 9.5, 8.5, 8, 7.5, 7, 6, 5))  # of its type
LINE, HEADING, SMALLER = 1.38, 3.2, 0.86  # heights over the size of type
MOST = 24  # rows of one list; what is left over is counted, and stands on the page
MOST_QUOTED = 900  # letters of the plan's own words on one sheet
SIZE = (90.0, 78.0)
EDGE = 6.0  # millimetres around the map, for the degrees
HUE = STYLE.hues["single"]
LONGEST = 40.0  # millimetres of a name in one line
CLOSE = 900_000  # up to this scale the zones around have their names too
LEAST_M = 45_000  # width of the ground that is shown, so that a small park still shows where it is


class SheetPart(TypedDict):
    """A part of a sheet: a text, a list, facts or a table, each with a note; members differ by kind."""

    kind: str
    title: str
    note: str
    text: NotRequired[str]
    items: NotRequired[list[list[str]]]
    head: NotRequired[list[str]]
    rows: NotRequired[list[list[str]]]
    widths: NotRequired[list[float]]


class SheetText(TypedDict):
    """What is said on a sheet."""

    above: str
    title: str
    zh: str
    lead: str
    left: list[SheetPart]
    right: list[SheetPart]


Quoted = doc.PlaceIndustry | doc.DesignationEntry | Statement
Cited = (
    Quoted
    | AreaIndustry
    | doc.AreaDesignation
    | AreaIndustries
    | AreaPositioning
    | doc.ChainEntry
    | doc.Membership
)


def balance_columns(parts: list[SheetPart]) -> tuple[list[SheetPart], list[SheetPart]]:
    """Return the parts of both columns, in order, so that these are most nearly of one height.

    The map heads the second column. Heights are reckoned from the letters, in the type that the whole needs:
    setting each part to measure it would cost the process that sets an atlas its memory.
    """
    for size in SIZES_MM:
        widths = [width / size for width in COLUMNS_MM]
        above = (MAP_MM + 2 * LINE * size) / size
        heights = [[_measure_part(part, width) for part in parts] for width in widths]
        longer = {
            count: max(sum(heights[0][:count]), above + sum(heights[1][count:]))
            for count in range(min(1, len(parts)), len(parts) + 1)
        }
        count = min(longer, key=longer.__getitem__)
        if longer[count] * size <= ROOM_MM:
            break
    return parts[:count], parts[count:]


def _measure_part(part: SheetPart, width: float) -> float:
    """Return about how high a part is set in a column; width and height in sizes of its type."""

    def lines(text: str, room: float = width) -> float:
        return math.ceil(measure_text(text, 1) / room) * LINE if text else 0

    high = HEADING + lines(part["note"]) * SMALLER + lines(part.get("text", ""))
    high += sum(lines("".join(item), width - 1) + 0.3 for item in part.get("items", []))
    shares = part.get("widths") or [1, 3]
    rooms = [max(share, 1) * width / sum(max(one, 1) for one in shares) for share in shares]
    for row in part.get("rows", []):
        high += max(lines(cell, room) for cell, room in zip(row, rooms, strict=True)) + 0.4
    return high


@dataclass(frozen=True)
class Writer:
    """Writes parts of sheets in one language."""

    language: str
    say: Say
    issuer: dict[str, str]
    wording: PlanWording

    def of_place(
        self, document: doc.PlaceDocument, distances: dict[str, doc.DistanceTo | None] | None = None
    ) -> SheetText:
        """Return title, lead and parts of any place of the map; `distances` to what is near, by kind."""
        positioning = dict.fromkeys(self.tr(row["term"]) for row in document.get("positioning", []))
        left = [
            self._place_industries(document),
            self._of_areas(document),
            self._positioning_of_areas(document),
            self._wanted(self.say("answers.tasks"), document.get("tasks", [])),
            self._terms(self.say("answers.fields"), document.get("fields", [])),
            self._terms(self.say("answers.remarks"), document.get("remarks", [])),
            self._quotes(
                (row, document["id"])
                for row in (*document.get("industries", []), *document.get("positioning", []))
            ),
            self._ties(document),
            self._platforms(document),
            self._clauses(document),
        ]
        right = [
            self._areas(document),
            self._belonging(document),
            self._distances(distances or {}),
            self._responsible(document["responsible_units"], document.get("government")),
            self._contacts(document, document.get("contact"), document.get("government")),
        ]
        return self._sheet(
            document,
            self.say(f"kind.{document['kind']}"),
            self.say("common.list_comma").join(positioning),
            left,
            right,
        )

    def of_industry(self, document: doc.IndustryDocument) -> SheetText:
        """Return title, lead and parts of an industry."""
        cluster = document["cluster"]
        lead = self.say(f"status.{document['status']}")
        if cluster:
            lead += f" · {self.say('industry.cluster')} {cluster['letter']} {self.tr(cluster['name'])}"
        if document["designations"]:
            empty = self.say("answers.no_zone", industry=self.tr(document["name"]))
        else:
            empty = self.say("answers.only_served" if document["served_by"] else "industry.city_only")
        left = [
            self._designations(self.say("industry.zones"), document["zone_designations"], empty),
            self._more_designations("answers.listed_areas", document["listed_areas"]),
            self._area_designations(document["area_designations"]),
            self._more_designations("answers.industry_city", document["city_designations"]),
            self._list(
                self.say("answers.served_by"),
                [
                    (
                        " ← ".join(self.tr(one["name"]) for one in (row["zone"], row["area"]) if one)
                        + f": {self.tr(row['term'])}",
                        self._clause(row),
                    )
                    for row in document["served_by"]
                ],
            ),
            self._wanted(self.say("industry.named"), document["named"]),
        ]
        if cluster and not document["designations"] and document["cluster_designations"]:
            title = self.say("industry.cluster_zones", name=self.tr(cluster["name"]))
            part = self._designations(title, document["cluster_designations"], "")
            left.append({**part, "note": self.say("industry.cluster_zones_note")})
        left += [
            self._quotes(
                (
                    *((row, row["zone"]["id"]) for row in document["designations"]),
                    *((row, None) for row in document["named"]),
                )
            ),
            self._industry_platforms(document),
        ]
        right = [self._target(cluster), self._chains(document), self._near(document), self._codes(document)]
        right += [self._responsible(document["responsible_units"]), self._contacts(document)]
        return self._sheet(document, self.say("industries.industry"), lead, left, right)

    def of_cluster(self, document: doc.ClusterDocument) -> SheetText:
        """Return title, lead and parts of a cluster."""
        target = document["target"]
        lead = f"{self._amount(target)} ({target['year']})" if target else self.tr(document["no_target"])
        designated = [row for place in document["places"] for row in place["designations"]]
        left = [
            self._designations(self.say("cluster.places"), designated, self.say("cluster.no_places")),
            self._terms(self.say("fact.goal"), document["goals"]),
            self._list(
                self.say("cluster.industries"),
                [
                    (self.tr(row["name"]), self.say(f"status.{row['status']}"))
                    for row in document["industries"]
                ],
            ),
            self._quotes((row, row["zone"]["id"]) for row in designated),
        ]
        right = [
            self._target(document),
            self._reached(document["outcomes"]),
            self._terms(self.say("fact.focus"), [] if target else document["focus"]),
            self._chains(document),
            self._responsible(document["responsible_units"]),
            self._contacts(document),
        ]
        above = self.say("cluster.number", number=document["number"])
        return self._sheet(document, above, lead, left, right)

    def _distances(self, distances: dict[str, doc.DistanceTo | None]) -> SheetPart | None:
        """Return how far a place is from the nearest of each kind of place that investors ask for."""
        rows = []
        for row in distances.values():
            if row:
                km = _km(row["distance_m"])
                away = self.say("siting.away", km=km) if row["distance_m"] else self.say("siting.inside")
                about = self.say("siting.accuracy", km=_km(row["accuracy_m"]))
                rows.append((self.tr(row["to"]["name"]), f"{away} {about}"))
        return self._list(self.say("zone.distances"), rows)

    def tr(self, text: dict[str, str] | None) -> str:
        """Return the text of the sheet's language, with clauses numbered as it numbers them."""
        return write_clauses(text[self.language], self.language) if text else ""

    def _sheet(
        self,
        document: doc.PlaceDocument | doc.IndustryDocument | doc.ClusterDocument,
        above: str,
        lead: str,
        left: Iterable[SheetPart | None],
        right: Iterable[SheetPart | None],
    ) -> SheetText:
        """Return the parts in two columns; those of `right` follow those of `left`."""
        name = document["name"]
        first, second = balance_columns([part for part in (*left, *right) if part])
        return {
            "above": above,
            "title": self.tr(name),
            "zh": name["zh"] if name["zh"] != self.tr(name) else "",
            "lead": lead[:1].upper() + lead[1:],
            "left": first,
            "right": second,
        }

    def _place_industries(self, document: doc.PlaceDocument) -> SheetPart | None:
        title = self.say("zone.industries")
        if "industries" not in document:
            return None
        if not document["industries"]:
            return _text(title, self.tr(document["no_industries"]) or self.say("zone.no_industries"))
        rows = [
            [self.tr(row["term"]), self.tr(row["name"]), self._emphasis(row), self._clause(row)]
            for row in document["industries"]
        ]
        head = [
            self.say(key) for key in ("zone.term", "industries.industry", "zone.emphasis", "common.clause")
        ]
        return _table(title, head, rows, [1.25, 1.15, 0.85, 0])

    def _designations(self, title: str, rows: list[doc.DesignationEntry], empty: str) -> SheetPart:
        if not rows:
            return _text(title, empty)
        cells = [
            [self.tr(row["zone"]["name"]), self.tr(row["term"]), self._emphasis(row), self._clause(row)]
            for row in rows
        ]
        head = [self.say(key) for key in ("industry.zone", "zone.term", "zone.emphasis", "common.clause")]
        return _table(title, head, cells, [1.2, 1.2, 0.85, 0])

    def _more_designations(self, key: str, rows: list[doc.DesignationEntry]) -> SheetPart | None:
        return self._designations(self.say(key), rows, "") if rows else None

    def _area_designations(self, rows: list[doc.AreaDesignation]) -> SheetPart | None:
        """Return the zones of the areas that an industry is listed for."""
        if not rows:
            return None
        cells = [
            [self.tr(row["zone"]["name"]), self._bond(row), self.tr(row["term"]), self._clause(row)]
            for row in rows
        ]
        head = [self.say(key) for key in ("industry.zone", "answers.area", "zone.term", "common.clause")]
        part = _table(self.say("answers.industry_of_areas"), head, cells, [1, 1.4, 1, 0])
        note = self.say("answers.industry_of_areas_note") + self._open_extent(rows)
        return {**part, "note": note}

    def _emphasis(self, row: doc.PlaceIndustry | doc.DesignationEntry | AreaIndustry) -> str:
        own = row["verb"] if self.language == "zh" else ""
        return own or self.say(f"emphasis.{row['emphasis']}")

    def _clause(self, row: Cited | doc.TargetEntry) -> str:
        return format_clause(row["clause"], self.language)

    def _of_areas(self, document: doc.PlaceDocument) -> SheetPart | None:
        """Return what the plan lists for the areas that a place belongs to, with what it leaves open."""
        areas = document.get("industries_of_areas", [])
        if not areas:
            return None
        comma = self.say("common.list_comma")
        grouped: dict[tuple[str, str, str], list[str]] = {}
        for area in areas:
            for row in area["industries"]:
                key = (self._bond(area), self._emphasis(row), self._clause(row))
                grouped.setdefault(key, []).append(self.tr(row["term"]))
        rows = [[bond, comma.join(terms), verb, clause] for (bond, verb, clause), terms in grouped.items()]
        head = [self.say("answers.area"), self.say("zone.term"), self.say("zone.emphasis")]
        part = _table(
            self.say("answers.of_areas"), [*head, self.say("common.clause")], rows, [1.4, 1.1, 0.8, 0]
        )
        return {**part, "note": self.say("answers.not_own") + self._open_extent(areas)}

    def _open_extent(self, rows: Sequence[AreaIndustries | doc.AreaDesignation]) -> str:
        """Return the sentence that says which areas have no stated extent, after a space; "" where none."""
        areas = [self.tr(row["area"]["name"]) for row in rows if row["extent"] == "not-stated"]
        listed = self.say("common.list_comma").join(dict.fromkeys(areas))
        return " " + self.say("answers.open_extent", areas=listed) if areas else ""

    def _positioning_of_areas(self, document: doc.PlaceDocument) -> SheetPart | None:
        comma = self.say("common.list_comma")
        rows = []
        for area in document.get("positioning_of_areas", []):
            terms = comma.join(self.tr(row["term"]) for row in area["positioning"])
            rows.append((f"{self.tr(area['area']['name'])}: {terms}", self._clause(area["positioning"][0])))
        return self._list(self.say("answers.positioning_of_areas"), rows)

    def _bond(self, area: AreaIndustries | doc.AreaDesignation) -> str:
        """Return an area's name with how the place belongs to it."""
        through = area["through"]
        role = (
            self.say(f"answers.role_of.{area['role']}", name=self.tr(through["name"]))
            if through
            else self.say(f"answers.role.{area['role']}")
        )
        return f"{self.tr(area['area']['name'])} ({role})"

    def _terms(self, title: str, rows: Sequence[Statement]) -> SheetPart | None:
        return self._list(title, [(self.tr(row["term"]), self._clause(row)) for row in rows])

    def _wanted(self, title: str, rows: Sequence[doc.NamedTerm | doc.PlaceTask]) -> SheetPart | None:
        """Return terms that are no designations, in Chinese after the plan's own verb."""

        def text(row: doc.NamedTerm | doc.PlaceTask) -> str:
            verb = row["verb"] if self.language == "zh" else None
            return f"{verb} {self.tr(row['term'])}" if verb else self.tr(row["term"])

        return self._list(title, [(text(row), self._clause(row)) for row in rows])

    def _ties(self, document: doc.PlaceDocument) -> SheetPart | None:
        rows = []
        for row in document.get("ties", []):
            others = [one for one in (row["subject"], row["object"]) if one and one["id"] != document["id"]]
            names = self.say("common.list_comma").join(self.tr(one["name"]) for one in others)
            said = self.tr(row["term"])
            rows.append((f"{names}: {said}" if names else said, self._clause(row)))
        return self._list(self.say("answers.ties"), rows)

    def _platforms(self, document: doc.PlaceDocument) -> SheetPart | None:
        rows = [
            (self.tr(row["name"]), self._basis(row, self.say(f"kind.{row['kind']}")))
            for row in document.get("platforms", [])
        ]
        return self._list(self.say("zone.platforms"), rows)

    def _industry_platforms(self, document: doc.IndustryDocument) -> SheetPart | None:
        rows = [(self.tr(row["name"]), self._where(row)) for row in document["platforms"]]
        return self._list(self.say("industry.platforms"), rows)

    def _where(self, row: doc.PlatformEntry) -> str:
        kind = self.say(f"kind.{row['kind']}")
        kind = f"{kind} · {self.tr(row['zone']['name'])}" if row["zone"] else kind
        return self._basis(row, kind)

    def _basis(self, row: doc.PlacePlatform | doc.PlatformEntry, text: str) -> str:
        """Return a text with a mark where the platform's zone is only inferred."""
        return f"{text} · {self.say('answers.inferred')}" if row["zone_basis"] == "inference" else text

    def _clauses(self, document: doc.PlaceDocument) -> SheetPart | None:
        rows = [
            (format_clause(row["id"], self.language), self.tr(row["title"])) for row in document["clauses"]
        ]
        return self._list(self.say("zone.clauses"), rows)

    def _belonging(self, document: doc.PlaceDocument) -> SheetPart | None:
        rows = [(self.tr(row["name"]), self._clause(row)) for row in document.get("memberships", [])]
        if parent := document["parent"]:
            rows.insert(0, (self.tr(parent["name"]), ""))
        rows += [(self.tr(row["name"]), "") for row in document.get("members", []) if row]
        title = self.say("zone.composition") if document.get("members") else self.say("zone.memberships")
        return self._list(title, rows)

    def _areas(self, document: doc.PlaceDocument) -> SheetPart:
        geometry, rows = document["geometry"], list[list[str]]()
        if (area_km2 := document.get("area_km2")) is not None:
            rows.append([self.say("zone.computed"), f"{format_area(area_km2)} km²"])
        rows += [
            [
                self.say("zone.chosen"),
                f"{format_number(row['area_km2'])} km² · {self.tr(row['source']['name'])}",
            ]
            for row in document.get("official_areas", [])
            if row["chosen"]
        ]
        if geometry["method"] and geometry["accuracy_m"] is not None:
            rows.append([self.say("zone.method"), self.say(f"method.{geometry['method']}")])
            if document.get("extent") != "not-stated":
                accuracy = format_number(float(f"{geometry['accuracy_m']:.2g}"))
                rows.append([self.say("zone.accuracy"), self.say("zone.metres", value=accuracy)])
            rows.append([self.say("zone.source"), self.tr(geometry["source"])])
        title = self.say("zone.boundary")
        if not rows:
            return _text(title, self.say("zone.no_geometry"))
        note = self.say(f"method_note.{geometry['method']}") if geometry["method"] else ""
        if document.get("extent") == "not-stated":
            note = self.say("answers.extent_unknown")
        return {"kind": "facts", "title": title, "rows": rows, "note": note}

    def _target(self, cluster: doc.ClusterHead | None) -> SheetPart | None:
        if cluster is None:
            return None
        title, target = self.say("industry.target"), cluster["target"]
        if target is None:
            return _text(title, self.tr(cluster["no_target"]))
        rows = [
            [f"{target['year']}", self._amount(target)],
            [self.say("clusters.measure"), self.tr(target["measure"])],
        ]
        focus = self.say("common.list_comma").join(self.tr(row["term"]) for row in cluster["focus"])
        rows += [[self.say("fact.focus"), focus]] if focus else []
        rows.append([self.say("common.clause"), self._clause(target)])
        return {"kind": "facts", "title": title, "rows": rows, "note": ""}

    def _amount(self, target: doc.TargetEntry) -> str:
        """Return a target's figure as the plan has it: reached, passed, at least."""
        figure = format_quantity(target["value"], target["unit"], self.language)
        return self.say(f"comparator.{target['comparator']}", value=figure)

    def _chains(self, document: doc.IndustryDocument | doc.ClusterDocument) -> SheetPart | None:
        rows = [
            (self.tr(row["name"]), f"{self.say('chain_kind.' + row['kind'])} {self._clause(row)}")
            for row in document["chains"]
        ]
        return self._list(self.say("zone.chains"), rows)

    def _near(self, document: doc.IndustryDocument) -> SheetPart | None:
        return self._list(self.say("industry.near"), [(self.tr(row["name"]), "") for row in document["near"]])

    def _codes(self, document: doc.IndustryDocument) -> SheetPart:
        rows = [
            [self.say(f"industry.{key}"), " ".join(codes)]
            for key, codes in (("gbt", document["gbt4754"]), ("isic", document["isic4"]))
            if codes
        ]
        title = self.say("industry.codes")
        return (
            {"kind": "facts", "title": title, "rows": rows, "note": ""}
            if rows
            else _text(title, self.tr(document["no_codes"]))
        )

    def _responsible(
        self, rows: list[ResponsibleUnit], government: doc.Government | None = None
    ) -> SheetPart | None:
        comma = self.say("common.list_comma")
        items: list[tuple[str, str]] = []
        if government:
            tasks = comma.join(format_clause(row["id"], self.language) for row in government["tasks"])
            key = "governing.line" if tasks else "governing.addressed"
            own = self.say(key, name=self.tr(government["name"]), clauses=tasks)
            items.append((own, ""))
        for key, leads in (("answers.lead_unit", True), ("answers.other_units", False)):
            names = [self.tr(row["name"]) for row in rows if row["leads"] is leads]
            items += [(comma.join(names), self.say(key))] if names else []
        title = self.say("zone.responsible")
        if not rows:
            items.append((self.say("zone.no_responsible"), ""))
        return {
            "kind": "list",
            "title": title,
            "items": [list(row) for row in items],
            "note": self.say("zone.responsible_note") if rows else "",
        }

    def _reached(self, rows: list[Reached]) -> SheetPart | None:
        """Return what a cluster reached, as the operator states it."""
        said = [
            (
                f"{format_quantity(row['value'], row['unit'], self.language)} ({row['year']})",
                " · ".join(filter(None, [self.tr(row["measure"]), row["source"], row["as_of"]])),
            )
            for row in rows
        ]
        return self._list(self.say("local.reached"), said)

    def _contacts(
        self,
        document: doc.PlaceDocument | doc.IndustryDocument | doc.ClusterDocument,
        own: ContactCard | None = None,
        government: doc.Government | None = None,
    ) -> SheetPart | None:
        """Return how the bodies are reached: as the operator states it, else by the name of the first."""
        asked: list[tuple[str, ContactCard | None]] = [(self.tr(document["name"]), own)] if own else []
        asked += [(self.tr(government["name"]), government["contact"])] if government else []
        asked += [(self.tr(row["name"]), row["contact"]) for row in document["responsible_units"]]
        known = {name: self._contact(card) for name, card in asked if card}
        title = self.say("local.contact")
        if known:
            return self._list(title, list(known.items()))
        issuer = self.issuer[self.language]
        return _text(title, self.say("local.no_contact", name=asked[0][0], issuer=issuer)) if asked else None

    def _contact(self, card: ContactCard) -> str:
        said = [
            self.tr(card["office"]),
            card["phone"],
            card["email"],
            card["website"],
            self.tr(card["address"]),
        ]
        said.append(f"{self.say('local.source')} {card['source']} {card['as_of']}")
        return " · ".join(filter(None, said))

    def _quotes(self, rows: Iterable[tuple[Quoted, str | None]]) -> SheetPart | None:
        """Return the first of the sentences that print terms of places; what is left over is counted."""
        found = {
            (sentence, self._clause(row)): None
            for row, place in rows
            for sentence in find_sentences(self.wording, row["clause"], row["term"]["zh"], place)
        }
        kept: list[tuple[str, str]] = []
        letters = 0
        for sentence, clause in found:
            letters += len(sentence)
            if kept and letters > MOST_QUOTED:
                break
            kept.append((sentence, clause))
        part = self._list(self.say("wording.excerpt"), kept)
        more = len(found) - len(kept)
        return {**part, "note": self.say("paper.more", count=more)} if part and more else part

    def _list(self, title: str, rows: list[tuple[str, str]]) -> SheetPart | None:
        if not rows:
            return None
        more = len(rows) - MOST
        note = self.say("paper.more", count=more) if more > 0 else ""
        return {"kind": "list", "title": title, "items": [list(row) for row in rows[:MOST]], "note": note}


def _km(metres: float) -> str:
    return format_number(metres / 1000, 1 if metres < 10_000 else 0)  # noqa: PLR2004 - as the pages round


def _text(title: str, text: str) -> SheetPart:
    return {"kind": "text", "title": title, "text": text, "note": ""}


def _table(title: str, head: list[str], rows: list[list[str]], widths: list[float]) -> SheetPart:
    return {"kind": "table", "title": title, "head": head, "rows": rows, "widths": widths, "note": ""}


@dataclass(frozen=True)
class Chosen:
    """The places that a map shows, each with its hue.

    `whole` shows them in the whole city, else with what lies around them; `light` as what is only near.
    `size` is the map's, millimetres.
    """

    hues: Mapping[str, str]
    whole: bool = False
    light: bool = False
    size: tuple[float, float] = SIZE


def draw_locator(
    features: Mapping[str, MapFeature], shows: Chosen, ground: Ground, words: tuple[str, str]
) -> str:
    """Return the map of the chosen places as SVG; `words` are the title and the font family."""
    chosen, (width, height) = shows.hues, shows.size
    drawing = Drawing(width, height, *words)
    polygons = {row_id: ground.polygons[row_id] for row_id in chosen if row_id in ground.polygons}
    rows: list[ShownFeature] = [{**features[row_id], "id": row_id} for row_id in chosen]
    points = [row for row in rows if row.get("point")]
    unbounded = [row for row in rows if row.get("spots")]
    extent = _extent(list(polygons.values()), [*points, *unbounded], ground, whole=shows.whole)
    painter = Painter(drawing, fit(extent, EDGE, 1.0, (width - EDGE - 1, height - EDGE - 1)), ground)
    painter.paint_ground()
    painter.paint_graticule(2.3)
    around = [row_id for row_id, row in features.items() if _is_around(row) and row_id not in chosen]
    for row_id in around:
        painter.paint_outline(row_id)
    ordered = sorted(polygons, key=lambda row_id: -(features[row_id]["area_km2"] or 0))
    # Among zones an area is only outlined: a city-wide one would make all seem chosen.
    areas = {row_id for row_id in ordered if features[row_id]["layer"] not in UNITS}
    outlined = areas if areas != polygons.keys() else set()
    looks = {one: FigureLook(chosen[one], light=shows.light, outlined=one in outlined) for one in ordered}
    painter.paint_figures({one: Figure(looks[one], features[one]["edge"] or "") for one in ordered})
    painter.paint_borders()
    spots = painter.paint_halos(unbounded, chosen)
    painter.paint_scale(EDGE + 4, height - EDGE - 8, 2.5)
    painter.paint_north(width - 6, 16)
    entries: dict[str, SymbolLook] = {
        row["id"]: {"colour": HUE, "symbol": "circle", "letter": None} for row in points
    }
    entries |= {
        row["id"]: {"colour": chosen[row["id"]], "symbol": "spot", "letter": None} for row in unbounded
    }
    shown = painter.paint_points([*points, *spots], entries)
    for row_id in sorted(polygons.keys() - outlined, key=lambda row_id: features[row_id]["area_km2"] or 0):
        row = features[row_id]
        lines = tuple(wrap_text(row.get("short") or row["name"], LONGEST, 3))
        painter.name_place(row_id, ground.to_xy(row["label"][0], row["label"][1]), lines, 3)
    for point in shown:
        painter.name_point(point, 2.9)
    _name_around(painter, features, [row_id for row_id in around if painter.view.scale <= CLOSE], set(chosen))
    painter.paint_frame()
    return drawing.to_svg()


def _name_around(
    painter: Painter, features: Mapping[str, MapFeature], zones: list[str], chosen: set[str]
) -> None:
    """Write the names of counties and zones that are only context, each in the middle of what is shown.

    None stands on a zone that is another's.
    """
    shown = shapely.box(*painter.view.bounds_m)
    polygons = painter.ground.polygons
    counties = [row_id for row_id, row in features.items() if row["layer"] == "counties"]
    drawn = {row_id for row_id in (*zones, *chosen) if features[row_id]["layer"] == "zones"} & polygons.keys()
    for row_id in (*counties, *zones):
        others = shapely.union_all([polygons[one] for one in drawn - {row_id}])
        own = shapely.difference(shapely.intersection(polygons[row_id], shown), others)
        middle = find_middle(own)
        if middle and row_id not in chosen:
            row = features[row_id]
            size = 2.8 if row["layer"] == "counties" else 2.3
            painter.name(middle, (row.get("short") or row["name"],), size, (own, others), fill=MUTED)


def _is_around(row: MapFeature) -> bool:
    """Return whether a place is drawn as context: a zone whose extent is more than a sketch."""
    return bool(row["layer"] == "zones" and row["method"] != "indicative")


def _extent(
    polygons: list[BaseGeometry], points: list[ShownFeature], ground: Ground, *, whole: bool
) -> Bounds:
    if whole:
        west, south, east, north = shapely.union_all([ground.city, *polygons]).bounds
        return west, south, east, north
    spots: list[BaseGeometry] = [
        shapely.Point(*ground.to_xy(*point)) for row in points if (point := row["point"])
    ]
    reaches = [at for row in points for at in row.get("spots", [])]
    spots += [shapely.buffer(shapely.Point(*ground.to_xy(lon, lat)), far_m) for lon, lat, far_m in reaches]
    west, south, east, north = shapely.union_all([*polygons, *spots]).bounds
    pad_x = max((LEAST_M - (east - west)) / 2, (east - west) * 0.2)
    pad_y = max((LEAST_M * 0.75 - (north - south)) / 2, (north - south) * 0.2)
    return west - pad_x, south - pad_y, east + pad_x, north + pad_y
