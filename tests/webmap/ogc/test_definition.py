"""The API definition describes exactly what is there: held by a validator and by schemathesis."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from layers.store import Release
from webmap.ogc.request import ITEMS, MAX_LIMIT, SYSTEMS

# What the words of these must be, no schema can say.
UNSAID = {"filter", "datetime", "bbox"}
BESIDE = {"/join"}  # takes a file


@pytest.fixture(scope="module")
def definition(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.get("/ogc/api?lang=en").data)
    return found


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_as_the_definition_says(client: FlaskClient, mode: GenerationMode) -> None:
    """Requests that fit the definition are answered, others refused, all as it says."""
    api: Any = schemathesis.openapi.from_wsgi("/ogc/api", client.application)
    tried = 0
    for found in api.get_all_operations():
        operation = found.ok()
        if "servers" in operation.definition.raw:
            continue  # beside the API
        if (
            mode is GenerationMode.NEGATIVE
            and not operation.path_parameters
            and operation.path.count("/") < 3
        ):
            continue  # nothing there can be wrong but f and lang

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=3, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            query = case.query or {}
            without = []
            if UNSAID & set(query):
                without.append(positive_data_acceptance)
            sent = case.body if isinstance(case.body, dict) else {}
            if UNSAID & set(sent):
                without.append(positive_data_acceptance)
            limits = [str(one.get("limit", "")) for one in (query, sent)]
            if any(one.isdigit() and int(one) > MAX_LIMIT for one in limits):
                without.append(negative_data_rejection)  # Part 1 has it answered with the most there is
            case.call_and_validate(headers={"Accept-Encoding": "identity"}, excluded_checks=without)

        check()
        tried += 1
    assert tried > 50


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_definition_is_valid_and_refers_to_nothing_outside(client: FlaskClient, language: str) -> None:
    answer = client.get(f"/ogc/api?lang={language}")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = json.loads(answer.data)
    validate(document)
    references = [part.partition('"')[0] for part in answer.get_data(as_text=True).split('"$ref":"')[1:]]
    assert references
    assert all(reference.startswith("#/components/") for reference in references)


def test_what_is_beside_the_api_says_where_it_is_and_takes_what_it_says(
    client: FlaskClient, definition: dict[str, Any]
) -> None:
    for path in BESIDE:
        operation = definition["paths"][path]["post"]
        assert [server["url"] + path for server in operation["servers"]] == [f"http://localhost{path}"]
        (schema,) = (one["schema"] for one in operation["requestBody"]["content"].values())
        assert schema["required"] == ["file"]
        for name in schema["properties"]:  # each is known, a wrong one named
            answer = client.post(path, data={name: "x" * 300}, content_type="multipart/form-data")
            assert answer.status_code == 400
            assert str(answer.status_code) in operation["responses"]
            assert answer.get_json()["parameter"] in {"file", name}
        unknown = client.post(path, data={"other": "x"}, content_type="multipart/form-data").get_json()
        assert set(unknown["allowed"].split(", ")) == set(schema["properties"])


def test_pages_and_documents_take_what_the_definition_says_and_nothing_else(
    client: FlaskClient, definition: dict[str, Any], release: Release
) -> None:
    parts = {"file": "zones.csv", "theme_id": release.read_json("map/zh.json")["themes"][0]["id"]}
    described = {
        path: methods["get"]
        for path, methods in definition["paths"].items()
        if "servers" in methods.get("get", {})
    }
    assert {"/lookup.json", "/find.json", "/compare.csv", "/changes.json", "/data/{file}"} <= described.keys()
    for path, operation in described.items():
        assert operation["servers"] == [{"url": "http://localhost"}]
        given = [one for one in operation["parameters"] if one.get("in") == "query"]
        assert all(one["description"] for one in given), path
        address = path.format(**parts, extension="svg")
        answer = client.get(address, query_string={"other": "x"}, headers={"Accept": "application/json"})
        assert answer.status_code == 400
        assert set(answer.get_json()["allowed"].split(", ")) == {"lang", *(one["name"] for one in given)}


def test_the_definition_keeps_the_rules_of_the_trade(definition: dict[str, Any]) -> None:
    """What linters of OpenAPI ask for beyond its schema."""
    assert {"title", "version", "description", "contact", "license"} <= definition["info"].keys()
    assert all(not server["url"].endswith("/") for server in definition["servers"])
    tags = [tag["name"] for tag in definition["tags"]]
    assert len(set(tags)) == len(tags)
    assert all(tag["description"] for tag in definition["tags"])
    operations = [(path, one) for path, methods in definition["paths"].items() for one in methods.values()]
    names = [one["operationId"] for _, one in operations]
    assert len(set(names)) == len(names)
    for path, one in operations:
        assert one["summary"]
        assert one["description"]
        assert set(one["tags"]) <= set(tags)
        assert any(code.startswith("2") for code in one["responses"])
        assert path == "/" or not path.endswith("/")
        given = [row.get("name") or row["$ref"].rpartition("/")[2] for row in one.get("parameters", [])]
        assert len(set(given)) == len(given)
        placed = {row["name"] for row in one.get("parameters", []) if row.get("in") == "path"}
        assert placed == set(re.findall(r"{(\w+)}", path))
    written = json.dumps(definition)
    for kind, parts in definition["components"].items():
        for name in parts:
            assert f'"#/components/{kind}/{name}"' in written, (kind, name)


def test_the_definition_has_what_clients_look_for(definition, release: Release) -> None:
    limit = definition["components"]["parameters"]["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (100, MAX_LIMIT)
    for layer in release.read_json("pages/catalogue.json"):
        described = ("", "/queryables", "/sortables", "/schema", "/search", "/items")
        paths = [f"/collections/{layer['id']}{below}" for below in described]
        assert set(definition["paths"]) >= {*paths, f"{paths[-1]}/{{featureId}}"}
        given = definition["paths"][paths[-1]]["get"]["parameters"]
        own = {one["name"]: one for one in given if "name" in one}
        shared = {one["$ref"].rpartition("/")[2] for one in given if "$ref" in one}
        fields = {field["name"] for field in layer["fields"]}
        pointless = SYSTEMS if layer["geometry"] == "none" else ()
        assert set(own) | shared == {*ITEMS, *fields, "f", "lang", "profile"} - {*pointless}
        single = definition["paths"][f"{paths[-1]}/{{featureId}}"]["get"]["parameters"]
        assert ({"$ref": "#/components/parameters/crs"} in single) == (not pointless)
        for name in fields:
            assert (own[name]["in"], own[name]["style"], own[name]["explode"]) == ("query", "form", False)
            assert own[name]["schema"]["type"] in {"string", "number", "integer", "boolean"}


def test_the_usual_address_leads_to_the_definition(client: FlaskClient) -> None:
    answer = client.get("/openapi.json", follow_redirects=True)
    assert json.loads(answer.data)["openapi"].startswith("3.0")


@pytest.mark.parametrize("name", ["queryables", "schema"])
def test_schemas_have_titles_in_every_language(client: FlaskClient, release: Release, name: str) -> None:
    for layer in release.read_json("pages/catalogue.json"):
        document = json.loads(client.get(f"/ogc/collections/{layer['id']}/{name}?lang=en").data)
        assert document["x-title"] == layer["title"]
        properties = document["properties"]
        place = properties.pop("geometry", None)
        assert (place is None) == (layer["geometry"] == "none")
        assert [(key, row["x-title"]) for key, row in properties.items()] == [
            (field["name"], field["description"]) for field in layer["fields"]
        ]


def test_every_feature_is_as_its_schema_says(client: FlaskClient, release: Release) -> None:
    from jsonschema import Draft202012Validator

    for layer in release.read_json("pages/catalogue.json"):
        base = f"/ogc/collections/{layer['id']}"
        document = json.loads(client.get(f"{base}/schema").data)
        document["properties"].pop("geometry", None)
        validator = Draft202012Validator(document)
        for feature in json.loads(client.get(f"{base}/items?limit=1000").data)["features"]:
            # In the schemas of Part 5 a null is no value at all.
            known = {key: value for key, value in feature["properties"].items() if value is not None}
            validator.validate(known)


def test_only_what_may_be_unknown_is_nullable(client: FlaskClient, definition, release: Release) -> None:
    """In every schema alike: of the API, of the files, of the definition."""
    for layer in release.read_json("pages/catalogue.json"):
        name = layer["id"]
        features = json.loads(client.get(f"/ogc/collections/{name}/items?limit=1000").data)["features"]
        schema = json.loads(client.get(f"/ogc/collections/{name}/schema").data)
        of_files = client.get(f"/data/{name}.schema.json").get_json()["$defs"]["row"]["properties"]
        defined = definition["components"]["schemas"][name]["properties"]["properties"]["properties"]
        for field in layer["fields"]:
            key = field["name"]
            wanted = [field["type"], "null"] if field["nullable"] else field["type"]
            assert of_files[key]["type"] == wanted, (name, key)
            assert (key in schema["required"]) == (not field["nullable"])
            assert defined[key].get("nullable", False) == field["nullable"]
            assert field["nullable"] >= any(row["properties"][key] is None for row in features), (name, key)
            assert (None in of_files[key].get("enum", [])) == (field["nullable"] and "enum" in of_files[key])


def test_an_id_and_a_name_are_plain_texts(client: FlaskClient, release: Release) -> None:
    for layer in release.read_json("pages/catalogue.json"):
        schema = json.loads(client.get(f"/ogc/collections/{layer['id']}/schema").data)["properties"]
        named = [
            key for key in schema if key == "id" or (key.startswith("name_") and layer["id"] != "chains")
        ]
        assert all(schema[key]["type"] == "string" for key in named), layer["id"]
    place = json.loads(client.get("/ogc/collections/zones/schema").data)
    open_ones = place["properties"].keys() - set(place["required"]) - {"geometry"}
    positions = {f"positioning_{language}" for language in ("zh", "en", "ko")}
    areas = {"area_km2", "area_note", "official_area_km2", "official_area_source"}
    assert open_ones == {"parent_id", *positions, *areas}
