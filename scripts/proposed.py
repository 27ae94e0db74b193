"""Say what an import would change: as plain data for ``--json``, and as lines in Chinese and English."""

from __future__ import annotations

from typing import Any, Final

from geodata import crs
from geodata.incoming.imported import keep_latest
from geodata.incoming.proposal import Ground, Proposal
from geodata.incoming.titles import Words, join_words
from scripts.messages import say, write

Answer = dict[str, Any]
_MOST: Final = 20  # transfers on the screen; the JSON has all


def describe(proposal: Proposal, ground: Ground) -> Answer:
    """Return what was found and what would change; ``preview`` and ``published`` are for the caller."""
    in_force = keep_latest(ground.records)
    repeated = [one.of in in_force and one.repeats(in_force[one.of]) for one in proposal.records]
    return {
        "ok": proposal.errors == 0,
        "places": [record.of for record in proposal.records],
        "findings": [finding.to_dict() for finding in proposal.findings],
        "areas": proposal.areas(),
        "transfers": proposal.exchanges(),
        "shifts": proposal.describe_shifts(),
        "repeated": bool(repeated) and all(repeated),
        "preview": None,
        "published": None,
    }


def tell(proposal: Proposal, ground: Ground, answer: Answer) -> None:
    """Print the findings, the areas, who gets which land, and the check for shifted coordinates."""
    for finding in proposal.findings:
        for line in finding.to_lines():
            write(line)
    for row in answer["areas"]:
        _tell_area(row, ground)
    _tell_transfers(answer["transfers"], ground)
    for place, verdict in answer["shifts"].items():
        _tell_shift(ground.titles.of(place), verdict)


def _tell_area(row: Answer, ground: Ground) -> None:
    say(
        "import_area",
        mark="* " if row["imported"] else "  ",
        place=ground.titles.of(row["id"]),
        before=f"{row['before_km2']:.2f}",
        after=f"{row['after_km2']:.2f}",
        official=f"{row['official_km2']:g}" if row["official_km2"] else "-",
        changed=join_words("changed", row["changed"] or ["nothing"]),
    )


def _tell_transfers(rows: list[Answer], ground: Ground) -> None:
    if not rows:
        return
    say("import_transfers", area=f"{sum(row['area_km2'] for row in rows):.3f}")
    for row in rows[:_MOST]:
        ends = {"giver": ground.titles.of(row["from"]), "taker": ground.titles.of(row["to"])}
        say("import_transfer", area=f"{row['area_km2']:.3f}", **ends)
    left = rows[_MOST:]
    if left:
        say("import_transfers_left", count=len(left), area=f"{sum(row['area_km2'] for row in left):.3f}")


def _tell_shift(place: Words, verdict: Answer) -> None:
    metres = verdict["mean_distance_m"]
    values = {"place": place, "km": verdict["compared_km"], "metres": metres.get(crs.LONLAT)}
    values["median"] = verdict["median_distance_m"]
    if not verdict["told"]:
        say("import_shift_untold", **values)
    elif verdict["suspected"]:
        frame = verdict["suspected"]
        say("import_shift_found", frame=frame, shifted=metres[frame], **values)
    else:
        say("import_shift_far" if verdict["far"] else "import_shift_none", **values)
