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
_OF_TEXTS = ("same_key", "encoding")
_OF_FILES = ("key", "sort_key", *_OF_TEXTS)


@click.command()
@options.stack
@click.option(
    "--table",
    metavar="NAME",
    help="A table, which is read with your own credentials. You do not need a stack.",
)
@options.trips_or_stack
@options.export
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
    export_path: Path | None,
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

    With --export, the size of the table is that of the export's manifest, and the sample has up
    to 200 items of each of 8 data files. With --trips, every trip is loaded into a table of the
    embedded AWS: for a large export, use --export.

    \b
    ops estimate --stack trip-kpis --read-units-per-second 2000
    ops estimate --table trips --parameter FareAttribute=trip_end.fare_amount
    ops estimate --export AWSDynamoDB/01716790307109-3f5e
    ops estimate --trips trips.csv --json
    """
    chosen = [stack is not None, table is not None, export_path is not None, bool(files)]
    if chosen.count(True) != 1:
        raise click.UsageError(
            "say what to estimate, one of the four: --stack NAME for a deployed stack, --table "
            "NAME for a table without a stack, --export DIR for the table of an export, --trips "
            "FILE for trips on this machine"
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
        elif export_path is not None:
            refused_beside("--export", *_OF_TEXTS, *_IN_AN_ACCOUNT)
            found = _of_export(export_path, key, sort_key, parameters, asked)
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

    _refuse_table_name(parameters, "--table names the table")
    environment = functions_environment({**parameters, "TableName": table})
    account = Account(profile=profile, region=region)
    return of_table(table, account, environment=environment, asked=asked)


def _refuse_table_name(parameters: dict[str, str], why: str) -> None:
    if "TableName" in parameters:
        raise click.UsageError(f"{why}: leave --parameter TableName out")


def _of_export(
    path: Path,
    key: str,
    sort_key: str | None,
    parameters: dict[str, str],
    asked: dict[str, Any],
) -> dict[str, Any]:
    from ops.cli.terminal import remark
    from ops.local.estimate_of_export import estimate as estimate_export
    from ops.local.export_on_disk import ExportOnDisk
    from ops.local.parameters import fit_parameters

    _refuse_table_name(parameters, "the export's manifest names the table")
    export = ExportOnDisk.at(path)
    trips = export.sample(hash_key=key, sort_key=sort_key)
    is_sample = export.is_sample(trips)
    fitted = fit_parameters(parameters, trips, refuse_absent=False, is_sample=is_sample)
    found = estimate_export(export, trips, parameters=fitted.parameters, asked=asked)
    for line in (export.described, *fitted.remarks):
        remark(line)
    return found


def _of_trips(trips: Trips, parameters: dict[str, str], asked: dict[str, Any]) -> dict[str, Any]:
    from ops.cli.terminal import remark
    from ops.local.parameters import fit_parameters
    from ops.local.run import estimate as estimate_trips

    fitted = fit_parameters(parameters, trips, refuse_absent=False)
    for line in (*trips.remarks, *fitted.remarks):
        remark(line)
    return estimate_trips(trips, parameters=fitted.parameters, asked=asked)
