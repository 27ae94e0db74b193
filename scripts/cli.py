"""The ``weihai-layout`` command: hand each subcommand its arguments and turn faults into exit codes.

Exit code 0: done. 1: the answer is no (problems found, port taken, build failed). 2: wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import Protocol, cast

from layers.home import HomeError
from scripts.messages import text
from scripts.usage import Parser

COMMANDS = {
    "serve": "scripts.commands.serve",
    "build": "scripts.commands.build",
    "check": "scripts.commands.check",
    "audit": "scripts.commands.audit",
    "lookup": "scripts.commands.lookup",
    "search": "scripts.commands.search",
    "export": "scripts.commands.export",
    "import-boundary": "scripts.commands.import_boundary",
    "history": "scripts.commands.history",
    "rollback": "scripts.commands.rollback",
    "site": "scripts.commands.site",
    "bench": "scripts.commands.bench",
}


class Command(Protocol):
    """What the module of a subcommand offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it and return the exit code."""


def read_command(name: str) -> Command:
    """Import the module of one subcommand; the others stay unread, so that a start is quick."""
    return cast("Command", import_module(COMMANDS[name]))


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """Return the parser of all subcommands, with the arguments of the `chosen` one."""
    parser = Parser(prog="weihai-layout", description=text("help"))
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        about = text(f"help_{name}")
        command = choices.add_parser(name, help=about, description=about)
        if name == chosen:
            read_command(name).add_arguments(command)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    chosen = given[0] if given and given[0] in COMMANDS else None
    options = build_parser(chosen).parse_args(given)
    try:
        return read_command(options.command).run(options)
    except HomeError as error:  # what cannot be read is not there to be replaced
        from scripts.answer import tell_home  # which the command has loaded; the others need it not

        return tell_home(error, getattr(options, "home", None))
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
