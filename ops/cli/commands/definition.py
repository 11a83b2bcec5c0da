"""`ops definition`."""

import json
from pathlib import Path

import click

from ops.cli import options
from trip_kpis.core.settings import KPI_DEFINITION


@click.command()
@click.argument("file", metavar="FILE.toml|NAME")
@click.option("--ddl", is_flag=True, help="Print only the statements for Athena.")
@click.option("--request", "only_request", is_flag=True, help="Print only the Scan's expressions.")
@click.option(
    "--bucket",
    default="<bucket>",
    show_default=True,
    metavar="NAME",
    help="The bucket in the statements for Athena.",
)
@options.parameter
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def definition(
    *,
    file: str,
    ddl: bool,
    only_request: bool,
    bucket: str,
    parameters: dict[str, str],
    as_json: bool,
) -> None:
    """Check a KPI definition, and show what it means.

    FILE.toml is any file. NAME is one of functions/definitions/, without .toml. It prints what
    counts and what is calculated, the expressions of the Scan, the objects' columns, and the
    statements that create Athena tables.

    \b
    ops definition trips
    ops definition orders.toml --ddl --bucket my-bucket
    ops definition orders.toml --json
    """
    if ddl and only_request:
        raise click.UsageError("--ddl and --request cannot be combined: each prints one part alone")
    from ops.local.athena_tables import columns, statements
    from ops.local.definition_explained import explained, who_decides
    from ops.local.parameters import functions_environment
    from trip_kpis.aws.settings import read_run_defaults
    from trip_kpis.core.definition.filter_expression import request
    from trip_kpis.core.definition.parsing import StackPaths

    path = Path(file)
    named = str(path.resolve()) if path.suffix == ".toml" or path.is_file() else file
    if Path(named).is_absolute() and not path.is_file():
        raise click.UsageError(f"there is no file {file}")
    defaults = read_run_defaults(
        functions_environment({**parameters, "TableName": "trips", KPI_DEFINITION.parameter: named})
    )
    frozen = defaults.kpi_definition
    read = frozen.file.definition(
        StackPaths(
            fare=defaults.fare_attribute,
            estimated_fare=defaults.estimated_fare_attribute,
            day=defaults.day_attribute,
        )
    )
    scan = request(read, ())
    sql = statements(read, bucket=bucket, earliest_day=defaults.earliest_day)
    objects = {"kpis": columns(read)} | {one.name: columns(read, one) for one in read.breakdowns}
    deciders = [
        {"condition": words, "decided_by": "DynamoDB" if alone else "worker"}
        for words, alone in who_decides(read)
    ]
    if as_json:
        print(
            json.dumps(
                {
                    "name": read.name,
                    "sha256": frozen.sha256,
                    "sentences": explained(read),
                    "request": scan,
                    "conditions": deciders,
                    "columns": objects,
                    "athena": sql,
                }
            )
        )
        return
    from ops.cli import terminal

    console = terminal.console()
    sql_text = ";\n\n".join(sql) + ";"
    scan_text = json.dumps(scan, indent=2, ensure_ascii=False)
    if ddl or only_request:
        terminal.say(console, sql_text if ddl else scan_text)
        return
    terminal.say(console, f"{read.name} is a valid KPI definition (sha256 {frozen.sha256}).\n")
    for sentence in explained(read):
        terminal.say(console, f"  {sentence}")
    terminal.say(console, f"\nRequest to DynamoDB (Scan), besides the key:\n{scan_text}\n")
    for one in deciders:
        terminal.say(
            console,
            f"  {one['condition']}: "
            + (
                "DynamoDB decides"
                if one["decided_by"] == "DynamoDB"
                else "DynamoDB also sends Strings, which may hold a number; the worker decides"
            ),
        )
    terminal.say(console, "\nColumns of the objects:")
    for name, types in objects.items():
        listed = ", ".join(("date", *types))
        terminal.say(console, f"  {name}: {listed}")
    terminal.say(console, f"\nStatements for Athena:\n{sql_text}")
