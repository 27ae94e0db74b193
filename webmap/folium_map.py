"""The map page's Leaflet map, made by Folium: the only module that imports it.

Folium turns (lon, lat) bounds into Leaflet's (lat, lon) here and nowhere else. Element ids are
pinned, so that the same inputs give the same bytes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import folium
from branca.element import CssLink, JavascriptLink, MacroElement
from folium.map import CustomPane
from folium.template import Template

MIN_ZOOM, MAX_ZOOM = 8, 13  # closer than that a pixel is finer than anything that is known of the ground
# Leaflet panes, back to front: name, z-index, whether they take clicks.
PANES = (
    ("land", 200, False),
    ("area", 410, True),
    ("halo", 420, False),
    ("edge", 430, False),
    ("line", 440, False),
    ("place", 450, True),
    ("label", 620, False),
)


@dataclass(frozen=True)
class Fragments:
    """The three parts of the page that Folium makes; scripts carry no nonce yet."""

    header: str
    html: str
    script: str
    sources: dict[str, str]  # address of each data file, for preloading

    def to_dict(self) -> dict[str, Any]:
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


def render_map(bounds: list[float], sources: dict[str, str], leaflet: dict[str, str]) -> Fragments:
    """Return the map's page fragments.

    Parameters
    ----------
    bounds
        (west, south, east, north) of the city in degrees.
    sources
        Address of each data file, by name.
    leaflet
        Local addresses of Leaflet's ``js`` and ``css``; no other file is linked.
    """
    plan_map = _build_map(bounds, leaflet)
    plan_map.add_child(PlanSources(sources))
    root: Any = plan_map.get_root()
    root.render()
    # Folium's own meta tags forbid zooming and its styles need no place in our page: links only.
    # Scripts first: behind a style sheet they would wait for it.
    links = [child for child in root.header._children.values() if isinstance(child, CssLink | JavascriptLink)]  # noqa: SLF001
    return Fragments(
        header="\n".join(link.render() for link in sorted(links, key=lambda link: isinstance(link, CssLink))),
        html=root.html.render().strip(),
        script=root.script.render().strip(),
        sources=sources,
    )


def _build_map(bounds: list[float], leaflet: dict[str, str]) -> folium.Map:
    west, south, east, north = bounds
    margin = 0.9
    plan_map = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=9,
        zoom_control=False,
        attribution_control=False,
        min_zoom=MIN_ZOOM,
        max_zoom=MAX_ZOOM,
        zoom_snap=0.5,
        max_bounds=True,
        min_lat=south - margin,
        max_lat=north + margin,
        min_lon=west - margin,
        max_lon=east + margin,
        max_bounds_viscosity=0.8,
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
