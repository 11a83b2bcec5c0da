"""The output about a run's rejected trips."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.cli import terminal
from ops.cli.tables import Column, show_table
from ops.cli.terminal import say
from ops.runs.figures import share, shortened
from ops.runs.quarantine import QuarantinedTrip, Rejections

_LONGEST = 100


def show_rejections(
    of: Rejections, found: Mapping[str, Sequence[QuarantinedTrip]], each: int, reason: str | None
) -> None:
    console = terminal.console()
    for_it = f" for {reason}" if reason else ""
    so_far = "" if of.is_finished else " so far (it is not finished)"
    if not of.in_all:
        say(console, f"Run {of.run_id} has rejected no trip{for_it}{so_far}.")
        return
    show_table(
        console,
        f"Rejected by run {of.run_id}{so_far}",
        [
            Column("reason"),
            Column("trips", is_number=True),
            Column("of the completed", is_number=True),
        ],
        [
            [reason, f"{trips:,}", share(trips, of.completed)]
            for reason, trips in of.by_reason.items()
        ],
    )
    say(console, "")
    rows = [
        [trip.reason, trip.key_as_text, trip.attribute, shortened(trip.value_as_json, _LONGEST)]
        for trips in found.values()
        for trip in trips
    ]
    if rows:
        columns = [Column("reason"), Column("trip"), Column("attribute"), Column("value")]
        show_table(console, "For example", columns, rows)
    elif each:
        say(
            console,
            "The trips themselves are not here: quarantine/ keeps them for "
            "QuarantineExpirationDays, and a copy of the bucket may have been made without them.",
        )


def show_exported(of: Rejections, file: Path, written: int) -> None:
    said = f"{written:,} of {of.in_all:,} rejected trips"
    if written == of.in_all:
        said = f"All {said.removeprefix(f'{written:,} of ')}"
    else:
        said = f"Only {said}, the others are not under quarantine/ any more,"
    say(terminal.console(), f"{said} were written to {file}")
