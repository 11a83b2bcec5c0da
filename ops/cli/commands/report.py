"""`ops report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.cli.results import Source, say_ignored, source
from trip_kpis.core import layout

if TYPE_CHECKING:
    from rich.console import Console

    from ops.runs.finished_run import FinishedRun


@click.command()
@click.argument("run_id", required=False)
@source
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file for the report. [DIR/report.html; with --stack, report-RUN_ID.html]",
)
def report(*, source: Source, run_id: str | None, to: Path | None) -> None:
    """Write one HTML page about a finished run, with its proof.

    The page shows the published figures and the proof that they are complete. Without RUN_ID, it
    shows the run that finished last. The page is one file, which does not load other files. You can
    open it in a browser, mail it and archive it.

    \b
    ops report --out out
    ops report run-20240525T021500-3f2a --out out --to may.html
    ops report --stack trip-kpis --profile production
    """
    from ops.cli import terminal
    from ops.report.written import write_report
    from ops.runs.finished_run import finished_run

    with source.manifests(*[run_id] if run_id else []) as directory:
        run = finished_run(directory, run_id)
        say_ignored(source.place, run.foreign_keys)
        if source.stack is None:
            from ops.local.results import execution_names

            executions = execution_names(directory, run.run_id)
        else:
            from ops.stack.executions import executions_of

            to = to or Path(f"report-{run.run_id}.html")
            _fetch(source, directory, run)
            of_run = executions_of(source.stack, run.run_id)
            executions = tuple(one.name for one in reversed(of_run))
        file = write_report(directory, run_id=run.run_id, to=to, executions=executions)
    _say_where(terminal.console(), file)


def _fetch(source: Source, directory: Path, run: FinishedRun) -> None:
    """Fetches what the page shows: days, groups, a few rejected items, and the parts unless they
    are many, with the plan that says how they are read."""
    from ops.report.rejected import EXAMPLES
    from ops.report.timeline import MOST_PARTS
    from ops.runs.quarantine import of_finished

    examples = of_finished(run).keys_with(EXAMPLES)
    parts = [layout.parts_prefix(run.run_id)] if run.parts <= MOST_PARTS else []
    plan = layout.plan_key(run.run_id)
    source.also(directory, [layout.KPIS, layout.BREAKDOWNS, plan, *examples, *parts])


def leave_report(console: Console, out: Path, run_id: str | None = None) -> None:
    """Writes the report at the end of a command that has executed the run (None: the only run of
    `out`), if the run is finished. It removes the report of an earlier run. It never fails, because
    the result of the command is the run's outcome."""
    from ops.cli.terminal import say
    from ops.local.results import execution_names
    from ops.report.written import REPORT, write_report
    from ops.runs.errors import ResultsError
    from ops.runs.finished_run import finished_run, manifests

    try:
        (out / REPORT).unlink(missing_ok=True)
        finished = manifests(out)
        if run_id in finished or (run_id is None and finished):
            run_id = finished_run(out, run_id).run_id
            executions = execution_names(out, run_id)
            _say_where(console, write_report(out, run_id=run_id, executions=executions))
    except (ResultsError, OSError) as error:
        say(console, f"There is no report: {error}")


def _say_where(console: Console, file: Path) -> None:
    from rich.text import Text

    console.print(Text.assemble("The report: ", (str(file), "bold")), soft_wrap=True)
