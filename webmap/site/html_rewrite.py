"""Change a page's tags and leave every other byte as it is."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import accumulate

Attributes = dict[str, str | None]
Change = Callable[[str, Attributes], Attributes]
HOLDERS = ("script", "style")  # whose text a policy must know


def rewrite_html(text: str, change: Change) -> str:
    """Return the page with the attributes that `change` returns for each tag, and its own policy.

    `change` returns the attributes that it was given where nothing changes, not a copy.
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
    allowed = {kind: " ".join(["'self'", *dict.fromkeys(map(_hash, inline[kind]))]) for kind in HOLDERS}
    return (
        f"default-src 'self'; script-src {allowed['script']}; style-src {allowed['style']}; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'"
    )


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

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        start, source = self._offset(), self.get_starttag_text() or ""
        end = self._opened = start + len(source)
        before = dict(attrs)
        after = self._change(tag, before)
        if after is not before:
            self.edits.append((start, end, _write(tag, after, closed=source.endswith("/>"))))
        if tag == "meta" and "charset" in before:
            self.head = end

    def handle_endtag(self, tag: str) -> None:
        """Note what stood in a script or style."""
        if tag in HOLDERS and (text := self._text[self._opened : self._offset()]):
            self.inline[tag].append(text)


def _write(tag: str, attributes: Attributes, *, closed: bool) -> str:
    said = [
        f" {name}" if value is None else f' {name}="{_escape(value)}"' for name, value in attributes.items()
    ]
    return f"<{tag}{''.join(said)}{'/' if closed else ''}>"


def _escape(value: str) -> str:
    return html.escape(value, quote=False).replace('"', "&quot;")
