"""What can be wrong with a request; :mod:`webmap.errors` turns these into answers."""

from __future__ import annotations

from typing import Any


class RequestError(Exception):
    """A request that cannot be answered; carries the translation key and what fills it."""

    status = 400

    def __init__(self, key: str, *, near: list[dict[str, str]] | None = None, **values: Any) -> None:
        super().__init__(key)
        self.key = key
        self.values = values
        self.near = near or []


class BadParameterError(RequestError):
    """A parameter is missing, malformed or out of range."""

    def __init__(self, key: str, *, parameter: str, value: str | None, allowed: str, **values: Any) -> None:
        super().__init__(key, parameter=parameter, value=value, allowed=allowed, **values)


class NotFoundError(RequestError):
    """There is no such thing; ``near`` lists what may have been meant."""

    status = 404


class TooLargeError(RequestError):
    """What was sent has more bytes than are read."""

    status = 413


class UnsupportedTypeError(RequestError):
    """What was sent is of a type that is not read."""

    status = 415


class UnfitError(RequestError):
    """What was sent can be read, but is not what can be worked with."""

    status = 422


class BusyError(RequestError):
    """Too much is being made at once; asking again later will do."""

    status = 503

    def __init__(self) -> None:
        super().__init__("error.busy")


class UnavailableError(RequestError):
    """What holds the features cannot be reached now; asking again later will do."""

    status = 503

    def __init__(self) -> None:
        super().__init__("error.unavailable")
