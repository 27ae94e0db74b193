"""The full document of one place: everything the pages and the map's panel say about it.

Texts are ``{zh, en, ko}``; enumerations stay keys, which the pages translate.
"""

from __future__ import annotations

from typing import Any

from geodata.model import Area, Gateway, OfficialArea, Platform, Position, Site, Source, Text, Town
from geodata.shapes import Shape
from layers.geojson import to_bbox
from layers.properties import LANGUAGES, SEPARATOR
from layers.relations import Place, Relations
from layers.terms import source_name

Document = dict[str, Any]


class DocumentBuilder:
    """Build documents from the facts and the shapes of all places."""

    def __init__(self, relations: Relations, shapes: dict[str, Shape]) -> None:
        self.relations = relations
        self.facts = relations.facts
        self.shapes = shapes

    def build_all(self) -> dict[str, Document]:
        """Return the document of every place, platform and gateway by id."""
        places = {place.id: self.of_place(place) for place in self.relations.places.values()}
        points: list[Platform | Gateway] = [*self.facts.platforms.values(), *self.facts.gateways.values()]
        return places | {row.id: self.of_point(row) for row in points}

    def of_place(self, place: Place) -> Document:
        """Return the document of a county, zone, park, 五区, belt or marine core."""
        clauses = self.relations.clauses_of(place)
        return {
            **self._head(
                place.id, place.layer, place.layer if isinstance(place, Area) else place.kind, place
            ),
            "full_name": _text(getattr(place, "full_name", None)),
            "short_name": _text(place.short_name),
            "aliases": list(getattr(place, "aliases", ())),
            "parent": self._link(getattr(place, "parent", None)),
            "positioning": [{"term": _text(row.term), "clause": row.clause} for row in place.positioning],
            **self._industries(place),
            **self._belonging(place),
            **self._inside(place),
            **self._citations(clauses),
            "government": self._government(place.id),
            **self._areas(place.id),
            "geometry": self._geometry(place.id),
        }

    def of_point(self, row: Platform | Gateway) -> Document:
        """Return the document of a platform or gateway."""
        layer = "platforms" if isinstance(row, Platform) else "gateways"
        parent = row.zone if isinstance(row, Platform) else row.parent
        document = self._head(row.id, layer, row.kind, row) | {
            "aliases": list(row.aliases),
            "parent": self._link(parent),
            **self._citations(self.relations.in_plan_order(row.clauses)),
            "geometry": self._geometry(row.id),
        }
        if isinstance(row, Gateway):
            return document | {"opened": row.opened, "position": _position(row.position)}
        site = self._site(row.id)
        return document | {
            "status": row.status,
            "zone_basis": row.zone_basis,
            "industries_related": [
                {"id": one, "name": _text(self.facts.industries[one].name)} for one in row.industries
            ],
            "position": _position(site.position) if site else None,
        }

    def _head(self, row_id: str, layer: str, kind: str, row: Any) -> Document:
        url = to_url(layer, row_id)
        return {
            "id": row_id,
            "layer": layer,
            "kind": kind,
            "name": _text(row.name),
            "url": url,
            "letter": getattr(row, "letter", None),
            "colour": getattr(row, "colour", None),
            "note": _text(row.note),
            "links": [
                {"rel": "alternate", "href": f"{url}.json", "type": "application/json"},
                {"rel": "enclosure", "href": f"{url}.geojson", "type": "application/geo+json"},
            ],
        }

    def _industries(self, place: Place) -> Document:
        industries = self.facts.industries
        rows = [
            {
                "industry_id": row.industry,
                "name": _text(industries[row.industry].name),
                "term": _text(row.term),
                "emphasis": row.emphasis,
                "verb": row.verb,
                "clause": row.clause,
                "cluster": industries[row.industry].cluster,
                "note": _text(row.note),
            }
            for row in self.relations.designations_of(place.id)
        ]
        clusters = [self.facts.clusters[cluster] for cluster in self.relations.clusters_of(place.id)]
        return {
            "industries": rows,
            "no_industries": None if rows else _text(place.no_industries),
            "clusters": [
                {"id": row.id, "name": _text(row.name), "letter": row.letter, "colour": row.colour}
                for row in clusters
            ],
        }

    def _belonging(self, place: Place) -> Document:
        memberships = [
            self._link(area.id)
            | {"layer": area.layer, "relation": _text(area.relation.term), "clause": area.relation.clause}
            for area in self.relations.memberships_of(place.id)
        ]
        if not isinstance(place, Area):
            return {"memberships": memberships, "members": [], "core": None, "relation": None}
        return {
            "memberships": memberships,
            "members": [self._link(member) for member in place.members],
            "core": self._link(place.core),
            "relation": {"term": _text(place.relation.term), "clause": place.relation.clause},
        }

    def _inside(self, place: Place) -> Document:
        inside = self.relations.inside(place.id)
        platforms = self.relations.platforms_in(place.id)
        gateways = [row for row in self.facts.gateways.values() if row.parent in inside]
        return {
            "children": [
                self._link(zone.id) | {"layer": zone.layer, "kind": zone.kind}
                for zone in self.relations.children_of(place.id)
            ],
            "towns": [{"id": town.id, "name": _text(town.name)} for town in self._towns(place)],
            "platforms": [
                self._link(row.id) | {"kind": row.kind, "located": row.id in self.shapes} for row in platforms
            ],
            "gateways": [self._link(row.id) | {"kind": row.kind} for row in gateways],
            "chains": [
                {"id": chain.id, "name": _text(chain.name), "clause": chain.clause}
                for chain in self.relations.chains_of(place.id)
            ],
        }

    def _towns(self, place: Place) -> list[Town]:
        inside = self.relations.inside(place.id)
        return [town for town in self.facts.towns.values() if town.zone in inside or town.county in inside]

    def _government(self, place_id: str) -> Document | None:
        agency = self.relations.government_of(place_id)
        if agency is None or agency.governs is None:
            return None
        return {
            "agency_id": agency.id,
            "name": _text(agency.name),
            "clause": agency.governs.clause,
            "tasks": self._clause_links(self.relations.tasks_of(agency)),
        }

    def _citations(self, clauses: tuple[str, ...]) -> Document:
        return {
            "responsible_units": [
                {"agency_id": unit.id, "name": _text(unit.name), "clause": clause}
                for unit, clause in self.relations.responsible_for(clauses)
            ],
            "clauses": self._clause_links(clauses),
        }

    def _clause_links(self, clauses: tuple[str, ...]) -> list[Document]:
        titles = {one: self.facts.clauses[one].title for one in clauses}
        return [{"id": one, "title": _text(title), "url": f"/plan/{one}"} for one, title in titles.items()]

    def _areas(self, place_id: str) -> Document:
        shape = self.shapes.get(place_id)
        rows = [row for row in self.facts.official_areas if row.of == place_id]
        return {
            "area_km2": round(shape.area_km2, 3) if shape else None,
            "official_area_km2": shape.official_area_km2 if shape else None,
            "official_areas": [self._official_area(row) for row in rows],
        }

    def _official_area(self, row: OfficialArea) -> Document:
        source = self.facts.sources[row.source]
        return {
            "area_km2": row.area_km2,
            "chosen": row.chosen,
            "scope": _text(row.scope),
            "source": {
                "id": source.id,
                "title": source.title,
                "name": {one: source_name(source, one) for one in LANGUAGES},
            },
            "confidence": row.confidence,
            "reason": _text(row.reason),
        }

    def _geometry(self, row_id: str) -> Document:
        shape = self.shapes.get(row_id)
        if shape is None:
            return {
                "method": None,
                "schematic": False,
                "accuracy_m": None,
                "source": None,
                "licence": None,
                "bbox": None,
                "label": None,
                "adjusted_by": [],
                "unknown": _text(self.relations.why_unplaced(row_id)),
            }
        return {
            "method": shape.method,
            "schematic": shape.schematic,
            "accuracy_m": round(shape.accuracy_m),
            "source": self._sources(shape),
            "licence": self._licences(shape),
            "bbox": to_bbox(shape.geometry),
            "label": [round(shape.label.x, 5), round(shape.label.y, 5)],
            "adjusted_by": [self._place_link(one) for one in shape.adjusted_by],
            "unknown": None,
        }

    def _place_link(self, row_id: str) -> Document:
        """Return the link of a place, or the name alone of a town, which has no page."""
        town = self.facts.towns.get(row_id)
        link: Document = {"id": row_id, "name": _text(town.name), "url": None} if town else self._link(row_id)
        return link

    def _sources(self, shape: Shape) -> dict[str, str]:
        """Return the names of the sources in each language, or in their own where we have no other."""
        sources = [self.facts.sources[one] for one in shape.sources]
        return {one: SEPARATOR[one].join(source_name(row, one) for row in sources) for one in LANGUAGES}

    def _licences(self, shape: Shape) -> dict[str, str] | None:
        """Return what is known of the sources' licences in each language, or None."""
        sources = [self.facts.sources[one] for one in shape.sources]
        known = [row for row in sources if row.rights or row.licence]
        if not known:
            return None
        return {
            one: SEPARATOR[one].join(f"{source_name(row, one)}: {_rights(row, one)}" for row in known)
            for one in LANGUAGES
        }

    def _site(self, row_id: str) -> Site | None:
        return next((site for site in self.facts.sites if site.of == row_id), None)

    def _link(self, row_id: str | None) -> Any:
        if row_id is None:
            return None
        if row_id in self.facts.plans:
            return {"id": row_id, "name": _text(self.facts.plans[row_id].city), "url": "/zones/"}
        if row_id in self.facts.landmarks:
            return {"id": row_id, "name": _text(self.facts.landmarks[row_id].name), "url": None}
        points = {**self.facts.platforms, **self.facts.gateways}
        row: Any = self.relations.places.get(row_id) or points[row_id]
        return {"id": row_id, "name": _text(row.name), "url": to_url(getattr(row, "layer", "points"), row_id)}


def to_url(layer: str, row_id: str) -> str:
    """Return the address of a place's page."""
    return f"/places/{row_id}" if layer in {"platforms", "gateways", "points"} else f"/zones/{row_id}"


def _rights(source: Source, language: str) -> str:
    return str(getattr(source.rights, language) if source.rights else source.licence)


def _text(text: Text | None) -> Any:
    return text.model_dump() if text else None


def _position(position: Position | None) -> Any:
    return position.model_dump() if position else None
