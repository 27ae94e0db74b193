"""The plan's text falls into the clauses that it numbers, whatever the page around it looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.document import item_of, normalise, parent_of, parse_document, parse_units


def split_clauses(text: str) -> dict[str, str]:
    document = parse_document(text)
    return {clause: document.text(clause) for clause in document.own}


PAGE = """7月19日,某市印发通知,通知指出,一、不是标题。
原文如下:
某市人民政府关于印发某市产业方案的通知
某政字〔2023〕40号
(此件公开发布)
某市产业方案
为发展产业，制定本方案。
一、基础
(一)概况。总面积5.5平方公里。
1.创新之城。研发占2.48%。
2.海洋之城。
（二）目标
1.到2024年达到2.8%。(责任单位:市科技局、市教育局)
目标表
_ueditor_page_break_tag_二、任务
(一)布局。
1.空间。
(1)北部。甲区,重点发展新材料。
(2)南部。〔责任单位:市科技局,某大学(某市)、乙区管委〕
2.海洋。(1)渔业。发展养殖。(2)工业。
(责任单位:市海洋局)
3.产业链。
(1)推动。(责任单位:市科技局)
(2)提升。(责任单位:市商务局)
评论
"""


@pytest.fixture(scope="module")
def document():
    return parse_document(PAGE)


def test_every_clause_is_addressed_as_numbered(document):
    chapter_one = ["一", "一(一)", "一(一)1", "一(一)2", "一(二)", "一(二)1"]
    first_item = ["二", "二(一)", "二(一)1", "二(一)1(1)", "二(一)1(2)"]
    others = ["二(一)2", "二(一)2(1)", "二(一)2(2)", "二(一)3", "二(一)3(1)", "二(一)3(2)"]
    assert list(document.own) == ["通知", "引言", *chapter_one, *first_item, *others]


def test_prose_of_the_web_page_belongs_to_no_clause(document):
    text = "".join(document.own.values())
    assert "不是标题" not in text
    assert "评论" not in text
    assert "ueditor" not in text


def test_notice_ends_where_the_plan_repeats_its_own_title(document):
    assert document.own["通知"].endswith("(此件公开发布)")
    assert document.own["引言"] == "某市产业方案\n为发展产业,制定本方案。"


def test_a_page_break_tag_starts_a_new_line(document):
    assert document.own["二"] == "二、任务"


def test_points_numbered_inside_a_paragraph_are_clauses(document):
    assert document.own["二(一)2"].startswith("2.海洋。")
    assert document.own["二(一)2(1)"] == "(1)渔业。发展养殖。"


def test_an_item_speaks_through_its_points_and_a_section_does_not(document):
    assert "新材料" in document.text("二(一)1")
    assert "新材料" not in document.text("二(一)")


def test_a_decimal_number_opens_no_clause():
    assert list(split_clauses("一、章\n(一)节\n1.条\n2.8%的目标")) == ["一", "一(一)", "一(一)1"]


def test_a_number_out_of_turn_opens_no_clause():
    assert list(split_clauses("一、章\n(一)节\n1.条\n3.不是条\n(5)不是目")) == ["一", "一(一)", "一(一)1"]


def test_each_block_of_responsible_units_goes_to_the_clause_that_it_serves(document):
    assert document.units == {
        "一(二)1": ("市科技局", "市教育局"),
        "二(一)1": ("市科技局", "某大学(某市)", "乙区管委"),
        "二(一)2": ("市海洋局",),
        "二(一)3(1)": ("市科技局",),
        "二(一)3(2)": ("市商务局",),
    }


def test_only_block_after_an_earlier_point_stays_with_that_point():
    document = parse_document("一、章\n(一)节\n1.条\n(1)甲。(责任单位:市科技局)\n(2)乙。")
    assert document.units == {"一(一)1(1)": ("市科技局",)}


def test_full_width_brackets_and_separators_make_the_same_units():
    assert parse_units("（责任单位：市科技局、某大学（某市），各区政府）") == (
        "市科技局",
        "某大学(某市)",
        "各区政府",
    )


def test_text_without_a_heading_has_no_numbered_clause():
    assert split_clauses("没有编号的文字") == {"引言": "没有编号的文字"}
    assert split_clauses("") == {}


@pytest.mark.parametrize(
    ("clause", "parent", "item"),
    [
        ("三(一)1(2)", "三(一)1", "三(一)1"),
        ("三(一)1", "三(一)", None),
        ("三(一)", "三", None),
        ("三", None, None),
        ("通知", None, None),
    ],
)
def test_parents_follow_from_the_address(clause, parent, item):
    assert parent_of(clause) == parent
    assert item_of(clause) == item


NUMERALS = "一二三四五六七八九"
words = st.text(alphabet="产业发展创新海洋重点", min_size=1, max_size=8)
points = st.integers(0, 3)
items = st.lists(points, max_size=3)
sections = st.lists(items, max_size=3)
outlines = st.lists(sections, min_size=1, max_size=12)


def chinese(number):
    """Write a number below 100 in Chinese."""
    tens, ones = divmod(number, 10)
    ten = ("" if tens == 1 else NUMERALS[tens - 1]) + "十" if tens else ""
    return ten + (NUMERALS[ones - 1] if ones else "")


def outline_lines(outline):
    """Yield the address and the heading of every clause of `outline`."""
    for chapter, chapter_sections in enumerate(outline, 1):
        yield chinese(chapter), f"{chinese(chapter)}、"
        for section, section_items in enumerate(chapter_sections, 1):
            inside = f"{chinese(chapter)}({chinese(section)})"
            yield inside, f"({chinese(section)})"
            for item, count in enumerate(section_items, 1):
                yield f"{inside}{item}", f"{item}."
                yield from ((f"{inside}{item}({point})", f"({point})") for point in range(1, count + 1))


@given(outlines, words, st.booleans())
def test_any_outline_gives_back_its_addresses(outline, word, inline):
    lines = list(outline_lines(outline))
    text = "".join(
        ("" if inline and item_of(address) else "\n") + heading + word + "。" for address, heading in lines
    )
    document = parse_document(text)
    assert list(document.own) == [address for address, _ in lines]
    assert list(document.own.values()) == [f"{heading}{word}。" for _, heading in lines]


def test_long_outlines_are_numbered_past_ten():
    lines = list(outline_lines([[[25]] * 12] * 31))
    addresses = [address for address, _ in lines]
    assert list(split_clauses("\n".join(heading for _, heading in lines))) == addresses
    assert addresses[-1] == "三十一(十二)1(25)"


@given(outlines)
def test_the_width_of_punctuation_changes_no_address(outline):
    text = "\n".join(heading + "甲" for _, heading in outline_lines(outline))
    wide = text.translate(str.maketrans("().,", "（）．，"))
    assert split_clauses(wide) == split_clauses(text)


@given(
    st.lists(words, min_size=1, max_size=9), st.sampled_from("、,，"), st.sampled_from(["()", "（）", "〔〕"])
)
def test_a_printed_block_gives_back_its_units(names, separator, brackets):
    assert parse_units(f"{brackets[0]}责任单位：{separator.join(names)}{brackets[1]}") == tuple(names)


@given(st.text())
def test_normalising_twice_is_normalising_once(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(alphabet="产业，。（）； 　\n2.8%", max_size=30))
def test_normalising_keeps_everything_but_white_space(text):
    assert len(normalise(text)) == len("".join(text.split()))


@given(st.text())
def test_no_text_makes_the_splitter_fail(text):
    split_clauses(text)
