"""The lists of places: facets, order, pages, and what they say of nothing."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from layers.store import Release

AREAS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores")


@pytest.fixture(scope="module")
def documents(release: Release) -> dict[str, dict]:
    paths = [path for path in release.paths("documents") if path.endswith(".json")]
    return {row["id"]: row for row in map(release.read_json, paths)}


def listed(client: FlaskClient, path: str) -> list[str]:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return re.findall(r'<th scope="row">.*?data-place="([^"]+)"', answer.text)


def every_page(client: FlaskClient, path: str) -> list[str]:
    found: list[str] = []
    next_path: str | None = path
    while next_path:
        text = client.get(next_path, headers={"Accept": "text/html"}).text
        found += re.findall(r'<th scope="row">.*?data-place="([^"]+)"', text)
        following = re.search(r'rel="next" href="([^"#]+)', text)
        next_path = html.unescape(following[1]) if following else None
    return found


def test_every_place_is_listed_once(client, documents) -> None:
    areas, points = listed(client, "/zones/"), every_page(client, "/platforms/")
    assert sorted(areas) == sorted(one for one, row in documents.items() if row["layer"] in AREAS)
    assert sorted(points) == sorted(documents.keys() - set(areas))


@pytest.mark.parametrize("path", ["/zones/", "/platforms/"])
def test_every_choice_leaves_as_many_places_as_it_says(client, path: str) -> None:
    text = client.get(path, headers={"Accept": "text/html"}).text
    form = text[text.index('<details class="facets"') : text.index("</details>")]
    for name in re.findall(r'<select name="(\w+)">', form):
        box = re.search(rf'<select name="{name}">(.*?)</select>', form, re.DOTALL)
        assert box
        for value, count in re.findall(r'value="([^"]+)"[^>]*>[^<]*\((\d+)\)', box[1])[:12]:
            assert len(every_page(client, f"{path}?{name}={quote(value)}")) == int(count), (name, value)


def test_choices_narrow_each_other(client, documents) -> None:
    found = listed(client, "/zones/?county=huancui&industry=biomedicine")
    assert {"gaoqu", "jingqu"} <= set(found)
    assert not {"shidao", "rongcheng"} & set(found)
    universities = every_page(client, "/platforms/?kind=university")
    near = every_page(client, "/platforms/?county=huancui&kind=university")
    assert set(near) < set(universities)
    assert {documents[one]["parent"]["id"] for one in near} <= {"huancui", "gaoqu", "jingqu", "lingang"}


def test_orders(client, documents) -> None:
    zones = [one for one in listed(client, "/zones/?sort=area") if documents[one]["layer"] == "zones"]
    areas = [documents[one]["area_km2"] or 0 for one in zones]
    assert areas == sorted(areas, reverse=True)
    names = [
        documents[one]["name"]["en"].casefold() for one in every_page(client, "/platforms/?sort=name&lang=en")
    ]
    assert names == sorted(names)


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_what_finds_nothing_says_so_and_how_to_go_on(client, language: str) -> None:
    for path in ("/zones/", "/platforms/"):
        text = client.get(f"{path}?q=qqqq&lang={language}", headers={"Accept": "text/html"}).text
        assert "<tbody>" not in text
        assert f'href="{path}?lang={language}"' in text


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/zones/?kind=university", "kind"),
        ("/zones/?county=gaoqu", "county"),
        ("/platforms/?industry=x", "industry"),
        ("/platforms/?position=maybe", "position"),
        ("/zones/?sort=kind", "sort"),
        ("/platforms/?page=0", "page"),
        ("/platforms/?q=" + "x" * 201, "q"),
    ],
)
def test_an_unknown_choice_is_refused_by_name(client, path: str, parameter: str) -> None:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.get_json()["parameter"] == parameter


def test_a_page_beyond_the_last_shows_the_last(client) -> None:
    assert (
        listed(client, "/platforms/?page=999")
        == every_page(client, "/platforms/")[-len(listed(client, "/platforms/?page=999")) :]
    )
