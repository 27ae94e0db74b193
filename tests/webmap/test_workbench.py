"""The workbench with two users, and those who should not be there."""

from __future__ import annotations

import io
import json
import re
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pypdf
import pytest
import shapely
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from geodata.boundary_import import propose
from geodata.boundary_import.georeference import resolve_crs
from geodata.boundary_import.issues import list_codes
from geodata.boundary_import.propose import Baseline
from geodata.imported import CheckOptions
from geodata.read import read_boundaries, read_facts
from layers.history import read_history, read_last
from layers.postgis.loader import NewerSchemaError, is_loaded
from layers.store import Release
from scripts import cli
from scripts.bench.load import DatabaseCluster
from tests.webmap.bench import HASHED, PASSWORD, Bench, build_release, copy_home, run_here, to_file
from tests.webmap.test_odd_requests import SENT, TEXTS, check, list_rules, requests
from webmap import publish as publishing
from webmap.i18n import read_strings
from webmap.server import serving
from webmap.settings import SettingsError, read_settings
from webmap.workbench import drafts, tasks
from webmap.workbench.users import read_users, write_users


@pytest.fixture(scope="module")
def quick() -> Iterator[pytest.MonkeyPatch]:
    """Run tasks here, on facts read once, without what a polygon does to its neighbours and without build."""
    with pytest.MonkeyPatch.context() as patch:
        ground = Baseline(read_facts(), read_boundaries())

        def build(facts: Any, boundaries: Any, records: Any = ()) -> Baseline:
            return Baseline(ground.facts, ground.boundaries, records) if records else ground

        run_here(patch)
        patch.setattr("geodata.read.read_facts", lambda: ground.facts)
        patch.setattr("geodata.read.read_boundaries", lambda: ground.boundaries)
        patch.setattr(propose, "Baseline", build)
        patch.setattr(propose, "_check_effects", lambda *_, **__: None)
        patch.setattr(propose, "_check_shifts", lambda *_: None)
        patch.setattr("webmap.preview.draw_preview_maps", lambda *_: None)
        patch.setattr(publishing, "_build", build_release)
        yield patch


@pytest.fixture(scope="module")
def bench(
    release: Release, home: Path, tmp_path_factory: pytest.TempPathFactory, quick: pytest.MonkeyPatch
) -> Bench:
    return Bench(release, copy_home(home, release, tmp_path_factory.mktemp("bench") / "home"))


@pytest.fixture
def fresh(release: Release, home: Path, tmp_path: Path, quick: pytest.MonkeyPatch) -> Any:
    """Return what makes a workbench of its own."""
    return lambda **settings: Bench(release, copy_home(home, release, tmp_path / "home"), **settings)


@pytest.fixture(scope="module")
def li(bench: Bench) -> FlaskClient:
    return bench.sign_in("li")


@pytest.fixture(scope="module")
def wang(bench: Bench) -> FlaskClient:
    return bench.sign_in("wang")


# Who is there


def test_nothing_of_it_is_there_without_the_setting(client: FlaskClient) -> None:
    for path in ("/workbench/", "/workbench/login", "/workbench/upload"):
        assert client.get(path).status_code == 404
    assert client.post("/workbench/login").status_code in {404, 405}


FIELDS = (
    *("name", "next", "layer", "accuracy_m", "method", "file", "crs", "axis", "source", "licence", "why"),
    *("seen", "comment", "edition", "place", "of", "polygon", "remedy"),
)
GOOD = ("zones", "5", "official", "yes", "gaoqu", "1", "EPSG:4490")


def test_no_request_makes_the_workbench_fail(
    bench: Bench, li: FlaskClient, request: pytest.FixtureRequest
) -> None:
    known = {"draft_id": bench.draft(li), "number": "1"}
    rules = [rule for rule in list_rules(bench.app, known, "/workbench/") if not rule[0].endswith("logout")]
    token, cookie = bench.token(li), li.get_cookie("session", path="/workbench/")
    fields = st.lists(st.tuples(st.sampled_from(FIELDS), st.one_of(TEXTS, st.sampled_from(GOOD))), max_size=5)
    met = set()

    @seed(request.config.getoption("--seed"))
    @settings(
        max_examples=request.config.getoption("--requests") // 8,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(rules), fields, st.sampled_from(SENT), st.integers(0, 3))
    def ask(environ: dict[str, Any], form: list[tuple[str, str]], sent: bytes, how: int) -> None:
        if how:
            environ["HTTP_COOKIE"] = f"{cookie.key}={cookie.value}" if cookie else ""
        if how > 1:  # as forms send it
            values = {"token": token, **{name: value.encode("utf-8", "replace") for name, value in form}}
            if how == 2 and "file" in values:
                values["file"] = (io.BytesIO(sent), "x.geojson")
            built = EnvironBuilder(method="POST", data=values).get_environ()
            taken = ("REQUEST_METHOD", "CONTENT_TYPE", "CONTENT_LENGTH", "wsgi.input")
            environ |= {key: built[key] for key in taken}
        met.add(check(li, environ))

    ask()
    assert {303, 400, 404, 405} <= met


@pytest.mark.parametrize("path", ["drafts/%0A", "drafts/%0D%0Ax", "drafts/%3Fa=b%26c", "drafts/%E9%AB%98"])
def test_who_is_not_signed_in_is_led_back_to_whatever_was_asked(bench: Bench, path: str) -> None:
    answer = bench.visitor().get(f"/workbench/{path}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/workbench/login?next={quote(f'/workbench/{unquote(path)}')}"


def test_public_pages_set_no_cookie(bench: Bench) -> None:
    visitor = bench.visitor()
    for path in ("/", "/zones/", "/data/", "/lookup?lon=122.1&lat=37.4", "/ogc/collections?f=json"):
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers


def test_a_session_is_kept_to_the_workbench_and_to_itself(bench: Bench) -> None:
    answer = bench.visitor().get("/workbench/login", base_url="https://plan.example.org")
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/workbench/", "Secure"):
        assert part in cookie
    assert "Secure" not in bench.visitor().get("/workbench/login").headers["Set-Cookie"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_signing_in_takes_the_right_password_and_says_no_more(bench: Bench) -> None:
    for name, password in (("li", "not the password"), ("nobody", PASSWORD), ("../li", PASSWORD), ("", "")):
        visitor = bench.visitor()
        answer = bench.post(visitor, "login", {"name": name, "password": password}, page="login")
        assert answer.status_code == 401
        assert visitor.get("/workbench/").status_code == 303
    client = bench.sign_in("li")
    assert "li（编辑）" in client.get("/workbench/?lang=zh").text


def test_a_session_begins_anew_when_one_signs_in_and_is_worth_nothing_when_one_leaves(bench: Bench) -> None:
    client = bench.visitor()
    client.get("/workbench/login")
    before = client.get_cookie("workbench", path="/workbench/")
    bench.sign_in("li", client)
    kept = client.get_cookie("workbench", path="/workbench/")
    assert before
    assert kept
    assert before.value != kept.value
    planted = bench.visitor()
    planted.set_cookie("workbench", before.value, path="/workbench/")
    assert planted.get("/workbench/").status_code == 303
    bench.post(client, "logout")
    replayed = bench.visitor()
    replayed.set_cookie("workbench", kept.value, path="/workbench/")
    assert replayed.get("/workbench/").status_code == 303


def test_forged_and_old_sessions_are_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    client = bench.sign_in("li")
    with client.session_transaction(path="/workbench/") as session:
        known = dict(session)
    for forged in (
        known | {"user": "wang"},
        known | {"id": "x"},
        known | {"stamp": ""},
        known | {"since": 0},
    ):
        other = bench.visitor()
        with other.session_transaction(path="/workbench/") as session:
            session.update(forged)
        assert other.get("/workbench/").status_code == 303, forged
    stranger = bench.visitor()
    stranger.set_cookie("workbench", "eyJ1c2VyIjoid2FuZyJ9.aaaaaa.forged", path="/workbench/")
    assert stranger.get("/workbench/").status_code == 303


@pytest.mark.parametrize("change", ["removed", "role", "password"])
def test_whom_the_file_no_longer_has_is_out_at_once(fresh: Any, change: str) -> None:
    bench = fresh()
    client = bench.sign_in("li")
    users = read_users(bench.users)
    changed = {
        "role": replace(users["li"], role="approver"),
        "password": replace(users["li"], password=HASHED[:-1]),
    }
    rest = {name: user for name, user in users.items() if name != "li"}
    write_users(bench.users, rest | ({"li": changed[change]} if change in changed else {}))
    assert client.get("/workbench/").status_code == 303


def test_attempts_are_throttled_by_user_and_client(fresh: Any) -> None:
    bench = fresh()
    wrong = {"name": "li", "password": "wrong"}
    codes = [bench.post(bench.visitor(), "login", wrong, page="login").status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    right = bench.post(bench.visitor(), "login", {"name": "li", "password": PASSWORD}, page="login")
    assert right.status_code == 429
    assert right.headers["Retry-After"]
    elsewhere = bench.visitor()
    elsewhere.environ_base["REMOTE_ADDR"] = "10.1.1.1"
    assert bench.sign_in("li", elsewhere).get("/workbench/").status_code == 200
    assert bench.sign_in("wang").get("/workbench/").status_code == 200


def test_a_damaged_file_of_users_lets_nobody_in_and_is_told(fresh: Any) -> None:
    bench = fresh()
    client = bench.sign_in("li")
    for content in (
        "{",
        '{"format": 1, "users": [{"name": "../li", "role": "editor"}]}',
        '{"format": 2}',
        "[]",
    ):
        bench.users.write_text(content)
        assert client.get("/workbench/").status_code == 503


def test_a_link_from_elsewhere_keeps_the_session(bench: Bench) -> None:
    answer = bench.visitor().get("/workbench/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "leading", ["//evil.example", "https://evil.example", "/zones/", "/workbench\\..\\x", ""]
)
def test_signing_in_leads_to_the_workbench_only(bench: Bench, leading: str) -> None:
    values = {"name": "li", "password": PASSWORD, "next": leading}
    answer = bench.post(bench.visitor(), "login", values, page="login")
    assert answer.headers["Location"] == "/workbench/"


def test_a_trusted_proxy_names_the_user_and_nobody_else_does(fresh: Any) -> None:
    proxies = read_settings({"WEIHAI_LAYOUT_PROXIES": "10.0.0.1"}).proxies
    bench = fresh(workbench_header="X-Remote-User", proxies=proxies)
    visitor = bench.visitor()
    named = {"X-Remote-User": "wang"}
    assert visitor.get("/workbench/", headers=named).status_code == 303
    visitor.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    assert "wang" in visitor.get("/workbench/", headers=named).text
    assert visitor.get("/workbench/login", headers={"X-Remote-User": "nobody"}).status_code == 403
    assert visitor.get("/workbench/login", headers={"X-Remote-User": "wang,li"}).status_code == 403
    # A form is the user's whom the proxy names, not whoever comes by the same browser.
    token = re.search(r'name="token" value="(\w+)"', visitor.get("/workbench/", headers=named).text)
    assert token
    data = {"token": token[1]}
    assert visitor.post("/workbench/upload", data=data, headers={"X-Remote-User": "li"}).status_code == 403
    assert visitor.post("/workbench/upload", data=data, headers=named).status_code == 400


def test_a_header_needs_proxies() -> None:
    with pytest.raises(SettingsError, match="WEIHAI_LAYOUT_PROXIES"):
        read_settings({"WEIHAI_LAYOUT_WORKBENCH_HEADER": "X-User"})
    with pytest.raises(SettingsError, match="WORKBENCH_SINGLE"):
        read_settings({"WEIHAI_LAYOUT_WORKBENCH_SINGLE": "maybe"})


# Forms


def list_posts(bench: Bench, draft_id: str) -> list[str]:
    rules = [one for one in bench.app.url_map.iter_rules() if "POST" in (one.methods or ())]
    found = [one.rule for one in rules if one.rule.startswith("/workbench/")]
    assert len(found) >= 9
    return [one.replace("<draft_id>", draft_id).replace("<int:number>", "2") for one in found]


def test_no_form_works_without_its_token_or_from_another_site(
    bench: Bench, li: FlaskClient, wang: FlaskClient
) -> None:
    draft_id = bench.draft(li)
    token, others = bench.token(wang), bench.token(li)
    for path in list_posts(bench, draft_id):
        for data in ({}, {"token": ""}, {"token": others}, {"token": "é"}):
            assert wang.post(path, data=data).status_code == 403, path
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert wang.post(path, data={"token": token}, headers=headers).status_code == 403, path
    assert bench.state(draft_id) == "draft"


def test_who_has_not_signed_in_sees_and_does_nothing(bench: Bench, li: FlaskClient) -> None:
    draft_id, visitor = bench.draft(li), bench.visitor()
    for rule in bench.app.url_map.iter_rules():
        if not rule.rule.startswith("/workbench/") or rule.endpoint.startswith("workbench.login"):
            continue
        path = rule.rule.replace("<draft_id>", draft_id).replace("<int:number>", "1")
        if "GET" in (rule.methods or ()):
            assert visitor.get(path).headers["Location"].startswith("/workbench/login"), path
        else:
            token = bench.token(visitor, "login")
            answer = visitor.post(path, data={"token": token}, headers={"Accept": "text/html"})
            assert answer.status_code == 403
            assert read_strings("zh")["error.workbench_signed_out"] in answer.text
            assert 'href="/workbench/' in answer.text
    assert bench.state(draft_id) == "draft"


def test_a_draft_is_its_owners_and_the_approvers(bench: Bench, li: FlaskClient, wang: FlaskClient) -> None:
    draft_id, zhao = bench.draft(li), bench.sign_in("zhao")
    for path in ("", "/state.json", "/receipt.pdf"):
        assert zhao.get(f"/workbench/drafts/{draft_id}{path}").status_code == 404
    for deed in ("check", "submit", "return", "publish", "delete"):
        assert bench.post(zhao, f"drafts/{draft_id}/{deed}", {"comment": "x"}).status_code == 404
    assert draft_id not in zhao.get("/workbench/").text
    assert wang.get(f"/workbench/drafts/{draft_id}").status_code == 200
    for deed in ("check", "submit", "delete"):
        assert bench.post(wang, f"drafts/{draft_id}/{deed}").status_code == 403
    for wrong in ("0" * 16, "..", "x", "%2e%2e%2fkey"):
        assert wang.get(f"/workbench/drafts/{wrong}").status_code == 404


def test_only_another_approver_publishes_returns_and_undoes(bench: Bench, li: FlaskClient) -> None:
    sun = bench.sign_in("sun")
    own = bench.draft(sun)
    assert bench.submit(sun, own).status_code == 303
    mine = bench.draft(li)
    assert bench.submit(li, mine).status_code == 303
    for client, draft_id in ((sun, own), (li, mine)):
        assert bench.publish(client, draft_id).status_code == 403
        assert bench.post(client, f"drafts/{draft_id}/return", {"comment": "x"}).status_code == 403
        assert bench.state(draft_id) == "submitted"
    assert bench.post(li, "history/1/undo", {"why": "x"}).status_code == 403
    assert "不能审核自己" in sun.get(f"/workbench/drafts/{own}?lang=zh").text


# Files


def test_a_file_stays_in_its_draft_whatever_it_is_called(bench: Bench, li: FlaskClient) -> None:
    content = to_file(bench.zone())
    for name in ("../../../evil.geojson", "C:\\x\\evil.geojson", "/etc/evil.geojson"):
        draft_id = bench.bring(li, {name: content}).headers["Location"].rpartition("/")[2]
        bench.wait(draft_id)
        draft = bench.drafts.find(draft_id)
        assert draft
        assert draft.file.endswith("evil.geojson")
        assert "/" not in draft.file
        assert bench.drafts.file_of(draft).read_bytes() == content
        bench.drafts.remove(draft_id, drafts.OPEN)
    for wrong in ("..", ".bashrc", "a\x07.json", "x" * 300 + ".json"):
        assert bench.bring(li, {wrong: content}).status_code == 400, wrong
    assert bench.bring(li, {}).status_code == 400
    assert bench.bring(li, {"a.shp": b"", "b.dbf": b""}).status_code == 400
    assert bench.bring(li, {"a.shp": b"", "A.SHP": b""}).status_code == 400
    assert bench.bring(li, {f"a.{number}": b"" for number in range(13)}).status_code == 400
    several = {
        f"界线.{end}": end.encode() for end in ("cpg", "dbf", "prj", "shp", "shx")
    }  # as they are listed
    draft_id = bench.bring(li, several).headers["Location"].rpartition("/")[2]
    draft = bench.drafts.find(draft_id)
    assert draft
    assert draft.file == "界线.shp"
    for name, content in several.items():
        assert bench.drafts.file_of(draft).with_name(name).read_bytes() == content
    bench.wait(draft_id)
    bench.drafts.remove(draft_id, drafts.OPEN)
    assert not list((bench.home / "workbench" / "drafts").glob(".new-*"))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("../../evil.geojson", b"{}", "zip-traversal"), ("a.geojson", b"0" * 300_000_000, "zip-bomb")],
)
def test_an_archive_that_plays_tricks_is_a_finding(
    bench: Bench, li: FlaskClient, name: str, content: bytes, code: str
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    draft_id = bench.bring(li, {"a.zip": packed.getvalue()}).headers["Location"].rpartition("/")[2]
    bench.wait(draft_id)
    result = bench.drafts.read_result(draft_id)
    assert result
    assert [one["code"] for one in result["said"]["zh"]["issues"]] == [code]
    assert bench.submit(li, draft_id).status_code == 409
    bench.drafts.remove(draft_id, drafts.OPEN)


def test_a_reason_may_be_as_long_as_its_field_lets_it(bench: Bench, li: FlaskClient) -> None:
    draft_id = bench.draft(li)
    most = "\r\n".join("因" * 250)[:748] + "。"  # as browsers send 500 characters in 250 lines
    values = {"source": "某局", "licence": "内部", "seen": bench.seen(draft_id)}
    assert bench.post(li, f"drafts/{draft_id}/submit", values | {"why": most + "因因"}).status_code == 400
    assert bench.post(li, f"drafts/{draft_id}/submit", values | {"why": most}).status_code == 303
    draft = bench.drafts.find(draft_id)
    assert draft
    assert len(draft.said.why) == 500
    bench.drafts.remove(draft_id, drafts.OPEN)


def test_uploads_by_the_hundred_are_bounded(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_OPEN", 3)
    bench = fresh()
    monkeypatch.setattr(tasks.TaskRunner, "check", lambda *_: None)
    client = bench.sign_in("li")
    codes = [bench.bring(client, {"a.json": b"{}"}).status_code for _ in range(6)]
    assert codes == [303] * 3 + [409] * 3
    assert len(bench.drafts.list()) == 3
    assert bench.bring(bench.sign_in("zhao"), {"a.json": b"{}"}).status_code == 303
    monkeypatch.setattr(drafts, "MOST_BYTES", 1)
    assert bench.bring(bench.sign_in("wang"), {"a.json": b"{}"}).status_code == 303
    assert bench.bring(bench.sign_in("wang"), {"a.json": b"{}"}).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accuracy_m", "0"),
        ("accuracy_m", "nan"),
        ("accuracy_m", ""),
        ("layer", "belts"),
        ("method", "guessed"),
        ("crs", "x" * 101),
        ("table", "a\x07"),
    ],
)
def test_a_wrong_value_is_named(bench: Bench, li: FlaskClient, field: str, value: str) -> None:
    sent = (io.BytesIO(b"{}"), "a.json")
    values = {"layer": "zones", "accuracy_m": "5", "method": "official", "file": sent, field: value}
    data = {"token": bench.token(li), **values}
    answer = li.post("/workbench/upload", data=data, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json
    assert answer.json["parameter"] == field


def test_only_who_has_signed_in_sends_more_than_a_form(fresh: Any) -> None:
    bench = fresh()
    client = bench.sign_in("li")
    cookie = client.get_cookie("workbench", path="/workbench/")
    assert cookie
    known = f"workbench={cookie.value}"
    strings = bench.app.extensions["strings"]
    limit = bench.app.extensions["limit_body"]
    large = b"x" * 1_500_000

    def send(address: str, given: str) -> int:
        sent = urllib.request.Request(address, large, {"Cookie": given, "Content-Type": "text/plain"})
        try:
            return int(urllib.request.urlopen(sent).status)
        except urllib.error.HTTPError as error:
            return error.code

    with serving(bench.app, strings, limit_body=limit, postpones=True) as site:
        assert send(f"{site}/workbench/upload", known) == 403  # read, and without a token
        assert send(f"{site}/workbench/upload", "workbench=forged") == 413
        assert send(f"{site}/workbench/drafts/0/check", known) == 413
        assert send(f"{site}/lookup", known) == 413


# From a file to the map


def test_every_remedy_is_an_option_with_words_of_its_own() -> None:
    options = {one.name for one in fields(CheckOptions)}
    words = [read_strings(language) for language in ("zh", "en", "ko")]
    for code, entry in list_codes().items():
        option = entry["remedy"]["option"] if "remedy" in entry else None
        assert option is None or option in options
        for known in words:
            if option in {"fix", "accept_loss"}:
                assert known[f"workbench.remedy.{code}"]
            elif option:
                assert "{value}" in known[f"workbench.use.{option}"]
                assert known[f"workbench.field.{option}"]


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_systems_that_a_field_gives_as_examples_are_known(language: str) -> None:
    given = read_strings(language)["workbench.crs_example"]
    shown = [re.sub("^(如|such as|예:) ", "", one) for one in re.split("、|, ", given)]
    assert [resolve_crs(one) for one in shown] == ["EPSG:4528", "EPSG:2364", "GCJ-02"]


def test_every_reason_why_nothing_was_published_has_words() -> None:
    told = set(re.findall(r'"failed": "(\w+)"', Path(tasks.__file__).read_text(encoding="utf-8")))
    assert {"meanwhile", "repeats", "build", "layers"} == told
    assert all(f"workbench.problem.{one}" in read_strings("ko") for one in told)


def test_a_remedy_reads_the_file_otherwise(bench: Bench, li: FlaskClient) -> None:
    flipped = shapely.transform(bench.zone(), lambda points: points[:, ::-1])
    draft_id = bench.draft(li, flipped)
    page = li.get(f"/workbench/drafts/{draft_id}?lang=en").text
    assert "Swap the axes" in page
    assert "--fix" not in page
    assert bench.submit(li, draft_id).status_code == 409
    assert bench.post(li, f"drafts/{draft_id}/check", {"fix": "yes"}).status_code == 303
    bench.wait(draft_id)
    result = bench.drafts.read_result(draft_id)
    assert result
    assert result["ok"]
    assert bench.drafts.find(draft_id).options.fix  # type: ignore[union-attr]
    assert bench.post(li, f"drafts/{draft_id}/delete").status_code == 303
    assert bench.state(draft_id) == ""


def test_a_form_begins_with_what_the_command_takes_and_a_place_brings_its_layer(
    bench: Bench, li: FlaskClient
) -> None:
    page = li.get("/workbench/").text
    assert '<option value="official" selected>' in page
    draft_id = bench.draft(li, of="town-chucun")
    draft = bench.drafts.find(draft_id)
    assert draft
    assert (draft.options.method, draft.options.layer) == ("official", "towns")
    bench.drafts.remove(draft_id, drafts.OPEN)


def test_findings_say_nothing_that_only_a_command_takes(bench: Bench, li: FlaskClient) -> None:
    shapes = [shapely.transform(bench.zone(), lambda at: at[:, ::-1]), shapely.box(100, 30, 101, 31)]
    for shape in (*shapes, bench.zone().boundary, shapely.affinity.translate(bench.zone(), 0.1)):
        draft_id = bench.draft(li, shape)
        page = li.get(f"/workbench/drafts/{draft_id}?lang=en").text
        said = page[page.index('id="findings"') : page.index('id="reading"')]
        assert not re.search(r"--[a-z]|\.yaml|\((lingang|huancui)\)", re.sub(r"<[^>]*>", "", said)), said
        bench.drafts.remove(draft_id, drafts.OPEN)


def test_values_for_a_remedy_are_offered(bench: Bench, li: FlaskClient) -> None:
    shape = json.loads(shapely.to_geojson(bench.zone()))
    features = [
        {"type": "Feature", "properties": {"n": name}, "geometry": shape} for name in ("北块", "南块")
    ]
    features[1]["geometry"] = json.loads(shapely.to_geojson(shapely.buffer(bench.zone(), -0.01)))
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    draft_id = bench.bring(li, {"a.geojson": content}, of="lingang").headers["Location"].rpartition("/")[2]
    bench.wait(draft_id)
    assert "有错误" in li.get("/workbench/?lang=zh").text
    page = li.get(f"/workbench/drafts/{draft_id}?lang=zh").text
    assert "只用“北块”" in page
    assert "只用“南块”" in page
    bench.post(li, f"drafts/{draft_id}/check", {"feature": "北块"})
    bench.wait(draft_id)
    assert (bench.drafts.read_result(draft_id) or {})["ok"]
    assert "有错误" not in li.get("/workbench/?lang=zh").text
    bench.drafts.remove(draft_id, drafts.OPEN)


def test_a_boundary_goes_from_one_to_the_other_and_back_and_is_published_and_undone(fresh: Any) -> None:
    bench = fresh()
    li, wang = bench.sign_in("li"), bench.sign_in("wang")
    draft_id = bench.draft(li)
    for missing in ("source", "licence", "why"):
        values = {"source": "s", "licence": "l", "why": "w", "seen": bench.seen(draft_id), missing: " "}
        assert bench.post(li, f"drafts/{draft_id}/submit", values).status_code == 400
    assert bench.publish(wang, draft_id).status_code == 409  # it was not submitted
    assert bench.submit(li, draft_id).status_code == 303
    assert bench.submit(li, draft_id).status_code == 409
    assert bench.post(li, f"drafts/{draft_id}/check", {"fix": "yes"}).status_code == 409
    assert bench.post(wang, f"drafts/{draft_id}/return", {"comment": ""}).status_code == 400
    assert bench.post(wang, f"drafts/{draft_id}/return", {"comment": "请补来源"}).status_code == 303
    assert "请补来源" in li.get(f"/workbench/drafts/{draft_id}").text.partition("</h1>")[2][:800]
    assert bench.submit(li, draft_id).status_code == 303
    count = len(read_history(bench.home))
    assert bench.publish(wang, draft_id, "核对无误").status_code == 303
    draft, last = bench.drafts.find(draft_id), read_last(bench.home)
    assert draft
    assert last
    assert (draft.state, draft.number, last.number) == ("published", count + 1, count + 1)
    assert (last.act.who, last.act.why) == ("li / wang", "正式界线")
    assert last.act.imported[0]["licence"] == "内部"
    assert "已不生效" not in wang.get("/workbench/?lang=zh").text
    assert bench.publish(wang, draft_id).status_code == 409
    # The receipt says who did what.
    receipt = li.get(f"/workbench/drafts/{draft_id}/receipt.pdf?lang=zh")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(receipt.data)).pages)
    assert "OpenStreetMap" in text  # whose coast its maps are drawn with
    for said in (last.act.imported[0]["file_sha256"], "核对无误", "请补来源", "wang", "某局"):
        assert said in text.replace("\n", "")
    # Undone, with what was there before in force again.
    values = {"why": "有误", "seen": str(last.number)}
    assert bench.post(wang, f"history/{last.number}/undo", {"why": "x", "seen": "1"}).status_code == 409
    assert bench.post(wang, "history/1/undo", values).status_code == 404
    assert bench.post(wang, f"history/{last.number}/undo", values).status_code == 303
    bench.wait("")
    undone = read_last(bench.home)
    assert undone
    assert (undone.act.action, undone.act.who, undone.act.imports) == ("rollback", "wang", ())
    draft = bench.drafts.find(draft_id)
    assert draft
    assert [one.deed for one in draft.events][-2:] == ["published", "undone"]
    for path in ("", f"drafts/{draft_id}"):
        assert "已不生效" in wang.get(f"/workbench/{path}?lang=zh").text
    assert "撤销" in wang.get("/workbench/history?lang=zh").text


def test_a_publication_goes_live_once_the_database_holds_it(
    fresh: Any, cluster: DatabaseCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = cluster.new_database("bench")
    bench = fresh(store=url)
    li, wang = bench.sign_in("li"), bench.sign_in("wang")
    draft_id = bench.draft(li)
    bench.submit(li, draft_id)
    count = len(read_history(bench.home))

    def migrate(*_: object) -> None:
        raise NewerSchemaError("made by a newer version")

    with monkeypatch.context() as patch:
        patch.setattr("layers.postgis.loader.migrate", migrate)
        bench.publish(wang, draft_id)
    assert bench.state(draft_id) == "submitted"
    assert len(read_history(bench.home)) == count
    assert read_strings("zh")["workbench.problem.build"] in wang.get(f"/workbench/drafts/{draft_id}").text
    assert bench.publish(wang, draft_id).status_code == 303
    last = read_last(bench.home)
    assert last
    assert bench.state(draft_id) == "published"
    assert is_loaded(url, last.release)


def test_an_approver_renews_layers_of_their_own_or_nothing_changes(
    fresh: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made = tmp_path / "additions", []
    bench = fresh(local=folder)
    li, wang = bench.sign_in("li"), bench.sign_in("wang")

    def build(home: Path, *_: Any, local: Path, by: Any, **__: Any) -> Any:
        made.append((home, local, by.who, sorted(path.name for path in (local / "layers").iterdir())))
        return bench.release

    def send(client: FlaskClient, files: dict[str, str], language: str = "en") -> tuple[int, str]:
        values = [(io.BytesIO(content.encode()), name) for name, content in files.items()]
        answer = bench.post(client, "layers", {"file": values}, page="layers")
        bench.wait("")
        return answer.status_code, client.get(f"/workbench/layers?lang={language}").text

    monkeypatch.setattr(tasks, "publish", build)
    declared = (
        "{title: 地块, fields: [{name: name, title: 名称}, {name: area, kind: number, title: 面积}], "
        "popup: {title: name}, source: 某局, as_of: 2026-01-31, licence: 内部}"
    )
    good = {"plots.yaml": declared, "plots.csv": "name,area,lon,lat\n甲,1,122.1,37.2\n"}
    assert send(li, good)[0] == 403
    assert send(wang, {})[0] == 400
    assert send(wang, {"a<b>.csv": "x"})[0] == 400
    status, page = send(wang, good)
    assert status == 303
    assert "layers/plots.csv, layers/plots.yaml" in page
    assert made == [(bench.home, folder, "wang", ["plots.csv", "plots.yaml"])]
    for language, said in (("zh", "应为数"), ("en", "must be a number")):
        _, page = send(wang, {"plots.csv": "name,area,lon,lat\n甲,大,122.1,37.2\n"}, language)
        assert f"layers/plots.csv:2 area: {said} (大)" in page
    assert "notes.doc" in send(wang, {"notes.doc": "x"})[1]
    assert (folder / "layers" / "plots.csv").read_text() == good["plots.csv"]
    monkeypatch.setattr(tasks, "publish", lambda *_, **__: (_ for _ in ()).throw(publishing.BuildError("x")))
    assert 'class="bench-note bad"' in send(wang, {"plots.csv": good["plots.csv"] + "乙,2,122.1,37.2\n"})[1]
    assert (folder / "layers" / "plots.csv").read_text() == good["plots.csv"]
    assert len(made) == 1
    assert not list((bench.home / "workbench" / "drafts").glob(".new-*"))
    plain = Bench(bench.release, bench.home)
    again = plain.sign_in("wang")
    assert "WEIHAI_LAYOUT_LOCAL" in again.get("/workbench/layers").text
    sent = {"file": [(io.BytesIO(b"x"), "plots.csv")], "token": plain.token(again)}
    assert again.post("/workbench/layers", data=sent).status_code == 409


def test_in_one_person_mode_an_approver_publishes_their_own(fresh: Any) -> None:
    bench = fresh(workbench_single=True)
    sun = bench.sign_in("sun")
    draft_id = bench.draft(sun)
    bench.submit(sun, draft_id)
    assert bench.publish(sun, draft_id).status_code == 303
    assert bench.state(draft_id) == "published"


def test_two_clicks_publish_once(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = fresh()
    li, wang, sun = (bench.sign_in(name) for name in ("li", "wang", "sun"))
    draft_id = bench.draft(li)
    bench.submit(li, draft_id)
    going, count = threading.Event(), len(read_history(bench.home))
    monkeypatch.setattr(publishing, "_build", lambda *given: going.wait(60) and build_release(*given))
    values = {"seen": bench.seen(draft_id), "comment": "x"}
    codes = [bench.post(one, f"drafts/{draft_id}/publish", values).status_code for one in (wang, wang, sun)]
    assert codes == [303, 409, 409]
    assert bench.post(sun, f"drafts/{draft_id}/return", {"comment": "x"}).status_code == 409
    assert 'data-state="/workbench/drafts/' in wang.get(f"/workbench/drafts/{draft_id}").text
    going.set()
    bench.wait(draft_id)
    assert bench.state(draft_id) == "published"
    assert len(read_history(bench.home)) == count + 1


def test_a_draft_is_checked_again_when_another_was_published_meanwhile(fresh: Any) -> None:
    bench = fresh()
    li, wang = bench.sign_in("li"), bench.sign_in("wang")
    first, second = bench.draft(li), bench.draft(li, bench.zone(0.001))
    for draft_id in (first, second):
        bench.submit(li, draft_id)
    seen = bench.seen(second)
    bench.publish(wang, first)
    values = {"seen": seen, "comment": ""}
    assert bench.post(wang, f"drafts/{second}/publish", values).status_code == 409
    bench.wait(second)
    result = bench.drafts.read_result(second) or {}
    assert len(result["in_force"]) == 1
    assert bench.post(wang, f"drafts/{second}/publish", values).status_code == 409  # it was not looked at
    assert bench.publish(wang, second).status_code == 303
    assert bench.state(second) == "published"


def test_what_was_checked_with_other_boundaries_in_force_is_never_published(fresh: Any) -> None:
    bench = fresh()
    li, wang = bench.sign_in("li"), bench.sign_in("wang")
    draft_id = bench.draft(li)
    bench.submit(li, draft_id)
    result = bench.drafts.read_result(draft_id) or {}
    bench.drafts.write_result(draft_id, result | {"in_force": ["0" * 20]})
    count = len(read_history(bench.home))
    bench.publish(wang, draft_id)
    assert len(read_history(bench.home)) == count
    assert bench.state(draft_id) == "submitted"
    assert "重新检查" in wang.get(f"/workbench/drafts/{draft_id}?lang=zh").text
    bench.wait(draft_id)


def test_what_is_in_force_already_is_not_published_again(fresh: Any) -> None:
    bench = fresh()
    li, wang = bench.sign_in("li"), bench.sign_in("wang")
    draft_id = bench.draft(li)
    bench.submit(li, draft_id)
    bench.publish(wang, draft_id)
    again = bench.draft(li)
    assert (bench.drafts.read_result(again) or {})["repeats"]
    assert bench.submit(li, again).status_code == 409


# The command


def test_users_are_added_changed_listed_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "users.json"
    monkeypatch.setenv("WEIHAI_LAYOUT_WORKBENCH", str(path))

    def ask(*arguments: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = cli.main(["user", *arguments])
        told = capsys.readouterr()
        return code, told.out + told.err

    assert ask("add", "li", "--role", "editor", typed="a long password\n")[0] == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert "a long password" not in path.read_text()
    assert ask("add", "李伟", "--role", "approver", "--no-password")[0] == 0
    code, out = ask("list", "--json")
    assert [(row["name"], row["role"], row["password"]) for row in json.loads(out)] == [
        ("li", "editor", True),
        ("李伟", "approver", False),
    ]
    before = read_users(path)["li"].password
    assert ask("add", "li", typed="another password\n")[0] == 0
    changed = read_users(path)["li"]
    assert changed.role == "editor"
    assert changed.password != before
    assert ask("add", "new", typed="a long password")[0] == 2  # of which role?
    assert ask("add", "li", typed="short")[0] == 2
    assert ask("add", "../li", "--role", "editor")[0] == 2
    assert ask("add")[0] == 2
    assert ask("list", "li")[0] == 2
    assert ask("remove", "li")[0] == 0
    assert ask("remove", "li")[0] == 1
    path.write_text("{")
    code, out = ask("list")
    assert code == 1
    assert str(path) in out
    monkeypatch.delenv("WEIHAI_LAYOUT_WORKBENCH")
    assert ask("list")[0] == 2
