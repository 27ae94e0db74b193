"""Paper: what stands on it is what the facts say, on one page, tagged, embedded, the same every time."""

import io
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pypdf
import pytest
import shapely
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from layers.store import Release
from webmap import label_placement as labels
from webmap.i18n import LANGUAGES, format_clause, format_number, format_quantity
from webmap.label_placement import wrap_text
from webmap.paper.drawing import SCALES, Drawing, Ground, explain_edges, fit
from webmap.paper.painter import Painter
from webmap.paper.sheets import HUE, Chosen, draw_locator
from webmap.views import data

pytestmark = pytest.mark.usefixtures("printed_here")

THEMES = ("districts", "five-zones", "belts", "marine-cores", "clusters", "platforms", "gateways")
SVG = "{http://www.w3.org/2000/svg}"


def parse(svg: str) -> Any:
    return ET.fromstring(svg)


def read(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer.mimetype == "application/pdf"
    return pypdf.PdfReader(io.BytesIO(answer.data))


def text_of(reader: Any) -> str:
    """Return the text without white space: lines break where the page needs it."""
    return "".join("".join(page.extract_text() for page in reader.pages).split())


def squeeze(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("place", "language"),
    [
        *(("gaoqu", language) for language in LANGUAGES),
        *(("rongcheng", "en"), ("huancui", "ko"), ("five-china-korea", "en")),
        *(("marine-north", "ko"), ("zongbaoqu", "zh")),
    ],
)
def test_a_place_is_one_page_with_all_its_designations(
    client: FlaskClient, release: Release, place: str, language: str
) -> None:
    reader = read(client, f"/zones/{place}.pdf?lang={language}")
    assert len(reader.pages) == 1
    text, document = text_of(reader), release.read_json(f"documents/{place}.json")
    for words in (document["name"][language], document["name"]["zh"], "2023"):
        assert squeeze(words) in text
    for row in document["industries"]:
        assert squeeze(row["term"][language]) in text
        assert format_clause(row["clause"], language) in text
    for row in document["responsible_units"]:
        assert squeeze(row["name"][language]) in text
    assert f"http://localhost/zones/{place}?lang={language}" in text


@pytest.mark.parametrize("industry", ["electronic-information", "marine-biology", "sci-tech-services"])
def test_an_industry_is_one_page_with_the_plan_s_answers_apart(
    client: FlaskClient, release: Release, industry: str
) -> None:
    reader = read(client, f"/industries/{industry}.pdf?lang=ko")
    assert len(reader.pages) == 1
    text, document = text_of(reader), release.read_json(f"industries/{industry}.json")
    say = release.read_json("pages/ko/strings.json")
    heads = {
        "zone_designations": "industry.zones",
        "listed_areas": "answers.listed_areas",
        "area_designations": "answers.industry_of_areas",
        "city_designations": "answers.industry_city",
        "served_by": "answers.served_by",
        "named": "industry.named",
    }
    stated = [name for name in heads if document[name]]
    starts = [text.find(squeeze(say[heads[name]])) for name in stated]
    assert starts == sorted(starts)
    assert -1 not in starts
    for name, start, end in zip(stated, starts, [*starts[1:], len(text)], strict=True):
        part = text[start:end]  # of this answer, and of no other
        for row in document[name]:
            assert squeeze(row["term"]["ko"]) in part, name
            assert format_clause(row["clause"], "ko") in part, name
            if "zone" in row:
                assert squeeze(row["zone"]["name"]["ko"]) in part, name


def test_neither_half_of_a_page_is_empty_beside_the_other(client: FlaskClient) -> None:
    """All would be set as small as the longer column needs."""
    page = read(client, "/industries/biomedicine.pdf?lang=ko").pages[0]
    spots: list[tuple[float, float]] = []
    page.extract_text(
        visitor_text=lambda text, at, *_: spots.append((at[4], at[5])) if text.strip() else None
    )
    body = [(x, y) for x, y in spots if y > 30 * 72 / 25.4]  # above the foot
    middle, top = float(page.mediabox.width) / 2, max(y for _, y in body)
    left = min(y for x, y in body if x < middle)
    right = min(y for x, y in body if x > middle)
    assert (top - max(left, right)) / (top - min(left, right)) > 0.75


def test_a_cluster_is_one_page_with_its_target_as_the_plan_has_it(
    client: FlaskClient, release: Release
) -> None:
    for row, language in zip(
        release.read_json("pages/clusters.json"), itertools.cycle(LANGUAGES), strict=False
    ):
        strings = release.read_json(f"pages/{language}/strings.json")
        reader = read(client, f"/clusters/{row['id']}.pdf?lang={language}")
        assert len(reader.pages) == 1
        words = text_of(reader)
        assert squeeze(row["name"][language]) in words
        for place in row["places"]:
            assert squeeze(place["name"][language]) in words
        if row["target"]:
            figure = format_quantity(row["target"]["value"], row["target"]["unit"], language)
            assert squeeze(strings[f"comparator.{row['target']['comparator']}"].format(value=figure)) in words


def test_a_sheet_says_how_far_the_nearest_port_is(client: FlaskClient, release: Release) -> None:
    near = release.read_json("pages/measures.json")["places"]["lingang"]["distances"]["airport"]
    km = f"{near['distance_m'] / 1000:.1f} km"  # less than ten
    words = text_of(read(client, "/zones/lingang.pdf?lang=en"))
    assert squeeze(f"{near['to']['name']['en']} {km}") in words
    assert km in client.get("/zones/lingang?lang=en", headers={"Accept": "text/html"}).text


def test_every_sheet_of_every_place_fits_one_page(client: FlaskClient, release: Release) -> None:
    """The atlas gives each place one page, so its contents tell whether all of them fit."""
    reader = read(client, "/atlas.pdf?lang=en")
    outline = {item.title: reader.get_destination_page_number(item) for item in _flat(reader.outline)}
    names = [row["name"]["en"] for row in _places(release)]
    pages = [outline[name] for name in names]
    assert pages == list(range(pages[0], pages[0] + len(names)))


def test_every_sheet_of_the_atlas_says_what_the_facts_say(client: FlaskClient, release: Release) -> None:
    reader = read(client, "/atlas.pdf?lang=en")
    outline = {item.title: reader.get_destination_page_number(item) for item in _flat(reader.outline)}
    for row in _places(release):
        text = squeeze(reader.pages[outline[row["name"]["en"]]].extract_text())
        said = [row["name"]["zh"], *(one["name"]["en"] for one in row["responsible_units"])]
        for one in row.get("industries", ()):
            said += [one["term"]["en"], format_clause(one["clause"], "en")]
        said += [one["name"]["en"] for one in row.get("memberships", ())]
        said += [one["term"]["en"] for one in row.get("ties", ())]
        if row["geometry"]["method"]:
            accuracy = float(f"{row['geometry']['accuracy_m']:.2g}")
            said += [] if row.get("extent") == "not-stated" else [f"{format_number(accuracy)} m"]
        assert [words for words in said if squeeze(words) not in text] == [], row["id"]


def test_the_atlas_has_everything_in_its_contents(client: FlaskClient, release: Release) -> None:
    reader = read(client, "/atlas.pdf?lang=zh")
    titles = [item.title for item in _flat(reader.outline)]
    themes = [theme["title"] for theme in release.read_json("map/zh.json")["themes"]]
    assert set(themes) <= set(titles)
    assert {row["name"]["zh"] for row in _places(release)} <= set(titles)
    text = text_of(reader)
    for row in release.read_json("data/industries.json"):
        assert squeeze(row["name_zh"]) in text
    for row in release.read_json("data/indicators.json"):
        assert squeeze(row["name_zh"]) in text
    assert "OpenStreetMap" in text


def _flat(outline):
    for item in outline:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _places(release: Release):
    order = release.read_json("pages/order.json")
    rows = [release.read_json(f"documents/{row_id}.json") for row_id in order]
    return [row for row in rows if row["layer"] not in {"platforms", "gateways"}]


def test_a_pdf_is_tagged_dated_and_its_fonts_are_embedded_subsets(client: FlaskClient) -> None:
    reader = read(client, "/zones/gaoqu.pdf")
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "zh"
    assert reader.metadata.title == "高区"
    assert str(reader.metadata["/CreationDate"]).startswith("D:20230716")
    fonts = reader.pages[0]["/Resources"]["/Font"].values()
    for font in fonts:
        below = font.get_object()["/DescendantFonts"][0].get_object()
        assert "+" in below["/BaseFont"]  # the mark of a subset
        assert {"/FontFile3", "/FontFile2"} & set(below["/FontDescriptor"].get_object())


def test_nothing_on_a_sheet_leads_to_another_host(client: FlaskClient) -> None:
    page = read(client, "/zones/gaoqu.pdf").pages[0]
    links = [note.get_object()["/A"]["/URI"] for note in page.get("/Annots", ())]
    assert links
    assert all(link.startswith("http://localhost/") for link in links)


# Chinese stands on the sheets in two languages; alone it is asked for by --thorough.
ALONE = pytest.param("lang=zh&size=A4", marks=pytest.mark.thorough)
SHEETS = pytest.mark.parametrize("sheet", [ALONE, "lang=en&size=A3", "lang=ko&size=A4&also=zh"])
MILLIMETRES = {"A4": (297, 210), "A3": (420, 297), "A2": (594, 420), "A1": (841, 594), "A0": (1189, 841)}


@pytest.mark.parametrize("theme", THEMES)
@SHEETS
def test_every_theme_is_drawn_whole(client: FlaskClient, theme: str, sheet: str) -> None:
    _check_sheet(parse(client.get(f"/print/{theme}.svg?{sheet}").text), MILLIMETRES[sheet[13:15]])


@pytest.mark.parametrize("size", ["A2", "A1", "A0"])
def test_a_sheet_for_the_wall_has_its_size(client: FlaskClient, size: str) -> None:
    root = parse(client.get(f"/print/districts.svg?size={size}&lang=en&also=ko").text)
    _check_sheet(root, MILLIMETRES[size])
    page = read(client, f"/print/districts.pdf?size={size}&lang=en&also=ko").pages[0].mediabox
    inches = [float(side) / 72 * 25.4 for side in (page.width, page.height)]
    assert inches == pytest.approx(MILLIMETRES[size], abs=0.5)


def _check_sheet(root: Any, millimetres: tuple[int, int]) -> None:
    assert [float(root.get(side).removesuffix("mm")) for side in ("width", "height")] == list(millimetres)
    width, height = (float(part) for part in root.get("viewBox").split()[2:])
    words = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert any(word.startswith("1:") for word in words)  # scale
    assert "N" in words  # north arrow
    assert any(word.endswith("′E") for word in words)  # graticule
    assert any("威政字" in word for word in words)  # source
    boxes = [_box(node) for node in root.iter(f"{SVG}text") if node.get("transform") is None]
    for left, top, right, bottom in boxes:
        assert left >= -0.5
        assert right <= width + 0.5
        assert top >= -0.5
        assert bottom <= height + 0.5


def _box(node):
    size, x, y = (float(node.get(key)) for key in ("font-size", "x", "y"))
    width = labels.measure_text("".join(node.itertext()), size)
    left = x - width / 2 if node.get("text-anchor") == "middle" else x
    return left, y - size * 0.86, left + width, y + size * 0.14


def _square(node):
    x, y, width, height = (float(node.get(key)) for key in ("x", "y", "width", "height"))
    return shapely.box(x, y, x + width, y + height)


def test_the_cluster_that_leads_is_told_without_colour(client: FlaskClient, release: Release) -> None:
    """By its texture, and as the first letter below the name; where several tie, by a line of the legend."""
    payload = release.read_json("map/en.json")
    clusters = {row["id"]: row for row in payload["clusters"]}
    leads = {row_id: row["leads"] for row_id, row in payload["features"].items() if row.get("leads")}
    assert len(set(leads.values())) > 2
    for place, cluster in leads.items():
        assert payload["features"][place]["clusters"][0] == cluster
    root = parse(client.get("/print/clusters.svg?lang=en&size=A3").text)
    assert any(node.text == "Several clusters tie for most" for node in root.iter(f"{SVG}text"))
    tied = {one for one, row in payload["features"].items() if row.get("clusters") and not row["leads"]}
    drawn_as = {node.get("data-figure"): node.get("fill") for node in root.iter() if node.get("fill")}
    assert len({drawn_as[one] for one in tied & drawn_as.keys()} - {"none"}) == 1
    assert drawn_as["huancui"] != drawn_as["rongcheng"]
    marks = {f"url(#{node.get('id')})": node[0].get("d") for node in root.iter(f"{SVG}pattern")}
    drawn: dict[str, set[str]] = {}
    for node in root.iter():
        if node.get("data-figure") in leads and node.get("fill") in marks:
            drawn.setdefault(leads[node.get("data-figure")], set()).add(marks[node.get("fill")])
    told = [mark for found in drawn.values() for mark in found]
    assert len(told) == len(set(told)) == len(drawn) > 2
    hues = {node.get("fill") for node in root.iter(f"{SVG}rect") if node.get("rx")}
    assert hues == {row["colour"] for row in clusters.values()}


@SHEETS
@pytest.mark.parametrize("theme", THEMES)
def test_names_stand_on_no_other_name_or_figure_and_no_line_crosses_one(client, theme, sheet) -> None:
    root = parse(client.get(f"/print/{theme}.svg?{sheet}").text)
    maps = _maps(root)
    assert sum(1 for node in maps[0] if node.get("data-name")) >= 2
    for group in maps:
        named = [node for node in group if node.get("paint-order")]
        texts = [shapely.box(*_box(node)) for node in named]
        for number, one in enumerate(texts):
            for other, node in zip(texts[number + 1 :], named[number + 1 :], strict=True):
                assert not one.intersects(other), (named[number].text, node.text)
        letters = shapely.STRtree([_square(node) for node in group if node.get("rx")])
        pairs = letters.query([*texts, *letters.geometries], predicate="intersects").T
        assert [pair for pair in pairs if pair[0] - len(texts) != pair[1]] == []
        figures = {
            node.get("data-figure"): _shape(node.get("d")) for node in group if node.get("data-figure")
        }
        under = {node.get("data-figure"): (node.get("data-under") or "").split() for node in group}
        lines = {node.get("data-leader"): _line(node.get("d")) for node in group if node.get("data-leader")}
        for text, node in zip(texts, named, strict=True):
            own = node.get("data-name")
            assert not any(line.intersects(text) for one, line in lines.items() if one != own), node.text
            if own not in figures:
                continue
            inner = text.buffer(-0.2)
            over = [one for one, shape in figures.items() if one != own and shape.intersects(inner)]
            assert all(own in under[one] for one in over), (node.text, over)


def test_an_area_among_zones_is_only_outlined(release: Release) -> None:
    """A city-wide one would make every place seem chosen."""
    features, ground = release.read_json("map/en.json")["features"], Ground(release)
    for places, filled in ((["gaoqu", "five-china-korea"], {"gaoqu"}), (["five-china-korea"],) * 2):
        chosen = Chosen(dict.fromkeys(places, HUE), whole=True)
        root = parse(draw_locator(features, chosen, ground, ("places", "x")))
        fills = {node.get("data-figure") for node in root.iter() if node.get("fill", "none") != "none"}
        assert fills - {None} == set(filled)


def test_names_around_a_place_do_not_stand_on_it(release: Release) -> None:
    features, ground = release.read_json("map/en.json")["features"], Ground(release)
    zones = [one for one, row in features.items() if row["layer"] == "zones" and one in ground.polygons]
    around = set()
    for zone in zones:
        root = parse(draw_locator(features, Chosen({zone: HUE}), ground, ("a place", "x")))
        (own,) = [_shape(node.get("d")) for node in root.iter() if node.get("data-figure") == zone]
        for node in root.iter(f"{SVG}text"):
            if node.get("paint-order") and node.get("data-name") != zone:
                assert not own.intersects(shapely.box(*_box(node)).buffer(-0.2)), (zone, node.text)
                around.add(node.text)
    assert {"Huancui", "Lingang"} <= around


def _maps(root: Any) -> list[list[Any]]:
    """Return what each map of a sheet draws: the map, and the inset, which begins with a frame of its own."""
    groups: list[list[Any]] = []
    for node in root:
        if node.get("clip-path"):
            groups.append([])
        if groups:
            groups[-1] += list(node.iter())
    return groups


def _shape(path: str):
    rings = [_line(f"M{ring}") for ring in path.removeprefix("M").split("M")]
    return shapely.build_area(shapely.multilinestrings(rings))


def _line(path: str):
    return shapely.linestrings(
        [[float(one) for one in point.split()] for point in path.strip("MZ").replace("Z", "").split("L")]
    )


def test_what_is_crowded_is_shown_again_larger_and_named_by_a_key(client: FlaskClient) -> None:
    root = parse(client.get("/print/platforms.svg?lang=en&size=A3").text)
    scales = [text for node in root.iter(f"{SVG}text") if (text := node.text or "").startswith("1:")]
    assert len(scales) == 2
    root = parse(client.get("/print/districts.svg?lang=zh&size=A4").text)
    numbers = [node.text for node in root.iter(f"{SVG}text") if node.get("data-number")]
    words = [node.text or "" for node in root.iter(f"{SVG}text")]
    assert all(any(word.startswith(f"{number}  ") for word in words) for number in numbers)


@pytest.mark.parametrize(
    "path", ["/print/belts.pdf?size=A3", "/print/belts.png", "/charts/targets.png", "/og/gaoqu.png"]
)
def test_pictures_and_posters_are_made(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF" if ".pdf" in path else b"\x89PNG")


def test_a_card_has_the_size_that_previews_ask_for(client: FlaskClient) -> None:
    data = client.get("/og/gaoqu.png").data
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1200, 630)


@pytest.mark.parametrize(
    ("path", "status", "member"),
    [
        ("/print/x.pdf", 404, "near"),
        ("/print/belts.pdf?size=A9", 400, "parameter"),
        ("/print/belts.pdf?lang=en&also=en", 400, "parameter"),
        ("/print/belts.pdf?also=fr", 400, "parameter"),
        ("/zones/x.pdf", 404, "status"),
        ("/industries/x.pdf", 404, "status"),
        ("/clusters/x.pdf", 404, "status"),
        ("/charts/x.png", 404, "near"),
        ("/og/x.png", 404, "status"),
        ("/atlas.pdf?lang=fr", 400, "parameter"),
    ],
)
def test_what_cannot_be_printed_says_why(client: FlaskClient, path: str, status: int, member: str) -> None:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert member in answer.get_json()


def test_the_same_sheet_is_the_same_bytes_in_another_process(client: FlaskClient, release: Release) -> None:
    here = client.get("/zones/gaoqu.pdf?lang=ko").data
    program = (
        "import sys; from pathlib import Path; from layers.store import read_current;"
        "from webmap.app import create_app;"
        "from webmap.settings import Settings; home = Path(sys.argv[1]); made = Path(sys.argv[2]);"
        "(made / 'releases').symlink_to(home / 'releases');"
        "(made / 'current').write_bytes((home / 'current').read_bytes());"
        "app = create_app(read_current(made), Settings(made));"
        "sys.stdout.buffer.write(app.test_client().get('/zones/gaoqu.pdf?lang=ko').data)"
    )
    made = release.folder.parent.parent / "elsewhere"
    made.mkdir(exist_ok=True)
    for left in made.iterdir():
        left.unlink() if left.is_symlink() or left.is_file() else None
    command = [sys.executable, "-c", program, str(release.folder.parent.parent), str(made)]
    there = subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    assert there.stdout == here


def test_a_changed_programme_makes_its_files_anew(tmp_path: Path) -> None:
    for name, text in (("a", "old"), ("b", "new")):
        (tmp_path / name / "webmap/paper").mkdir(parents=True)
        (tmp_path / name / "webmap/paper/press.py").write_text(text)
    assert data.edition(tmp_path / "a") != data.edition(tmp_path / "b")


@pytest.mark.parametrize("pattern", data.MAKERS)
def test_what_makes_files_is_where_it_is_looked_for(pattern: str) -> None:
    assert list(data.ROOT.glob(pattern))


def test_a_scale_bar_is_as_long_as_it_says(release: Release) -> None:
    """Measured along the ellipsoid with pyproj, wherever in the city the map lies."""
    ground, geod = Ground(release), Geod(ellps="GRS80")
    for lon, lat in ((121.3, 36.8), (122.0, 37.2), (122.6, 37.4)):
        x, y = ground.to_xy(lon, lat)
        view = fit((x - 20_000, y - 15_000, x + 20_000, y + 15_000), 0, 0, (90, 70))
        drawing = Drawing(90, 70, "x", "x")
        Painter(drawing, view, ground).paint_scale(5, 60, 2.5)
        bars = [node for node in parse(drawing.to_svg()).iter(f"{SVG}rect") if node.get("height") == "1.1"]
        left = float(bars[0].get("x"))
        right = float(bars[-1].get("x")) + float(bars[-1].get("width"))
        west, _, _, north = view.bounds_m
        ends = [
            ground.to_lonlat(west + at * view.scale / 1000, north - 60 * view.scale / 1000)
            for at in (left, right)
        ]
        metres = geod.inv(*ends[0], *ends[1])[2]
        (said,) = [node.text for node in parse(drawing.to_svg()).iter(f"{SVG}text") if "km" in node.text]
        assert metres == pytest.approx(float(said.removesuffix(" km")) * 1000, rel=0.002)


def test_the_graticule_says_the_degrees_where_its_lines_are(client: FlaskClient, release: Release) -> None:
    root = parse(client.get("/print/belts.svg?lang=en").text)
    ticks = {node.text: node for node in root.iter(f"{SVG}text") if (node.text or "").endswith(("′E", "′N"))}
    assert len(ticks) > 6
    frame = next(node for node in root.iter(f"{SVG}rect") if node.get("fill") == "none")
    top, height = float(frame.get("y")), float(frame.get("height"))
    (scale,) = [node.text for node in root.iter(f"{SVG}text") if (node.text or "").startswith("1:")]
    factor = int(scale[2:].replace(",", "")) / 1000
    ground, at = Ground(release), {}
    for text, node in ticks.items():
        degrees, minutes = text[:-2].split("°")
        at[text] = (int(degrees) + int(minutes) / 60, float(node.get("x")))
    easts = sorted(value for text, value in at.items() if text.endswith("E"))
    for (lon, x), (other, further) in itertools.pairwise(easts):
        metres = ground.to_xy(other, 36.7)[0] - ground.to_xy(lon, 36.7)[0]
        assert (further - x) * factor == pytest.approx(metres, rel=0.02)
    assert top + height < 210 - 12


def test_quotation_marks_are_as_wide_as_the_letters_around_them(client: FlaskClient) -> None:
    for language, narrow in (("en", True), ("zh", False)):
        root = parse(client.get(f"/print/belts.svg?lang={language}").text)
        quoted = [node for node in root.iter(f"{SVG}text") if "“" in (node.text or "")]
        assert quoted
        assert {node.get("font-family") == "Noto Sans CJK KR" for node in quoted} == {narrow}


def test_texts_are_never_read_as_markup() -> None:
    drawing = Drawing(10, 10, "<a>&", "x")
    drawing.words(1, 1, "<script>&\"'", 2)
    root = parse(drawing.to_svg())
    assert root.find(f"{SVG}text").text == "<script>&\"'"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), st.floats(5, 200))
def test_wrapping_loses_nothing_but_spaces(text: str, room: float) -> None:
    assert "".join("".join(wrap_text(text, room, 3)).split()) == "".join(text.split())


@given(
    st.tuples(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(100, 1e5), st.floats(100, 1e5)),
    st.tuples(st.floats(50, 400), st.floats(50, 300)),
)
def test_a_view_shows_all_of_its_bounds(corner, size) -> None:
    west, south, width, height = corner
    view = fit((west, south, west + width, south + height), 10, 20, size)
    assert view.scale in SCALES
    for x, y in ((west, south), (west + width, south + height)):
        across, down = view.to_paper(x, y)
        assert 10 - 1e-6 <= across <= 10 + size[0] + 1e-6
        assert 20 - 1e-6 <= down <= 20 + size[1] + 1e-6


def test_each_kind_of_line_is_explained_once() -> None:
    said = dict(explain_edges(["derived", "official", None, "digitised", "reconstructed"], _say))
    assert said == {
        "official": "map.line.solid(map.edge.official, map.edge.digitised)",
        "reconstructed": "map.line.soft(map.edge.reconstructed, map.edge.derived)",
    }


def _say(key: str, meaning: str = "") -> str:
    return ", " if key == "common.list_comma" else f"{key}({meaning})" if meaning else key
