"""Downloads: parsed from their addresses, taken from the release or made on request and cached."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from flask import Response, request

from geodata.crs import LONLAT
from layers.axes import find_axes
from layers.cql.parse import LANGUAGES, parse_filter
from layers.cql.tree import FilterError
from layers.document_types import LayerEntry
from layers.export.job import (
    FIXED,
    FORMATS,
    FRAMES,
    GEOMETRIES,
    PLAN,
    WGS84,
    Choice,
    ExportRequest,
    ExportSpec,
    Format,
    file_stem,
    formats_of,
    release_path,
)
from layers.query import queryables
from layers.store import Release
from webmap.content import Content
from webmap.export_worker import ChildJob, ExportWorker
from webmap.http import IMMUTABLE, REVALIDATE, FileResponse, make_conditional, send
from webmap.params import Arguments, ChoiceParameter, OpenParameter, refuse_unknown, to_refusal
from webmap.problems import BadParameterError, NotFoundError, link_near

CRS = OpenParameter("crs", {"type": "string", "enum": [LONLAT, *FRAMES]}, meaning="download.frame")
GEOMETRY = ChoiceParameter("geometry", GEOMETRIES, meaning="download.place")
WKT = ChoiceParameter("wkt", ("1", "0"), meaning="ogc.site.wkt")  # the short way to ask for outlines
FILTER = OpenParameter("filter", {"type": "string"}, meaning="download.filter")
FILTER_LANG = ChoiceParameter("filter-lang", LANGUAGES, meaning="ogc.parameter.filter_lang")
THEME = ChoiceParameter("theme", meaning="download.theme")
INDUSTRY = ChoiceParameter("industry", meaning="industries.industry")
CLUSTER = ChoiceParameter("cluster", meaning="industry.cluster")
ZONE = ChoiceParameter("zone", meaning="download.zone")
DOWNLOAD_PARAMETERS = (CRS, GEOMETRY, WKT, FILTER, FILTER_LANG, THEME, INDUSTRY, CLUSTER, ZONE)
PARAMETERS = (*(one.name for one in DOWNLOAD_PARAMETERS), "lang")
PLACED = ("crs", "geometry", "wkt")  # how places are written: a table has none
# What a file must be of for a parameter to mean anything; the others go with all.
GOES_WITH = {
    **dict.fromkeys(PLACED, ("layer", "plan")),
    "filter": ("layer", "table"),
    "theme": ("plan",),
}
SCHEMA = "schema.json"
HASH_DIGITS = 8  # digits of a hash in a file's name
PAIRED = {f"{PLAN}.gpkg", f"{PLAN}.qgz"}  # the one opens the other by its name


@dataclass(frozen=True)
class DownloadRequest:
    """A download: the file, and what of the data goes into it."""

    spec: ExportSpec
    choice: Choice
    filter: str | None  # sound CQL2
    filter_lang: str
    key: tuple[str, ...]  # what tells it from others of the same release

    @property
    def usual(self) -> bool:
        """Whether the release has the file ready."""
        kind = FORMATS[self.spec.format]
        whole = self.choice == Choice() and self.filter is None
        return whole and self.spec.frame == kind.frames[0] and self.spec.geometry == kind.geometry

    def to_request(self, release: Release) -> ExportRequest:
        """Return what another process makes the file from."""
        folder, digest = str(release.folder), release.manifest_sha256
        return ExportRequest(folder, digest, self.spec, self.choice, self.filter, self.filter_lang)


def parse_download(name: str, extension: str, arguments: Arguments, content: Content) -> DownloadRequest:
    """Return what is asked for by a file's name and the parameters beside it.

    Raises NotFoundError for an unknown layer or format, BadParameterError for anything else unknown.
    """
    kind = _parse_format(name, extension, content)
    _check_names(name, kind, arguments, content)
    frame = _parse_frame(kind, arguments)
    outlines = "wkt" if WKT.parse(arguments) == "1" else None
    geometry = outlines or GEOMETRY.parse(arguments) or kind.geometry if kind.geometry else None
    choice = _parse_choice(name, arguments, content)
    condition, language = _parse_condition(name, arguments, content)
    given = {one: value for one in PARAMETERS if one not in {"lang", "crs"} and (value := arguments.get(one))}
    tags = [frame.replace(":", "").lower()] if frame != kind.frames[0] else []
    tags += ["selection"] if choice != Choice() or condition is not None else []
    spec = ExportSpec(name, extension, frame, geometry, "-".join(tags))
    key = name, extension, frame, *(f"{one}={given[one]}" for one in given)
    return DownloadRequest(spec, choice, condition, language, key)


def _check_names(name: str, kind: Format, arguments: Arguments, content: Content) -> None:
    """Refuse parameters that would be passed over in silence."""
    table = any(info["id"] == name and kind_of_entry(info) == "table" for info in content.layers)
    pointless = PLACED if table else () if kind.geometry else ("geometry", "wkt")
    known = [one for one in PARAMETERS if one not in pointless]
    misplaced = next((one for one in PLACED if table and one in arguments), None)
    if misplaced:
        raise BadParameterError(
            "error.no_coordinates",
            parameter=misplaced,
            value=arguments[misplaced],
            allowed=", ".join(known),
            layer=name,
        )
    refuse_unknown(known, arguments)


def _parse_format(name: str, extension: str, content: Content) -> Format:
    holds = {info["id"]: kind_of_entry(info) for info in content.layers} | {PLAN: "plan"}
    if name not in holds:
        raise unknown_layer_error(name, content)
    allowed = {kind.id: kind for kind in formats_of(holds[name])}
    if extension not in allowed:
        raise NotFoundError(
            "error.format",
            layer=name,
            value=extension,
            parameter="format",
            allowed=", ".join(allowed),
        )
    return allowed[extension]


def kind_of_entry(info: LayerEntry) -> str:
    """Return what a file of one entry of the catalogue is of: a ``layer`` or a ``table``."""
    return "table" if info["geometry"] == "none" else "layer"


def unknown_layer_error(name: str, content: Content) -> NotFoundError:
    """Return the error of a layer or table that does not exist, with near matches."""
    known = {PLAN: "gpkg"} | {
        info["id"]: "json" if info["geometry"] == "none" else "geojson" for info in content.layers
    }
    near = link_near(name, known, lambda near: f"/data/{near}.{known[near]}")
    return NotFoundError("error.layer", parameter="layer", value=name, allowed=", ".join(known), near=near)


def to_frame(given: str) -> str:
    """Return the name of a frame as it stands in lists, what is none as it is.

    People write ``epsg:4326`` and ``4326`` too, programs the URIs that the API lists.
    """
    axes = find_axes(given)
    code = axes.frame if axes else given.upper()
    name = f"EPSG:{code}" if code.isdecimal() else code
    return name if name in {LONLAT, *FRAMES} else given


def _parse_frame(kind: Format, arguments: Arguments) -> str:
    given = arguments.get("crs")
    if not given:
        return kind.frames[0]
    frame = to_frame(given)
    if frame == LONLAT and WGS84 in kind.frames:
        return WGS84  # to programs that know codes only
    if frame in kind.frames:
        return frame
    key = "error.frame_fixed" if kind.frames == FIXED else "error.choice"
    raise BadParameterError(key, parameter="crs", value=given, allowed=", ".join(kind.frames), format=kind.id)


def _parse_choice(name: str, arguments: Arguments, content: Content) -> Choice:
    """Return the map's own filters, as the map's address has them."""
    theme = THEME.parse(arguments, content.themes)
    if theme and name != PLAN:
        raise BadParameterError("error.only_plan", parameter="theme", value=theme, allowed=f"{PLAN}.*")
    industry, cluster = (
        INDUSTRY.parse(arguments, content.industries),
        CLUSTER.parse(arguments, content.clusters),
    )
    places = [place["id"] for place in content.places()]
    industries = {industry} if industry else set()
    if cluster:
        members = {
            row["id"]
            for row in content.industries.values()
            if row["cluster"] and row["cluster"]["id"] == cluster
        }
        industries = industries & members if industry else members
    return Choice(
        layers=tuple(content.themes[theme]["layers"]) if theme else None,
        industries=frozenset(industries) if industry or cluster else None,
        place=ZONE.parse(arguments, places),
    )


def _parse_condition(name: str, arguments: Arguments, content: Content) -> tuple[str | None, str]:
    """Return the CQL2 filter of one layer or table, checked, and what it is written in."""
    text = arguments.get("filter")
    is_json = (text or "").lstrip().startswith("{")  # nothing else begins with a brace
    language = FILTER_LANG.parse(arguments) or LANGUAGES[is_json]
    if not text:
        return None, language
    if name == PLAN:
        raise BadParameterError(
            "error.one_layer",
            parameter="filter",
            value=text,
            allowed="theme, industry, cluster, zone",
        )
    info = next(one for one in content.layers if one["id"] == name)
    kinds = queryables(info)
    try:
        parse_filter(text, language, kinds)
    except FilterError as error:
        raise to_refusal(error) from error
    return text, language


@dataclass(frozen=True)
class Downloads:
    """Where downloads are taken from.

    Attributes
    ----------
    worker
        Makes and keeps what the release has not ready.
    fixed
        Whether the address contains the release, so that its answers never change.
    """

    content: Content
    worker: ExportWorker
    fixed: bool = False

    def send(self, file: str) -> Response:
        """Answer with a layer, a table or the whole plan in the format and frame that are asked for.

        Raises NotFoundError, BadParameterError and RangeError, what
        :meth:`~webmap.export_worker.ExportWorker.get` raises, and BrokenReleaseError where the release
        is removed meanwhile.
        """
        name, _, extension = file.partition(".")
        if extension == SCHEMA:
            refuse_unknown(("lang",))
            return self._send_schema(name)
        download = parse_download(name, extension, request.args, self.content)
        kind, release = FORMATS[download.spec.format], self.content.release
        saved = f"{file_stem(self.content.plan, download.spec)}.{extension}"
        if self.fixed:
            saved = name_release_file(release.id, saved, file)
        if download.usual:
            path = release_path(name, extension)
            return send(release, path, immutable=self.fixed, attachment=saved, media_type=kind.media_type)
        job = ChildJob("layers.export.write:make_download", download.to_request(release).to_line())
        body = self.worker.get(("export", release.id, *download.key), job)
        return send_file(body, kind.media_type, saved, immutable=self.fixed)

    def _send_schema(self, name: str) -> Response:
        path, release = f"schemas/{name}.json", self.content.release
        if release.sha256(path) is None:
            raise unknown_layer_error(name, self.content)
        return send(release, path, immutable=self.fixed, media_type="application/schema+json")


def name_release_file(release_id: str, saved: str, file: str) -> str:
    """Return the name that a file of one release is saved under, so that releases are not confused."""
    stem, _, extension = saved.partition(".")
    return saved if file in PAIRED else f"{stem}-{release_id[:HASH_DIGITS]}.{extension}"


def send_file(body: bytes, media_type: str, saved: str, *, immutable: bool) -> Response:
    """Answer with a file that is no file of the release, or the part of it that is download for."""
    response = FileResponse(body, content_type=media_type)
    digest = hashlib.sha256(body)
    response.set_etag(digest.hexdigest()[:32])
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    response.headers["Cache-Control"] = IMMUTABLE if immutable else REVALIDATE
    response.headers["Content-Disposition"] = f'attachment; filename="{saved}"'
    make_conditional(response, len(body))
    return response
