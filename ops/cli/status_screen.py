"""The status of a run, as a person sees it."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from ops.cli.screens import so_many
from ops.runs.execution import Execution, readable_cause
from ops.runs.figures import share
from ops.runs.next_steps import Place, next_steps, ops_command
from ops.runs.run import FINISHED, RUNNING, Run
from ops.runs.run_log import Progress

_STYLES = {FINISHED: "bold green", RUNNING: "bold"}


def show_status(console: Console, run: Run, place: Place) -> None:
    """A few lines; the last says what to do next."""
    style = _STYLES.get(run.status, "bold red")
    console.print(Text.assemble(f"Run {run.run_id}: ", (run.status, style)), soft_wrap=True)
    for name, text in [*_executions(run), *_counts(run)]:
        console.print(Text(f"{name:<12} {text}"), soft_wrap=True)
    for line in run.marked.lines() if run.marked else ():
        console.print(Text(line), soft_wrap=True)
    console.print(Text(_next(run, place)), soft_wrap=True)


def _executions(run: Run) -> list[tuple[str, str]]:
    rows = []
    for one in run.executions:
        rows.append(("execution", _execution(one)))
        if one.error:
            rows.append(("", f"{one.error}: {readable_cause(one.cause)}"))
        for child in one.failed_segments or ():
            cause = readable_cause(child.cause)
            rows.append(("", f"segment {child.segment}: {child.error}: {cause}"))
    return rows


def _execution(one: Execution) -> str:
    facts = [one.name, (one.status or "").lower()]
    if one.started_at:
        facts.append(f"began {one.started_at:%Y-%m-%d %H:%M:%S %Z}")
    if one.stopped_at:
        facts.append(f"ended {one.stopped_at:%H:%M:%S}")
    return ", ".join(filter(None, facts))


def _counts(run: Run) -> list[tuple[str, str]]:
    progress = run.progress or Progress()
    counts = progress.counts
    if progress.plan is None:
        return [("segments", "no plan under staging/: not written yet, or expired")]
    segments = f"{len(progress.finished):,} of {progress.segments:,} finished"
    if unfinished := progress.begun - progress.finished:
        segments += f", {len(unfinished):,} begun"
    trips = f"{counts.scanned:,} scanned"
    if run.status != FINISHED and progress.expected_items:
        expected = progress.expected_items
        trips += f" ({share(counts.scanned, expected)} of about {expected:,})"
    trips += f" = {counts.incomplete:,} incomplete + {counts.rejected_in_all:,} rejected + "
    rows = [
        ("segments", segments),
        ("trips", f"{trips}{counts.counted:,} counted"),
        ("read units", f"{counts.read_units:,.1f}, in {so_many(counts.pages, 'page')}"),
    ]
    rows += [("rejected", f"{n:,} {reason}") for reason, n in sorted(counts.rejected.items())]
    rows += [("throttled", f"{n:,} {why}") for why, n in sorted(counts.throttles.items())]
    return rows


def _next(run: Run, place: Place) -> str:
    if run.is_running:
        if isinstance(place, Path):
            return "Another process on this machine is at it."
        return f"To watch it:\n  {ops_command('status', run.run_id, place, '--follow')}"
    if run.status == FINISHED:
        return f"As a page:\n  {ops_command('report', run.run_id, place)}"
    if run.errors:
        is_planned = run.progress is not None and run.progress.plan is not None
        says, command = next_steps(run.run_id, run.errors, place, is_planned=is_planned)
        return f"{says}\n  {command}" if command else says
    return f"To resume it:\n  {ops_command('rerun', run.run_id, place)}"
