"""Bring a release into the store that the operator named, with a bar that shows how far it is."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from enum import Enum, auto

from layers.home import HomeError
from layers.store import BrokenReleaseError, Release, read_current, read_pointer
from scripts.bilingual import text, warn, write
from webmap.publish import BuildError
from webmap.settings import Settings

WIDTH = 30
LATER_S = 5.0
QUIET_STEPS = 10  # signs of progress where no one watches a line grow


class Outcome(Enum):
    """What became of bringing a release into the store."""

    READY = auto()  # it is there, or no store is named
    DOWN = auto()  # the database cannot be reached, which may pass
    REFUSED = auto()  # it will not do, and the reason has been said


class UnstoredError(BuildError):
    """A release was built, but is not live: the database does not hold it."""


class Admission:
    """Lets a new release go live once the database of the settings holds it.

    `outcome` tells what became of the last one, None before the first. Where `patient`, a release goes
    live also while the database cannot be reached; :func:`bring_later` then goes on trying.
    """

    def __init__(self, settings: Settings, *, patient: bool = False) -> None:
        self.outcome: Outcome | None = None
        self._settings = settings
        self._patient = patient

    def __call__(self, release: Release) -> None:
        """Load the release; raises :class:`UnstoredError` where that cannot be, after saying why."""
        self.outcome = bring(self._settings, release)
        patient = self._patient and self.outcome is Outcome.DOWN
        if self.outcome is not Outcome.READY and not patient:
            raise UnstoredError(text("store_unpublished"))


def bring_later(settings: Settings, interval_s: float = LATER_S) -> threading.Thread:
    """Try again and again, aside, until the database holds the live release or refuses it."""

    def keep_trying() -> None:
        outcome = Outcome.DOWN
        while outcome is Outcome.DOWN:
            time.sleep(interval_s)
            with suppress(
                BrokenReleaseError, HomeError, OSError
            ):  # replaced meanwhile: the next try reads that
                release = read_current(settings.home)
                outcome = bring(settings, release, quiet=True) if release else outcome

    thread = threading.Thread(target=keep_trying, daemon=True)
    thread.start()
    return thread


def bring(settings: Settings, release: Release, *, quiet: bool = False) -> Outcome:
    """Load `release` into the database of the settings, unless it is there or none is named.

    Where `quiet`, nothing is said of a database that cannot be reached.
    """
    if settings.store is None:
        return Outcome.READY
    # Only who stores in a database pays for its driver.
    import psycopg

    from layers.postgis.loader import (
        MissingExtensionError,
        NewerSchemaError,
        is_loaded,
        load_release,
        read_snapshot,
    )

    try:
        if not is_loaded(settings.store, release.id):
            live = read_pointer(settings.home)
            load_release(settings.store, read_snapshot(release), Bar(), {live.release} if live else ())
    except MissingExtensionError as error:
        warn("store_needs_postgis", reason=_one_line(error))
        return Outcome.REFUSED
    except psycopg.errors.InsufficientPrivilege as error:
        warn("store_needs_owner", release=release.id, reason=_one_line(error))
        return Outcome.REFUSED
    except psycopg.OperationalError as error:
        if not quiet:
            warn("store_down", reason=_one_line(error))
        return Outcome.DOWN
    except (psycopg.Error, NewerSchemaError) as error:
        warn("store_failed", reason=_one_line(error))
        return Outcome.REFUSED
    write(text("store_ready", release=release.id), error=True)
    return Outcome.READY


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Bar:
    """Progress on standard error: one line that grows on a terminal, a few lines elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done; `what` is the key of a message."""
        share = done / total if total else 1.0
        steps = WIDTH if self._live else QUIET_STEPS
        bar = "█" * round(share * steps) + "░" * (steps - round(share * steps))
        if f"{what}{bar}" == self._last and done < total:
            return
        self._last = f"{what}{bar}"
        line = f"{text(f'loading_{what}')}  {bar} {done:,}/{total:,}"
        if not self._live:
            write(line, error=True)
            return
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r\033[K{line}{end}")
        sys.stderr.flush()
