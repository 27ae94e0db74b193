"""How the facts hang together: who designates what, who belongs where, who is responsible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from geodata.model import Agency, Area, Chain, Clause, Designation, Platform, Text, Zone
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
        """All places with a polygon that the plan names: counties, zones, parks, 五区, belts, cores."""
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

    def clusters_of(self, place_id: str) -> tuple[str, ...]:
        """Return the clusters that the place's designated industries are filed under."""
        found = {self.facts.industries[row.industry].cluster for row in self.designations_of(place_id)}
        return tuple(cluster for cluster in self.facts.clusters if cluster in found)

    def chains_of(self, place_id: str) -> tuple[Chain, ...]:
        """Return the chains that a marine core builds."""
        return tuple(chain for chain in self.facts.chains.values() if chain.zone == place_id)

    def memberships_of(self, place_id: str) -> tuple[Area, ...]:
        """Return the 五区, belts and cores that list the place as a member."""
        return tuple(area for area in self.facts.areas.values() if place_id in area.members)

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
