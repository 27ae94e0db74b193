"""Boundaries that somebody brings: read, named, checked, and put in the place of ours."""
