"""`python -m ops status`."""

import json

import click

from ops.cli import options, terminal
from ops.cli.results import Source, source
from ops.cli.stack_runs import follow_to_its_end
from ops.cli.status_screen import show_status, to_json
from ops.runs.execution import RunningExecution
from ops.runs.finished_run import finished_run
from ops.runs.marked_days import MarkedDays
from ops.runs.next_steps import Place
from ops.runs.run_status import RunStatus, in_directory, in_stack
from ops.stack.start import executions_of_run


@click.command()
@click.argument("run_id", required=False)
@source
@click.option(
    "--follow",
    is_flag=True,
    help="Watch a run of a stack to its end, as `run --stack` does. Ctrl-C does not stop the run.",
)
@options.as_json
def status(*, run_id: str | None, source: Source, follow: bool, as_json: bool) -> None:
    """Show the progress of a run, what failed, and what to do next.

    Without RUN_ID, it shows the last run. The figures are up to a minute old: they do not include
    what a worker has read since its last append.

    \b
    python -m ops status --stack trip-kpis
    python -m ops status run-20240525T021500-3f2a --stack trip-kpis --follow
    python -m ops status --out out
    """
    console = terminal.console(stderr=as_json and follow)
    if follow:
        if source.stack is None:
            raise click.UsageError(
                "--follow is for runs of a stack: one on this machine is shown by the command that "
                "runs it"
            )
        newest = executions_of_run(source.stack, run_id)
        if newest and newest[0].status == "RUNNING":
            execution = RunningExecution(source.stack, newest[0].run_id, newest[0].arn)
            follow_to_its_end(console, source.stack, execution, as_json=as_json)
    place: Place
    if source.stack is not None:
        run_status, place = in_stack(source.stack, run_id), source.stack
    else:
        assert source.out is not None
        run_status, place = in_directory(source.out, run_id), source.out
    marked = _marked(source, run_status)
    if as_json:
        click.echo(json.dumps({**to_json(run_status), **(marked.to_json() if marked else {})}))
    else:
        show_status(console, run_status, place, marked=marked)


def _marked(source: Source, run_status: RunStatus) -> MarkedDays | None:
    """The days that were open or shrank, of a run that has published. Raises ResultsError."""
    if not run_status.is_published:
        return None
    with source.manifests(run_status.run_id) as directory:
        return MarkedDays.of_run(finished_run(directory, run_status.run_id))
