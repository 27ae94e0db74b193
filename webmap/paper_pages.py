"""The addresses of everything on paper: sheets, posters, the atlas, charts and cards as pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from flask import Blueprint, Response, current_app, g, request

from webmap.api import content, require
from webmap.chart_pages import draw, require_chart
from webmap.content import Content
from webmap.kept import keep
from webmap.language import translate_here
from webmap.links import absolute
from webmap.paper.ground import Ground
from webmap.paper.poster import SIZES
from webmap.paper.press import Press
from webmap.parameters import takes
from webmap.problems import BadParameterError, NotFoundError
from webmap.subject_pages import require_subject

blueprint = Blueprint("paper", __name__)
HERE = Path(__file__).parent
MAKERS = ("paper/*.py", "paper/*.typ", "templates/charts/*", "charts.py", "chart_pages.py", "format.py")
TYPES = {"pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml"}


@blueprint.get("/zones/<place_id>.pdf")
@takes()
def place_sheet(place_id: str) -> Response:
    """Send the one-page sheet of a county, zone, park, 五区, belt or marine core."""
    require(place_id, points=False)
    return _send("pdf", place_id, lambda: _press().place_pdf(place_id))


@blueprint.get("/places/<place_id>.pdf")
@takes()
def point_sheet(place_id: str) -> Response:
    """Send the one-page sheet of a platform or gateway."""
    require(place_id, points=True)
    return _send("pdf", place_id, lambda: _press().place_pdf(place_id))


@blueprint.get("/industries/<industry_id>.pdf")
@takes()
def industry_sheet(industry_id: str) -> Response:
    """Send the one-page sheet of an industry."""
    require_subject("industry", content().industries, industry_id)
    return _send("pdf", industry_id, lambda: _press().industry_pdf(industry_id))


@blueprint.get("/print/<theme_id>.<any(pdf, png, svg):extension>")
@takes("size")
def poster(theme_id: str, extension: str) -> Response:
    """Send a theme as a sheet to hang up."""
    _require_theme(theme_id, extension)
    size = request.args.get("size", "A4").upper()
    if size not in SIZES:
        raise BadParameterError("error.choice", parameter="size", value=size, allowed=", ".join(SIZES))
    makers: dict[str, Callable[[Press], bytes]] = {
        "pdf": lambda press: press.poster_pdf(theme_id, size),
        "png": lambda press: press.poster_png(theme_id, size),
        "svg": lambda press: press.poster(theme_id, size)["svg"].encode(),
    }
    return _send(extension, f"{theme_id}-{size}", lambda: makers[extension](_press()))


@blueprint.get("/atlas.pdf")
@takes()
def atlas() -> Response:
    """Send the atlas."""
    return _send("pdf", "atlas", lambda: _press().atlas_pdf(draw("clusters")))


@blueprint.get("/charts/<name>.png")
@takes()
def chart_png(name: str) -> Response:
    """Send one chart as a picture."""
    require_chart(name, "png")
    return _send("png", f"chart-{name}", lambda: _press().chart_png(*draw_sized(name)))


@blueprint.get("/og/<place_id>.png")
@takes("points")
def card(place_id: str) -> Response:
    """Send the picture that a link to a place is previewed with."""
    require(place_id, points=request.args.get("points") == "1")
    return _send("png", f"card-{place_id}", lambda: _press().card_png(place_id), download=False)


def draw_sized(name: str) -> tuple[str, tuple[float, float], str]:
    """Return a chart with its size and title."""
    svg = draw(name)
    width, height = (float(svg.split(f' {side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height"))
    return svg, (width, height), translate_here(f"chart.{name}")


def _press() -> Press:
    found: Content = content()
    ground: Ground = current_app.extensions.setdefault("ground", Ground(found.release))
    return Press(found.release, ground, found.plan, g.language, absolute, translate_here)


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


def _send(extension: str, name: str, make: Callable[[], bytes], *, download: bool = True) -> Response:
    """Send a file of this release, language, site and edition of the programme, made once and kept."""
    release = content().release
    folder = current_app.extensions["settings"].home / "cache" / release.id
    body = keep(folder, (extension, name, g.language, absolute("/"), edition(HERE)), make)
    response = Response(body, content_type=TYPES[extension])
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    if download:
        saved = f"{content().plan['id']}-{name}-{g.language}.{extension}"
        response.headers["Content-Disposition"] = f'inline; filename="{saved}"'
    response.make_conditional(request)
    return response
