"""`ops runs`."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

import click

from ops.cli.results import Source, as_json, source

if TYPE_CHECKING:
    from ops.runs.run import Run


_NUMBERS = ("took", "trips", "rejected", "new/same", "shrank", "read units", "USD")


@click.command()
@source
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="So many of the newest; of a stack, what its so many newest executions were about.",
)
@as_json
def runs(*, source: Source, last: int, as_json: bool) -> None:
    """List the runs, the newest first, and how they ended.

    A run is named after the execution that began it; others may have resumed it. For each run
    that is not finished, the command that resumes it is shown. `new/same` are the days whose
    figures the run has published, and those whose very figures were there before; `shrank` are the
    days that had fewer trips in the table than were published before (`status` lists them).

    \b
    ops runs --out out
    ops runs --stack trip-kpis --last 100
    ops runs --stack trip-kpis --json | jq '.[] | select(.status == "failed")'
    """
    of_stack = source.stack is not None
    found = (_of_stack(source, last) if of_stack else _of_directory(source))[:last]
    if as_json:
        click.echo(json.dumps([run.to_json() for run in found]))
    else:
        _show(source, found)


def _of_directory(source: Source) -> tuple[Run, ...]:
    from ops.local.results import runs_in_directory

    assert source.out is not None
    return runs_in_directory(source.out)


def _of_stack(source: Source, last: int) -> tuple[Run, ...]:
    """By the executions that Step Functions remembers, and the manifests of the runs before."""
    from ops.runs.run import runs_in
    from ops.stack.executions import executions
    from ops.stack.fetched import newest_first

    stack = source.stack
    assert stack is not None
    known = [one for one in executions(stack, last=last) if not one.is_estimate]
    keys = newest_first(stack, "runs/run=")
    executed = {f"runs/run={one.run_id}/manifest.json" for one in known}
    before = [key for key in keys if key not in executed][: max(0, last - len(known))]
    with source.directory([*executed & {*keys}, *before]) as directory:
        return runs_in(directory, known[::-1])


def _show(source: Source, found: tuple[Run, ...]) -> None:
    from ops.cli import terminal
    from ops.cli.ending import say
    from ops.cli.screens import so_many
    from ops.cli.tables import Column, show_table
    from ops.runs.next_steps import ops_command
    from ops.runs.run import FINISHED, RUNNING

    console = terminal.console()
    if not found:
        say(console, f"There has been no run yet in {source.name}.")
        return
    columns = [Column("run"), Column("began (UTC)"), Column("status")]
    columns += [Column(heading, is_number=True) for heading in _NUMBERS]
    show_table(console, f"Runs in {source.name}", columns, list(map(_row, found)))
    for run in found:
        place, says = source.place, f"{run.run_id} {_is(run)}"
        if run.status == RUNNING and source.stack:
            says += f"; to follow it: {ops_command('status', run.run_id, place, '--follow')}"
        elif run.error:
            says += f"; why, and what to do: {ops_command('status', run.run_id, place)}"
        elif run.status not in (FINISHED, RUNNING) and (run.executions or source.stack):
            says += f"; to resume it: {ops_command('rerun', run.run_id, place)}"
        if run.status != FINISHED:
            say(console, says)
        if run.marked and run.marked.warnings:
            warned = so_many(len(run.marked.warnings), "warning")
            status = ops_command("status", run.run_id, place)
            say(console, f"{run.run_id} has {warned}; to read it: {status}")


def _is(run: Run) -> str:
    from ops.runs.run import NOT_FINISHED, RUNNING

    if run.status in (RUNNING, NOT_FINISHED):
        return f"is {run.status}"
    return f"{run.status} ({run.error})" if run.error else run.status


def _row(run: Run) -> list[str]:
    from ops.runs.figures import grouped, lasting

    done = run.finished
    began = run.began_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if run.began_at else ""
    marked = run.marked
    row = [run.run_id, began, run.status, lasting(run.seconds) if run.seconds else ""]
    if done is None or marked is None:
        return row + [""] * (len(_NUMBERS) - 1)
    return [
        *row,
        f"{done.counted:,}",
        f"{done.rejected_in_all:,}",
        f"{run.days('published'):,}/{run.days('unchanged'):,}",
        f"{marked.days_shrank:,}",
        grouped(done.read_units),
        grouped(done.cost_usd["total"]),
    ]
