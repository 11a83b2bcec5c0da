"""The output about a run of a deployed stack, from its start, or from now, to its end."""

import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from ops import interruption
from ops.cli import terminal
from ops.cli.follow import Follower
from ops.cli.results import say_ignored
from ops.cli.screens import DAYS_SHOWN, show_failure, show_kpis, show_summary
from ops.cli.terminal import end, remark
from ops.runs.execution import EndedExecution
from ops.runs.marked_days import MarkedDays
from ops.runs.next_steps import ops_command
from ops.runs.run_log import Progress
from ops.runs.running_execution import Ask, RunningExecution
from ops.stack import runs
from ops.stack.account import AccountError, asking_aws
from ops.stack.fetched import fetch
from ops.stack.retries import UntilAnswered
from ops.stack.stack import Stack
from trip_kpis.core import layout
from trip_kpis.core.layout import is_known

CANNOT_FOLLOW = 3
"""exit status: the run continues, but AWS cannot be asked for its progress any more"""


def follow_to_its_end(
    stack: Stack,
    execution: RunningExecution,
    *,
    as_json: bool,
    until_answered: Callable[[Callable[[str], None]], Ask] = UntilAnswered,
) -> NoReturn:
    """Follows the run to its end, and exits as `run` does. Ctrl-C ends the watching and not the
    run, and so does an account that cannot be asked any more."""
    try:
        remark(f"Run {execution.run_id} of the stack {stack.name}.")
        with Follower(terminal.console(stderr=True)) as follower:

            def show(progress: Progress) -> None:
                interruption.check()
                follower.show(progress)

            ended = runs.follow(stack, execution, show, ask=until_answered(follower.say))
            follower.executed(succeeded=ended.succeeded)
    except KeyboardInterrupt:
        remark(f"\n{_it_continues(stack, execution)}")
        interruption.is_said()
        sys.exit(interruption.INTERRUPTED)
    except AccountError as error:
        remark(f"Error: {error}\n{_it_continues(stack, execution)}")
        sys.exit(CANNOT_FOLLOW)
    show_end(terminal.console(stderr=as_json), stack, ended)
    end(ended, as_json=as_json)


def _it_continues(stack: Stack, execution: RunningExecution) -> str:
    stop = ["aws", "stepfunctions", "stop-execution", "--execution-arn", execution.arn]
    return (
        "The run continues in AWS. To follow it again:\n"
        f"  {ops_command('status', execution.run_id, stack, '--follow')}\n"
        f"To stop it:\n  {shlex.join([*stop, *stack.account.options])}"
    )


def show_end(console: Console, stack: Stack, ended: EndedExecution) -> None:
    """Shows the KPIs, the proof and the places of the results; or what failed and what to do."""
    if not ended.succeeded:
        show_failure(console, ended, stack)
        return
    try:
        with tempfile.TemporaryDirectory(prefix="trip-kpis-") as fetched:
            days = _fetch_last_days(stack, Path(fetched))
            open_days = MarkedDays.from_summary(ended.output or {}).open_days
            show_kpis(console, Path(fetched), of=days, marks=dict.fromkeys(open_days, "open"))
    except AccountError as error:
        remark(f"The run has published its days, and they cannot be shown: {error}")
    show_summary(console, ended)
    report = ops_command("report", ended.run_id, stack)
    console.print(
        Text.assemble(f"In s3://{stack.bucket_name}/kpis/. As a page: ", (report, "bold")),
        soft_wrap=True,
    )


def _fetch_last_days(stack: Stack, directory: Path) -> int:
    """Returns how many days there are; fetches only as many of the last days as are shown."""
    with asking_aws(stack.account, f"for the days in s3://{stack.bucket_name}"):
        listed = [one.key for one in stack.bucket().objects(layout.KPIS)]
    keys = list(filter(is_known, listed))
    say_ignored(stack, {*listed} - {*keys})
    shown = set(keys[-DAYS_SHOWN:])
    fetch(stack, [layout.KPIS], directory, wanted=shown.__contains__)
    return len(keys)
