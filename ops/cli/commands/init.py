"""`ops init`."""

from __future__ import annotations

import shlex
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.atomic_write import atomic_write
from ops.cli import options
from ops.cli.execution_input import refused_beside
from ops.cli.results import named_stack
from ops.runs.this_command import this_command

if TYPE_CHECKING:
    from ops.local.trip_files import SameKey, Trips

_OF_FILES = ("key", "sort_key", "same_key", "encoding")


@click.command()
@options.trips_or_stack
@click.option("--table", metavar="NAME", help="A table, read with your own credentials.")
@options.stack
@options.profile
@options.region
@options.key
@options.sort_key
@options.same_key
@options.encoding
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default="kpis.toml",
    show_default=True,
    metavar="FILE.toml",
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.pass_context
def init(
    context: click.Context,
    *,
    files: tuple[Path, ...],
    table: str | None,
    stack: str | None,
    profile: str | None,
    region: str | None,
    key: str,
    sort_key: str | None,
    same_key: SameKey,
    encoding: str,
    output: Path,
    force: bool,
) -> None:
    """Write a first KPI definition for your data.

    It looks at the columns of files, or at 2,000 items of a table, and recognizes amounts, times
    and their formats, status words, words that mean that there is no value, and columns to group
    by. The file has comments: read and change it. At the end, it prints the command that uses it.

    \b
    ops init --trips orders.csv --output orders.toml
    ops init --table orders --region eu-central-1
    ops init --stack trip-kpis
    """
    if [bool(files), table is not None, stack is not None].count(True) != 1:
        raise click.UsageError(
            "say what to look at, one of the three: --trips FILE, --table NAME or --stack NAME"
        )
    if output.suffix != ".toml":
        raise click.UsageError(f"--output is {output}: a KPI definition's file ends in .toml")
    if output.exists() and not force:
        raise click.UsageError(
            f"{output} is there already: name another file with --output, or overwrite it with "
            "--force"
        )
    from ops.cli import terminal
    from ops.local.proposed_definition import NothingRecognizedError, propose
    from ops.local.recognized_columns import recognize

    parameters: dict[str, str] = {}
    if files:
        refused_beside("--trips", "profile", "region")
        is_named = context.get_parameter_source("key") is not click.core.ParameterSource.DEFAULT
        trips = _read(files, key if is_named else None, sort_key, same_key, encoding)
        items, keys = [*trips.items.values()], trips.key_attributes
        source = ", ".join(one.name for one in files)
        command = ["run", "--trips", *map(str, files), "--key", trips.hash_key]
        command += ["--sort-key", trips.sort_key] if trips.sort_key else []
        command += ["--same-key", same_key] if same_key != "error" else []
        command += ["--encoding", encoding] if encoding != "utf-8" else []
        command += ["--out", "out"]
    else:
        refused_beside("--table" if table else "--stack", *_OF_FILES)
        from ops.stack.account import Account
        from ops.stack.sampled_items import sampled_items

        account = Account(profile=profile, region=region)
        if stack is not None:
            table = named_stack(stack, profile, region).parameters["TableName"]
        assert table is not None
        items, keys = sampled_items(table, account)
        source = f"the table {table}"
        command = ["estimate", "--table", table, *account.options]
    if not items:
        raise click.UsageError(f"{source} has no items to look at")
    try:
        proposal = propose(recognize(items, keys), source=source, items=len(items))
    except NothingRecognizedError as error:
        raise click.UsageError(str(error)) from error
    parameters = dict(proposal.parameters)
    counted = _counted(output.stem, proposal.text, items, keys, parameters)
    atomic_write(output, proposal.text.encode())

    console = terminal.console()
    terminal.say(console, f"Wrote {output}, from {len(items):,} items of {source}:\n")
    for reason in proposal.reasons:
        terminal.say(console, f"  {reason}")
    shown = ", ".join(f"{count:,} {what}" for what, count in counted.items())
    terminal.say(console, f"\nWith it, of {len(items):,} items: {shown}.")
    command += ["--definition", str(output)]
    for name, value in parameters.items():
        command += ["--parameter", f"{name}={value}"]
    terminal.say(console, "\nRead and change the file. Then:\n")
    terminal.say(console, f"  {shlex.join([*this_command(), 'definition', str(output)])}")
    terminal.say(console, f"  {shlex.join([*this_command(), *command])}")
    if not files:
        terminal.say(
            console,
            f"\nA stack uses it as KpiDefinition={output.stem}, once it is in "
            "functions/definitions/ (docs/definitions.md).",
        )


def _read(
    files: tuple[Path, ...],
    key: str | None,
    sort_key: str | None,
    same_key: SameKey,
    encoding: str,
) -> Trips:
    from ops.local.found_key import read_with_key_found
    from ops.local.trip_files import STREAM_KEY, read_trips

    read = partial(read_trips, files, same_key=same_key, encoding=encoding)
    if key is None and sort_key is None:
        return read_with_key_found(read)
    return read(hash_key=key or STREAM_KEY, sort_key=sort_key)


def _counted(
    name: str, text: str, items: list[Any], keys: tuple[str, ...], parameters: dict[str, str]
) -> dict[str, int]:
    """What the items are by the definition. Raises DefinitionError for one that is not valid."""
    from datetime import date

    from trip_kpis.core.definition.parsing import DefinitionFile, StackPaths
    from trip_kpis.core.items.zones import time_zone
    from trip_kpis.core.reading.read_item import ReadingRules, read_items

    read = read_items(
        items,
        ReadingRules(
            definition=DefinitionFile(name=name, text=text).definition(
                StackPaths(fare="fare", estimated_fare="estimated_fare", day="day")
            ),
            key_attributes=keys,
            time_zone=time_zone("UTC"),
            earliest_day=date(2000, 1, 1),
            time_formats=tuple(parameters.values()),
        ),
    )
    rejected = Counter(f"rejected ({one.reason})" for one in read.rejected)
    return {
        "count": len(read.counted),
        "excluded": read.excluded,
        "incomplete": read.incomplete,
        **rejected,
    }
