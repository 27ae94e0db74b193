"""Files of boundaries for tests: how they are written, read, and proposed."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely

from geodata.boundary_import.issues import RefusedError
from geodata.boundary_import.propose import Baseline, ImportRequest, propose
from geodata.boundary_import.reader import read_boundary_file
from geodata.read import read_boundaries, read_facts

GROUND = Baseline(read_facts(), read_boundaries())
SQUARE = shapely.box(122.0, 37.2, 122.1, 37.3)
NAMES = ["临港区", "蔄山"]
FORMATS = {
    "geojson": {"driver": "GeoJSON"},
    "gpkg": {"driver": "GPKG"},
    "fgb": {"driver": "FlatGeobuf"},
    "kml": {"driver": "KML"},
    "shp": {"driver": "ESRI Shapefile", "encoding": "UTF-8"},
}


def zipped(path, folder="", drop=()):
    """Pack a file with its companions."""
    target = path.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for one in sorted(path.parent.glob(f"{path.stem}.*")):
            if one != target and one.suffix not in drop:
                archive.write(one, folder + one.name)
    return target


def dumped(path, features, **more):
    rows = [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for properties, geometry in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows, **more}), encoding="utf-8")
    return path


def plain(shape):
    return json.loads(shapely.to_geojson(shape))


def refused(path, **options):
    """Return the code that a file is refused with."""
    with pytest.raises(RefusedError) as error:
        read_boundary_file(path, **options)
    assert str(path.parent) not in json.dumps(error.value.issue.to_dict())
    return error.value.issue.code


def request(path, **values):
    said: dict[str, Any] = {
        "source": "s",
        "licence": "l",
        "who": "w",
        "why": "y",
        "accuracy_m": 5.0,
        "layer": "zones",
    }
    return ImportRequest(file=path, when=datetime(2026, 11, 1, tzinfo=UTC), **(said | values))


def codes(path, **values):
    """Return the codes of everything found, and the places that came out."""
    proposal = propose(request(path, **values), GROUND)
    for issue in proposal.issues:
        assert issue.message_zh
        assert issue.message_en
        assert issue.message_ko
        assert issue.path
        assert set(issue.to_dict()) == {
            *("code", "level", "feature_id", "path", "message_zh", "message_en", "message_ko", "fix")
        }
    return {issue.code for issue in proposal.issues}, [record.of for record in proposal.records]


def zone(name):
    return GROUND.shapes[name].geometry


def record_of(path, of, **values):
    proposal = propose(request(path, of=of, **values), GROUND)
    assert proposal.errors == 0, proposal.issues
    return proposal.records[0]
