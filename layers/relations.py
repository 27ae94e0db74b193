"""How the facts hang together: who designates what, who belongs where, who is responsible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from geodata.model import (
    Agency,
    Anchor,
    Area,
    Chain,
    Clause,
    Designation,
    Industry,
    Platform,
    Text,
    Town,
    Zone,
)
from geodata.read import Facts

Place = Zone | Area


class Relations:
    """Questions that need more than one table of the facts.

    Everything is derived; nothing here changes the facts.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def places(self) -> dict[str, Place]:
        """All places with a polygon that the plan names: counties, zones, parks, areas."""
        return {**self.facts.zones, **self.facts.areas}

    def clauses_of(self, place: Place) -> tuple[str, ...]:
        """Return the ids of all clauses that name `place` or say something of it, in plan order."""
        named = [*place.clauses, *(term.clause for term in place.positioning)]
        if isinstance(place, Area):
            named += [place.clause, place.relation.clause]
        named += [designation.clause for designation in self.designations_of(place.id)]
        return self.in_plan_order(named)

    def why_unplaced(self, row_id: str) -> Text | None:
        """Return why the position of a platform is not known, where a reason is on record."""
        reasons = (site.reason for site in self.facts.sites if site.of == row_id and site.position is None)
        return next(reasons, None)

    def in_plan_order(self, clause_ids: Iterable[str]) -> tuple[str, ...]:
        """Return the distinct clause ids in the order of the plan."""
        wanted = set(clause_ids)
        return tuple(clause_id for clause_id in self.facts.clauses if clause_id in wanted)

    def designations_of(self, place_id: str) -> tuple[Designation, ...]:
        """Return every designation of one place, as the plan lists them."""
        return tuple(row for row in self.facts.designations if row.zone == place_id)

    def pairs(self, designations: Iterable[Designation]) -> Iterator[tuple[Designation, Industry]]:
        """Yield each designation with each of its industries: one term may name several."""
        for row in designations:
            yield from ((row, self.facts.industries[one]) for one in row.industries)

    def words_of(self, industry_id: str, language: str) -> tuple[str, ...]:
        """Return the words that lead to an industry: those that the plan prints, then our synonyms."""
        printed = (word for word in self.facts.vocabulary if word.industry == industry_id)
        found = [(word.zh,) if language == "zh" else getattr(word, language) for word in printed]
        ours = (row for row in self.facts.thesaurus if row.relation != "nearest")
        found += [getattr(row, language) for row in ours if row.industry == industry_id]
        return tuple(dict.fromkeys(word for words in found for word in words))

    def areas_anchored_on(self, place_id: str) -> tuple[tuple[Area, Anchor], ...]:
        """Return the areas whose core, centre, support or part the place is, or a park inside it."""
        inside = self.inside(place_id)
        rows = ((area, anchor) for area in self.facts.areas.values() for anchor in area.anchors)
        return tuple((area, anchor) for area, anchor in rows if anchor.zone in inside)

    def clusters_of(self, place_id: str) -> tuple[str, ...]:
        """Return the clusters that the place's designated industries are filed under."""
        found = {industry.cluster for _, industry in self.pairs(self.designations_of(place_id))}
        return tuple(cluster for cluster in self.facts.clusters if cluster in found)

    def chains_of(self, place_id: str) -> tuple[Chain, ...]:
        """Return the chains that an area builds."""
        return tuple(chain for chain in self.facts.chains.values() if chain.zone == place_id)

    def memberships_of(self, place_id: str) -> tuple[Area, ...]:
        """Return the areas that the place is a member of, a city-wide one among them."""
        cities = self.facts.plans.keys() if place_id in self.facts.zones else set()
        own = {place_id, *cities}
        return tuple(area for area in self.facts.areas.values() if own & set(area.members))

    def children_of(self, place_id: str) -> tuple[Zone, ...]:
        """Return the zones and parks whose parent is the place."""
        return tuple(zone for zone in self.facts.zones.values() if zone.parent == place_id)

    def inside(self, place_id: str) -> set[str]:
        """Return the place and every zone and park below it; for an area, those of its members."""
        area = self.facts.areas.get(place_id)
        roots = area.members if area else (place_id,)
        if self.facts.plans.keys() & set(roots):
            return set(self.facts.zones)
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting += [zone.id for zone in self.children_of(current)]
        return found

    def towns_of(self, place_id: str) -> tuple[Town, ...]:
        """Return the towns that a county or zone, or an area of such, is made of; none for a park."""
        inside = self.inside(place_id)
        return tuple(
            town for town in self.facts.towns.values() if town.zone in inside or town.county in inside
        )

    def platforms_in(self, place_id: str) -> tuple[Platform, ...]:
        """Return the platforms whose zone is the place or lies in it."""
        inside = self.inside(place_id)
        return tuple(row for row in self.facts.platforms.values() if row.zone in inside)

    def units_of(self, clause_id: str) -> tuple[str | None, tuple[Agency, ...]]:
        """Return the clause that prints the responsible units of `clause_id`, and the units.

        One block serves a whole item of the plan, so the nearest ancestor with a block answers.
        """
        current: Clause | None = self.facts.clauses.get(clause_id)
        while current:
            if current.responsible_units:
                units = tuple(self.facts.agencies[unit] for unit in current.responsible_units)
                return current.id, units
            current = self.facts.clauses.get(current.parent) if current.parent else None
        return None, ()

    def leads(self, unit: Agency, clause_id: str) -> bool:
        """Return whether a body stands first in the block that a clause prints: by custom, it leads."""
        return self.facts.clauses[clause_id].responsible_units[:1] == (unit.id,)

    def government_of(self, place_id: str) -> Agency | None:
        """Return the body that the plan prints under the place's own name, or None."""
        bodies = self.facts.agencies.values()
        return next((row for row in bodies if row.governs and row.governs.zone == place_id), None)

    def tasks_of(self, agency: Agency) -> tuple[str, ...]:
        """Return the clauses whose printed block names the agency itself, not a group of it."""
        return tuple(row.id for row in self.facts.clauses.values() if agency.id in row.responsible_units)

    def responsible_for(self, clause_ids: Iterable[str]) -> Iterator[tuple[Agency, str]]:
        """Yield each responsible agency once, with the clause that prints it."""
        seen: set[str] = set()
        for clause_id in clause_ids:
            printed_in, units = self.units_of(clause_id)
            for unit in units:
                if unit.id not in seen and printed_in:
                    seen.add(unit.id)
                    yield unit, printed_in
