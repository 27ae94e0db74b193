"""``user``: who may use the workbench, in the file that the setting names."""

from __future__ import annotations

import sys
from dataclasses import replace
from getpass import getpass
from pathlib import Path

import click

from scripts.bilingual import say, text, warn, write
from scripts.commands.common import SHOWN, OneOf, Refusal, command, json_option, option, settings, write_json
from webmap.workbench.users import (
    LONGEST_PASSWORD,
    ROLES,
    SHORTEST_PASSWORD,
    User,
    UsersError,
    changing_users,
    hash_password,
    normalise_name,
    read_users,
)

ACTIONS = ("add", "remove", "list")


def _read_name(given: str) -> str:
    name = normalise_name(given)
    if name is None:
        raise Refusal("user_bad_name", value=repr(given[:SHOWN]))
    return name


@command("user")
@click.argument("action", type=OneOf(ACTIONS), metavar="ACTION", help=" | ".join(ACTIONS))
@click.argument("name", type=_read_name, required=False, metavar="NAME", help="用户名 · name of the user")
@option(
    "--role", type=OneOf(ROLES), help="角色；已有用户不写则不变 · role; of a known user unchanged if left out"
)
@option(
    "--no-password",
    is_flag=True,
    help="不设密码，只由单点登录的代理放行 · no password: let in by the proxy of a single sign-on only",
)
@json_option
def user(*, action: str, name: str | None, role: str | None, no_password: bool, as_json: bool) -> int:
    """Change or list the users; exit 1 where the file cannot be read or written, 2 for wrong usage.

    A password is asked for, or read as one line of standard input.
    """
    chosen = settings(None)
    if chosen.workbench is None:
        warn("user_no_file")
        return 2
    if (action == "list") != (name is None):
        raise Refusal("usage_missing" if name is None else "usage_unknown", arguments=name or "NAME")
    try:
        if name is None:
            return _list(chosen.workbench, as_json=as_json)
        if action == "remove":
            return _remove(chosen.workbench, name)
        return _add(chosen.workbench, name, role, no_password=no_password)
    except UsersError as error:
        warn("user_file_unreadable", reason=error)
    except OSError as error:
        warn("file_unwritable", path=chosen.workbench, reason=error.strerror)
    return 1


def _list(path: Path, *, as_json: bool) -> int:
    users = read_users(path)
    rows = [
        {"name": one.name, "role": one.role, "password": one.password is not None} for one in users.values()
    ]
    if as_json:
        write_json(rows)
    elif not rows:
        say("user_none", path=path)
    for row in () if as_json else rows:
        write(f"{row['name']}  {row['role']}{'' if row['password'] else '  --no-password'}")
    return 0


def _remove(path: Path, name: str) -> int:
    with changing_users(path) as users:
        found = users.pop(name, None)
    if found is None:
        warn("user_unknown", name=name)
        return 1
    say("user_removed", name=name)
    return 0


def _add(path: Path, name: str, role: str | None, *, no_password: bool) -> int:
    """Add a user, or give a known one another password and, where named, another role."""
    known = read_users(path).get(name)
    if known is None and role is None:
        raise Refusal("usage_missing", arguments="--role")
    password = None if no_password else _ask_password()
    if password is not None and not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        warn("user_bad_password", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD)
        return 2
    hashed = hash_password(password) if password is not None else None
    with changing_users(path) as users:
        found = users.get(name, User(name, "editor"))
        chosen = next((one for one in ROLES if one == role), found.role)
        users[name] = replace(found, role=chosen, password=hashed)
    say("user_added", name=name, role=chosen, path=path)
    return 0


def _ask_password() -> str:
    """Return what is typed, twice the same, or the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass(text("user_password"))
    if getpass(text("user_password_again")) != first:
        raise Refusal("user_password_differs")
    return first
