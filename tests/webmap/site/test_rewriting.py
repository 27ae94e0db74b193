"""Rewriting changes what it is told to change, and no other byte."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmap.file_addresses import FileTarget, locate
from webmap.site.crawler import Attributes, LinkRewriter, rewrite_html

HEAD = '<!doctype html>\n<html lang="zh">\n<head>\n<meta charset="utf-8">\n'
PIECES = st.sampled_from(
    [
        *(
            '<a href="/x?a=1&amp;b=2" class="y">甲&lt;乙</a>',
            "<br>",
            '<svg viewBox="0 0 1 1"><path d="M0"/></svg>',
        ),
        *("<input disabled value='a\"b'>", "<!-- <a href='/no'> -->", "<p>\n\n三(一)\r\n</p>", "&nbsp;&#39;"),
        *(
            "<script>if (a < b && c) x = '<a href=\"/no\">';</script>",
            "<details open><summary>x</summary></details>",
        ),
        *('<textarea>&lt;iframe src="/x"&gt;</textarea>', '<b title="it\'s">\u2028</b>', "1 < 2"),
    ]
)
PAGES = st.lists(PIECES, max_size=12).map(lambda pieces: HEAD + "\n".join(pieces))
POLICY = re.compile('\n<meta http-equiv="Content-Security-Policy" content="[^"]*">')


def unchanged(_: str, attributes: Attributes) -> Attributes:
    return attributes


@given(PAGES)
def test_a_page_of_which_nothing_changes_gains_its_policy_and_nothing_else(page: str) -> None:
    assert POLICY.sub("", rewrite_html(page, unchanged)) == page


@given(PAGES)
def test_only_the_tags_that_change_are_written_anew(page: str) -> None:
    def change(tag: str, attributes: Attributes) -> Attributes:
        return attributes | {"href": "../y.html"} if tag == "a" else attributes

    expected = page.replace('<a href="/x?a=1&amp;b=2" class="y">', '<a href="../y.html" class="y">')
    assert POLICY.sub("", rewrite_html(page, change)) == expected


def test_values_are_escaped_and_inline_scripts_are_allowed_by_their_hash() -> None:
    script = "run('<&>')\n"
    page = f'{HEAD}<link href="/a"/><script nonce="n">{script}</script><script src="/s.js"></script>'
    found = rewrite_html(
        page, lambda _, given: {name: f"{value}&\"'" for name, value in given.items() if name != "nonce"}
    )
    assert '<link href="/a&amp;&quot;\'"/><script>' in found
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in found
    assert "style-src 'self';" in found


@pytest.mark.parametrize(
    "address", ["https://example.org/a?b=1", "http://example.org/", "mailto:a@example.org", "tel:1"]
)
def test_links_that_lead_off_the_site_stay_as_they_are(address: str) -> None:
    met: list[FileTarget] = []
    rewriter = LinkRewriter(locate("/about", "zh"), met.append, None)
    assert rewriter("a", {"href": address})["href"] == address
    assert met == []
