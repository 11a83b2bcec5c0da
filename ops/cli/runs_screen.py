"""The output of the list of runs."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path

from ops.cli import terminal
from ops.cli.tables import Column, show_headed_rows
from ops.cli.terminal import say
from ops.runs.execution import INTERRUPTED
from ops.runs.figures import lasting, so_many
from ops.runs.next_steps import Place, ops_command
from ops.runs.run import FINISHED, NOT_FINISHED, RUNNING, SUPERSEDED, Run

_NUMBERS = ("took", "trips", "rejected", "new/same", "USD")


def show_runs(found: Sequence[Run], place: Place, name: str) -> None:
    """Shows a table, then the next step for each run that is not finished. `name` is that of the
    place."""
    console = terminal.console()
    if not found:
        say(console, f"There has been no run yet in {name}.")
        return
    columns = [Column("run"), Column("began (UTC)"), Column("status")]
    columns += [Column(heading, is_number=True) for heading in _NUMBERS]
    show_headed_rows(console, f"Runs in {name}", columns, list(map(_row, found)))
    of_stack = not isinstance(place, Path)
    for run in found:
        says = f"{run.run_id} {_is(run)}"
        if run.is_superseded:
            says += f"; {SUPERSEDED}"
        elif run.status == RUNNING and of_stack:
            says += f"; to follow it: {ops_command('status', run.run_id, place, '--follow')}"
        elif run.error:
            says += f"; why, and what to do: {ops_command('status', run.run_id, place)}"
        elif run.status not in (FINISHED, RUNNING) and (run.executions or of_stack):
            says += f"; to resume it: {ops_command('rerun', run.run_id, place)}"
        if run.status != FINISHED:
            say(console, says)
        if marks := _marks(run):
            status = ops_command("status", run.run_id, place)
            say(console, f"{run.run_id} has {marks}; to read more: {status}")


def _marks(run: Run) -> str:
    warned = len(run.marked.warnings) if run.marked else 0
    shrank = run.marked.days_shrank if run.marked else 0
    superseded = run.days("superseded") if run.finished else 0
    found = [so_many(warned, "warning")] if warned else []
    found += [f"{so_many(shrank, 'day')} with fewer trips than before"] if shrank else []
    found += [f"{so_many(superseded, 'day')} that a later run has published"] if superseded else []
    return " and ".join(found)


def _is(run: Run) -> str:
    if run.status in (RUNNING, NOT_FINISHED):
        return f"is {run.status}"
    if run.status == INTERRUPTED.lower():
        return "was interrupted"
    return f"{run.status} ({run.error})" if run.error else run.status


def _usd(cost: Decimal) -> str:
    """Formats dollars with two decimal places; small amounts with two digits."""
    return f"{cost:,.2f}" if cost >= 1 or not cost else f"{cost:.{1 - cost.adjusted()}f}"


def _row(run: Run) -> list[str]:
    done = run.finished
    began = run.began_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if run.began_at else ""
    row = [run.run_id, began, run.status, lasting(run.seconds) if run.seconds else ""]
    if done is None:
        return row + [""] * (len(_NUMBERS) - 1)
    return [
        *row,
        f"{done.counted:,}",
        f"{done.rejected_in_all:,}",
        f"{run.days('published'):,}/{run.days('unchanged'):,}",
        _usd(Decimal(done.cost_usd["total"])),
    ]
