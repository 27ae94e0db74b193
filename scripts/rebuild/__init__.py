"""Rebuild the committed boundary files; run by ``python -m scripts.rebuild.files``, never by the product."""
