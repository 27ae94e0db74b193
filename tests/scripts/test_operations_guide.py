"""What the guide for operators shows of other programs is taken by them: proxies, systemd, figures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layers.store import Release
from tests.scripts.test_server import WAIT_S, accepts_at, find_port, serving, wait_until

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "operations.md").read_text(encoding="utf-8")
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port};
{location}
  }}
}}
"""


def find_block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@contextmanager
def proxying(folder: Path, target: int) -> Iterator[int]:
    """Run nginx as the guide has it in front of a server; yields the port."""
    port = find_port()
    location = find_block("nginx").replace("127.0.0.1:8000", f"127.0.0.1:{target}")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, location=location), "utf-8")
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
        with proxying(tmp_path, served.port) as port:
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


def test_every_figure_of_the_guide_is_given() -> None:
    source = (Path(__file__).parents[2] / "webmap" / "metrics.py").read_text(encoding="utf-8")
    section = GUIDE.partition("**Figures**")[2].partition("\n## ")[0]
    shown = re.findall(r"`([a-z_]+)(?:\{[a-z,]+\})?`", section)
    named = {one.removesuffix("_total").removesuffix("_info") for one in shown} - {"weihai_layout_"}
    given = {*re.findall(r'\{PREFIX\}_([a-z_]+)"', source), *re.findall(r'_gauge\(\s*"([a-z_]+)"', source)}
    assert named == given - {"response_bytes"}
