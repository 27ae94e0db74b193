"""Filters in CQL2: parsed, checked against a collection's queryables, evaluated."""
