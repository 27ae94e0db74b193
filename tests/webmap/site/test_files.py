"""The static site is whole: every link leads to a file, at a host's root and below any path."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import os
import posixpath
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from flask.testing import FlaskClient

from layers.export.job import release_path
from layers.store import Release
from tests.webmap.site.conftest import Site, quote_values
from webmap.app import create_app
from webmap.content import Content
from webmap.file_addresses import Files, NeedsServerError, locate
from webmap.settings import Settings
from webmap.static_site import SENT_AT_ONCE, Crawler, LinkRewriter, SiteError

LANGUAGES = ("zh", "en", "ko")
REFERENCE = re.compile(r'\s(?:href|src|action|poster|data-(?:href|src))="([^"]*)"')
SETS = re.compile(r'\ssrcset="([^"]*)"')
TOOLS = ("find", "compare", "lookup")  # pages that answer their parameters, from pieces of every answer
OUTSIDE = re.compile(r"""(?:https?:)?//(?!www\.w3\.org/|schema\.org)[a-z0-9.-]+\.[a-z]{2,}""", re.IGNORECASE)
LEAVING = re.compile(
    r'<a class="outside" href="[^"]*" rel="external noopener noreferrer">[^<]*'
)  # read by who clicks
URL = "https://plan.example.org/weihai"
MOST_TO_SEARCH_BY = 560_000  # bytes as they travel
MOST_BYTES = 60_000_000  # without sheets, with an address and the compressed copies
KNOWN_TO_CADDY = {"html", "css", "js", "json", "svg", "png", "pdf", "xml", "gz"}  # on any machine
SAMPLE = 300  # files that are made again in another process
AGAIN = """
import hashlib, json, sys
from itertools import islice
from pathlib import Path
from layers.store import read_current
from webmap.settings import Settings
from webmap.file_addresses import Files
from webmap.static_site import build_site
home = Path(sys.argv[1])
made = build_site(read_current(home), Settings(home), Files(sheets=False))
print(json.dumps({path: hashlib.sha256(body).hexdigest() for path, body in islice(made, int(sys.argv[2]))}))
"""


def references(text: str) -> list[str]:
    sets = [one.split()[0] for found in SETS.findall(text) for one in found.split(",")]
    return [html.unescape(one) for one in (*REFERENCE.findall(text), *sets)]


def addresses_in(value: Any) -> list[str]:
    """Return every address of a page that a document names."""
    if isinstance(value, dict):
        own = [value[key] for key in ("url", "href") if isinstance(value.get(key), str)]
        return own + [one for below in value.values() for one in addresses_in(below)]
    return [one for below in value for one in addresses_in(below)] if isinstance(value, list) else []


def test_every_link_and_asset_of_every_page_leads_to_a_file_of_the_site(written: Site) -> None:
    files = set(written.manifest["files"])
    texts = {page: written.read(page) for page in written.pages}
    panels = [path for path in files if path.endswith(".panel.html.js")]
    assert len(panels) > 500
    pieces = [path for path in files if path.endswith(".pieces.html.js")]
    assert len(pieces) == len(TOOLS) * len(LANGUAGES)
    texts |= {path.removesuffix(".js"): written.handed(path) for path in panels + pieces}
    ids = {page: set(re.findall(r'\sid="([^"]*)"', text)) for page, text in texts.items()}
    for one in pieces:  # become part of the page
        ids[one.replace(".pieces.html.js", ".html")] |= ids[one.removesuffix(".js")]
    faults, led, known = [], Counter[str](), files | set(texts)
    for page, text in texts.items():
        for reference in references(LEAVING.sub("", text)):
            parts = urlsplit(reference)
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
            target = target if parts.path else page
            led[target] += target != page
            rooted = parts.scheme or parts.netloc or parts.path.startswith("/") or target.startswith("..")
            asked = ("index.html", "embed.html", *(f"{one}.html" for one in TOOLS))
            dead = target not in known or (parts.query and not target.endswith(asked))
            lost = parts.fragment and parts.fragment not in ids.get(target, ())
            faults += [f"{page}: {reference}"] * bool(rooted or dead or lost)
    assert faults == []
    assert len(texts) > 1000
    pages = {page for page in texts if not page.endswith((".panel.html", ".pieces.html"))}  # of scripts
    assert pages <= set(+led)  # none can only be reached by typing its address


def test_what_scripts_ask_for_is_there(written: Site) -> None:
    files, release = set(written.manifest["files"]), written.answer["release"]
    for name in ("overview", "detail"):
        assert written.handed(f"r/{release}/map/{name}.topojson.js")["type"] == "Topology"
    assert f"r/{release}/static/js/offline-search.js" in files
    for language in LANGUAGES:
        payload = written.handed(f"r/{release}/map/{language}.json.js")
        for feature in payload["features"].values():
            assert locate(f"{feature['url']}.json", language).path in files
            assert locate(feature["url"], language).path in files
            assert locate(f"{feature['url']}.panel.html?lang={language}", language).stored_at in files
        tables = written.search_tables(language)
        assert len(tables["entries"]) > 500
        assert [row for row in tables["entries"] if locate(row["url"], language).path not in files] == []
        pages = [row["page"]["url"] for row in tables["told"] if "page" in row]
        assert pages
        assert [url for url in pages if locate(url, language).path not in files] == []
        copies = (f"answers/{name}.json.js.gz" for name in ("search", language))
        assert sum(written.manifest["files"][one]["bytes"] for one in copies) < MOST_TO_SEARCH_BY


@pytest.mark.parametrize("name", TOOLS)
def test_every_address_in_the_tables_of_the_tools_is_there(written: Site, name: str) -> None:
    files = set(written.manifest["files"])
    found = {one for one in addresses_in(written.handed(f"answers/{name}.json.js")) if one.startswith("/")}
    assert len(found) > 20
    pages = [locate(one, language).path for one in found for language in LANGUAGES]
    assert [path for path in pages if path not in files] == []


def test_every_address_in_a_json_file_leads_to_a_file(written: Site) -> None:
    files, faults, seen = set(written.manifest["files"]), [], 0
    documents = [
        path for path in files if path.endswith(".json") and path.startswith(("zones/", "industries/"))
    ]
    for path in documents:
        for address in addresses_in(json.loads(written.read(path))):
            if address.startswith("/"):
                seen += 1
                faults += [f"{path}: {address}"] * (locate(address, "zh").stored_at not in files)
    assert seen > 1000
    assert faults == []


def test_large_files_that_pages_load_have_a_compressed_copy(written: Site) -> None:
    manifest = written.manifest["files"]
    copies = {path for path in manifest if path.endswith(".gz")}
    for path in sorted(copies)[::20]:
        assert (
            gzip.decompress((written.folder / path).read_bytes()) == (written.folder / path[:-3]).read_bytes()
        )
    loaded = [path for path in manifest if path.endswith((".html", ".js", ".css", ".svg"))]
    assert len(copies) > 300
    assert copies == {f"{path}.gz" for path in loaded if manifest[path]["bytes"] > SENT_AT_ONCE}


def test_the_site_is_small(written: Site, addressed: FlaskClient) -> None:
    files = written.manifest["files"]
    size = sum(entry["bytes"] for entry in files.values())
    sample = written.pages[:: len(written.pages) // 50]
    added = 0  # by an address: whole links, a code, a line of the sitemap
    for page in sample:
        with_address, without = make_page(addressed, address_of(page)), (written.folder / page).read_bytes()
        assert len(with_address) > len(without)
        code = addressed.get("/qr.png", query_string={"path": address_of(page)}).data
        added += len(code) + len(f"<url><loc>{URL}/{quote(page)}</loc></url>\n")
        for content, sign in ((with_address, 1), (without, -1)):
            copy = gzip.compress(content) if len(content) > SENT_AT_ONCE else b""
            added += sign * (len(content) + len(copy))
    assert size <= size + added * len(written.pages) / len(sample) <= MOST_BYTES


def address_of(page: str) -> str:
    """Return the address that the service has for a page of the site."""
    first, _, rest = page.partition("/")
    language, path = (first, rest) if first in LANGUAGES else ("zh", page)
    return f"/{path.removesuffix('index.html').removesuffix('.html')}?lang={language}"


def test_what_pages_or_languages_have_alike_is_there_once(written: Site) -> None:
    ground = f"r/{written.answer['release']}/static/ground.svg"
    drawn = [page for page in written.pages if '<svg class="sketch"' in written.read(page)]
    assert len(drawn) > 200
    for page in drawn:
        (picture,) = re.findall(r'<image href="([^"]*)"', written.read(page))
        assert posixpath.normpath(posixpath.join(posixpath.dirname(page), picture)) == ground
    paths = re.findall(r' d="([^"]{200,})"', written.read(ground))
    assert paths
    assert not any(path in written.read(page) for page in drawn[::20] for path in paths)
    assert "prefers-color-scheme: dark" in written.read(ground)
    spoken = [written.handed(f"answers/{language}.json.js") for language in LANGUAGES]
    for table in ("entries", "told"):
        for rows in zip(*(one[table] for one in spoken), strict=True):
            first, *others = rows
            assert not [key for key in first if all(other.get(key) == first[key] for other in others)]


def test_no_page_names_another_host_or_a_server_of_ours(written: Site) -> None:
    found = {page: OUTSIDE.findall(LEAVING.sub("", written.read(page))) for page in written.pages}
    assert {page: hosts for page, hosts in found.items() if hosts} == {}
    assert "localhost" not in "".join(written.read(page) for page in written.pages)


def test_no_page_has_a_form_or_a_nonce_and_each_has_its_policy(written: Site) -> None:
    for page in written.pages:
        text = written.read(page)
        assert "nonce=" not in text
        assert all(
            'id="search-form"' in form or 'id="ask"' in form for form in re.findall(r"<form [^>]*", text)
        )
        assert not re.search(r"<form [^>]*action", text)
        (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy
        assert (
            f'<html lang="{page.split("/")[0] if page[2:3] == "/" and page[:2] in LANGUAGES else "zh"}"'
            in text
        )
        assert len(text.encode()) < 250_000, page


def test_every_language_has_the_same_pages(written: Site) -> None:
    by = {one: {page[3:] for page in written.pages if page.startswith(f"{one}/")} for one in ("en", "ko")}
    chinese = {page for page in written.pages if not page.startswith(("en/", "ko/"))}
    assert by["en"] == by["ko"] == chinese


def test_every_file_of_the_data_centre_is_there_as_the_release_has_it(
    written: Site, release: Release
) -> None:
    content, entries = Content(release), written.manifest["files"]
    for name in ("plan", *(layer["id"] for layer in content.layers)):
        for file in content.files_of(name):
            assert entries[file["href"][1:]]["sha256"] == file["sha256"]
            assert file["sha256"] == release.sha256(release_path(name, file["format"]))
        assert name == "plan" or {f"data/{name}.schema.json", f"data/{name}.iso.xml"} <= entries.keys()
    for path in ("data/catalog.jsonld", "data/datapackage.json", "data/LICENSE-DATA.md", "industries.csv"):
        assert path in entries


def test_the_manifest_lists_every_file(written: Site) -> None:
    manifest = written.manifest
    found = {path.relative_to(written.folder).as_posix(): path for path in written.folder.rglob("*")}
    files = {path: file for path, file in found.items() if file.is_file()}
    assert set(files) == {*manifest["files"], "site.json"}
    for path, entry in manifest["files"].items():
        body = files[path].read_bytes()
        assert entry == {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}, path
    answer = written.answer
    assert answer["files"] == len(manifest["files"])
    assert answer["bytes"] == sum(entry["bytes"] for entry in manifest["files"].values())
    assert answer["release"] == manifest["release"]


def test_another_process_writes_the_same_bytes(written: Site, home: Path) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "20230716"}
    again = subprocess.run(
        [sys.executable, "-c", AGAIN, str(home), str(SAMPLE)],
        env=environment,
        capture_output=True,
        check=True,
    )
    made = json.loads(again.stdout)
    assert len(made) == SAMPLE
    assert {path: written.manifest["files"][path]["sha256"] for path in made} == made


def test_what_hosts_read_is_there(written: Site) -> None:
    assert "frame-ancestors" in written.read("nginx.conf")
    for name in ("_headers", "Caddyfile"):
        assert "frame-ancestors" in written.read(name)
        assert "immutable" in written.read(name)
    files = written.manifest["files"]
    assert {"robots.txt", "sitemap.xml", "404.html"} & set(files) == set()  # they need the site's address


def test_caddy_is_told_the_types_that_it_does_not_know(written: Site) -> None:
    types = re.search(r"(?s)types \{(.*?)\}", written.read("nginx.conf"))[1]  # type: ignore[index]
    wanted = {suffix: one.split()[0] for one in types.split(";") if one.strip() for suffix in one.split()[1:]}
    said = dict(re.findall(r'~\\\.(\w+)\$ "?([^";\s]+)', written.read("Caddyfile")))
    found = {path.rpartition(".")[2] for path in written.manifest["files"] if path.startswith("data/")}
    assert len(found) > 10
    for suffix in found - KNOWN_TO_CADDY:
        assert said[suffix] == wanted[suffix], suffix


def test_no_file_matches_two_rules_of_caching_of_caddy(written: Site) -> None:
    """Of two that match, Caddy keeps the more general one."""
    said = written.read("Caddyfile")
    matchers = re.findall(r"(?m)^\theader (@\w+) Cache-Control ", said)
    conditions = {re.search(rf"(?m)^\t{name} (.+)$", said)[1] for name in matchers}  # type: ignore[index]
    assert said.count("Cache-Control") == len(matchers) == len(conditions) == 2
    one, other = sorted(conditions, key=len)
    assert other == f"not {one}"


def test_the_catalogue_names_files_from_where_it_lies(written: Site) -> None:
    catalogue = json.loads(written.read("data/catalog.jsonld"))
    files = [
        one["dcat:downloadURL"]["@id"]
        for row in catalogue["dcat:dataset"]
        for one in row["dcat:distribution"]
    ]
    assert len(files) > 50
    for file in files:
        assert posixpath.normpath(posixpath.join("data", file)) in written.manifest["files"]
    assert "dcat:service" not in catalogue


@pytest.fixture(scope="module")
def addressed(home: Path, release: Release) -> FlaskClient:
    """A client of the application as it is while a site with an address is written."""
    return create_app(release, Settings(home, url=URL, files=Files(URL))).test_client()


def make_page(client: FlaskClient, address: str) -> bytes:
    walk = Crawler(lambda request, wanted: client.get(request, headers={"Accept": wanted}), URL)
    walk.start([address])
    return next(walk.files())[1]


def test_with_its_address_a_page_names_itself_whole(addressed: FlaskClient) -> None:
    text = quote_values(make_page(addressed, "/zones/gaoqu?lang=en").decode())
    here = f"{URL}/en/zones/gaoqu.html"
    assert f'<link rel="canonical" href="{here}">' in text
    assert f'<meta property="og:url" content="{here}">' in text
    assert f'<meta property="og:image" content="{URL}/en/og/gaoqu.png">' in text
    for language, folder in (("zh", ""), ("en", "en/"), ("ko", "ko/")):
        assert f'<link rel="alternate" hreflang="{language}" href="{URL}/{folder}zones/gaoqu.html">' in text
    assert 'src="../../qr/en/zones/gaoqu.png"' in text
    assert f"{URL}/en/embed.html?zone=gaoqu" in text
    assert OUTSIDE.findall(LEAVING.sub("", text).replace(URL, "")) == []


def test_paper_names_the_file_of_its_page_or_nothing(
    addressed: FlaskClient, home: Path, release: Release
) -> None:
    unaddressed = create_app(release, Settings(home, files=Files())).test_client()
    for client, said in ((addressed, True), (unaddressed, False)):
        sheet = client.get("/zones/gaoqu.pdf?lang=en")
        assert sheet.status_code == 200
        assert (f"{URL}/en/zones/gaoqu.html".encode() in sheet.data) == said
        assert b"localhost" not in sheet.data


def test_the_page_for_what_is_missing_works_below_any_folder(home: Path, release: Release) -> None:
    from webmap.static_site import list_hosting, render_missing

    app = create_app(release, Settings(home, url=URL, files=Files(URL)))
    text = quote_values(render_missing(app, URL).decode())
    leading = [one for one in references(text) if not one.startswith("#")]
    assert leading
    assert all(one.startswith(("/weihai/", URL)) for one in leading)
    assert 'data-root="/weihai/"' in text
    assert "canonical" not in text
    hosting = dict(list_hosting(URL, ["index.html", "en/embed.html", "plan/三(一).html"]))
    assert f"<loc>{URL}/index.html</loc>" in hosting["sitemap.xml"].decode()
    assert "embed" not in hosting["sitemap.xml"].decode()
    assert f"Sitemap: {URL}/sitemap.xml" in hosting["robots.txt"].decode()


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("/", "en/index.html"),
        ("/?lang=zh", "index.html"),
        ("/?zone=gaoqu&lang=ko#9/37.2/122.1", "ko/index.html"),
        ("/zones/", "en/zones/index.html"),
        ("/plan", "en/plan.html"),
        ("/plan/%E4%B8%89%28%E4%B8%80%29?lang=zh", "plan/三(一).html"),
        ("/compare?zones=a,b", "en/compare.html"),
        ("/find?industry=x&port=2", "en/find.html"),
        ("/lookup?lon=122&lat=37&lang=zh", "lookup.html"),
        ("/data/zones.shp.zip", "data/zones.shp.zip"),
        ("/zones/gaoqu.pdf?lang=ko", "ko/zones/gaoqu.pdf"),
        ("/og/x.png?lang=en&points=1", "en/og/x.png"),
        ("/r/0123abcd/data/zones.gpkg", "data/zones.gpkg"),
        ("/r/0123abcd/static/js/main.js", "r/0123abcd/static/js/main.js"),
        ("/qr.svg?path=%2Fzones%2Fgaoqu%3Flang%3Den", "qr/en/zones/gaoqu.png"),
    ],
)
def test_each_address_has_one_file(address: str, file: str) -> None:
    assert locate(address, "en").path == file


@pytest.mark.parametrize(
    "address",
    [
        "/lookup.json?lon=122&lat=37",
        "/search.json?q=x",
        "/search?q=x",
        "/compare.csv?zones=a,b",
        "/join",
        "/workbench/",
        "/changes",
        "/ogc/collections",
        "/data/zones.gpkg?crs=EPSG:4550",
        "/industries/?sort=name",
        "//other.example/x",
        "https://other.example/x",
        "zones/",
    ],
)
def test_what_needs_a_server_has_none(address: str) -> None:
    with pytest.raises(NeedsServerError):
        locate(address, "zh")


def test_a_dead_link_or_a_form_stops_the_site(client: FlaskClient, release: Release, home: Path) -> None:
    changes = LinkRewriter(locate("/zones/", "zh"), lambda _: None, None)
    for tag, attributes in (("a", {"href": "/join"}), ("form", {"action": "/search"})):
        with pytest.raises(SiteError, match="/zones/"):
            changes(tag, dict(attributes))
    walk = Crawler(lambda request, _: client.get(request), None)
    walk.start(["/zones/nowhere"])
    with pytest.raises(SiteError, match="404"):
        next(walk.files())
