"""`ops status`."""

import json

import click

from ops.cli import options
from ops.cli.results import Source, source


@click.command()
@click.argument("run_id", required=False)
@source
@click.option(
    "--follow",
    is_flag=True,
    help="Show the progress of a stack's run until it ends. Ctrl-C does not stop the run.",
)
@options.as_json
def status(*, run_id: str | None, source: Source, follow: bool, as_json: bool) -> None:
    """Show the progress of a run, its errors and the next steps.

    Without RUN_ID, it shows the last run. The figures are up to a minute old, because they do not
    include the pages that a worker has read since it last saved its work. With --follow, the exit
    status has the same meaning as for `run`. Exit status 3 means: the progress cannot be read any
    more, but the run continues in AWS.

    \b
    ops status --stack trip-kpis
    ops status run-20240525T021500-3f2a --stack trip-kpis --follow
    ops status --out out
    """
    if follow and source.stack is None:
        raise click.UsageError(
            "--follow works only with --stack: for a run on this machine, the command that started "
            "it shows the progress"
        )
    if source.stack is None:
        from ops.local.results import run_in_directory

        assert source.out is not None
        run = run_in_directory(source.out, run_id)
    else:
        from ops.cli.stack_runs import follow_to_its_end
        from ops.stack.runs import run_of_stack, running_execution

        if follow and (execution := running_execution(source.stack, run_id)):
            follow_to_its_end(source.stack, execution, as_json=as_json)
        run = run_of_stack(source.stack, run_id)
    if as_json:
        click.echo(json.dumps(run.progress_to_json()))
    else:
        from ops.cli import terminal
        from ops.cli.status_screen import show_status

        show_status(terminal.console(), run, source.place)
