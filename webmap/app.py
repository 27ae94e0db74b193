"""The web application: :func:`create_app` wires settings, release, pages and API together."""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, g, request
from jinja2 import BytecodeCache

from geodata.kinds import AREA_LAYERS, PLACE_LAYERS
from layers.cartography import STYLE
from layers.export.job import formats_of
from layers.inspection import Inspection
from layers.store import Release
from webmap import http
from webmap.access_log import ROUTE
from webmap.content import Content, open_store
from webmap.downloads import Downloads
from webmap.export_worker import open_worker
from webmap.file_cache import FileCache
from webmap.i18n import (
    LANGUAGES,
    current_language,
    format_area,
    format_clause,
    format_number,
    format_quantity,
    language_links,
    mark_chinese,
    mark_clause,
    pick,
    translate_here,
)
from webmap.ogc.html_pages import blueprint as ogc_pages
from webmap.ogc.service import FastPath, Service
from webmap.ogc.tilesets import TileFiles
from webmap.origin import Origin
from webmap.problems import RequestError, Strings
from webmap.settings import Settings, tile_basemap
from webmap.views import (
    comparison,
    context,
    data,
    errors,
    finding,
    own_data,
    pages,
    plan,
    releases,
    siting,
    subjects,
)
from webmap.views.releases import PublicationHistory

if TYPE_CHECKING:
    from jinja2.bccache import Bucket
MAX_REQUEST_BYTES = 1_000_000
VIEWS = (comparison, data, finding, own_data, pages, plan, releases, siting, subjects)


class CompiledTemplates(BytecodeCache):
    """Templates as Jinja compiles them, which takes a worker half a second, kept in `cache`.

    That checks what it reads; `options` are those of the environment.
    """

    def __init__(self, cache: FileCache, options: dict[str, object]) -> None:
        self._cache = cache
        self._about = (version("jinja2"), sys.version, repr(sorted(options.items())))

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read the code of a template, where it was compiled before."""
        if (kept := self._cache.read(self._key(bucket))) is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template, where there is room."""
        with suppress(OSError, RequestError):
            code = bucket.bytecode_to_string()

            def write(path: Path) -> None:
                path.write_bytes(code)

            self._cache.read_or_make(self._key(bucket), write, patience_s=0)

    def _key(self, bucket: Bucket) -> tuple[str, ...]:
        return ("template", bucket.key, bucket.checksum, *self._about)


def create_app(release: Release, settings: Settings) -> Flask:
    """Return the web application that serves one release.

    Imports neither geopandas nor pandas nor folium: everything heavy is in the release.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False  # people type addresses with and without
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    store = open_store(release, settings)
    content = Content(release, store if settings.store else None)
    _ = content.plan, content.local, content.basemap  # on every page, also where the release is gone
    app.extensions["content"] = content
    app.extensions["settings"] = settings
    app.extensions["publications"] = PublicationHistory(settings.home)
    app.extensions["inspection"] = Inspection(settings.home, release)
    app.extensions["store"] = store
    worker = open_worker(settings)
    app.extensions["export_worker"] = worker
    options: dict[str, object] = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_options = options | {"bytecode_cache": CompiledTemplates(worker.cache, options)}
    app.extensions["downloads"] = Downloads(content, worker)
    app.extensions["strings"] = {
        language: release.read_json(f"pages/{language}/strings.json") for language in LANGUAGES
    }
    for blueprint in (
        pages.documents_blueprint,
        releases.changes_blueprint,
        *(one.blueprint for one in VIEWS),
    ):
        app.register_blueprint(blueprint)
    if settings.workbench and not settings.files:
        # Only who has one pays for it.
        from webmap.workbench.views import register_workbench

        register_workbench(app, settings)
    _add_ogc(app, release, settings)
    app.jinja_env.filters["pick"] = pick
    app.jinja_env.filters["chinese"] = mark_chinese
    app.jinja_env.filters["clause"] = mark_clause
    app.jinja_env.globals["cartography"] = STYLE
    errors.register_error_pages(app)
    _add_request_steps(app, settings)
    http.register_headers(app, settings)
    app.wsgi_app = Origin(settings, app.extensions["strings"], app.wsgi_app)  # type: ignore[assignment]
    return app


def _add_ogc(app: Flask, release: Release, settings: Settings) -> None:
    """Serve OGC API – Features and Tiles: programs by the short way, people by pages."""
    content: Content = app.extensions["content"]
    downloads = {
        layer["id"]: [
            (f"/data/{layer['id']}.{kind.id}", kind.media_type)
            for kind in formats_of("table" if layer["geometry"] == "none" else "layer")
        ]
        for layer in content.layers
    }
    operations = {
        rule.rule: app.view_functions[rule.endpoint].__dict__["operation"]
        for rule in app.url_map.iter_rules()
        if "operation" in app.view_functions[rule.endpoint].__dict__
    }
    strings: Strings = app.extensions["strings"]
    tiles = TileFiles(release)
    service = Service(app.extensions["store"], release.id, strings, downloads, operations, tiles)
    app.extensions["ogc"] = service
    app.register_blueprint(ogc_pages)
    app.wsgi_app = FastPath(service, settings.url, app.wsgi_app)  # type: ignore[assignment]


def _add_request_steps(app: Flask, settings: Settings) -> None:
    @app.before_request
    def _prepare() -> None:
        if request.url_rule is not None:
            request.environ[ROUTE] = request.url_rule.rule
        g.nonce = secrets.token_urlsafe(16)
        g.language = current_language(strict=False)
        current_language()

    @app.context_processor
    def _context() -> dict[str, object]:
        return {
            "lang": g.language,
            "place_layers": PLACE_LAYERS,
            "area_layers": AREA_LAYERS,
            "t": translate_here,
            "nonce": g.nonce,
            "number": format_number,
            "area": format_area,
            "format_clause": format_clause,
            "format_quantity": format_quantity,
            "lang_links": language_links(),
            "tiles": tile_basemap(settings, g.language),
            **context.template_context(),
            **context.link_functions(),
        }
