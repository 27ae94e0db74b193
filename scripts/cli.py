"""The ``weihai-layout`` command: find the subcommand, run it, and turn faults into exit codes.

Exit code 0: done. 1: the answer is no (problems found, port taken, build failed). 2: wrong usage.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, cast

import click

from scripts.bilingual import text, write
from scripts.commands.common import CITY, CITY_VARIABLE, CommandContext, Refusal, explain_help, tell_usage

NAME: Final = "weihai-layout"
# Each with its module, which is imported once the command is called, so that a start is quick.
COMMANDS: Final = {
    "serve": "serve",
    "build": "publications",
    "check": "facts",
    "audit": "facts",
    "local": "facts",
    "lookup": "questions",
    "search": "questions",
    "join": "questions",
    "export": "export",
    "map": "export",
    "import-boundary": "import_boundary",
    "history": "publications",
    "rollback": "publications",
    "user": "user",
    "site": "export",
    "doctor": "doctor",
    "licences": "doctor",
    "bench": "bench",
}


class Commands(click.Group):
    """All subcommands, each imported when it is called."""

    context_class = CommandContext

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return one subcommand; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"scripts.commands.{COMMANDS[cmd_name]}")
        return cast("click.Command", getattr(module, cmd_name.replace("-", "_")))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the subcommand that was typed; raises :class:`Refusal` where there is none."""
        take_city(args)
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            allowed = ", ".join(COMMANDS)
            raise Refusal("usage_choice", argument="COMMAND", value=repr(args[0]), allowed=allowed)
        return super().resolve_command(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``."""
        return explain_help(super().get_help_option(ctx))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write what each subcommand does, importing none."""
        with formatter.section(text("heading_commands")):
            formatter.write_dl([(name, text(f"help_{name}")) for name in COMMANDS])


PROGRAM: Final = Commands(NAME, help=text("help"))


def take_city(arguments: Sequence[str]) -> None:
    """Let ``--city`` name the folder before a command is imported: languages and frames are read with it."""
    for place, one in enumerate(arguments, start=1):
        name, equals, value = one.partition("=")
        if name == CITY:
            named = value if equals else "".join(arguments[place : place + 1])
            os.environ[CITY_VARIABLE] = str(Path(named).absolute()) if named else ""


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    if arguments is None:  # ``kill`` lets commands tidy up, as Ctrl-C does; the server has its own way
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with PROGRAM.make_context(NAME, list(sys.argv[1:] if arguments is None else arguments)) as context:
            return cast("int", PROGRAM.invoke(context))
    except click.exceptions.Exit as leaving:  # --help
        return leaving.exit_code
    except click.UsageError as error:
        tell_usage(error)
        return 2
    except ValueError as error:
        from geodata.city import CityError  # loaded already by whoever raised it

        if not isinstance(error, CityError):
            raise
        write(str(error), error=True)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
