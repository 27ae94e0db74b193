"""Leaflet maps made by Folium: the one of the map page, and maps that hold all they need in one file.

The only module that imports Folium; it turns (lon, lat) bounds into Leaflet's (lat, lon) here and nowhere
else. Element ids are pinned, so that the same inputs give the same bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import folium
from branca.element import CssLink, Element, JavascriptLink, MacroElement
from folium.map import CustomPane
from folium.template import Template
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import GeoJsonFeature, parse_geometry
from geodata.crs import Bounds
from geodata.kinds import POINT_LAYERS
from geodata.messages import fill
from layers.cartography import STYLE
from layers.document_types import PlaceDocument
from layers.home import find_home
from layers.map_types import LegendLine, MapDocument, MapOwnLayer, ShownFeature
from layers.store import Release, read_current
from webmap.i18n import format_clause
from webmap.map_choice import NEUTRAL, FigureLook, MapChoice, ShownMap

FARTHEST, CLOSEST, CLOSEST_KNOWN = 7, 14, 18  # zooms: a pixel of 14 is 8 m wide
KNOWN_M = 50  # accuracy of an edge that is worth more than that
# Leaflet panes, back to front: name, z-index, whether they take clicks.
PANES = (
    ("land", 200, False),
    ("area", 410, True),
    ("water", 415, False),
    ("halo", 420, False),
    ("edge", 430, False),
    ("line", 440, False),
    ("place", 450, True),
    ("label", 620, False),
)

# Whose address has a view, or as a file a question, begins with no picture of the whole city.
OTHERWISE = """\
if (location.hash || (document.documentElement.dataset.root && location.search)) {
  document.getElementById("opening")?.remove();
}
"""


@dataclass(frozen=True)
class Fragments:
    """The three parts of the page that Folium makes; scripts carry no nonce yet."""

    header: str
    html: str
    script: str
    sources: dict[str, str]  # address of each data file, for preloading

    def to_dict(self) -> dict[str, object]:
        """Return plain data for the release."""
        return asdict(self)


class PlanSources(MacroElement):
    """Hands the map and the addresses of its data to the page's own modules."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            window.planMap = {{ this._parent.get_name() }};
            planMap.planSources = {{ this.sources|tojson }};
        {% endmacro %}
        """
    )

    def __init__(self, sources: dict[str, str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "PlanSources"
        self._id = "sources"
        self.sources = sources


def limit_zooms(payload: MapDocument) -> dict[str, Any]:
    """Return Leaflet's limits of zooming: as close as what is drawn is worth.

    Folium takes its own ``min_zoom`` and ``max_zoom`` to be of tiles.
    """
    accuracies = (row["accuracy_m"] for row in payload["features"].values())
    known = any(one is not None and one <= KNOWN_M for one in accuracies)
    closer = known or payload["own"] or "basemap" in payload
    return {"minZoom": FARTHEST, "maxZoom": CLOSEST_KNOWN if closer else CLOSEST}


def render_map(
    bounds: list[float], sources: dict[str, str], leaflet: dict[str, str], zooms: dict[str, Any]
) -> Fragments:
    """Return the map's page fragments.

    Parameters
    ----------
    bounds
        (west, south, east, north) of the city in degrees.
    sources
        Address of each data file, by name.
    leaflet
        Local addresses of Leaflet's ``js`` and ``css``; no other file is linked.
    zooms
        As :func:`limit_zooms` returns them.
    """
    plan_map = _build_map(bounds, leaflet, zooms)
    plan_map.add_child(PlanSources(sources))
    root: Any = plan_map.get_root()
    root.render()
    # Folium's own meta tags forbid zooming and its styles need no place in our page: links only.
    # Scripts first: behind a style sheet they would wait for it. Deferred: the page is laid out meanwhile.
    links = [child for child in root.header._children.values() if isinstance(child, CssLink | JavascriptLink)]  # noqa: SLF001
    header = "\n".join(link.render() for link in sorted(links, key=lambda link: isinstance(link, CssLink)))
    script = root.script.render().strip()
    return Fragments(
        header=header.replace("<script ", "<script defer "),
        html=root.html.render().strip(),
        script=f'{OTHERWISE}document.addEventListener("DOMContentLoaded", () => {{\n{script}\n}});',
        sources=sources,
    )


def _build_map(bounds: list[float], leaflet: dict[str, str], zooms: dict[str, Any]) -> folium.Map:
    west, south, east, north = bounds
    margin, below = 0.9, 3.0  # degrees that the map may leave the city; on a phone a card lies over its foot
    plan_map = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=9,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.5,
        max_bounds=True,
        min_lat=south - below,
        max_lat=north + margin,
        min_lon=west - margin,
        max_lon=east + margin,
        max_bounds_viscosity=0.8,
        **zooms,
    )
    plan_map._id = "plan"  # noqa: SLF001
    # Names must differ: Folium keeps one link per name.
    plan_map.default_js = [("leaflet_js", leaflet["js"])]
    plan_map.default_css = [("leaflet_css", leaflet["css"])]
    for name, z_index, clickable in PANES:
        pane = CustomPane(name, z_index=z_index, pointer_events=clickable)
        pane._id = name  # noqa: SLF001
        plan_map.add_child(pane)
    return plan_map


class NamesWithRoom(MacroElement):
    """Shows a name where none before it stands: those of the largest places come first in their layer."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            const makeRoom = () => {
                const taken = [];
                const frame = {{ this._parent.get_name() }}.getContainer().getBoundingClientRect();
                for (const name of document.querySelectorAll(".leaflet-tooltip.name")) {
                    const { left, right, top, bottom } = name.getBoundingClientRect();
                    const isFree = left >= frame.left && right <= frame.right && taken.every((one) =>
                        right < one.left || left > one.right || bottom < one.top || top > one.bottom);
                    name.style.visibility = isFree ? "" : "hidden";
                    if (isFree) taken.push({ left, right, top, bottom });
                }
            };
            {{ this._parent.get_name() }}.on("moveend overlayadd overlayremove", makeRoom);
            makeRoom();
        {% endmacro %}
        """
    )


# A map in one file: Leaflet, the data and the legend inside, so that it opens anywhere and asks no host.

Style = dict[str, object]
GROUND = (("land", STYLE.day("neighbour")), ("counties", STYLE.day("land")))
HALO = STYLE.day("halo")
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
PICTURE = re.compile(r"url\(([^)]*)\)")
PAGE_STYLE = f"""
html, body {{ height: 100%; margin: 0; font: 14px/1.5 system-ui, sans-serif; color: {STYLE.paper["ink"]}; }}
.leaflet-container {{ background: {STYLE.day("sea")}; font: inherit; }}
body #map_plan {{ position: absolute; inset: 0 min(300px, 38%) 0 0; width: auto; height: auto; }}
path:focus {{ outline: none; }}
.leaflet-control-scale-line:nth-child(2) {{ display: none; }}
.sheet {{ position: absolute; inset: 0 0 0 auto; box-sizing: border-box; width: min(300px, 38%);
  padding: 10px 14px; overflow: auto; background: {HALO}; }}
.sheet h1 {{ margin: 0; font-size: 17px; }}
.sheet p {{ margin: 6px 0 0; font-size: 12px; color: {STYLE.paper["muted"]}; }}
.sheet ul, .about ul {{ margin: 6px 0 0; padding: 0; list-style: none; }}
.sheet li {{ display: flex; gap: 8px; align-items: center; }}
.sheet i {{ flex: none; box-sizing: border-box; width: 22px; height: 13px; border: 1.5px solid; }}
.sheet i.point {{ width: 13px; margin: 0 4.5px; border-radius: 50%; }}
@media (max-aspect-ratio: 1) {{
  body #map_plan {{ inset: 0 0 40% 0; }}
  .sheet {{ inset: 60% 0 0 0; width: auto; }}
}}
.leaflet-tooltip.name {{ padding: 0; border: 0; background: none; box-shadow: none; font-weight: 600;
  text-shadow: 0 0 2px {HALO}, 0 0 2px {HALO}, 0 0 3px {HALO}; pointer-events: none; }}
.leaflet-tooltip.name::before {{ display: none; }}
.leaflet-popup-content table, .leaflet-popup-content td {{ border: 0; padding: 0; }}
"""


def to_map(
    theme: str = "districts",
    *,
    language: str = "zh",
    release: Release | None = None,
    choice: MapChoice | None = None,
    base: str = "",
) -> folium.Map:
    """Return a theme as a Folium map that needs no host: shown by a notebook, or saved with ``save``.

    Parameters
    ----------
    theme
        Id of a theme; passed over where there is a `choice`.
    language
        ``zh``, ``en`` or ``ko``.
    release
        What is drawn; by default the live release of the home folder.
    choice
        A theme with a question, layers over it and the view; see :class:`~webmap.map_choice.MapChoice`.
    base
        Address of the site that popups link to; without one there are no links.

    Raises
    ------
    LookupError
        If the theme is unknown or the home has no release.
    """
    found = release or read_current(find_home())
    if found is None:
        raise LookupError("no release: run weihai-layout build")
    payload = found.read_json(f"map/{language}.json")
    if choice is None and theme not in {row["id"] for row in payload["themes"]}:
        raise LookupError(f"theme {theme!r}: one of {', '.join(row['id'] for row in payload['themes'])}")
    return _FileMap(found, payload, choice or MapChoice(theme), language, base).build()


class _FileMap:
    """Builds one map; every text of the data is escaped before it becomes part of the page."""

    def __init__(
        self, release: Release, payload: MapDocument, choice: MapChoice, language: str, base: str
    ) -> None:
        self.release, self.payload, self.language, self.base = release, payload, language, base
        self.strings: dict[str, str] = release.read_json(f"pages/{language}/strings.json")
        layers = {row["layer"] for row in payload["features"].values()} - set(POINT_LAYERS)
        rows = (row for layer in sorted(layers) for row in self._features(layer))
        self.places = {row["id"]: row for row in rows if row["geometry"]}
        boxes = {row_id: box_of(parse_geometry(one)) for row_id, one in self.places.items()}
        self.shown = ShownMap(payload, choice, boxes)
        self.letters = {one["id"]: str(one["letter"]) for one in payload["clusters"]}
        self.numbers = 0

    def build(self) -> folium.Map:
        west, south, east, north = self.shown.choice.bounds or self.payload["bounds"]
        centre = [(south + north) / 2, (west + east) / 2]
        plan_map = folium.Map(
            centre,
            tiles=None,
            zoom_start=9,
            zoom_snap=0.25,
            control_scale=True,
            prefer_canvas=bool(self.shown.own_layers()),  # which may have thousands of points
            **limit_zooms(self.payload),
        )
        plan_map._id = "plan"  # noqa: SLF001
        plan_map.default_js, plan_map.default_css = [], []
        self._fill_page(plan_map)
        for layer, colour in GROUND:
            style = {
                "fillColor": colour,
                "fillOpacity": 1,
                "color": STYLE.day("coast"),
                "weight": STYLE.lines["coast"].width,
            }
            self._add(
                plan_map, self._geojson(self._features(layer), lambda _row, own=style: own, interactive=False)
            )
        rows = self.shown.rows()
        for layer in dict.fromkeys(row["layer"] for row in rows):
            self._add_layer(plan_map, layer, [row for row in rows if row["layer"] == layer])
        for own, opacity in self.shown.own_layers():
            self._add_own(plan_map, own, opacity)
        self._add(plan_map, folium.LayerControl())
        plan_map.fit_bounds([[south, west], [north, east]])
        self._add(plan_map, NamesWithRoom())  # type: ignore[no-untyped-call]
        return plan_map

    def _fill_page(self, plan_map: folium.Map) -> None:
        root: Any = plan_map.get_root()
        script = self.release.read("static/vendor/leaflet.js").decode()
        style = PICTURE.sub(self._picture, self.release.read("static/vendor/leaflet.css").decode())
        parts = {
            "policy": f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
            "title": f"<title>{escape(self.shown.theme['title'])}</title>",
            "style": f"<style>{style}{PAGE_STYLE}</style>",
            "script": f"<script>{script.split('//# sourceMappingURL')[0]}</script>",
        }
        for name, text in parts.items():
            root.header.add_child(Element(text), name=name)
        root.html.add_child(Element(self._legend()), name="legend")

    def _picture(self, match: re.Match[str]) -> str:
        """Return a picture of the style sheet as part of it; one that is not shipped is none."""
        path = f"static/vendor/{match[1]}"
        if self.release.sha256(path) is None:
            return "none"
        return f"url(data:image/png;base64,{base64.b64encode(self.release.read(path)).decode()})"

    def _features(self, layer: str) -> list[GeoJsonFeature]:
        rows: list[GeoJsonFeature] = self.release.read_json(f"data/{layer}.geojson")["features"]
        return [
            {"type": row["type"], "id": row["id"], "geometry": row["geometry"], "properties": {}}
            for row in rows
        ]

    def _add(self, parent: Element, child: Element) -> None:
        self.numbers += 1
        child._id = f"part{self.numbers}"  # noqa: SLF001
        parent.add_child(child)

    def _add_layer(self, plan_map: folium.Map, layer: str, rows: list[ShownFeature]) -> None:
        group = folium.FeatureGroup(name=self.strings[f"layer.{layer}"])
        self._add(plan_map, group)
        located = [
            row for row in rows if (row["point"] if layer in POINT_LAYERS else row["id"] in self.places)
        ]
        located.sort(key=lambda row: -(row.get("area_km2") or 0))
        features = [self._to_feature(row) for row in located]
        if not features:
            return
        marker = folium.CircleMarker(radius=7, fill=True) if layer in POINT_LAYERS else None
        drawn = self._geojson(features, lambda feature: feature["properties"]["style"], marker=marker)
        self._add(group, drawn)
        for detail in (
            folium.GeoJsonTooltip(["title"], labels=False),
            folium.GeoJsonPopup(["about"], labels=False, max_width=340),
        ):
            self._add(drawn, detail)
        for row in located if layer not in POINT_LAYERS else ():
            self._add_name(group, row)

    def _geojson(
        self, features: Iterable[Mapping[str, object]], style: Callable[..., Style], **options: Any
    ) -> folium.GeoJson:
        collection = {"type": "FeatureCollection", "features": list(features)}
        return folium.GeoJson(collection, style_function=style, control=False, **options)

    def _to_feature(self, row: ShownFeature) -> dict[str, object]:
        point = row["layer"] in POINT_LAYERS
        geometry: object = (
            {"type": "Point", "coordinates": row["point"]} if point else self.places[row["id"]]["geometry"]
        )
        style = self._point_style(row) if point else _style(self.shown.look(row), row["edge"] or "")
        title = f"{escape(row['name'])} <small>{escape(self.strings['kind.' + row['kind']])}</small>"
        properties = {"title": title, "about": self._about(row), "style": style}
        return {"type": "Feature", "id": row["id"], "geometry": geometry, "properties": properties}

    def _point_style(self, row: ShownFeature) -> Style:
        entry = self.shown.entry(row)
        hue = self.shown.strong if self.shown.asked and self.shown.matches(row) else entry and entry["colour"]
        return {
            "color": HALO,
            "weight": 1.5,
            "fillColor": hue or NEUTRAL,
            "fillOpacity": 1,
            "opacity": 1,
        }

    def _about(self, row: ShownFeature) -> str:
        """Return what a popup says of a place, as markup."""
        document: PlaceDocument = self.release.read_json(f"documents/{row['id']}.json")
        said = [f"<b>{escape(row['name'])}</b>", escape(self.strings[f"kind.{row['kind']}"])]
        said += [escape(one["term"][self.language]) for one in document.get("positioning", [])]
        items = "".join(
            f"<li>{escape(one['term'][self.language])} · {format_clause(one['clause'], self.language)}</li>"
            for one in {one["term"]["zh"]: one for one in document.get("industries", [])}.values()
        )
        if row["accuracy_m"]:
            said.append(escape(self.strings["map.accuracy"].format(metres=f"{row['accuracy_m']:,}")))
        if self.base:
            link = escape(f"{self.base}{row['url']}?lang={self.language}")
            said.append(
                f'<a href="{link}" target="_blank" rel="noopener">{escape(self.strings["map.full_page"])}</a>'
            )
        return f'<div class="about">{"<br>".join(said)}<ul>{items}</ul></div>'

    def _add_own(self, plan_map: folium.Map, layer: MapOwnLayer, opacity: float) -> None:
        """Add a layer of the operator's own, marked as theirs."""
        mark = self._say("own.mark")
        group = folium.FeatureGroup(name=escape(f"{layer['title']} · {mark}"))
        self._add(plan_map, group)
        drawn = self.release.read_json(f"map/own/{layer['id']}.json")
        names = drawn["names"].get(self.language, drawn["names"]["zh"])
        features = []
        for number, colour in self.shown.own_places(layer, drawn):
            if "at" in drawn:
                geometry = {"type": "Point", "coordinates": drawn["at"][number]}
            else:
                geometry = {"type": "MultiPolygon", "coordinates": drawn["shapes"][number]}
            style = {"color": colour, "weight": 1.2, "fillColor": colour, "opacity": opacity}
            style |= {"fillOpacity": opacity * (0.9 if "at" in drawn else 0.45)}
            title = f"{escape(names[number])} <small>{escape(layer['title'])} · {escape(mark)}</small>"
            features.append(
                {"type": "Feature", "geometry": geometry, "properties": {"title": title, "style": style}}
            )
        if features:
            marker = folium.CircleMarker(radius=5, fill=True) if "at" in drawn else None
            shown = self._geojson(features, lambda feature: feature["properties"]["style"], marker=marker)
            self._add(group, shown)
            self._add(shown, folium.GeoJsonTooltip(["title"], labels=False))

    def _add_name(self, group: Element, row: ShownFeature) -> None:
        name = row["short"] or row["name"]
        if self.shown.theme["colour_by"] == "cluster":
            name = " ".join([name, *(self.letters[one] for one in row.get("clusters", ()))])
        dot = folium.CircleMarker(row["label"][::-1], radius=1, stroke=False, fill=False)
        self._add(group, dot)
        words = folium.Tooltip(_to_literal(name), permanent=True, direction="center", class_name="name")
        self._add(dot, words)

    def _legend(self) -> str:
        shown, say = self.shown, self._say
        question = shown.explain(say)
        plan = self.release.read_json("pages/plan.json")
        notes = [shown.theme["note"], say("map.credit", number=plan["number"]), say("map.schematic_note")]
        notes.append(say("ground.coast"))
        notes += [
            f"{layer['title']} · {say('own.mark')} · "
            + say("own.stated", source=layer["source"], as_of=layer["as_of"])
            for layer, _ in shown.own_layers()
        ]
        items = "".join(self._keys())
        asked = f"<p><b>{escape(question)}</b></p>" if question else ""
        said = "".join(f"<p>{escape(note)}</p>" for note in notes)
        said = f"{asked}<ul>{items}</ul>{said}"
        return f'<aside class="sheet"><h1>{escape(shown.theme["title"])}</h1>{said}</aside>'

    def _keys(self) -> Iterator[str]:
        """Yield what each colour says, of the theme, of an answer, of what lies over them, as markup."""
        shown = self.shown
        for one in shown.classes():
            yield _key(one["colour"], one["colour"], _name_class(one), point=bool(one["symbol"]))
        for mark, answer in shown.answers():
            style = _style(mark, "official")
            fill = str(style["fillColor"]) if style["fillOpacity"] else "none"
            yield _key(fill, str(style["color"]), self._say(f"map.answer.{answer}"))
        for row in shown.overlays():
            yield f"<li><b>{escape(self._say('layer.' + row['layer']))}</b></li>"
            for one in shown.classes(row):
                yield _key(one["colour"], one["colour"], _name_class(one), point=bool(one["symbol"]))
        for layer, _ in reversed(shown.own_layers()):
            for colour, text in shown.own_keys(layer):
                yield _key(colour, colour, text, point=layer["geometry"] == "point")

    def _say(self, key: str, **values: object) -> str:
        return fill(self.strings[key], values)


def box_of(geometry: BaseGeometry) -> Bounds:
    """Return (west, south, east, north) of a geometry."""
    west, south, east, north = geometry.bounds
    return west, south, east, north


def _to_literal(text: str) -> str:
    """Return a text as markup that also stands in a template literal of a script, where Folium puts it."""
    return escape(text).translate({ord(one): f"&#{ord(one)};" for one in "`$\\"})


def _name_class(entry: LegendLine) -> str:
    return f"{entry['letter'] or ''} {entry['label']}".strip()


def _key(fill: str, edge: str, text: str, *, point: bool = False) -> str:
    """Return a line of the legend as markup."""
    shape = ' class="point"' if point else ""
    return f'<li><i{shape} style="background:{fill};border-color:{edge}"></i>{escape(text)}</li>'


def _style(look: FigureLook, edge: str) -> Style:
    """Return Leaflet's path options of a polygon; what has no known extent is a faint halo."""
    if edge == "indicative":
        return {"fillColor": look.hue, "fillOpacity": 0.15 * look.opacity, "stroke": False}
    pale = look.light and look.solid
    fill = (
        0
        if look.outlined
        else 0.85
        if look.solid and not pale
        else 0.9
        if pale
        else 0.1
        if look.light
        else 0.5
    )
    return {
        "fillColor": STYLE.day("land") if pale else look.hue,
        "fillOpacity": fill * look.opacity,
        "color": look.hue,
        "opacity": look.opacity,
        "weight": STYLE.lines["asked" if look.outlined else "file"].width,
        "dashArray": STYLE.edges[edge].dashes,
    }
