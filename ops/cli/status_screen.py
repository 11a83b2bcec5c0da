"""The output of a run's status."""

from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ops.cli.screens import show_next_steps
from ops.runs.execution import Execution, readable_cause
from ops.runs.figures import balance, instant, share, so_many
from ops.runs.next_steps import Place, ops_command
from ops.runs.run import FINISHED, RUNNING, SUPERSEDED, Run
from ops.runs.run_log import Progress

_STYLES = {FINISHED: "bold green", RUNNING: "bold"}


def show_status(console: Console, run: Run, place: Place) -> None:
    """Shows a few lines; the last line says what to do next."""
    style = _STYLES.get(run.status, "bold red")
    console.print(Text.assemble(f"Run {run.run_id}: ", (run.status, style)), soft_wrap=True)
    for name, text in [*_executions(run), *_counts(run)]:
        console.print(Text(f"{name:<12} {text}"), soft_wrap=True)
    for line in run.marked.lines() if run.marked else ():
        console.print(Text(line), soft_wrap=True)
    _show_next(console, run, place)


def _executions(run: Run) -> list[tuple[str, str]]:
    """Shows each execution with its errors. An error that a later execution or another segment has,
    too, is printed once."""
    rows, said = [], set[str]()
    for one in run.executions:
        rows.append(("execution", _execution(one)))
        segments_by_error: dict[str, list[str]] = {}
        if one.error:
            segments_by_error[f"{one.error}: {readable_cause(one.cause)}"] = []
        for child in one.failed_segments or ():
            error = f"{child.error}: {readable_cause(child.cause)}"
            segments_by_error.setdefault(error, []).append(str(child.segment))
        for error, segments in segments_by_error.items():
            whose = f"segment{'s' * (len(segments) > 1)} {', '.join(segments)}: "
            shown = "the same error" if error in said else error
            rows.append(("", f"{whose}{shown}" if segments else shown))
        said |= segments_by_error.keys()
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
    if progress.plan.waits_for_export:
        return [("export", "not complete yet; DynamoDB takes minutes to hours for it")]
    segments = f"{len(progress.finished):,} of {progress.segments:,} finished"
    if unfinished := progress.begun - progress.finished:
        segments += f", {len(unfinished):,} begun"
    trips = f"{counts.scanned:,} scanned"
    if run.status != FINISHED and progress.expected_items:
        expected = progress.expected_items
        trips += f" ({share(counts.scanned, expected)} of about {expected:,})"
    balanced = balance(
        excluded=counts.excluded,
        incomplete=counts.incomplete,
        rejected=counts.rejected_in_all,
        counted=counts.counted,
    )
    rows = [("segments", segments), ("trips", f"{trips} = {balanced}")]
    if progress.plan.export is None:
        pages = so_many(counts.pages, "page")
        rows.append(("read units", f"{counts.read_units:,.1f}, in {pages}"))
    else:
        as_of = instant(datetime.fromisoformat(progress.plan.as_of))
        arn = progress.plan.export.export_arn
        of_files = f"files without manifests, as of {as_of} at the latest"
        rows.append(("export", f"{arn}, as of {as_of}" if arn else of_files))
    rows += [("rejected", f"{n:,} {reason}") for reason, n in sorted(counts.rejected.items())]
    rows += [("throttled", f"{n:,} {why}") for why, n in sorted(counts.throttles.items())]
    return rows


def _show_next(console: Console, run: Run, place: Place) -> None:
    is_resumable = not (run.is_running or run.is_superseded) and run.status != FINISHED
    if is_resumable and run.errors:
        show_next_steps(console, run.run_id, run.errors, run.progress or Progress(), place)
    else:
        console.print(Text(_next(run, place)), soft_wrap=True)


def _next(run: Run, place: Place) -> str:
    if run.is_running:
        if isinstance(place, Path):
            return "Another process on this machine is running it."
        return f"To watch it:\n  {ops_command('status', run.run_id, place, '--follow')}"
    if run.status == FINISHED:
        return f"As a page:\n  {ops_command('report', run.run_id, place)}"
    if run.is_superseded:
        return f"Next steps: {SUPERSEDED}."
    return f"To resume it:\n  {ops_command('rerun', run.run_id, place)}"
