"""Twenty thousand requests, right, wrong and hostile: an answer or a refusal, never a failure."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from layers.axes import ALL
from layers.query import queryables
from layers.store import Release
from webmap.http import POSTPONE

REQUESTS, PAGES = 20_000, 200
ODD = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1e999",
        "NaN",
        "null",
        "true",
        "é中\U0001f600",
        "\0",
        "\ud800",
        "'",
        '"',
        "''",
        "\\",
        "%",
    ),
    *(
        "%00",
        "../../etc",
        "<script>",
        "${7*7}",
        "{{7*7}}",
        "'; DROP TABLE zones; --",
        "1,2",
        "()",
        "[]",
        "{}",
    ),
    *(
        "9" * 30,
        "-" * 50,
        "x" * 3000,
        "http://www.opengis.net/def/crs/EPSG/0/",
        "2024-02-30",
        "..",
        "/",
        "\n",
        "\u202e",
    ),
]


class Maker:
    """Makes requests from what is known of the collections, with faults mixed in."""

    def __init__(self, catalogue: list[dict[str, Any]], seed: int) -> None:
        self.dice = random.Random(seed)
        self.infos = catalogue

    def request(self) -> tuple[str, str]:
        """Return path and query."""
        pick, info = self.dice.choice, self.dice.choice(self.infos)
        below = pick(
            [
                "items",
                "items",
                "items",
                "items",
                "items/gaoqu",
                "queryables",
                "schema",
                "",
                f"items/{pick(ODD)}",
            ]
        )
        path = pick(
            [f"/collections/{info['id']}/{below}"] * 9 + ["", "/api", "/conformance", f"/{pick(ODD)}"]
        )
        pairs = [self.pair(info) for _ in range(self.dice.randint(0, 3))] if "items" in path else []
        if self.dice.random() < 0.05:
            pairs.append((pick(ODD), pick(ODD)))
        query = "&".join(f"{self.quoted(name)}={self.quoted(value)}" for name, value in pairs)
        return "/ogc" + path.replace("\ud800", "?"), query

    def quoted(self, text: str) -> str:
        return text if self.dice.random() < 0.02 and text.isascii() else quote(text, errors="surrogatepass")

    def pair(self, info: dict[str, Any]) -> tuple[str, str]:
        names = [field["name"] for field in info["fields"]]
        kinds = (
            "limit",
            "offset",
            "bbox",
            "bbox-crs",
            "crs",
            "datetime",
            "sortby",
            "properties",
            "filter",
            "lang",
        )
        name = self.dice.choice([*kinds, "filter", "filter", "filter-lang", "filter-crs", *names[:3]])
        if self.dice.random() < 0.15:
            return name, self.dice.choice(ODD)
        return name, self.value(name, names, info)

    def value(self, name: str, names: list[str], info: dict[str, Any]) -> str:
        dice = self.dice
        if name in {"crs", "bbox-crs", "filter-crs"}:
            return dice.choice(ALL).uri
        if name == "bbox":
            return ",".join(str(self.number()) for _ in range(dice.choice([4, 4, 4, 4, 6, 3])))
        if name == "filter":
            return self.condition(info, 3)
        fixed = {
            "limit": str(dice.randint(-1, 1200)),
            "offset": str(dice.randint(-1, 300)),
            "datetime": dice.choice(["2024-01-01", "../2024-01-01", "2024-01-01T00:00:00Z/.."]),
            "sortby": dice.choice(["", "-", "+"]) + dice.choice(names),
            "properties": ",".join(dice.sample(names, min(3, len(names)))),
            "lang": dice.choice(["zh", "en", "ko"]),
            "filter-lang": dice.choice(["cql2-text", "cql2-json"]),
        }
        return fixed.get(name, dice.choice(["gaoqu", "park", "3", "true"]))

    def number(self) -> Any:
        return self.dice.choice(
            [122, 37, self.dice.uniform(-200, 200), self.dice.uniform(-1e7, 1e7), 1e300, 0]
        )

    def condition(self, info: Any, depth: int) -> str:
        dice = self.dice
        if depth and dice.random() < 0.5:
            left, right = (self.condition(info, depth - 1) for _ in range(2))
            return dice.choice(
                [f"({left}) AND {right}", f"{left} OR ({right})", f"NOT ({left})", f"{left} {right}"]
            )
        name = dice.choice([*queryables(info), "nothing"])
        text = "'" + dice.choice(ODD).replace("'", "''") + "'"
        other = dice.choice([text, "3", "TRUE", name])
        point = f"POINT({self.number()} {self.number()})"
        relation = dice.choice(["INTERSECTS", "WITHIN", "TOUCHES", "EQUALS", "DISJOINT", "NEAR"])
        return dice.choice(
            [
                f"{name} {dice.choice(['=', '<>', '<', '>=', '=='])} {other}",
                f"{name} LIKE {dice.choice([text, chr(39) + '%a_' + chr(39), '3'])}",
                f"{name} IN ({text}, {text})",
                f"{name} BETWEEN 1 AND {self.number()}",
                f"{name} IS {dice.choice(['', 'NOT '])}NULL",
                f"CASEI({name}) = {text}",
                f"S_{relation}({dice.choice([name, 'geometry'])}, {point})",
                f"S_INTERSECTS(geometry, BBOX({','.join(str(self.number()) for _ in range(4))}))",
                json.dumps({"op": "=", "args": [{"property": name}, dice.choice(["x", 3, None, [], {}])]}),
                dice.choice(ODD),
            ]
        )


@pytest.fixture(scope="module")
def maker(release: Release, pytestconfig: pytest.Config) -> Maker:
    return Maker(release.read_json("pages/catalogue.json"), pytestconfig.getoption("--seed"))


def test_no_request_makes_the_server_fail(client: FlaskClient, maker: Maker) -> None:
    seen: Counter[int | str] = Counter()
    gate = client.application.wsgi_app
    environ = {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    for number in range(REQUESTS):
        path, query = maker.request()
        said: list[str] = []
        rest: list[Any] = []  # what a server has a thread do
        asked: dict[str, Any] = {"PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": query}
        asked |= {POSTPONE: rest.append} if number % 2 else {}
        start = lambda status, headers, _=None, said=said: said.append(status)  # noqa: E731 - once a request
        parts = gate(environ | asked, start)
        seen["at once"] += number % 2 and not rest
        body = b"".join(rest[0](start) if rest else parts)
        status = int(said[0][:3])
        assert status in {200, 400, 404}, (path, query, body)
        if status != 200:
            problem = json.loads(body)
            assert problem["detail"], (path, query)
            assert problem["detail_zh"], (path, query)
        seen[status] += 1
    assert all(seen[outcome] > REQUESTS / 20 for outcome in (200, 400, 404, "at once")), seen


def test_no_request_makes_a_page_fail(client: FlaskClient, maker: Maker) -> None:
    for _ in range(PAGES):
        path, query = maker.request()
        answer = client.get(f"{quote(path)}?{query}", headers={"Accept": "text/html"})
        assert answer.status_code in {200, 400, 404}, (path, query)
        assert b"<script>" not in answer.data
