"""Measure the product beside its peers, both in one run on one machine."""
