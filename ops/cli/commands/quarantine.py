"""`ops quarantine`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.cli.results import Source, as_json, source
from trip_kpis.core.items.rejections import Reason

if TYPE_CHECKING:
    from ops.runs.quarantine import QuarantinedTrip, Rejections


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
    help="Write all rejected trips (with --reason, only those) to FILE, not only examples.",
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
    """List the rejected trips by reason, with examples.

    Without RUN_ID, it shows the latest run, finished or not. If the run is not finished, for
    example because it rejected too many trips and failed, the command shows the trips that were
    rejected so far.

    \b
    ops quarantine --out out
    ops quarantine --out out --reason time_unreadable --examples 20
    ops quarantine run-20240525T021500-3f2a --stack trip-kpis --csv rejected.csv

    The CSV has one row for each trip: run_id, segment, a column for each attribute of the table's
    key, reason, attribute, and the value in DynamoDB JSON. If a spreadsheet would run a text as a
    formula, the CSV has an apostrophe before the text.
    """
    from ops.cli.fetched_rejections import rejected_by
    from ops.cli.quarantine_screen import show_exported, show_rejections
    from ops.runs.quarantine import examples

    with rejected_by(source, run_id, each=None if file else each) as (directory, all_of_run):
        of = all_of_run if reason is None else _only(all_of_run, reason)
        found = examples(directory, of, each=each)
        written = _export(directory, of, file) if file else None
        if as_json:
            print(json.dumps(_document(of, found) | ({"exported": written} if file else {})))
        else:
            show_rejections(of, found, each, reason)
            if file:
                show_exported(of, file, written or 0)


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
    from ops.runs.export import export
    from ops.runs.quarantine import rejected_trips

    trips = rejected_trips(directory, of.quarantined)
    return export(file, of.run_id, (trip for trip in trips if trip.reason in of.by_reason))


def _document(of: Rejections, found: Mapping[str, Sequence[QuarantinedTrip]]) -> dict[str, object]:
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
