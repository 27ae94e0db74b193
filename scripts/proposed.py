"""Say what an import would change: as plain data for ``--json``, and as lines in Chinese and English."""

from __future__ import annotations

from typing import Any, Final

from geodata import crs
from geodata.boundary_import.issues import Texts, join_terms
from geodata.boundary_import.propose import Baseline, Proposal
from geodata.boundary_import.records import keep_latest
from scripts.messages import say, write

Answer = dict[str, Any]
_MOST: Final = 20  # transfers on the screen; the JSON has all


def describe(proposal: Proposal, baseline: Baseline) -> Answer:
    """Return what was found and what would change; ``preview`` and ``published`` are for the caller."""
    in_force = keep_latest(baseline.records)
    repeated = [one.of in in_force and one.repeats(in_force[one.of]) for one in proposal.records]
    return {
        "ok": proposal.errors == 0,
        "places": [record.of for record in proposal.records],
        "findings": [issue.to_dict() for issue in proposal.issues],
        "areas": proposal.areas(),
        "transfers": proposal.list_transfer_rows(),
        "shifts": proposal.describe_shifts(),
        "repeated": bool(repeated) and all(repeated),
        "preview": None,
        "published": None,
    }


def tell(proposal: Proposal, baseline: Baseline, answer: Answer) -> None:
    """Print the findings, the areas, who gets which land, and the check for shifted coordinates."""
    for issue in proposal.issues:
        for line in issue.to_lines():
            write(line)
    for row in answer["areas"]:
        _tell_area(row, baseline)
    _tell_transfers(answer["transfers"], baseline)
    for place, verdict in answer["shifts"].items():
        _tell_shift(baseline.place_names.of(place), verdict)


def _tell_area(row: Answer, baseline: Baseline) -> None:
    say(
        "import_area",
        mark="* " if row["imported"] else "  ",
        place=baseline.place_names.of(row["id"]),
        before=f"{row['before_km2']:.2f}",
        after=f"{row['after_km2']:.2f}",
        official=f"{row['official_km2']:g}" if row["official_km2"] else "-",
        changed=join_terms("changed", row["changed"] or ["nothing"]),
    )


def _tell_transfers(rows: list[Answer], baseline: Baseline) -> None:
    if not rows:
        return
    say("import_transfers", area=f"{sum(row['area_km2'] for row in rows):.3f}")
    for row in rows[:_MOST]:
        ends = {"giver": baseline.place_names.of(row["from"]), "taker": baseline.place_names.of(row["to"])}
        say("import_transfer", area=f"{row['area_km2']:.3f}", **ends)
    left = rows[_MOST:]
    if left:
        say("import_transfers_left", count=len(left), area=f"{sum(row['area_km2'] for row in left):.3f}")


def _tell_shift(place: Texts, verdict: Answer) -> None:
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
