"""A page on paper terms of what an import would change: one file, no script, nothing from outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import shapely
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.georeference import SWAPPED
from geodata.boundary_import.propose import Baseline, Proposal
from geodata.land import SEA
from webmap.format import format_number
from webmap.preview_map import draw
from webmap.strings import read_strings

HERE = Path(__file__).parent
STYLES = ("preview", "stack")
MOST = 40  # transfers in the table
Row = dict[str, Any]


def render_preview(
    proposal: Proposal, baseline: Baseline, neighbours: list[BaseGeometry], language: str
) -> str | None:
    """Return the page in one language, or None where there is nothing to draw.

    It holds both maps, the findings, the tables of areas and of the land that passes, and the rule.
    With an error there are no tables, and the page says so.
    """
    strings = read_strings(language)

    def translate(key: str, **values: Any) -> str:
        return strings[key].format(**values) if values else strings[key]

    names = _Names(baseline, language, strings)
    drawing = draw(proposal, baseline.facts, shapely.union_all(neighbours), names.short)
    if drawing is None:
        return None
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("preview.html").render(
        t=translate,
        lang=language,
        css=Markup("\n").join(Markup(_read_style(name)) for name in STYLES),  # noqa: S704 - our own files
        number=lambda value, decimals=0: format_number(value, decimals),
        proposal=proposal,
        drawing=drawing,
        assumed=_say_assumed(proposal, translate),
        areas=[row | {"name": names.of(row["id"])} for row in proposal.areas()],
        transfers=_name_ends(proposal.list_transfer_rows(), names),
        most=MOST,
        remarks=[] if proposal.errors else _list_remarks(proposal, names),
        shifts=[(names.of(place), row) for place, row in proposal.describe_shifts().items()],
    )


def _read_style(name: str) -> str:
    return (HERE / f"static/css/{name}.css").read_text(encoding="utf-8")


def _say_assumed(proposal: Proposal, translate: Callable[..., str]) -> str | None:
    """Return how the file had to be read to be drawn; None where that is as it says."""
    assumed = proposal.drawable.assumed if proposal.errors else None
    if assumed is None or assumed == SWAPPED:
        return translate("preview.swapped") if assumed else None
    return translate("preview.as_frame", crs=assumed)


def _list_remarks(proposal: Proposal, names: _Names) -> list[tuple[str, str]]:
    """Return what goes on record of each place that is imported."""
    return [
        (names.of(record.of), said if isinstance(said, str) else getattr(said, names.language))
        for record in proposal.records
        for said in record.fixes
    ]


def _name_ends(rows: list[Row], names: _Names) -> list[Row]:
    """Return the transfers with the names of both ends, and of what holds each."""
    ends = ("from", "to")
    return [
        row
        | {f"{end}_name": names.of(row[end]) for end in ends}
        | {f"{end}_in": names.holder(row[end]) for end in ends}
        for row in rows
    ]


class _Names:
    def __init__(self, baseline: Baseline, language: str, strings: dict[str, str]) -> None:
        facts = baseline.facts
        self.tables: tuple[dict[str, Any], ...] = (facts.zones, facts.areas, facts.towns)
        self.cities = {plan.id: getattr(plan.city, language) for plan in facts.plans.values()}
        self.others = baseline.place_names.outside | {SEA: strings["preview.sea"]}
        self.members, self.language = baseline.members, language

    def of(self, place: str) -> str:
        """Return the name of a place, or its id."""
        row = self._row(place)
        if row is not None:
            return str(getattr(row.name, self.language))
        return str(self.cities.get(place) or self.others.get(place, place))

    def short(self, place: str) -> str:
        """Return the name that fits on a map."""
        short = getattr(self._row(place), "short_name", None)
        return str(getattr(short, self.language)) if short else self.of(place)

    def holder(self, place: str) -> str | None:
        """Return the name of the zone or county that a town lies in."""
        parent = self.members.parent(place) if self._row(place) is not None else None
        return self.short(parent) if parent else None

    def _row(self, place: str) -> Any:
        return next((table[place] for table in self.tables if place in table), None)
