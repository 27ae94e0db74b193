"""A text numbered as the plan is, with every word that the facts cite and no sentence of the plan."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from geodata.audit import claims_of
from geodata.document import NOTICE, PREAMBLE
from geodata.read import Facts

HEADING = re.compile(r"(?:.*?)(?:([一二三四五六七八九十]+)|(\([一二三四五六七八九十]+\))|(\d+)|(\(\d+\)))$")


def invent_text(facts: Facts) -> str:
    """Return a text that `facts` cite, one paragraph a clause."""
    plan = next(iter(facts.plans.values()))
    words: dict[str, list[str]] = defaultdict(list)
    for claim in claims_of(facts):
        verb = claim.verb.replace("…", "某")
        said = f"{''.join(claim.subject[:1])}虚构{verb}{''.join(claim.beside[:1])}{claim.label}"
        words[claim.clause].append(said)
    head = [f"{plan.issuer.zh}关于印发{plan.title.zh}的通知", plan.number]
    lines = [*head, f"{'，'.join(words[NOTICE])}。", plan.title.zh, f"{'；'.join(words[PREAMBLE])}虚构。"]
    for clause in facts.clauses.values():
        if clause.id not in {NOTICE, PREAMBLE}:
            units = "、".join(facts.agencies[one].name.zh for one in clause.responsible_units)
            block = f"（责任单位：{units}）" if units else ""
            lines.append(f"{_number(clause.id)}虚构的一条；{'；'.join(words[clause.id])}。{block}")
    return "\n".join(lines) + "\n"


def _number(clause: str) -> str:
    chapter, section, item, point = HEADING.match(clause).groups()  # type: ignore[union-attr]
    return f"{chapter}、" if chapter else section or (f"{item}." if item else point)


def write_additions(folder: Path, **files: str | bytes) -> Path:
    """Write files of a folder of additions; ``contacts_yaml`` becomes ``contacts.yaml``."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        body = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("_", ".")).write_bytes(body)
    return folder
