"""`python -m ops quarantine`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ops.cli import terminal
from ops.cli.ending import say
from ops.cli.rejections import rejected_by
from ops.cli.results import Source, as_json, source
from ops.cli.tables import Column, show_table
from ops.runs.export import export
from ops.runs.figures import share
from ops.runs.quarantine import RejectedTrip, Rejections, examples, rejected_trips
from trip_kpis.core.items.rejections import Reason

_LONGEST = 100


@click.command()
@click.argument("run_id", required=False)
@source
@click.option(
    "--reason",
    type=click.Choice([str(reason) for reason in Reason]),
    metavar="REASON",
    help="Only trips that were rejected for this reason.",
)
@click.option(
    "--examples",
    "each",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="How many trips to show for each reason.",
)
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all of these trips to FILE, not only the examples.",
)
@as_json
def quarantine(
    *,
    source: Source,
    run_id: str | None,
    reason: str | None,
    each: int,
    file: Path | None,
    as_json: bool,
) -> None:
    """Show rejected trips by reason: how many, and some examples.

    Without RUN_ID, it shows the latest run, finished or not. For an unfinished run, for example one
    that failed because it rejected too many trips, it shows what has been rejected so far.

    \b
    python -m ops quarantine --out out
    python -m ops quarantine --out out --reason time_unreadable --examples 20
    python -m ops quarantine run-20240525T021500-3f2a --stack trip-kpis --csv rejected.csv

    The CSV has one row for each trip: run_id, segment, a column for each attribute of the table's
    key, reason, attribute, and the value in DynamoDB JSON. A text that a spreadsheet would run as a
    formula gets an apostrophe in front.
    """
    with rejected_by(source, run_id, each=None if file else each) as (directory, all_of_run):
        of = all_of_run if reason is None else _only(all_of_run, reason)
        found = examples(directory, of, each=each)
        written = _export(directory, of, file) if file else None
        if as_json:
            print(json.dumps(_document(of, found) | ({"exported": written} if file else {})))
        else:
            _show(of, found, each, reason)
            if file:
                _say_what_was_written(of, file, written or 0)


def _only(of: Rejections, reason: str) -> Rejections:
    return replace(
        of,
        quarantined=tuple(
            replace(one, by_reason={reason: one.by_reason[reason]})
            for one in of.quarantined
            if reason in one.by_reason
        ),
    )


def _export(directory: Path, of: Rejections, file: Path) -> int:
    trips = rejected_trips(directory, of.quarantined)
    return export(file, of.run_id, (trip for trip in trips if trip.reason in of.by_reason))


def _document(of: Rejections, found: Mapping[str, Sequence[RejectedTrip]]) -> dict[str, object]:
    return {
        "run_id": of.run_id,
        "is_finished": of.is_finished,
        "completed": of.completed,
        "rejected": of.by_reason,
        "examples": [
            {
                "segment": trip.segment,
                "key": trip.key,
                "reason": trip.reason,
                "attribute": trip.attribute,
                "value": trip.value,
            }
            for trips in found.values()
            for trip in trips
        ],
    }


def _show(
    of: Rejections, found: Mapping[str, Sequence[RejectedTrip]], each: int, reason: str | None
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
        [trip.reason, trip.key_as_text, trip.attribute, _shortened(trip.value_as_json)]
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
            "QuarantineExpirationDays, and a copy of the bucket may have been made without.",
        )


def _say_what_was_written(of: Rejections, file: Path, written: int) -> None:
    said = f"{written:,} of {of.in_all:,} rejected trips"
    if written == of.in_all:
        said = f"All {said.removeprefix(f'{written:,} of ')}"
    else:
        said = f"Only {said}, the others are not under quarantine/ any more,"
    say(terminal.console(), f"{said} were written to {file}")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
