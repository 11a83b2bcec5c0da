"""`python -m ops`: the operator's commands."""

import json
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from ops.demo import show_demo
from ops.embedded.errors import EmbeddedCloudError
from ops.follow import Follower
from ops.local_stack import CONTAINERS_BUCKET, TABLE_NAME, Where, local_stack
from ops.run import run as run_here
from ops.show import show_outcome
from ops.trip_files import STREAM_KEY, TripFileError, read_trips
from trip_kpis.core.errors import TripKpisError
from trip_kpis.core.requests import RunRequest

MISTAKE = 2
"""exit status of a mistake in the call; 1 is a run that failed"""


class _Commands(click.Group):
    """Ends with one line, not a traceback, for what the person at the keyboard can mend."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (EmbeddedCloudError, TripFileError, TripKpisError) as error:
            Console(stderr=True).print(f"[bold red]Error:[/] {error}", highlight=False)
            sys.exit(MISTAKE)


def _parameters(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """NAME=VALUE pairs as a mapping."""
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise click.BadParameter(f"{name!r} is not of the form NAME=VALUE")
    return {name: value for name, _, value in pairs}


_trips = click.option(
    "--trips",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    required=True,
    metavar="FILE",
    help="CSV with a header (every value a String; rows of one trip in several files become one "
    'item), or JSON Lines in DynamoDB JSON ({"Item": {...}}, as DynamoDB exports them), gzipped '
    "or not. May be given more than once.",
)
_key = click.option(
    "--key",
    default=STREAM_KEY,
    show_default=True,
    metavar="NAME",
    help="The table's hash key. A CSV without such a column gives its trip_id as the key.",
)
_sort_key = click.option("--sort-key", metavar="NAME", help="The table's sort key, if it has one.")
_parameter = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="A parameter of the stack, such as TimeZone=Europe/Berlin. May be given more than once.",
)
_lambda_endpoint = click.option(
    "--lambda-endpoint",
    metavar="URL",
    help="Run the functions there instead of in processes here: `sam local start-lambda` listens "
    "on http://127.0.0.1:3001.",
)
_host = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where the embedded AWS listens; for containers, the address of the Docker bridge.",
)


@click.group(cls=_Commands)
def main() -> None:
    """Exact per-day KPIs from a DynamoDB table of trips, run and repaired from here.

    \b
    python -m ops demo                                  a made-up month, to see it work
    python -m ops run --trips trips.csv --out out       your own trips
    python -m ops serve --trips trips.csv               for `sam local` and the aws CLI

    All of it runs on this machine, in an embedded AWS: no account, nothing leaves the machine.
    """
    signal.signal(signal.SIGTERM, _stop)


@main.command()
@_trips
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Is left with what the bucket holds under kpis/, runs/ and quarantine/, and the logs.",
)
@click.option("--segments", type=int, metavar="N", help="Parallel-scan segments. [by table size]")
@_key
@_sort_key
@_parameter
@click.option("--json", "as_json", is_flag=True, help="End with the summary, one line of JSON.")
@_lambda_endpoint
@_host
@click.option(
    "--port", type=int, default=0, help="Where the embedded AWS listens. [any that is free]"
)
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
    port: int,
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
        parameters = {"BucketName": CONTAINERS_BUCKET, **parameters}
    trips = read_trips(files, hash_key=key, sort_key=sort_key)
    if trips.overwritten:
        console.print(
            f"{trips.overwritten:,} values of a trip were followed by another value of the same "
            "attribute in a later row: the later one counts."
        )
    with Follower(console) as follower:
        outcome = run_here(
            trips,
            out=out,
            execution_input=execution_input,
            parameters=parameters,
            where=Where(host=host, port=port, lambda_endpoint=lambda_endpoint),
            follower=follower,
        )
    show_outcome(console, outcome, out)
    if as_json:
        print(json.dumps(outcome.to_json()), flush=True)
    sys.exit(0 if outcome.succeeded else 1)


@main.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/demo"),
    show_default=True,
    metavar="DIR",
    help="As in `run`.",
)
def demo(*, out: Path) -> NoReturn:
    """Make up a month of trips, run the job over them, and show what comes out."""
    outcome = show_demo(Console(), out)
    sys.exit(0 if outcome.succeeded else 1)


@main.command()
@_trips
@_key
@_sort_key
@_parameter
@_lambda_endpoint
@_host
@click.option("--port", type=int, default=4577, show_default=True)
def serve(
    *,
    files: tuple[Path, ...],
    key: str,
    sort_key: str | None,
    parameters: dict[str, str],
    lambda_endpoint: str | None,
    host: str,
    port: int,
) -> None:
    """Keep the embedded AWS up, with the stack deployed and the trips in its table.

    For `sam local invoke`, `sam local start-lambda` and the aws CLI. Ends with Ctrl-C.
    """
    console = Console()
    with (
        local_stack(
            read_trips(files, hash_key=key, sort_key=sort_key),
            where=Where(host=host, port=port, lambda_endpoint=lambda_endpoint),
            parameters={"BucketName": CONTAINERS_BUCKET, **parameters},
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


def _wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main(prog_name="python -m ops")
