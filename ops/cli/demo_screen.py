"""The output of the demo: a month of trips, or a run that fails and is resumed."""

import json
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from ops.cli import terminal
from ops.cli.follow import Follower
from ops.cli.screens import show_ended, show_pages, show_rejected
from ops.cli.terminal import remark, say
from ops.local.demo import PAGES_BEFORE, break_month, differing_days, resume_month, run_month
from ops.local.made_up_trips import MadeUpMonth, make_up_month
from ops.runs.day_kpis import kpi_files
from ops.runs.execution import EndedExecution
from ops.runs.next_steps import rerun_command
from trip_kpis.core.layout import day_key


def show_demo(console: Console, out: Path, segments: int) -> bool:
    """Runs the demo and shows how it ended; returns whether the run succeeded."""
    month = _announced_month()
    with Follower(terminal.console(stderr=True)) as follower:
        ended = run_month(month, out, segments=segments, follower=follower)
    show_ended(console, ended, out)
    if ended.succeeded:
        show_rejected(console, out)
        _show_comparison(console, month, out)
        first = out / day_key(min(month.days))
        body = Text(first.read_text())
        console.print(Text.assemble("\n", (str(first), "bold")), soft_wrap=True)
        console.print(body, end="", highlight=False, soft_wrap=True)
    return ended.succeeded


def show_broken_demo(console: Console, out: Path, segments: int, broken: int) -> bool:
    """Lets the segment `broken` fail after two pages, which are lost, and then resumes the run;
    returns whether everything happened as expected.

    Expected is: the run failed because of that segment and published nothing, the second execution
    finished the run and read only the lost pages again, and the figures are exactly right.
    """
    month = _announced_month()
    remark(
        f"In segment {broken} of {segments}, once two pages are read, DynamoDB will refuse the "
        "next one and S3 what is to be appended, as if the function's role had lost its "
        "permissions in the middle of the run.",
    )
    with Follower(terminal.console(stderr=True)) as follower:
        failed = break_month(month, out, segments=segments, broken=broken, follower=follower)
    show_ended(console, failed, out)
    if not _failed_by(failed, broken) or kpi_files(out):
        console.print(Text("The run did not end as expected.", "bold red"), soft_wrap=True)
        return False
    assert failed.pages is not None
    say(
        console,
        f"Nothing is under {out}/kpis/. {failed.pages.read:,} pages of the table were read.\n",
    )
    console.print(Panel(_what_to_do(failed), title="what to do", border_style="green"))
    command = rerun_command(failed.run_id, out)
    say(console, f"The permissions are restored. Resuming the run:\n  {command}")
    with Follower(terminal.console(stderr=True)) as follower:
        finished = resume_month(failed.run_id, out, follower=follower)
    show_ended(console, finished, out)
    show_pages(console, finished)
    lost = finished.pages is not None and finished.pages.again == PAGES_BEFORE
    return finished.succeeded and _show_comparison(console, month, out) and lost


def _announced_month() -> MadeUpMonth:
    """Describes the demo's trips."""
    month = make_up_month()
    remark(
        f"Made up {len(month.trips.items):,} trips of May 2024: as Strings and Numbers, with "
        f"other forms of times, {month.incomplete} incomplete trips and {month.rejected} broken "
        "ones.",
    )
    return month


def _show_comparison(console: Console, month: MadeUpMonth, out: Path) -> bool:
    """Compares the published figures with those that the trips were made from; returns whether they
    are equal."""
    wrong = differing_days(month, out)
    if wrong:
        says = f"{len(wrong)} days differ from what the trips were made from: {', '.join(wrong)}"
        console.print(Text(says, "bold red"), soft_wrap=True)
    else:
        says = f"All {len(month.days)} days are exactly what the trips were made from."
        console.print(Text(says, "bold green"), soft_wrap=True)
    return not wrong


def _failed_by(ended: EndedExecution, segment: int) -> bool:
    failed = [one.segment for one in ended.failed_segments or ()]
    return not ended.succeeded and failed == [segment]


def _what_to_do(failed: EndedExecution) -> Text:
    again = json.dumps({"run_id": failed.run_id})
    return Text.assemble(
        "In AWS, once the cause is fixed, there are two ways. Neither reads again what a segment "
        "has appended to its log.\n\n",
        ("1. Redrive", "bold"),
        " (within 14 days): in the console, open the failed execution and press Redrive. It runs "
        "again the segments that failed or were aborted, then the merge.\n\n",
        ("2. New execution", "bold"),
        " (at any time, after a redeployment too): start the state machine with the input\n\n",
        (f"{again}\n\n", "bold"),
        "Segments that are finished cost one small read each. The embedded AWS has no Redrive; "
        "this second way is the one that is shown now.",
    )
