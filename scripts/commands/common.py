"""What the commands are made of: click's parts in Chinese and English, shared options, the release asked."""

from __future__ import annotations

import difflib
import errno
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.types import OptionHelpExtra

from geodata.messages import fill
from layers.home import HomeError, find_home
from layers.store import BrokenReleaseError, Release, read_current
from scripts.bilingual import list_texts, text, warn, write

if TYPE_CHECKING:
    from scripts.postgis_sync import Admission
    from webmap.publish import Verify
    from webmap.settings import Settings

UNWRITABLE: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
MAX_DIGITS: Final = 18  # of a number that anybody could mean
SHOWN: Final = 40  # characters of a wrong value that are repeated
TYPED: Final = "weihai_layout.typed"  # in a context: what was typed after the command's name
CITY: Final = "--city"
CITY_VARIABLE: Final = "WEIHAI_LAYOUT_CITY"  # as geodata.city reads it
NEGATIVE: Final = re.compile(r"-\.?\d")
HEADINGS: Final = {"Positional arguments": "heading_arguments", "Options": "heading_options"}
Function = TypeVar("Function", bound=Callable[..., Any])


class Refusal(click.UsageError):
    """Wrong usage, as a message of ``messages.json`` with its values.

    `option` is set where a value was read for one, whose name then goes before the message.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(text(key, **values))
        self.option: str | None = None
        self._key = key
        self._values = values

    def list_lines(self) -> list[str]:
        """Return the message in each language."""
        start = "" if self.option is None or "argument" in self._values else f"{self.option}: "
        return [f"{start}{one}" for one in list_texts(self._key, **self._values)]


class Formatter(click.HelpFormatter):
    """Help whose headings are in both languages."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line that shows how a command is called."""
        super().write_usage(prog, args, prefix or text("heading_usage"))

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        super().write_heading(text(HEADINGS[heading]) if heading in HEADINGS else heading)


class CommandContext(click.Context):
    """One call of a command."""

    formatter_class = Formatter


class Option(click.Option):
    """An option; its help says in both languages that it has to be given."""

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """Return the remarks behind the help of an option."""
        found = super().get_help_extra(ctx)
        if "required" in found:
            found["required"] = text("usage_required")
        return found

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value; an option in its place means that it was forgotten."""
        if isinstance(value, str) and value in _list_options(ctx):
            raise Refusal("usage_no_value", argument=self.opts[0])
        try:
            return super().type_cast_value(ctx, value)
        except Refusal as error:
            error.option = self.opts[0]
            raise


class Command(click.Command):
    """A command that takes negative numbers as they are written, and explains itself in both languages."""

    context_class = CommandContext

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``."""
        return explain_help(super().get_help_option(ctx))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; ``-122`` is a number and no option."""
        ctx.meta[TYPED] = tuple(args)
        ctx.ignore_unknown_options = any(NEGATIVE.match(one) for one in args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run it and return its exit code; a home that cannot be read is not there to be replaced."""
        try:
            return super().invoke(ctx)
        except HomeError as error:
            return tell_home(error, ctx.params.get("home"))


def explain_help(option: click.Option | None) -> click.Option | None:
    """Return ``--help`` with its own help in both languages."""
    if option is not None:
        option.help = text("usage_help")
    return option


def command(name: str, *, cls: type[Command] = Command) -> Callable[[Callable[..., int]], click.Command]:
    """Return what makes a function the command `name`, explained by the message ``help_<name>``."""
    return click.command(name, cls=cls, help=text(f"help_{name}"))


def option(*names: str, **attributes: Any) -> Callable[[Function], Function]:
    """Return what declares an option, as :func:`click.option` does."""
    return click.option(*names, cls=Option, **attributes)


json_option = option("--json", "as_json", is_flag=True, help="以 JSON 回答 · answer as JSON")
# Its value is taken before a command is imported, see scripts.cli.
city_option = option(
    CITY,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    expose_value=False,
    help="城市的文件夹 · folder of the city (WEIHAI_LAYOUT_CITY)",
)
local_option = option(
    "--local",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="本地补充的文件夹 · folder of local additions (WEIHAI_LAYOUT_LOCAL)",
)


def home_option(function: Function) -> Function:
    """Declare ``--home``, and ``--city`` whose releases it holds."""
    declare = option(
        "--home",
        type=click.Path(path_type=Path, readable=False),  # whatever reads it says more
        metavar="FOLDER",
        help="发布版的文件夹 · folder of the releases (WEIHAI_LAYOUT_HOME)",
    )
    return declare(city_option(function))


def lang_option(languages: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Return what declares ``--lang``: one of the city's languages, unless others are named."""
    # Only who answers in a language pays for it.
    from geodata.city import read_city

    languages = languages or read_city().languages
    return option("--lang", type=OneOf(languages), default="zh", help="语言 · language (zh)")


class OneOf(click.Choice[str]):
    """One of some words."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word; raises :class:`Refusal` where it is none of them."""
        if value not in self.choices:
            allowed = ", ".join(self.choices)
            raise Refusal("usage_choice", argument=name_of(param, ctx), value=repr(value), allowed=allowed)
        return str(value)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return the type of an option that takes a whole number from `least` to `most`.

    >>> whole(1, 64)("8")
    8
    """

    def number(given: str) -> int:
        digits = given.strip()
        # Python itself refuses to read some thousands of digits.
        if not digits.isdecimal() or len(digits) > MAX_DIGITS or not least <= int(digits) <= most:
            raise Refusal("bad_whole", value=repr(given[:SHOWN]), least=least, most=most)
        return int(digits)

    return number


def name_of(param: click.Parameter | None, ctx: click.Context | None) -> str:
    """Return how a parameter is written: ``--layer``, ``FILE``."""
    if isinstance(param, click.Argument) and ctx is not None:
        return param.make_metavar(ctx).strip("[].")
    return param.opts[0] if param is not None else "?"


def tell_usage(error: click.UsageError) -> None:
    """Say in both languages what is wrong with what was typed, below how it is meant."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        write(error.message, error=True)
        return
    if error.ctx is not None:
        write(error.ctx.get_usage(), error=True)
    refusal = translate_usage(error)
    write("\n".join(refusal.list_lines()) if refusal else error.format_message(), error=True)


def translate_usage(error: click.UsageError) -> Refusal | None:
    """Return what click found wrong in words of both languages; None where there are none."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, click.NoSuchOption):
        return _refuse_unknown(error.option_name, error.ctx)
    if isinstance(error, click.MissingParameter):
        return Refusal("usage_missing", arguments=", ".join(_find_missing(error.ctx)))
    if isinstance(error, click.BadOptionUsage):
        for one in error.ctx.meta[TYPED] if error.ctx else ():
            name, equals, value = one.partition("=")
            if name == error.option_name and equals:
                return Refusal("usage_no_value_taken", argument=name, value=repr(value))
        return Refusal("usage_no_value", argument=error.option_name)
    extra = re.fullmatch(r"Got unexpected extra arguments? \((.+)\)", error.message, re.DOTALL)
    return Refusal("usage_unknown", arguments=extra[1]) if extra else None


def _refuse_unknown(given: str, ctx: click.Context | None) -> Refusal:
    known = _list_options(ctx)
    near = [one for one in known if one.startswith(given)] or difflib.get_close_matches(given, known)
    if near:
        return Refusal("usage_unknown_near", arguments=given, near=", ".join(near))
    return Refusal("usage_unknown", arguments=given)


def _list_options(ctx: click.Context | None) -> list[str]:
    options = ctx.command.get_params(ctx) if ctx else ()
    return [name for one in options if isinstance(one, click.Option) for name in one.opts]


def _find_missing(ctx: click.Context | None) -> list[str]:
    """Return all that still has to be given; click reads what was given first, and tells one only."""
    params = ctx.command.params if ctx else ()
    return [name_of(one, ctx) for one in params if one.required and ctx and not ctx.params.get(one.name)]


def write_json(answer: object) -> None:
    """Print `answer` as JSON, for programs."""
    write(json.dumps(answer, ensure_ascii=False, indent=2))


def settings(home: Path | None, local: Path | None = None) -> Settings:
    """Return the operator's settings; ends the command after saying which one is wrong.

    `home` and `local` are what was typed, and go before the environment.
    """
    # Only who serves or publishes pays for it.
    from webmap.settings import list_unknown, read_settings

    for name, near in list_unknown():
        warn("doctor_setting_unknown", name=name, near=near or "–")
    try:
        found = read_settings()
    except ValueError as error:
        warn("bad_setting", reason=error)
        raise click.exceptions.Exit(1) from error
    return replace(found, home=(home or found.home).absolute(), local=local or found.local)


def show(line: str) -> None:
    """Show progress on standard error, so that the answer stays alone on standard output."""
    write(line, error=True)


def tell_failed(error: Exception) -> None:
    """Say why nothing was published in place of the live release."""
    _show_reasons(error)
    if isinstance(error, OSError):  # whose words do not say what comes of it
        warn("unpublished")


def _show_reasons(error: Exception, shown: Collection[str] = ()) -> None:
    """Show the lines of an error, but for those that were shown already."""
    for line in str(error).splitlines():
        if line not in shown:
            show(line)


def live_release(
    settings: Settings, admission: Admission | None = None, verify: Verify = Release.verify
) -> Release:
    """Return what :func:`try_release` does; ends the command where there is no release."""
    release = try_release(settings, admission, verify)
    if release is None:
        raise click.exceptions.Exit(1)
    return release


def asked_release(settings: Settings) -> Release:
    """Return the release that a question is answered from, as :func:`live_release` does.

    One with the operator's additions stays as it is where no folder is named: who asks takes nothing away.
    """
    # Only who asks pays for it.
    from webmap.publish import has_additions

    if settings.local is None:
        with suppress(BrokenReleaseError, HomeError):  # what follows tells of it
            live = _read_sound(settings.home)
            if has_additions(live):
                return live
    return live_release(settings)


def try_release(
    settings: Settings, admission: Admission | None = None, verify: Verify = Release.verify
) -> Release | None:
    """Return a sound release of the current inputs, built if needed; None after saying why not.

    A new one goes live where the `admission` lets it, by default once the store holds it; `verify` is as
    :func:`webmap.publish.publish` has it. Progress goes
    to standard error, so that the answer stays alone on standard output.
    """
    # Only who publishes pays for it.
    from scripts.postgis_sync import Admission, UnstoredError
    from webmap.publish import BuildError, publish

    shown: list[str] = []

    def note(line: str) -> None:
        shown.append(line)
        show(line)

    try:
        admit = admission or Admission(settings)
        return publish(settings.home, note, admit=admit, local=settings.local, verify=verify)
    except (BuildError, OSError) as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            return _use_as_it_is(settings.home, error)
        _show_reasons(error, shown)
        if not isinstance(error, UnstoredError):
            warn("build_failed")
        return None


def _use_as_it_is(home: Path, error: OSError) -> Release | None:
    """Return the live release of a home that is only to be read; None after saying why it cannot be used."""
    reason = error.strerror or str(error)
    try:
        release = _read_sound(home)
    except BrokenReleaseError as broken:
        warn("home_without_release", home=home, reason=reason, what=broken)
        return None
    show(text("home_read_only", home=home, reason=reason, release=release.id))
    return release


def _read_sound(home: Path) -> Release:
    """Return the live release; raises BrokenReleaseError unless it is whole and this code can read it."""
    # Only who serves pays for it.
    from layers.history import read_last
    from webmap.publish import hash_code

    release, last = read_current(home), read_last(home)
    if release is None:
        raise BrokenReleaseError(text("no_release"))
    if last is not None and last.act.code != hash_code():
        raise BrokenReleaseError(text("made_by_other_code", release=release.id))
    release.verify()
    return release


def tell_wrong(release: Release, key: str, values: Mapping[str, object]) -> None:
    """Say in both languages what is wrong with what was asked, as the site does."""
    for language in ("zh", "en"):
        strings = release.read_json(f"pages/{language}/strings.json")
        write(fill(strings[key], values), error=True)


def describe_home(error: HomeError, home: Path) -> dict[str, object]:
    """Return the values of the message that says what is wrong with a home, which may be a relative path."""
    path, whole = error.path.absolute(), home.absolute()
    file = path.relative_to(whole) if path.is_relative_to(whole) else error.path
    return {"path": error.path, "home": home, "file": file, **error.values}


def tell_home(error: HomeError, given: Path | None) -> int:
    """Say what is wrong with a home and how to restore it, and return the exit code."""
    home = given or find_home()
    warn(f"home_{error.key}", **describe_home(error, home))
    if error.key not in {"foreign", "newer"}:
        warn("home_untouched", home=home)
    return 2 if error.key == "foreign" else 1
