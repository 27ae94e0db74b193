"""A workbench for tests: a home of its own, users, and tasks that run here instead of in processes."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from layers.history import Act
from layers.home import MARKER
from layers.store import Release, find_placed, read_current
from webmap.app import create_app
from webmap.export_worker import ChildJob
from webmap.settings import Settings
from webmap.workbench.tasks import open_drafts, run_task
from webmap.workbench.users import User, hash_password, write_users

PASSWORD = "a long password"
NAMES = {"li": "editor", "zhao": "editor", "wang": "approver", "sun": "approver"}
HASHED = hash_password(PASSWORD)
PLACE = "lingang"


def copy_home(home: Path, release: Release, folder: Path) -> Path:
    """Make a home with the live release of another, which it shares."""
    (folder / "releases").mkdir(parents=True)
    (folder / "releases" / release.id).symlink_to(release.folder.resolve())
    for name in ("current", MARKER):
        shutil.copy(home / name, folder)
    for name in ("history", "archive"):
        shutil.copytree(home / name, folder / name)
    return folder


def run_here(patch: pytest.MonkeyPatch) -> None:
    """Have tasks run in this process: a new one takes seconds to begin."""

    def run(job: ChildJob, path: Path, _: object) -> None:
        path.write_bytes(run_task(job.line))

    for module in ("webmap.export_worker", "webmap.workbench.tasks"):
        patch.setattr(f"{module}.run_child", run)


def build_release(home: Path, _: Path, act: Act, *__: Any) -> Release:
    """Lay a release in its place that has another name than the live one, and holds the same."""
    live = read_current(home)
    assert live
    place = home / "releases" / act.inputs
    if not place.exists():
        place.mkdir()
        for path in live.folder.iterdir():
            (place / path.name).symlink_to(path.resolve())
        (place / "manifest.json").unlink()
        manifest = json.loads((live.folder / "manifest.json").read_bytes())
        (place / "manifest.json").write_text(json.dumps(manifest | {"release": act.inputs}))
    return find_placed(home, act.inputs)


class Bench:
    """The workbench of a home."""

    def __init__(self, release: Release, home: Path, **settings: Any) -> None:
        self.release, self.home = release, home
        self.users = home / "users.json"
        write_users(self.users, {name: User(name, role, HASHED) for name, role in NAMES.items()})  # type: ignore[arg-type]
        self.settings = Settings(home, workbench=self.users, **settings)
        self.app: Flask = create_app(release, self.settings)
        self.drafts = open_drafts(home)

    def visitor(self) -> FlaskClient:
        """Return a client that nobody has signed in with."""
        return self.app.test_client()

    def sign_in(self, name: str, client: FlaskClient | None = None, password: str = PASSWORD) -> FlaskClient:
        """Return a client of a user."""
        client = client or self.visitor()
        self.post(client, "login", {"name": name, "password": password}, page="login")
        return client

    def token(self, client: FlaskClient, page: str = "") -> str:
        """Return what the forms of a client's pages hold."""
        found = re.search(r'name="token" value="(\w+)"', client.get(f"/workbench/{page}").text)
        return found[1] if found else ""

    def post(
        self, client: FlaskClient, address: str, values: Mapping[str, Any] | None = None, page: str = ""
    ) -> TestResponse:
        """Send a form as its page would."""
        data = {"token": self.token(client, page), **(values or {})}
        return client.post(f"/workbench/{address}", data=data)

    def bring(self, client: FlaskClient, files: Mapping[str, bytes], **options: str) -> TestResponse:
        """Send files as a new draft."""
        sent = [(io.BytesIO(content), name) for name, content in files.items()]
        values = {"layer": "zones", "accuracy_m": "5", "method": "official"} | options
        return self.post(client, "upload", {**values, "file": sent})

    def draft(self, client: FlaskClient, shape: Any = None, **options: str) -> str:
        """Return the id of a new draft that was checked; of the zone a little smoother, or of a shape."""
        answer = self.bring(client, {"区.geojson": to_file(shape or self.zone())}, **options)
        assert answer.status_code == 303, answer.text
        draft_id = answer.headers["Location"].rpartition("/")[2]
        self.wait(draft_id)
        return draft_id

    def zone(self, tolerance_deg: float = 0.0005) -> Any:
        """Return the zone, a little smoother."""
        rows = json.loads(self.release.read("data/zones.geojson"))["features"]
        row = next(one for one in rows if one["id"] == PLACE)
        return shapely.simplify(shapely.from_geojson(json.dumps(row["geometry"])), tolerance_deg)

    def wait(self, draft_id: str) -> None:
        """Return once nothing is done with a draft any more."""
        while self.drafts.is_worked_on(draft_id):
            time.sleep(0.02)

    def seen(self, draft_id: str) -> str:
        """Return what a form says of the result that its page showed."""
        return str((self.drafts.read_result(draft_id) or {}).get("digest"))

    def submit(self, client: FlaskClient, draft_id: str) -> TestResponse:
        """Submit a draft."""
        values = {"source": "某局", "licence": "内部", "why": "正式界线", "seen": self.seen(draft_id)}
        return self.post(client, f"drafts/{draft_id}/submit", values)

    def publish(self, client: FlaskClient, draft_id: str, comment: str = "") -> TestResponse:
        """Publish a draft, and wait for it."""
        values = {"comment": comment, "seen": self.seen(draft_id)}
        answer = self.post(client, f"drafts/{draft_id}/publish", values)
        self.wait(draft_id)
        return answer

    def state(self, draft_id: str) -> str:
        """Return the state of a draft, or nothing where there is none."""
        draft = self.drafts.find(draft_id)
        return draft.state if draft else ""


def to_file(shape: Any, name: str = "临港区") -> bytes:
    """Return a GeoJSON file of one feature."""
    geometry = json.loads(shapely.to_geojson(shape))
    feature = {"type": "Feature", "properties": {"name": name}, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
