"""A page on paper terms of what an import would change: one file, no script, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from geodata.incoming.proposal import Proposal
from geodata.read import Facts
from geodata.shapes import Shape
from layers.locator import Frame, draw_scale_bar
from webmap.format import format_number
from webmap.strings import read_strings

HERE = Path(__file__).parent
STYLES = ("preview", "stack")
SIZE = (620, 480)
MARGIN = 1.35
MIN_SPAN_DEG = 0.03
MAX_LABELS = 14
Shapes = Mapping[str, Shape]


def render_preview(proposal: Proposal, facts: Facts, neighbours: list[BaseGeometry], language: str) -> str:
    """Return the page in one language: both maps, the table of areas, the findings and the rule."""
    strings = read_strings(language)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    names = _Names(facts, language)
    drawing = _Drawing(proposal, shapely.union_all(neighbours), names) if proposal.records else None

    def translate(key: str, **values: Any) -> str:
        return strings[key].format(**values) if values else strings[key]

    return environment.get_template("preview.html").render(
        t=translate,
        lang=language,
        css=Markup("\n").join(Markup(_read_style(name)) for name in STYLES),  # noqa: S704 - our own files
        number=lambda value, decimals=0: format_number(value, decimals),
        proposal=proposal,
        record=proposal.records[0] if proposal.records else None,
        maps=drawing.maps() if drawing else [],
        areas=[row | {"name": names.of(row["id"])} for row in proposal.areas()] if proposal.after else [],
        shifts=[(names.of(place), verdict.to_dict()) for place, verdict in proposal.shifts.items()],
    )


def _read_style(name: str) -> str:
    return (HERE / f"static/css/{name}.css").read_text(encoding="utf-8")


class _Names:
    def __init__(self, facts: Facts, language: str) -> None:
        self.counties = sorted({town.county for town in facts.towns.values()})
        self.tables = (facts.zones, facts.areas, facts.towns)
        self.cities = {plan.id: getattr(plan.city, language) for plan in facts.plans.values()}
        self.language = language

    def of(self, place: str) -> str:
        """Return the name of a place, or its id."""
        for table in self.tables:
            row: Any = table.get(place)
            if row is not None:
                return str(getattr(row.name, self.language))
        return str(self.cities.get(place, place))


class _Drawing:
    """Draws both maps on one view."""

    def __init__(self, proposal: Proposal, around: BaseGeometry, names: _Names) -> None:
        self.before = proposal.before
        self.after = proposal.after or proposal.before
        self.new = {record.of: record.polygon() for record in proposal.records}
        self.around, self.names = around, names
        shown = [*self.new.values(), *(self.before[place].geometry for place in self.new)]
        self.frame = Frame(shapely.union_all(shown).bounds, SIZE, MARGIN, MIN_SPAN_DEG)
        moved = {row["id"] for row in proposal.areas()} if proposal.after else set()
        self.adjusted = [one for one in names.tables[2] if one in moved and one not in self.new]

    def maps(self) -> list[tuple[str, Markup]]:
        """Return the translation key and the SVG of each map."""
        old = {place: self.before[place].geometry for place in self.new}
        return [
            ("preview.before", self._draw(self.before, [("old", shape) for shape in old.values()])),
            ("preview.after", self._draw(self.after, self._changes(old))),
        ]

    def _changes(self, old: Mapping[str, BaseGeometry]) -> list[tuple[str, BaseGeometry]]:
        drawn: list[tuple[str, BaseGeometry]] = [
            ("adjusted", self.after[town].geometry) for town in self.adjusted
        ]
        for place, shape in self.new.items():
            valid = shapely.make_valid(shape)
            drawn += [("new", valid), ("gained", shapely.difference(valid, old[place]))]
            drawn += [("lost", shapely.difference(old[place], valid)), ("outline", old[place])]
        return drawn

    def _draw(self, shapes: Shapes, marks: list[tuple[str, BaseGeometry]]) -> Markup:
        counties = [
            row.id for row in self.names.tables[0].values() if getattr(row, "layer", "") == "counties"
        ]
        land = shapely.union_all([shapes[county].geometry for county in counties])
        towns = shapely.union_all([shapes[town].geometry.boundary for town in self.names.tables[2]])
        borders = shapely.union_all([shapes[county].geometry.boundary for county in counties])
        ground = [("neighbour", self.around), ("land", land), ("towns", towns), ("border", borders)]
        paths = [self._path(name, shape) for name, shape in (*ground, *marks)]
        width, height = SIZE
        # Everything in it is ours but the names, and those go through escape.
        return Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img">{}{}{}</svg>'
        ).format(
            width,
            height,
            Markup("").join(paths),
            Markup("").join(self._labels(shapes)),
            Markup(draw_scale_bar(self.frame)),  # noqa: S704 - figures only
        )

    def _path(self, name: str, shape: BaseGeometry) -> Markup:
        return Markup('<path class="{}" d="{}"/>').format(name, self.frame.to_path(shape))

    def _labels(self, shapes: Shapes) -> list[Markup]:
        inside = [
            place for place in (*self.new, *self.adjusted) if self.frame.view.contains(shapes[place].label)
        ]
        taken: list[tuple[float, float]] = []
        labels = []
        for place in inside[:MAX_LABELS]:
            x, y = self.frame.to_xy(shapes[place].label.x, shapes[place].label.y)
            if all(abs(x - other) > 70 or abs(y - below) > 16 for other, below in taken):  # noqa: PLR2004
                taken.append((x, y))
                kind = "label main" if place in self.new else "label"
                labels.append(
                    Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
                        kind, x, y, self.names.of(place)
                    )
                )
        return labels
