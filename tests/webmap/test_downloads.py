"""The download centre: files as described, selections as the map shows them, faults named."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from owslib.etree import etree
from owslib.iso import MD_Metadata
from playwright.sync_api import Page, expect

from layers.axes import ALL, CRS84, Axes
from layers.export.job import FORMATS, FRAMES, formats_of
from layers.store import Release
from webmap.app import create_app
from webmap.downloads import kind_of_entry
from webmap.settings import Settings

ONLY_LONLAT = [kind for kind, one in FORMATS.items() if one.frames == ("CRS84",)]


@pytest.fixture(scope="module")
def catalogue(client: FlaskClient) -> Any:
    return json.loads(client.get("/data/catalog.jsonld").data)


def test_every_file_is_as_long_and_has_the_digest_that_the_catalogue_says(
    client: FlaskClient, catalogue: Any
) -> None:
    files = [row for dataset in catalogue["dcat:dataset"] for row in dataset["dcat:distribution"]]
    assert len(files) > 120
    for file in files:
        path = file["dcat:downloadURL"]["@id"].removeprefix("http://localhost")
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert len(answer.data) == int(file["dcat:byteSize"]["@value"]), path
        told = file["spdx:checksum"]["spdx:checksumValue"]["@value"]
        assert hashlib.sha256(answer.data).hexdigest() == told, path
        assert file["dcat:mediaType"]["@id"].endswith(f"/{answer.mimetype}"), path
        assert re.search(r'attachment; filename="weihai-[\w.-]+"', answer.headers["Content-Disposition"])


def test_the_page_says_of_every_file_what_the_catalogue_says(client: FlaskClient, catalogue: Any) -> None:
    page = client.get("/data/?lang=zh").text
    assert len(page.encode()) < 300_000
    for dataset in catalogue["dcat:dataset"]:
        assert dataset["dct:license"]["@id"].endswith("/data/LICENSE-DATA.md")
        for file in dataset["dcat:distribution"]:
            path = file["dcat:downloadURL"]["@id"].removeprefix("http://localhost")
            assert f'href="{path}"' in page
            assert file["spdx:checksum"]["spdx:checksumValue"]["@value"] in page
    assert 'rel="describedby" type="application/ld+json" href="/data/catalog.jsonld"' in page


def test_the_catalogue_and_all_of_its_data_sets_are_described_in_every_language(catalogue: Any) -> None:
    described = [catalogue, *catalogue["dcat:dataset"]]
    assert described[1]["dct:identifier"] == "plan"
    for node in described:
        texts = {row["@language"]: row["@value"] for row in node["dct:description"]}
        assert texts.keys() == {"zh", "en", "ko"}, node["@id"]
        assert all(texts.values())
    assert {row["@language"] for row in described[1]["dct:title"]} == {"zh", "en", "ko"}


def test_what_the_shapes_of_dcat_ap_want_typed_is_typed(catalogue: Any) -> None:
    """The catalogue conforms to the shapes of DCAT-AP 3.0.0, which these are the only demanding part of."""
    files = [row for dataset in catalogue["dcat:dataset"] for row in dataset["dcat:distribution"]]
    addresses = [row[name] for row in files for name in ("dcat:accessURL", "dcat:downloadURL")]
    addresses.append(catalogue["dcat:service"]["dcat:endpointURL"])
    assert {one["@type"] for one in addresses} == {"rdfs:Resource"}
    algorithms = {row["spdx:checksum"]["spdx:algorithm"]["@type"] for row in files}
    assert algorithms == {"spdx:ChecksumAlgorithm"}


def test_every_layer_has_an_iso_record_that_says_what_the_page_says(
    client: FlaskClient, release: Release
) -> None:
    page = client.get("/data/?lang=zh").text
    for info in release.read_json("pages/catalogue.json"):
        path = f"/data/{info['id']}.iso.xml"
        assert f'href="{path}"' in page
        answer = client.get(path)
        assert answer.mimetype == "application/xml"
        assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        record = MD_Metadata(etree.fromstring(answer.data))
        assert record.identifier == f"urn:weihai-layout:{info['id']}"
        assert record.hierarchy == ("nonGeographicDataset" if info["geometry"] == "none" else "dataset")
        (about,) = record.identification
        assert about.title == info["title"]["zh"]
        assert about.abstract == info["description"]["zh"]
        assert record.dataquality.lineage
        assert len(about.otherconstraints) >= 1
        assert hasattr(about, "bbox") == (info["geometry"] != "none")
        for name in ("title", "abstract"):
            said = re.search(rf"<gmd:{name} .*?</gmd:{name}>", answer.text, re.DOTALL)
            assert said is not None
            assert re.findall(r'locale="#(\w+)"', said[0]) == ["en", "ko"]
        links = [one.url.removeprefix("http://localhost") for one in record.distribution.online]
        files = [f"/data/{info['id']}.{kind.id}" for kind in formats_of(kind_of_entry(info))]
        assert set(links) == {*files, f"/ogc/collections/{info['id']}"}
    missing = client.get("/data/zone.iso.xml")
    assert missing.status_code == 404
    assert "zones" in missing.text


def test_the_catalogue_names_a_service_that_answers(client: FlaskClient, catalogue: Any) -> None:
    service = catalogue["dcat:service"]["dcat:endpointURL"]["@id"].removeprefix("http://localhost")
    assert client.get(service, headers={"Accept": "application/json"}).status_code == 200


def test_the_page_describes_each_layer_for_search_engines(client: FlaskClient, release: Release) -> None:
    """As microdata of schema.org: no script, and nothing but what the page shows or leads to."""
    page = client.get("/data/?lang=en").get_data(as_text=True)
    found = page.split('<details class="layer" itemscope itemtype="https://schema.org/Dataset">')[1:]
    layers = release.read_json("pages/catalogue.json")
    assert len(found) == len(layers)
    for text, info in zip(found, layers, strict=True):
        part = text.partition("</details>")[0]
        assert f'<meta itemprop="identifier" content="{info["id"]}">' in part
        for member in ("name", "description", "url", "license"):
            assert part.count(f'itemprop="{member}"') == 1, member
        files = re.findall(r'itemprop="contentUrl" href="([^"]*)"', part)
        assert set(files) == {f"/data/{info['id']}.{kind.id}" for kind in formats_of(kind_of_entry(info))}
        assert part.count('itemprop="encodingFormat"') == len(files)
        assert ('itemprop="box"' in part) == (info["geometry"] != "none")


FITS: dict[str, Callable[[str], object]] = {
    "string": bool,
    "boolean": lambda text: text in {"true", "false"},
    "number": lambda text: re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", text),
    "integer": lambda text: re.fullmatch(r"-?\d+", text),
}


def test_the_data_package_describes_the_tables_that_it_names(client: FlaskClient) -> None:
    package = client.get("/data/datapackage.json").get_json()
    assert package["created"] == "2023-07-16T00:00:00Z"
    for resource in package["resources"]:
        content = client.get(f"/data/{resource['path']}").data
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert resource["bytes"] == len(content)
        lines = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")
        named = [field["name"] for field in resource["schema"]["fields"]]
        assert list(lines.columns) == named
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        for field in resource["schema"]["fields"]:
            values = [row[field["name"]] for row in rows]
            known, limits = [value for value in values if value], field.get("constraints", {})
            assert all(FITS[field["type"]](value) for value in known), (resource["name"], field["name"])
            assert len(known) == len(values) or not limits.get("required")
            assert set(known) <= set(limits.get("enum", known))
        if key := resource["schema"].get("primaryKey"):
            assert len({tuple(row[name] for name in key) for row in rows}) == len(rows)
        assert len(lines) == resource["rows"]


@pytest.mark.parametrize("name", ["zones", "clauses"])
def test_a_schema_says_what_it_is(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/data/{name}.schema.json")
    assert answer.mimetype == "application/schema+json"
    assert json.loads(answer.data)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert client.get("/data/zoness.schema.json").status_code == 404


@pytest.mark.parametrize("frame", FRAMES[1:])
def test_a_file_in_another_frame_is_made_once_and_is_the_same_again(client: FlaskClient, frame: str) -> None:
    first = client.get(f"/data/zones.gpkg?crs={frame}")
    again = client.get(f"/data/zones.gpkg?crs={frame.lower()}")
    assert first.status_code == 200
    assert first.data == again.data
    database = sqlite3.connect(":memory:")
    database.deserialize(first.data)
    assert database.execute("SELECT srs_id FROM gpkg_geometry_columns").fetchall() == [(int(frame[5:]),)]
    database.close()
    told = again.headers["ETag"]
    assert client.get(f"/data/zones.gpkg?crs={frame}", headers={"If-None-Match": told}).status_code == 304
    assert frame.replace(":", "").lower() in first.headers["Content-Disposition"]


@pytest.mark.parametrize("axes", ALL, ids=lambda axes: axes.frame)
def test_a_frame_is_the_same_by_its_uri_and_by_its_name(release: Release, tmp_path: Path, axes: Axes) -> None:
    """One file is kept, with one tag and one name to save it under."""
    client = create_app(release, Settings(tmp_path)).test_client()
    ways = (axes.frame, axes.uri, axes.uri.replace("http:", "https:"))
    answers = [client.get("/data/towns.csv", query_string={"crs": way}) for way in ways]
    assert {answer.status_code for answer in answers} == {200}
    for one in ("ETag", "Content-Disposition"):
        assert len({answer.headers[one] for answer in answers}) == 1
    assert len({answer.data for answer in answers}) == 1
    usual = axes.frame in {"CRS84", "EPSG:4326"}
    assert len(list((tmp_path / "cache").glob("files/*"))) == (not usual)
    code = "" if usual else f"-{axes.frame.replace(':', '').lower()}"
    assert f'filename="weihai-towns{code}.csv"' in answers[0].headers["Content-Disposition"]
    places = [
        client.get("/data/download", query_string={"layer": "towns", "format": "csv", "crs": way})
        for way in ways
    ]
    assert {answer.headers["Location"] for answer in places} == {
        f"/data/towns.csv?crs={axes.frame.replace(':', '%3A')}"
    }


def test_longitude_and_latitude_are_taken_by_their_uri_where_there_is_nothing_else(
    client: FlaskClient,
) -> None:
    plain = client.get("/data/zones.geojson")
    named = client.get("/data/zones.geojson", query_string={"crs": CRS84.uri})
    assert (named.status_code, named.data) == (200, plain.data)
    for wrong in ("http://www.opengis.net/def/crs/EPSG/0/4326", "http://www.opengis.net/def/crs/EPSG/0/2000"):
        refused = client.get("/data/zones.geojson", query_string={"crs": wrong})
        assert (refused.status_code, refused.get_json(force=True)["value"]) == (400, wrong)


def test_a_filter_exports_what_matches_and_nothing_else(client: FlaskClient) -> None:
    every = json.loads(client.get("/data/zones.geojson").data)["features"]
    wanted = [row["id"] for row in every if (row["properties"]["area_km2"] or 0) > 200]
    document = json.dumps({"op": ">", "args": [{"property": "area_km2"}, 200]})
    for text in ("area_km2 > 200", document):
        found = json.loads(client.get("/data/zones.geojson", query_string={"filter": text}).data)
        assert [row["id"] for row in found["features"]] == wanted
        assert 0 < len(wanted) < len(every)
    table = client.get("/data/designations.json", query_string={"filter": "industry_id = 'fashion'"})
    assert {row["industry_id"] for row in table.get_json()} == {"fashion"}


def test_the_map_s_filters_export_what_the_map_shows(client: FlaskClient, release: Release) -> None:
    answer = client.get("/data/plan.xlsx?theme=districts&industry=fashion")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    shown = release.read_json("map/zh.json")["features"]
    for layer in ("counties", "zones", "parks"):
        ids = [line[0] for line in book[layer].iter_rows(min_row=2, values_only=True)]
        wanted = [
            one for one, row in shown.items() if row["layer"] == layer and "fashion" in row["industries"]
        ]
        assert sorted(map(str, ids)) == sorted(wanted)
    assert "belts" not in book.sheetnames
    clusters = client.get("/data/plan.geojson?theme=clusters&cluster=cluster-medical")
    in_cluster = {
        one
        for one, row in shown.items()
        if row["layer"] in {"counties", "zones", "marine-cores"} and "cluster-medical" in row["clusters"]
    }
    assert {row["id"] for row in json.loads(clusters.data)["features"]} == in_cluster


def test_a_place_is_exported_with_all_inside(client: FlaskClient) -> None:
    lines = client.get("/data/towns.csv?zone=gaoqu&geometry=none").data.decode("utf-8-sig").splitlines()
    assert len(lines) > 1
    assert all(",gaoqu," in line for line in lines[1:])


def test_a_project_names_the_file_that_it_comes_with_in_every_frame(client: FlaskClient) -> None:
    packed = zipfile.ZipFile(io.BytesIO(client.get("/data/plan.qgis.zip?crs=EPSG:4550").data))
    (database,) = [name for name in packed.namelist() if name.endswith(".gpkg")]
    (project,) = [name for name in packed.namelist() if name.endswith(".qgs")]
    assert f"./{database}|layername=zones" in packed.read(project).decode()


def test_the_form_leads_to_the_address_of_the_file(client: FlaskClient) -> None:
    answer = client.get("/data/download?layer=zones&format=fgb&crs=EPSG:4549&industry=&filter=area_km2+>+100")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/data/zones.fgb?crs=EPSG%3A4549&filter=area_km2+%3E+100"
    wkt = client.get("/data/download?layer=zones&format=gpkg&geometry=wkt")
    assert wkt.headers["Location"] == "/data/zones.gpkg"
    for bad, named in (("layer=nothing&format=gpkg", "layer"), ("layer=zones&format=dwg", "format")):
        refused = client.get(f"/data/download?{bad}")
        assert (refused.status_code, refused.get_json(force=True)["parameter"]) == (400, named)


@pytest.mark.parametrize(
    ("query", "parameter", "value", "allowed"),
    [
        ("zones.gpkg?crs=EPSG:2000", "crs", "EPSG:2000", "EPSG:4550"),
        ("zones.gpkg?crs=GCJ-02", "crs", "GCJ-02", "EPSG:4490"),
        *(
            (f"plan.{kind}?crs=EPSG:4550", "crs", "EPSG:4550", "CRS84")
            for kind in ONLY_LONLAT
            if "plan" in FORMATS[kind].holds
        ),
        ("zones.geojson?filter=area > 1", "filter", "area", "area_km2"),
        ("zones.geojson?filter=area_km2 >", "filter", ">", "a LIKE 'x%'"),
        ("zones.geojson?filter=" + "(" * 99, "filter", "99", "32"),
        ("zones.geojson?filter=id='x'&filter-lang=sql", "filter-lang", "sql", "cql2-text"),
        ("plan.gpkg?filter=id='x'", "filter", "id='x'", "industry"),
        ("zones.gpkg?theme=districts", "theme", "districts", "plan.*"),
        ("plan.gpkg?theme=nothing", "theme", "nothing", "districts"),
        ("plan.gpkg?industry=nothing", "industry", "nothing", "fashion"),
        ("plan.gpkg?cluster=nothing", "cluster", "nothing", "cluster-medical"),
        ("plan.gpkg?zone=nothing", "zone", "nothing", "gaoqu"),
        ("zones.csv?geometry=gml", "geometry", "gml", "wkt, lonlat, none"),
        ("zones.gpkg?geometry=wkt", "geometry", "wkt", "crs, filter"),
        ("designations.csv?crs=EPSG:4550", "crs", "EPSG:4550", "filter"),
        ("clauses.json?crs=CRS84", "crs", "CRS84", "filter"),
        ("indicators.xlsx?geometry=none", "geometry", "none", "filter"),
        ("zones.geojson?fitler=id='x'", "fitler", "id='x'", "filter"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(
    client: FlaskClient, query: str, parameter: str, value: str, allowed: str
) -> None:
    answer = client.get(f"/data/{query}")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.data)
    assert (problem["parameter"], problem["value"]) == (parameter, value)
    assert allowed in problem["allowed"]
    assert problem["detail"]
    assert problem["detail_zh"]


def test_a_table_says_that_it_has_no_coordinates(client: FlaskClient) -> None:
    problem = client.get("/data/designations.parquet?crs=EPSG:4490").get_json(force=True)
    assert "designations is a table and has no coordinates" in problem["detail"]
    assert "designations 是表，没有坐标" in problem["detail_zh"]
    assert "crs" not in problem["allowed"]
    assert client.get("/data/designations.parquet").status_code == 200


def test_an_unknown_layer_or_format_is_not_found_and_named(client: FlaskClient) -> None:
    layer = client.get("/data/zone.gpkg")
    assert (layer.status_code, layer.mimetype) == (404, "application/problem+json")
    assert "zones" in {near["id"] for near in json.loads(layer.data)["near"]}
    kind = client.get("/data/zones.dwg")
    assert kind.status_code == 404
    assert "shp.zip" in json.loads(kind.data)["allowed"]
    assert client.get("/data/designations.fgb").status_code == 404
    assert client.get("/data/zones").status_code == 404


def test_a_person_gets_a_page_for_a_fault_and_a_program_json(client: FlaskClient) -> None:
    page = client.get("/data/zones.dwg", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.mimetype) == (404, "text/html")


def test_every_layer_comes_in_every_format_it_can(client: FlaskClient) -> None:
    for layer in client.get("/data/catalog.jsonld").get_json(force=True)["dcat:dataset"]:
        name = layer["dct:identifier"]
        given = {row["@id"].partition(f"/{name}.")[2] for row in layer["dcat:distribution"]}
        holds = ({kind.id for kind in formats_of(one)} for one in ("plan", "layer", "table"))
        assert given in list(holds), name


def test_the_web_process_imports_nothing_that_writes_files() -> None:
    heavy = ("folium", "geopandas", "openpyxl", "pandas", "pyarrow", "pyogrio", "topojson", "xlsxwriter")
    code = f"import sys, webmap; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


@pytest.mark.browser
def test_what_the_map_shows_is_what_it_offers_to_download(page: Page, site: str) -> None:
    page.goto(f"{site}/?theme=districts&lang=zh")
    expect(page.locator("#atlas.ready")).to_be_attached()
    page.locator("#industry").select_option("fashion")
    expect(page).to_have_url(re.compile("industry=fashion"))
    listed = page.eval_on_selector_all("#list-items [data-id]", "nodes => nodes.map(node => node.dataset.id)")
    page.locator("#toolbar summary", has_text="下载").click()
    with page.expect_download() as download:
        page.locator("#taking").get_by_role("link", name="GeoJSON").click()
    file = json.loads(Path(download.value.path()).read_bytes())
    found = {row["id"] for row in file["features"]}
    assert found
    assert found <= set(listed)  # which also has the answers of other themes
    assert download.value.suggested_filename == "weihai-plan-selection.geojson"
    page.locator("#taking-more").click()
    expect(page.locator("#choose-theme")).to_have_value("districts")
    expect(page.locator("#choose-industry")).to_have_value("fashion")


@pytest.mark.browser
def test_the_form_downloads_a_layer_in_another_frame(page: Page, site: str) -> None:
    page.goto(f"{site}/data/?lang=zh")
    page.locator("select[name=layer]").select_option("zones")
    page.locator("select[name=crs]").select_option("EPSG:4550")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename == "weihai-zones-epsg4550.gpkg"
    database = sqlite3.connect(Path(download.value.path()))
    assert database.execute("SELECT count(*) FROM zones").fetchone() == (7,)
    database.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 360])
def test_the_page_has_no_barrier_and_fits_its_window(page: Page, site: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/data/?lang=zh")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert Axe().run(page).response["violations"] == []
