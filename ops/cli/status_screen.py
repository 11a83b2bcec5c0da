"""How a run stands, for the eye and for programs."""

from typing import Any

from rich.console import Console
from rich.text import Text

from ops.cli.screens import readable_cause, so_many
from ops.runs.figures import share
from ops.runs.history import FINISHED, RUNNING, Attempt
from ops.runs.marked_days import MarkedDays
from ops.runs.next_steps import Place, next_steps, ops_command
from ops.runs.run_status import RunStatus
from ops.stack.stack import Stack

_STYLES = {FINISHED: "bold green", RUNNING: "bold"}


def show_status(
    console: Console, status: RunStatus, place: Place, *, marked: MarkedDays | None = None
) -> None:
    """A few lines; the last says what to do next. `marked` are the days of a run that has published
    them."""
    style = _STYLES.get(status.state, "bold red")
    console.print(Text.assemble(f"Run {status.run_id}: ", (status.state, style)), soft_wrap=True)
    for name, text in [*_executions(status), *_counts(status)]:
        console.print(Text(f"{name:<12} {text}"), soft_wrap=True)
    for line in marked.lines() if marked else ():
        console.print(Text(line), soft_wrap=True)
    console.print(Text(_next(status, place)), soft_wrap=True)


def to_json(status: RunStatus) -> dict[str, Any]:
    """All of it, as one JSON object."""
    progress = status.progress
    return {
        "run_id": status.run_id,
        "state": status.state,
        "segments": progress.segments,
        "segments_begun": len(progress.begun),
        "segments_finished": len(progress.finished),
        "parts": progress.parts,
        "expected_items": progress.expected_items,
        **progress.counts.to_json(),
        "executions": [
            {
                "name": one.name,
                "status": one.status or "",
                "started_at": one.started_at.isoformat() if one.started_at else None,
                "stopped_at": one.stopped_at.isoformat() if one.stopped_at else None,
                "error": one.error or "",
                "cause": readable_cause(one.cause),
                "failed_segments": [
                    {"input": child.input, "error": child.error, "cause": child.cause}
                    for child in one.failed
                ],
            }
            for one in status.executions
        ],
    }


def _executions(status: RunStatus) -> list[tuple[str, str]]:
    rows = []
    for one in status.executions:
        rows.append(("execution", _execution(one)))
        if one.error:
            rows.append(("", f"{one.error}: {readable_cause(one.cause)}"))
        for child in one.failed:
            cause = readable_cause(child.cause)
            rows.append(("", f"segment {child.segment}: {child.error}: {cause}"))
    return rows


def _execution(one: Attempt) -> str:
    facts = [one.name, (one.status or "").lower()]
    if one.started_at:
        facts.append(f"began {one.started_at:%Y-%m-%d %H:%M:%S %Z}")
    if one.stopped_at:
        facts.append(f"ended {one.stopped_at:%H:%M:%S}")
    return ", ".join(filter(None, facts))


def _counts(status: RunStatus) -> list[tuple[str, str]]:
    progress, counts = status.progress, status.progress.counts
    if progress.plan is None:
        return [("segments", "no plan under staging/: not written yet, or expired")]
    segments = f"{len(progress.finished):,} of {progress.segments:,} finished"
    if unfinished := progress.begun - progress.finished:
        segments += f", {len(unfinished):,} begun"
    trips = f"{counts.scanned:,} scanned"
    if status.state != FINISHED and progress.expected_items:
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


def _next(status: RunStatus, place: Place) -> str:
    if status.is_running:
        if isinstance(place, Stack):
            again = ops_command("status", status.run_id, place, "--follow")
            return f"To watch it:\n  {again}"
        return "Another process on this machine is running it."
    if status.state == FINISHED:
        return f"As a page:\n  {ops_command('report', status.run_id, place)}"
    if status.errors:
        is_planned = status.progress.plan is not None
        says, command = next_steps(status.run_id, status.errors, place, is_planned=is_planned)
        return f"{says}\n  {command}" if command else says
    return f"To resume it:\n  {ops_command('rerun', status.run_id, place)}"
