"""Read and check what an operator adds to the plan, in a folder of their own.

Each file is read into frozen records and told of by name, line and field where it is wrong; all problems
at once, and nothing is built while there are any. What is added is never the plan's: it has a source and a
date of its own. A further kind of file is a name in :data:`FILES`, a record, and a field of
:class:`LocalAdditions`.
"""

from __future__ import annotations

import codecs
import datetime as dt
import io
import re
from collections.abc import (
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import ExitStack
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from geodata.audit import claims_of
from geodata.basemap import SUFFIXES, BasemapError, check_basemap
from geodata.city import read_city
from geodata.document import Document, above, normalise, parse_document
from geodata.messages import UNPRINTABLE, Place, Problem, name_letter, problem
from geodata.model import (
    Address,
    Cluster,
    Day,
    Feedback,
    Id,
    Indicator,
    Mail,
    OwnText,
    Phone,
    Plan,
    Record,
    Short,
    Text,
)
from geodata.own_layers import LAYERS, SuppliedLayer, list_layer_files, read_own_layers
from geodata.own_layers import SUFFIXES as LAYER_SUFFIXES
from geodata.read import MAX_BYTES, Facts, Row, find_faults, read_rows

EXAMPLES = Path(__file__).with_name("local_examples")
PLAN, CONTACTS, OUTCOMES, PUBLISHER = "plan.txt", "contacts.yaml", "outcomes.yaml", "publisher.yaml"
FILES = (PLAN, CONTACTS, OUTCOMES, PUBLISHER)
BASEMAPS = tuple(f"basemap{suffix}" for suffix in SUFFIXES)  # one of them
EXAMPLE_LAYER = (f"{LAYERS}/plots.yaml", f"{LAYERS}/plots.csv")
PICTURE = ".png"
LOGO_BYTES = 500_000
LOGO_SIDES = range(16, 4001)  # pixels of a logo that is taken
LOGO_SIZE = (480, 160)  # pixels that one is made to fit into
LEAST_PROVEN = 0.5  # of the words of the facts: less, and a text is of something else
NEAR = 3  # ids that are named beside an unknown one
_COMMENT = re.compile(r"\s*#|\s*$")
_ENDS = tuple("。!?”)〕")
R = TypeVar("R", bound=Record)


class Contact(Record):
    """How a body, or who answers for a place, is reached."""

    of: Id  # an agency or a place with a page
    office: OwnText | None = None
    phone: Phone | None = None
    email: Mail | None = None
    website: Address | None = None
    address: OwnText | None = None
    source: Short
    source_url: Address | None = None
    as_of: Day


class LocalOutcome(Record):
    """What an indicator or a cluster reached in a year."""

    of: Id
    value: float = Field(strict=True, allow_inf_nan=False)
    unit: Short  # in Chinese, as the plan's figure has it
    year: int = Field(strict=True)
    measure: OwnText | None = None  # what was counted, where that is not what the plan counts
    source: Short
    source_url: Address | None = None
    as_of: Day
    note: OwnText | None = None


class Publisher(Record):
    """Who publishes the site, and what may be said of its maps."""

    name: OwnText
    website: Address | None = None
    logo: Annotated[str, Field(pattern=r"^[\w-][\w. -]{0,80}\.png$")] | None = None
    feedback: Feedback | None = None
    map_review_number: Short | None = None  # 审图号
    map_review_notice: OwnText | None = None
    as_of: Day


@dataclass(frozen=True)
class LocalAdditions:
    """Everything that an operator adds; `problems` says what is wrong with it.

    Attributes
    ----------
    plan_text
        The plan's own text, cut into clauses.
    contacts
        By the id of the body or place.
    outcomes
        By year, the earliest first.
    logo
        Of the publisher: a PNG of nothing but pixels.
    basemap
        A file of OpenStreetMap data that is whole as far as can be told without reading it.
    layers
        Of the operator's own, with their features.
    files
        The names of those that were read.
    """

    plan_text: Document | None = None
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    outcomes: tuple[LocalOutcome, ...] = ()
    publisher: Publisher | None = None
    logo: bytes | None = None
    basemap: Path | None = None
    layers: tuple[SuppliedLayer, ...] = ()
    files: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def outcomes_of(self, row_id: str) -> tuple[LocalOutcome, ...]:
        """Return what one indicator or cluster reached, the earliest year first."""
        return tuple(row for row in self.outcomes if row.of == row_id)


NOTHING = LocalAdditions()


def list_inputs(folder: Path | None) -> list[Path]:
    """Return the files of a folder that a release may depend on, by name; none where there is no folder."""
    if folder is None:
        return []
    try:
        found = [path for path in sorted(folder.iterdir()) if _is_input(path.name) and path.is_file()]
    except OSError:
        return []  # reading it says why
    return found + list_layer_files(folder / LAYERS)


def read_local(folder: Path | None, facts: Facts) -> LocalAdditions:
    """Read a folder of additions to `facts`; never raises on what is in it."""
    if folder is None:
        return NOTHING
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        where = Place(str(folder), "", "")
        found = problem("local-no-folder", where, folder, reason=error.strerror or error)
        return LocalAdditions(problems=(found,))
    return _Reader(folder, facts).read(names)


def write_examples(folder: Path, facts: Facts) -> list[str]:
    """Write an example of each file, about the first records of `facts` and all in comments.

    Returns their names.

    Raises FileExistsError where one of them is there already, OSError where one cannot be written; no file
    is left then.
    """
    names = (*FILES, *EXAMPLE_LAYER)
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise FileExistsError(", ".join(there))
    (folder / LAYERS).mkdir(parents=True, exist_ok=True)
    agency, row = next(iter(facts.agencies)), next(iter(facts.indicators.values()))
    year = row.base.year if row.base and row.base.year else 2025
    lon, lat = read_city().position
    words = {"AGENCY": agency, "INDICATOR": row.id, "UNIT": row.unit.zh, "YEAR": str(year)}
    words |= {"LON": str(lon), "LAT": str(lat)}
    with ExitStack() as undo:
        for name in names:
            text = (EXAMPLES / name).read_text(encoding="utf-8")
            for word, value in words.items():
                text = text.replace(word, value)
            with (folder / name).open("xb") as file:
                undo.callback((folder / name).unlink)
                file.write(text.encode())
        undo.pop_all()
    return list(names)


def place_of_file(name: str) -> str | None:
    """Return where in the folder a file of that name belongs, None for one that is of no use there.

    >>> place_of_file("contacts.yaml"), place_of_file("plots.csv"), place_of_file("notes.doc")
    ('contacts.yaml', 'layers/plots.csv', None)
    """
    if name.startswith("."):
        return None
    if _is_input(name):
        return name
    return f"{LAYERS}/{name}" if name.endswith((".yaml", *LAYER_SUFFIXES)) else None


def _is_blank(path: Path) -> bool:
    """Return whether a file holds only comments, as the examples do."""
    try:
        with path.open("rb") as file:
            head = file.read(MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False  # its own reader says so
    return all(map(_COMMENT.match, head.splitlines()))


def _is_input(name: str) -> bool:
    return name in (*FILES, *BASEMAPS) or (name.endswith(PICTURE) and not name.startswith("."))


class _Reader:
    """One reading of a folder, with everything that was found wrong so far."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder = folder
        self.facts = facts
        self.problems: list[Problem] = []
        self.today = dt.datetime.now(tz=dt.UTC).astimezone().date()

    def read(self, names: list[str]) -> LocalAdditions:
        read = tuple(name for name in FILES if name in names and not _is_blank(self.folder / name))
        document = read_plan_text(self.folder / PLAN, self.facts, self.problems) if PLAN in read else None
        contacts = [row for _, row in self._records(CONTACTS, Contact, read)]
        outcomes = [row for _, row in self._records(OUTCOMES, LocalOutcome, read)]
        line, publisher = next(
            ((row.line("logo"), one) for row, one in self._records(PUBLISHER, Publisher, read)), (None, None)
        )
        name = publisher.logo if publisher else None
        logo = self._read_logo(name, line) if name else None
        layers = read_own_layers(self.folder / LAYERS, _is_blank, self.problems)
        known = {*FILES, *BASEMAPS, LAYERS, name}
        basemap = self._find_basemap([one for one in BASEMAPS if one in names])
        self.problems += [_tell_unknown(one) for one in names if one not in known]
        return LocalAdditions(
            plan_text=document,
            contacts={row.of: row for row in contacts},
            outcomes=tuple(sorted(outcomes, key=lambda row: row.year)),
            publisher=publisher,
            logo=logo,
            basemap=basemap,
            layers=layers,
            files=(
                *read,
                *([basemap.name] if basemap else []),
                *(f"{LAYERS}/{one.id}.yaml" for one in layers),
            ),
            problems=tuple(self.problems),
        )

    def _find_basemap(self, names: list[str]) -> Path | None:
        if len(names) > 1:
            where = Place(names[1], "", "")
            self.problems.append(problem("local-two-basemaps", where, names[1], other=names[0]))
        try:
            return check_basemap(self.folder / names[0]) if len(names) == 1 else None
        except BasemapError as error:
            self.problems.append(error.to_problem())
            return None

    def _records(self, name: str, kind: type[R], read: tuple[str, ...]) -> list[tuple[Row, R]]:
        """Return the sound records of one file, each checked against the facts and the others."""
        if name not in read:
            return []
        found: list[tuple[Row, R]] = []
        for row in read_rows(self.folder / name, name, self.problems, sole=kind is Publisher):
            try:
                found.append((row, kind.model_validate(row.value)))
            except ValidationError as error:
                self.problems += find_faults(error, kind, name, row)
        seen: dict[object, int] = {}
        for row, record in found:
            self.problems += self._check(record, name, row)
            key = (record.of, record.year) if isinstance(record, LocalOutcome) else row.label
            if seen.setdefault(key, row.line("of")) != row.line("of"):
                where = Place(name, row.label, "of", row.line("of"))
                self.problems.append(problem("duplicate-id", where, row.label, other=f"{name}:{seen[key]}"))
        return found

    def _check(self, record: Record, name: str, row: Row) -> Iterator[Problem]:
        def at(part: str) -> Place:
            return Place(name, row.label, part, row.line(part) or 1)

        as_of = getattr(record, "as_of", None)
        if as_of and as_of > self.today:
            yield problem("local-future", at("as_of"), as_of, today=self.today)
        if isinstance(record, Contact):
            known = {**self.facts.agencies, **self.facts.zones, **self.facts.areas}
            yield from _check_id(record.of, known, at("of"), ("单位与区域", "bodies and places"))
            if not any((record.phone, record.email, record.website, record.address)):
                yield problem("local-empty-contact", at("of"), record.of)
        if isinstance(record, LocalOutcome):
            kinds = ("指标与产业集群", "indicators and clusters")
            known = {**self.facts.indicators, **self.facts.clusters}
            yield from _check_id(record.of, known, at("of"), kinds)
            yield from self._check_figure(record, at("unit"), at("year"))

    def _check_figure(self, record: LocalOutcome, unit_at: Place, year_at: Place) -> Iterator[Problem]:
        if record.year > self.today.year:
            yield problem("local-future", year_at, record.year, today=self.today)
        unit, first = find_unit(record.of, self.facts), find_base_year(record.of, self.facts)
        if unit and record.unit != unit.zh:
            yield problem("local-unit", unit_at, record.unit, unit=unit.zh)
        if first and record.year < first:
            yield problem("local-too-early", year_at, record.year, year=first)

    def _read_logo(self, name: str, line: int | None) -> bytes | None:
        try:
            return render_logo(self.folder / name)
        except (OSError, ValueError, SyntaxError) as error:  # the last is Pillow's of a broken PNG
            where = Place(PUBLISHER, "", "logo", line)
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            kilobytes = LOGO_BYTES // 1000
            self.problems.append(
                problem("local-logo", where, name, reason=f"{name}: {reason}", kilobytes=kilobytes)
            )
            return None


def _tell_unknown(name: str) -> Problem:
    known = (*FILES, *BASEMAPS, LAYERS)
    near = ", ".join(get_close_matches(name.lower(), known, n=1) or known)
    return problem("local-unknown-file", Place(name, "", ""), name, "warning", known=near)


def _check_id(
    row_id: str, known: Mapping[str, object], where: Place, kinds: tuple[str, str]
) -> Iterator[Problem]:
    if row_id not in known:
        near = get_close_matches(row_id, known, n=NEAR, cutoff=0.5) or list(known)[:NEAR]
        yield problem(
            "local-unknown-id", where, row_id, kinds=kinds[0], kinds_en=kinds[1], near=", ".join(near)
        )


def find_unit(row_id: str, facts: Facts) -> Text | None:
    """Return the unit that the plan counts an indicator or a cluster in, None where it sets no figure."""
    indicator, cluster = facts.indicators.get(row_id), facts.clusters.get(row_id)
    if indicator:
        return indicator.unit
    return cluster.target.unit if cluster and cluster.target else None


def find_base_year(row_id: str, facts: Facts) -> int | None:
    """Return the year of an indicator's base, None where there is none."""
    row: Indicator | None = facts.indicators.get(row_id)
    return row.base.year if row and row.base else None


def find_horizon(facts: Facts) -> int | None:
    """Return the last year that the plan sets a target for."""
    rows: Iterable[Indicator | Cluster] = chain(facts.indicators.values(), facts.clusters.values())
    return max((row.target.year for row in rows if row.target and row.target.year), default=None)


def render_logo(path: Path) -> bytes:
    """Return a PNG of the pixels of one, nothing else, made to fit; raises OSError or ValueError."""
    from PIL import Image

    with path.open("rb") as file:
        content = file.read(LOGO_BYTES + 1)
    if len(content) > LOGO_BYTES:
        raise ValueError(path.name)
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        if not all(side in LOGO_SIDES for side in picture.size):
            raise ValueError(path.name)
        pixels = picture.convert("RGBA")
    pixels.thumbnail(LOGO_SIZE)
    pixels.info.clear()
    written = io.BytesIO()
    pixels.save(written, "PNG", optimize=True)
    return written.getvalue()


def read_plan_text(path: Path, facts: Facts, problems: list[Problem]) -> Document | None:
    """Return the plan's text cut into clauses, None where it cannot be used; add what is wrong."""
    text = _decode(path, facts, problems)
    if text is None:
        return None
    plain = "\n".join("" if line.startswith("#") else line for line in text.splitlines())
    document = parse_document(plain)
    found = list(_check_text(plain, document, facts))
    problems += found
    return None if any(one.level == "error" for one in found) else document


def _decode(path: Path, facts: Facts, problems: list[Problem]) -> str | None:
    """Return the text of a file in UTF-8, or in an encoding in which it reads as the plan's; else None."""
    where = Place(path.name, "", "")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        problems.append(problem("unreadable", where, error.strerror or error))
        return None
    if len(content) > MAX_BYTES:
        problems.append(problem("too-large", where, MAX_BYTES))
        return None
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(content)  # may be cut off within a letter
        except UnicodeError:
            continue
        if encoding == "utf-8-sig":
            return text
        if _names_plan(normalise(text), facts):
            problems.append(problem("text-encoding", where, encoding, "warning", encoding=encoding.upper()))
            return text
    problems.append(problem("text-undecodable", where, path.name))
    return None


def _names_plan(text: str, facts: Facts) -> bool:
    return any(normalise(plan.title.zh) in text for plan in facts.plans.values())


def _check_text(text: str, document: Document, facts: Facts) -> Iterator[Problem]:
    """Yield where a text is not the plan's, not whole, or holds what no page can show."""
    for number, line in enumerate(text.splitlines(), 1):
        letter = UNPRINTABLE.search(line)
        if letter:
            yield problem(
                "unprintable", Place(PLAN, "", "", number), line[:20], letter=name_letter(letter[0])
            )
    plan = next(iter(facts.plans.values()))
    if not _names_plan(normalise(text), facts):
        yield _of_another(plan, "没有它的标题", "its title is not in it")
        return
    lines = [normalise(line) for line in text.splitlines()]
    last = max((number for number, line in enumerate(lines, 1) if line and line != "评论"), default=0)
    cut_off = not lines[last - 1].endswith(_ENDS)
    total, missed = _count_words(document, facts)
    if missed > total * (1 - LEAST_PROVEN) and not cut_off:
        share = f"{missed}/{total}"
        yield _of_another(plan, f"所引用语不在其中（{share}）", f"the words cited are not in it ({share})")
        return
    yield from _check_clauses(lines, document, facts)
    if cut_off:
        yield problem("text-cut-off", Place(PLAN, "", "", last), lines[last - 1][-20:])
    if missed:
        yield problem("text-lacks-words", Place(PLAN, "", ""), missed, "warning", count=missed, total=total)


def _of_another(plan: Plan, reason: str, reason_en: str) -> Problem:
    return problem(
        "text-of-another-plan",
        Place(PLAN, "", ""),
        plan.id,
        title=plan.title.zh,
        title_en=plan.title.en,
        number=plan.number,
        reason=reason,
        reason_en=reason_en,
    )


def _check_clauses(lines: list[str], document: Document, facts: Facts) -> Iterator[Problem]:
    """Yield each clause that only the text has or only the data, with the line where it is or should be."""
    before = 1
    for clause in facts.clauses:
        if clause in document.own:
            before = _line_of(document.own[clause], lines) or before
        elif not _is_told_above(clause, document, facts):
            yield problem("text-lacks-clause", Place(PLAN, clause, "", before), clause)
    for clause, words in document.own.items():
        if clause not in facts.clauses:
            yield problem("text-no-such-clause", Place(PLAN, clause, "", _line_of(words, lines)), clause)


def _is_told_above(clause: str, document: Document, facts: Facts) -> bool:
    """Return whether a clause above is missing too and has been told."""
    return any(name in facts.clauses and name not in document.own for name in above(clause))


def _line_of(words: str, lines: list[str]) -> int | None:
    first = words.split("\n", 1)[0]
    return next(
        (number for number, line in enumerate(lines, 1) if line and first.startswith(line[:40])), None
    )


def _count_words(document: Document, facts: Facts) -> tuple[int, int]:
    """Return how many words the facts cite, and how many of them their clauses do not print."""
    texts = {clause: document.text(clause).replace("\n", "") for clause in document.own}
    claims = list(claims_of(facts))
    printed = [
        any(
            normalise(spelling) in texts.get(clause, "")
            for clause in (claim.clause, *claim.also)
            for spelling in claim.spellings
        )
        for claim in claims
    ]
    return len(claims), printed.count(False)
