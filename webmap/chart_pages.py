"""The charts as files, and as parts of the pages."""

from __future__ import annotations

from flask import Blueprint, Response, g, render_template
from markupsafe import Markup

from webmap import charts
from webmap.api import content
from webmap.parameters import takes
from webmap.problems import NotFoundError

blueprint = Blueprint("charts", __name__)
CHARTS = ("clusters", "targets")


def draw(name: str) -> Markup:
    """Return one chart as SVG in the language of the request."""
    if name == "clusters":
        chart = charts.lay_out_clusters(list(content().clusters.values()), g.language)
    else:
        chart = charts.lay_out_targets(content().indicators, g.language)
    # Safe to set into a page: the template escapes every text.
    return Markup(render_template(f"charts/{name}.svg", chart=chart, wrap=charts.wrap))  # noqa: S704


@blueprint.get("/charts/<name>.svg")
@takes()
def chart_svg(name: str) -> Response:
    """Send one chart as SVG."""
    require_chart(name, "svg")
    return Response(draw(name), mimetype="image/svg+xml")


def require_chart(name: str, extension: str) -> None:
    """Raise NotFoundError for an unknown chart."""
    if name not in CHARTS:
        near = [{"id": one, "label": one, "href": f"/charts/{one}.{extension}"} for one in CHARTS]
        raise NotFoundError(
            "error.chart", parameter="chart", value=name, allowed=", ".join(CHARTS), near=near
        )
