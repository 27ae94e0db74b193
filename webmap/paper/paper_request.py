"""What is asked of paper: a sheet, poster, atlas, chart or card of one release in one language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from layers.child_job import ReleaseRequest
from webmap.map_choice import parse_map_choice

Kind = Literal["place", "industry", "cluster", "poster", "atlas", "chart", "card"]


@dataclass(frozen=True)
class PaperRequest(ReleaseRequest):
    """A file to be printed.

    Attributes
    ----------
    id
        The place, industry, cluster or theme; empty for the atlas and for charts.
    base
        The site's address without a slash at its end, for links and codes; empty where it is not known.
    size
        Of a poster, one of :data:`webmap.paper.SIZES`.
    choice
        What of a theme is shown, as :meth:`~webmap.map_choice.MapChoice.to_query` writes it.
    also
        The second language of a poster; empty for none.
    svg, title, width, height
        The drawing of a chart, also of the one in the atlas, with its title and its size in its own units.
    """

    language: str
    kind: Kind
    extension: str
    id: str = ""
    base: str = ""
    size: str = "A4"
    choice: str = ""
    also: str = ""
    svg: str = ""
    title: str = ""
    width: float = 0
    height: float = 0

    def absolute(self, path: str) -> str:
        """Return the whole address of a path on the site, empty where that is not known."""
        return self.base and self.base + path


def make_sheet(line: bytes) -> bytes:
    """Return what a line of :class:`PaperRequest` asks for, in a child."""
    return make_paper(PaperRequest.from_line(line))


def make_paper(request: PaperRequest, absolute: Callable[[str], str] | None = None) -> bytes:
    """Return what is asked for; `absolute` says where a path on the site is found, if not below `base`."""
    if request.extension == "html":
        return _make_html(request)
    # Slow to load, and a process that serves prints nothing itself.
    from webmap.paper.pdf_renderer import build_atlas, open_renderer

    renderer = open_renderer(request.release, request.language, absolute or request.absolute)
    sheets = {
        "place": renderer.place_sheet,
        "industry": renderer.industry_sheet,
        "cluster": renderer.cluster_sheet,
    }
    if request.kind in sheets:
        return renderer.to_pdf("one.typ", sheets[request.kind](request.id))
    if request.kind == "card":
        return renderer.card_png(request.id)
    if request.kind == "atlas":
        return renderer.to_pdf("atlas.typ", build_atlas(renderer, request.svg))
    if request.kind == "chart":
        return renderer.chart_png(request.svg, (request.width, request.height), request.title)
    also = open_renderer(request.release, request.also, renderer.absolute) if request.also else None
    choice = parse_map_choice(request.id, dict(parse_qsl(request.choice)), renderer.payload)
    return renderer.poster_as(request.extension, choice, request.size, also)


def _make_html(request: PaperRequest) -> bytes:
    """Return a view of the map as one file that needs no other."""
    from webmap.folium_map import to_map

    payload = request.release.read_json(f"map/{request.language}.json")
    choice = parse_map_choice(request.id, dict(parse_qsl(request.choice)), payload)
    drawn = to_map(language=request.language, release=request.release, choice=choice, base=request.base)
    return str(drawn.get_root().render()).encode()
