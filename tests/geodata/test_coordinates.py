"""Positions are read as people write them, and doubt is never resolved by guessing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.crs import CoordinateError, parse_coordinates

SAME = (122.116306, 37.308194)


@pytest.mark.parametrize(
    "text",
    [
        "37°18′29.5″N 122°06′58.7″E",
        "122°06′58.7″E, 37°18′29.5″N",
        "N37°18'29.5\" E122°06'58.7\"",
        "北纬37°18′29.5″，东经122°06′58.7″",
        "东经122度06分58.7秒 北纬37度18分29.5秒",
        "東經122°06′58.7″ 北緯37°18′29.5″",
        "북위 37도 18분 29.5초 동경 122도 6분 58.7초",
        "37 18 29.5 N 122 06 58.7 E",
        "37:18:29.5N 122:06:58.7E",
        "37 18 29.5 122 06 58.7",
        "37°18'29.5''N, 122°6'58.7''E",
        "37º18’29.5”N 122º06’58.7”E",
        "３７°１８′２９．５″Ｎ １２２°０６′５８．７″Ｅ",
        "122.116306, 37.308194",
        "37.308194 122.116306",
        "[122.116306, 37.308194]",
        "(37.308194, 122.116306)",
        "122.116306，37.308194",
        "lon=122.116306&lat=37.308194".replace("&", " "),
        "lat: 37.308194, lng: 122.116306",
        "经度 122.116306 纬度 37.308194",
        "122.116306E 37.308194N",
        "37.308194° N, 122.116306° E",
        "geo:37.308194,122.116306",
        "geo:37.308194,122.116306;u=35",
        "POINT(122.116306 37.308194)",
        "SRID=4326;POINT (122.116306 37.308194)",
    ],
)
def test_one_position_in_many_notations(text: str) -> None:
    assert parse_coordinates(text, "CRS84") == pytest.approx(SAME, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "frame", "expected"),
    [
        ("421681, 4130300", "EPSG:4550", (421681, 4130300)),
        ("4130300 421681", "EPSG:4550", (421681, 4130300)),
        ("x=13594000 y=4487000", "EPSG:3857", (13594000, 4487000)),
        ("37°18.5'N 122°7'E", "GCJ-02", (122.116667, 37.308333)),
        ("33.5S 70.25W", "CRS84", (-70.25, -33.5)),
        ("-122.5, 37.5", "CRS84", (-122.5, 37.5)),
    ],
)
def test_frames_and_hemispheres(text: str, frame: str, expected: tuple[float, float]) -> None:
    assert parse_coordinates(text, frame) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "frame", "kind"),
    [
        ("", "CRS84", "empty"),
        ("  ", "CRS84", "empty"),
        ("1" * 201, "CRS84", "long"),
        ("abc", "CRS84", "unreadable"),
        ("122.1", "CRS84", "unreadable"),
        ("122.1 37.3 5", "CRS84", "unreadable"),
        ("<script>alert(1)</script>", "CRS84", "unreadable"),
        ("' OR 1=1 --", "CRS84", "unreadable"),
        ("🙂, 🙂", "CRS84", "unreadable"),
        ("36.9, 37.2", "CRS84", "order"),
        ("13594000, 4487000", "EPSG:3857", "order"),
        ("37.3N 122.1N", "CRS84", "labels"),
        ("37.3N 122.1", "CRS84", "labels"),
        ("37°61'N 122°0'E", "CRS84", "sexagesimal"),
        ("37.5°30'N 122°0'E", "CRS84", "sexagesimal"),
        ("421681, 4130300", "CRS84", "metres"),
        ("x=421681 y=4130300", "CRS84", "metres"),
        ("999, 999", "CRS84", "range"),  # too small for metres of any grid near here
        ("122.1, 37.3", "EPSG:4550", "degrees"),
        ("41421681, 4130300", "EPSG:4550", "zoned"),
        ("122.1, 137.3", "CRS84", "range"),
        ("999, 37", "CRS84", "range"),
        ("lon 37.3 lat 122.1", "CRS84", "range"),  # labelled, so never turned round
    ],
)
def test_what_is_no_position_says_why(text: str, frame: str, kind: str) -> None:
    with pytest.raises(CoordinateError) as found:
        parse_coordinates(text, frame)
    assert found.value.kind == kind


def test_an_unclear_order_offers_both() -> None:
    with pytest.raises(CoordinateError) as found:
        parse_coordinates("36.9, 37.2", "CRS84")
    assert found.value.options == ((36.9, 37.2), (37.2, 36.9))


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_what_is_written_with_letters_is_read_back(lon: float, lat: float) -> None:
    text = f"{abs(lat):.6f}{'S' if lat < 0 else 'N'} {abs(lon):.6f}{'W' if lon < 0 else 'E'}"
    assert parse_coordinates(text, "CRS84") == pytest.approx((lon, lat), abs=1e-6)


@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 599), st.integers(0, 89), st.integers(0, 59))
def test_sexagesimal_figures_are_read_back(
    degrees: int, minutes: int, tenths: int, north: int, north_minutes: int
) -> None:
    seconds = tenths / 10
    text = f"{degrees}°{minutes}′{seconds}″E {north}°{north_minutes}′0″N"
    expected = (degrees + minutes / 60 + seconds / 3600, north + north_minutes / 60)
    assert parse_coordinates(text, "CRS84") == pytest.approx(expected, abs=1e-6)


@given(st.floats(91, 180), st.floats(0, 90))
def test_the_order_does_not_matter_where_the_figures_tell(lon: float, lat: float) -> None:
    one, other = f"{lon:.5f}, {lat:.5f}", f"{lat:.5f} {lon:.5f}"
    assert parse_coordinates(one, "CRS84") == parse_coordinates(other, "CRS84")


@given(st.text(max_size=250), st.sampled_from(["CRS84", "EPSG:4550", "EPSG:3857", "BD-09"]))
def test_any_text_is_read_or_refused(text: str, frame: str) -> None:
    try:
        x, y = parse_coordinates(text, frame)
    except CoordinateError:
        return
    assert abs(x) < 1e9
    assert abs(y) < 1e9
