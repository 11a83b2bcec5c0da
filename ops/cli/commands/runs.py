"""`python -m ops runs`."""

import json
from datetime import UTC

import click

from ops.cli import terminal
from ops.cli.ending import say
from ops.cli.results import Source, as_json, source
from ops.cli.screens import so_many
from ops.cli.tables import Column, show_table
from ops.runs.figures import grouped, lasting
from ops.runs.history import (
    FINISHED,
    NOT_FINISHED,
    RUNNING,
    Attempt,
    PastRun,
    attempts_here,
    history,
)
from ops.runs.next_steps import ops_command
from ops.stack.executions import executions
from ops.stack.fetched import newest_first
from ops.stack.stack import Stack

_COLUMNS = (
    Column("run"),
    Column("began (UTC)"),
    Column("outcome"),
    Column("took", is_number=True),
    Column("trips", is_number=True),
    Column("rejected", is_number=True),
    Column("new/same", is_number=True),
    Column("shrank", is_number=True),
    Column("read units", is_number=True),
    Column("USD", is_number=True),
)


@click.command()
@source
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="How many runs to list, the newest first; for a stack, how many executions to look at.",
)
@as_json
def runs(*, source: Source, last: int, as_json: bool) -> None:
    """List the runs and their results, the newest first.

    A run has the name of its first execution; other executions may have resumed it. For each
    unfinished run, the command that resumes it is shown. `new/same`: how many days the run
    published with new figures, and how many already had the same figures. `shrank`: how many days
    had fewer trips in the table than were published before (`status` lists them).

    \b
    python -m ops runs --out out
    python -m ops runs --stack trip-kpis --last 100
    python -m ops runs --stack trip-kpis --json | jq '.[] | select(.outcome == "failed")'
    """
    if source.stack is None:
        with source.directory([]) as directory:
            found = history(directory, attempts_here(directory))[:last]
    else:
        found = _of_stack(source, source.stack, last)
    if as_json:
        print(json.dumps([run.to_json() for run in found]))
    else:
        _show(source, found)


def _of_stack(source: Source, stack: Stack, last: int) -> tuple[PastRun, ...]:
    """By the executions that Step Functions remembers, and the manifests of the runs before."""
    known = [one for one in executions(stack, last=last) if not one.is_estimate]
    attempts = [Attempt.of(one) for one in reversed(known)]
    keys = newest_first(stack, "runs/run=")
    attempted = {f"runs/run={one.run_id}/manifest.json" for one in known}
    before = [key for key in keys if key not in attempted][: max(0, last - len(known))]
    with source.directory([*attempted & {*keys}, *before]) as directory:
        return history(directory, attempts)[:last]


def _show(source: Source, found: tuple[PastRun, ...]) -> None:
    console = terminal.console()
    if not found:
        say(console, f"There has been no run yet in {source.name}.")
        return
    show_table(console, f"Runs in {source.name}", _COLUMNS, list(map(_row, found)))
    for run in found:
        place, says = source.place, f"{run.run_id} {_is(run)}"
        if run.outcome == RUNNING and isinstance(place, Stack):
            says += f"; to follow it: {ops_command('status', run.run_id, place, '--follow')}"
        elif run.error:
            says += f"; why, and what to do: {ops_command('status', run.run_id, place)}"
        elif run.outcome != FINISHED and (run.attempts or isinstance(place, Stack)):
            says += f"; to resume it: {ops_command('rerun', run.run_id, place)}"
        if run.outcome != FINISHED:
            say(console, says)
        if run.marked and run.marked.warnings:
            warned = so_many(len(run.marked.warnings), "warning")
            status = ops_command("status", run.run_id, place)
            say(console, f"{run.run_id} has {warned}; to read it: {status}")


def _is(run: PastRun) -> str:
    if run.outcome in (RUNNING, NOT_FINISHED):
        return f"is {run.outcome}"
    return f"{run.outcome} ({run.error})" if run.error else run.outcome


def _row(run: PastRun) -> list[str]:
    done = run.finished
    began = run.began_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if run.began_at else ""
    marked = run.marked
    row = [run.run_id, began, run.outcome, lasting(run.seconds) if run.seconds else ""]
    if done is None or marked is None:
        return row + [""] * (len(_COLUMNS) - len(row))
    return [
        *row,
        f"{done.counted:,}",
        f"{done.rejected_in_all:,}",
        f"{run.days('published'):,}/{run.days('unchanged'):,}",
        f"{marked.days_shrank:,}",
        grouped(done.read_units),
        grouped(done.cost_usd["total"]),
    ]
