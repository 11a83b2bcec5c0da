"""What a person sees at the end of a run."""

import json
import shlex
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ops.account.stack import Stack
from ops.figures import visible
from ops.outcome import Outcome
from ops.results.marked_days import MarkedDays
from ops.way_out import Place, way_out

DAYS_SHOWN = 62
_REJECTED_SHOWN = 10
_NO_OUTCOMES = {"days_open", "days_shrank"}
"""numbers of days that have one outcome or another"""


def show_outcome(console: Console, outcome: Outcome, out: Path) -> None:
    """The KPIs, the proof and where things lie; or what failed and what to do."""
    if not outcome.succeeded or outcome.output is None:
        show_failure(console, outcome, out)
    elif "trips" in outcome.output:
        show_kpis(console, out, open_days=outcome.output.get("open_days", ()))
        show_summary(console, outcome)
        names = ("kpis", "runs", "quarantine", "logs", "state")
        there = ", ".join(f"{name}/" for name in names if any((out / name).glob("*")))
        console.print(Text.assemble("Left in ", (str(out), "bold"), f": {there}"), soft_wrap=True)


def show_kpis(
    console: Console, out: Path, *, of: int | None = None, open_days: Collection[str] = ()
) -> None:
    """One row a day. Figures are shown to two places here; the files have them whole.

    `of` says how many days there are, where `out` has the last of them alone. The `open_days` are
    marked.
    """
    table = Table(title="KPIs by day", title_justify="left")
    table.add_column("date")
    for column in ("trips", "total fare", "average", "max", "min"):
        table.add_column(column, justify="right")
    files = sorted((out / "kpis").glob("date=*/kpi.json"))
    shown = [json.loads(file.read_bytes(), parse_float=Decimal) for file in files[-DAYS_SHOWN:]]
    if any(day["date"] in open_days for day in shown):
        table.add_column("")
    for day in shown:
        table.add_row(
            day["date"],
            f"{day['trip_count']:,}",
            *(
                f"{day[name]:,.2f}"
                for name in ("total_fare", "average_fare", "max_fare", "min_fare")
            ),
            *(["open"] if day["date"] in open_days else []),
        )
    console.print(table if files else "No trip counts: there is no day to publish.")
    if (days := of or len(files)) > DAYS_SHOWN:
        console.print(f"… the last {DAYS_SHOWN} of {days:,} days")


def show_summary(console: Console, outcome: Outcome) -> None:
    """The counts, in the form of the proof."""
    summary = outcome.output or {}
    rejected = sum(summary["rejected"].values())
    days = {
        name.removeprefix("days_").replace("_", " "): n
        for name, n in summary.items()
        if name.startswith("days_") and name not in _NO_OUTCOMES
    }
    console.print(
        f"{summary['scanned']:,} scanned = {summary['incomplete']:,} incomplete + "
        f"{rejected:,} rejected + {summary['counted']:,} counted, in "
        f"{so_many(summary['segments'], 'segment')} and {so_many(summary['pages'], 'page')}\n"
        f"total fare {summary['total_fare']}\n"
        f"days: {', '.join(f'{n:,} {what}' for what, n in days.items() if n) or 'none'}",
        highlight=False,
        soft_wrap=True,
    )
    for line in MarkedDays.from_summary(summary).lines():
        console.print(Text(line, "yellow" if line.startswith("warning") else ""), soft_wrap=True)
    if summary["segments_by_invocations"].keys() - {"1"}:
        console.print(
            "invocations: "
            + ", ".join(
                f"{so_many(segments, 'segment')} took {invocations}"
                for invocations, segments in summary["segments_by_invocations"].items()
            ),
            highlight=False,
            soft_wrap=True,
        )
    if summary["throttles"]:
        console.print(
            "the table throttled: "
            + ", ".join(f"{n:,} {reason}" for reason, n in summary["throttles"].items()),
            highlight=False,
            soft_wrap=True,
        )
    if summary["scanned"] and summary["incomplete"] == summary["scanned"]:
        console.print(
            "[yellow]No trip has both fares. Are they named otherwise? Give --parameter "
            "FareAttribute=… and EstimatedFareAttribute=…[/]",
            soft_wrap=True,
        )
    for reason, n in summary["rejected"].items():
        console.print(f"  rejected {n:>6,}  {reason}", highlight=False, soft_wrap=True)


def show_pages(console: Console, outcome: Outcome) -> None:
    """What going on with a run took."""
    pages = outcome.pages
    if not pages.read:
        say = "No page of the table was read this time."
    else:
        say = f"{so_many(pages.read, 'page')} of the table {_was(pages.read)} read this time; "
        say += f"{pages.again:,} of them had been read before, and lost before they were appended."
    console.print(say, highlight=False, soft_wrap=True)


def show_rejected(console: Console, out: Path) -> None:
    """Examples from the quarantine."""
    table = Table(title="In quarantine, for example", title_justify="left")
    for column in ("trip", "reason", "attribute", "value"):
        table.add_column(column)
    lines = [
        json.loads(line)
        for file in sorted((out / "quarantine").glob("run=*/segment=*/*.jsonl"))
        for line in file.read_text().splitlines()
    ]
    for trip in sorted(lines, key=lambda trip: str(trip["reason"]))[:_REJECTED_SHOWN]:
        key = ", ".join(str(v) for value in trip["key"].values() for v in value.values())
        table.add_row(
            *(
                Text(visible(text))
                for text in (key, trip["reason"], trip["attribute"], json.dumps(trip["value"]))
            )
        )
    if lines:
        console.print(table)


def show_failure(console: Console, outcome: Outcome, place: Place) -> None:
    """The execution's error and cause, those of the segments that failed, and what to do."""
    lines = [f"{outcome.error or outcome.status}: {readable_cause(outcome.cause)}"]
    lines += [
        f"segment {child.input.get('segment')}: {child.error}: {readable_cause(child.cause)}"
        for child in outcome.failed_segments
    ]
    console.print(
        Panel(
            Text("\n".join(lines)),
            title=f"run {outcome.run_id} {outcome.status.lower()}",
            border_style="red",
        )
    )
    published = str(outcome.published)
    console.print(Text(f"{published[0].upper()}{published[1:]}."), soft_wrap=True)
    if isinstance(place, Stack):
        logs = shlex.join(["sam", "logs", "--stack-name", *place.options[1:]])
        console.print(Text.assemble("The functions' logs: ", (logs, "bold")), soft_wrap=True)
    elif any((place / "logs").glob("*")):
        console.print(
            Text.assemble("The functions' logs are in ", (str(place / "logs"), "bold")),
            soft_wrap=True,
        )
    says, command = way_out(outcome.run_id, outcome.errors, place, is_planned=outcome.is_planned)
    console.print(Text(says), soft_wrap=True)
    if command:
        console.print(Text(f"  {command}", "bold"), soft_wrap=True)


def readable_cause(cause: str | None) -> str:
    """The message of a Lambda error's cause, which is JSON; other causes as they are."""
    try:
        message = json.loads(cause or "")["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return cause or ""
    return str(message)


def so_many(number: int, what: str) -> str:
    """``1 page``, ``2 pages``"""
    return f"{number:,} {what}{'s' * (number != 1)}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
