"""`python -m ops estimate`."""

import json
from pathlib import Path
from typing import Any

import click

from ops.cli import options, terminal
from ops.cli.estimate_of_execution import of_stack, of_trips
from ops.cli.estimate_of_table import of_table
from ops.cli.estimate_screen import show_estimate
from ops.cli.execution_input import execution_input, refused_beside
from ops.local.parameters import fit_parameters
from ops.local.trip_files import SameKey, read_trips
from ops.stack.account import Account
from ops.stack.stack import Stack

_IN_AN_ACCOUNT = ("profile", "region")
_OF_FILES = ("key", "sort_key", "same_key", "encoding")


@click.command()
@options.stack
@click.option(
    "--table",
    metavar="NAME",
    help="A table that is read with your own credentials. It needs no stack.",
)
@options.trips_or_stack
@options.profile
@options.region
@options.key
@options.sort_key
@options.same_key
@options.encoding
@execution_input
@options.parameter
@options.as_json
def estimate(
    *,
    stack: str | None,
    table: str | None,
    files: tuple[Path, ...],
    profile: str | None,
    region: str | None,
    key: str,
    sort_key: str | None,
    same_key: SameKey,
    encoding: str,
    asked: dict[str, Any],
    parameters: dict[str, str],
    as_json: bool,
) -> None:
    """Predict the cost, duration and rejected trips of a run.

    It reads a sample of the table: at most 16 pages, within the run's read budget. It shows the
    forms of fares and times, how many trips would be incomplete or rejected and why, and whether
    the segments are of equal size. It says if another tool would be better.

    \b
    python -m ops estimate --stack trip-kpis --read-units-per-second 2000
    python -m ops estimate --table trips --parameter FareAttribute=trip_end.fare_amount
    python -m ops estimate --trips trips.csv --json
    """
    if [stack is not None, table is not None, bool(files)].count(True) != 1:
        raise click.UsageError(
            "say what to estimate, one of the three: --stack NAME for a deployed stack, --table "
            "NAME for a table without one, --trips FILE for trips on this machine"
        )
    console = terminal.console(stderr=as_json)
    with console.status("Reading a sample"):
        if stack is not None:
            refused_beside("--stack", *_OF_FILES, "parameters")
            found = of_stack(Stack.named(stack, Account(profile=profile, region=region)), asked)
        elif table is not None:
            refused_beside("--table", *_OF_FILES)
            if "TableName" in parameters:
                raise click.UsageError("--table names the table: leave --parameter TableName out")
            account = Account(profile=profile, region=region)
            found = of_table(table, account, parameters=parameters, asked=asked)
        else:
            refused_beside("--trips", *_IN_AN_ACCOUNT)
            trips = read_trips(
                files, hash_key=key, sort_key=sort_key, same_key=same_key, encoding=encoding
            )
            fitted = fit_parameters(parameters, trips, refuse_absent=False)
            for remark in (*trips.remarks, *fitted.remarks):
                console.print(remark, highlight=False, markup=False, soft_wrap=True)
            found = of_trips(trips, parameters=fitted.parameters, asked=asked)
    show_estimate(console, found)
    if as_json:
        print(json.dumps(found), flush=True)
