"""Rebuild the committed boundary files; run by ``scripts/boundaries.py``, never by the product."""
