"""Names are found however people type them, and what the plan does not name is not found."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.search import LIMIT, Search
from layers.search.vocabulary import Keys, drop_tones, fold, pack_keys, squeeze, stem, trace_letters
from layers.store import Release


@pytest.fixture(scope="module")
def search(release: Release) -> Search:
    return Search(release.read_json("index/search.json"))


# What people type, and what must come first.
FIRST: dict[str, str] = {
    # zones and other places, in every script
    "高区": "gaoqu",
    "gaoqu": "gaoqu",
    "gao qu": "gaoqu",
    "GQ": "gaoqu",
    "威海火炬": "gaoqu",
    "經區": "jingqu",
    "经区": "jingqu",
    "南海新区": "nanhai",
    "nanhai": "nanhai",
    "난하이신구": "nanhai",
    "临港": "lingang",
    "lingang": "lingang",
    "綜合保稅區": "zongbaoqu",
    "Rongcheng": "rongcheng",
    "荣成市": "rongcheng",
    "룽청": "rongcheng",
    "영성": "rongcheng",
    "石岛": "shidao",
    "chucun": "chucun",
    "中韩自贸区地方经济合作示范区": "five-china-korea",
    "中日产业园": "zhongri-park",
    "产城融合": "five-city-industry",
    # clauses, by the number that the page of each language writes
    "三(六)4(4)": "三(六)4(4)",
    "III(6)4(4)": "三(六)4(4)",
    "iii(1)1(2)": "三(一)1(2)",
    # industries, by their own names and by everyday words
    "碳纤维": "carbon-fibre",
    "碳纖維": "carbon-fibre",
    "碳纤维产业": "carbon-fibre",
    "碳纖維產業園區": "carbon-fibre",
    "tanxianwei": "carbon-fibre",
    "tan xian wei": "carbon-fibre",
    "tàn xiān wéi": "carbon-fibre",
    "tan4 xian1 wei2": "carbon-fibre",
    "TXW": "carbon-fibre",
    "tanxianwei chanye": "carbon-fibre",
    "carbon fiber": "carbon-fibre",
    "Carbon fibres": "carbon-fibre",
    "carbon fibre industry in Weihai": "carbon-fibre",
    "ＣＡＲＢＯＮ ＦＩＢＥＲ": "carbon-fibre",
    "탄소섬유": "carbon-fibre",
    "탄소 섬유": "carbon-fibre",
    "탄소섬": "carbon-fibre",
    "탄솟": "carbon-fibre",  # 탄소 with the first letter of 섬 typed
    "ㅌㅅㅅㅇ": "carbon-fibre",
    "탄소섬유 산업": "carbon-fibre",
    "医疗器械": "medical-devices",
    "威海的医疗器械": "medical-devices",
    "医疗器械产业在哪里": "medical-devices",
    "醫療器械": "medical-devices",
    "ylqx": "medical-devices",
    "medical device": "medical-devices",
    "medical devices": "medical-devices",
    "where are medical devices?": "medical-devices",
    "의료기기": "medical-devices",
    "웨이하이의 의료기기를": "medical-devices",
    "软件": "electronic-information",
    "軟體": "electronic-information",  # the word used in Taiwan
    "chips": "electronic-information",
    "반도체": "electronic-information",
    "机器人": "intelligent-equipment",
    "機器人": "intelligent-equipment",
    "jiqiren": "intelligent-equipment",
    "robot": "intelligent-equipment",
    "로봇": "intelligent-equipment",
    "海鲜": "seafood-processing",
    "seafood": "seafood-processing",
    "sea food": "seafood-processing",
    "해산물": "seafood-processing",
    "钓具": "leisure-sports-goods",
    "fishing rods": "leisure-sports-goods",
    "낚싯대": "leisure-sports-goods",
    "打印机": "printers-terminals",
    "yachts": "leisure-sports-goods",
    "精细化工": "fine-chemicals",
    "jingxihuagong": "fine-chemicals",
    "海水淡化": "desalination",
    "desalination": "desalination",
    "核电": "nuclear-power",
    "원전": "nuclear-power",
    "hydrogen": "hydrogen-solar",
    "新能源汽车": "automotive",
    "cars": "automotive",
    "汽車零部件": "automotive",
    "海带": "seafood-processing",
    "cold chain": "rongcheng",  # 国家冷链物流基地
    "냉동": "seafood-processing",
    # the rest of what the plan names
    "哈工大": "hit-weihai",
    "山大威海": "sdu-weihai",
    "산동대": "sdu-weihai",
    "威海港": "port-weihai",
    "CNWEI": "port-weihai",
    "大水泊机场": "airport-weihai",
    "airport": "airport-weihai",
    "웨이하이역": "station-weihai",
    "刘公岛": "island-liugong",
    "劉公島": "island-liugong",
    "liugongdao": "island-liugong",
    "Liugong Island": "island-liugong",
    "市科技局": "sci-tech-bureau",
    "地区生产总值": "gdp",
    "三(一)1(2)": "三(一)1(2)",
    "三（一）1（2）": "三(一)1(2)",
}
# Misspelt, and what it is taken for.
TYPOS = {
    "carbn fiber": "carbon-fibre",
    "carbon fibr industry": "carbon-fibre",
    "tanxianwie": "carbon-fibre",
    "炭纤维": "carbon-fibre",  # sounds the same
    "炭纤维产业": "carbon-fibre",
    "탄소섬뮤": "carbon-fibre",
    "medcal devices": "medical-devices",
    "pharmaceutcal": "biomedicine",
    "seafod": "seafood-processing",
    "desalinaton": "desalination",
    "rongchen": "rongcheng",
    "gaoqv": "gaoqu",
    "海阳生物": "marine-biology",
}


@pytest.mark.parametrize(("query", "first"), FIRST.items())
@pytest.mark.parametrize("language", ["zh", "ko"])
def test_what_is_meant_comes_first(search: Search, query: str, first: str, language: str) -> None:
    assert search.find(query, language)[0]["id"] == first


@pytest.mark.parametrize(("query", "first"), TYPOS.items())
def test_a_misspelling_is_understood(search: Search, query: str, first: str) -> None:
    assert search.find(query, "en")[0]["id"] == first


def test_a_correction_is_told(search: Search) -> None:
    assert search.answer("carbn fiber", "en")["corrected"] == "carbon fibre"
    assert search.answer("탄소섬뮤", "ko")["corrected"] == "탄소섬유"
    assert search.answer("carbon fiber", "en")["corrected"] is None


@pytest.mark.parametrize(
    "query", ["", "   ", "🙂", "<script>alert(1)</script>", "' OR 1=1 --", "\u202eabc", "zzzzqqq"]
)
def test_nonsense_finds_nothing(search: Search, query: str) -> None:
    assert search.find(query, "en") == []


@pytest.mark.parametrize(
    "query",
    ["量子计算", "quantum computing", "tobacco", "水泥产业", "火箭", "zinc", "coal mining", "석탄"],
)
def test_what_the_plan_does_not_name_is_said_to_be_missing(search: Search, query: str) -> None:
    answer = search.answer(query, "en")
    assert answer["results"] == []
    assert answer["missing"]
    assert all(word in query for word in answer["missing"])
    assert answer["corrected"] is None


def test_another_chinese_character_is_another_word(search: Search) -> None:
    answer = search.answer("无人塔", "zh")  # unmanned towers, where the plan has unmanned vessels
    assert answer["results"] == []
    assert "marine-equipment" in [row["id"] for row in answer["near"]]


def test_near_terms_say_which_spelling_is_near(search: Search) -> None:
    near = search.answer("量子计算", "zh")["near"]
    assert near[0]["id"] == "electronic-information"
    assert "计算" in near[0]["match"]


def test_a_query_that_is_known_in_part_says_which_part_is_not(search: Search) -> None:
    answer = search.answer("高区 量子计算", "zh")
    assert answer["results"][0]["id"] == "gaoqu"
    assert answer["missing"] == ["量子计算"]


def test_several_things_in_one_query_are_all_found(search: Search) -> None:
    ids = {row["id"] for row in search.find("高区的医疗器械和电子信息", "zh")}
    assert {"gaoqu", "medical-devices", "electronic-information"} <= ids


def test_words_may_stand_in_any_order(search: Search) -> None:
    assert search.find("weihai technology harbin", "en")[0]["id"] in {"hit-weihai", "hit-parent"}


def test_an_industry_says_what_the_plan_says(search: Search) -> None:
    (medical, *_) = search.find("医疗器械", "zh")
    assert (medical["status"], [zone["id"] for zone in medical["zones"]]) == ("designated", ["gaoqu"])
    (carbon, *_) = search.find("碳纤维", "zh")
    assert (carbon["status"], carbon["zones"]) == ("city", [])


def test_designated_industries_come_before_those_of_the_city(search: Search) -> None:
    for query in ("化工", "装备", "海洋", "energy", "marine"):
        rows = [row for row in search.find(query, "zh") if row["layer"] == "industries"]
        exact = [row["status"] for row in rows if row["match"].lower() == query]
        assert exact == sorted(exact, key=["designated", "city"].index)


@pytest.mark.parametrize(
    ("query", "language", "marked"),
    [
        ("高区", "zh", "高区"),
        ("碳纖維", "zh", "碳纤维"),
        ("tanxianwei", "zh", "碳纤维"),
        ("txw", "zh", "碳纤维"),
        ("carbon fiber", "en", "carbonfibre"),
        ("탄소섬", "ko", "탄소섬"),
        ("nanhaixinq", "zh", "南海新区"),
    ],
)
def test_what_was_hit_is_marked(search: Search, query: str, language: str, marked: str) -> None:
    row = search.find(query, language)[0]
    letters = "".join(row["match"][start:end] for start, end in row["match_marks"])
    assert letters.replace(" ", "") == marked


@given(st.text(max_size=300), st.sampled_from(["zh", "en", "ko"]))
def test_any_text_is_answered_with_ranges_that_fit(search: Search, query: str, language: str) -> None:
    answer = search.answer(query, language)
    assert len(answer["results"]) <= LIMIT
    for row in answer["results"]:
        for text, ranges in ((row["name"], row["marks"]), (row["match"], row["match_marks"])):
            flat = [at for one in ranges for at in one]
            assert flat == sorted(set(flat))
            assert all(0 <= at <= len(text) for at in flat)


@given(st.sampled_from(sorted(FIRST)), st.data())
def test_what_is_still_being_typed_finds_something(search: Search, query: str, data: st.DataObject) -> None:
    whole = search.find(query, "zh")
    start = query[: data.draw(st.integers(2, max(2, len(query))))]
    if whole and squeeze(fold(whole[0]["match"])).startswith(squeeze(fold(query))) and fold(start):
        assert search.find(start, "zh")


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=80))
def test_folding_does_not_depend_on_how_a_letter_is_composed(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.text(max_size=80))
def test_every_folded_letter_knows_where_it_comes_from(text: str) -> None:
    folded, origin = trace_letters(text)
    assert folded == squeeze(fold(text))
    assert origin == sorted(origin)
    assert all(folded[at] in fold(text[index]) for at, index in enumerate(origin))


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=12))
def test_a_korean_word_begins_with_its_syllables(word: str) -> None:
    for end in range(1, len(word)):
        assert fold(word).startswith(fold(word[:end]))


def test_plurals_and_spellings_have_one_stem() -> None:
    for words in (("fibre", "fiber", "fibres"), ("utilisation", "utilization"), ("harbour", "harbors")):
        assert len({stem(word) for word in words}) == 1
    assert stem("glass") == "glass"
    assert drop_tones("tan4 xian1 wei2") == "tan xian wei"


def _told(search: Search, query: str) -> tuple[str, str | None]:
    told: Any = search.answer(query, "en")["answer"]
    industry = told["industry"]
    return told["kind"], industry["id"] if industry else None


@pytest.mark.parametrize(
    ("query", "kind", "industry"),
    [
        ("medical catheter factory in Weihai", "synonym", "medical-devices"),
        ("의료용 카테터 공장", "synonym", "medical-devices"),
        ("想在荣成建一个冷库", "synonym", "logistics"),
        ("sensors for medical devices", "synonym", "medical-devices"),
        ("碳纤维钓竿", "synonym", "leisure-sports-goods"),  # the last word is what the first describes
        ("打印耗材", "city", "printers-terminals"),  # 耗材 is printed of the heart alone
        ("한국 화장품 공장은 어디에", "city", "marine-biology"),
        ("underwater robot", "city", "marine-equipment"),
        ("gaoqu yiliaoqixie", "named", "medical-devices"),
        ("GB/T 4754 C27", "named", "biomedicine"),
        ("ISIC C26", "named", "electronic-information"),
    ],
)
def test_a_question_is_answered_by_the_word_that_matters(
    search: Search, query: str, kind: str, industry: str
) -> None:
    assert _told(search, query) == (kind, industry)


def test_what_the_plan_wants_a_place_to_be_is_an_answer(search: Search) -> None:
    for query in ("冷链", "cold chain", "콜드체인"):
        told: Any = search.answer(query, "zh")["answer"]
        assert [(row["id"], row["clause"]) for row in told["positioning"]] == [("rongcheng", "三(一)1(3)")]


def test_a_synonym_shows_what_the_plan_says_of_the_word_in_it(search: Search) -> None:
    answer: Any = search.answer("cold-chain warehouse", "en")
    assert (answer["answer"]["kind"], answer["answer"]["printed"]) == ("synonym", "冷链")
    (chain,) = answer["others"]
    assert (chain["kind"], chain["places"][0]["id"]) == ("positioning", "rongcheng")


def test_words_that_were_not_used_are_told(search: Search) -> None:
    answer: Any = search.answer("wind tower lanyards", "en")
    assert answer["answer"]["industry"]["id"] == "offshore-wind"
    assert answer["unused"] == answer["missing"] == ["lanyards"]
    assert search.answer("wind towers", "en")["unused"] == []


@pytest.mark.parametrize(
    ("query", "not_found"),
    [
        ("rope", "sci-tech-services"),  # property
        ("전복", "national-security-training-base"),  # 안전보…
        ("김", "new-energy"),
        ("who to contact", "sci-tech-services"),  # contracts
        ("cold storage", "electronic-information"),  # cloud storage
    ],
)
def test_a_part_of_another_word_is_not_found(search: Search, query: str, not_found: str) -> None:
    assert not_found not in [row["id"] for row in search.find(query, "en")]


@pytest.mark.parametrize("query", ["sailing boats", "sea water", "steel plates"])
def test_a_word_that_is_spelt_right_is_not_corrected(search: Search, query: str) -> None:
    assert search.answer(query, "en")["corrected"] is None


@pytest.mark.parametrize("query", ["who to contact", "联系谁", "연락처"])
def test_a_question_that_a_page_answers_leads_there(search: Search, query: str) -> None:
    answer: Any = search.answer(query, "en")["answer"]
    assert (answer["kind"], answer["url"]) == ("page", "/agencies/")


@pytest.mark.parametrize("query", sorted({*FIRST, *TYPOS, "cold-chain warehouse", "高区 量子计算", "日本"}))
def test_every_row_of_an_answer_has_its_clause(search: Search, query: str) -> None:
    told = search.answer(query, "ko")["answer"]
    if told is None or told["kind"] in {"place", "page", "kind"}:
        return
    rows = [
        row for kind in ("zones", "areas", "positioning", "city", "tasks", "elsewhere") for row in told[kind]
    ]
    assert all(row["clause"] for row in rows)
    assert all(row["verb"] for kind in ("zones", "areas") for row in told[kind])
    assert rows or told["clauses"]


def test_keys_in_columns_are_those_that_went_in() -> None:
    keys = [[("一", "一", 0), ("yi", "一", 3), ("y", "一", 4)], [], [("sea batteries", "Sea batteries", 2)]]
    packed = Keys(pack_keys(keys))
    assert packed.list_typed(3) == keys
    assert packed.list_names(3) == [["一"], [], []]
    assert [key.text for key in packed] == ["一", "yi", "y", "sea batteries", "sea battery"]
    assert packed[4].squeezed == "seabattery"


def test_a_term_without_words_of_an_alphabet_stops_no_search(release: Release) -> None:
    index = release.read_json("index/search.json")
    index["meanings"]["terms"][0]["term"]["en"] = "=+*"
    assert Search(index).find("wei", "en")
