"""Pages: complete in three languages, safe headers, no outside host, readable without JavaScript."""

import html
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

PATHS = (
    "/",
    "/zones/",
    "/platforms/",
    "/zones/gaoqu",
    "/zones/huancui",
    "/zones/zongbaoqu",
    "/zones/five-china-korea",
    "/zones/marine-north",
    "/places/airport-weihai",
    "/data/",
    "/plan",
    "/plan/三(一)1(2)",
    "/plan/三(六)4(8)",
    "/industries/",
    "/industries/electronic-information",
    "/industries/carbon-fibre",
    "/clusters/",
    "/clusters/cluster-it",
    "/agencies/",
    "/agencies/gaoqu-committee",
    "/indicators",
    "/search?q=gaoqu",
    "/search",
    "/find",
    "/find?industry=biomedicine&university=2&coast=1&five=1",
    "/compare",
    "/compare?zones=gaoqu,huancui,marine-north",
)
LANGUAGES = ("zh", "en", "ko")
MADE = (".pdf", ".png")
CHOSEN = ("/compare?", "/find?")  # links of these lead to ever more choices


class _Links(HTMLParser):
    """Collects addresses and anything that a strict policy forbids.

    A link to a source, which the reader may follow and which gives nothing away, is none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.forbidden: list[str] = []
        self.bare_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        leaving = tag == "a" and given.get("class") == "outside"
        if leaving:
            assert {"external", "noopener", "noreferrer"} <= set((given.get("rel") or "").split())
        for name, value in attrs:
            if name in {"href", "src", "action", "srcset"} and value and not leaving:
                self.addresses.append(value)
            if name == "style" or name.startswith("on"):
                self.forbidden.append(f"{tag} {name}")
        if tag == "script" and not {"nonce", "src"} & {name for name, _ in attrs}:
            self.bare_scripts += 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_every_page_answers_in_every_language(client: FlaskClient, path: str, language: str) -> None:
    answer = client.get(path, query_string={"lang": language} if "?" not in path else None)
    assert answer.status_code == 200
    if "?" not in path:
        assert f'<html lang="{language}' in answer.text
    assert "<title>" in answer.text
    assert re.search(r"<h1[\s>]", answer.text)
    assert "None" not in re.sub(r"<script.*?</script>", "", answer.text, flags=re.DOTALL)


@pytest.mark.parametrize("path", PATHS)
def test_no_page_names_an_outside_host_or_inline_code(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    found = _Links()
    found.feed(answer.text)
    assert not [address for address in found.addresses if re.match(r"(https?:)?//", address)]
    assert found.forbidden == []
    assert found.bare_scripts == 0


@pytest.mark.parametrize("path", [*PATHS, "/zones/nowhere", "/healthz"])
def test_the_policy_is_strict_everywhere(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_every_nonce_is_used_once(client: FlaskClient) -> None:
    policies = {client.get("/").headers["Content-Security-Policy"] for _ in range(5)}
    assert len(policies) == 5


CODE = "/qr.svg?path="


def test_every_link_on_every_page_leads_somewhere(client: FlaskClient) -> None:
    waiting, seen, codes = list(PATHS), set(), 0
    while waiting:
        path = waiting.pop()
        answer = client.get(path)
        assert answer.status_code == 200, path
        if answer.mimetype != "text/html" or path.startswith(CHOSEN):
            continue
        found = _Links()
        found.feed(answer.text)
        for address in found.addresses:
            target = address.partition("#")[0]
            if target.startswith(CODE) and codes:  # one was drawn; that takes a while
                target = unquote(target.removeprefix(CODE).partition("?")[0])
            codes += target.startswith(CODE)
            if target.startswith("/") and target not in seen and "lang=" not in target:
                seen.add(target)
                if not target.endswith(MADE):  # made on request: test_paper asks for them
                    waiting.append(target)
    assert len(seen) > 100


def test_a_page_that_did_not_change_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/zones/gaoqu?lang=zh")
    again = client.get("/zones/gaoqu?lang=zh", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/zones/gaoqu?lang=ko", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_the_browser_s_language_is_followed_and_chinese_is_the_default(client: FlaskClient) -> None:
    assert '<html lang="ko' in client.get("/zones/", headers={"Accept-Language": "ko-KR,ko;q=0.9"}).text
    assert '<html lang="en' in client.get("/zones/", headers={"Accept-Language": "fr, en;q=0.5"}).text
    assert '<html lang="zh' in client.get("/zones/", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en' in client.get("/zones/?lang=en", headers={"Accept-Language": "ko"}).text


def test_an_unknown_zone_is_a_page_with_near_matches(client: FlaskClient) -> None:
    answer = client.get("/zones/gaoq", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "/zones/gaoqu" in answer.text


def test_an_unknown_language_is_refused_by_name(client: FlaskClient) -> None:
    answer = client.get("/zones/?lang=xx", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "zh, en, ko" in answer.text


def test_a_district_without_industries_says_why(client: FlaskClient) -> None:
    document = client.get("/zones/huancui.json").get_json()
    assert document["industries"] == []
    told = re.sub(r"<[^>]+>", "", client.get("/zones/huancui?lang=zh").text)  # numbers of clauses are marked
    assert document["no_industries"]["zh"] in told


@pytest.mark.parametrize("place", ["gaoqu", "nanhai", "shidao", "rongcheng"])
def test_a_place_says_what_it_is_for_before_what_its_areas_are(client: FlaskClient, place: str) -> None:
    document = client.get(f"/zones/{place}.json").get_json()
    own, of_area = (
        document["industries"][-1]["term"]["zh"],
        document["positioning_of_areas"][0]["positioning"][0],
    )
    for path in (f"/zones/{place}", f"/zones/{place}.panel.html"):
        text = client.get(f"{path}?lang=zh").text
        marks = [text.index(row["term"]["zh"]) for row in document["positioning"][:1]]
        marks.append(text.index(own))
        if "panel" in path:
            marks.append(text.index(f"/zones/{place}.pdf"))
        marks.append(text.rindex(of_area["term"]["zh"]))
        assert marks == sorted(marks), path


def test_what_we_note_of_a_clause_stands_on_its_page(client: FlaskClient) -> None:
    noted = [row for row in client.get("/data/clauses.json").get_json() if row["note_zh"]]
    assert noted
    for row in noted:
        for language in ("zh", "en", "ko"):
            page = client.get(f"/plan/{row['id']}?lang={language}").text
            assert row[f"note_{language}"] in html.unescape(page)


def test_reflected_text_is_never_markup(client: FlaskClient) -> None:
    attack = "<img src=x onerror=alert(1)>"
    for path in (f"/search?q={attack}", f"/zones/{attack}", f"/plan/{attack}"):
        text = client.get(path, headers={"Accept": "text/html"}).text
        assert "<img src=x" not in text
