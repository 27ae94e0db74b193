"""Names are found however people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.search import LIMIT, Search, fold
from layers.store import Release


@pytest.fixture(scope="module")
def search(release: Release) -> Search:
    return Search(release.read_json("index/search.json"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("高区", "gaoqu"),
        ("gaoqu", "gaoqu"),
        ("gao qu", "gaoqu"),
        ("GQ", "gaoqu"),
        ("南海新区", "nanhai"),
        ("nanhai", "nanhai"),
        ("Rongcheng", "rongcheng"),
        ("룽청", "rongcheng"),
        ("영성", "rongcheng"),
        ("碳纤维", "cluster-materials"),
        ("三(一)1(2)", "三(一)1(2)"),
        ("三（一）1（2）", "三(一)1(2)"),
        ("chucun", "chucun"),
        ("威海火炬", "gaoqu"),
        ("哈工大", "hit-innovation-park"),
    ],
)
def test_a_name_is_found_in_any_script(search: Search, query: str, found: str) -> None:
    ids = [row["id"] for row in search.find(query, "zh")]
    assert found in ids[:5], ids[:8]


def test_an_exact_name_comes_first(search: Search) -> None:
    assert search.find("经区", "zh")[0]["id"] == "jingqu"
    assert search.find("荣成市", "zh")[0]["id"] == "rongcheng"


@pytest.mark.parametrize(
    "query", ["", "   ", "🙂", "<script>alert(1)</script>", "' OR 1=1 --", "\u202eabc", "zzzzqqq"]
)
def test_nonsense_finds_nothing(search: Search, query: str) -> None:
    assert search.find(query, "en") == []


@given(st.text(max_size=300), st.sampled_from(["zh", "en", "ko"]))
def test_any_text_is_answered_within_the_limit(search: Search, query: str, language: str) -> None:
    results = search.find(query, language)
    assert len(results) <= LIMIT


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
