"""What cannot be answered says which parameter, what was given, and what there is."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from layers.query import Query, Selection
from webmap.ogc.resources import COMPARED

UNKNOWN = [
    ("/ogc/collections/zone", "collectionId", "zone", "zones"),
    ("/ogc/collections/zones/items/gaoq", "featureId", "gaoq", "gaoqu"),
    ("/ogc/collections/platforms/items/sdu-weiha", "featureId", "sdu-weiha", "sdu-weihai"),
    ("/data/zone.geojson", "layer", "zone", "zones"),
    ("/zones/gaoq.json", "place", "gaoq", "gaoqu"),
    ("/places/airport.json", "place", "airport", "airport-weihai"),
    ("/industries/new-material.json", "industry", "new-material", "new-materials"),
]


@pytest.mark.parametrize(("path", "parameter", "value", "meant"), UNKNOWN)
def test_what_does_not_exist_is_named_with_what_does(
    client: FlaskClient, path: str, parameter: str, value: str, meant: str
) -> None:
    problem = client.get(path).get_json()
    assert (problem["status"], problem["parameter"], problem["value"]) == (404, parameter, value)
    assert len(problem["allowed"].split(", ")) > 3
    assert meant in [row["id"] for row in problem["near"]]
    followed = next(row["href"] for row in problem["near"] if row["id"] == meant)
    assert client.get(followed).status_code == 200


def test_an_unknown_feature_does_not_read_the_whole_collection(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int | None] = []
    store = client.application.extensions["store"]
    select = store.select

    def watch(collection: str, query: Query) -> Selection:
        limits.append(query.limit)
        found: Selection = select(collection, query)
        return found

    monkeypatch.setattr(store, "select", watch)
    assert client.get("/ogc/collections/platforms/items/nowhere").status_code == 404
    assert limits == [COMPARED]


def test_an_unknown_release_is_named(client: FlaskClient) -> None:
    problem = client.get("/r/abc/index.json").get_json()
    assert (problem["status"], problem["parameter"], problem["value"]) == (404, "release", "abc")
    assert problem["allowed"] == ", ".join(one["id"] for one in problem["near"])


@pytest.mark.parametrize("path", ["/changes", "/changes.json"])
@pytest.mark.parametrize("query", ["from=1&to=1&x=1", "x=1"])
def test_publications_pass_over_no_parameter(client: FlaskClient, path: str, query: str) -> None:
    answer = client.get(f"{path}?{query}", headers={"Accept": "application/json"})
    problem = answer.get_json()
    assert (answer.status_code, problem["parameter"], problem["allowed"]) == (400, "x", "from, to, lang")


def test_every_member_of_a_problem_is_in_the_definition(client: FlaskClient) -> None:
    described = client.get("/ogc/api?f=json").get_json()["components"]["schemas"]["problem"]["properties"]
    for path, *_ in UNKNOWN:
        assert client.get(path).get_json().keys() <= described.keys()


@pytest.mark.parametrize("path", ["/data/zones.geojson?", "/ogc/collections/zones/items?"])
def test_a_filter_in_json_is_told_as_it_was_written(client: FlaskClient, path: str) -> None:
    given = '{"op": "=", "args": [true]}'
    asked = f"{path}filter-lang=cql2-json&filter={quote(given)}"
    problem = client.get(asked).get_json()
    assert problem["value"] == given
    assert "syntax" not in problem["detail_zh"]
    assert "不是有效的 CQL2" in problem["detail_zh"]


SAMPLES = {
    "layer": "zones",
    "place_id": "gaoqu",
    "industry_id": "carbon-fibre",
    "cluster_id": "cluster-it",
    "clause_id": "三(一)1",
    "file": "zones.geojson",
    "theme_id": "belts",
    "extension": "svg",
    "name": "targets",
}
ENDINGS = (".json", ".geojson", ".csv", ".jsonld", ".xml", ".md", ".pdf", ".png", ".svg", ":extension>")
POINTS = {"place_id": "airport-weihai"}


def _documents(client: FlaskClient) -> list[str]:
    """Return one address of every kind of document that the site answers with."""
    agency = next(iter(client.application.extensions["content"].agencies))
    release = client.application.extensions["content"].release.id
    known = SAMPLES | {"agency_id": agency, "release_id": release, "path": "manifest.json"}
    paths = []
    for rule in client.application.url_map.iter_rules():
        # Layers of an operator's own are not in this release.
        if (
            rule.rule != "/openapi.json"
            and not rule.rule.startswith("/own/")
            and (rule.rule.endswith(ENDINGS) or "<file>" in rule.rule)
        ):
            values = known | (POINTS if rule.rule.startswith("/places/") else {})
            paths.append(re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule).format_map(values))
    return sorted([*paths, "/data/zones.schema.json"])


def test_no_document_passes_over_a_parameter_it_does_not_know(client: FlaskClient) -> None:
    paths = _documents(client)
    assert len(paths) > 15
    answers = {path: client.get(path, query_string={"nonsense": "1"}) for path in paths}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(paths, 400)
    problems = {path: answer.get_json() for path, answer in answers.items()}
    assert {path for path, problem in problems.items() if problem["parameter"] != "nonsense"} == set()
    assert all(problem["allowed"] for problem in problems.values())


@pytest.mark.parametrize(
    "page", ["/find?industry=biomedicine", "/industries/?q=x", "/compare?zones=gaoqu,jingqu"]
)
def test_a_page_passes_over_what_others_added_and_so_do_its_links(client: FlaskClient, page: str) -> None:
    answer = client.get(f"{page}&utm_source=mail", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    links = re.findall(r'href="(/[^"]+\.(?:csv|json)[^"]*)"', answer.get_data(as_text=True))
    assert links
    assert {client.get(html.unescape(link)).status_code for link in links} == {200}


@pytest.mark.parametrize(
    "path",
    [
        "/ogc/collections/zones/items?crs={}",
        "/ogc/collections/zones/items?{}=1",
        "/ogc/collections/zones/items/{}",
        "/ogc/collections/{}",
        "/data/zones.geojson?crs={}",
        "/data/zones.geojson?{}=1",
        "/data/{}.geojson",
        "/lookup.json?lon={}&lat=37",
        "/search.json?{}=1",
        "/compare.json?zones={}",
        "/industries.csv?zone={}",
        "/find.json?reach={}",
        "/r/{}/index.json",
    ],
)
def test_however_long_what_was_given_is_the_answer_is_short(client: FlaskClient, path: str) -> None:
    given = "界" * 500
    problem = client.get(path.format(given)).get_json()
    repeated = [problem["parameter"], problem["value"]]
    assert given[:59] + "…" in repeated
    assert all(len(one) <= 60 for one in repeated)
    assert given[:60] not in problem["detail"] + problem["detail_zh"]
