"""Filters in CQL2: parsed by pygeofilter, checked against a collection's queryables, evaluated."""
