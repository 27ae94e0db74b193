"""Check the facts against each other and report everything that is wrong, all at once.

Never raises on data. Dangling references come first, then the rules within one table, then those between
tables. A text is covered where every run of Chinese characters in it falls apart into words that the facts or
``plan/vocabulary.yaml`` have, and into the function words of the language: what is left over is a word that a
reader could look for and that would be denied although the plan prints it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import accumulate, chain

from geodata.crs import check_frames
from geodata.document import NOTICE, PREAMBLE, is_address, normalise, parent_of
from geodata.kinds import CITY, LANGUAGES
from geodata.messages import Place, Problem, list_words, problem, words
from geodata.model import IndicatorValue, Record, Site, Target, Text
from geodata.read import Facts
from geodata.references import check_references, place, rows, table_of, tables, unread_tables

HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_PLAN_TABLES = (  # whose Chinese names and terms are the plan's own
    "plans",
    "agencies",
    "zones",
    "designations",
    "clusters",
    "chains",
    "areas",
    "platforms",
    "ties",
    "industries",
)
# Fields in our own words.
_OURS = (
    "note",
    "no_industries",
    "no_target",
    "no_name",
    "no_codes",
    "full_name",
    "short_name",
)


def printed_terms(facts: Facts) -> dict[str, list[Text]]:
    """Return the texts of the facts that are the plan's words, by their Chinese wording."""
    found: dict[str, list[Text]] = {}
    for table in _PLAN_TABLES:
        for row in rows(facts, table):
            for text in _plan_texts(row):
                found.setdefault(text.zh, []).append(text)
    return found


def words_by_clause(facts: Facts) -> dict[str, set[str]]:
    """Return for each clause the words of the vocabulary that it prints, normalised."""
    found: dict[str, set[str]] = {clause: set() for clause in facts.clauses}
    for word in facts.vocabulary:
        for clause in word.clauses:
            found.setdefault(clause, set()).add(normalise(word.zh))
    return found


def known_words(facts: Facts) -> set[str]:
    """Return the runs of Chinese in names and terms of the facts, and the function words."""
    spellings = [*printed_terms(facts)]
    for table in ("zones", "areas", "platforms", "gateways"):
        for row in rows(facts, table):
            spellings += [getattr(row, "printed", None) or "", *getattr(row, "aliases", ())]
    known = {run for spelling in spellings for run in HAN_RUN.findall(normalise(spelling))}
    return {word for word in known if len(word) > 1} | set(list_words("function-words"))


def uncovered(text: str, words: Iterable[str]) -> list[str]:
    """Return the runs of Chinese characters in `text` that `words` do not cover, in order.

    Of all ways to cut a run into words, one that leaves the fewest characters over counts.

    >>> uncovered("发展山地经济和林业", ["发展", "山地", "山地经济", "和"])
    ['林业']
    """
    known = set(words)
    longest = max(map(len, known), default=0)
    return [rest for run in HAN_RUN.findall(text) for rest in _left_over(run, known, longest)]


def prints_word(text: str, word: str, words: Iterable[str]) -> bool:
    """Tell whether `text` prints `word` as one or more of the words that it is cut into.

    >>> prints_word("人才培养基地", "培养基", ["人才", "培养", "基地"])
    False
    >>> prints_word("人才培养基地", "培养基地", ["人才", "培养", "基地"])
    True
    """
    known = set(words) - {word}
    longest = max(map(len, known), default=0)
    for run in HAN_RUN.findall(text):
        if word in run:
            ends = [0, *accumulate(map(len, _cut(run, known, longest)))]
            if any(run[start:].startswith(word) and start + len(word) in ends for start in ends):
                return True
    return False


def _left_over(run: str, known: set[str], longest: int) -> Iterator[str]:
    kept = ("\n" if piece in known else piece for piece in _cut(run, known, longest))
    yield from "".join(kept).split()


def _cut(run: str, known: set[str], longest: int) -> list[str]:
    """Return the words that a run is made of, and single characters where no known word fits."""
    best = [(0, 0)] + [(len(run), 0)] * len(run)  # characters left over up to here, length of the last word
    for end in range(1, len(run) + 1):
        sizes = (size for size in range(min(longest, end), 0, -1) if run[end - size : end] in known)
        choices = [(best[end - 1][0] + 1, 0), *((best[end - size][0], size) for size in sizes)]
        best[end] = min(choices, key=lambda choice: (choice[0], -choice[1]))
    pieces: list[str] = []
    end = len(run)
    while end:
        size = best[end][1] or 1
        pieces.append(run[end - size : end])
        end -= size
    return pieces[::-1]


def check_vocabulary(facts: Facts) -> Iterator[Problem]:
    """Find words that stand twice, and words without a kind of their own."""
    seen: set[str] = set()
    for index, word in enumerate(facts.vocabulary):
        if word.zh in seen:
            yield problem("duplicate-value", place("vocabulary", word.zh, "zh", index), word.zh)
        seen.add(word.zh)


def check_thesaurus(facts: Facts) -> Iterator[Problem]:
    """Find synonyms that stand twice, or that are a word of the plan or its translation."""
    taken = _claimed(facts)
    seen: dict[str, str] = {}
    words = {word.zh: word.industry for word in facts.vocabulary}
    whole = "vocabulary" not in unread_tables(facts)
    for index, row in enumerate(facts.thesaurus):
        if whole and row.word and words.get(row.word) != row.industry:
            yield problem(
                "unknown-id", place("thesaurus", row.zh[0], "word", index), row.word, tables="vocabulary"
            )
        for language in LANGUAGES:
            for word in getattr(row, language):
                where, key = place("thesaurus", row.zh[0], language, index), word.casefold()
                if key in taken:
                    yield problem("word-of-the-plan", where, word, other=taken[key])
                elif seen.setdefault(key, row.zh[0]) != row.zh[0]:
                    yield problem("duplicate-name", where, word, other=seen[key])


def check_one_translation(facts: Facts) -> Iterator[Problem]:
    """Find terms that are translated in two ways, across all names and terms that are the plan's words."""
    for zh, texts in printed_terms(facts).items():
        for language in LANGUAGES[1:]:
            found = {_plain(getattr(text, language)): getattr(text, language) for text in texts}
            if len(found) > 1:
                where = place("designations", zh, language)
                yield problem("two-translations", where, zh, others=" | ".join(sorted(found.values())))
    terms = printed_terms(facts)
    for index, word in enumerate(facts.vocabulary):
        for text in terms.get(word.zh, ())[:1]:
            for language in LANGUAGES[1:]:
                own = getattr(word, language)
                if own and _plain(own[0]) != _plain(getattr(text, language)):
                    where = place("vocabulary", word.zh, language, index)
                    yield problem(
                        "two-translations", where, word.zh, others=f"{own[0]} | {getattr(text, language)}"
                    )


def _claimed(facts: Facts) -> Mapping[str, str]:
    """Return every word that is the plan's, or translates one, folded, with the Chinese one."""
    taken: dict[str, str] = {}
    for zh, texts in printed_terms(facts).items():
        for text in texts:
            for _, word in text:
                taken.setdefault(word.casefold(), zh)
    for row in facts.vocabulary:
        for word in (row.zh, *row.en, *row.ko):
            taken.setdefault(word.casefold(), row.zh)
    return taken


def _plain(text: str) -> str:
    """Return a translation without what its place in a sentence changes: capitals and an article."""
    return re.sub(r"^(the|a|an) ", "", text.casefold()).replace("“", "").replace("”", "")


def _plan_texts(row: Record) -> Iterator[Text]:
    for field, value in row:
        if field in _OURS:
            continue
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Text):
                yield item
            elif isinstance(item, Record):
                yield from _plan_texts(item)


def check_facts(facts: Facts) -> tuple[Problem, ...]:
    """Return every contradiction and gap in `facts`; an empty tuple means that there is none.

    What could not be read at all is in ``facts.problems`` and not repeated, nor is anything reported
    as missing from a table that was not read whole. Raises :class:`~geodata.city.CityError` for a
    coordinate system of the city's that cannot be used.
    """
    check_frames()
    located = (_with_row(facts, found) for check in _CHECKS for found in check(facts))
    return tuple(replace(found, line=facts.line(found)) for found in located)


def _with_row(facts: Facts, found: Problem) -> Problem:
    """Return `found` with the row of its record, where that has no id and only one record fits."""
    table = table_of(found.file)
    if found.row is not None or isinstance(getattr(facts, table), dict):
        return found
    fitting = [
        index
        for index, row in enumerate(rows(facts, table))
        if found.record in (getattr(row, "of", None), getattr(row, "zone", None)) and found.value in str(row)
    ]
    return replace(found, row=fitting[0]) if len(fitting) == 1 else found


def check_designations(facts: Facts) -> Iterator[Problem]:
    """Find designations that stand twice, and places with neither a designation nor a reason why not."""
    seen: set[tuple[str, str, str]] = set()
    for index, row in enumerate(facts.designations):
        key = (row.zone, row.term.zh, row.clause)
        if key in seen:
            yield problem("duplicate-term", place("designations", row.zone, "term", index), row.term.zh)
        seen.add(key)
    designated = {row.zone for row in facts.designations}
    whole = "designations" not in unread_tables(facts)
    for table in ("zones", "areas"):
        for row in getattr(facts, table).values():
            where = place(table, row.id, "no_industries")
            if whole and row.id not in designated and row.no_industries is None:
                yield problem("reason-missing", where, None)
            if row.id in designated and row.no_industries is not None:
                yield problem("reason-needless", where, row.no_industries.zh)


def check_listed_clauses(facts: Facts) -> Iterator[Problem]:
    """Find clauses that say something about a zone and are missing from its list."""
    for zone in facts.zones.values():
        cited = {term.clause for term in (*zone.positioning, *zone.tasks)}
        cited |= {row.clause for row in facts.designations if row.zone == zone.id}
        for clause in sorted(cited - set(zone.clauses)):
            yield problem("clause-not-listed", place("zones", zone.id, "clauses"), clause)


def check_industries(facts: Facts) -> Iterator[Problem]:
    """Find industries without codes or a reason why, and those that the plan names nowhere."""
    designated = {one for row in facts.designations for one in row.industries}
    designated |= {one for row in facts.chains.values() for one in row.industries}
    whole = not {"designations", "chains"} & unread_tables(facts)
    for row in facts.industries.values():
        yield from check_reason(
            place("industries", row.id, "gbt4754"), row.gbt4754 + row.isic4 or None, row.no_codes
        )
        where = place("industries", row.id, "named")
        yield from check_repeated(where, (f"{term.term.zh} {term.clause}" for term in row.named))
        if whole and not row.named and row.id not in designated:
            yield problem("industry-unnamed", where, row.id)


def check_platforms(facts: Facts) -> Iterator[Problem]:
    """Find platforms whose zone, or whose industries, and the basis for them contradict each other."""
    for row in facts.platforms.values():
        if row.industries_basis == "plan" and not (row.fields and row.industries):
            yield problem("basis-contradicts", place("platforms", row.id, "industries_basis"), "plan")
        if (row.zone is None) != (row.zone_basis == "unknown"):
            yield problem("basis-contradicts", place("platforms", row.id, "zone_basis"), row.zone_basis)


def check_towns(facts: Facts) -> Iterator[Problem]:
    """Find towns outside a county, in a zone of another county, or with the code of another town."""
    for town in facts.towns.values():
        county, zone = facts.zones.get(town.county), facts.zones.get(town.zone or "")
        if county and county.layer != "counties":
            yield problem("wrong-layer", place("towns", town.id, "county"), town.county, expected="counties")
        if zone and zone.layer != "zones":
            yield problem("wrong-layer", place("towns", town.id, "zone"), zone.id, expected="zones")
        elif zone and zone.parent and zone.parent != town.county:
            yield problem("wrong-parent", place("towns", town.id, "zone"), zone.id, expected=zone.parent)
    codes = Counter(town.code for town in facts.towns.values())
    for town in facts.towns.values():
        if codes[town.code] > 1:
            yield problem("duplicate-value", place("towns", town.id, "code"), town.code)


def check_sites(facts: Facts) -> Iterator[Problem]:
    """Find places with neither towns nor a known point, and unknown figures without a reason."""
    made_of_towns = {town.zone for town in facts.towns.values()} | {
        town.county for town in facts.towns.values()
    }
    placed = made_of_towns | {site.of for site in facts.sites} | set(facts.landmarks)
    whole = not unread_tables(facts) & {"towns", "sites", "landmarks"}
    for zone in facts.zones.values():
        if whole and zone.id not in placed:
            yield problem("no-site", place("zones", zone.id, "id"), zone.id)
    for area in facts.areas.values():
        if whole and area.core is not None and area.core not in placed:
            yield problem("no-site", place("areas", area.id, "core"), area.core)
    drawn = {*facts.zones, *facts.areas}
    yield from chain.from_iterable(_unexplained(site, row, drawn) for row, site in enumerate(facts.sites))


def check_official_areas(facts: Facts) -> Iterator[Problem]:
    """Find places with two chosen areas, and figures that were not chosen without a reason."""
    chosen: set[str] = set()
    for index, row in enumerate(facts.official_areas):
        if row.chosen and row.of in chosen:
            yield problem("several-chosen", place("official_areas", row.of, "chosen", index), row.of)
        if row.chosen:
            chosen.add(row.of)
        elif row.reason is None:
            where = place("official_areas", row.of, "reason", index)
            yield problem("reason-missing", where, row.area_km2)


def _unexplained(site: Site, row: int, places: set[str]) -> Iterator[Problem]:
    """Yield what is missing without a reason; only `places` are drawn as polygons and need an area."""
    fields = ("position", "area_km2") if site.of in places else ("position",)
    for field in fields:
        if getattr(site, field) is None and site.reason is None:
            yield problem("reason-missing", place("sites", site.of, field, row), None)
    if site.area_km2 is not None and site.area_source is None:
        yield problem("reason-missing", place("sites", site.of, "area_source", row), None)


_HAN = re.compile(r"[\u4e00-\u9fff]")
_CHINESE_FIGURES = {"千": 1000}
_NAMED = ("zones", "areas", "platforms", "gateways", "landmarks", "towns")  # places share one id space
_UNIQUE = (
    ("zones", "areas"),
    ("platforms",),
    ("industries",),
    ("agencies",),
    ("clusters",),
    ("indicators",),
    ("gateways",),
)


def check_city(facts: Facts) -> Iterator[Problem]:
    """Find plans that are not of the city whose folder is read."""
    for row_id in facts.plans:
        if row_id != CITY:
            yield problem("wrong-city", place("plans", row_id, "id"), row_id, expected=CITY)


def check_ids(facts: Facts) -> Iterator[Problem]:
    """Find ids that name two places, across all tables of places."""
    seen: dict[str, str] = {}
    for table in _NAMED:
        for row_id in getattr(facts, table):
            if row_id in seen:
                yield problem("duplicate-id", place(table, row_id, "id"), row_id, other=seen[row_id])
            seen.setdefault(row_id, table)


def check_names(facts: Facts) -> Iterator[Problem]:
    """Find records of one kind that share a name in any language."""
    for group in _UNIQUE:
        seen: dict[tuple[str, str], str] = {}
        for table in group:
            for row_id, row in getattr(facts, table).items():
                for language, name in row.name:
                    other = seen.setdefault((language, name), row_id)
                    if other != row_id:
                        yield problem(
                            "duplicate-name", place(table, row_id, f"name.{language}"), name, other=other
                        )


def check_translations(facts: Facts) -> Iterator[Problem]:
    """Find English and Korean texts that are just the Chinese one."""
    for table in tables():
        for row in rows(facts, table):
            for field, text in _texts(row):
                for language in LANGUAGES[1:]:
                    if _HAN.search(text.zh) and getattr(text, language) == text.zh:
                        where = place(table, _id(row), f"{field}.{language}")
                        yield problem("same-text", where, text.zh, language=language)


def check_clauses(facts: Facts) -> Iterator[Problem]:
    """Find addresses that break the plan's numbering or do not hang one level down from their parent."""
    for row in facts.clauses.values():
        if row.id not in {NOTICE, PREAMBLE} and not is_address(row.id):
            yield problem("bad-address", place("clauses", row.id, "id"), row.id)
        elif row.parent != parent_of(row.id):
            yield problem(
                "wrong-parent", place("clauses", row.id, "parent"), row.parent, expected=parent_of(row.id)
            )
        yield from check_repeated(place("clauses", row.id, "responsible_units"), row.responsible_units)


def check_agencies(facts: Facts) -> Iterator[Problem]:
    """Find groups without members and members of what is no group."""
    for row in facts.agencies.values():
        where = place("agencies", row.id, "members")
        if row.level == "group" and not row.members:
            yield problem("group-without-members", where, row.level)
        if row.level != "group" and row.members:
            yield problem("members-without-group", where, ", ".join(row.members))
        yield from check_repeated(where, row.members)


def check_governments(facts: Facts) -> Iterator[Problem]:
    """Find bodies said to govern a place that are not named after it, or that the clause does not print."""
    seen: dict[str, str] = {}
    for row in facts.agencies.values():
        zone = facts.zones.get(row.governs.zone) if row.governs else None
        if row.governs is None or zone is None:
            continue
        where = place("agencies", row.id, "governs")
        spellings = {zone.name.zh, zone.short_name.zh if zone.short_name else zone.name.zh}
        if row.name.zh not in {name + kind for name in spellings for kind in words("governments")}:
            yield problem("not-its-government", where, row.name.zh, zone=zone.name.zh)
        clause = facts.clauses.get(row.governs.clause)
        if clause and clause.responsible_units and row.id not in clause.responsible_units:
            yield problem("unit-not-there", where, row.governs.clause)
        if seen.setdefault(zone.id, row.id) != row.id:
            yield problem("two-governments", where, zone.id, other=seen[zone.id])


def check_short_names(facts: Facts) -> Iterator[Problem]:
    """Find short names that are nobody's spelling of the place, or stand for two places."""
    seen: dict[tuple[str, str], str] = {}
    for table in ("zones", "areas"):
        for row in getattr(facts, table).values():
            spellings = {row.name.zh, row.printed, *getattr(row, "aliases", ())}
            where = place(table, row.id, "short_name")
            if row.short_name and row.short_name.zh not in spellings:
                yield problem("short-name-unknown", where, row.short_name.zh)
            for language, name in row.short_name or ():
                other = seen.setdefault((language, name), row.id)
                if other != row.id:
                    yield problem("duplicate-name", where, name, other=other)


def check_parents(facts: Facts) -> Iterator[Problem]:
    """Find zones that hang in the wrong place or under themselves."""
    for row in facts.zones.values():
        where = place("zones", row.id, "parent")
        parent = facts.zones.get(row.parent or "")
        if row.layer == "counties" and row.parent:
            yield problem("wrong-parent", where, row.parent, expected=None)
        if row.layer == "zones" and parent and parent.layer != "counties":
            yield problem("wrong-layer", where, parent.id, expected="counties")
        if row.id in _ancestors(facts, row.id):
            yield problem("cycle", where, row.parent)


def check_clusters(facts: Facts) -> Iterator[Problem]:
    """Find gaps in the numbering, doubled terms, and targets without a figure or a reason."""
    numbers = sorted(cluster.number for cluster in facts.clusters.values())
    if numbers != list(range(1, len(numbers) + 1)):
        where = place("clusters", "", "number")
        yield problem("numbering", where, ", ".join(map(str, numbers)), count=len(numbers))
    for row in facts.clusters.values():
        yield from check_reason(place("clusters", row.id, "target"), row.target, row.no_target)
        if row.target:
            yield from _figure(place("clusters", row.id, "target"), row.target)
        for field in ("goals", "focus"):
            terms = (f"{term.term.zh} {term.clause}" for term in getattr(row, field))
            yield from check_repeated(place("clusters", row.id, field), terms)


def check_chains(facts: Facts) -> Iterator[Problem]:
    """Find chains that have neither a name nor a reason why not."""
    for row in facts.chains.values():
        yield from check_reason(place("chains", row.id, "name"), row.name, row.no_name)


def check_indicators(facts: Facts) -> Iterator[Problem]:
    """Find figures that their wording does not contain and missing ones without a reason."""
    for row in facts.indicators.values():
        if row.base is None and row.target is None:
            yield problem("no-figure", place("indicators", row.id, "base"), None)
        for field in ("base", "target"):
            figure, where = getattr(row, field), place("indicators", row.id, field)
            yield from check_reason(where, figure, getattr(row, f"no_{field}"))
            if figure:
                yield from _figure(where, figure)
            if figure and figure.year is None and row.note is None:
                yield problem("reason-missing", place("indicators", row.id, f"{field}.year"), None)


def check_marks(facts: Facts) -> Iterator[Problem]:
    """Find letters and colours that do not tell the records of one theme apart."""
    themes: dict[str, list[tuple[str, Record]]] = defaultdict(list)
    themes["clusters"] = [("clusters", row) for row in facts.clusters.values()]
    for area in facts.areas.values():
        themes[area.layer].append(("areas", area))
    for theme in themes.values():
        for field in ("letter", "colour"):
            seen: dict[str, str] = {}
            for table, row in theme:
                mark, row_id = getattr(row, field), _id(row)
                if seen.setdefault(mark, row_id) != row_id:
                    yield problem("duplicate-mark", place(table, row_id, field), mark, other=seen[mark])


def check_verbs(facts: Facts) -> Iterator[Problem]:
    """Find designations whose emphasis does not fit their verb or its other uses."""
    roots = words("emphasis-roots")
    used: dict[str, set[str]] = defaultdict(set)
    for row in facts.designations:
        where = place("designations", row.zone, "emphasis")
        used[row.verb].add(row.emphasis)
        expected = next((emphasis for root, emphasis in roots.items() if root in row.verb), None)
        if expected is None:
            yield problem("verb-unknown", where, row.verb, level="warning")
        elif expected != row.emphasis:
            yield problem("verb-emphasis", where, row.verb, emphasis=row.emphasis, expected=expected)
    for verb, emphases in used.items():
        if len(emphases) > 1:
            listed = ", ".join(sorted(emphases))
            yield problem("verb-inconsistent", place("designations", "", "emphasis"), verb, emphases=listed)


def _ancestors(facts: Facts, zone_id: str) -> set[str]:
    found: set[str] = set()
    zone = facts.zones.get(zone_id)
    while zone and zone.parent and zone.parent not in found:
        found.add(zone.parent)
        zone = facts.zones.get(zone.parent)
    return found


def check_reason(where: Place, value: object, reason: Text | None) -> Iterator[Problem]:
    """Find a missing value without a reason why, and a reason beside a value."""
    if value is None and reason is None:
        yield problem("reason-missing", where, None)
    if value is not None and reason is not None:
        yield problem("reason-needless", where, reason.zh)


def _figure(where: Place, row: IndicatorValue | Target) -> Iterator[Problem]:
    """Find a value that the wording lacks, and a comparator other than its words say."""
    wording = row.wording
    found = {float(figure) for figure in re.findall(r"\d+(?:\.\d+)?", wording)}
    found |= {figure for sign, figure in _CHINESE_FIGURES.items() if sign in wording}
    if row.value not in found:
        yield problem("figure-not-in-wording", where, f"{row.value:g}", wording=wording)
    expected = next((sign for sign_words, sign in words("comparators").items() if sign_words in wording), "=")
    if row.comparator != expected:
        yield problem("comparator-wording", where, row.comparator, wording=wording, expected=expected)


def check_repeated(where: Place, values: Iterable[str]) -> Iterator[Problem]:
    """Find values that stand twice in one list."""
    for value, count in Counter(values).items():
        if count > 1:
            yield problem("duplicate-value", where, value)


def _texts(row: Record) -> Iterator[tuple[str, Text]]:
    """Yield every text of `row` and of the records inside it, with the name of its field."""
    for field, value in row:
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Text):
                yield field, item
            elif isinstance(item, Record):
                yield from ((f"{field}.{name}", text) for name, text in _texts(item))


def _id(row: Record) -> str:
    fields = ("id", "of", "zone", "subject", "zh")
    return str(next(filter(None, (getattr(row, field, None) for field in fields)), ""))


_CHECKS: tuple[Callable[[Facts], Iterator[Problem]], ...] = (
    check_references,
    check_city,
    check_ids,
    check_names,
    check_translations,
    check_clauses,
    check_agencies,
    check_governments,
    check_short_names,
    check_parents,
    check_clusters,
    check_chains,
    check_indicators,
    check_marks,
    check_verbs,
    check_vocabulary,
    check_thesaurus,
    check_one_translation,
    check_designations,
    check_listed_clauses,
    check_industries,
    check_platforms,
    check_towns,
    check_sites,
    check_official_areas,
)
