"""The pages of the workbench: sign in, bring a boundary in, see what it changes, submit, approve, undo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, session
from markupsafe import Markup
from werkzeug.wrappers import Response as Answer

from geodata.crs import FRAMES
from geodata.imported import LAYERS, METHODS, CheckOptions
from geodata.messages import find_unprintable
from layers.history import read_history
from webmap.http import HTML, send_json
from webmap.i18n import pick
from webmap.params import wrong_choice
from webmap.problems import BadParameterError, ConflictError, ForbiddenError, NotFoundError
from webmap.settings import Settings
from webmap.views.context import content
from webmap.workbench.access import EXTENSION, ROOT, UPLOAD_BYTES, UPLOADS, Access, DeniedError, open_access
from webmap.workbench.drafts import EDITABLE, OPEN, Draft, Provenance, note
from webmap.workbench.tasks import TaskRunner
from webmap.workbench.users import User

Chosen = TypeVar("Chosen", bound=str)
blueprint = Blueprint("workbench", __name__, url_prefix="/workbench")
RUNNER: Final = "workbench_runner"
TEXT_OPTIONS: Final = ("of", "field", "feature", "table", "columns", "crs", "encoding")
SWITCHES: Final = ("fix", "accept_loss")
TEXT_OPTION, MAX_TEXT = 100, 500  # characters
MAX_ACCURACY_M: Final = 100_000
PATIENCE_S: Final = 2.0  # for a check that is just ending
SYSTEMS: Final = FRAMES[1:]  # of the city and of the world, CRS84 by its other name
_OPEN = {"workbench.login_page", "workbench.login"}  # to who has not signed in
_AGAIN = '<!doctype html><meta http-equiv="refresh" content="0"><title>…</title>'


def register_workbench(app: Flask, settings: Settings) -> None:
    """Give an application the workbench."""
    open_access(app, settings)
    app.extensions[RUNNER] = TaskRunner(settings, app.extensions["export_worker"].cache)
    app.register_blueprint(blueprint)


def _access() -> Access:
    found: Access = current_app.extensions[EXTENSION]
    return found


def _user() -> User:
    """Return who has signed in."""
    found: User = g.user
    return found


@blueprint.before_request
def admit() -> Answer | None:
    """Let known users in, and from them only what a page of ours sent."""
    g.private, g.user = True, None
    reading = request.method in {"GET", "HEAD"}
    if reading and request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"} and not session:
        # A link elsewhere leads here without the cookie; the page's own reload has it.
        return Response(_AGAIN, mimetype=HTML)
    if request.path in UPLOADS:
        request.max_content_length = UPLOAD_BYTES
    g.user = _access().find_user()
    if not (reading or g.user or request.endpoint in _OPEN):
        raise ForbiddenError("error.workbench_signed_out")
    if not reading:
        _access().check_intent()
    if g.user is not None or request.endpoint in _OPEN:
        return None
    return redirect(f"{ROOT}login?next={quote(request.path)}", HTTPStatus.SEE_OTHER)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Let nobody keep an answer of the workbench."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.context_processor
def add_context() -> dict[str, object]:
    """Return what every template of the workbench may use."""
    return {
        "user": g.get("user"),
        "form_token": _write_token,
        "single_sign_on": _access().settings.workbench_header is not None,
        "page": "workbench",
    }


def _write_token() -> Markup:
    return Markup('<input type="hidden" name="token" value="{}">').format(_access().make_token())


@blueprint.get("/login")
def login_page() -> Answer:
    """Ask for name and password."""
    if g.user is not None:
        return redirect(ROOT, HTTPStatus.SEE_OTHER)
    status = HTTPStatus.FORBIDDEN if _access().settings.workbench_header else HTTPStatus.OK
    return _show_login(_read_next(request.args.get("next", "")), status)


@blueprint.post("/login")
def login() -> Answer:
    """Sign in, or say that it failed; never which of the two was wrong."""
    if _access().settings.workbench_header:
        raise ForbiddenError("error.workbench_token")
    name, leading = request.form.get("name", ""), _read_next(request.form.get("next", ""))
    try:
        _access().sign_in(name, request.form.get("password", ""))
    except DeniedError as error:
        return _show_login(leading, error.status, name)
    return redirect(leading, HTTPStatus.SEE_OTHER)


def _show_login(leading: str, status: HTTPStatus, name: str = "") -> Response:
    failed = {HTTPStatus.UNAUTHORIZED: "wrong", HTTPStatus.TOO_MANY_REQUESTS: "throttled"}.get(status)
    page = render_template("workbench/login.html", next=leading, failed=failed, name=name[:64])
    response = Response(page, status, mimetype=HTML)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = "900"
    return response


def _read_next(given: str) -> str:
    """Return where to go once signed in: a page of the workbench, whatever was asked for."""
    return given if given.startswith(ROOT) and "\\" not in given and given.isprintable() else ROOT


@blueprint.post("/logout")
def logout() -> Answer:
    """End the session."""
    _access().sign_out()
    return redirect(f"{ROOT}login", HTTPStatus.SEE_OTHER)


def _runner() -> TaskRunner:
    found: TaskRunner = current_app.extensions[RUNNER]
    return found


def _require(draft_id: str) -> Draft:
    """Return a draft that its owner or an approver asks for; for others there is none."""
    draft = _runner().drafts.find(draft_id)
    if draft is None or not (draft.owner == _user().name or _user().approves):
        raise NotFoundError("error.http_404", path=request.path)
    return draft


def _require_own(draft_id: str) -> Draft:
    draft = _require(draft_id)
    if draft.owner != _user().name:
        raise ForbiddenError("error.workbench_role")
    return draft


def _require_judged(draft_id: str) -> Draft:
    """Return a draft that who asks may publish or return: never their own, but in one-person mode."""
    draft = _require(draft_id)
    if not _judges(draft):
        raise ForbiddenError("error.workbench_role")
    return draft


def _judges(draft: Draft) -> bool:
    return _user().approves and (draft.owner != _user().name or _access().settings.workbench_single)


@blueprint.get("/")
def drafts_page() -> str:
    """List the drafts that concern the reader, and take a new one."""
    rows = [one for one in _runner().drafts.list() if one.owner == _user().name or _user().approves]
    return render_template(
        "workbench/drafts.html",
        here="drafts",
        rows=rows,
        standing=_list_standing(),
        layers=LAYERS,
        methods=METHODS,
        places=_list_places(),
        systems=SYSTEMS,
        most_mb=UPLOAD_BYTES // 1_000_000,
        options=None,
    )


def _list_standing() -> set[int]:
    """Return the numbers of the publications of which a boundary is in force now."""
    entries = read_history(_access().settings.home)
    in_force = set(entries[-1].act.imports) if entries else set()
    return {one.number for one in entries if in_force.intersection(row["import"] for row in one.act.imported)}


def _list_places() -> dict[str, list[tuple[str, str]]]:
    """Return id and name of every place that can be brought, by layer."""
    found: dict[str, list[tuple[str, str]]] = {layer: [] for layer in LAYERS}
    for place_id, row in content().documents.items():
        if row["layer"] in found:
            found[row["layer"]].append((place_id, pick(row["name"])))
        if row["layer"] == "counties":
            found["towns"] += [(town["id"], pick(town["name"])) for town in row["towns"]]
    return found


@blueprint.get("/draw")
def draw_page() -> str:
    """Let a boundary be drawn on the map; what was drawn is sent as a file is."""
    place = request.args.get("of", "")
    layer = next((one for one, rows in _list_places().items() if place in dict(rows)), None)
    if layer is None:
        raise NotFoundError("error.place", parameter="of", value=place, allowed="")
    name = dict(_list_places()[layer])[place]
    return render_template("workbench/draw.html", here="drafts", place=place, layer=layer, name=name)


@blueprint.post("/upload")
def upload() -> Answer:
    """Keep what was sent as a draft, and begin to check it."""
    sent = [one for one in request.files.getlist("file") if one.filename]
    if not sent:
        raise BadParameterError("error.workbench_file", parameter="file", value="", allowed="1")
    options = CheckOptions(
        layer=_read_choice("layer", LAYERS), accuracy_m=_read_metres(request.form.get("accuracy_m", ""))
    )
    draft = _runner().drafts.add(_user().name, sent, _read_options(options))
    _runner().check(draft)
    return _lead_to(draft)


def _lead_to(draft: Draft) -> Answer:
    return redirect(f"{ROOT}drafts/{draft.id}", HTTPStatus.SEE_OTHER)


def _read_options(options: CheckOptions) -> CheckOptions:
    """Return options with those of the form; raises BadParameterError for what none can be."""
    form = request.form
    if "layer" in form:
        options = replace(options, layer=_read_choice("layer", LAYERS))
    if "method" in form:
        options = replace(options, method=_read_choice("method", METHODS))
    if "accuracy_m" in form:
        options = replace(options, accuracy_m=_read_metres(form.get("accuracy_m", "")))
    texts = {name: _read_text(name, TEXT_OPTION) or None for name in TEXT_OPTIONS if name in form}
    switches = {name: "yes" in form.getlist(name) for name in SWITCHES if name in form}
    read = CheckOptions(**asdict(options) | texts | switches)
    layer = next((one for one in LAYERS if read.of in dict(_list_places()[one])), read.layer)
    return replace(read, layer=layer)  # a place is of one layer, whatever that field says


def _read_choice(name: str, allowed: Sequence[Chosen]) -> Chosen:
    given = request.form.get(name, "")
    found = next((one for one in allowed if one == given), None)
    if found is None:
        raise wrong_choice(name, given, allowed)
    return found


def _read_metres(given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_ACCURACY_M:
        allowed = f"0–{MAX_ACCURACY_M}"
        raise BadParameterError("error.number", parameter="accuracy_m", value=given, allowed=allowed)
    return value


def _read_text(name: str, most: int, *, needed: bool = False) -> str:
    """Return a text of the form; raises BadParameterError for one that is missing, long or not printable."""
    text = (
        request.form.get(name, "").replace("\r\n", "\n").strip()
    )  # a line's end counts once, as in the field
    if len(text) > most:
        raise BadParameterError("error.length", parameter=name, value=str(len(text)), allowed=f"0–{most}")
    letter = find_unprintable(text)
    if letter:
        raise BadParameterError("error.workbench_letter", parameter=name, value=letter, allowed="")
    if needed and not text:
        raise BadParameterError("error.missing", parameter=name, value="", allowed=f"1–{most}")
    return text


@blueprint.get("/drafts/<draft_id>")
def draft_page(draft_id: str) -> str:
    """Show what was found of a draft, and what can be done with it; check it again where that is old."""
    draft = _require(draft_id)
    runner = _runner()
    result = runner.drafts.read_result(draft.id)
    if draft.state in OPEN and not runner.is_current(draft, result):
        with suppress(ConflictError):  # somebody works on it already
            runner.check(draft)
    busy = runner.drafts.is_worked_on(draft.id)
    result = runner.drafts.read_result(draft.id) if not busy else None
    found = result["said"][g.language] if result and "said" in result else None
    own, places = draft.owner == _user().name, _list_places()
    return render_template(
        "workbench/draft.html",
        here="drafts",
        draft=draft,
        standing=_list_standing(),
        busy=busy,
        result=result,
        found=found,
        maps=[(key, Markup(svg)) for key, svg in found["maps"]] if found else [],  # noqa: S704 - drawn by us
        editable=own and draft.state in EDITABLE,
        judging=_judges(draft) and draft.state == "submitted",
        own_submitted=own and _user().approves and draft.state == "submitted" and not _judges(draft),
        layers=LAYERS,
        methods=METHODS,
        places=places,
        place_names={one: name for rows in places.values() for one, name in rows},
        systems=SYSTEMS,
        options=draft.options,
        most_text=MAX_TEXT,
    )


@blueprint.get("/drafts/<draft_id>/state.json")
def draft_state(draft_id: str) -> Response:
    """Answer whether a draft is worked on, for the page that waits."""
    draft = _require(draft_id)
    return send_json({"busy": _runner().drafts.is_worked_on(draft.id), "state": draft.state})


@blueprint.post("/drafts/<draft_id>/check")
def check_again(draft_id: str) -> Answer:
    """Read a draft otherwise, or accept something, and check it again."""
    draft = _require_own(draft_id)
    options = _read_options(draft.options)
    event = note(draft.owner, "changed") if options != draft.options else None
    draft = _runner().drafts.change(draft.id, EDITABLE, event, options=options)
    _runner().check(draft)
    return _lead_to(draft)


@blueprint.post("/drafts/<draft_id>/submit")
def submit(draft_id: str) -> Answer:
    """Hand a draft without errors to the approvers."""
    draft = _require_own(draft_id)
    texts = {name: _read_text(name, MAX_TEXT, needed=True) for name in ("source", "licence", "why")}
    _require_sound(draft)
    event = note(draft.owner, "submitted", texts["why"])
    _runner().drafts.change(
        draft.id, EDITABLE, event, state="submitted", said=Provenance(**texts), problem=""
    )
    return _lead_to(draft)


def _require_sound(draft: Draft) -> None:
    """Raise ConflictError unless the reader saw the latest result, it is of now, and without errors."""
    result = _runner().drafts.read_result(draft.id)
    if result is None or not _runner().is_current(draft, result):
        if draft.state in OPEN:
            _runner().check(draft)
        raise ConflictError("error.workbench_stale")
    if request.form.get("seen") != result["digest"]:
        raise ConflictError("error.workbench_stale")
    if not result.get("ok") or result["repeats"]:
        raise ConflictError("error.workbench_errors")


@blueprint.post("/drafts/<draft_id>/return")
def send_back(draft_id: str) -> Answer:
    """Return a draft to its owner, with a comment."""
    draft = _require_judged(draft_id)
    event = note(_user().name, "returned", _read_text("comment", MAX_TEXT, needed=True))
    with _runner().drafts.working_on(draft.id, PATIENCE_S) as free:
        if not free:
            raise ConflictError("error.workbench_busy")
        _runner().drafts.change(draft.id, frozenset({"submitted"}), event, state="returned", problem="")
    return _lead_to(draft)


@blueprint.post("/drafts/<draft_id>/publish")
def publish_draft(draft_id: str) -> Answer:
    """Begin to publish a draft; a second click finds it published, or being published."""
    draft = _require_judged(draft_id)
    if draft.state != "submitted":
        raise ConflictError("error.workbench_state")
    comment = _read_text("comment", MAX_TEXT)
    _require_sound(draft)
    _runner().publish(draft, _user().name, comment)
    return _lead_to(draft)


@blueprint.post("/drafts/<draft_id>/delete")
def delete(draft_id: str) -> Answer:
    """Remove a draft that was not published."""
    draft = _require_own(draft_id)
    with _runner().drafts.working_on(draft.id, PATIENCE_S) as free:
        if not free:
            raise ConflictError("error.workbench_busy")
        _runner().drafts.remove(draft.id, EDITABLE)
    return redirect(ROOT, HTTPStatus.SEE_OTHER)


@blueprint.get("/drafts/<draft_id>/receipt.pdf")
def receipt(draft_id: str) -> Response:
    """Send the receipt of a published draft."""
    draft = _require(draft_id)
    if draft.number is None:
        raise NotFoundError("error.http_404", path=request.path)
    response = Response(_runner().write_receipt(draft, g.language), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{draft.number}.pdf"'
    return response


@blueprint.get("/layers")
def layers_page() -> str:
    """List the operator's own layers, and let an approver send new data of them."""
    drafts = _runner().drafts
    return render_template(
        "workbench/layers.html",
        here="layers",
        layers=list(content().own.values()),
        named=_access().settings.local is not None,
        busy=drafts.is_worked_on(""),
        result=drafts.read_result("") or {},
        most_mb=UPLOAD_BYTES // 1_000_000,
    )


@blueprint.post("/layers")
def add_layers() -> Answer:
    """Begin to check files of the operator's own, and to publish them where nothing is wrong."""
    if not _user().approves:
        raise ForbiddenError("error.workbench_role")
    sent = [one for one in request.files.getlist("file") if one.filename]
    if not sent:
        raise BadParameterError("error.workbench_file", parameter="file", value="", allowed="1")
    if _access().settings.local is None:
        raise ConflictError("error.workbench_no_additions")
    _runner().add(sent, _user().name)
    return redirect(f"{ROOT}layers", HTTPStatus.SEE_OTHER)


@blueprint.get("/history")
def history_page() -> str:
    """List the publications, and let an approver undo them."""
    entries = read_history(_access().settings.home)
    drafts = _runner().drafts
    return render_template(
        "workbench/history.html",
        here="history",
        entries=entries,
        live=entries[-1].number if entries else 0,
        drafts={one.number: one for one in drafts.list() if one.number is not None},
        busy=drafts.is_worked_on(""),
        failed=(drafts.read_result("") or {}).get("failed"),
        most_text=MAX_TEXT,
    )


@blueprint.post("/history/<int:number>/undo")
def undo(number: int) -> Answer:
    """Begin to return to the publication before one."""
    if not _user().approves:
        raise ForbiddenError("error.workbench_role")
    why = _read_text("why", MAX_TEXT, needed=True)
    entries = read_history(_access().settings.home)
    if number not in {one.number for one in entries[1:]}:
        raise NotFoundError("error.http_404", path=request.path)
    if request.form.get("seen") != str(entries[-1].number):
        raise ConflictError("error.workbench_stale")
    _runner().undo(number, _user().name, why)
    return redirect(f"{ROOT}history", HTTPStatus.SEE_OTHER)


@blueprint.get("/history/state.json")
def history_state() -> Response:
    """Answer whether an undo is under way, for the page that waits."""
    return send_json({"busy": _runner().drafts.is_worked_on("")})
