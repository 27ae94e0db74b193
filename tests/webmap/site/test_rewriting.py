"""Rewriting changes what it is told to change; what is left out, no reader of HTML misses."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from tests.webmap.site.conftest import quote_values
from webmap.file_addresses import FileTarget, locate
from webmap.static_site import Attributes, LinkRewriter, rewrite_html

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


def in_full(page: str) -> str:
    """Return a rewritten page without its policy, with the quotes of its values."""
    return quote_values(POLICY.sub("", page)).replace('" />', '"/>')


@given(PAGES)
def test_a_page_of_which_nothing_changes_gains_its_policy_and_loses_quotes_alone(page: str) -> None:
    assert in_full(rewrite_html(page, unchanged)) == page


@given(PAGES)
def test_only_the_tags_that_change_are_written_anew(page: str) -> None:
    def change(tag: str, attributes: Attributes) -> Attributes:
        return attributes | {"href": "../y.html"} if tag == "a" else attributes

    expected = page.replace('<a href="/x?a=1&amp;b=2" class="y">', '<a href="../y.html" class="y">')
    assert in_full(rewrite_html(page, change)) == expected


BRIEF = (
    ('<p class="y" id="a b" title="">', '<p class=y id="a b" title="">'),
    ('<a href="../" data-x="1=2">x</a>', '<a href="../" data-x="1=2">x</a>'),
    ("""<b title='"x"' data-y='{"a": "b"}' lang='zh'>""", """<b title='"x"' data-y='{"a": "b"}' lang=zh>"""),
    ('<circle r="5"/><path d="M0 0"/><br/>', '<circle r=5 /><path d="M0 0"/><br/>'),
    ("<ul><li>a</li><li>b</li> <li>c</li></ul>", "<ul><li>a<li>b</li> <li>c</ul>"),
    (
        "<table><tr><th>a</th><td>b</td></tr><tr><td><p>c</p></td></tr></table>",
        "<table><tr><th>a<td>b<tr><td><p>c</p></table>",
    ),
    (
        "<dl><dt>a</dt><dd>b</dd></dl><script>'</li><li>'</script>",
        "<dl><dt>a<dd>b</dl><script>'</li><li>'</script>",
    ),
)


@pytest.mark.parametrize(("page", "brief"), BRIEF)
def test_quotes_and_end_tags_are_left_out_where_html_allows_it(page: str, brief: str) -> None:
    head = '<meta charset="utf-8">'
    assert POLICY.sub("", rewrite_html(f"{head}{page}", unchanged)) == f"<meta charset=utf-8>{brief}"


def test_a_browser_reads_the_same_from_what_is_left(browser: Browser, client: FlaskClient) -> None:
    pages = [client.get(f"{one}?lang=en").text for one in ("/", "/zones/gaoqu", "/data/", "/plan", "/about")]
    pages += [f"{HEAD}<body>{''.join(page for page, _ in BRIEF)}"]
    brief = [POLICY.sub("", rewrite_html(page, unchanged)) for page in pages]
    assert all(len(one) < len(page) for one, page in zip(brief, pages, strict=True))
    read = "([one, other]) => { const [a, b] = [one, other].map((text) => new DOMParser()"
    read += '.parseFromString(text, "text/html")); return a.isEqualNode(b); }'
    tab = browser.new_page()
    assert [tab.evaluate(read, list(pair)) for pair in zip(pages, brief, strict=True)] == [True] * len(pages)
    tab.close()


def test_values_are_escaped_and_inline_scripts_are_allowed_by_their_hash() -> None:
    script = "run('<&>')\n"
    page = f'{HEAD}<link href="/a"/><script nonce="n">{script}</script><script src="/s.js"></script>'
    found = rewrite_html(
        page, lambda _, given: {name: f"{value}&\"'" for name, value in given.items() if name != "nonce"}
    )
    assert '<link href="/a&amp;&quot;\'"/><script>' in found
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in found
    assert "style-src" not in found  # none but files, as of everything


@pytest.mark.parametrize(
    "address", ["https://example.org/a?b=1", "http://example.org/", "mailto:a@example.org", "tel:1"]
)
def test_links_that_lead_off_the_site_stay_as_they_are(address: str) -> None:
    met: list[FileTarget] = []
    rewriter = LinkRewriter(locate("/about", "zh"), met.append, None)
    assert rewriter("a", {"href": address})["href"] == address
    assert met == []
