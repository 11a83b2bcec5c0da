"""`ops init`."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
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
    from ops.local.found_key import Read
    from ops.local.trip_files import SameKey, Trips

_KEYS, _OF_FILES = ("key", "sort_key"), ("same_key", "encoding")
_IN_AN_ACCOUNT = ("profile", "region")


@click.command()
@options.trips_or_stack
@options.export
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
    export_path: Path | None,
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

    It looks at the columns of files, or at up to 2,000 items of an export or a table. It
    recognizes amounts, times and their formats, status words, words that mean that there is no
    value, and columns to group by. If you name no key of files or of an export, it finds one. The
    file has comments: read and change it. At the end, it prints the command that uses it.

    \b
    ops init --trips orders.csv --output orders.toml
    ops init --export AWSDynamoDB/01716790307109-3f5e
    ops init --table orders --region eu-central-1
    ops init --stack trip-kpis
    """
    chosen = [bool(files), export_path is not None, table is not None, stack is not None]
    if chosen.count(True) != 1:
        raise click.UsageError(
            "say what to look at, one of the four: --trips FILE, --export DIR, --table NAME or "
            "--stack NAME"
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

    is_named = context.get_parameter_source("key") is not click.core.ParameterSource.DEFAULT
    named = _NamedKey(hash_key=key if is_named else None, sort_key=sort_key)
    if files:
        refused_beside("--trips", *_IN_AN_ACCOUNT)
        seen = _files(files, named, same_key, encoding)
    elif export_path is not None:
        refused_beside("--export", *_OF_FILES, *_IN_AN_ACCOUNT)
        seen = _export(export_path, named)
    else:
        refused_beside("--table" if table else "--stack", *_OF_FILES, *_KEYS)
        seen = _table(table, stack, profile, region)
    items = seen.items
    if not items:
        raise click.UsageError(f"{seen.source} has no items to look at")
    try:
        proposal = propose(recognize(items, seen.keys), source=seen.source, items=len(items))
    except NothingRecognizedError as error:
        raise click.UsageError(str(error)) from error
    parameters = dict(proposal.parameters)
    counted = _counted(output.stem, proposal.text, items, seen.keys, parameters)
    atomic_write(output, proposal.text.encode())

    console = terminal.console()
    for remark in seen.remarks:
        terminal.say(console, remark)
    terminal.say(console, f"Wrote {output}, from {len(items):,} items of {seen.source}:\n")
    for reason in (*proposal.reasons, *seen.reasons):
        terminal.say(console, f"  {reason}")
    shown = ", ".join(f"{count:,} {what}" for what, count in counted.items())
    terminal.say(console, f"\nWith it, of {len(items):,} items: {shown}.")
    command = [*seen.command, "--definition", str(output)]
    for name, value in parameters.items():
        command += ["--parameter", f"{name}={value}"]
    terminal.say(console, "\nRead and change the file. Then:\n")
    terminal.say(console, f"  {shlex.join([*this_command(), 'definition', str(output)])}")
    terminal.say(console, f"  {shlex.join([*this_command(), *command])}")
    if seen.is_in_an_account:
        terminal.say(
            console,
            f"\nA stack uses it as KpiDefinition={output.stem}, once it is in "
            "functions/definitions/ (docs/definitions.md).",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _NamedKey:
    """The table's key, as far as the user has named it."""

    hash_key: str | None
    sort_key: str | None

    def read(self, read: Read) -> Trips:
        """Reads by this key, or finds the hash key if it is not named."""
        from ops.local.found_key import read_with_key_found

        if self.hash_key is None:
            return read_with_key_found(read, sort_key=self.sort_key)
        return read(hash_key=self.hash_key, sort_key=self.sort_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Items that were looked at."""

    items: list[Any]
    keys: tuple[str, ...]
    source: str
    """what they are of"""
    command: list[str]
    """that uses the definition"""
    remarks: tuple[str, ...] = ()
    """about the source"""
    reasons: tuple[str, ...] = ()
    """what was concluded, besides the definition"""
    is_in_an_account: bool = False


def _files(files: tuple[Path, ...], named: _NamedKey, same_key: SameKey, encoding: str) -> _Seen:
    from ops.local.trip_files import read_trips

    trips = named.read(partial(read_trips, files, same_key=same_key, encoding=encoding))
    command = ["run", "--trips", *map(str, files), *_key_options(trips)]
    command += ["--same-key", same_key] if same_key != "error" else []
    command += ["--encoding", encoding] if encoding != "utf-8" else []
    return _Seen(
        items=[*trips.items.values()],
        keys=trips.key_attributes,
        source=", ".join(one.name for one in files),
        command=[*command, "--out", "out"],
    )


def _export(path: Path, named: _NamedKey) -> _Seen:
    from ops.local.export_on_disk import ExportOnDisk

    export = ExportOnDisk.at(path)
    trips = named.read(export.sample)
    key = " and ".join(trips.key_attributes)
    found = f"{key}: taken as the table's key, which differs in every item of the sample"
    return _Seen(
        items=[*trips.items.values()],
        keys=trips.key_attributes,
        source=f"the export {path.resolve().name}",
        command=["run", "--export", str(path), *_key_options(trips), "--out", "out"],
        remarks=(export.described,),
        reasons=(found,) if named.hash_key is None else (),
    )


def _key_options(trips: Trips) -> list[str]:
    sort_key = [] if trips.sort_key is None else ["--sort-key", trips.sort_key]
    return ["--key", trips.hash_key, *sort_key]


def _table(table: str | None, stack: str | None, profile: str | None, region: str | None) -> _Seen:
    from ops.stack.account import Account
    from ops.stack.sampled_items import sampled_items

    account = Account(profile=profile, region=region)
    if stack is not None:
        table = named_stack(stack, profile, region).parameters["TableName"]
    assert table is not None
    items, keys = sampled_items(table, account)
    return _Seen(
        items=items,
        keys=keys,
        source=f"the table {table}",
        command=["estimate", "--table", table, *account.options],
        is_in_an_account=True,
    )


def _counted(
    name: str, text: str, items: list[Any], keys: tuple[str, ...], parameters: dict[str, str]
) -> dict[str, int]:
    """Counts the items by the definition. Raises DefinitionError for one that is not valid."""
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
            time_formats=tuple(filter(None, parameters.get("TimeFormats", "").split("|"))),
        ),
    )
    rejected = Counter(f"rejected ({one.reason})" for one in read.rejected)
    return {
        "count": len(read.counted),
        "excluded": read.excluded,
        "incomplete": read.incomplete,
        **rejected,
    }
