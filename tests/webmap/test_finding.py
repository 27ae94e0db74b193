"""Searching as people and programs do it: the answer, its words, and what is not found."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

LANGUAGES = ("zh", "en", "ko")


def _search(client: FlaskClient, query: str, language: str = "zh") -> dict:
    found: dict = client.get("/search.json", query_string={"q": query, "lang": language}).get_json()
    return found


@pytest.mark.parametrize("query", ["carbon fiber", "碳纤维", "tanxianwei", "탄소섬유"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_from_an_everyday_word_to_the_answer(client: FlaskClient, query: str, language: str) -> None:
    page = client.get("/search", query_string={"q": query, "lang": language}).text
    card = page.partition('class="answer"')[2].partition("</section>")[0]
    for part in (
        'href="/industries/carbon-fibre.pdf',  # to take away
        'href="/clusters/cluster-materials',  # the cluster and its target
        "300" if language != "en" else "30 billion yuan",
        'href="/zones/lingang',  # designated for the same cluster, and said to be just that
        'href="/agencies/industry-it-bureau',  # whom to ask
        'href="/plan/',
    ):
        assert part in card, part
    assert client.get("/industries/carbon-fibre.pdf").status_code == 200


def test_a_designated_industry_names_its_zones_with_clause(client: FlaskClient) -> None:
    row = _search(client, "医疗器械")["results"][0]
    assert row["says"] == "规划指定：高区"
    page = client.get("/search?q=医疗器械&lang=zh").text
    assert 'href="/zones/gaoqu' in page.partition('class="answer"')[2].partition("</section>")[0]


def test_an_industry_that_is_only_named_for_the_city_says_so(client: FlaskClient) -> None:
    assert _search(client, "碳纤维")["results"][0]["says"] == "规划提及，未指定区域"


@pytest.mark.parametrize("query", ["人工智能", "储能", "制药", "冷库", "AI", "백신"])
def test_a_synonym_is_never_said_to_be_designated(client: FlaskClient, query: str) -> None:
    answer = _search(client, query)
    assert f"规划未写“{query}”" in answer["said"]
    assert "规划指定" not in answer["results"][0]["says"]
    page = client.get("/search", query_string={"q": query, "lang": "zh"}).text
    card = page.partition('class="answer"')[2].partition("</section>")[0]
    assert f"规划未写“{query}”" in card
    assert "{" not in card
    assert "规划指定" not in card


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("cold chain", ('href="/zones/rongcheng', "national cold-chain logistics base", "国家冷链物流基地")),
        ("cold-chain warehouse", ('href="/zones/rongcheng', "国家冷链物流基地", 'href="/zones/wendeng')),
        ("kelp", ('href="/plan/', "海带", "prints “kelp”")),
        ("Japan", ('href="/plan/', "日本")),
        ("development zone", ('href="/zones/gaoqu', 'href="/zones/jingqu', 'href="/zones/lingang')),
        ("wind tower flanges", ("Offshore wind", "does not print “wind tower”")),
        ("ISIC 2100", ('href="/zones/jingqu', "stands for the industry")),
    ],
)
def test_the_card_says_where_the_plan_has_it(client: FlaskClient, query: str, parts: tuple[str, ...]) -> None:
    page = client.get("/search", query_string={"q": query, "lang": "en"}).text
    card = page.partition('class="answer"')[2].partition("</section>")[0]
    assert [part for part in parts if part not in card] == []


def test_no_university_is_listed_for_lying_near(client: FlaskClient) -> None:
    for query in ("机床", "疫苗", "新能源汽车"):
        page = client.get("/search", query_string={"q": query, "lang": "zh"}).text
        assert "北京交通大学" not in page.partition('class="answer"')[2].partition("</section>")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_for_a_page_leads_to_it(client: FlaskClient, language: str) -> None:
    answer = client.get("/search.json", query_string={"q": "who to contact", "lang": language}).get_json()
    assert [row["url"] for row in answer["results"]] == ["/agencies/"]
    page = client.get("/search", query_string={"q": "who to contact", "lang": language}).text
    assert 'href="/agencies/' in page.partition("<main")[2]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("query", ["量子计算", "quantum computing", "tobacco", "양자컴퓨팅"])
def test_what_is_outside_the_plan_is_said_to_be(client: FlaskClient, query: str, language: str) -> None:
    answer = _search(client, query, language)
    assert answer["results"] == []
    assert all(word in answer["said"] for word in query.split())
    page = client.get("/search", query_string={"q": query, "lang": language})
    assert page.status_code == 200
    assert answer["said"] in page.text
    assert 'class="answer"' not in page.text


@pytest.mark.parametrize("query", ["高区", "gaoqu", "新材料集群", "海洋三核", "marine-north"])
def test_places_and_clusters_have_an_answer_too(client: FlaskClient, query: str) -> None:
    answer = client.get("/search", query_string={"q": query, "lang": "en"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "🙂🙂",
        "\u202e\u05d0\u05d1\u05d2 شركة",
        "'; DROP TABLE zones; --",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}}${7*7}",
        "%00",
        "a" * 200,
        "碳" * 200,
    ],
)
def test_hostile_queries_are_only_text(client: FlaskClient, query: str) -> None:
    for path in ("/search", "/search.json"):
        answer = client.get(path, query_string={"q": query, "lang": "en"})
        assert answer.status_code == 200
        if path == "/search":
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert "49" not in answer.text.partition("<main")[2].partition("</h1>")[0]


@pytest.mark.parametrize("path", ["/search", "/search.json"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_query_of_ten_thousand_characters_is_refused(client: FlaskClient, path: str, language: str) -> None:
    answer = client.get(
        path, query_string={"q": "碳" * 10_000, "lang": language}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 400
    assert "10000" in answer.text


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_any_text_is_answered(client: FlaskClient, query: str, language: str) -> None:
    answer = client.get("/search", query_string={"q": query, "lang": language})
    assert answer.status_code == 200


def test_every_result_leads_somewhere(client: FlaskClient) -> None:
    seen = set()
    for query in ("威海", "海洋", "荣成", "gdp", "university", "市", "岛"):
        for row in _search(client, query)["results"]:
            if row["layer"] not in seen:
                seen.add(row["layer"])
                address = row["url"].partition("#")[0]
                assert client.get(address).status_code == 200, row["url"]
    assert len(seen) > 9


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/zones/", "/plan", "/industries/carbon-fibre", "/search", "/indicators"])
def test_the_box_works_by_keyboard_on_every_page(page: Page, site: str, path: str) -> None:
    page.goto(f"{site}{path}?lang=en")
    box = page.get_by_role("combobox")
    box.fill("nanhai")
    listbox = page.get_by_role("listbox")
    expect(listbox).to_be_visible()
    expect(listbox.get_by_role("option").first).to_contain_text("Nanhai New Area")
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", re.compile("."))
    active = box.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    box.press("Escape")
    expect(listbox).to_be_hidden()
    box.press("Enter")  # nothing chosen: all results
    page.wait_for_url(re.compile(r"/search\?(.*&)?q=nanhai(&|$)"))


@pytest.mark.browser
def test_a_choice_opens_its_page_in_the_readers_language(page: Page, site: str) -> None:
    page.goto(f"{site}/zones/?lang=ko")
    box = page.get_by_role("combobox")
    box.fill("탄소섬유")
    option = page.get_by_role("option").first
    expect(option).to_contain_text("탄소섬유 등 복합소재")
    expect(option.locator("mark").first).to_have_text("탄소섬유")
    box.press("ArrowDown")
    box.press("Enter")
    page.wait_for_url(re.compile(r"/industries/carbon-fibre"))
    expect(page.locator("html")).to_have_attribute("lang", "ko")


@pytest.mark.browser
def test_the_box_says_what_is_not_in_the_plan_and_offers_what_is_near(page: Page, site: str) -> None:
    page.goto(f"{site}/plan?lang=zh")
    page.get_by_role("combobox").fill("量子计算")
    expect(page.locator("#search-results .note")).to_contain_text("没有“量子计算”")
    expect(page.get_by_role("option", name=re.compile("电子信息"))).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []


@pytest.mark.browser
def test_a_marked_name_is_never_markup(page: Page, site: str) -> None:
    page.goto(f"{site}/zones/?lang=en")
    page.get_by_role("combobox").fill("<img src=x onerror=alert(1)> gaoqu")
    expect(page.get_by_role("option").first).to_contain_text("Weihai Hi-Tech Zone")
    expect(page.locator("img[src=x]")).to_have_count(0)
