"""Walk the site as a reader with a browser would: from the map along every link, in one language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

from flask.testing import FlaskClient

ORIGIN = "http://localhost"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
WITHIN = {"a", "abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "mark", "output", "q", "s", "small"}
WITHIN |= {"span", "strong", "sub", "sup", "time", "u", "var"}  # tags that begin no new line
VOICED = ("alt", "title", "aria-label", "placeholder", "value", "content")
STARTS = (
    "/",
    "/search?q=gaoqu",
    "/search?q=zzzz",
    "/compare",
    "/compare?zones=gaoqu,nanhai",
    "/find",
    "/embed",
)
MOST_QUERIES = 3  # addresses of one path with different parameters: filters and sortings multiply


@dataclass
class Reading(HTMLParser):
    """What is on a page: its tags and links, and every text with the language that it is marked as."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    running: list[str] = field(default_factory=list)  # what stands on one line, between line breaks
    source: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("lang") or self._language()))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self.running += ["\n"] * (tag not in WITHIN)
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] not in {"script", "style"}:
            self.running.append(re.sub(r"\s+", " ", data))
            self.texts += [(self._language(), data.strip())] * bool(data.strip())

    def _note(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tags.append((tag, attributes))
        self.running += ["\n"] * (tag not in WITHIN)
        if tag == "a" and attributes.get("href"):
            self.links.append(str(attributes["href"]))
        language = attributes.get("lang") or self._language()
        self.attributes += [(language, str(attributes[name])) for name in VOICED if attributes.get(name)]

    def _language(self) -> str:
        return self._open[-1][1] if self._open else ""


def read_page(text: str) -> Reading:
    """Return what is on a page."""
    reading = Reading(source=text)
    reading.feed(text)
    reading.close()
    return reading


def walk(client: FlaskClient, language: str, most: float = float("inf")) -> Iterator[tuple[str, Reading]]:
    """Yield every page that links lead to, each once, with its address; of each folder at most so many."""
    waiting = [_in_language(path, language) for path in STARTS]
    met, queries, folders = set(waiting), dict[str, int](), Counter[str]()
    while waiting:
        address = waiting.pop(0)
        folder = address.partition("?")[0].rpartition("/")[0]
        folders[folder] += 1
        if folder and folders[folder] > most:
            continue
        answer = client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 200, address
        if answer.mimetype != "text/html":
            continue
        reading = read_page(answer.text)
        yield address, reading
        for link in reading.links:
            parts = urlsplit(urljoin(ORIGIN + address, link))
            further = _in_language(f"{parts.path}?{parts.query}", language)
            if f"{parts.scheme}://{parts.netloc}" != ORIGIN or further in met or _is_file(parts.path):
                continue
            if dict(parse_qsl(parts.query)).get("lang", language) != language:
                continue
            queries[parts.path] = queries.get(parts.path, 0) + 1
            if queries[parts.path] <= MOST_QUERIES:
                met.add(further)
                waiting.append(further)


def _in_language(address: str, language: str) -> str:
    path, _, query = address.partition("?")
    kept = "&".join(part for part in query.split("&") if part and not part.startswith("lang="))
    return f"{path}?{kept}&lang={language}" if kept else f"{path}?lang={language}"


def _is_file(path: str) -> bool:
    return bool(re.search(r"\.[a-z0-9.]{2,12}$", path)) or path.startswith(("/ogc", "/r/", "/openapi"))
