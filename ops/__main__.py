"""`python -m ops`: the operator's commands."""

import json
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.text import Text

from ops import options
from ops.broken_demo import show_broken_demo
from ops.demo import SEGMENTS, show_demo
from ops.embedded.errors import EmbeddedCloudError
from ops.follow import Follower
from ops.local_stack import CONTAINERS_BUCKET, TABLE_NAME, Where, local_stack
from ops.no_redrive import redrive_refused
from ops.outcome import Outcome
from ops.report.command import leave_report, report
from ops.report.finished_run import ReportError
from ops.run import rerun as rerun_here
from ops.run import run as run_here
from ops.show import show_outcome, show_pages
from ops.state_directory import StateError
from ops.trip_files import TripFileError, read_trips
from trip_kpis.core.errors import TripKpisError
from trip_kpis.core.requests import RunRequest

MISTAKE = 2
"""exit status of a mistake in the call; 1 is a run that failed"""


class _Commands(click.Group):
    """Ends with one line, not a traceback, for what the person at the keyboard can mend."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (EmbeddedCloudError, ReportError, StateError, TripFileError, TripKpisError) as error:
            message = Text.assemble(("Error: ", "bold red"), str(error))
            Console(stderr=True).print(message, highlight=False, soft_wrap=True)
            sys.exit(MISTAKE)


@click.group(cls=_Commands)
def main() -> None:
    """Exact per-day KPIs from a DynamoDB table of trips, run and repaired from here.

    \b
    python -m ops demo                                  a made-up month, to see it work
    python -m ops run --trips trips.csv --out out       your own trips
    python -m ops rerun --out out                       go on with a run that failed
    python -m ops report --out out                      what a run has published, as a page
    python -m ops serve --trips trips.csv               for `sam local` and the aws CLI

    All of it runs on this machine, in an embedded AWS: no account, nothing leaves the machine.
    """
    signal.signal(signal.SIGTERM, _stop)


@main.command()
@options.trips
@options.out(
    "Is left with what the bucket holds under kpis/, runs/ and quarantine/, the report, the logs, "
    "and in state/ what `rerun` needs. What an earlier `run` left there is replaced."
)
@click.option("--segments", type=int, metavar="N", help="Parallel-scan segments. [by table size]")
@options.key
@options.sort_key
@options.parameter
@options.as_json
@options.lambda_endpoint
@options.host
@options.port
def run(
    *,
    files: tuple[Path, ...],
    out: Path,
    segments: int | None,
    key: str,
    sort_key: str | None,
    parameters: dict[str, str],
    as_json: bool,
    lambda_endpoint: str | None,
    host: str,
    port: int | None,
) -> NoReturn:
    """Run the whole job over trips from files.

    Starts an embedded AWS, deploys template.yaml and the state machine into it, loads the trips
    into a table, executes the state machine over it, and shows the KPIs. Exits with 0 if the run
    succeeded, 1 if it failed, 2 for a mistake in the call.

    \b
    python -m ops run --trips starts.csv --trips ends.csv --key id --out out
    python -m ops run --trips export.json.gz --out out --segments 8 --json
    """
    execution_input = {} if segments is None else {"total_segments": segments}
    RunRequest.from_event({"execution_name": "checked-early", "input": execution_input})
    console = Console(stderr=as_json)
    if lambda_endpoint is not None:
        parameters = options.containers_parameters(parameters)
        port = options.CONTAINERS_PORT if port is None else port
        if host == "127.0.0.1":
            _say(
                console,
                "The functions in containers must reach the embedded AWS: on Linux give --host the "
                "address of the Docker bridge, usually 172.17.0.1.",
            )
    trips = read_trips(files, hash_key=key, sort_key=sort_key)
    if trips.overwritten:
        _say(
            console,
            f"A later row of a trip counts where it has another value ({len(trips.overwritten):,} "
            f"of them; the first: {trips.overwritten[0]}).",
        )
    with Follower(console) as follower:
        outcome = run_here(
            trips,
            out=out,
            execution_input=execution_input,
            parameters=parameters,
            where=Where(host=host, port=port or 0, lambda_endpoint=lambda_endpoint),
            follower=follower,
        )
    show_outcome(console, outcome, out)
    leave_report(console, out, outcome.run_id)
    _end(outcome, as_json=as_json)


@main.command()
@click.argument("run_id", required=False)
@options.out("The directory of the `run` or `demo` that began it.")
@options.merge_parameter
@options.as_json
@options.lambda_endpoint
@options.host
@options.port
def rerun(
    *,
    run_id: str | None,
    out: Path,
    parameters: dict[str, str],
    as_json: bool,
    lambda_endpoint: str | None,
    host: str,
    port: int | None,
) -> NoReturn:
    """Go on with a run that failed, or whose process died.

    RUN_ID may be left out where one run of DIR is not finished.

    Starts a new execution with the input {"run_id": RUN_ID}, as one does it from the console, in an
    embedded AWS that holds what that of the earlier process held: the same table, the same bucket.
    What the run's segments have appended to their logs is not read again. Exits as `run` does.

    \b
    python -m ops rerun run-20240525T021500-3f2a --out out
    python -m ops rerun --out out --parameter MaxRejectedShare=0.2
    """
    console = Console(stderr=as_json)
    if lambda_endpoint is not None:
        options.containers_parameters(parameters)
        port = options.CONTAINERS_PORT if port is None else port
    with Follower(console) as follower:
        outcome = rerun_here(
            run_id,
            out=out,
            parameters=parameters,
            where=Where(host=host, port=port or 0, lambda_endpoint=lambda_endpoint),
            follower=follower,
        )
    show_outcome(console, outcome, out)
    show_pages(console, outcome)
    leave_report(console, out, outcome.run_id)
    _end(outcome, as_json=as_json)


@main.command()
@options.out("As in `run`.", default="out/demo")
@click.option(
    "--break-segment",
    type=click.IntRange(0, SEGMENTS - 1),
    metavar="N",
    help="Let segment N break at its third page, show what the operator sees then, and go on with "
    "the run.",
)
def demo(*, out: Path, break_segment: int | None) -> NoReturn:
    """Make up a month of trips, run the job over them, and show what comes out."""
    console = Console()
    as_told = (
        show_demo(console, out)
        if break_segment is None
        else show_broken_demo(console, out, break_segment)
    )
    leave_report(console, out)
    sys.exit(0 if as_told else 1)


@main.command()
@options.trips
@options.key
@options.sort_key
@options.parameter
@options.lambda_endpoint
@options.host
@options.port
def serve(
    *,
    files: tuple[Path, ...],
    key: str,
    sort_key: str | None,
    parameters: dict[str, str],
    lambda_endpoint: str | None,
    host: str,
    port: int | None,
) -> None:
    """Keep the embedded AWS up, with the stack deployed and the trips in its table.

    For `sam local invoke`, `sam local start-lambda` and the aws CLI. Ends with Ctrl-C.
    """
    console = Console()
    with (
        local_stack(
            read_trips(files, hash_key=key, sort_key=sort_key),
            where=Where(
                host=host,
                port=options.CONTAINERS_PORT if port is None else port,
                lambda_endpoint=lambda_endpoint,
                middleware=redrive_refused,
                enforce_iam=False,
            ),
            parameters=options.containers_parameters(parameters)
            if lambda_endpoint
            else {"BucketName": CONTAINERS_BUCKET, **parameters},
            on_loaded=lambda _: None,
            on_invocation=lambda _: None,
        ) as local,
    ):
        console.print(
            f"The embedded AWS is up at {local.cloud.endpoint_url}; Ctrl-C ends it.\n\n"
            f"export AWS_ENDPOINT_URL={local.cloud.endpoint_url}\n"
            "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test "
            f"AWS_DEFAULT_REGION={local.cloud.region}\n\n"
            f"table          {TABLE_NAME}\nbucket         {local.stack.bucket_name}\n"
            f"state machine  {local.stack.state_machine_arn}",
            highlight=False,
            soft_wrap=True,
        )
        _wait_for_interrupt()


main.add_command(report)


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def _end(outcome: Outcome, *, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps(outcome.to_json()), flush=True)
    sys.exit(0 if outcome.succeeded else 1)


def _wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main(prog_name="python -m ops")
