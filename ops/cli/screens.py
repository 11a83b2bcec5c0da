"""The output at the end of a run."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.cli.tables import Column, is_shown_whole, show_headed_rows
from ops.runs.day_kpis import GroupKpis, day_of, kpi_files, kpi_names, read_kpis
from ops.runs.documents import DocumentError, converted
from ops.runs.errors import ResultsError
from ops.runs.execution import EndedExecution, readable_cause
from ops.runs.figures import balance, heading, instant, so_many, visible, words
from ops.runs.finished_run import counting_kpis, finished_run, without_count
from ops.runs.marked_days import MarkedDays
from ops.runs.next_steps import FailedRun, Place, next_steps
from ops.runs.quarantine import Quarantined, QuarantinedTrip, rejected_trips, unreadable_times
from ops.runs.run_log import Progress
from ops.runs.storage import Directory
from trip_kpis.core import layout
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.layout import is_known
from trip_kpis.core.log.counts import Count
from trip_kpis.core.run.outcome import Outcome

DAYS_SHOWN = 62
_REJECTED_SHOWN = 10
VANISHED = Outcome.VANISHED.value
_NO_MARKS: Mapping[str, str] = MappingProxyType({})
_NO_OUTCOMES = {"days_open", "days_shrank"}
"""counts of days that are no outcomes: each of these days has one of the outcomes, too"""


def show_ended(console: Console, ended: EndedExecution, out: Path) -> None:
    """Shows the KPIs, the proof and the places of the results; or what failed and what to do."""
    if not ended.succeeded:
        show_failure(console, ended, out)
    elif ended.output is None or "trips" in ended.output:
        open_days = MarkedDays.from_summary(ended.output or {}).open_days
        kept = _kept_days(out, ended.run_id)
        show_kpis(console, out, marks={**dict.fromkeys(open_days, "open"), **kept})
        if VANISHED in kept.values():
            console.print(
                "The run found no trips of days that are marked as vanished: their earlier figures "
                "are kept. --parameter VanishedDays=remove removes them.",
                soft_wrap=True,
            )
        show_summary(console, ended)
        names = ("kpis", "breakdowns", "runs", "quarantine", "logs", "state")
        there = ", ".join(f"{name}/" for name in names if any((out / name).glob("*")))
        console.print(Text.assemble("Left in ", (str(out), "bold"), f": {there}"), soft_wrap=True)


def show_kpis(
    console: Console, out: Path, *, of: int | None = None, marks: Mapping[str, str] = _NO_MARKS
) -> None:
    """Shows one row per day. Figures are shown to two places here; the files have them whole.

    `of` says how many days there are, where `out` has the last of them alone. `marks` are words
    about single days.
    """
    files = kpi_files(out)
    days: dict[str, GroupKpis | str] = {}
    for file in files[-DAYS_SHOWN:]:
        try:
            days[day_of(file)] = read_kpis(file.read_bytes(), name=str(file))
        except DocumentError as error:
            days[day_of(file)] = f"not readable: {error.problem}"
    names = kpi_names(day for day in days.values() if isinstance(day, GroupKpis))
    columns = [Column("date"), *(Column(heading(name), is_number=True) for name in names or [""])]
    if marks.keys() & days.keys():
        columns.append(Column(""))
    counting = counting_kpis(out)
    rows = []
    for date, day in days.items():
        if isinstance(day, str):
            cells = [day, *[""] * (len(names) - 1)]
        else:
            cells = [_figure(day.kpis.get(name), is_count=name in counting) for name in names]
        rows.append([date, *cells, marks.get(date, "")][: len(columns)])
    if not files:
        console.print("No trip counts: there is no day to publish.")
    elif is_shown_whole(console, table := _drawn("KPIs by day", columns, rows)):
        console.print(table)
    else:
        show_headed_rows(console, "KPIs by day", columns, rows)
    if (in_all := of or len(files)) > DAYS_SHOWN:
        console.print(f"… the last {DAYS_SHOWN} of {in_all:,} days")


def _drawn(title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.is_number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _figure(figure: Decimal | None, *, is_count: bool) -> str:
    if figure is None:
        return ""
    return f"{figure:,f}" if is_count else f"{figure:,.2f}"


def _kept_days(out: Path, run_id: str) -> dict[str, str]:
    """Returns the days whose published figures are not those of this run, and why."""
    try:
        run = finished_run(out, run_id)
    except ResultsError:
        return {}
    kept = {Outcome.VANISHED, Outcome.SUPERSEDED, Outcome.SHRUNK}
    return {day.date: day.outcome for day in run.days if day.outcome in kept}


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of MergePartials' output that are shown."""

    scanned: Count
    excluded: Count = 0
    incomplete: Count
    rejected: dict[str, Count]
    counted: Count
    segments: Count
    pages: Count
    total_fare: str = ""
    totals: dict[str, str] = {}
    source: str = "scan"
    export_arn: str | None = None
    as_of: datetime | None = None
    segments_by_invocations: dict[str, Count] = {}
    throttles: dict[str, Count] = {}


def show_summary(console: Console, ended: EndedExecution) -> None:
    """Shows the counts, in the form of the proof."""
    output = ended.output or {}
    summary = converted(output, _Summary)
    if summary is None:
        console.print("The run's output is of another version: the counts are not shown.")
        return
    days = {
        name.removeprefix("days_").replace("_", " "): n
        for name, n in output.items()
        if name.startswith("days_") and name not in _NO_OUTCOMES and isinstance(n, int)
    }
    totals = without_count(summary.totals, summary.counted)
    if summary.total_fare:
        totals = {"total_fare": summary.total_fare} | totals
    balanced = balance(
        excluded=summary.excluded,
        incomplete=summary.incomplete,
        rejected=sum(summary.rejected.values()),
        counted=summary.counted,
    )
    console.print(
        f"{summary.scanned:,} scanned = {balanced}, in "
        f"{so_many(summary.segments, 'segment')} and {so_many(summary.pages, 'page')}\n"
        + "".join(f"{words(name)} {total}\n" for name, total in totals.items())
        + f"days: {', '.join(f'{n:,} {what}' for what, n in days.items() if n) or 'none'}",
        highlight=False,
        soft_wrap=True,
    )
    if summary.source == "export" and summary.as_of is not None:
        exactly = "exactly" if summary.export_arn else "at the latest"
        says = f"as of {instant(summary.as_of)}, {exactly}"
        console.print(says, highlight=False, soft_wrap=True)
    if superseded := output.get("days_superseded"):
        console.print(
            f"{so_many(superseded, 'day')} {_was(superseded)} not published: a run whose figures "
            "are as of a later time has published them. For these days, that run's figures are "
            "shown. The totals are of this run. To publish all days of this run, use another "
            "bucket (on this machine, another --out, or --fresh).",
            highlight=False,
            soft_wrap=True,
        )
    for line in MarkedDays.from_summary(output).lines():
        console.print(Text(line, "yellow" if line.startswith("warning") else ""), soft_wrap=True)
    if summary.segments_by_invocations.keys() - {"1"}:
        console.print(
            "invocations: "
            + ", ".join(
                f"{so_many(segments, 'segment')} took {invocations}"
                for invocations, segments in summary.segments_by_invocations.items()
            ),
            highlight=False,
            soft_wrap=True,
        )
    if summary.throttles:
        console.print(
            "the table throttled: "
            + ", ".join(f"{n:,} {reason}" for reason, n in summary.throttles.items()),
            highlight=False,
            soft_wrap=True,
        )
    for reason, n in summary.rejected.items():
        console.print(f"  rejected {n:>6,}  {reason}", highlight=False, soft_wrap=True)


def show_pages(console: Console, ended: EndedExecution) -> None:
    """Shows how many pages a resumed run has read, and how many of them were repeats."""
    pages = ended.pages
    if pages is None:
        return
    if not pages.read:
        say = "No page of the table was read this time."
    else:
        say = f"{so_many(pages.read, 'page')} of the table {_was(pages.read)} read this time; "
        repeats = f"{pages.again:,} of them were repeats, because their first results were lost."
        say += repeats if pages.again else "none of them was a repeat."
    console.print(say, highlight=False, soft_wrap=True)


def show_rejected(console: Console, out: Path) -> None:
    """Shows examples from the quarantine."""
    table = Table(title="Rejected trips, examples", title_justify="left")
    for column in ("trip", "reason", "attribute", "value"):
        table.add_column(column)
    trips = _quarantined(out)
    for trip in sorted(trips, key=lambda trip: trip.reason)[:_REJECTED_SHOWN]:
        texts = (trip.key_as_text, trip.reason, trip.attribute, trip.value_as_json)
        table.add_row(*(Text(visible(text)) for text in texts))
    if trips:
        console.print(table)


def _quarantined(out: Path) -> list[QuarantinedTrip]:
    """Yields every trip of the quarantine, of all runs."""
    files = sorted(out.glob(f"{layout.quarantine_prefix('*')}*/*.jsonl"))
    keys = tuple(key for key in (str(file.relative_to(out)) for file in files) if is_known(key))
    return list(rejected_trips(out, [Quarantined(segment=0, by_reason={}, keys=keys)]))


def show_failure(console: Console, ended: EndedExecution, place: Place) -> None:
    """Shows the error and the cause of the execution, those of the segments that failed, and what
    to do."""
    lines = [f"{ended.error or ended.status}: {readable_cause(ended.cause)}"]
    lines += [
        f"segment {child.segment}: {child.error}: {readable_cause(child.cause)}"
        for child in ended.failed_segments or ()
    ]
    # No box: it would break a path or a command into pieces, which nobody can copy.
    console.rule(Text(f"run {ended.run_id} {(ended.status or '').lower()}"), style="red")
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    console.rule(style="red")
    published = str(ended.published)
    console.print(Text(f"{published[0].upper()}{published[1:]}."), soft_wrap=True)
    if not isinstance(place, Path) and not place.is_embedded:
        logs = shlex.join(["sam", "logs", "--stack-name", *place.options[1:]])
        console.print(Text.assemble("The functions' logs: ", (logs, "bold")), soft_wrap=True)
    elif isinstance(place, Path) and any((place / "logs").glob("*")):
        console.print(
            Text.assemble("The functions' logs are in ", (str(place / "logs"), "bold")),
            soft_wrap=True,
        )
    show_next_steps(console, ended.run_id, ended.errors, ended.progress, place)


def show_next_steps(
    console: Console, run_id: str, errors: Collection[str], progress: Progress, place: Place
) -> None:
    """Shows what to do after these errors, in the order in which to consider it."""
    times: tuple[str, ...] = ()
    if progress.counts.rejected.get(Reason.TIME_UNREADABLE):
        times = _unreadable_times(place, run_id)
    failed = FailedRun(run_id=run_id, errors=errors, progress=progress, unreadable_times=times)
    for step in next_steps(failed, place):
        console.print(Text(step.says), soft_wrap=True)
        for command in step.commands:
            console.print(Text(f"  {command}", "bold"), soft_wrap=True)


def _unreadable_times(place: Place, run_id: str) -> tuple[str, ...]:
    """Returns the unreadable times; None if they cannot be fetched, because they only improve a
    hint."""
    if isinstance(place, Path):
        return unreadable_times(Directory(place), run_id)
    from ops.stack.account import AccountError, asking_aws

    what = f"for the rejected trips of run {run_id}"
    with suppress(AccountError), asking_aws(place.account, what):
        return unreadable_times(place.bucket(), run_id)
    return ()


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
