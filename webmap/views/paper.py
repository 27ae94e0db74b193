"""The addresses of everything on paper: sheets, posters, the atlas, charts and cards as pictures."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from webmap.export_worker import PATIENCE_S, ChildJob, ExportWorker
from webmap.http import base_url
from webmap.i18n import LANGUAGES, translate_here
from webmap.map_choice import MAP_PARAMETERS, parse_map_choice
from webmap.origin import is_known
from webmap.paper import SIZES
from webmap.paper.request import Kind, PaperRequest, make_paper
from webmap.params import ChoiceParameter, OpenParameter, takes
from webmap.problems import NotFoundError
from webmap.settings import Settings
from webmap.views.context import POINT, POLYGON, content, require_place
from webmap.views.plan import draw_chart, require_chart
from webmap.views.subjects import require_subject

blueprint = Blueprint("paper", __name__)
ROOT = Path(__file__).parent.parent.parent
MAKERS = (
    *("webmap/paper/*.py", "webmap/paper/*.typ", "webmap/templates/charts/*", "webmap/views/plan.py"),
    *(
        "layers/cartography.*",
        "webmap/folium_map.py",
        "webmap/i18n.py",
        "webmap/label_placement.py",
        "webmap/map_choice.py",
    ),
)
SIZE = ChoiceParameter("size", allowed=tuple(SIZES), default="A4", meaning="share.size")
ALSO = ChoiceParameter("also", meaning="ogc.site.also")
TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}


@blueprint.get("/zones/<place_id>.pdf", defaults=POLYGON)
@blueprint.get("/places/<place_id>.pdf", defaults=POINT)
@takes()
def place_sheet(place_id: str, *, points: bool) -> Response:
    """Send the one-page sheet of a county, zone, park, area, platform or gateway."""
    require_place(place_id, points=points)
    return _send("pdf", place_id, "place", id=place_id)


@blueprint.get("/industries/<industry_id>.pdf")
@takes()
def industry_sheet(industry_id: str) -> Response:
    """Send the one-page sheet of an industry."""
    require_subject("industry", content().industries, industry_id)
    return _send("pdf", industry_id, "industry", id=industry_id)


@blueprint.get("/clusters/<cluster_id>.pdf")
@takes()
def cluster_sheet(cluster_id: str) -> Response:
    """Send the one-page sheet of a cluster."""
    require_subject("cluster", content().clusters, cluster_id)
    return _send("pdf", cluster_id, "cluster", id=cluster_id)


@blueprint.get("/print/<theme_id>.<any(pdf, png, svg, html):extension>")
@takes(SIZE, ALSO, *MAP_PARAMETERS, title="paper.theme_sheet")
def poster(theme_id: str, extension: str) -> Response:
    """Send a theme, or a view of it, as a sheet to hang up, in one language or two."""
    _require_theme(theme_id, extension)
    arguments = request.args.to_dict(flat=True)
    size = SIZE.require({"size": (arguments.get("size") or "A4").upper()})
    also = ALSO.parse(request.args, [one for one in LANGUAGES if one != g.language]) or ""
    name = "-".join(filter(None, (theme_id, size, also)))
    payload = content().release.read_json(f"map/{g.language}.json")
    choice = parse_map_choice(theme_id, arguments, payload).to_query()
    return _send(extension, name, "poster", id=theme_id, size=size, also=also, choice=choice)


@blueprint.get("/atlas.pdf")
@takes()
def atlas() -> Response:
    """Send the atlas."""
    return _send("pdf", "atlas", "atlas", svg=draw_chart("clusters"))


@blueprint.get("/charts/<name>.png")
@takes()
def chart_png(name: str) -> Response:
    """Send one chart as a picture."""
    require_chart(name, "png")
    svg, (width, height), title = draw_sized(name)
    return _send("png", f"chart-{name}", "chart", svg=svg, title=title, width=width, height=height)


@blueprint.get("/og/<place_id>.png")
@takes(OpenParameter("points"))
def card(place_id: str) -> Response:
    """Send the picture that a link to a place is previewed with."""
    require_place(place_id, points=request.args.get("points") == "1")
    return _send("png", f"card-{place_id}", "card", id=place_id)


def draw_sized(name: str) -> tuple[str, tuple[float, float], str]:
    """Return a chart with its size and title."""
    svg = draw_chart(name)
    width, height = (float(svg.split(f' {side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height"))
    return svg, (width, height), translate_here(f"chart.{name}")


@cache
def edition(folder: Path) -> str:
    """Return a mark of the code that makes paper: what an older one made is not sent any more."""
    paths = sorted(path for pattern in MAKERS for path in folder.glob(pattern))
    digest = hashlib.sha256(version("typst").encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _require_theme(theme_id: str, extension: str) -> None:
    themes = content().themes
    if theme_id not in themes:
        near = [{"id": one, "label": one, "href": f"/print/{one}.{extension}"} for one in themes]
        raise NotFoundError(
            "error.theme", parameter="theme", value=theme_id, allowed=", ".join(themes), near=near
        )


def _send(extension: str, name: str, kind: Kind, **details: Any) -> Response:
    """Send a file of this release, language, site and edition of the programme, made once and kept.

    `details` are those of the :class:`~webmap.paper.request.PaperRequest`.
    """
    release, settings = content().release, _settings()
    base = "" if settings.files else _printed_url(settings)
    folder, digest = str(release.folder), release.manifest_sha256
    paper_request = PaperRequest(folder, digest, g.language, kind, extension, base=base, **details)
    body = _print(
        paper_request,
        (
            "paper",
            release.id,
            extension,
            name,
            g.language,
            settings.files.absolute("/") if settings.files else base,
            edition(ROOT),
            paper_request.choice,
        ),
    )
    response = Response(body, content_type=TYPES[extension])
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    if kind != "card":
        saved = f"{content().plan['id']}-{name}-{g.language}.{extension}"
        response.headers["Content-Disposition"] = (
            f'{"attachment" if extension == "html" else "inline"}; filename="{saved}"'
        )
    response.make_conditional(request)
    return response


def _printed_url(settings: Settings) -> str:
    """Return the site's address as it stands on what is kept; empty where anybody may have made it up."""
    return base_url() if settings.url or is_known(request.environ, settings.hosts) else ""


def _print(paper_request: PaperRequest, key: tuple[str, ...]) -> bytes:
    """Return what is asked for: from a child process, but where a whole site is printed and nobody waits."""
    worker: ExportWorker = current_app.extensions["export_worker"]
    files = _settings().files
    if files is None:
        return worker.get(key, ChildJob("webmap.paper.request:make_sheet", paper_request.to_line()))

    def make(path: Path) -> None:
        path.write_bytes(make_paper(paper_request, files.absolute))

    return worker.cache.read_or_make(key, make, PATIENCE_S)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
