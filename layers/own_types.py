"""What an operator says of a layer of their own, as the release's catalogue has it."""

from __future__ import annotations

from typing import TypedDict


class OwnTextEntry(TypedDict):
    """A text of an operator's: in Chinese, and in other languages where there is one."""

    zh: str
    en: str | None
    ko: str | None


class OwnFieldEntry(TypedDict):
    """A field of an operator's own layer, as its file declares it."""

    name: str
    title: OwnTextEntry
    kind: str
    unit: OwnTextEntry | None
    values: list[OwnTextEntry]


class OwnPopupEntry(TypedDict):
    """Which field is the name of a feature, and which are shown."""

    title: OwnTextEntry
    fields: list[str]


class OwnEntry(TypedDict):
    """What an operator says of a layer of their own."""

    description: OwnTextEntry | None
    fields: list[OwnFieldEntry]
    popup: OwnPopupEntry
    source: str
    source_url: str | None
    as_of: str
    licence: str
