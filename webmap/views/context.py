"""What every view uses: the content in service, a place by its id, what templates may call."""

from __future__ import annotations

import datetime as dt
import html
import json
from collections.abc import Sequence
from math import ceil
from urllib.parse import quote

from flask import current_app, request

from geodata.kinds import POINT_LAYERS
from layers.citations import find_sentences
from layers.document_types import PlaceDocument
from webmap.content import Content
from webmap.downloads import Downloads
from webmap.http import absolute, address_with, base_url, here, page_url
from webmap.i18n import choose_credit, current_language, pick, translate
from webmap.params import WholeParameter
from webmap.problems import NotFoundError, name_some

PAGE = WholeParameter("page", low=1, high=None, default=1)  # of a list, of so many rows:
PER_PAGE = 40
POLYGON, POINT = {"points": False}, {"points": True}  # what addresses of places are of


def content() -> Content:
    """Return the content of the release that this process serves."""
    found: Content = current_app.extensions["content"]
    return found


def require_place(place_id: str, *, points: bool) -> PlaceDocument:
    """Return a place's document; raises NotFoundError with near matches."""
    document = content().documents.get(place_id)
    if document is None or (document["layer"] in POINT_LAYERS) != points:
        near = content().near(place_id, current_language(strict=False), points=points)
        known = [
            row_id for row_id, row in content().documents.items() if (row["layer"] in POINT_LAYERS) == points
        ]
        raise NotFoundError(
            "error.place", parameter="place", value=place_id, allowed=name_some(known), near=near
        )
    return document


def choose_part(rows: Sequence[object], page: int) -> dict[str, object]:
    """Return what a list with a pager shows: the `rows` of a page, or of the last one."""
    pages = max(ceil(len(rows) / PER_PAGE), 1)
    page = min(page, pages)
    return {"part": rows[(page - 1) * PER_PAGE : page * PER_PAGE], "number_of": page, "pages": pages}


def template_context() -> dict[str, object]:
    """Return what every template may use of the content."""
    release = content().release
    return {
        "asset": lambda path: f"/r/{release.id}/static/{path}",
        "release": release.id,
        "plan": content().plan,
        "ground_credit": _credit_ground,
        "local": content().local,
        "passed": is_past(content().local["horizon"]),
        "publisher": content().local["publisher"] or {},
        "quote": lambda clause, term, place=None: find_sentences(content().wording, clause, term, place),
        "quotes": quotes,
        "feedback": feedback_url,
        "layer_name": name_layer,
        "tr": pick,
        "q": request.args.get("q", ""),
        "say": say_raw,
    }


def name_layer(layer_id: str) -> str:
    """Return what a layer is called in the page's language; its id where the release has it no more."""
    strings: dict[str, str] = current_app.extensions["strings"][current_language(strict=False)]
    return strings.get(f"layer.{layer_id}", layer_id)


def say_raw(*keys: str) -> str:
    """Return texts in the page's language by their keys, as JSON, for a script to fill in."""
    language = current_language(strict=False)
    return json.dumps({key: translate(key, language) for key in keys}, ensure_ascii=False)


def _credit_ground() -> str:
    """Return whose data the ground of the maps is drawn from, in the page's language."""
    key, values = choose_credit(content().basemap)
    return translate(key, current_language(strict=False), **values)


def is_past(year: int | None) -> bool:
    """Tell whether a year has ended."""
    return year is not None and dt.datetime.now(tz=dt.UTC).astimezone().year > year


def quotes(clause: str, terms: list[str], place: str) -> list[str]:
    """Return the sentences of a clause that print some terms of a place, each once."""
    found = (find_sentences(content().wording, clause, term, place) for term in terms)
    return list(dict.fromkeys(sentence for sentences in found for sentence in sentences))


def feedback_url() -> str:
    """Return where an error of the page that is being rendered is reported; empty where nobody says."""
    publisher = content().local["publisher"]
    address = publisher["feedback"] if publisher else None
    if not address:
        return ""
    page = f"{content().release.id} {here()}"
    if address.startswith("mailto:"):
        return f"{address}?subject={quote(page, safe='')}"
    return f"{address}{'&' if '?' in address else '?'}page={quote(page, safe='')}"


def downloads_in_service() -> Downloads:
    """Return where the files of the release that this process serves are taken from."""
    found: Downloads = current_app.extensions["downloads"]
    return found


def qr_url() -> str:
    """Return the address of the QR code of the page that is being rendered."""
    return f"/qr.svg?path={quote(here(), safe='')}"


def embed_code(path: str) -> str:
    """Return the HTML that shows `path` in another site's page."""
    source = html.escape(absolute(path))
    return f'<iframe src="{source}" width="800" height="560" loading="lazy"></iframe>'


def link_functions() -> dict[str, object]:
    """Return the functions of addresses that every template may use."""
    files = current_app.extensions["settings"].files
    return {
        "absolute": absolute,
        "address": address_with,
        "base_url": base_url,
        "page_url": page_url,
        "qr_url": qr_url,
        "embed_code": embed_code,
        "served": files is None,  # else the page becomes a file, and nothing answers what it asks
        "sheets": files is None or files.sheets,
    }
