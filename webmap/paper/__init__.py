"""The plan on paper: maps drawn as SVG, sheets and the atlas typeset as PDF."""

SIZES = {  # of posters: width and height, millimetres
    "A4": (297.0, 210.0),
    "A3": (420.0, 297.0),
    "A2": (594.0, 420.0),
    "A1": (841.0, 594.0),
    "A0": (1189.0, 841.0),
}
