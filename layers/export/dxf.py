"""DXF for programs that draw: closed polylines in metres, a layer for each of ours and one for its names."""

from __future__ import annotations

import io
import re
from collections import OrderedDict

import numpy as np
import shapely
from ezdxf import units
from ezdxf._options import options
from ezdxf.document import Drawing
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.enums import TextEntityAlignment
from ezdxf.filemanagement import new
from ezdxf.layouts.layout import Modelspace
from shapely.geometry.base import BaseGeometry

from layers.export.job import Job, Part
from layers.export.places import find_inside, geometries_of

APPLICATION = "WEIHAI_LAYOUT"
MEMBERS = ("id", "name_zh", "geometry_method", "positional_accuracy_m")  # that each shape carries
NAME_M = 200.0  # height of a name
_FORBIDDEN = re.compile(r'[<>/\\":;?*|=`,\s]+')
_MAX_TEXT = 250  # bytes of one text that a shape carries
_MAX_NAME = 150  # bytes of a layer's name, to which more is added


def write_dxf(job: Job) -> bytes:
    """Return the drawing of every layer of the job, AutoCAD 2010 and later, one unit a metre.

    Holes are polylines like any other. A point whose place is known is a point with its name.
    """
    options.write_fixed_meta_data_for_testing = True  # a file does not depend on the clock
    drawing = new("R2010", units=units.M)
    drawing.appids.add(APPLICATION)
    drawing.styles.add("names", font="simsun.ttf")
    for number, part in enumerate([part for part in job.parts if part.spatial]):
        _add_part(drawing, part, job.spec.frame, colour=1 + number % 7)
    classes = drawing.classes  # the library adds them in the order of a set
    classes.add_required_classes(drawing.dxfversion)
    classes.classes = OrderedDict(sorted(classes.classes.items()))
    text = io.StringIO()
    drawing.write(text)
    content: bytes = drawing.encode(text.getvalue())
    return content


def _add_part(drawing: Drawing, part: Part, frame: str, *, colour: int) -> None:
    title = _shorten(_FORBIDDEN.sub(" ", part.info["title"]["zh"]), _MAX_NAME)
    if title in drawing.layers:  # in letters of either case
        title = f"{title} ({part.id})"
    names = f"{title}-名称"
    drawing.layers.add(title, color=colour)
    drawing.layers.add(names, color=colour)
    space = drawing.modelspace()
    for values, geometry in zip(part.properties, geometries_of(part, frame), strict=True):
        if geometry is None:
            continue
        said = [(1000, _shorten(f"{name}={values.get(name)}")) for name in MEMBERS if name in values]
        for shape in _draw(space, geometry, title):
            shape.set_xdata(APPLICATION, [*said, (1000, f"crs={frame}")])
        text = space.add_text(
            str(values["name_zh"]), height=NAME_M, dxfattribs={"layer": names, "style": "names"}
        )
        text.set_placement(find_inside(geometry), align=TextEntityAlignment.MIDDLE_CENTER)


def _draw(space: Modelspace, geometry: BaseGeometry, layer: str) -> list[DXFGraphic]:
    """Draw a geometry, (east, north) in metres, and return its shapes."""
    attributes = {"layer": layer}
    if geometry.geom_type == "Point":
        return [space.add_point(geometry.coords[0], dxfattribs=attributes)]
    shapes: list[DXFGraphic] = []
    for ring in shapely.get_rings(shapely.get_parts(geometry)):
        shape = space.add_lwpolyline((), close=True, dxfattribs=attributes)
        # All corners at once, without widths and bulges: one by one, every corner copies those before it.
        shape.lwpoints.extend(np.pad(shapely.get_coordinates(ring)[:-1], ((0, 0), (0, 3))))
        shapes.append(shape)
    return shapes


def _shorten(text: str, size: int = _MAX_TEXT) -> str:
    return text.encode()[:size].decode(errors="ignore")
