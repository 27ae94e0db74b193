"""Hosts, proxies and sub-paths: links are right wherever the site lies, and nobody else's anywhere."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pypdf
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from layers.store import Release
from tests.webmap.conftest import Watched, running
from webmap import limiter
from webmap.app import create_app
from webmap.file_addresses import Files
from webmap.limiter import Rates
from webmap.origin import Origin, is_allowed
from webmap.problems import TooManyError
from webmap.settings import Settings, read_settings

MALFORMED = (
    *("bad host", "a@b", "a..b", ".a", "a/b", "a?b", "a#b", "a,b", "<b>", "é.example", "a\\b", "a:b", "a:"),
    *("a:0", "a:65536", "a:99999", "[::z]", "[::1", "::1", "[1.2.3.4]", "-a.example", "x" * 64, "a." * 200),
)
FOREIGN = ("evil.example", "plan.example.org.evil.example", "xplan.example.org", "example.org", "127.0.0.1")
PREFIX = "/gis/plan"
PREFIXES = (PREFIX, "/plan")  # the second is an address of the site's own
ADDRESS = re.compile(r'(?:\s(?:href|src|action|formaction)=|"(?:href|url|instance)":\s?)"(/[^"]*)"')
ALIEN = re.compile(rb"evil\.example|X-Forwarded", re.IGNORECASE)
PATHS = (
    *(
        "/",
        "/zones/gaoqu",
        "/zones/gaoqu.json",
        "/find.json",
        "/changes.json",
        "/data/catalog.jsonld",
        "/plan",
    ),
    *(
        "/search.json?q=gaoqu",
        "/lookup?lon=122.1&lat=37.4",
        "/ogc/",
        "/ogc/?f=html",
        "/ogc/api",
        "/robots.txt",
    ),
    *("/ogc/collections/zones/items?limit=1", "/ogc/collections/zones/items?f=html", "/ogc/collections/zone"),
    *("/zones/nowhere.json", "/zones/", "/qr.svg?path=/zones/gaoqu", "/embed", "/zones/gaoq"),
)


def open_site(release: Release, home: Path, **settings: Any) -> FlaskClient:
    return create_app(release, Settings(home, **settings)).test_client()


@pytest.mark.parametrize("path", ["/zones/gaoqu", "/ogc/collections", "/nowhere", "/qr.svg?path=/"])
@pytest.mark.parametrize("host", MALFORMED)
def test_a_malformed_host_is_refused_by_name(client: FlaskClient, path: str, host: str) -> None:
    environ = {"HTTP_HOST": host.encode().decode("latin-1")}
    answer = client.get(path, environ_overrides=environ)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.get_json()["parameter"] == "Host"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["xn--a", "xn--strae-oqa.example", "xn--fiqs8s.example:8443"])
@pytest.mark.parametrize("path", ["/zones/gaoqu", "/", "/zones//gaoqu", "/data/", "/qr.svg?path=/"])
def test_a_name_of_another_script_is_linked_to_as_it_was_asked(
    client: FlaskClient, path: str, host: str
) -> None:
    environ = EnvironBuilder(path).get_environ() | {"HTTP_HOST": host}
    body, status, headers = run_wsgi_app(client.application, environ, buffered=True)
    assert int(status[:3]) in {200, 308}
    whole = re.findall(r'content="(http://[^"]*)"', b"".join(body).decode())
    whole += [headers["Location"]] if "Location" in headers else []
    assert all(link.startswith(f"http://{host}/") for link in whole)
    assert whole or "qr" in path


@pytest.mark.usefixtures("printed_here")
@pytest.mark.parametrize(
    ("settings", "own", "made_up"),
    [
        (
            {},
            {"localhost"},
            {"a.example", "b.example:8000", "localhost:81", "127.1.2.3", "198.51.100.7", "[2001:db8::1]"},
        ),
        ({"hosts": ("*.example", "plan.example")}, {"plan.example"}, {"a.example", "plan.example:81"}),
        ({"url": "https://plan.example/x"}, {"plan.example/x"}, {"a.example", "b.example"}),
    ],
)
def test_sheets_bear_only_addresses_that_are_known_and_are_kept_once_for_all_others(
    release: Release, tmp_path: Path, settings: dict[str, Any], own: set[str], made_up: set[str]
) -> None:
    site = open_site(release, tmp_path, **settings)
    cache = site.application.extensions["export_worker"].cache
    for number, path in enumerate(("/zones/gaoqu.pdf", "/print/belts.svg", "/print/belts.html"), 1):
        sheets = {
            host: site.get(path, headers={"Host": host.partition("/")[0]}).data for host in own | made_up
        }
        assert (
            cache.measure()[0] == number * len(set(sheets.values())) == number * (1 + ("url" not in settings))
        )
        assert len({sheets[host] for host in made_up}) == 1, path
        if path.endswith("pdf"):
            for host, sheet in sheets.items():
                text = "".join(pypdf.PdfReader(io.BytesIO(sheet)).pages[0].extract_text().split())
                printed = set(re.findall(r"https?://([^?]*)/zones/gaoqu", text))
                assert printed == ({host} & own if "url" not in settings else own)


def test_a_foreign_host_reaches_no_page_and_no_cache(release: Release, home: Path) -> None:
    site = open_site(release, home, hosts=("plan.example.org", "10.0.0.5:8000"))
    for path in PATHS:
        for host in FOREIGN:
            answer = site.get(path, headers={"Host": host})
            assert (answer.status_code, answer.get_json()["allowed"]) == (400, "WEIHAI_LAYOUT_HOSTS"), host
        mine = site.get(path, headers={"Host": "PLAN.example.org:80"})
        assert mine.status_code in {200, 404}
        assert not ALIEN.search(mine.data)
    assert site.get("/", headers={"Host": "10.0.0.5:8000"}).status_code == 200
    assert site.get("/", headers={"Host": "10.0.0.5"}).status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_whatever_the_host(release: Release, home: Path, path: str) -> None:
    site = open_site(release, home, hosts=("plan.example.org",))
    assert site.get(path, headers={"Host": "10.1.2.3:8080"}).status_code == 200


def test_without_a_list_what_the_operator_set_is_linked_to(release: Release, home: Path) -> None:
    site = open_site(release, home, url="https://plan.example.org")
    for path in PATHS:
        for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
            assert not ALIEN.search(site.get(path, headers=headers).data), path


def test_proxies_are_believed_only_where_they_are_trusted(release: Release, home: Path) -> None:
    said = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Port": "8443",
    }
    deaf = open_site(release, home)
    for path in PATHS:
        plain = deaf.get(path)
        told = deaf.get(path, headers=said)
        assert ADDRESS.findall(plain.text) == ADDRESS.findall(told.text), path
        assert not ALIEN.search(told.data), path
    trusting = open_site(
        release, home, proxies=read_settings({"WEIHAI_LAYOUT_PROXIES": "10.0.0.0/8"}).proxies
    )
    near = {"REMOTE_ADDR": "10.1.1.1"}
    root = trusting.get("/ogc/", headers=said, environ_overrides=near).get_json()
    assert root["links"][0]["href"].startswith("https://evil.example:8443/evil/ogc/")
    far = trusting.get("/ogc/", headers=said, environ_overrides={"REMOTE_ADDR": "11.1.1.1"}).get_json()
    assert (
        root["links"][0]["href"]
        != far["links"][0]["href"]
        == deaf.get("/ogc/").get_json()["links"][0]["href"]
    )


@pytest.mark.parametrize(
    ("forwarded", "hosts", "expected"),
    [
        ("203.0.113.9", "plan.example", ("plan.example", "203.0.113.9")),
        ("6.6.6.6, 203.0.113.9", "evil.example, plan.example", ("plan.example", "203.0.113.9")),
        ("203.0.113.9, 10.0.0.2", "plan.example, inner.example", ("plan.example", "203.0.113.9")),
        ("203.0.113.9, 10.0.0.2", "plan.example", ("plan.example", "203.0.113.9")),
        ("not an address", "plan.example", ("plan.example", "10.0.0.1")),
        ("10.0.0.3, 10.0.0.2", "plan.example", ("plan.example", "10.0.0.3")),
    ],
)
def test_of_several_proxies_the_outermost_trusted_one_counts(
    release: Release, home: Path, forwarded: str, hosts: str, expected: tuple[str, str]
) -> None:
    site = open_site(release, home, proxies=read_settings({"WEIHAI_LAYOUT_PROXIES": "10.0.0.0/8"}).proxies)
    seen: dict[str, str] = {}
    site.application.before_request(lambda: seen.update(_seen()))
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Host": hosts}
    site.get("/zones/", headers=headers, environ_overrides={"REMOTE_ADDR": "10.0.0.1"})
    assert (seen["host"], seen["client"]) == expected


def _seen() -> dict[str, str]:
    from flask import request

    return {"host": request.host, "client": request.remote_addr or ""}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "bad host"),
        ("Proto", "javascript"),
        ("Port", "0"),
        ("Port", "²"),
        ("Port", "99999999"),
        ("Prefix", "//evil.example"),
        ("Prefix", "/a/../b"),
        ("Prefix", "evil"),
        ("Prefix", '/"><script>'),
    ],
)
def test_what_a_trusted_proxy_says_wrongly_is_refused(
    release: Release, home: Path, name: str, value: str
) -> None:
    site = open_site(release, home, proxies=read_settings({"WEIHAI_LAYOUT_PROXIES": "127.0.0.1"}).proxies)
    answer = site.get("/", environ_overrides={f"HTTP_X_FORWARDED_{name.upper()}": value})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.get_json()["parameter"] == f"X-Forwarded-{name}"


class Below:
    """A site below a prefix as its visitors see it, through a proxy that takes the prefix off or not."""

    def __init__(self, site: FlaskClient, prefix: str, headers: dict[str, str], *, stripped: bool) -> None:
        self.site, self.prefix, self.headers, self.stripped = site, prefix, headers, stripped

    def get(self, address: str, **headers: str) -> Any:
        parts = urlsplit(address)
        assert parts.path.startswith(self.prefix), address
        path = parts.path.removeprefix(self.prefix) if self.stripped else parts.path
        query = f"?{parts.query}" if parts.query else ""
        return self.site.get((path or "/") + query, headers=self.headers | headers)


@pytest.fixture(
    scope="module", params=[(prefix, way) for prefix in PREFIXES for way in ("header", "address")]
)
def below(request: pytest.FixtureRequest, release: Release, home: Path) -> Iterator[Below]:
    prefix, way = request.param
    if way == "header":
        proxies = read_settings({"WEIHAI_LAYOUT_PROXIES": "127.0.0.1"}).proxies
        site = open_site(release, home, proxies=proxies)
        yield Below(site, prefix, {"X-Forwarded-Prefix": prefix}, stripped=True)
    else:
        yield Below(open_site(release, home, url=f"http://localhost{prefix}"), prefix, {}, stripped=False)


def test_every_address_lies_below_the_prefix_and_leads_there(below: Below, client: FlaskClient) -> None:
    """Whatever a page or document leads to is what it leads to at the root, below the prefix."""
    led: set[str] = set()
    for path in PATHS:
        plain, found = client.get(path), below.get(below.prefix + path)
        assert found.status_code == plain.status_code, path
        for language in ("text/html", "application/json"):
            plain = client.get(path, headers={"Accept": language})
            found = below.get(below.prefix + path, Accept=language)
            moved = [below.prefix + one for one in ADDRESS.findall(plain.text)]
            assert ADDRESS.findall(found.text) == moved, path
            whole = re.sub(r"http://localhost(?=[/\"])", f"http://localhost{below.prefix}", plain.text)
            if found.mimetype != "text/html":
                assert re.findall(r"http://localhost/[^\s\"]*", whole) == re.findall(
                    r"http://localhost/[^\s\"]*", found.text
                ), path
            led |= {one.partition("#")[0].replace("&amp;", "&") for one in moved}
    assert len(led) > 100
    files = [one for one in led if "/static/" in one or "/map/" in one]
    assert len(files) > 5
    for one in files + sorted(led)[::12]:
        assert below.get(one).status_code == client.get(one.removeprefix(below.prefix)).status_code, one


def test_pages_that_become_files_are_written_from_their_root(release: Release, home: Path) -> None:
    address = f"https://plan.example.org{PREFIX}"
    site = open_site(release, home, url=address, files=Files(address))
    page = site.get("/zones/").text
    assert "data-prefix" not in page
    assert not [one for one in ADDRESS.findall(page) if one.startswith(PREFIX)]


def test_redirects_stay_below_the_prefix(below: Below) -> None:
    for path, target in (
        ("/openapi.json", "/ogc/api?f=json"),
        ("/r/", "/changes"),
        ("/data/download?layer=zones&format=csv", "/data/zones.csv"),
        ("/compare?zones=gaoqu&zones=nanhai", "/compare?zones=gaoqu,nanhai"),
        ("/zones//gaoqu", "/zones/gaoqu"),
    ):
        location = below.get(below.prefix + path).headers["Location"]
        assert urljoin("http://localhost", location) == f"http://localhost{below.prefix}{target}"


def test_codes_sheets_and_metadata_name_the_prefix(below: Below, client: FlaskClient) -> None:
    code = below.get(f"{below.prefix}/qr.svg?path=/zones/gaoqu").data
    assert code != client.get("/qr.svg?path=/zones/gaoqu").data
    page = below.get(f"{below.prefix}/zones/gaoqu").text
    assert f'<meta property="og:url" content="http://localhost{below.prefix}/zones/gaoqu">' in page
    catalogue = below.get(f"{below.prefix}/data/catalog.jsonld").text
    assert f"http://localhost{below.prefix}/data/zones.geojson" in catalogue
    assert not re.search(f"http://localhost(?!{below.prefix}/)", catalogue)
    definition = below.get(f"{below.prefix}/ogc/api").get_json()
    assert definition["servers"][0]["url"] == f"http://localhost{below.prefix}/ogc"


def test_files_are_the_same_bytes_below_a_prefix(below: Below, client: FlaskClient, release: Release) -> None:
    for path in (f"/r/{release.id}/documents/gaoqu.json", "/data/industries.json", "/data/zones.geojson"):
        assert below.get(below.prefix + path).data == client.get(path).data


def test_documents_below_a_prefix_answer_conditions_and_go_out_compressed(below: Below) -> None:
    path = f"{below.prefix}/zones/gaoqu.json"
    plain, small = below.get(path), below.get(path, **{"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    for answer in (plain, small):
        assert below.get(path, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
    part = below.get(path, Range="bytes=0-9")
    assert part.status_code == 200
    assert json.loads(part.data)["url"] == f"{below.prefix}/zones/gaoqu"


def test_a_client_that_asks_too_often_is_asked_to_wait_and_others_are_answered(
    release: Release, home: Path
) -> None:
    proxy = ip_network("10.0.0.1")
    site = open_site(release, home, rate=1, proxies=(proxy,))
    assert isinstance(site.application.wsgi_app, Origin)
    site.application.wsgi_app._rates = Rates(1, lambda: 0.0)  # in whose time nothing comes back

    def ask(path: str, client: str, address: str = "10.0.0.1") -> TestResponse:
        given = {"X-Forwarded-For": client}
        return site.get(path, headers=given, environ_overrides={"REMOTE_ADDR": address})

    paths = ["/zones/gaoqu.json", "/ogc/collections", "/nowhere", "/robots.txt"] * 3
    answers = [ask(path, "203.0.113.7") for path in paths]
    assert [one.status_code for one in answers[:10]] == [200, 200, 404, 200] * 2 + [200, 200]
    (refused, _) = answers[10:]
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.get_json()["title"] == "Too many requests"
    assert ask("/healthz", "203.0.113.7").status_code == 200
    assert ask("/zones/gaoqu.json", "203.0.113.8").status_code == 200
    # Who is no trusted proxy speaks for nobody but itself.
    believed = {ask("/robots.txt", f"203.0.113.{n}", "198.51.100.1").status_code for n in range(20, 40)}
    assert believed == {200, 429}


def test_what_a_client_may_ask_comes_back_with_time_and_few_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    rates = Rates(2, lambda: now[0])

    def count(client: str) -> int:
        for number in range(1000):
            try:
                rates.take(client)
            except TooManyError:
                return number
        return 1000

    assert [count("2001:db8::1"), count("2001:db8::2"), count("2001:db8:0:1::1")] == [20, 0, 20]
    now[0] += 3
    assert [count("2001:db8::1"), count("192.0.2.1")] == [6, 20]
    monkeypatch.setattr(limiter, "MOST_CLIENTS", 3)
    for number in range(5):
        rates.take(f"198.51.100.{number}")
    assert count("192.0.2.1") == 20  # forgotten


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEIHAI_LAYOUT_HOSTS", "plan.example.org/x"),
        ("WEIHAI_LAYOUT_HOSTS", "https://plan.example.org"),
        ("WEIHAI_LAYOUT_HOSTS", "*"),
        ("WEIHAI_LAYOUT_PROXIES", "10.0.0.0/33"),
        ("WEIHAI_LAYOUT_PROXIES", "10.0.0.1/8"),
        ("WEIHAI_LAYOUT_PROXIES", "nginx"),
        ("WEIHAI_LAYOUT_LOCAL", "/nowhere/additions"),
        ("WEIHAI_LAYOUT_WORKBENCH", "/nowhere/users.json"),
        ("WEIHAI_LAYOUT_WORKBENCH", "/"),
        ("WEIHAI_LAYOUT_EXPORT_MB", "5"),
        ("WEIHAI_LAYOUT_RATE", "00000000000"),
        ("WEIHAI_LAYOUT_SECURITY_CONTACT", "security@example.org"),
        ("WEIHAI_LAYOUT_SECURITY_CONTACT", "javascript:alert(1)"),
        ("WEIHAI_LAYOUT_SECURITY_CONTACT", "mailto:a@b\nCanonical: x"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name) as raised:
        read_settings({name: value})
    assert "must be" in str(raised.value)


def test_the_sites_own_address_is_one_of_its_hosts() -> None:
    settings = read_settings(
        {
            "WEIHAI_LAYOUT_HOSTS": "10.0.0.5:8000, *.Example.cn",
            "WEIHAI_LAYOUT_URL": "https://plan.example.org/x",
        }
    )
    assert settings.hosts == ("10.0.0.5:8000", "*.example.cn", "plan.example.org")
    assert is_allowed("a.b.example.cn", 443, settings.hosts)
    assert not is_allowed("example.cn", 443, settings.hosts)


def test_the_security_contact_is_told_where_there_is_one(release: Release, home: Path) -> None:
    path = "/.well-known/security.txt"
    assert open_site(release, home).get(path).status_code == 404
    site = open_site(release, home, security_contact="mailto:security@example.org", url="https://a.example")
    lines = site.get(path).text.splitlines()
    assert lines[0] == "Contact: mailto:security@example.org"
    assert lines[-1] == f"Canonical: https://a.example{path}"
    assert any(re.fullmatch(r"Expires: \d{4}-\d\d-\d\dT00:00:00Z", line) for line in lines)


@pytest.mark.browser
@pytest.mark.parametrize("prefix", [PREFIX, "/plan"])
def test_a_browser_uses_the_whole_site_below_a_prefix(
    release: Release, home: Path, browser: Browser, prefix: str
) -> None:
    app = create_app(release, Settings(home, url=None))

    def mounted(environ: dict[str, Any], start: Any) -> Any:
        """Answer below the prefix only, as a proxy does that hands everything else to other sites."""
        path = environ["PATH_INFO"]
        if not path.startswith(f"{prefix}/"):
            start("410 Gone", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        environ["PATH_INFO"] = path.removeprefix(prefix)
        environ["SCRIPT_NAME"] = prefix
        return app(environ, start)

    with running(mounted) as host:
        site = host + prefix
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        watched = Watched(context.new_page(), site)
        page = watched.page
        page.goto(f"{site}/?zone=gaoqu")
        page.wait_for_load_state("networkidle")
        for name in (".share summary", ".panel .share summary"):
            if page.locator(f"{name} >> visible=true").count():
                page.locator(f"{name} >> visible=true").first.click()
        for link in page.locator("a[href]:not(.outside)").evaluate_all("all => all.map((one) => one.href)"):
            assert link.startswith((site, f"{host}{prefix}")), link
        page.locator("#search").fill("南海新区")
        option = page.locator("#search-results [role=option]").first
        expect(option).to_be_visible()
        page.goto(f"{site}/zones/")
        page.locator("#search").fill("高区")
        page.locator("#search-results [role=option]").first.click()
        page.wait_for_url(f"{site}/**gaoqu**")
        page.goto(f"{site}/lookup")
        page.wait_for_load_state("networkidle")
        page.locator(".pointer .leaflet-container, .leaflet-container").first.click()
        page.wait_for_url(f"{site}/lookup?*")
        context.close()
    assert watched.faults == []
