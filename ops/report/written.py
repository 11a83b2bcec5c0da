"""Writes the report of a run."""

from pathlib import Path

from ops.atomic_write import atomic_write
from ops.report.days import days
from ops.report.groups import by_groups
from ops.report.page import Report, page
from ops.report.rejected import rejected
from ops.report.timeline import timeline
from ops.runs.errors import ResultsError
from ops.runs.finished_run import finished_run

REPORT = "report.html"


def write_report(
    out: Path,
    *,
    run_id: str | None = None,
    to: Path | None = None,
    executions: tuple[str, ...] = (),
) -> Path:
    """Reads a run's results in `out` and writes the page, by default to `out`/report.html; returns
    its path. None is the run that finished last. `executions` are the names of its executions, the
    one that began it first.

    Raises ResultsError for what cannot be reported on, or written.
    """
    run = finished_run(out, run_id)
    report = Report(
        run=run,
        days=days(out, run),
        groups=by_groups(out, run),
        rejected=rejected(out, run),
        timeline=timeline(out, run),
        executions=executions,
    )
    file = out / REPORT if to is None else to
    content = page(report).encode()
    try:
        atomic_write(file, content)
    except OSError as error:
        raise ResultsError(
            f"{file} cannot be written ({error.strerror}): name another file with --to"
        ) from error
    return file
