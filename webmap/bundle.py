"""Join the page's ES modules into one file, so that a first view needs one request for all of them.

Understands the part of the module syntax that our modules use: named imports from neighbours, and
``export`` before a function, class or constant. Anything else is refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|const (\w+)|class (\w+))", re.MULTILINE)
LEFT_OVER = re.compile(r"^(?:import\b|export\b).*$", re.MULTILINE)


class BundleError(ValueError):
    """The modules cannot be joined; the message names the module and why."""


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """Return one module that does what `entry` and everything it imports do.

    `modules` maps names without ``.js`` to sources. Raises :class:`BundleError` for a circular or
    missing import and for syntax that is not understood.
    """
    done: list[str] = []
    _add(entry, modules, done, ())
    return "".join(f"const ${_safe(name)} = (() => {{\n{_wrap(name, modules[name])}}})();\n" for name in done)


def _add(name: str, modules: Mapping[str, str], done: list[str], above: tuple[str, ...]) -> None:
    """Append `name` to `done` after everything that it imports."""
    if name in above:
        raise BundleError(f"{' -> '.join((*above, name))}: circular import")
    if name not in modules:
        raise BundleError(f"{above[-1] if above else name}: imports {name}.js, which does not exist")
    if name not in done:
        for match in IMPORT.finditer(modules[name]):
            _add(match[2], modules, done, (*above, name))
        done.append(name)


def _wrap(name: str, source: str) -> str:
    exported = [next(filter(None, match.groups())) for match in EXPORT.finditer(source)]
    body = EXPORT.sub("", IMPORT.sub(_import, source))
    left = LEFT_OVER.search(body)
    if left:
        raise BundleError(f"{name}.js: {left[0]!r} is not understood")
    return f"{body}return {{ {', '.join(exported)} }};\n"


def _import(match: re.Match[str]) -> str:
    names = [part.strip().replace(" as ", ": ") for part in match[1].split(",") if part.strip()]
    return f"const {{ {', '.join(names)} }} = ${_safe(match[2])};\n"


def _safe(name: str) -> str:
    return name.replace("-", "_")
