"""OGC API – Features at ``/ogc/``: parse, select, join prepared bytes; free of any web framework.

Part 1 (core, GeoJSON, HTML, OpenAPI 3.0), Part 2 (CRS) and Part 3 (queryables, filters in CQL2).
"""
