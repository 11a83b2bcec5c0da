"""The demo: a made-up month, run, and checked against the figures that it was made from."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ops.cli.follow import Follower
from ops.cli.screens import show_outcome, show_rejected
from ops.local.local_stack import Where
from ops.local.made_up_trips import MadeUpMonth, make_up_month
from ops.local.run import run

SEGMENTS = 16


def show_demo(console: Console, out: Path) -> bool:
    """Runs the demo and shows its outcome; did the run succeed?"""
    month = announced_month(console)
    with Follower(console) as follower:
        outcome = run(
            month.trips,
            out=out,
            execution_input={"total_segments": SEGMENTS},
            parameters={},
            where=Where(),
            follower=follower,
        )
    show_outcome(console, outcome, out)
    if outcome.succeeded:
        show_rejected(console, out)
        show_comparison(console, month, out)
        first = out / "kpis" / f"date={min(month.days)}" / "kpi.json"
        body = Text(first.read_text())
        console.print(Text.assemble("\n", (str(first), "bold")), soft_wrap=True)
        console.print(body, end="", highlight=False, soft_wrap=True)
    return outcome.succeeded


def announced_month(console: Console) -> MadeUpMonth:
    """The demo's trips, said what they are."""
    month = make_up_month()
    console.print(
        f"Made up {len(month.trips.items):,} trips of May 2024: as Strings and Numbers, with "
        f"other forms of times, {month.incomplete} incomplete trips and {month.rejected} broken "
        "ones.",
        highlight=False,
        soft_wrap=True,
    )
    return month


def show_comparison(console: Console, month: MadeUpMonth, out: Path) -> bool:
    """Are the published figures exactly those that the trips were made from?"""
    wrong = differing_days(month, out)
    if wrong:
        says = f"{len(wrong)} days differ from what the trips were made from: {', '.join(wrong)}"
        console.print(Text(says, "bold red"), soft_wrap=True)
    else:
        says = f"All {len(month.days)} days are exactly what the trips were made from."
        console.print(Text(says, "bold green"), soft_wrap=True)
    return not wrong


def differing_days(month: MadeUpMonth, out: Path) -> list[str]:
    """The days of which a figure in `out` is not exactly the known one; and days too many."""
    published = {
        file.parent.name.removeprefix("date="): json.loads(file.read_bytes(), parse_float=Decimal)
        for file in (out / "kpis").glob("date=*/kpi.json")
    }
    known = {
        day.isoformat(): (day_.trip_count, day_.total_fare, day_.min_fare, day_.max_fare)
        for day, day_ in month.days.items()
    }
    figures = {
        day: (
            kpi["trip_count"],
            *(Fraction(kpi[name]) for name in ("total_fare", "min_fare", "max_fare")),
        )
        for day, kpi in published.items()
    }
    return sorted(
        day for day in known.keys() | figures.keys() if known.get(day) != figures.get(day)
    )
