"""The documents that pages are drawn from: places, industries, clusters, agencies, and facts of clauses.

Each holds all that the pages say. Texts are ``{zh, en, ko}``; enumerations stay keys, for pages to translate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from geodata.boundaries import to_bbox
from geodata.kinds import EMPHASES, LANGUAGES
from geodata.local import NOTHING, LocalAdditions
from geodata.model import (
    Agency,
    Area,
    Chain,
    Cluster,
    Designation,
    Gateway,
    Industry,
    OfficialArea,
    Platform,
    Position,
    Source,
    Task,
    Term,
    Tie,
    Town,
)
from geodata.shapes import Shape
from layers import document_types as doc
from layers.answers import WHOLE_CITY, Answers
from layers.catalogue import source_name
from layers.citations import to_target
from layers.links import (
    SEPARATOR,
    ClauseLink,
    ContactCard,
    Link,
    Sources,
    link_place,
    link_point,
    to_contact,
    to_reached,
    to_statements,
    to_url,
    to_words,
    to_words_or_none,
)
from layers.relations import Place, Relations

DIVISION = 2  # digits of a GB/T 4754 division
NOT_STATED = "not-stated"  # the extent of an area
NEAR = 6  # near industries that are named


class _Builder:
    """What the documents of places and of other subjects have in common."""

    def __init__(self, relations: Relations, local: LocalAdditions = NOTHING) -> None:
        self.relations = relations
        self.local = local
        self.facts = relations.facts
        self.answers = Answers(relations)

    def _place_link(self, place_id: str) -> Link:
        return link_place(self.relations.places[place_id])

    def _clause_link(self, clause_id: str) -> ClauseLink:
        title = to_words(self.facts.clauses[clause_id].title)
        return {"id": clause_id, "title": title, "url": f"/plan/{clause_id}"}

    def _industry_link(self, row: Industry) -> Link:
        return {"id": row.id, "name": to_words(row.name), "url": f"/industries/{row.id}"}

    def _contact(self, row_id: str) -> ContactCard | None:
        return to_contact(self.local.contacts.get(row_id))

    def _sources(self, clauses: tuple[str, ...], first: Iterable[str] = ()) -> Sources:
        """Return clauses in the plan's order, and who is responsible, those of the clauses `first` first."""
        asked = dict.fromkeys((*self.relations.in_plan_order(first), *clauses))
        return {
            "responsible_units": [
                {
                    "agency_id": unit.id,
                    "id": unit.id,
                    "name": to_words(unit.name),
                    "url": f"/agencies/{unit.id}",
                    "clause": clause,
                    "leads": self.relations.leads(unit, clause),
                    "contact": self._contact(unit.id),
                }
                for unit, clause in self.relations.responsible_for(asked)
            ],
            "clauses": [self._clause_link(one) for one in dict.fromkeys(clauses)],
        }


class DocumentBuilder(_Builder):
    """Builds the documents of places and points from the facts and the shapes of all places."""

    def __init__(self, relations: Relations, shapes: dict[str, Shape], local: LocalAdditions) -> None:
        super().__init__(relations, local)
        self.shapes = shapes

    def build_all(self) -> dict[str, doc.PlaceDocument]:
        """Return the document of every place, platform and gateway by id."""
        places = {place.id: self.of_place(place) for place in self.relations.places.values()}
        points: list[Platform | Gateway] = [*self.facts.platforms.values(), *self.facts.gateways.values()]
        return places | {row.id: self.of_point(row) for row in points}

    def of_place(self, place: Place) -> doc.PlaceDocument:
        """Return the document of a county, zone, park or area."""
        clauses = self.relations.clauses_of(place)
        return {
            **self._head(
                place.id, place.layer, place.layer if isinstance(place, Area) else place.kind, place
            ),
            "full_name": to_words_or_none(getattr(place, "full_name", None)),
            "short_name": to_words_or_none(place.short_name),
            "aliases": list(getattr(place, "aliases", ())),
            "parent": self._link(getattr(place, "parent", None)),
            "positioning": to_statements(place.positioning),
            "tasks": [self._task(row) for row in getattr(place, "tasks", ())],
            "ties": self._ties_of(place.id),
            **self._industries(place),
            "positioning_of_areas": self.answers.positioning_of_areas(place),
            "industries_of_areas": self.answers.industries_of_areas(place),
            "answers": self.answers.by_industry(place),
            **self._belonging(place),
            **self._inside(place),
            **self._sources(clauses),
            "government": self._government(place.id),
            "contact": self._contact(place.id),
            **self._areas(place.id),
            "geometry": self._geometry(place.id),
        }

    def _task(self, row: Task) -> doc.PlaceTask:
        """Return what the plan wants done with a zone, its verb, and the industries we file it under."""
        return {
            "term": to_words(row.term),
            "clause": row.clause,
            "verb": row.verb,
            "industries": list(row.industries),
            "note": to_words_or_none(row.note),
            "industry_links": [self._industry_link(self.facts.industries[one]) for one in row.industries],
        }

    def of_point(self, row: Platform | Gateway) -> doc.PlaceDocument:
        """Return the document of a platform or gateway."""
        layer = "platforms" if isinstance(row, Platform) else "gateways"
        parent = row.zone if isinstance(row, Platform) else row.parent
        document: doc.PlaceDocument = {
            **self._head(row.id, layer, row.kind, row),
            "aliases": list(row.aliases),
            "parent": self._link(parent),
            **self._sources(self.relations.in_plan_order(row.clauses)),
            "geometry": self._geometry(row.id),
        }
        if isinstance(row, Gateway):
            return {**document, "opened": row.opened, "position": _position(row.position)}
        site = next((one for one in self.facts.sites if one.of == row.id), None)
        return {
            **document,
            "status": row.status,
            "zone_basis": row.zone_basis,
            "fields": to_statements(row.fields),
            "remarks": to_statements(row.remarks),
            "ties": self._ties_of(row.id),
            "industries_basis": row.industries_basis,
            "industries_related": [
                {"id": one, "name": to_words(self.facts.industries[one].name)} for one in row.industries
            ],
            "position": _position(site.position) if site else None,
        }

    def _head(self, row_id: str, layer: str, kind: str, row: Place | Platform | Gateway) -> doc.PlaceHead:
        url = to_url(layer, row_id)
        return {
            "id": row_id,
            "layer": layer,
            "kind": kind,
            "name": to_words(row.name),
            "url": url,
            "letter": getattr(row, "letter", None),
            "colour": getattr(row, "colour", None),
            "note": to_words_or_none(row.note),
            "links": [
                {"rel": "alternate", "href": f"{url}.json", "type": "application/json"},
                {"rel": "enclosure", "href": f"{url}.geojson", "type": "application/geo+json"},
            ],
        }

    def _industries(self, place: Place) -> doc.PlaceIndustries:
        rows: list[doc.PlaceIndustry] = [
            {
                "industry_id": industry.id,
                "name": to_words(industry.name),
                "term": to_words(row.term),
                "shared": len(row.industries) > 1,
                "emphasis": row.emphasis,
                "verb": row.verb,
                "clause": row.clause,
                "cluster": industry.cluster,
                "note": to_words_or_none(row.note),
            }
            for row, industry in self.relations.pairs(self.relations.designations_of(place.id))
        ]
        clusters = [self.facts.clusters[cluster] for cluster in self.relations.clusters_of(place.id)]
        return {
            "industries": rows,
            "no_industries": None if rows else to_words_or_none(place.no_industries),
            "clusters": [
                {"id": row.id, "name": to_words(row.name), "letter": row.letter, "colour": row.colour}
                for row in clusters
            ],
        }

    def _belonging(self, place: Place) -> doc.PlaceBelonging:
        memberships: list[doc.Membership] = [
            {
                **self._place_link(area.id),
                "layer": area.layer,
                "relation": to_words(area.relation.term),
                "clause": area.relation.clause,
            }
            for area in self.relations.memberships_of(place.id)
        ]
        if not isinstance(place, Area):
            return {
                "extent": None,
                "anchors": [],
                "methods": [],
                "memberships": memberships,
                "members": [],
                "core": None,
                "relation": None,
            }
        return {
            "extent": place.extent,
            "anchors": [{**self._place_link(one.zone), "role": one.role} for one in place.anchors],
            "methods": to_statements(place.methods),
            "memberships": memberships,
            "members": [self._link(member) for member in place.members],
            "core": self._link(place.core),
            "relation": {"term": to_words(place.relation.term), "clause": place.relation.clause},
        }

    def _inside(self, place: Place) -> doc.PlaceContents:
        """Return what lies in a place; nothing is known to lie in an area without a stated extent."""
        bounded = not isinstance(place, Area) or place.extent != NOT_STATED
        inside = self.relations.inside(place.id) if bounded else set()
        platforms = self.relations.platforms_in(place.id) if bounded else ()
        gateways = [row for row in self.facts.gateways.values() if row.parent in inside]
        towns = self._towns(place)
        town_sources = dict.fromkeys(source for town in towns for source in town.sources)
        return {
            "children": [
                {**self._place_link(zone.id), "layer": zone.layer, "kind": zone.kind}
                for zone in self.relations.children_of(place.id)
            ],
            "towns": [{"id": town.id, "name": to_words(town.name)} for town in towns],
            "town_sources": [_source_link(self.facts.sources[one]) for one in town_sources],
            "platforms": [
                {
                    **link_point(row),
                    "kind": row.kind,
                    "located": row.id in self.shapes,
                    "zone_basis": row.zone_basis,
                    "status": row.status,
                }
                for row in platforms
            ],
            "gateways": [{**link_point(row), "kind": row.kind} for row in gateways],
            "chains": [
                {"id": chain.id, "name": to_words_or_none(chain.name), "clause": chain.clause}
                for chain in self.relations.chains_of(place.id)
            ],
        }

    def _towns(self, place: Place) -> list[Town]:
        if isinstance(place, Area) and place.extent == NOT_STATED:
            return []
        return list(self.relations.towns_of(place.id))

    def _government(self, place_id: str) -> doc.Government | None:
        agency = self.relations.government_of(place_id)
        if agency is None or agency.governs is None:
            return None
        return {
            "agency_id": agency.id,
            "name": to_words(agency.name),
            "clause": agency.governs.clause,
            "contact": self._contact(agency.id),
            "tasks": [self._clause_link(one) for one in self.relations.tasks_of(agency)],
        }

    def _areas(self, place_id: str) -> doc.PlaceAreas:
        shape = self.shapes.get(place_id)
        rows = [row for row in self.facts.official_areas if row.of == place_id]
        return {
            "area_km2": round(shape.area_km2, 3) if shape and shape.area_km2 is not None else None,
            "area_note": to_words_or_none(shape.no_area) if shape else None,
            "official_area_km2": shape.official_area_km2 if shape else None,
            "official_areas": [self._official_area(row) for row in rows],
        }

    def _official_area(self, row: OfficialArea) -> doc.OfficialAreaEntry:
        source = self.facts.sources[row.source]
        return {
            "area_km2": row.area_km2,
            "chosen": row.chosen,
            "scope": to_words_or_none(row.scope),
            "source": {
                "id": source.id,
                "title": source.title,
                "name": {one: source_name(source, one) for one in LANGUAGES},
                "url": source.url,
            },
            "confidence": row.confidence,
            "reason": to_words_or_none(row.reason),
        }

    def _geometry(self, row_id: str) -> doc.GeometryAccount:
        shape = self.shapes.get(row_id)
        if shape is None:
            return {
                "method": None,
                "schematic": False,
                "accuracy_m": None,
                "source": None,
                "sources": [],
                "licence": None,
                "bbox": None,
                "label": None,
                "spots": [],
                "adjusted_by": [],
                "unknown": to_words_or_none(self.relations.why_unplaced(row_id)),
            }
        return {
            "method": shape.method,
            "schematic": shape.schematic,
            "accuracy_m": round(shape.accuracy_m),
            "source": self._geometry_sources(shape),
            "sources": [_source_link(self.facts.sources[one]) for one in shape.sources],
            "licence": self._licences(shape),
            "bbox": to_bbox(shape.geometry),
            "label": [round(shape.label.x, 5), round(shape.label.y, 5)],
            "spots": [[round(at.lon, 5), round(at.lat, 5), round(at.accuracy_m)] for at in shape.spots],
            "adjusted_by": [self._neighbour_link(one) for one in shape.adjusted_by],
            "unknown": None,
        }

    def _neighbour_link(self, row_id: str) -> Link | None:
        """Return the link of a place, or the name alone of a town, which has no page."""
        town = self.facts.towns.get(row_id)
        return {"id": row_id, "name": to_words(town.name), "url": None} if town else self._link(row_id)

    def _geometry_sources(self, shape: Shape) -> dict[str, str]:
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

    def _ties_of(self, row_id: str) -> list[doc.TieEntry]:
        """Return how the plan ties a place or platform to others, whichever of the two it names first."""
        rows = (row for row in self.facts.ties if row_id in (row.subject, row.object))
        return [_to_tie(row, self._link(row.subject), self._link(row.object)) for row in rows]

    def _link(self, row_id: str | None) -> Link | None:
        """Return the link of a place, platform, gateway, landmark or cluster, or of the whole city."""
        facts = self.facts
        if row_id is None:
            return None
        if row_id in facts.clusters:
            name = to_words(facts.clusters[row_id].name)
            return {"id": row_id, "name": name, "url": f"/clusters/{row_id}"}
        if row_id in self.relations.places:
            return self._place_link(row_id)
        if row_id in facts.plans:
            return {"id": row_id, "name": to_words(facts.plans[row_id].city), "url": "/zones/"}
        if row_id in facts.landmarks:
            return {"id": row_id, "name": to_words(facts.landmarks[row_id].name), "url": None}
        return link_point(facts.platforms.get(row_id) or facts.gateways[row_id])


def _to_tie(row: Tie, subject: doc.PlatformEntry | Link | None, other: Link | None) -> doc.TieEntry:
    """Return how the plan ties `subject` to `other`, of which there may be no record."""
    return {
        "subject": subject,
        "object": other,
        "role": row.role,
        "term": to_words(row.term),
        "clause": row.clause,
    }


def _source_link(source: Source) -> Link:
    name = {one: source_name(source, one) for one in LANGUAGES}
    return {"id": source.id, "name": name, "url": source.url}


def _rights(source: Source, language: str) -> str:
    return str(getattr(source.rights, language) if source.rights else source.licence)


def _position(position: Position | None) -> dict[str, object] | None:
    return position.model_dump() if position else None


class SubjectBuilder(_Builder):
    """Builds the documents of industries, clusters and agencies from the facts."""

    def industries(self) -> dict[str, doc.IndustryDocument]:
        """Return the document of every industry by id."""
        return {row.id: self._industry(row) for row in self.facts.industries.values()}

    def clusters(self) -> dict[str, doc.ClusterDocument]:
        """Return the document of every cluster by id."""
        return {row.id: self._cluster(row) for row in self.facts.clusters.values()}

    def agencies(self) -> dict[str, doc.AgencyDocument]:
        """Return the document of every agency by id."""
        return {row.id: self._agency(row) for row in self.facts.agencies.values()}

    def _industry(self, row: Industry) -> doc.IndustryDocument:
        designations = self._designations_for({row.id})
        chains = [chain for chain in self.facts.chains.values() if row.id in chain.industries]
        clauses = self._clauses_of(designations, row.named, chains)
        cluster = self.facts.clusters.get(row.cluster or "")
        own = (cluster.clause,) if cluster else ()
        whole = {area.id for area in self.facts.areas.values() if area.extent == WHOLE_CITY}
        return {
            "id": row.id,
            "name": to_words(row.name),
            "url": f"/industries/{row.id}",
            "status": "designated" if designations else "city",
            "cluster": self._cluster_head(cluster) if cluster else None,
            "gbt4754": list(row.gbt4754),
            "isic4": list(row.isic4),
            "no_codes": to_words_or_none(row.no_codes),
            "synonyms": {one: list(self.relations.words_of(row.id, one)) for one in LANGUAGES},
            "note": to_words_or_none(row.note),
            "designations": [self._designation(one) for one in designations],
            "cluster_designations": [
                self._designation(one)
                for one in self._designations_for(self._cluster_members(row))
                if row.id not in one.industries
            ],
            "area_designations": self._areas_for(row.id),
            "zone_designations": self._of_places(designations, self.facts.zones.keys()),
            "listed_areas": self._of_places(designations, self.facts.areas.keys() - whole),
            "city_designations": self._of_places(designations, whole),
            "served_by": self.answers.serving(row.id),
            "others": self._others(row.id),
            "named": [
                {"term": to_words(one.term), "clause": one.clause, "verb": one.verb, "scope": one.scope}
                for one in row.named
            ],
            "chains": [self._chain(chain) for chain in chains],
            "platforms": [
                self._platform(one) for one in self.facts.platforms.values() if row.id in one.industries
            ],
            "near": self._near(row),
            **self._sources(clauses, first=self._clauses_of(designations, (), chains) + own),
        }

    def _areas_for(self, industry_id: str) -> list[doc.AreaDesignation]:
        """Return the zones of the areas that an industry is listed for, with role, terms and clauses."""
        return [
            {
                "zone": self._place_link(zone.id),
                "area": self._place_link(bond.area.id),
                "extent": bond.area.extent,
                "role": bond.role,
                "through": self._place_link(bond.through.id) if bond.through else None,
                "relation": to_words(bond.term.term),
                "relation_clause": bond.term.clause,
                "term": to_words(row.term),
                "verb": row.verb,
                "emphasis": row.emphasis,
                "clause": row.clause,
            }
            for zone in self.facts.zones.values()
            for bond, rows in self.answers.of(zone, industry_id).areas
            if bond.role != "city"
            for row in rows
        ]

    def _of_places(
        self, designations: Iterable[Designation], places: Collection[str]
    ) -> list[doc.DesignationEntry]:
        return [self._designation(row) for row in designations if row.zone in places]

    def _others(self, industry_id: str) -> doc.OtherZones:
        """Return the zones that the plan passes over when it lists an industry: with a list, and without one.

        None where it lists the industry nowhere: then no zone is set apart from another.
        """
        designations = self.facts.designations
        listed = {row.zone for row in designations}
        silent = [
            zone.id
            for zone in self.facts.zones.values()
            if self.answers.of(zone, industry_id).kind == "elsewhere"
        ]
        if not any(industry_id in row.industries for row in designations):
            silent = []
        return {
            "other_industries": [self._place_link(zone) for zone in silent if zone in listed],
            "no_industries": [self._place_link(zone) for zone in silent if zone not in listed],
        }

    def _cluster(self, row: Cluster) -> doc.ClusterDocument:
        industries = [one for one in self.facts.industries.values() if one.cluster == row.id]
        ours = {one.id for one in industries}
        designations = self._designations_for(ours)
        chains = [one for one in self.facts.chains.values() if ours.intersection(one.industries)]
        places = dict.fromkeys(one.zone for one in designations)
        terms = (*row.goals, *row.focus)
        designated = {one for row in designations for one in row.industries}
        return {
            **self._cluster_head(row),
            "number": row.number,
            "clause": row.clause,
            "goals": to_statements(row.goals),
            "ties": [self._tie(tie) for tie in self.facts.ties if tie.object == row.id],
            "note": to_words_or_none(row.note),
            "industries": [
                {**self._industry_link(one), "status": "designated" if one.id in designated else "city"}
                for one in industries
            ],
            "places": [
                {
                    **self._place_link(zone),
                    "designations": [self._designation(one) for one in designations if one.zone == zone],
                }
                for zone in places
            ],
            "chains": [self._chain(chain) for chain in chains],
            **self._sources(self.relations.in_plan_order([row.clause, *(term.clause for term in terms)])),
        }

    def _agency(self, row: Agency) -> doc.AgencyDocument:
        groups = [one for one in self.facts.agencies.values() if row.id in one.members]
        printed = {row.id, *(group.id for group in groups)}
        own = [one for one in self.facts.clauses.values() if printed & set(one.responsible_units)]
        return {
            "id": row.id,
            "name": to_words(row.name),
            "url": f"/agencies/{row.id}",
            "level": row.level,
            "note": to_words_or_none(row.note),
            "contact": self._contact(row.id),
            "members": [self._agency_link(self.facts.agencies[one]) for one in row.members],
            "groups": [self._agency_link(group) for group in groups],
            "governs": self._governed(row),
            "clauses": [
                {
                    **self._clause_link(one.id),
                    "as_group": None
                    if row.id in one.responsible_units
                    else [self._agency_link(group) for group in groups if group.id in one.responsible_units],
                    "places": [self._place_link(place) for place in self._places_under(one.id)],
                }
                for one in own
            ],
        }

    def _governed(self, row: Agency) -> doc.GovernedPlace | None:
        seat = row.governs
        return {**self._place_link(seat.zone), "clause": seat.clause} if seat else None

    def _designations_for(self, industries: set[str]) -> list[Designation]:
        """Return the designations of some industries, the strongest emphasis first."""
        rows = [row for row in self.facts.designations if industries.intersection(row.industries)]
        return sorted(rows, key=lambda row: EMPHASES.index(row.emphasis))

    def _designation(self, row: Designation) -> doc.DesignationEntry:
        return {
            "zone": self._place_link(row.zone),
            "industry": self._industry_link(self.facts.industries[row.industries[0]]),
            "term": to_words(row.term),
            "emphasis": row.emphasis,
            "verb": row.verb,
            "clause": row.clause,
            "note": to_words_or_none(row.note),
        }

    def _cluster_members(self, industry: Industry) -> set[str]:
        """Return the industries of the same cluster; none for an industry in no cluster."""
        rows = self.facts.industries.values()
        return {row.id for row in rows if industry.cluster and row.cluster == industry.cluster}

    def _near(self, industry: Industry) -> list[doc.NearIndustry]:
        """Return the nearest industries: of the same cluster, of the same division, in the same places."""
        own = self._zones_of(industry.id)
        found = []
        for other in self.facts.industries.values():
            divisions = _divisions(industry) & _divisions(other)
            zones = [zone for zone in self._zones_of(other.id) if zone in own]
            cluster = industry.cluster is not None and industry.cluster == other.cluster
            if other.id != industry.id and (cluster or divisions or zones):
                row: doc.NearIndustry = {
                    **self._industry_link(other),
                    "cluster": cluster,
                    "divisions": sorted(divisions),
                    "zones": [self._place_link(zone) for zone in zones],
                }
                found.append((-(cluster + bool(divisions)), -len(zones), row))
        found.sort(key=lambda one: one[:2])
        return [row for _, _, row in found[:NEAR]]

    def _zones_of(self, industry: str) -> list[str]:
        return list(dict.fromkeys(row.zone for row in self.facts.designations if industry in row.industries))

    def _places_under(self, clause_id: str) -> Iterator[str]:
        """Yield the places that a clause, or one below it without units of its own, says something of."""
        under = {one for one in self.facts.clauses if self.relations.units_of(one)[0] == clause_id}
        for place in self.relations.places.values():
            if under & set(self.relations.clauses_of(place)):
                yield place.id

    def _clauses_of(
        self, designations: Iterable[Designation], named: Iterable[Term], chains: Iterable[Chain]
    ) -> tuple[str, ...]:
        rows: list[Designation | Term | Chain] = [*designations, *named, *chains]
        return self.relations.in_plan_order(row.clause for row in rows)

    def _cluster_head(self, row: Cluster) -> doc.ClusterHead:
        return {
            "id": row.id,
            "name": to_words(row.name),
            "url": f"/clusters/{row.id}",
            "letter": row.letter,
            "colour": row.colour,
            "target": to_target(row.target) if row.target else None,
            "no_target": to_words_or_none(row.no_target),
            "outcomes": to_reached(self.local.outcomes_of(row.id), row.target.unit if row.target else None),
            "focus": to_statements(row.focus),
        }

    def _chain(self, row: Chain) -> doc.ChainEntry:
        place = self._place_link(row.zone) if row.zone else None
        return {
            "id": row.id,
            "kind": row.kind,
            "name": to_words_or_none(row.name),
            "zone": place,
            "clause": row.clause,
        }

    def _platform(self, row: Platform) -> doc.PlatformEntry:
        return {
            "id": row.id,
            "name": to_words(row.name),
            "url": to_url("platforms", row.id),
            "kind": row.kind,
            "status": row.status,
            "zone": self._place_link(row.zone) if row.zone else None,
            "zone_basis": row.zone_basis,
            "industries_basis": row.industries_basis,
            "clauses": list(row.clauses),
        }

    def _tie(self, tie: Tie) -> doc.TieEntry:
        """Return what the plan ties to a cluster, e.g. the base that leads it."""
        platform = self.facts.platforms.get(tie.subject)
        return _to_tie(tie, self._platform(platform) if platform else self._place_link(tie.subject), None)

    def _agency_link(self, row: Agency) -> Link:
        return {"id": row.id, "name": to_words(row.name), "url": f"/agencies/{row.id}"}


def _divisions(industry: Industry) -> set[str]:
    return {code[:DIVISION] for code in industry.gbt4754}
