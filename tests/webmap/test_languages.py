"""Every page in every language: nothing of another language is left over, and what is Chinese says so."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.webmap.crawling import walk
from webmap.i18n import format_quantity

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
WIDE_TWICE = re.compile(r".{0,14}[，。：；、！？）》」] +[^ \n].{0,14}|.{0,14}[^ \n] +（.{0,14}")
# A clause is addressed as the plan numbers it, in every language; so is the plan itself.
CLAUSE = re.compile(
    r"(?:[一二三四五](?:\([一二三四五六七]\))?(?:\d+(?:\(\d+\))?)?|通知|引言)(?![\u3400-\u9fff])"
)
NUMBER = "威政字〔2023〕40号"
HANJA = re.compile(r"\([\u3400-\u9fff]+(?=[) ])")  # Korean writes the characters of a coined word in brackets
CHOICES = {"中文", "한국어"}  # the language switch names each language in itself


def _left_over(language: str, marked: str, text: str) -> str:
    if text in CHOICES or marked != language:
        return ""
    rest = CLAUSE.sub("", text.replace(NUMBER, ""))
    if language == "ko":
        return rest if HAN.search(HANJA.sub("", rest)) else ""
    return rest if HAN.search(rest) or HANGUL.search(rest) else ""


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_chinese_is_left_in_a_page_but_what_is_marked_as_chinese(
    client: FlaskClient, language: str
) -> None:
    pages, left, chinese = 0, dict[str, str](), 0
    for address, reading in walk(client, language):
        pages += 1
        for marked, text in (*reading.texts, *reading.attributes):
            if rest := _left_over(language, marked, text):
                left.setdefault(rest, address)
            chinese += marked == "zh" and bool(HAN.search(text))
    assert left == {}
    assert pages > 500
    assert chinese > 1000  # the plan's own words stand beside their translation


def test_a_chinese_page_has_nothing_of_the_other_languages(client: FlaskClient) -> None:
    """Names of software and sources are Latin everywhere; Korean belongs to the switch alone.

    Nor has it the blanks that templates have for them beside punctuation, wide as that is by itself.
    """
    left = dict[str, str]()
    for address, reading in walk(client, "zh"):
        for marked, text in reading.texts:
            if marked == "zh" and HANGUL.search(text) and text not in CHOICES:
                left.setdefault(text, address)
        for found in WIDE_TWICE.finditer("".join(reading.running)):
            left.setdefault(found[0], address)
    assert left == {}


@pytest.mark.parametrize(
    ("language", "written"), [("zh", "450亿元"), ("en", "45 billion yuan"), ("ko", "450억 위안")]
)
def test_sums_are_counted_as_the_language_counts(client: FlaskClient, language: str, written: str) -> None:
    unit = {"zh": "亿元", "en": "100 million yuan", "ko": "억 위안"}
    assert format_quantity(450, unit, language) == written
    assert written in client.get(f"/clusters/cluster-it?lang={language}").text


def test_what_is_chinese_within_another_language_is_marked_where_it_stands(client: FlaskClient) -> None:
    app = client.application
    with app.test_request_context("/?lang=en"):
        app.preprocess_request()
        mark = app.jinja_env.filters["chinese"]
        assert mark("<b> 高技术 (high)") == '&lt;b&gt; <span lang="zh">高技术</span> (high)'
        number = '<span lang="zh" title="三(一)1(2)"><span lang="en">III(1)1(2)</span></span>'
        assert mark("see 三(一)1(2).") == f'see <span class="unbroken">{number}</span>.'
        assert mark("park (三(一)1(2)) is") == f'park (<span class="unbroken">{number}</span>) is'
        assert mark(NUMBER) == f'<span lang="zh">{NUMBER}</span>'
    with app.test_request_context("/?lang=zh"):
        app.preprocess_request()
        assert mark("<高技术>") == "&lt;高技术&gt;"
