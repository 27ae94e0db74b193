"""What comes along for hosts does what it says: nginx serves the site by it, a store gets every file."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import urllib3

from tests.webmap.site.conftest import Site
from webmap.http import IMMUTABLE

USER = "user root;" if os.getuid() == 0 else ""  # who is root reads as root in this folder
NGINX = """{user}
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    {temporary}
    server {{
        listen 127.0.0.1:{port};
        include {folder}/site.conf;
    }}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
NOT_SERVED = {".gz", ""}  # copies of other files, and files that hosts read


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def served_by_nginx(written: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address that nginx serves the site at, by the example that lies in it."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not installed: apt-get install nginx-light"
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    (folder / "site.conf").write_text(written.read("nginx.conf").replace("ROOT", str(written.folder)))
    temporary = "".join(f"{one}_temp_path {folder}/{one};" for one in TEMPORARY)
    conf = NGINX.format(folder=folder, port=port, temporary=temporary, user=USER)
    (folder / "nginx.conf").write_text(conf)
    with subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")]) as running:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()


def wait_for(port: int) -> None:
    for _ in range(1000):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def test_nginx_serves_every_kind_of_file_as_its_example_says(written: Site, served_by_nginx: str) -> None:
    files = written.manifest["files"]
    by_suffix = {Path(path).suffix: path for path in sorted(files)}
    pool = urllib3.PoolManager()
    for suffix, path in by_suffix.items():
        if suffix in NOT_SERVED:
            continue
        answer = pool.request("GET", f"{served_by_nginx}/{path}", headers={"Accept-Encoding": "identity"})
        assert answer.status == 200, path
        assert answer.data == (written.folder / path).read_bytes()
        assert answer.headers["Content-Type"] != "application/octet-stream", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for path, caching in (
        ("zones/index.html", "no-cache"),
        ("en/places/deep-blue-action.html", "no-cache"),  # without a copy: compressed when it is sent
        (f"r/{written.answer['release']}/static/css/records.css", IMMUTABLE),
        (f"r/{written.answer['release']}/static/js/pages.js", IMMUTABLE),
        (f"r/{written.answer['release']}/map/en.json.js", IMMUTABLE),
    ):
        answer = pool.request(
            "GET", f"{served_by_nginx}/{path}", headers={"Accept-Encoding": "gzip"}, decode_content=False
        )
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Cache-Control"] == caching
        assert gzip.decompress(answer.data) == (written.folder / path).read_bytes()
        again = pool.request(
            "GET", f"{served_by_nginx}/{path}", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status in {200, 304}
    page = pool.request("GET", f"{served_by_nginx}/en/zones/gaoqu?lang=ko")  # an address of the service
    assert page.data == (written.folder / "en/zones/gaoqu.html").read_bytes()
    assert page.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert (
        pool.request("GET", f"{served_by_nginx}/zones/").data
        == (written.folder / "zones/index.html").read_bytes()
    )
    assert pool.request("GET", f"{served_by_nginx}/zones/nowhere").status == 404


@pytest.mark.parametrize("to", ["s3://bucket/plan", "oss://bucket/plan"])
def test_a_store_gets_every_file_once_with_its_type(written: Site, tmp_path: Path, to: str) -> None:
    for program in ("aws", "ossutil"):
        (tmp_path / program).write_text(f'#!/bin/sh\n{{ printf "%s\\t" "$@"; echo; }} >> {tmp_path}/said\n')
        (tmp_path / program).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = written.folder / "object-store.sh"
    subprocess.run(["sh", str(script), to], cwd=written.folder, env=environment, check=True)
    calls = [line.split("\t") for line in (tmp_path / "said").read_text(encoding="utf-8").splitlines()]
    patterns = [call[call.index("--include") + 1] for call in calls]
    for path in written.manifest["files"]:
        if Path(path).suffix not in NOT_SERVED and path not in {"nginx.conf", "object-store.sh"}:
            assert sum(fnmatch(path, pattern) for pattern in patterns) == 1, path
    assert patterns[-1] == "*.html"  # when all that pages need is there
    assert all(to in call for call in calls)
    refused = subprocess.run(
        ["sh", str(script), "ftp://bucket"], cwd=written.folder, env=environment, check=False
    )
    assert refused.returncode == 2
