"""Crawl the application from the map along every link, and turn each response into a file.

A page's tags are changed and written as briefly as HTML may be, and every other byte is left as it is.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from itertools import accumulate

from werkzeug.test import TestResponse
from werkzeug.urls import iri_to_uri

from webmap.file_addresses import HOME_LANGUAGE, FileTarget, NeedsServerError, locate
from webmap.i18n import LANGUAGES

REFERENCES = ("href", "src")
CHANGED = {*REFERENCES, "action", "nonce"}
ASIDE = ("#", "data:", "mailto:", "tel:", "http://", "https://")  # what leads to no other file
Ask = Callable[[str, str], TestResponse]  # of an address and the media type that is wanted


class SiteError(Exception):
    """The site cannot be written; the message says which address is at fault."""


class Crawler:
    """What is to be asked, and what has been."""

    def __init__(self, ask: Ask, url: str | None) -> None:
        self._ask, self._url = ask, url
        self._waiting: list[FileTarget] = []
        self._met: set[str] = set()

    def start(self, addresses: Iterable[str]) -> None:
        """Ask for `addresses`, pages in every language."""
        for address in addresses:
            for language in LANGUAGES:
                self._meet(locate(address, language))

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of every file that can be reached; raises SiteError for a dead link."""
        while self._waiting:
            target = self._waiting.pop()
            answer = self._ask(target.request, "text/html" if target.is_page else "*/*")
            if answer.status_code != HTTPStatus.OK or target.is_page != (answer.mimetype == "text/html"):
                raise SiteError(f"{target.request}: {answer.status_code} {answer.mimetype}")
            yield target.path, self._write(target, answer.data) if target.is_page else answer.data

    def _meet(self, target: FileTarget) -> None:
        if target.path not in self._met:
            self._met.add(target.path)
            self._waiting.append(target)

    def _write(self, page: FileTarget, body: bytes) -> bytes:
        return rewrite_html(body.decode(), LinkRewriter(page, self._meet, self._url)).encode()


class LinkRewriter:
    """What becomes of the tags of one page: its links lead to files, seen from the page itself."""

    def __init__(self, page: FileTarget, meet: Callable[[FileTarget], None], url: str | None) -> None:
        self._page, self._meet, self._url = page, meet, url
        self._aside = (*ASIDE, *([url] if url else []))
        self._folder, first = page.path.rpartition("/")[0], page.path.partition("/")[0]
        self._language = first if first in LANGUAGES else HOME_LANGUAGE

    def __call__(self, tag: str, attributes: Attributes) -> Attributes:
        """Return the attributes of a tag as the file has them."""
        if tag != "html" and attributes.keys().isdisjoint(CHANGED):
            return attributes
        if "action" in attributes:  # a form, and no one to take it
            raise SiteError(f"{self._page.request}: {tag} {attributes['action']}")
        changed = {name: value for name, value in attributes.items() if name != "nonce"}
        for name in REFERENCES:
            reference = changed.get(name)
            if reference and not reference.startswith(self._aside):
                changed[name] = self._lead(reference, whole=tag == "link" and "hreflang" in changed)
        return changed | ({"data-root": self.root()} if tag == "html" else {})

    def root(self) -> str:
        """Return what leads from the page to the site's root."""
        return "../" * self._page.path.count("/") or "./"

    def lead_to(self, target: FileTarget) -> str:
        """Return the reference to a file."""
        return target.seen_from(self._folder)

    def _lead(self, reference: str, *, whole: bool) -> str:
        try:
            target = locate(reference, self._language)
        except NeedsServerError as error:
            raise SiteError(f"{self._page.request}: {reference}") from error
        self._meet(target)
        if whole and self._url is not None:
            return iri_to_uri(f"{self._url}/{target.seen_from('')}")
        return self.lead_to(target)


# -- a page's tags


Attributes = dict[str, str | None]
Change = Callable[[str, Attributes], Attributes]
HOLDERS = ("script", "style")  # whose text a policy must know
ATTRIBUTE = re.compile(r"""(\s+[^\s"'=<>/]+)=("[^"]*"|'[^']*')""")
PLAIN = re.compile(r"""[^\s"'=<>`]*[^\s"'=<>`/]""")  # a value that needs no quotes
# What an element ends before, so that it needs no tag of its own for that: a start, or an end with its slash.
ENDED_BY = {
    "li": {"li", "/ul", "/ol"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd", "/dl"},
    "td": {"td", "th", "/tr"},
    "th": {"td", "th", "/tr"},
    "tr": {"tr", "/tbody", "/thead", "/table"},
    "option": {"option", "/select", "/datalist"},
}


def rewrite_html(text: str, change: Change) -> str:
    """Return the page with the attributes that `change` returns for each tag, and its own policy.

    `change` returns the attributes that it was given where nothing changes, not a copy. Values stand without
    quotes, and elements without an end tag, where HTML allows it: a tenth less.
    The policy allows the page's inline scripts and styles by their hashes, so that the page needs no
    header and no nonce, and its bytes stay the same.
    """
    reader = _Reader(text, change)
    reader.feed(text)
    reader.close()
    policy = f'\n<meta http-equiv="Content-Security-Policy" content="{_policy(reader.inline)}">'
    edits = sorted([*reader.edits, (reader.head, reader.head, policy)])
    parts, at = [], 0
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _policy(inline: dict[str, list[str]]) -> str:
    """Return what the page may do; what only a header can say is in the server's example."""
    allowed = "".join(
        f"{kind}-src 'self' {' '.join(dict.fromkeys(map(_hash, inline[kind])))}; "
        for kind in HOLDERS
        if inline[kind]
    )
    rest = "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'"
    return f"default-src 'self'; {allowed}{rest}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class _Reader(HTMLParser):
    """Notes where tags stand, what becomes of them, and what stands in scripts and styles.

    Attributes
    ----------
    edits
        (start, end, new text) by offset.
    inline
        The texts of scripts and styles.
    head
        The offset behind the tag that says how the page is encoded, where the policy goes.
    """

    def __init__(self, text: str, change: Change) -> None:
        super().__init__(convert_charrefs=True)
        self.edits: list[tuple[int, int, str]] = []
        self.inline: dict[str, list[str]] = {kind: [] for kind in HOLDERS}
        self.head = 0
        self._text, self._change = text, change
        self._lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._opened = 0
        self._ended: tuple[str, int, int] | None = None  # the last end tag, if nothing came behind it yet

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        start, source = self._offset(), self.get_starttag_text() or ""
        end = self._opened = start + len(source)
        self._drop_end(tag, start)
        before = dict(attrs)
        after = self._change(tag, before)
        new = source if after is before else _write(tag, after, closed=source.endswith("/>"))
        new = _shorten(new)
        if new != source:
            self.edits.append((start, end, new))
        if tag == "meta" and "charset" in before:
            self.head = end

    def _drop_end(self, tag: str, start: int) -> None:
        """Leave out the last end tag where `tag` stands right behind it and says as much."""
        ended, self._ended = self._ended, None
        if ended and ended[2] == start and tag in ENDED_BY.get(ended[0], ()):
            self.edits.append((ended[1], ended[2], ""))

    def handle_endtag(self, tag: str) -> None:
        """Note an end tag, and what stood in a script or style."""
        start = self._offset()
        self._drop_end(f"/{tag}", start)
        self._ended = (tag, start, self._text.index(">", start) + 1)
        if tag in HOLDERS and (text := self._text[self._opened : self._offset()]):
            self.inline[tag].append(text)


def _write(tag: str, attributes: Attributes, *, closed: bool) -> str:
    said = [
        f" {name}" if value is None else f' {name}="{_escape(value)}"' for name, value in attributes.items()
    ]
    return f"<{tag}{''.join(said)}{'/' if closed else ''}>"


def _shorten(tag: str) -> str:
    """Return a start tag with its values unquoted where they may be.

    >>> _shorten('<a class="clause" href="x.html" title="x y">'), _shorten('<path d="M0"/>')
    ('<a class=clause href=x.html title="x y">', '<path d=M0 />')
    """
    short = ATTRIBUTE.sub(_unquote, tag)
    return (
        f"{short[:-2]} />"
        if short != tag and short.endswith("/>") and not short.endswith(('"/>', "'/>", " />"))
        else short
    )


def _unquote(attribute: re.Match[str]) -> str:
    name, value = attribute[1], attribute[2]
    return f"{name}={value[1:-1]}" if PLAIN.fullmatch(value[1:-1]) else attribute[0]


def _escape(value: str) -> str:
    return html.escape(value, quote=False).replace('"', "&quot;")
