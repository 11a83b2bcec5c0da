"""The output of the comparison of two runs."""

from collections.abc import Iterator

from rich.console import Console

from ops.cli.tables import Column, show_table
from ops.cli.terminal import say
from ops.runs.comparison import Comparison
from ops.runs.figures import grouped, visible, words
from ops.runs.finished_run import FinishedRun
from ops.runs.run_day import Kpis
from trip_kpis.core.run.figures import Figure

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
    differences = [f"trips {_signed(found.trips)}"]
    differences += [f"{words(name)} {_signed(total)}" for name, total in found.totals.items()]
    say(console, f"{', '.join(counts)}; {', '.join(differences)}")
    if found.breakdowns:
        _show_breakdowns(console, found)
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
            difference = "" if change.difference is None else _signed(change.difference)
            yield [named(day.date), change.figure, *map(_number, numbers), difference]
    for date, kpis in found.only_before.items():
        for name in _added_up(kpis, found.before):
            yield [named(date), name, _number(kpis[name]), "no trips", ""]
    for date, kpis in found.only_after.items():
        for name in _added_up(kpis, found.after):
            yield [named(date), name, "no trips", _number(kpis[name]), ""]


def _added_up(kpis: Kpis, run: FinishedRun) -> list[str]:
    """Returns the most important figures of a day that only one run has: counts and sums, or else
    all."""
    return [name for name in kpis if name in run.totals] or [*kpis]


def _show_breakdowns(console: Console, found: Comparison) -> None:
    columns = (
        *_COLUMNS[:1],
        Column("breakdown"),
        Column("groups before", is_number=True),
        Column("groups after", is_number=True),
    )
    rows = [
        [one.date, one.breakdown, _number(one.groups_before), _number(one.groups_after)]
        for one in sorted(found.breakdowns, key=lambda one: one.date)
    ]
    say(console, "")
    show_table(console, "Breakdowns whose kpis.jsonl differs", columns, rows)


def _number(value: Figure | None) -> str:
    return "" if value is None else grouped(str(value))


def _signed(value: Figure) -> str:
    return f"+{_number(value)}" if value > 0 else _number(value)
