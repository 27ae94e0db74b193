"""The documents of what is no place: industries, clusters and agencies, each with all that hangs on it.

Texts are ``{zh, en, ko}``; enumerations stay keys, which the pages translate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from geodata.model import (
    Agency,
    Chain,
    Cluster,
    Designation,
    Emphasis,
    Industry,
    Platform,
    Term,
    Text,
    Tie,
)
from layers.documents import to_url
from layers.properties import LANGUAGES
from layers.relations import Relations

Document = dict[str, Any]
EMPHASES: tuple[str, ...] = get_args(Emphasis)  # strongest first, as the model lists them
DIVISION = 2  # digits of a GB/T 4754 division
NEAR = 6  # near industries that are named


class SubjectBuilder:
    """Builds documents from the facts."""

    def __init__(self, relations: Relations) -> None:
        self.relations = relations
        self.facts = relations.facts

    def industries(self) -> dict[str, Document]:
        """Return the document of every industry by id."""
        return {row.id: self._industry(row) for row in self.facts.industries.values()}

    def clusters(self) -> dict[str, Document]:
        """Return the document of every cluster by id."""
        return {row.id: self._cluster(row) for row in self.facts.clusters.values()}

    def agencies(self) -> dict[str, Document]:
        """Return the document of every agency by id."""
        return {row.id: self._agency(row) for row in self.facts.agencies.values()}

    def _industry(self, row: Industry) -> Document:
        designations = self._designations_for({row.id})
        chains = [chain for chain in self.facts.chains.values() if row.id in chain.industries]
        clauses = self._clauses_of(designations, row.named, chains)
        cluster = self.facts.clusters.get(row.cluster or "")
        own = (cluster.clause,) if cluster else ()
        return {
            "id": row.id,
            "name": _text(row.name),
            "url": f"/industries/{row.id}",
            "status": "designated" if designations else "city",
            "cluster": self._cluster_head(cluster) if cluster else None,
            "gbt4754": list(row.gbt4754),
            "isic4": list(row.isic4),
            "no_codes": _text(row.no_codes),
            "synonyms": {one: list(self.relations.words_of(row.id, one)) for one in LANGUAGES},
            "note": _text(row.note),
            "designations": [self._designation(one) for one in designations],
            "cluster_designations": [
                self._designation(one)
                for one in self._designations_for(self._cluster_members(row))
                if row.id not in one.industries
            ],
            "others": self._others(row.id),
            "named": _terms(row.named),
            "chains": [self._chain(chain) for chain in chains],
            "platforms": [
                self._platform(one) for one in self.facts.platforms.values() if row.id in one.industries
            ],
            "near": self._near(row),
            **self._responsible(clauses, first=self._clauses_of(designations, (), chains) + own),
        }

    def _others(self, industry_id: str) -> Document:
        """Return the places without the industry: those with a list of their own, those without any."""
        listed = {row.zone for row in self.facts.designations}
        own = set(self._zones_of(industry_id))
        places = [place for place in self.relations.places if place not in own]
        return {
            "other_industries": [self._place_link(place) for place in places if place in listed],
            "no_industries": [self._place_link(place) for place in places if place not in listed],
        }

    def _cluster(self, row: Cluster) -> Document:
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
            "goals": _terms(row.goals),
            "ties": [self._tie(tie) for tie in self.facts.ties if tie.object == row.id],
            "note": _text(row.note),
            "industries": [
                self._industry_link(one) | {"status": "designated" if one.id in designated else "city"}
                for one in industries
            ],
            "places": [
                self._place_link(zone)
                | {"designations": [self._designation(one) for one in designations if one.zone == zone]}
                for zone in places
            ],
            "chains": [self._chain(chain) for chain in chains],
            **self._responsible(self.relations.in_plan_order([row.clause, *(term.clause for term in terms)])),
        }

    def _agency(self, row: Agency) -> Document:
        groups = [one for one in self.facts.agencies.values() if row.id in one.members]
        printed = {row.id, *(group.id for group in groups)}
        own = [one for one in self.facts.clauses.values() if printed & set(one.responsible_units)]
        return {
            "id": row.id,
            "name": _text(row.name),
            "url": f"/agencies/{row.id}",
            "level": row.level,
            "note": _text(row.note),
            "members": [self._agency_link(self.facts.agencies[one]) for one in row.members],
            "groups": [self._agency_link(group) for group in groups],
            "governs": self._governed(row),
            "clauses": [
                self._clause_link(one.id)
                | {
                    "as_group": None
                    if row.id in one.responsible_units
                    else [self._agency_link(group) for group in groups if group.id in one.responsible_units],
                    "places": [self._place_link(place) for place in self._places_under(one.id)],
                }
                for one in own
            ],
        }

    def _governed(self, row: Agency) -> Document | None:
        seat = row.governs
        return self._place_link(seat.zone) | {"clause": seat.clause} if seat else None

    def _designations_for(self, industries: set[str]) -> list[Designation]:
        """Return the designations of some industries, the strongest emphasis first."""
        rows = [row for row in self.facts.designations if industries.intersection(row.industries)]
        return sorted(rows, key=lambda row: EMPHASES.index(row.emphasis))

    def _designation(self, row: Designation) -> Document:
        return {
            "zone": self._place_link(row.zone),
            "industry": self._industry_link(self.facts.industries[row.industries[0]]),
            "term": _text(row.term),
            "emphasis": row.emphasis,
            "verb": row.verb,
            "clause": row.clause,
            "note": _text(row.note),
        }

    def _cluster_members(self, industry: Industry) -> set[str]:
        """Return the industries of the same cluster; none for an industry in no cluster."""
        rows = self.facts.industries.values()
        return {row.id for row in rows if industry.cluster and row.cluster == industry.cluster}

    def _near(self, industry: Industry) -> list[Document]:
        """Return the nearest industries: of the same cluster, of the same division, in the same places."""
        own = self._zones_of(industry.id)
        found = []
        for other in self.facts.industries.values():
            divisions = _divisions(industry) & _divisions(other)
            zones = [zone for zone in self._zones_of(other.id) if zone in own]
            cluster = industry.cluster is not None and industry.cluster == other.cluster
            if other.id != industry.id and (cluster or divisions or zones):
                shared: Document = {"cluster": cluster, "divisions": sorted(divisions)}
                row = (
                    self._industry_link(other)
                    | shared
                    | {"zones": [self._place_link(zone) for zone in zones]}
                )
                found.append((-(cluster + bool(divisions)), -len(zones), row))
        found.sort(key=lambda one: one[:2])
        return [row for _, _, row in found[:NEAR]]

    def _zones_of(self, industry_id: str) -> list[str]:
        return list(
            dict.fromkeys(row.zone for row in self.facts.designations if industry_id in row.industries)
        )

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

    def _responsible(self, clauses: tuple[str, ...], first: Iterable[str] = ()) -> Document:
        """Return clauses in the plan's order, and who is responsible, those of the clauses `first` first."""
        asked = dict.fromkeys((*self.relations.in_plan_order(first), *clauses))
        return {
            "responsible_units": [
                {"agency_id": unit.id, **self._agency_link(unit), "clause": clause}
                for unit, clause in self.relations.responsible_for(asked)
            ],
            "clauses": [self._clause_link(one) for one in clauses],
        }

    def _cluster_head(self, row: Cluster) -> Document:
        return {
            "id": row.id,
            "name": _text(row.name),
            "url": f"/clusters/{row.id}",
            "letter": row.letter,
            "colour": row.colour,
            "target": row.target.model_dump() if row.target else None,
            "no_target": _text(row.no_target),
            "focus": _terms(row.focus),
        }

    def _chain(self, row: Chain) -> Document:
        place = self._place_link(row.zone) if row.zone else None
        return {"id": row.id, "kind": row.kind, "name": _text(row.name), "zone": place, "clause": row.clause}

    def _platform(self, row: Platform) -> Document:
        return {
            "id": row.id,
            "name": _text(row.name),
            "url": to_url("platforms", row.id),
            "kind": row.kind,
            "status": row.status,
            "zone": self._place_link(row.zone) if row.zone else None,
            "clauses": list(row.clauses),
        }

    def _tie(self, tie: Tie) -> Document:
        """Return what the plan ties to a cluster, e.g. the base that leads it."""
        platform = self.facts.platforms.get(tie.subject)
        subject = self._platform(platform) if platform else self._place_link(tie.subject)
        return {"subject": subject, "role": tie.role, "term": _text(tie.term), "clause": tie.clause}

    def _place_link(self, place_id: str) -> Document:
        place = self.relations.places[place_id]
        return {"id": place.id, "name": _text(place.name), "url": to_url(place.layer, place.id)}

    def _industry_link(self, row: Industry) -> Document:
        return {"id": row.id, "name": _text(row.name), "url": f"/industries/{row.id}"}

    def _agency_link(self, row: Agency) -> Document:
        return {"id": row.id, "name": _text(row.name), "url": f"/agencies/{row.id}"}

    def _clause_link(self, clause_id: str) -> Document:
        return {
            "id": clause_id,
            "title": _text(self.facts.clauses[clause_id].title),
            "url": f"/plan/{clause_id}",
        }


def _divisions(industry: Industry) -> set[str]:
    return {code[:DIVISION] for code in industry.gbt4754}


def _terms(rows: Iterable[Term]) -> list[Document]:
    return [{"term": _text(row.term), "clause": row.clause} for row in rows]


def _text(text: Text | None) -> Any:
    return text.model_dump() if text else None
