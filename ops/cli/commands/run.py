"""`ops run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ops import interruption
from ops.cli import options
from ops.cli.execution_input import (
    empty_table_input,
    execution_input,
    named_export_input,
    refuse_read_units,
    refused_beside,
)
from ops.cli.results import named_stack
from ops.local.names import CONTAINERS_PORT

if TYPE_CHECKING:
    from ops.local.run_source import RunSource
    from ops.local.trip_files import SameKey

_HERE = (
    "files",
    "export_path",
    "out",
    "fresh",
    "key",
    "sort_key",
    "same_key",
    "encoding",
    "definition",
    "parameters",
    "lambda_endpoint",
    "access_key",
    "host",
    "port",
)
"""options of a run on this machine"""
_ELSEWHERE = ("profile", "region", "export_arn", "export_manifest")
"""options of a run in an account"""


@click.command()
@options.trips_or_stack
@options.export
@options.stack
@options.profile
@options.region
@options.out(
    "The directory for the results: kpis/, runs/ and quarantine/ as in the bucket, the report, the "
    "logs, and state/ for `rerun` and the next `run`. Earlier runs stay. `run` refuses a directory "
    "that is not empty and was not made by `run`.",
    needed=False,
)
@click.option("--fresh", is_flag=True, help="Remove the earlier runs of DIR and their results.")
@execution_input
@named_export_input
@empty_table_input
@options.key
@options.sort_key
@options.same_key
@options.encoding
@options.definition
@options.parameter
@options.as_json
@options.lambda_endpoint
@options.access_key
@options.host
@options.port
def run(
    *,
    files: tuple[Path, ...],
    export_path: Path | None,
    stack: str | None,
    profile: str | None,
    region: str | None,
    out: Path | None,
    fresh: bool,
    asked: dict[str, Any],
    key: str,
    sort_key: str | None,
    same_key: SameKey,
    encoding: str,
    definition: dict[str, str],
    parameters: dict[str, str],
    as_json: bool,
    lambda_endpoint: str | None,
    access_key: str | None,
    host: str,
    port: int | None,
) -> NoReturn:
    """Run the whole job over trips, an export, or a stack's table.

    With --trips and --out, it starts the embedded AWS (an emulator on this machine). It deploys
    template.yaml and the state machine into the emulator, loads the trips into a table, runs the
    state machine, and shows the KPIs.

    With --export and --out, the state machine reads a DynamoDB export where it is, on all
    processors: many times as fast as with --trips. --trips with --source export first writes
    the trips as an export.

    A further run with the same --out works in the bucket of the earlier ones, as a stack does: it
    sees unchanged and vanished days, and `runs` and `diff` show all runs. An older export does not
    replace figures of a newer one. The table has only the trips of the files that are given now. An
    earlier, unfinished run can be resumed only while these, or the files of its export, are the
    same. --fresh starts with an empty bucket.

    With --stack, it starts an execution of the stack's state machine and shows its progress. After
    Ctrl-C, the execution continues, and `run` prints the command that shows the progress again.

    \b
    Exit status:
      0    the run succeeded
      1    the run failed
      2    the command line or a file of trips is wrong, or the disk cannot be written to
      3    the progress cannot be read any more, because the network was lost for
           15 minutes or the session has expired; the run continues in AWS
      130  you pressed Ctrl-C

    \b
    ops run --trips starts.csv ends.csv --key ride_id --out out
    ops run --export AWSDynamoDB/01716790307109-3f5e --out out
    ops run --trips rides.parquet --source export --out out --json
    ops run --stack trip-kpis --read-units-per-second 2000
    ops run --stack trip-kpis --source export
    """
    if stack is not None:
        refused_beside("--stack", *_HERE)
        refuse_read_units(asked)
        named = named_stack(stack, profile, region)

        from ops.cli.stack_runs import follow_to_its_end
        from ops.stack.runs import start

        follow_to_its_end(named, start(named, asked), as_json=as_json)
    if export_path is not None:
        refused_beside("--export", "files", "same_key", "encoding", *_ELSEWHERE)
        if asked.get("source") == "scan":
            raise click.UsageError("--export cannot be combined with --source scan: leave one out")
    else:
        refused_beside("--trips", *_ELSEWHERE)
    if not (files or export_path) or out is None:
        raise click.UsageError(
            "give --out DIR with --trips FILE or --export DIR for trips on this machine, or "
            "--stack NAME for the table of a deployed stack"
        )
    parameters = options.with_definition(parameters, definition)
    source = "export" if export_path else asked.get("source", parameters.get("Source"))
    if export_path and parameters.get("Source") == "scan":
        raise click.UsageError(
            "--export cannot be combined with --parameter Source=scan: leave one out"
        )
    refuse_read_units({**asked, "source": source}, parameters)
    interruption.explain("The run had not started. Nothing of it is kept.")
    from ops.cli import terminal
    from ops.cli.commands.report import leave_report
    from ops.cli.follow import Follower
    from ops.cli.screens import show_ended
    from ops.cli.terminal import end, remark
    from ops.local.export_on_disk import ExportOnDisk
    from ops.local.local_stack import Where
    from ops.local.run import run as run_here
    from ops.local.run_source import NamedExport, TableOfTrips, TripsAsExport
    from ops.local.trip_files import read_trips

    if lambda_endpoint is not None:
        parameters = options.containers_parameters(parameters)
        port = CONTAINERS_PORT if port is None else port
        if host == "127.0.0.1":
            remark(
                "The functions in containers must reach the embedded AWS: on Linux give --host the "
                "address of the Docker bridge, usually 172.17.0.1.",
            )
    if export_path is not None:
        export = ExportOnDisk.at(export_path)
        sample = export.sample(hash_key=key, sort_key=sort_key)
        run_source: RunSource = NamedExport(export, sample)
    else:
        trips = read_trips(
            files, hash_key=key, sort_key=sort_key, same_key=same_key, encoding=encoding
        )
        run_source = TripsAsExport(trips) if source == "export" else TableOfTrips(trips)
    with Follower(terminal.console(stderr=True)) as follower:
        ended = run_here(
            run_source,
            out=out,
            execution_input=asked,
            parameters=parameters,
            where=Where(
                host=host, port=port or 0, access_key=access_key, lambda_endpoint=lambda_endpoint
            ),
            follower=follower,
            fresh=fresh,
        )
    console = terminal.console(stderr=as_json)
    show_ended(console, ended, out)
    leave_report(console, out, ended.run_id)
    end(ended, as_json=as_json)
