"""Check all facts and list every problem at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from geodata import read
from geodata.check import check_facts
from geodata.messages import Problem
from scripts.answer import add_json, write_json
from scripts.messages import say, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--facts",
        type=Path,
        default=read.ROOT,
        help="含 plan/ 与 places/ 的文件夹 · folder with plan/ and places/",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the problems; exit 1 if one of them is an error."""
    facts = read.read_facts(options.facts)
    problems = (*facts.problems, *check_facts(facts))
    errors = sum(problem.level == "error" for problem in problems)
    if options.json:
        write_json({"ok": errors == 0, "problems": [problem.to_dict() for problem in problems]})
    else:
        _print(problems, errors)
    return 1 if errors else 0


def _print(problems: tuple[Problem, ...], errors: int) -> None:
    for problem in problems:
        write(str(problem))
    if problems:
        say("facts_bad", errors=errors, warnings=len(problems) - errors)
    else:
        say("facts_good")
