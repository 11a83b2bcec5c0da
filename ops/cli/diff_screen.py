"""What a person sees of the comparison of two runs."""

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Console

from ops.cli.tables import Column, show_table
from ops.cli.terminal import say
from ops.runs.comparison import Comparison
from ops.runs.figures import grouped, visible

_COLUMNS = (
    Column("date"),
    Column("figure"),
    Column("before", is_number=True),
    Column("after", is_number=True),
    Column("difference", is_number=True),
)


def show_comparison(console: Console, found: Comparison) -> None:
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
    return grouped(str(value))


def _signed(value: Decimal) -> str:
    return f"+{_number(value)}" if value > 0 else _number(value)
