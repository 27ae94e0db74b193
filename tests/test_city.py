"""No code, style, template or translation knows the city: everything of it lies in its folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from geodata import crs
from geodata.check import check_facts
from geodata.city import CITIES, CityError, find_city, read_city, read_layer_files
from geodata.kinds import LANGUAGES
from geodata.model import Text
from geodata.read import Facts, read_facts

ROOT = Path(__file__).parents[1]
SUFFIXES = {".py", ".js", ".css", ".html", ".svg", ".sql", ".typ", ".yaml", ".json", ".conf", ".lark"}
FILES = sorted(
    path
    for package in ("geodata", "layers", "webmap", "scripts")
    for path in (ROOT / package).rglob("*")
    if path.suffix in SUFFIXES and CITIES not in path.parents
)
# The name of the product, of its command, its settings and what it calls itself to others.
PRODUCT = re.compile(r"weihai[-_]layout", re.IGNORECASE)
# Ids and names of facts that are words of everybody's: of kinds of places, of bodies and of industries.
COMMON = {
    *("area", "universities", "hi-tech", "Marine economy", "海洋经济", "해양경제", "대학"),
    *(
        "高新区",
        "高新技术产业",
        "高技术产业开发区",
        "经济开发区",
        "经济技术开发区",
        "综合保税区",
        "综保区",
        "开发区管委",
    ),
    *("District and county-level city governments", "Development zone administrative committees"),
    "개발구 관리위원회",
}
TABLES = (
    *("plans", "zones", "areas", "platforms", "gateways", "landmarks", "towns"),
    *("clusters", "chains", "industries", "indicators", "agencies"),
)
NAMES = ("name", "full_name", "short_name", "title", "city", "issuer")
SHORTEST = 2  # characters of a name that can be told from others
TELLING = re.compile(r"\d+\.\d{3,}")  # degrees that nobody writes for another place


@cache
def facts() -> Facts:
    return read_facts()


def list_ids() -> set[str]:
    areas = {name for name, raw in read_layer_files().items() if raw.get("source") == "areas"}
    return {read_city().id, *areas, *(row_id for table in TABLES for row_id in getattr(facts(), table))}


def list_names() -> Iterator[str]:
    city = read_city()
    yield from (*city.name.values(), city.paper, *city.coordinate_systems)
    yield from (f"{number:g}" for number in (*city.region, *city.position) if number % 1)
    for table in TABLES:
        for row in getattr(facts(), table).values():
            for field in NAMES:
                if isinstance(value := getattr(row, field, None), Text):
                    yield from (text for _, text in value)
            yield from getattr(row, "aliases", ())
            yield getattr(row, "printed", None) or ""
    yield from (value for plan in facts().plans.values() for value in (plan.number, plan.date))
    yield from (town.code for town in facts().towns.values())
    spots = [*(town.seat for town in facts().towns.values()), *(site.position for site in facts().sites)]
    spots += [*(row.position for row in facts().landmarks.values())]
    spots += [*(row.position for row in facts().gateways.values())]
    figures = [str(degrees) for spot in spots if spot for degrees in (spot.lon, spot.lat)]
    yield from filter(TELLING.fullmatch, figures)
    yield from (f"{row.area_km2:g}" for row in facts().official_areas if row.area_km2 % 1)
    for name, raw in read_layer_files().items():
        if raw.get("source") == "areas":
            yield from (name, *raw["title"].values(), *raw["one"].values())


@cache
def list_words() -> tuple[str, ...]:
    """Ids and names of facts that are nobody else's words."""
    return tuple(sorted({*list_ids(), *(one for one in list_names() if len(one) >= SHORTEST)} - COMMON))


def find_words(text: str) -> set[str]:
    """Return what of the city stands in a text; ids and names in Latin letters only as whole words."""
    bare = PRODUCT.sub("", text)
    return {
        one
        for one in list_words()
        if one in bare
        and (not one.isascii() or re.search(rf"(?<![\w-])(?<!\w\.){re.escape(one)}(?![\w-])", bare))
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_of_the_program_knows_the_city(path: Path) -> None:
    assert find_words(path.read_text(encoding="utf-8")) == set()


def test_the_search_for_what_is_of_the_city_finds_it() -> None:
    plan = next(iter(facts().plans.values()))
    told = [
        *(read_city().id, *read_city().name.values(), plan.number, *read_city().coordinate_systems),
        *(getattr(zone.name, language) for zone in facts().zones.values() for language in LANGUAGES),
    ]
    assert [one for one in told if one not in COMMON and one not in find_words(f'x = "{one}"')] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"languages": ["en", "zh"]}, "languages"),
        ({"languages": ["zh", "en", "English"]}, "languages"),
        ({"name": {"zh": "市"}}, "name"),
        ({"region": [122.8, 36.6, 121.1, 37.7]}, "region"),
        ({"region": [1, 2, 3]}, "region"),
        ({"paper": "EPSG:3857"}, "paper"),
        ({"coordinate_systems": []}, "coordinate_systems"),
        ({"coordinate_systems": ["UTM 51"]}, "coordinate_systems"),
        ({"position": "here"}, "position"),
        ({"size": 7}, "size"),
    ],
)
def test_what_is_wrong_with_a_city_is_told_by_field(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    raw = yaml.safe_load((find_city() / "city.yaml").read_text(encoding="utf-8"))
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(raw | change, allow_unicode=True), encoding="utf-8")
    with pytest.raises(CityError, match=f"city.yaml: {field}"):
        read_city(tmp_path)


@pytest.mark.parametrize("frame", ["EPSG:2326", "EPSG:2225", "EPSG:4612"])  # its own datum; feet; degrees
def test_a_coordinate_system_that_cannot_be_used_is_told_by_check_and_build(
    monkeypatch: pytest.MonkeyPatch, frame: str
) -> None:
    monkeypatch.setattr(crs, "METRIC", (*crs.METRIC, frame))
    with pytest.raises(CityError, match=f"{frame}: coordinate_systems: must be in metres"):
        check_facts(facts())


@pytest.mark.parametrize("content", [b"", b"\xff", b"- a list", b"id: [broken", None])
def test_a_city_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "city.yaml").write_bytes(content)
    with pytest.raises(CityError, match=r"city\.yaml"):
        read_city(tmp_path)


def test_a_folder_without_a_city_is_no_city(tmp_path: Path) -> None:
    with pytest.raises(CityError, match=r"city\.yaml"):
        find_city({"WEIHAI_LAYOUT_CITY": str(tmp_path)})
    assert find_city({}) == find_city({"WEIHAI_LAYOUT_CITY": " "}) == CITIES / read_city().id


@pytest.mark.parametrize(
    "content", ["id: other\norder: 1\n", "id: [x\n", "order: 1\n", "id: odd\norder: first\n"]
)
def test_a_layer_that_is_none_is_told_by_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "odd.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(CityError, match=r"odd\.yaml"):
        read_layer_files(tmp_path)
