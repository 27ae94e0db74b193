"""What an operator states: texts, addresses and dates, checked as they are read."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from geodata.kinds import LANGUAGES
from geodata.model import Record

_HOST = re.compile(r"[^\s<>\"'\\^`{}|@:/?#]+(?::[0-9]{1,5})?")
_BAD_IN_ADDRESS = re.compile(r"[\s<>\"'\\^`{}|]")


def _require_address(text: str) -> str:
    parts = urlsplit(text)
    fits = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc)
    if not fits or _BAD_IN_ADDRESS.search(text):
        raise PydanticCustomError("web-address", "no web address")
    return text


def _require_feedback(text: str) -> str:
    by_mail = re.fullmatch(r"mailto:[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text, re.ASCII)
    if not by_mail and not text.startswith("https://"):
        raise PydanticCustomError("feedback-address", "no address for feedback")
    return text if by_mail else _require_address(text)


def _read_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    if type(value) is not dt.date:
        raise PydanticCustomError("not-a-date", "no date")
    return value


Short = Annotated[str, Field(min_length=1, max_length=200)]
Address = Annotated[str, Field(max_length=500), AfterValidator(_require_address)]
Feedback = Annotated[str, Field(max_length=300), AfterValidator(_require_feedback)]
Day = Annotated[dt.date, BeforeValidator(_read_day)]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9(][0-9 ()/,;-]{2,48}$")]
Mail = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")]


class OwnText(Record):
    """An operator's text: in Chinese, and in English and Korean where they have it; a bare one is Chinese."""

    zh: str = Field(min_length=1, max_length=500)
    en: str | None = Field(default=None, min_length=1, max_length=500)
    ko: str | None = Field(default=None, min_length=1, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _take_bare_text(cls, value: object) -> object:
        return {"zh": value} if isinstance(value, str) else value

    def to_words(self) -> dict[str, str]:
        """Return the text in every language of the city, in Chinese where it is in no other."""
        return {one: getattr(self, one, None) or self.zh for one in LANGUAGES}
