"""`ops estimate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.cli import options
from ops.cli.execution_input import execution_input, refused_beside
from ops.cli.results import named_stack

if TYPE_CHECKING:
    from ops.local.trip_files import SameKey, Trips

_IN_AN_ACCOUNT = ("profile", "region")
_OF_FILES = ("key", "sort_key", "same_key", "encoding")


@click.command()
@options.stack
@click.option(
    "--table",
    metavar="NAME",
    help="A table, which is read with your own credentials. You do not need a stack.",
)
@options.trips_or_stack
@options.profile
@options.region
@options.key
@options.sort_key
@options.same_key
@options.encoding
@execution_input
@options.definition
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
    definition: dict[str, str],
    parameters: dict[str, str],
    as_json: bool,
) -> None:
    """Estimate the cost and the time of a run, from a sample.

    It reads a sample of the table, within the run's read budget: at most 16 pages. It shows the
    forms of the fares and times, how many trips would be incomplete or rejected and why, and
    whether the segments have the same size. It says if another tool would be better.

    \b
    ops estimate --stack trip-kpis --read-units-per-second 2000
    ops estimate --table trips --parameter FareAttribute=trip_end.fare_amount
    ops estimate --trips trips.csv --json
    """
    if [stack is not None, table is not None, bool(files)].count(True) != 1:
        raise click.UsageError(
            "say what to estimate, one of the three: --stack NAME for a deployed stack, --table "
            "NAME for a table without a stack, --trips FILE for trips on this machine"
        )
    parameters = options.with_definition(parameters, definition)
    from ops.cli import terminal
    from ops.cli.estimate_screen import show_estimate

    with terminal.console(stderr=True).status("Reading a sample"):
        if stack is not None:
            refused_beside("--stack", *_OF_FILES, "definition", "parameters")
            named = named_stack(stack, profile, region)

            from ops.stack.estimate import of_stack

            found = of_stack(named, asked)
        elif table is not None:
            refused_beside("--table", *_OF_FILES)
            found = _of_table(table, profile, region, parameters, asked)
        else:
            refused_beside("--trips", *_IN_AN_ACCOUNT)

            from ops.local.trip_files import read_trips

            trips = read_trips(
                files, hash_key=key, sort_key=sort_key, same_key=same_key, encoding=encoding
            )
            found = _of_trips(trips, parameters, asked)
    show_estimate(terminal.console(stderr=as_json), found)
    if as_json:
        print(json.dumps(found), flush=True)


def _of_table(
    table: str,
    profile: str | None,
    region: str | None,
    parameters: dict[str, str],
    asked: dict[str, Any],
) -> dict[str, Any]:
    from ops.local.parameters import functions_environment
    from ops.stack.account import Account
    from ops.stack.estimate import of_table

    if "TableName" in parameters:
        raise click.UsageError("--table names the table: leave --parameter TableName out")
    environment = functions_environment({**parameters, "TableName": table})
    account = Account(profile=profile, region=region)
    return of_table(table, account, environment=environment, asked=asked)


def _of_trips(trips: Trips, parameters: dict[str, str], asked: dict[str, Any]) -> dict[str, Any]:
    from ops.cli.terminal import remark
    from ops.local.parameters import fit_parameters
    from ops.local.run import estimate as estimate_trips

    fitted = fit_parameters(parameters, trips, refuse_absent=False)
    for line in (*trips.remarks, *fitted.remarks):
        remark(line)
    return estimate_trips(trips, parameters=fitted.parameters, asked=asked)
