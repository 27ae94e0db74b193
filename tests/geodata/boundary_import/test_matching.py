"""Which place a feature is: by id, name, code, or not at all."""

from __future__ import annotations

import pytest
import shapely

from geodata.boundary_import.propose import propose
from tests.geodata.boundary_import.files import GROUND, codes, dumped, plain, request, zone


@pytest.mark.parametrize(
    ("layer", "value", "place"),
    [
        ("zones", "临港区", "lingang"),
        ("zones", " lingang ", "lingang"),
        ("zones", "Weihai Lingang District", "lingang"),
        ("zones", "임항구", "lingang"),
        ("zones", "371073", "lingang"),
        ("counties", "371082", "rongcheng"),
        ("counties", "荣成市", "rongcheng"),
        ("towns", "371002001", "town-huancuilou"),
        ("towns", "371002001000", "town-huancuilou"),
        ("parks", "中韩产业园", "zhonghan-park"),
    ],
)
def test_names_and_codes_find_their_place(layer, value, place):
    from geodata.boundary_import.matching import PlaceIndex

    names = PlaceIndex(GROUND.facts, layer)
    assert names.find(value) == place
    assert names.find("无此地") is None
    if value.isdigit():
        assert names.find(float(value)) == place


def test_the_field_that_names_the_places_is_found_or_asked_for(tmp_path):
    rows = [({"no": 1, "mc": "临港区", "xz": "x"}, plain(zone("lingang")))]
    path = dumped(tmp_path / "a.geojson", rows)
    assert codes(path) == (set(), ["lingang"])
    assert codes(path, field="nothing")[0] == {"unknown-field"}
    assert codes(path, field="xz")[0] == {"no-match"}
    (issue,) = propose(request(path, field="xz"), GROUND).issues
    assert "xz" in issue.message_en
    assert "mc" not in issue.message_en  # which does name the place
    assert codes(path, of="no-such")[0] == {"unknown-id"}
    assert codes(path, of="huancui")[0] == {"unknown-id"}  # a county, not a zone


def test_unknown_doubled_and_outlying_features_are_said(tmp_path):
    shape = plain(zone("lingang"))
    two = [({"n": "临港区"}, shape), ({"n": "371073"}, shape)]
    assert codes(dumped(tmp_path / "a.geojson", two))[0] == {"duplicate-id"}
    other = [({"n": "临港区"}, shape), ({"n": "某地"}, shape)]
    assert codes(dumped(tmp_path / "b.geojson", other))[0] == {"unknown-id"}
    far = [({"n": "临港区"}, shape), ({"n": "海淀区"}, plain(shapely.box(116, 39, 117, 40)))]
    assert codes(dumped(tmp_path / "c.geojson", far)) == ({"outside-city"}, ["lingang"])


def test_findings_about_names_name_the_places(tmp_path):
    shape = plain(zone("lingang"))
    rows = [({"n": name}, shape) for name in ("临港区", "371073", "某地", "某地", "另一地")]
    issues = propose(request(dumped(tmp_path / "a.geojson", rows)), GROUND).issues
    unknown, doubled = issues  # one for all that are unknown, however many there are
    assert (unknown.code, doubled.code) == ("unknown-id", "duplicate-id")
    assert "“某地” “另一地”" in unknown.message_zh
    assert unknown.fix
    assert "高区（gaoqu）、" in unknown.fix["zh"]
    assert "Weihai Hi-Tech Zone (gaoqu), " in unknown.fix["en"]
    assert doubled.message_zh.startswith("临港区（lingang）出现 2 次")
    assert "(lingang) occurs 2 times" in doubled.message_en


def test_a_place_of_another_layer_is_told_where_it_is(tmp_path):
    path = dumped(tmp_path / "a.geojson", [({"n": "文登区"}, plain(zone("wendeng")))])
    for said in ({"of": "wendeng"}, {}):
        (issue,) = propose(request(path, **said), GROUND).issues
        assert issue.code == ("unknown-id" if said else "no-match")
        assert issue.fix
        assert "改用 --layer counties。" in issue.fix["zh"]
        assert "use --layer counties; " in issue.fix["en"]
        assert "--" not in str(issue.here)  # a browser has no options


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"no": 7, "mc": "经济技术开发区"}, "经济技术开发区"),
        ({"mc": "图斑 1", "dm": 371072}, "371072"),
        ({"mc": "高区", "xl": "经区"}, None),  # it does name the place
        ({"mc": "图斑 1", "county": "环翠区"}, None),  # nothing of this layer
    ],
)
def test_an_id_that_the_file_contradicts_is_warned_of(tmp_path, properties, value):
    path = dumped(tmp_path / "a.geojson", [(properties, plain(zone("gaoqu")))])
    proposal = propose(request(path, of="gaoqu"), GROUND)
    said = [issue for issue in proposal.issues if issue.code == "name-contradicts"]
    assert [issue.level for issue in said] == (["warning"] if value else [])
    if value:
        assert f"“{value}”是经区（jingqu），指明的却是高区（gaoqu）" in said[0].message_zh
        assert said[0].fix
        assert "--id jingqu" in said[0].fix["en"]
