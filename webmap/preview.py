"""A page on paper terms of what an import would change: one file, no script, nothing from outside.

The same piece of the map is drawn before and after, as inline SVG.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TypedDict

import shapely
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.georeference import SWAPPED, describe_crs
from geodata.boundary_import.issues import Issue, Remedy
from geodata.boundary_import.propose import AreaChange, Baseline, Proposal, ShiftReport, TransferRow
from geodata.kinds import SEA
from geodata.messages import fill
from geodata.model import Area, Town, Zone
from geodata.read import Facts
from geodata.shapes import Shape
from layers.sketch import Frame, draw_scale_bar
from webmap.assets import read_style_sheet
from webmap.i18n import format_number, read_strings
from webmap.static_map import Label, place_labels

HERE = Path(__file__).parent
STYLES = ("preview", "proposal", "stack")
MOST = 40  # transfers in the table
SIZE = (620, 480)
MARGIN = 1.35
MIN_SPAN_DEG = 0.03
MAX_LABELS = 14
# Height of the labels of the places brought and of the others; the second where the map is shown small.
LETTERS = {"wide": (15, 12), "large": (25, 21)}
LONGEST = 36  # letters of a name; the table has it whole
DOT = 5.0  # radius of a point
PIN = 24.0  # between the numbers of findings that are of one place
_ID = re.compile(r" ?[（(](?P<id>[a-z][a-z0-9-]*)[）)]")  # of a place, after its name in a message
_NAMED = re.compile(r"(?P<lon>1[0-9]{2}\.[0-9]+), ?(?P<lat>[0-9]{2}\.[0-9]+)")  # a position in a message
_AT = re.compile(r"\[(?P<lon>\S+) (?P<lat>\S+)\]")
_POLYGONS = (shapely.Polygon, shapely.MultiPolygon)
Shapes = Mapping[str, Shape]
Spot = tuple[float, float]  # on the maps, in the SVG's units
Mark = tuple[str, BaseGeometry]  # its class, and what is drawn


class RemedyRow(TypedDict):
    """An option that settles a finding, and each value that it may take with how it is called."""

    option: str
    choices: list[tuple[str, str]]


class FindingRow(TypedDict):
    """A finding in one language, with its number and its place on the maps, in the SVG's units.

    ``fix`` says what can be done on the command line, ``advice`` what in the browser.
    """

    number: int
    level: str
    code: str
    path: str
    feature_id: str | None
    place: str | None
    message: str
    fix: str | None
    advice: str | None
    remedy: RemedyRow | None
    spot: Spot | None


class NamedArea(AreaChange):
    """A change of area with the name of its place."""

    name: str


class PreviewText(TypedDict):
    """What a page shows of an import in one language."""

    file: str
    read_as: str
    errors: int
    after: bool
    maps: list[tuple[str, Markup]]
    shown: list[str]
    assumed: str | None
    issues: list[FindingRow]
    areas: list[NamedArea]
    transfers: list[dict[str, object]]
    most: int
    remarks: list[tuple[str, str]]
    shifts: list[tuple[str, ShiftReport]]


def render_preview(
    proposal: Proposal, baseline: Baseline, neighbours: list[BaseGeometry], language: str
) -> str | None:
    """Return the page in one language, or None where there is nothing to draw.

    It holds both maps, the findings, the tables of areas and of the land that passes, and the rule.
    With an error there are no tables, and the page says so.
    """
    found = describe_preview(proposal, baseline, neighbours, language)
    if not found["maps"]:
        return None
    strings = read_strings(language)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("preview.html").render(
        t=lambda key, **values: fill(strings[key], values),
        lang=language,
        css=Markup("\n").join(Markup(read_style_sheet(name).decode()) for name in STYLES),  # noqa: S704 - our own files
        number=lambda value, decimals=0: format_number(value, decimals),
        found=found,
    )


def describe_preview(
    proposal: Proposal, baseline: Baseline, neighbours: list[BaseGeometry], language: str
) -> PreviewText:
    """Return what the page shows, in one language: texts, figures, and maps as SVG.

    ``maps`` is empty where there is nothing to draw. ``spot`` of a finding is its place on the maps, in the
    SVG's units, None where it has none.
    """
    strings = read_strings(language)

    def translate(key: str, **values: object) -> str:
        return fill(strings[key], values)

    names = _Names(baseline, language, strings)
    drawing = draw_preview_maps(proposal, baseline.facts, shapely.union_all(neighbours), names.short)
    spots = _spread([_find_spot(one, proposal, drawing) for one in proposal.issues])
    return {
        "file": proposal.file,
        "read_as": describe_crs(proposal.read_as)[language],
        "errors": proposal.errors,
        "after": bool(proposal.after),
        "maps": drawing.maps if drawing else [],
        "shown": sorted(drawing.shown) if drawing else [],
        "assumed": _say_assumed(proposal, translate),
        "issues": [
            _describe_issue(one, number, names, spot)
            for number, (one, spot) in enumerate(zip(proposal.issues, spots, strict=True), start=1)
        ],
        "areas": [{**row, "name": names.of(row["id"])} for row in proposal.areas()],
        "transfers": _name_ends(proposal.list_transfer_rows(), names),
        "most": MOST,
        "remarks": [] if proposal.errors else _list_remarks(proposal, names),
        "shifts": [(names.of(place), row) for place, row in proposal.describe_shifts().items()],
    }


def _describe_issue(issue: Issue, number: int, names: _Names, spot: Spot | None) -> FindingRow:
    language = names.language
    return {
        "number": number,
        "spot": spot,
        "level": issue.level,
        "code": issue.code,
        "path": issue.path,
        "feature_id": issue.feature_id,
        "place": names.of(issue.feature_id) if issue.feature_id else None,
        "message": names.to_plain(getattr(issue, f"message_{language}")),
        "fix": issue.fix[language] if issue.fix else None,
        "advice": names.to_plain(issue.here[language]) if issue.here else None,
        "remedy": _describe_remedy(issue.remedy, language) if issue.remedy else None,
    }


def _describe_remedy(remedy: Remedy, language: str) -> RemedyRow:
    """Return the option of a remedy, and each value that it may take with how it is called."""
    called = {one: describe_crs(one)[language] if remedy.option == "crs" else one for one in remedy.choices}
    return {"option": remedy.option, "choices": list(called.items())}


def _find_spot(issue: Issue, proposal: Proposal, drawing: PreviewMaps | None) -> Spot | None:
    """Return where on the maps an issue is: where it says, else in the place it is of."""
    if drawing is None:
        return None
    named = [shapely.Point(issue.spot)] if issue.spot else []
    named += [shapely.Point(float(at["lon"]), float(at["lat"])) for at in _NAMED.finditer(issue.message_en)]
    shapes = [record.polygon for record in proposal.records if record.of == issue.feature_id]
    shapes += [proposal.before[one].geometry for one in (issue.feature_id,) if one in proposal.before]
    points = [*named, *(shape.representative_point() for shape in shapes if not shape.is_empty)]
    inside = next((point for point in points if drawing.frame.view.contains(point)), None)
    return drawing.frame.to_xy(inside.x, inside.y) if inside is not None else None


def _spread(spots: list[Spot | None]) -> list[Spot | None]:
    """Return the places on the maps, those that would lie over an earlier one moved to its side."""
    taken: list[Spot] = []
    for number, spot in enumerate(spots):
        if spot is None:
            continue
        x, y = spot
        while any(abs(x - left) < PIN and abs(y - top) < PIN for left, top in taken):
            x += PIN
        if x > SIZE[0] - PIN / 2:  # a row is full: the next begins where this one did
            x, y = spot[0], y + PIN
        taken.append((x, y))
        spots[number] = (x, y)
    return spots


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


def _name_ends(rows: list[TransferRow], names: _Names) -> list[dict[str, object]]:
    """Return the transfers with the names of both ends, and of what holds each."""
    return [
        {
            **row,
            "from_name": names.of(row["from"]),
            "to_name": names.of(row["to"]),
            "from_in": names.holder(row["from"]),
            "to_in": names.holder(row["to"]),
        }
        for row in rows
    ]


class _Names:
    def __init__(self, baseline: Baseline, language: str, strings: dict[str, str]) -> None:
        self.facts = facts = baseline.facts
        self.cities = {plan.id: getattr(plan.city, language) for plan in facts.plans.values()}
        self.others = {place: name[language] for place, name in baseline.place_names.outside.items()}
        self.others[SEA] = strings["preview.sea"]
        self.members, self.language = baseline.members, language

    def of(self, place: str) -> str:
        """Return the name of a place, or its id."""
        row = self._row(place)
        if row is not None:
            return str(getattr(row.name, self.language))
        return str(self.cities.get(place) or self.others.get(place, place))

    def to_plain(self, message: str) -> str:
        """Return a message without the ids of places, which only a command takes.

        Nor is there a blank after a full-width bracket, where a value ends in one.
        """

        def drop(found: re.Match[str]) -> str:
            return "" if self._row(found["id"]) is not None else found[0]

        return _ID.sub(drop, message).replace("） ", "）")

    def short(self, place: str) -> str:
        """Return the name that fits on a map."""
        short = getattr(self._row(place), "short_name", None)
        return str(getattr(short, self.language)) if short else self.of(place)

    def holder(self, place: str) -> str | None:
        """Return the name of the zone or county that a town lies in."""
        parent = self.members.parent(place) if self._row(place) is not None else None
        return self.short(parent) if parent else None

    def _row(self, place: str) -> Zone | Area | Town | None:
        return self.facts.zones.get(place) or self.facts.areas.get(place) or self.facts.towns.get(place)


@dataclass(frozen=True)
class PreviewMaps:
    """Both maps of a proposal, and which classes of the key they show."""

    maps: list[tuple[str, Markup]]  # the translation key of the caption, and the SVG
    shown: frozenset[str]
    frame: Frame


def draw_preview_maps(
    proposal: Proposal, facts: Facts, around: BaseGeometry, name: Callable[[str], str]
) -> PreviewMaps | None:
    """Return the maps, or None where there is nothing to draw; `name` gives a place's short name.

    With an error there is no state after the import: the second map then shows what the file holds,
    flawed or not.
    """
    view = _View(proposal, facts, around, name)
    if not view.given:
        return None
    before: list[Mark] = [("old", shape) for shape in view.old.values()]
    after = view.mark_after()
    caption = "preview.after" if proposal.after else "preview.in_file"
    maps = [
        ("preview.before", view.render(proposal.before, before, fresh=False)),
        (caption, view.render(proposal.after or proposal.before, after, fresh=True)),
    ]
    return PreviewMaps(maps, frozenset(mark for mark, _ in (*before, *after)), view.frame)


class _View:
    def __init__(
        self, proposal: Proposal, facts: Facts, around: BaseGeometry, name: Callable[[str], str]
    ) -> None:
        self.proposal, self.facts, self.around, self.name = proposal, facts, around, name
        self.new = {record.of: record.polygon for record in proposal.records}
        self.flawed = [] if proposal.after else _list_flawed(proposal, whole=bool(self.new))
        self.given = [*self.new.values(), *(shape for _, shape in self.flawed)]
        self.old = {
            place: proposal.before[place].geometry
            for place in dict.fromkeys([*self.new, *proposal.expected_places])
            if place in proposal.before
        }
        changed = {row["id"] for row in proposal.areas() if "outline" in row["changed"]}
        self.adjusted = [town for town in facts.towns if town in changed and town not in self.new]
        if self.given:
            west, south, east, north = shapely.total_bounds([*self.given, *self.old.values()])
            self.frame = Frame((west, south, east, north), SIZE, MARGIN, MIN_SPAN_DEG)

    def mark_after(self) -> list[Mark]:
        """Return what stands out on the second map."""
        marks: list[Mark] = [("adjusted", self.proposal.after[town].geometry) for town in self.adjusted]
        for place, shape in self.new.items():
            old = self.old[place]
            marks += [("new", shape), ("gained", shapely.difference(shape, old))]
            marks += [("lost", shapely.difference(old, shape)), ("outline", old)]
        marks += [("outline", old) for place, old in self.old.items() if place not in self.new]
        return [*marks, *self.flawed]

    def render(self, shapes: Shapes, marks: Iterable[Mark], *, fresh: bool) -> Markup:
        """Return the SVG of one map; `fresh` names imported places where they are to be."""
        zones = self.facts.zones.values()
        counties = [shapes[zone.id].geometry for zone in zones if zone.layer == "counties"]
        ground = [
            ("neighbour", self.around),
            ("land", shapely.union_all(counties)),
            ("towns", shapely.union_all([shapes[town].geometry.boundary for town in self.facts.towns])),
            ("border", shapely.union_all([county.boundary for county in counties])),
        ]
        # Everything in it is ours but the names, and those go through escape.
        return Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" aria-hidden="true">{}{}{}</svg>'
        ).format(
            *SIZE,
            Markup("").join(self._mark(name, shape) for name, shape in (*ground, *marks)),
            Markup("").join(self._letter(size, shapes, fresh=fresh) for size in LETTERS),
            Markup(draw_scale_bar(self.frame)),  # noqa: S704 - figures only
        )

    def _mark(self, name: str, shape: BaseGeometry) -> Markup:
        points = [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Point)]
        if not points:
            return Markup('<path class="{}" d="{}"/>').format(name, self.frame.to_path(shape))
        spots = [self.frame.to_xy(point.x, point.y) for point in points]
        return Markup("").join(
            Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(name, x, y, DOT) for x, y in spots
        )

    def _letter(self, size: str, shapes: Shapes, *, fresh: bool) -> Markup:
        main, other = LETTERS[size]
        spots = {place: shapes[place].label for place in (*self.old, *self.adjusted)}
        if fresh and not self.proposal.after:
            spots |= {place: shape.representative_point() for place, shape in self.new.items()}
        inside = [place for place, spot in spots.items() if self.frame.view.contains(spot)][:MAX_LABELS]
        labels = [
            Label(
                shorten(self.name(place), LONGEST, placeholder="…"),
                self.frame.to_xy(spots[place].x, spots[place].y),
                main if place in self.old else other,
                strays=place in self.old,  # the others are many and stand in the table too
            )
            for place in inside
        ]
        texts = [
            Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(
                "label main" if place in self.old else "label", spot.x, spot.y, label.text
            )
            for place, label, spot in zip(inside, labels, place_labels(labels, SIZE), strict=True)
            if spot is not None
        ]
        return Markup('<g class="letters {}">{}</g>').format(size, Markup("").join(texts))


def _list_flawed(proposal: Proposal, *, whole: bool) -> list[Mark]:
    """Return what of the file is no polygon that could be imported, and the spots where it fails.

    Sound polygons are among it unless they became records (`whole`).
    """
    marks: list[Mark] = []
    for shape in proposal.drawable.shapes:
        if not isinstance(shape, _POLYGONS):
            marks.append(("flawed", shape))
        elif not shape.is_valid:
            marks.append(("flawed", shapely.MultiLineString(list(shapely.get_rings(shape)))))
            at = _AT.search(shapely.is_valid_reason(shape))
            marks += [("fault", shapely.Point(float(at["lon"]), float(at["lat"])))] if at else []
        elif not whole:
            marks.append(("new", shape))
    return marks
