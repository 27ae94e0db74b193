"""What the guide for operators shows of other programs is taken by them: proxies, systemd, figures."""

from __future__ import annotations

import ast
import gzip
import inspect
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
import pytest
import urllib3
from flask import Response

from layers.store import Release
from scripts.bench.load import free_port
from scripts.commands.serve import serve
from scripts.environment import prepare_environment
from tests.scripts.test_server import WAIT_S, accepts_at, serving, wait_until
from tests.webmap.conftest import running
from webmap.app import create_app
from webmap.settings import Settings

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "operations.md").read_text(encoding="utf-8")
USER = "user root;" if os.getuid() == 0 else ""  # who is root reads and writes as root in these folders
NGINX = """
{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{before}
  server {{ listen 127.0.0.1:{port};
{location}
  }}
}}
"""
URL = "https://plan.example.org"
CACHED_S = 4  # as long as the test waits for what the guide gives 30 seconds
BROWSERS = {
    "zh": "zh-CN,zh;q=0.9,en;q=0.8",
    "en": "en-GB,en;q=0.7,ko;q=0.3",
    "ko": "fr, ko-KR;q=0.9, zh;q=0.1",
    "none": "",
}
ENCODINGS = {"": "", "gzip": "gzip, deflate", "br": "gzip, deflate, br, zstd"}
ACCEPTED = {"": {""}, "gzip": {"", "gzip"}, "br": {"", "gzip", "br"}}
NO_GZIP = "gzip;q=0, identity"
PAGES = (
    "/",
    "/zones/",
    "/zones/gaoqu",
    "/zones/gaoqu?lang=ko",
    "/industries/biomedicine",
    "/plan",
    "/indicators",
)
DOCUMENTS = (
    *(
        "/zones/gaoqu.json",
        "/zones/gaoqu.geojson",
        "/industries.csv",
        "/data/zones.geojson",
        "/search.json?q=x",
    ),
    *("/find.json?port=1", "/ogc/collections/zones/items", "/lookup.json?lon=122.1&lat=37.5"),
)
NONCE = re.compile(rb"(?<=nonce[-=])\"?[\w-]{22}")


def find_block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@contextmanager
def proxying(folder: Path, target: int, location: str, before: str = "") -> Iterator[int]:
    """Run nginx as the guide has it in front of a server; yields the port."""
    port = free_port()
    location = location.replace("127.0.0.1:8000", f"127.0.0.1:{target}")
    conf = NGINX.format(folder=folder, port=port, location=location, before=before, user=USER)
    (folder / "nginx.conf").write_text(conf, "utf-8")
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: accepts_at(port))
            yield port
        finally:
            process.terminate()


def test_the_proxy_of_the_guide_leads_to_right_addresses_and_nothing_of_it_is_forged(
    home: Path, release: Release, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    about = {"WEIHAI_LAYOUT_PROXIES": "127.0.0.1", "WEIHAI_LAYOUT_HOSTS": "plan.example.org"}
    with serving(home, 1, **about, WEIHAI_LAYOUT_ACCESS_LOG=str(log)) as served:
        with proxying(tmp_path, served.port, find_block("nginx")) as port:
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/plan/zones/gaoqu?lang=zh&secret=1",
                headers={
                    "Host": "plan.example.org",
                    "X-Forwarded-Prefix": "/evil",
                    "X-Forwarded-Host": "evil.example.org",
                    "X-Forwarded-Port": "1",
                    "X-Request-Id": "from-client.1",
                },
            )
            with urllib.request.urlopen(asked, timeout=WAIT_S) as answer:
                page = answer.read().decode()
                assert answer.headers["X-Request-Id"] == "from-client.1"
        assert "evil" not in page
        links = re.findall(r'href="(/[^"]*)"', page)
        assert links
        assert all(one.startswith("/plan/") for one in links)
        wait_until(lambda: log.exists() and bool(log.read_bytes()))
    rows = [json.loads(line) for line in log.read_bytes().splitlines()]
    (row,) = (one for one in rows if one["id"] == "from-client.1")
    assert (row["path"], row["status"], row["release"]) == ("/zones/gaoqu", 200, release.id)
    assert "secret" not in log.read_text("ascii")


@dataclass(frozen=True)
class Cache:
    """nginx as the guide has it before an application that can be exchanged."""

    url: str
    behind: list[Any]

    def ask(self, path: str, language: str, encoding: str) -> urllib3.BaseHTTPResponse:
        accept = "text/html,application/xhtml+xml,*/*;q=0.8" if path in PAGES else "*/*"
        headers = {
            "Accept": accept,
            "Accept-Language": BROWSERS[language],
            "Accept-Encoding": ENCODINGS.get(encoding, NO_GZIP),
        }
        return urllib3.request(
            "GET",
            self.url + path,
            headers={one: value for one, value in headers.items() if value},
            decode_content=False,
        )


@pytest.fixture
def cache(home: Path, release: Release, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cache]:
    before, _, location = find_block("nginx cache").partition("# inside server")
    before = before.replace("/var/cache/nginx/plan", str(tmp_path / "kept"))
    location = location.partition("\n")[2].replace("200 30s", f"200 {request.param}s")
    settings = Settings(home, url=URL, proxies=(ipaddress.ip_network("127.0.0.1"),))
    behind: list[Any] = [create_app(release, settings)]

    def answer(environ: Any, start: Any) -> Any:
        return behind[0](environ, start)  # whichever is there by then

    with (
        running(answer) as url,
        proxying(tmp_path, int(url.rpartition(":")[2]), location, before) as port,
    ):
        yield Cache(f"http://127.0.0.1:{port}", behind)


def decoded(answer: urllib3.BaseHTTPResponse) -> bytes:
    kinds: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "br": brotli.decompress}
    return NONCE.sub(b"", kinds.get(answer.headers.get("Content-Encoding", ""), bytes)(answer.data))


@pytest.mark.parametrize("cache", [3000], indirect=True)
def test_the_cache_of_the_guide_answers_a_crawl_and_never_one_for_another(
    cache: Cache, home: Path, release: Release
) -> None:
    client = create_app(release, Settings(home, url=URL)).test_client()
    asked = [
        (path, language, encoding)
        for path in (*PAGES, *DOCUMENTS, f"/r/{release.id}/static/js/main.js")
        for language in BROWSERS
        for encoding in ENCODINGS
    ]
    direct: dict[tuple[str, str], bytes] = {}
    for path, language in {(path, language) for path, language, _ in asked}:
        accept = "text/html" if path in PAGES else "*/*"
        own = client.get(path, headers={"Accept": accept, "Accept-Language": BROWSERS[language]})
        direct[path, language] = NONCE.sub(b"", own.data)
    refused = cache.ask("/plan", "en", "refused")
    assert "Content-Encoding" not in refused.headers
    hits = 0
    for round_ in range(2):
        for path, language, encoding in asked:
            answer = cache.ask(path, language, encoding)
            assert answer.status == 200
            assert answer.headers.get("Content-Encoding", "") in ACCEPTED[encoding]
            same = decoded(answer) == direct[path, language]
            assert same, (path, language, encoding)
            hits += round_ == 1 and answer.headers["X-Cache"] in {"HIT", "REVALIDATED"}
    assert hits >= 0.95 * len(asked)


@pytest.mark.parametrize("cache", [CACHED_S], indirect=True)
def test_what_the_cache_of_the_guide_holds_is_new_within_a_minute(cache: Cache) -> None:
    (valid,) = re.findall(r"proxy_cache_valid 200 (\d+)s", find_block("nginx cache"))
    assert int(valid) <= 60
    assert decoded(cache.ask("/zones/", "en", "gzip")).startswith(b"<!doctype html>")
    assert cache.ask("/healthz", "en", "").headers.get("X-Cache") is None
    served = cache.behind[0]
    cache.behind[0] = Response("the next release", headers={"Cache-Control": "no-cache"})
    assert cache.ask("/zones/", "en", "gzip").headers["X-Cache"] == "HIT"
    time.sleep(CACHED_S + 1)
    assert cache.ask("/zones/", "en", "gzip").data == b"the next release"
    cache.behind[0] = Response("for one reader", headers={"Cache-Control": "no-store"})
    for _ in range(2):
        assert cache.ask("/plan", "en", "").headers["X-Cache"] == "MISS"
    cache.behind[0] = served
    assert cache.ask("/zones/nowhere", "en", "").status == 404
    assert cache.ask("/zones/nowhere", "en", "").headers["X-Cache"] == "MISS"


def test_the_unit_of_the_guide_is_one(tmp_path: Path) -> None:
    unit = find_block("ini")
    names = re.findall(r"^([A-Z][A-Za-z]*)=", unit, re.MULTILINE)
    assert {"ExecStart", "ExecReload", "User", "StateDirectory", "LimitNOFILE"} <= set(names)
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    file = tmp_path / "weihai-layout.service"
    file.write_text(unit.replace("/opt/weihai-layout/.venv/bin/weihai-layout", "/bin/true"), encoding="utf-8")
    done = subprocess.run([program, "verify", str(file)], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if file.name in line]
    assert said == []


def test_the_container_of_the_guide_runs_what_there_is(home: Path, release: Release) -> None:
    steps = find_block("dockerfile").replace("\\\n", "")

    def list_words(step: str) -> list[str]:
        (found,) = re.findall(rf"(?m)^{step} (\[.+\])$", steps)
        words: list[str] = json.loads(found)
        return words

    (folder,), (data,) = (re.findall(rf"(?m)^{one}(\S+)", steps) for one in ("WORKDIR ", "ENV .*_HOME="))
    assert f".venv/bin/weihai-layout build --home {data} " in steps
    copied = re.findall(r"(?m)^COPY --from=build (?:--chown=\d+ )?(\S+) (\S+)$", steps)
    assert copied == [(folder, folder), (data, data)]  # an environment knows where it lies
    assert re.search(r"(?m)^USER [1-9]\d*$", steps)
    (set_up,) = re.findall(r'RUN python -c "([^"]+)"', steps)
    called = ast.parse(set_up).body[-1]
    assert isinstance(called, ast.Expr)
    assert isinstance(called.value, ast.Call)
    locks, command = map(ast.literal_eval, called.value.args)
    inspect.signature(prepare_environment).bind(locks, command)
    assert locks == ("requirements.lock",)

    assert list_words("ENTRYPOINT") == [f"{folder}/.venv/bin/weihai-layout"]
    name, *given = list_words("CMD")
    assert name == serve.name
    assert serve.make_context(name, given).params["workers"] == 2  # refuses what it does not know
    health = list_words("HEALTHCHECK CMD")
    with serving(home, 1) as served:
        look = [sys.executable, *health[1:-1], health[-1].replace(":8000", f":{served.port}")]
        subprocess.run(look, check=True)
    assert subprocess.run(look, check=False, capture_output=True).returncode


def test_every_figure_of_the_guide_is_given() -> None:
    source = (Path(__file__).parents[2] / "webmap" / "metrics.py").read_text(encoding="utf-8")
    section = GUIDE.partition("**Figures**")[2].partition("\n## ")[0]
    shown = re.findall(r"`([a-z_]+)(?:\{[a-z,]+\})?`", section)
    named = {one.removesuffix("_total").removesuffix("_info") for one in shown} - {"weihai_layout_"}
    given = {*re.findall(r'\{PREFIX\}_([a-z_]+)"', source), *re.findall(r'_gauge\(\s*"([a-z_]+)"', source)}
    assert named == given - {"response_bytes"}
