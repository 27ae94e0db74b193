"""Import boundaries: read a file, georeference and match it, check it, and fit it into the base geometry."""
