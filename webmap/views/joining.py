"""Joining a table of somebody's own to the plan: the page, and the same for programs.

The file is on disk for as long as its request is answered and is read in a child process; nothing of it is
kept, and no answer either: who wants the file after the preview sends the table again.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from flask import Blueprint, Response, current_app, g, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from geodata import crs
from layers.join.request import (
    FILES,
    LAYER,
    MAX_OPTION,
    MEDIA_TYPES,
    OPTIONS,
    SUMMARY,
    Cell,
    JoinRefusedError,
    JoinRequest,
    JoinSummary,
    pick_text,
    unpack_answer,
)
from webmap.export_worker import TEMPORARY, ChildJob, ExportWorker
from webmap.http import HTML, prefers_page, send_json, vary
from webmap.i18n import translate
from webmap.params import refuse_unknown, wrong_choice
from webmap.problems import (
    BadParameterError,
    RequestError,
    TooLargeError,
    UnfitError,
    UnsupportedTypeError,
    headers_of,
    values_in,
)
from webmap.views.context import content

blueprint = Blueprint("joining", __name__)
MAX_BYTES = 50_000_000  # of a table
JOIN_S = 150.0  # for one; 100,000 rows take 8 s of a processor as CSV, 20 s as XLSX
FORM_BYTES = 100_000  # of what the form has beside it
MULTIPART = "multipart/form-data"
FIELDS = ("file", "format", *OPTIONS)
SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
# What is wrong with a table, by the code of its refusal; else it can be read, but not be worked with.
KINDS: dict[str, type[RequestError]] = {
    "format-refused": UnsupportedTypeError,
    "unknown-format": UnsupportedTypeError,
    "file-too-large": TooLargeError,
    "zip-bomb": TooLargeError,
}
# The columns of the answer that the page shows.
SHOWN = (
    ("plan_where", "join.where_head"),
    ("plan_county", "layer.counties"),
    ("plan_zone", "layer.zones"),
    ("plan_zone_percent", "placing.likelihood"),
    ("plan_zone_second", "join.second"),
    ("plan_terms", "placing.designated"),
    ("plan_clauses", "common.clause"),
    ("plan_product_here", "join.product_here"),
)


@dataclass
class _Page:
    """What the page shows beside the form."""

    summary: JoinSummary | None = None
    error: RequestError | None = None
    form: dict[str, str] = field(default_factory=dict)


@blueprint.get("/join")
def join_page() -> Response:
    """Show the form."""
    return _render(_Page())


@blueprint.post("/join")
def join_table() -> Response:
    """Answer with the table, or with what is said of it: nothing of it is kept."""
    person = prefers_page()
    try:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
            asked = _parse(Path(folder))
            worker: ExportWorker = current_app.extensions["export_worker"]
            answer = worker.answer(ChildJob("layers.join.job:make_answer", asked.to_line()), JOIN_S)
        head, body = _unpack(answer)
    except RequestError as error:
        if person:
            return _render(_Page(error=error, form=_given()))
        raise
    if asked.format != SUMMARY:
        response = Response(body, content_type=MEDIA_TYPES[asked.format])
        response.headers["Content-Disposition"] = f'attachment; filename="{LAYER}.{asked.format}"'
    elif person:
        response = _render(_Page(head, form=_given()))
    else:
        response = send_json(asdict(head))
    response.headers["Cache-Control"] = "no-store"
    return vary(response)


def _parse(folder: Path) -> JoinRequest:
    """Return what is asked, with the file that was sent put into `folder`."""
    request.max_content_length = MAX_BYTES + FORM_BYTES
    if request.mimetype != MULTIPART:
        raise UnsupportedTypeError(
            "error.media_type", parameter="Content-Type", value=request.mimetype or "–", allowed=MULTIPART
        )
    try:
        sent, form = request.files, request.form
    except RequestEntityTooLarge as error:
        raise _refuse_size() from error
    refuse_unknown(FIELDS, {**dict.fromkeys(sent, ""), **form})
    file = sent.get("file")
    if file is None or not file.filename:
        allowed = "CSV, XLSX, GPKG, GeoJSON, Shapefile (zip)"
        raise BadParameterError("error.no_file", parameter="file", value="", allowed=allowed)
    kind = form.get("format") or SUMMARY
    if kind not in (*FILES, SUMMARY):
        raise wrong_choice("format", kind, (*FILES, SUMMARY))
    options = {name: _option(name) for name in OPTIONS}
    if bool(options["lon"]) != bool(options["lat"]):
        missing = "lat" if options["lon"] else "lon"
        raise BadParameterError("error.join_pair", parameter=missing, value="", allowed="lon, lat")
    name = PurePosixPath(file.filename.replace("\\", "/")).name
    name = "".join(filter(str.isprintable, name)).encode("utf-8", "replace").decode()[-100:] or "file"
    suffix = PurePosixPath(name).suffix.lower()
    path, work = folder / f"table{suffix if SUFFIX.fullmatch(suffix) else ''}", folder / "work"
    work.mkdir()
    file.save(path)
    if path.stat().st_size > MAX_BYTES:
        raise _refuse_size()
    release = content().release
    return JoinRequest(
        str(release.folder.absolute()),
        release.manifest_sha256,
        str(path),
        name,
        str(work),
        kind,
        g.language,
        **options,
    )


def _refuse_size() -> TooLargeError:
    return TooLargeError("error.body", parameter="file", value=None, allowed=f"{MAX_BYTES:,}")


def _option(name: str) -> str | None:
    text = request.form.get(name, "").strip()
    if len(text) > MAX_OPTION:
        raise BadParameterError(
            "error.length", parameter=name, value=f"{len(text)}", allowed=f"0-{MAX_OPTION}"
        )
    return text or None


def _unpack(answer: bytes) -> tuple[JoinSummary, bytes]:
    """Return what is said and the file; raises the error of a table that was refused."""
    try:
        return unpack_answer(answer)
    except JoinRefusedError as refusal:
        said, fix = refusal.texts, refusal.fix
        if fix and "--" not in fix["en"]:  # what to do on a page, not with a command
            said = {one: f"{text} → {pick_text(fix, one)}" for one, text in said.items()}
        given = request.form.get(refusal.field)
        if refusal.code.startswith("geojson-"):
            raise BadParameterError(
                "error.table", parameter=refusal.field, value=given, allowed="GeoJSON", said=said
            ) from refusal
        kind = KINDS.get(refusal.code, UnfitError)
        raise kind("error.table", parameter=refusal.field, value=given, said=said) from refusal


def _given() -> dict[str, str]:
    """Return what the form holds, where it could be read."""
    try:
        return {name: request.form.get(name, "")[:MAX_OPTION] for name in OPTIONS}
    except RequestEntityTooLarge:
        return {}


def _render(page: _Page) -> Response:
    error, summary = page.error, page.summary
    said = translate(error.key, g.language, **values_in(error, g.language)) if error else ""
    wrong = error.values.get("parameter") if error else None
    text = render_template(
        "join.html",
        page="join",
        summary=summary,
        table=_to_table(summary) if summary else [],
        shown=[(name, key) for name, key in SHOWN if summary and name in summary.columns],
        labelled=_label_counts,
        error=error,
        said=said,
        wrong=wrong,
        about=lambda name, note="": _describe_field(name, note, wrong=name == wrong),
        form=dict.fromkeys(OPTIONS, "") | page.form,
        frames=crs.FRAMES,
        most=MAX_BYTES // 1_000_000,
    )
    response = Response(text, error.status if error else 200, mimetype=HTML)
    if error:
        response.headers.update(headers_of(error))
    return vary(response)


def _describe_field(name: str, note: str, *, wrong: bool) -> dict[str, str | None]:
    """Return the attributes that say of a field whether it is wrong, and which texts explain it."""
    texts = " ".join(filter(None, (note, f"{name}-fault" if wrong else "")))
    return {"aria-invalid": "true" if wrong else None, "aria-describedby": texts or None}


def _label_counts(counts: dict[str, int], prefix: str) -> list[tuple[str, int]]:
    """Return how often each word is said, the most frequent first, with what it means."""
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    return [(translate(f"{prefix}{word}", g.language), count) for word, count in ordered]


def _to_table(summary: JoinSummary) -> list[dict[str, Cell]]:
    """Return the first rows of the answer as the page shows them: cells by column."""
    at = {name: number for number, name in enumerate(summary.columns)}
    shown = [name for name, _ in SHOWN if name in at]
    return [
        dict[str, Cell](label=label) | {name: row[at[name]] for name in shown}
        for label, row in zip(summary.labels, summary.rows, strict=True)
    ]
