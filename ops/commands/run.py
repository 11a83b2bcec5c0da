"""`python -m ops run`."""

from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from ops import options
from ops.commands.ending import end, say
from ops.commands.report import leave_report
from ops.follow import Follower
from ops.local_stack import Where
from ops.run import run as run_here
from ops.show import show_outcome
from ops.trip_files import read_trips
from trip_kpis.core.requests import RunRequest


@click.command()
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
            say(
                console,
                "The functions in containers must reach the embedded AWS: on Linux give --host the "
                "address of the Docker bridge, usually 172.17.0.1.",
            )
    trips = read_trips(files, hash_key=key, sort_key=sort_key)
    if trips.overwritten:
        say(
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
    end(outcome, as_json=as_json)
