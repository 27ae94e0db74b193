"""A joined table says of each row what a look-up says of its point, and no cell of it is a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from pyproj import Transformer

from geodata import crs
from geodata.boundary_import.issues import RefusedError
from geodata.read import read_facts
from layers.answers import Answers
from layers.join import table_job
from layers.join.join_request import JoinRefusedError, JoinRequest, JoinSummary, unpack_answer
from layers.join.placing import PointPlacer, judge_frame, open_placer
from layers.join.table_job import answer_join, join_file, list_added_columns
from layers.lookup import SHARING, Lookup
from layers.relations import Relations
from layers.search import Search
from layers.store import Release
from tests.geodata.test_geojson_input import MALFORMED

POINTS = 120
BOX = (121.1, 36.6, 122.8, 37.7)  # the city and what lies around it
Join = Callable[..., tuple[JoinSummary, bytes]]


@pytest.fixture(scope="module")
def placer(release: Release) -> PointPlacer:
    return open_placer(release)


@pytest.fixture
def join(release: Release, tmp_path: Path) -> Join:
    """Join a text or bytes to the release."""

    def run(content: str | bytes, name: str = "table.csv", **options: Any) -> tuple[JoinSummary, bytes]:
        return join_file(ask(release, tmp_path, content, name, **options))

    return run


def ask(release: Release, folder: Path, content: str | bytes, name: str, **options: Any) -> JoinRequest:
    path, work = folder / name, folder / f"work-{name}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    work.mkdir(exist_ok=True)
    about = (str(release.folder), release.manifest_sha256, str(path), name, str(work))
    return JoinRequest(*about, **options)


def test_each_point_is_placed_as_a_lookup_places_it(placer: PointPlacer, lookup: Lookup) -> None:
    dice = np.random.default_rng(5)
    lon, lat = dice.uniform(BOX[0], BOX[2], POINTS), dice.uniform(BOX[1], BOX[3], POINTS)
    lon[-1] = lat[-1] = np.nan
    placed = placer.place(lon, lat)
    ids = [row.head["id"] for row in placer.places]
    for at in range(POINTS - 1):
        answer = lookup.at(float(lon[at]), float(lat[at]))
        rows = [*answer["applies"], *answer["areas"]]
        assert placed.where[at] == answer["where"]
        assert {ids[one] for one in np.flatnonzero(placed.inside[at])} == {
            row["id"] for row in rows if row["status"] == "inside"
        }
        for row in answer["applies"]:
            if row["likelihood_percent"] is None:
                assert placed.may[at, ids.index(row["id"])]
            else:
                assert placed.chances[at, ids.index(row["id"])] == pytest.approx(
                    row["likelihood_percent"], abs=0.2
                )
        for layer in answer["likely"]:
            best = placed.likeliest[layer["layer"]]
            chance = layer["places"][0]["likelihood_percent"]
            assert best.first_percent[at] == pytest.approx(max(chance, layer["none_percent"]), abs=0.2)
            if chance > layer["none_percent"]:
                assert ids[best.first[at]] == layer["places"][0]["id"]
    assert placed.where[-1] == "no-position"
    assert not placed.inside[-1].any()


def _land_points(placer: PointPlacer, count: int, seed: int) -> tuple[Any, Any]:
    dice = np.random.default_rng(seed)
    lon, lat = dice.uniform(BOX[0], BOX[2], 60 * count), dice.uniform(BOX[1], BOX[3], 60 * count)
    on_land = shapely.covers(placer.land, shapely.points(lon, lat))
    return lon[on_land][:count], lat[on_land][:count]


@pytest.mark.parametrize("frame", ["CRS84", "GCJ-02", "BD-09", "EPSG:4550", "EPSG:3857"])
def test_the_system_of_places_on_land_is_found(placer: PointPlacer, frame: str) -> None:
    lon, lat = _land_points(placer, 400, 2)
    x, y = crs.transform(lon, lat, crs.LONLAT, frame)
    found, issues = judge_frame("t", x, y, None, None, placer)
    assert (found.code, found.how) == (frame, "guessed")
    assert [issue.code for issue in issues] == (["positions-datum"] if frame == "EPSG:4550" else [])
    assert found.certainty > 0.9
    told, warned = judge_frame("t", x, y, None, frame, placer)
    assert (told.code, told.how, told.certainty, warned) == (frame, "told", 1.0, [])


@pytest.mark.parametrize(
    ("frame", "given", "fits"),
    [
        ("EPSG:2385", "西安80", "EPSG:2385"),
        ("EPSG:2437", "北京54", "EPSG:2437"),
        ("EPSG:4528", "2000国家大地坐标系", "EPSG:4528"),
        ("EPSG:4549", "GCJ-02", "EPSG:4549"),
        ("CRS84", "EPSG:4549", "EPSG:4490"),
    ],
)
def test_metres_that_are_told_to_be_degrees_are_refused_with_what_they_fit(
    placer: PointPlacer, frame: str, given: str, fits: str
) -> None:
    lon, lat = _land_points(placer, 50, 2)
    back = Transformer.from_crs("EPSG:4326", frame, always_xy=True) if frame != "CRS84" else None
    x, y = back.transform(lon, lat) if back else (lon, lat)
    with pytest.raises(RefusedError) as caught:
        judge_frame("t", x, y, None, given, placer)
    assert caught.value.issue.code == "projected-numbers"
    assert fits in str(caught.value.issue)


def test_where_the_points_tell_nothing_no_certainty_is_claimed(placer: PointPlacer) -> None:
    inland = np.array([122.0, 122.01]), np.array([37.2, 37.21])
    found, _ = judge_frame("t", *inland, None, None, placer)
    assert (found.code, found.certainty) == (crs.LONLAT, 0.333)
    wrong = 0
    for seed in range(30):  # points that are no list of places on land
        dice = np.random.default_rng(seed)
        lon, lat = dice.uniform(121.5, 122.7, 60), dice.uniform(36.8, 37.5, 60)
        found, _ = judge_frame("t", lon, lat, None, None, placer)
        wrong += found.code != crs.LONLAT and found.certainty > 0.9
    assert wrong <= 3


def test_a_stated_certainty_is_kept(placer: PointPlacer) -> None:
    """Of lists whose system is said to be 90 % sure, nine of ten are in it."""
    right = []
    for seed in range(45):
        frame = ("CRS84", "GCJ-02", "BD-09")[seed % 3]
        lon, lat = _land_points(placer, 150, seed)
        found, _ = judge_frame("t", *crs.transform(lon, lat, crs.LONLAT, frame), None, None, placer)
        if found.certainty >= 0.9:
            right.append(found.code == frame)
    assert len(right) > 10
    assert sum(right) / len(right) >= 0.9


def test_a_system_that_does_not_fit_is_doubted_and_axes_in_the_wrong_place_are_refused(
    placer: PointPlacer,
) -> None:
    lon, lat = _land_points(placer, 400, 3)
    x, y = crs.transform(lon, lat, crs.LONLAT, "BD-09")
    frame, issues = judge_frame("t", x, y, "EPSG:4326", None, placer)
    assert (frame.code, [issue.code for issue in issues]) == ("EPSG:4326", ["positions-suspected"])
    for own, given_crs in ((None, None), ("EPSG:4326", None), (None, "CRS84")):
        with pytest.raises(RefusedError) as caught:
            judge_frame("t", lat, lon, own, given_crs, placer)
        assert caught.value.issue.code == "positions-swapped"
    for numbers, code in (((5e6, 1e7), "unknown-numbers"), ((122, 37), "unknown-crs")):
        with pytest.raises(RefusedError) as caught:
            judge_frame(
                "t",
                np.array(numbers[:1]),
                np.array(numbers[1:]),
                None,
                "x" if code == "unknown-crs" else None,
                placer,
            )
        assert caught.value.issue.code == code


# -- the answer

TABLE = (
    "name,lon,lat,phone,count,goods\n"
    "A,122.1163,37.3082,0631-1,7,碳纤维\n"
    "=1+1,122.05,37.52,06310000,8,医疗器械\n"
    "C,,,00123,9,\n"
    "@D,120,30,007,10,量子计算\n"
    "E,122.42,37.16,8,11,=cmd\n"
)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_every_row_comes_back_with_what_applies(join: Join, release: Release) -> None:
    summary, content = join(TABLE, format="csv", crs="CRS84", language="en", product="goods")
    rows = rows_of(content)
    assert (summary.count, summary.placed, len(rows)) == (5, 4, 5)
    assert list(rows[0]) == [*TABLE.split("\n", 1)[0].split(","), *list_added_columns(product=True)]
    first = rows[0]
    assert (first["plan_zone_id"], first["plan_county_id"]) == ("lingang", "huancui")
    assert first["plan_where"] == "city"
    document = release.read_json("documents/lingang.json")
    listed = {row["industry_id"] for row in document["industries"]}
    assert listed <= {*first["plan_industries"].split(";")}
    assert {row["clause"] for row in document["industries"]} <= {*first["plan_clauses"].split(";")}
    assert "belt-central-manufacturing" in first["plan_belts_ids"].split(";")
    assert re.fullmatch(r"\d+\.\d%", first["plan_belts_how"])
    assert rows[2]["plan_where"] == "no-position"
    assert {value for name, value in rows[2].items() if name.startswith("plan_")} == {"", "no-position"}
    assert rows[3]["plan_where"] == "beyond"
    assert rows[4]["plan_county_id"] == "rongcheng"
    pairs = dict(
        zip(rows[4]["plan_five_zones_ids"].split(";"), rows[4]["plan_five_zones_how"].split(";"), strict=True)
    )
    assert pairs["five-marine-economy"] == "centre"


def test_products_are_answered_as_the_search_and_the_plan_answer(join: Join, release: Release) -> None:
    _, content = join(TABLE, format="csv", crs="CRS84", product="goods")
    rows = rows_of(content)
    search = Search(release.read_json("index/search.json"))
    for row in rows[:2]:
        told = search.answer(row["goods"], "zh")["answer"]
        assert told
        assert told["industry"]
        assert (row["plan_product_says"], row["plan_product_industry"]) == (
            told["kind"],
            told["industry"]["id"],
        )
        answers = [
            release.read_json(f"documents/{row[f'plan_{one}_id']}.json")["answers"].get(
                told["industry"]["id"]
            )
            for one in ("county", "zone")
            if row[f"plan_{one}_id"]
        ]
        kinds = [answer["kind"] for answer in answers if answer] or ["elsewhere"]
        assert row["plan_product_here"] == min(kinds, key=table_job.KINDS.index)
    assert {rows[at]["plan_product_says"] for at in (2, 3)} == {""}


def test_a_product_is_said_not_to_be_listed_where_the_facts_list_its_industry_elsewhere(join: Join) -> None:
    at = ("122.1163,37.3082", "122.05,37.52", "122.12,37.51", "122.42,37.16")
    words = ("碳纤维", "医疗器械", "生物医药", "量子计算")
    table = "lon,lat,goods\n" + "".join(f"{spot},{word}\n" for spot in at for word in words)
    _, content = join(table, format="csv", crs="CRS84", product="goods")
    answers = Answers(Relations(read_facts()))
    zones = answers.facts.zones
    met = set()
    for row in rows_of(content):
        places = [row[f"plan_{one}_id"] for one in ("county", "zone") if row[f"plan_{one}_id"]]
        if not row["plan_product_industry"] or not places:
            continue
        said = {answers.of(zones[one], row["plan_product_industry"]).kind for one in places}
        assert (row["plan_product_here"] == "elsewhere") == (said == {"elsewhere"}), row
        met.add(row["plan_product_here"] == "elsewhere")
    assert met == {True, False}


@pytest.mark.parametrize(("column", "code"), [("none", "column-missing"), ("goods", "products-many")])
def test_products_that_cannot_be_asked_for_are_refused(
    join: Join, monkeypatch: pytest.MonkeyPatch, column: str, code: str
) -> None:
    monkeypatch.setattr(table_job, "MAX_PRODUCTS", 2)
    with pytest.raises(JoinRefusedError) as caught:
        join(TABLE, product=column)
    assert (caught.value.code, caught.value.field) == (code, "product")


def test_the_formats_say_the_same_and_none_has_a_formula(join: Join, tmp_path: Path) -> None:
    said = {kind: join(TABLE, format=kind, crs="CRS84")[1] for kind in ("csv", "xlsx", "gpkg")}
    names = [row["name"] for row in rows_of(said["csv"])]
    assert names == ["A", "'=1+1", "C", "'@D", "E"]
    with zipfile.ZipFile(io.BytesIO(said["xlsx"])) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=1+1" in sheet
    path = tmp_path / "out.gpkg"
    path.write_bytes(said["gpkg"])
    meta, _, wkb, columns = pyogrio.raw.read(path)
    found = dict(zip(meta["fields"], columns, strict=True))
    assert found["count"].tolist() == [7, 8, 9, 10, 11]
    assert found["phone"].tolist()[2] == "00123"  # a code stays one
    assert found["plan_zone_id"].tolist() == [row["plan_zone_id"] or None for row in rows_of(said["csv"])]
    assert shapely.from_wkb(wkb[0]).coords[0] == pytest.approx((122.1163, 37.3082))
    assert wkb[2] is None
    for kind in ("xlsx", "gpkg"):  # an answer may be joined again: its columns are replaced
        summary, again = join(
            said[kind], f"again.{kind}", format="csv", **({} if kind == "gpkg" else {"crs": "CRS84"})
        )
        assert summary.count == 5
        assert [row["plan_town_id"] for row in rows_of(again)] == [
            row["plan_town_id"] for row in rows_of(said["csv"])
        ]
        assert list(rows_of(again)[0]).count("plan_zone") == 1


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_names_are_in_the_language_that_is_asked_for(join: Join, release: Release, language: str) -> None:
    _, content = join(TABLE, format="csv", crs="CRS84", language=language)
    assert rows_of(content)[0]["plan_zone"] == release.read_json("documents/lingang.json")["name"][language]


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_a_workbook_says_what_every_added_column_and_word_means(join: Join, language: str) -> None:
    table = "product,lon,lat\n" + "".join(f"碳纤维,{121.4 + at / 50},{37.1}\n" for at in range(60))
    _, content = join(table, format="xlsx", crs="CRS84", language=language, product="product")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    joined, explained = (
        [
            ["" if cell is None else str(cell) for cell in row]
            for row in book[name].iter_rows(values_only=True)
        ]
        for name in ("joined", "columns")
    )
    told = {name: (meaning, words) for name, meaning, words in explained[1:]}
    assert list(told) == joined[0][3:]
    assert len({meaning for meaning, _ in told.values()}) == len(told)
    assert all("{" not in meaning for meaning, _ in told.values())
    coded = {name: [one.partition(":")[0] for one in words.split("; ")] for name, (_, words) in told.items()}
    for name in (
        "plan_where",
        "plan_belts_how",
        "plan_five_zones_how",
        "plan_product_says",
        "plan_product_here",
    ):
        cells = ";".join(row[joined[0].index(name)] for row in joined[1:])
        found = {"%" if word.endswith("%") else word for word in cells.split(";") if word}
        assert found
        assert found <= {*coded[name]}, name


def test_places_add_up(join: Join) -> None:
    summary, content = join(TABLE, format="csv", crs="CRS84")
    rows = rows_of(content)
    assert sum(summary.where.values()) == len(rows)
    assert sum(row["count"] for row in summary.zones) == summary.placed
    for layer in SHARING:
        one = table_job.SINGULAR[layer]
        for row in rows:
            if row["plan_lon"]:
                assert (
                    float(row[f"plan_{one}_percent"]) + float(row[f"plan_{one}_second_percent"] or 0) <= 100.2
                )


@settings(max_examples=30)
@given(MALFORMED)
def test_any_geojson_is_joined_or_refused(
    release: Release, tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    folder = tmp_path_factory.mktemp("any")
    asked = ask(release, folder, json.dumps(value), "any.geojson", format="csv")
    try:
        head, content = unpack_answer(answer_join(asked))
    except JoinRefusedError as refusal:
        assert {"zh", "en", "ko"} <= refusal.texts.keys()  # noqa: PT017 - it may also be sound
    else:
        assert len(rows_of(content)) == head.count
