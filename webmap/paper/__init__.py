"""The plan on paper: maps drawn as SVG, sheets and the atlas typeset as PDF."""
