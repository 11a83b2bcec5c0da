"""`ops rerun`."""

from pathlib import Path
from typing import Any, NoReturn

import click

from ops import interruption
from ops.cli import options
from ops.cli.execution_input import empty_table_input, read_budget_input, refused_beside
from ops.cli.results import named_stack
from ops.local.names import CONTAINERS_PORT


@click.command()
@click.argument("run_id", required=False)
@click.option(
    "--out",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The directory of the `run` or `demo` that started the run.",
)
@options.stack
@options.profile
@options.region
@options.merge_parameter
@read_budget_input
@empty_table_input
@options.as_json
@options.lambda_endpoint
@options.access_key
@options.host
@options.port
def rerun(
    *,
    run_id: str | None,
    out: Path | None,
    stack: str | None,
    profile: str | None,
    region: str | None,
    parameters: dict[str, str],
    asked: dict[str, Any],
    as_json: bool,
    lambda_endpoint: str | None,
    access_key: str | None,
    host: str,
    port: int | None,
) -> NoReturn:
    """Resume a run that failed or was interrupted.

    It starts a new execution with the input {"run_id": RUN_ID}. You can do the same in the console.
    Finished work is not repeated. The exit status has the same meaning as for `run`.

    With --out, it resumes a run on this machine, with the same table and bucket. Without RUN_ID, it
    resumes the only unfinished run of DIR. If the run was interrupted between its last step and the
    writing of its results to DIR, `rerun` writes the results and executes nothing.

    With --stack, it resumes a run in the account. Without RUN_ID, it resumes the last run.

    \b
    ops rerun run-20240525T021500-3f2a --out out
    ops rerun --out out --parameter MaxRejectedShare=0.2
    ops rerun --stack trip-kpis
    ops rerun --stack trip-kpis --max-concurrency 4 --read-units-per-second 2000
    """
    if stack is not None:
        refused_beside(
            "--stack", "out", "parameters", "lambda_endpoint", "access_key", "host", "port"
        )
        named = named_stack(stack, profile, region)

        from ops.cli.stack_runs import follow_to_its_end
        from ops.stack.runs import resume

        follow_to_its_end(named, resume(named, run_id, asked), as_json=as_json)
    refused_beside("--out", "profile", "region")
    if out is None:
        raise click.UsageError(
            "say where the run is: --out DIR for a run on this machine, or --stack NAME for a run "
            "of a deployed stack"
        )
    if lambda_endpoint is not None:
        options.containers_parameters(parameters)
        port = CONTAINERS_PORT if port is None else port
    interruption.explain("The run was not resumed.")
    from ops.cli import terminal
    from ops.cli.commands.report import leave_report
    from ops.cli.follow import Follower
    from ops.cli.screens import show_ended, show_pages
    from ops.cli.terminal import end
    from ops.local.local_stack import Where
    from ops.local.run import rerun as rerun_here

    with Follower(terminal.console(stderr=True)) as follower:
        ended = rerun_here(
            run_id,
            out=out,
            parameters=parameters,
            where=Where(
                host=host, port=port or 0, access_key=access_key, lambda_endpoint=lambda_endpoint
            ),
            asked=asked,
            follower=follower,
        )
    console = terminal.console(stderr=as_json)
    show_ended(console, ended, out)
    show_pages(console, ended)
    leave_report(console, out, ended.run_id)
    end(ended, as_json=as_json)
