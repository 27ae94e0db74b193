"""Find what the plan names, by name and in every script of its readers.

:mod:`~layers.search.names` builds the index with the release; :class:`Search` answers from it.
"""

from layers.search.finder import LIMIT, MAX_QUERY, FoundRow, Search, SearchDocument, ToldAnswer

__all__ = ["LIMIT", "MAX_QUERY", "FoundRow", "Search", "SearchDocument", "ToldAnswer"]
