"""Small maps that pages draw inline: which places, in which order, and labels that cover no other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from layers.answers import WHOLE_CITY
from layers.links import Words
from layers.sketch import Sketch, SketchedPlace
from webmap.content import Content
from webmap.label_placement import Room, Size, Spot, measure_text

SIZES = {"wide": 15, "large": 22}  # height of a label; the second where the map is shown small
LINE = 1.15  # height of a line over its letters
GAP = 2  # around a label: two numbers side by side are no larger number
# Where a label is tried: shares of its own width and height beside the place's own spot.
OFFSETS = (
    *((0, 0), (0, -1), (0, 1), (-0.3, -0.8), (0.3, -0.8), (-0.3, 0.8), (0.3, 0.8)),
    *((0.6, 0), (-0.6, 0), (0.6, -0.8), (-0.6, -0.8), (0.6, 0.8), (-0.6, 0.8), (0, -2), (0, 2)),
)
UPRIGHT = 3  # so many of them keep a label over its spot
CROWDED = 12  # labels; of as many, one that strays stands on a place that is another's


class MapLabel(TypedDict):
    """Where a label stands; `tight` where it covers another wherever it stands."""

    x: float
    y: float
    text: str
    tight: bool


class MarkedPlace(SketchedPlace):
    """A place with its mark, and its label in each of `SIZES`."""

    id: str
    layer: str
    url: str
    name: Words
    mark: str
    wide: MapLabel | None
    large: MapLabel | None


class ArrangedMap(TypedDict):
    """What the template draws."""

    width: int
    height: int
    places: list[MarkedPlace]
    sizes: list[str]


def arrange(
    content: Content, marks: Mapping[str, str], language: str, numbers: Mapping[str, str] | None = None
) -> ArrangedMap:
    """Return what the template draws on the ground: the marked places, with the largest at the back.

    `marks` gives each place's mark, which becomes a class and a letter of its label. A place has a
    label for each of `SIZES`; one without room is `tight`, as it would cover another: the list beside
    the map has them all. `numbers` stand in place of the names, and only places with one are labelled,
    the first ones first.
    """
    sketch = content.sketch
    known = [place for place in marks if place in sketch["places"]]
    known.sort(key=lambda place: -(content.documents[place]["area_km2"] or 0))
    names = {
        place: _name(content, place, language)
        for place in reversed(known)
        if content.documents[place].get("extent") != WHOLE_CITY  # which is no place in its middle
    }
    texts = names if numbers is None else numbers
    labels = {name: _place_labels(texts, size, sketch) for name, size in SIZES.items()}
    wide, large = labels["wide"], labels["large"]
    return {
        "width": sketch["width"],
        "height": sketch["height"],
        "places": [_row(content, one, marks[one], wide.get(one), large.get(one)) for one in known],
        "sizes": list(SIZES),
    }


def _name(content: Content, place: str, language: str) -> str:
    document = content.documents[place]
    return str((document["short_name"] or document["name"])[language])


def _row(
    content: Content, place: str, mark: str, wide: MapLabel | None, large: MapLabel | None
) -> MarkedPlace:
    document = content.documents[place]
    return {
        **content.sketch["places"][place],
        "id": document["id"],
        "layer": document["layer"],
        "url": document["url"],
        "name": document["name"],
        "mark": mark,
        "wide": wide,
        "large": large,
    }


def _place_labels(texts: Mapping[str, str], size: int, sketch: Sketch) -> dict[str, MapLabel]:
    """Return where each text stands at `size` covering no other; `tight` where none fits."""
    own = {place: (sketch["places"][place]["x"], sketch["places"][place]["y"]) for place in texts}
    strays = len(texts) < CROWDED
    wanted = [Label(text, own[place], size, strays) for place, text in texts.items()]
    spots = place_labels(wanted, (sketch["width"], sketch["height"]))
    labels: dict[str, MapLabel] = {}
    for (place, text), spot in zip(texts.items(), spots, strict=True):
        x, y = (spot.x, spot.y) if spot else own[place]
        labels[place] = {"x": round(x, 1), "y": round(y, 1), "text": text, "tight": spot is None}
    return labels


@dataclass(frozen=True)
class Label:
    """A text that is to stand, centred, at or beside a spot; `size` is the height of its letters."""

    text: str
    at: tuple[float, float]
    size: float
    strays: bool = True  # may stand to the side of its spot; above or below it always

    @property
    def room(self) -> Size:
        """Width and height that it takes."""
        return measure_text(self.text, self.size), LINE * self.size

    def steps(self) -> tuple[Size, ...]:
        """Return where it is tried beside its spot."""
        width, height = self.room
        return tuple((dx * width, dy * height) for dx, dy in (OFFSETS if self.strays else OFFSETS[:UPRIGHT]))


def place_labels(labels: Iterable[Label], view: Size) -> list[Spot | None]:
    """Return where the middle of each label stands in a view of (width, height); None where none fits.

    The first ones choose first.
    """
    room = Room((0, 0, *view), gap=GAP)
    return [room.place(Spot(*one.at), one.room, one.steps(), reach=math.inf) for one in labels]
