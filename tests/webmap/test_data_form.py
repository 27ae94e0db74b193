"""The download centre's page: terms of every layer, a form that knows what goes together, ways back to it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from layers.export.job import FORMATS, FRAMES, formats_of
from layers.store import BrokenReleaseError, Release
from webmap.app import create_app
from webmap.downloads import GOES_WITH
from webmap.settings import Settings

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"}
BOUNDARY = {
    "id": "gaoqu",
    "layer": "zones",
    "name": {"zh": "高区", "en": "Hi-Tech Zone", "ko": "하이테크구"},
    "method": "official",
    "accuracy_m": 5,
    "source": "某局测绘成果",
    "licence": "仅限内部使用 <b>",
    "who": "张某",
    "date": "2026-11-01",
    "crs": "EPSG:4550",
}


class Form(HTMLParser):
    """The options of each field of the form, and what is chosen."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.options: dict[str, dict[str, dict[str, str | None]]] = {}
        self.chosen: dict[str, str] = {}
        self._name = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._inside = found.get("id") == "choose-form" if tag == "form" else self._inside
        if not self._inside:
            return
        if tag in {"select", "input"}:
            self._name = found.get("name") or ""
            self.options[self._name] = {}
        if tag == "input" and found.get("value"):
            self.chosen[self._name] = str(found["value"])
        if tag == "option":
            value = str(found["value"])
            self.options[self._name][value] = found
            if "selected" in found:
                self.chosen[self._name] = value

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def read_row(page: str, layer: str) -> str:
    """Return the words of a layer's row of the table."""
    row = page.partition(f'<a href="#{layer}">')[2].partition("</tr>")[0]
    return html.unescape(re.sub(r"<[^>]+>", " ", row))


def test_each_row_says_frame_and_licences_as_the_release_has_them(
    client: FlaskClient, release: Release
) -> None:
    page = client.get("/data/?lang=en").text
    for layer, told in release.read_json("pages/summary.json").items():
        row = read_row(page, layer)
        assert (told["crs"] or "No geometry") in row, layer
        for term in told["terms"]:
            assert (term["licence"] or ("Other terms" if term["rights"] else "Not stated")) in row, layer


def test_terms_are_told_in_full_beside_the_fields(client: FlaskClient, release: Release) -> None:
    for language in ("zh", "en", "ko"):
        page = html.unescape(client.get(f"/data/?lang={language}").text)
        for layer, told in release.read_json("pages/summary.json").items():
            below = re.sub(r"<[^>]+>", "", page.partition(f'<p id="{layer}">')[2].partition("</details>")[0])
            for term in told["terms"]:
                assert term["name"][language] in below
                assert (term["licence"] or (term["rights"] or {}).get(language, "")) in below


def test_an_imported_boundary_is_told_with_its_licence_and_the_frame_it_came_in(
    release: Release, tmp_path: Path
) -> None:
    app = create_app(release, Settings(tmp_path))
    content = app.extensions["content"]
    term = {"source": "import-gaoqu", "licence": BOUNDARY["licence"], "rights": None, "count": 1}
    names = dict.fromkeys(("zh", "en", "ko"), BOUNDARY["source"])
    content.about = replace(content.about, imports=[BOUNDARY])
    for layer in content.downloads:
        if layer["id"] == "zones":
            layer["terms"].append(term | {"name": names})
    page = app.test_client().get("/data/?lang=en").text
    assert '<span lang="zh">仅限内部使用</span> &lt;b&gt;' in page
    assert str(BOUNDARY["licence"]) in " ".join(read_row(page, "zones").split())
    assert str(BOUNDARY["licence"]) not in read_row(page, "towns")
    below = page.partition('<p id="zones">')[2].partition("</details>")[0]
    for said in ("EPSG:4550", "某局测绘成果", "张某", "2026-11-01"):
        assert said in below


def test_the_catalogue_for_programs_has_the_terms_of_each_dataset(
    client: FlaskClient, release: Release
) -> None:
    catalogue = client.get("/data/catalog.jsonld").get_json(force=True)
    told = {row["dct:identifier"]: row.get("dct:rights") for row in catalogue["dcat:dataset"]}
    for layer, known in release.read_json("pages/summary.json").items():
        assert len(told[layer]) == len(known["terms"])
        labels = [
            row["@value"] for one in told[layer] for row in one["rdfs:label"] if row["@language"] == "en"
        ]
        for label, term in zip(labels, known["terms"], strict=True):
            stated = term["licence"] or (term["rights"] or {}).get("en") or "no licence stated"
            assert label == f"{term['name']['en']}: {stated}"


@pytest.mark.parametrize("page", ["/data/", "/r/{release}/"])
def test_the_form_says_what_each_choice_goes_with(client: FlaskClient, release: Release, page: str) -> None:
    text = client.get(page.format(release=release.id)).text
    form = Form(text)
    assert list(form.options["format"]) == list(FORMATS)
    for name, kind in FORMATS.items():
        option = form.options["format"][name]
        assert str(option["data-holds"]).split() == list(kind.holds)
        assert str(option["data-frames"]).split() == list(kind.frames)
        assert option.get("data-geometry") == kind.geometry
    holds = {name: option["data-holds"] for name, option in form.options["layer"].items()}
    for info in release.read_json("pages/catalogue.json"):
        assert holds[info["id"]] == ("table" if info["geometry"] == "none" else "layer")
    assert set(form.options["crs"]) == {"", *FRAMES}
    for name, kinds in GOES_WITH.items():
        if name == "wkt":  # a short way to write what the field of the geometry offers
            continue
        field = re.search(rf'<\w+ [^>]*name="{name}"[^>]*>', text)
        assert field
        assert f'data-goes-with="{" ".join(kinds)}"' in field[0]


def test_what_the_form_says_is_what_the_server_does(client: FlaskClient) -> None:
    form = Form(client.get("/data/").text)
    for layer in ("plan", "parks", "clusters"):
        holds = form.options["layer"][layer]["data-holds"]
        offered = {kind.id for kind in formats_of(str(holds))}
        for kind, option in form.options["format"].items():
            fits = str(holds) in str(option["data-holds"]).split()
            assert fits == (kind in offered)
            assert (client.head(f"/data/{layer}.{kind}").status_code == 200) == fits, (layer, kind)


@pytest.mark.parametrize("page", ["/data/", "/r/{release}/"])
def test_an_address_fills_the_form_in(client: FlaskClient, release: Release, page: str) -> None:
    given = {
        "layer": "zones",
        "format": "csv",
        "crs": "EPSG:4550",
        "geometry": "lonlat",
        "filter": "name_zh LIKE '高%' AND area_km2 > 1",
        "industry": "fashion",
        "cluster": "cluster-medical",
        "zone": "rongcheng",
        "theme": "districts",
        "filter-lang": "cql2-text",
    }
    address = page.format(release=release.id)
    assert Form(client.get(address, query_string=given).text).chosen == given
    assert Form(client.get(f"{address}?crs=4550").text).chosen == {"crs": "EPSG:4550"}
    uri = "http://www.opengis.net/def/crs/EPSG/0/4550"
    assert Form(client.get(f"{address}?crs={uri}").text).chosen == {"crs": "EPSG:4550"}
    assert Form(client.get(f"{address}?layer=&crs=").text).chosen == {}
    assert Form(client.get(f"{address}?layer=zones&utm_source=mail").text).chosen == {"layer": "zones"}
    table = Form(client.get(f"{address}?layer=clauses").text)  # the first format of all cannot hold it
    assert table.chosen == {"layer": "clauses", "format": "json"}


@pytest.mark.parametrize("page", ["/data/", "/r/{release}/"])
@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("layer=zone", "zones"),
        ("format=dwg", "gpkg"),
        ("crs=EPSG:2000", "EPSG:4550"),
        ("geometry=gml", "wkt"),
        ("zone=nowhere", "gaoqu"),
        ("theme=x", "districts"),
        ("filter-lang=sql", "cql2-text"),
        (f"filter={'x' * 2001}", "2000"),
    ],
)
def test_what_cannot_be_chosen_is_refused_by_name(
    client: FlaskClient, release: Release, page: str, query: str, allowed: str
) -> None:
    answer = client.get(f"{page.format(release=release.id)}?{query}", headers={"Accept": "*/*"})
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["parameter"]) == (400, query.partition("=")[0])
    assert allowed in problem["allowed"]


def test_without_scripts_what_means_nothing_is_left_out_and_what_is_wrong_is_refused(
    client: FlaskClient,
) -> None:
    table = client.get("/data/download?layer=designations&format=csv&crs=EPSG:4550&geometry=wkt")
    assert (table.status_code, table.headers["Location"]) == (303, "/data/designations.csv")
    for query, status in (
        ("layer=designations&format=gpkg", 404),
        ("layer=zones&format=kml&crs=EPSG:4550", 400),
        ("layer=plan&format=gpkg&filter=area_km2>1", 400),
        ("layer=zones&format=gpkg&theme=districts", 400),
    ):
        answer = client.get(f"/data/download?{query}", headers=BROWSER, follow_redirects=True)
        assert answer.status_code == status, query
        assert 'href="/data/?' in answer.text
    unknown = client.get("/data/download?layer=zones&format=gpkg&color=red")
    assert (unknown.status_code, unknown.get_json(force=True)["parameter"]) == (400, "color")


@pytest.mark.parametrize("base", ["/data", "/r/{release}/data"])
@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("designations.gpkg", {"layer": "designations", "format": "gpkg"}),
        ("zones.kml?crs=4550", {"layer": "zones", "format": "kml", "crs": "EPSG:4550"}),
        ("zones.gpkg?crs=EPSG:2000&zone=rushan", {"layer": "zones", "format": "gpkg", "zone": "rushan"}),
        ("zones.dwg?filter=area >", {"layer": "zones", "filter": "area >"}),
        ("zones.fgb?filter=area > 1&x=1", {"layer": "zones", "format": "fgb", "filter": "area > 1"}),
        ("zone.fgb", {"format": "fgb"}),
        ("download?layer=towns&format=dwg&crs=EPSG:4490", {"layer": "towns", "crs": "EPSG:4490"}),
        ("nothing", {}),
    ],
)
def test_a_refusal_leads_back_to_the_form_with_what_can_be_kept(
    client: FlaskClient, release: Release, base: str, asked: str, kept: dict[str, str]
) -> None:
    base = base.format(release=release.id)
    answer = client.get(f"{base}/{asked}", headers=BROWSER)
    assert answer.status_code in {400, 404}
    href = find_way_back(answer.text, "Back to the form, with what was chosen")
    parts = urlsplit(href)
    assert (parts.path, parts.fragment) == (
        base.removesuffix("data") if base != "/data" else "/data/",
        "choose",
    )
    assert dict(parse_qsl(parts.query)) == kept
    assert Form(client.get(href).text).chosen == kept


def test_a_refusal_of_what_is_removed_meanwhile_has_no_way_back_and_is_no_failure(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed(*_: Any) -> str:
        raise BrokenReleaseError

    monkeypatch.setattr("webmap.views.errors.return_address", removed)
    answer = client.get("/data/zones.dwg", headers=BROWSER)
    assert answer.status_code == 404
    assert "#choose" not in answer.text


@pytest.mark.parametrize("page", ["/data/", "/r/{release}/"])
def test_a_page_of_a_wrong_choice_leads_to_the_form_too(
    client: FlaskClient, release: Release, page: str
) -> None:
    page = page.format(release=release.id)
    answer = client.get(f"{page}?lang=en&layer=towns&format=dwg", headers=BROWSER)
    assert answer.status_code == 400
    href = find_way_back(answer.text, "Back to the form, with what was chosen")
    assert href == f"{page}?layer=towns&lang=en#choose"


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        # however long the name of the parameter is that is not known
        (
            f"zones/items?{'x' * 99}=1&sortby=id",
            "/ogc/collections/zones/items?f=html&sortby=id",
        ),
        ("zones/items?filter=area+>&limit=5", "/ogc/collections/zones/items?f=html&limit=5"),
        ("zones/items?bbox=1,2,3&bbox-crs=x&limit=5", "/ogc/collections/zones/items?f=html&limit=5"),
        ("zones/items?colour=red&sortby=id", "/ogc/collections/zones/items?f=html&sortby=id"),
        ("zones/items?limit=0&offset=5", "/ogc/collections/zones/items?f=html"),
        ("zones/items/gaoq", "/ogc/collections/zones/items?f=html"),
        ("zone/items", "/ogc/collections?f=html"),
    ],
)
def test_a_refusal_of_features_leads_back_to_their_list(client: FlaskClient, asked: str, back: str) -> None:
    answer = client.get(f"/ogc/collections/{asked}", headers=BROWSER)
    assert answer.status_code in {400, 404}
    label = "Collections" if back.endswith("collections?f=html") else "Back to the list of features"
    href = find_way_back(answer.text, label)
    assert href == back
    assert client.get(href, headers=BROWSER).status_code == 200


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("/find?industry=biomedicine&port=99", "/find?industry=biomedicine"),
        ("/compare?zones=xx", "/compare"),
        ("/zones/?kind=xx&county=rongcheng", "/zones/?county=rongcheng"),
    ],
)
def test_a_refusal_of_a_page_leads_back_without_what_was_wrong(
    client: FlaskClient, asked: str, back: str
) -> None:
    answer = client.get(asked, headers=BROWSER)
    assert answer.status_code == 400
    href = find_way_back(answer.text, "Back to this page, without what was wrong")
    assert href == back
    assert client.get(href, headers=BROWSER).status_code == 200


def test_a_condition_that_cannot_be_read_can_be_mended_where_it_is_refused(client: FlaskClient) -> None:
    asked = "/ogc/collections/zones/items?filter=area+>+'\"<b>&sortby=id&lang=en"
    page = client.get(asked, headers=BROWSER).text
    form = page.partition('<form class="query"')[2].partition("</form>")[0]
    assert 'action="/ogc/collections/zones/items"' in form
    assert 'value="area &gt; &#39;&#34;&lt;b&gt;"' in form
    assert 'name="sortby" value="id"' in form


def find_way_back(page: str, label: str) -> str:
    """Return where the link with `label` of an error's page leads."""
    links: list[Any] = re.findall(r'<li><a href="([^"]+)">([^<]+)</a>', page)
    return next(html.unescape(href) for href, text in links if html.unescape(text) == label)
