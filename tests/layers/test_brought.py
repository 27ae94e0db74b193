"""What a release says of imported boundaries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from geodata.imported import Adjusted, ImportedBoundary
from geodata.read import read_facts
from layers.catalogue import read_licence
from layers.document_types import ImportEntry
from layers.release import HEADING, add_terms, list_imports
from layers.store import Release
from webmap.app import create_app
from webmap.settings import Settings
from webmap.views.data import build_catalogue

HOSTILE = "某局 | <script>alert(1)</script>\n# `x` [a](b)"


def imported(**values: Any) -> ImportedBoundary:
    ring = [[122.0, 37.0], [122.1, 37.0], [122.1, 37.1], [122.0, 37.0]]
    said: dict[str, Any] = dict.fromkeys(("source", "licence", "who", "why"), HOSTILE)
    said |= {"layer": "zones", "of": "gaoqu", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    said |= {"method": "official", "accuracy_m": 5, "when": datetime(2026, 11, 1, tzinfo=UTC)}
    said |= {"file_name": "a.geojson", "file_sha256": "0" * 64, "crs": "EPSG:4490"}
    return ImportedBoundary.model_validate(said | values)


def listed(*records: ImportedBoundary) -> list[ImportEntry]:
    return list_imports(read_facts(), Adjusted({}, imports={one.of: one for one in records}))


def test_without_imports_the_statement_stays_as_it_is() -> None:
    assert list_imports(read_facts(), None) == listed() == []
    assert add_terms(read_licence(), []) == read_licence()


def test_each_import_has_its_row_whatever_people_wrote() -> None:
    town = imported(of="town-tianhe", layer="towns", licence="内部使用")
    text = add_terms(read_licence(), listed(imported(), town))
    table = text.partition(HEADING)[2].splitlines()
    rows = [line for line in table if line.startswith("| ")]
    assert [row.split(" | ")[1] for row in rows[2:]] == ["gaoqu", "town-tianhe"]
    assert {row.replace("\\|", "").count("|") for row in rows} == {rows[0].count("|")}
    assert "<script" not in text.replace("\\<", "")
    assert "内部使用" in rows[3]


def test_catalogues_say_whose_the_boundaries_are_and_since_when(release: Release, tmp_path) -> None:
    app = create_app(release, Settings(tmp_path))
    content = app.extensions["content"]
    strings = app.extensions["strings"]
    plain: Any = build_catalogue(content, strings, "http://x")
    assert "dct:modified" not in plain
    content.about = replace(content.about, imports=listed(imported(), imported(of="jingqu")))
    found: Any = build_catalogue(content, strings, "http://x")
    labels, before = ([row["rdfs:label"] for row in one["dct:provenance"]] for one in (found, plain))
    assert labels[: len(before)] == before
    assert [label.split(":")[0] for label in labels[len(before) :]] == ["高区 gaoqu", "经区 jingqu"]
    for node in (found, *found["dcat:dataset"]):
        assert node["dct:modified"] == {"@value": "2026-11-01", "@type": "xsd:date"}
