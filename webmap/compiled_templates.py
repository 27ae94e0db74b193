"""Templates as Jinja compiles them, kept in the cache of files: it takes a worker half a second."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import BytecodeCache

from webmap.file_cache import FileCache
from webmap.problems import RequestError

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class CompiledTemplates(BytecodeCache):
    """Code of templates in `cache`, which checks what it reads; `options` are those of the environment."""

    def __init__(self, cache: FileCache, options: dict[str, object]) -> None:
        self._cache = cache
        self._about = (version("jinja2"), sys.version, repr(sorted(options.items())))

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read the code of a template, where it was compiled before."""
        if (kept := self._cache.read(self._key(bucket))) is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template, where there is room."""
        with suppress(OSError, RequestError):
            code = bucket.bytecode_to_string()

            def write(path: Path) -> None:
                path.write_bytes(code)

            self._cache.read_or_make(self._key(bucket), write, patience_s=0)

    def _key(self, bucket: Bucket) -> tuple[str, ...]:
        return ("template", bucket.key, bucket.checksum, *self._about)
