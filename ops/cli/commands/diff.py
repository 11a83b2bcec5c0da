"""`python -m ops diff`."""

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import NoReturn

import click
from rich.console import Console

from ops.cli import terminal
from ops.cli.ending import say
from ops.cli.results import Source, as_json, source
from ops.cli.tables import Column, show_table
from ops.runs.comparison import Comparison, compare
from ops.runs.figures import grouped, visible
from ops.runs.finished_run import finished_run
from ops.runs.staging_reader import staged_plans
from trip_kpis.core.run.days import json_number

_COLUMNS = (
    Column("date"),
    Column("figure"),
    Column("before", is_number=True),
    Column("after", is_number=True),
    Column("difference", is_number=True),
)


@click.command()
@click.argument("before", metavar="RUN_A")
@click.argument("after", metavar="RUN_B")
@source
@as_json
def diff(*, source: Source, before: str, after: str, as_json: bool) -> NoReturn:
    """Compare two finished runs: which days differ, and by how much.

    It compares the figures that each run calculated. The manifests keep these figures, even if
    other runs have published since. For each run it also lists the days that were open, and the
    days that had fewer trips than were published before.

    Exits with 0 if all days are equal, 1 if a day differs, 2 for a mistake in the call.

    \b
    python -m ops diff run-20240524T021500-91c0 run-20240525T021500-3f2a --stack trip-kpis
    python -m ops diff first second --out out --json
    """
    with source.manifests(before, after) as directory:
        runs = finished_run(directory, before), finished_run(directory, after)
        source.also(directory, [f"staging/run={run.run_id}/plan.json" for run in runs])
        plans = {**staged_plans(directory, before), **staged_plans(directory, after)}
        found = compare(*runs, plans)
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        _show(terminal.console(), found)
    sys.exit(1 if found.differs else 0)


def _show(console: Console, found: Comparison) -> None:
    before, after = found.before.run_id, found.after.run_id
    if found.differs:
        title = f"Days that differ: before is run {before}, after is run {after}"
        show_table(console, title, _COLUMNS, sorted(_rows(found), key=lambda row: row[0]))
        say(console, "")
    counts = [f"{found.same:,} {'day' if found.same == 1 else 'days'} the same"]
    counts += [f"{len(found.changed):,} changed"] if found.changed else []
    for days, run_id in ((found.only_before, before), (found.only_after, after)):
        counts += [f"{len(days):,} only in {run_id}"] if days else []
    differences = f"trips {_signed(Decimal(found.trips))}, total fare {_signed(found.total_fare)}"
    say(console, f"{', '.join(counts)}; {differences}")
    for run_id, marked in zip((before, after), found.marked, strict=True):
        for line in marked.lines():
            say(console, f"{run_id}: {line}")
    for one in found.settings:
        say(console, visible(f"other {one.name}: {one.before} in {before}, {one.after} in {after}"))
    if not found.knows_the_plans:
        say(
            console,
            "Attributes and time zone are not compared: the plan of a run is kept for "
            "StagingExpirationDays, under staging/.",
        )


def _rows(found: Comparison) -> Iterator[list[str]]:
    open_days = found.open_days

    def named(date: str) -> str:
        return f"{date} (open)" if date in open_days else date

    for day in found.changed:
        for change in day.changes:
            numbers = (change.before, change.after)
            difference = _signed(change.difference)
            yield [named(day.date), change.figure, *map(_number, numbers), difference]
    for date, figures in found.only_before.items():
        yield [named(date), "trip_count", f"{figures.trip_count:,}", "no trips", ""]
        yield [named(date), "total_fare", _number(figures.total_fare), "no trips", ""]
    for date, figures in found.only_after.items():
        yield [named(date), "trip_count", "no trips", f"{figures.trip_count:,}", ""]
        yield [named(date), "total_fare", "no trips", _number(figures.total_fare), ""]


def _number(value: Decimal) -> str:
    return grouped(json_number(value))


def _signed(value: Decimal) -> str:
    return f"+{_number(value)}" if value > 0 else _number(value)
