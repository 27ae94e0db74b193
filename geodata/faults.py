"""Say which fields of a record break the rules of its kind, and what would be allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from geodata.messages import Place, problem
from geodata.model import Record
from geodata.problem import Problem
from geodata.rows import Row

_ABOUT_FIELD = {"extra_forbidden", "invalid_key"}  # what is allowed are the names around the field


def find_faults(error: ValidationError, kind: type[Record], file: str, row: Row) -> Iterator[Problem]:
    """Yield a problem with file, line and field for everything that `error` finds wrong with `row`."""
    for fault in error.errors(include_url=False, include_input=False):
        code, path = fault["type"], fault["loc"]
        field = ".".join(map(str, path))
        where = Place(file, row.label, field, row.line(field))
        allowed = allowed_fields(kind, path[:-1] if code in _ABOUT_FIELD else path)
        context = {name: _shown(value) for name, value in fault.get("ctx", {}).items()}
        values: dict[str, Any] = {"allowed": ", ".join(allowed)} | context
        try:
            yield problem(code, where, row.texts.get(field, ""), **values)
        except KeyError:  # a rule that has no wording of its own
            found = problem("invalid", where, row.texts.get(field, ""), reason=fault["msg"])
            yield replace(found, code=code)


def allowed_fields(kind: type[BaseModel], path: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return the names of the fields that the record at `path` inside a record of `kind` may have.

    >>> from geodata.ground import Town
    >>> allowed_fields(Town, ("name",))
    ('zh', 'en', 'ko')
    """
    inner: type[BaseModel] | None = kind
    for part in path:
        if isinstance(part, str) and inner is not None:
            field = inner.model_fields.get(part)
            inner = _record_in(field.annotation) if field else None
    return tuple(inner.model_fields) if inner else ()


def _record_in(annotation: Any) -> type[BaseModel] | None:
    """Return the kind of record in an annotation such as ``tuple[Term, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_record_in, get_args(annotation))), None)


def _shown(value: object) -> object:
    """Return `value` as readers of any language can take it: pydantic joins words with "or"."""
    return value.replace(" or ", ", ") if isinstance(value, str) else value
