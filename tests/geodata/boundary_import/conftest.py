"""What the tests of imports share: a writer of files, and proposals without their neighbours."""

from __future__ import annotations

import numpy as np
import pyogrio
import pytest
import shapely

from tests.geodata.boundary_import.files import FORMATS, NAMES


@pytest.fixture
def write(tmp_path):
    """Write features with GDAL."""

    def write(name, shapes, frame="EPSG:4326", field="name", values=None, **options):
        path = tmp_path / name
        values = np.array(values or NAMES[: len(shapes)], dtype=object)
        kinds = {shape.geom_type for shape in shapes}
        kind = kinds.pop() if len(kinds) == 1 else "Unknown"
        pyogrio.raw.write(
            path,
            shapely.to_wkb(np.array(shapes, dtype=object)),
            [values],
            [field],
            geometry_type=kind,
            crs=frame,
            **(FORMATS[path.suffix[1:]] | options),
        )
        return path

    return write


@pytest.fixture
def alone(monkeypatch):
    """Leave out what a polygon does to its neighbours, which takes seconds."""
    monkeypatch.setattr("geodata.boundary_import.propose._check_effects", lambda *_, **__: None)
