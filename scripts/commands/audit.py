"""Prove every term, name and figure against the plan's text."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from geodata import read
from geodata.audit import audit
from scripts.answer import add_json, add_language, write_json
from scripts.messages import warn, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--plan", help="规划文本 · the plan's text (WEIHAI_LAYOUT_PLAN)", metavar="FILE")
    parser.add_argument(
        "--facts",
        type=Path,
        default=read.ROOT,
        help="含 plan/ 与 places/ 的文件夹 · folder with plan/ and places/",
    )
    add_language(parser, ("zh", "en"))
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print what each clause contributes and every miss; exit 1 on a miss, 2 without a plan."""
    plan = options.plan or os.environ.get("WEIHAI_LAYOUT_PLAN")
    if not plan:
        warn("plan_missing")
        return 2
    try:
        plan_text = Path(plan).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        warn("file_unreadable", path=plan, reason=error)
        return 2
    facts = read.read_facts(options.facts)
    report = audit(facts, plan_text)
    if options.json:
        write_json(report.to_dict() | {"problems": [problem.to_dict() for problem in facts.problems]})
    else:
        write("\n".join([*map(str, facts.problems), *report.lines(options.lang)]))
    return 0 if report.ok and not facts.problems else 1
