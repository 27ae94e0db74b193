"""The language of an answer: ``?lang=``, else the browser's wish, else Chinese."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from flask import current_app, g, request
from markupsafe import Markup, escape

from webmap.format import format_clause
from webmap.problems import BadParameterError

LANGUAGES = ("zh", "en", "ko")
CHINESE = re.compile(r"[\u3400-\u9fff](?:[\u3400-\u9fff〔〕()0-9]*[\u3400-\u9fff)0-9])?")
CLAUSE = re.compile(r"[一二三四五六七八]\([一二三四五六七八九十]\)(?:\d+(?:\(\d+\))?)?")
NATIVE_NAMES = {"zh": "中文", "en": "English", "ko": "한국어"}


def current_language(*, strict: bool = True) -> str:
    """Return the language of the current request.

    Raises :class:`~webmap.problems.BadParameterError` for an unknown ``?lang=``; with `strict` False
    that falls back to the browser's wish, so that the error itself can be written.
    """
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        return asked
    if asked is not None and strict:
        raise BadParameterError("error.choice", parameter="lang", value=asked, allowed=", ".join(LANGUAGES))
    return request.accept_languages.best_match(LANGUAGES, default="zh") or "zh"


def translate(key: str, language: str, **values: Any) -> str:
    """Return the text for `key`; raises KeyError for a key that no file has."""
    text: str = current_app.extensions["strings"][language][key]
    return text.format(**values) if values else text


def translate_here(key: str, **values: Any) -> str:
    """Return the text for `key` in the language of the page that is being rendered."""
    return translate(key, g.language, **values)


def pick(text: dict[str, str] | None) -> str:
    """Return the page's language of a trilingual text, empty for none."""
    return text[g.language] if text else ""


def mark_chinese(text: str) -> Markup:
    """Return a text with what is Chinese in it marked as such, for the voice and the font of its language.

    Numbers of clauses are marked in every language: they never break.
    """
    marked = str(escape(text))
    if g.language == "zh":
        marked = CLAUSE.sub(r'<span class="unbroken">\g<0></span>', marked)
    else:
        marked = CHINESE.sub(_mark, marked)
    return Markup(marked)  # noqa: S704 - escaped above


def _mark(found: re.Match[str]) -> str:
    if CLAUSE.fullmatch(found[0]):
        return f'<span class="unbroken">{mark_clause(found[0])}</span>'
    return f'<span lang="zh">{found[0]}</span>'


def mark_clause(clause_id: str) -> Markup:
    """Return the number of a clause in the page's language, the plan's own number as its title."""
    if g.language == "zh":
        return Markup("{}").format(clause_id)
    shown = format_clause(clause_id, g.language)
    frame = Markup('<span lang="zh" title="{}"><span lang="{}">{}</span></span>')
    return frame.format(clause_id, g.language, shown)


def language_links() -> list[dict[str, str]]:
    """Return the current address in every language."""
    links = []
    for language in LANGUAGES:
        arguments = request.args.to_dict(flat=True) | {"lang": language}
        query = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in arguments.items()
        )
        links.append(
            {"lang": language, "name": NATIVE_NAMES[language], "href": f"{quote(request.path)}?{query}"}
        )
    return links
