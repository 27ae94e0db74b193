"""Crawl the application from the map along every link, and turn each response into a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus

from werkzeug.test import TestResponse

from webmap.file_addresses import HOME_LANGUAGE, FileTarget, NeedsServerError, locate
from webmap.i18n import LANGUAGES
from webmap.site.html_rewrite import Attributes, rewrite_html

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
            return f"{self._url}/{target.seen_from('')}"
        return self.lead_to(target)
