"""`ops kpis`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.cli.results import Source, as_json, source
from trip_kpis.core.layout import DayObjects

if TYPE_CHECKING:
    from ops.runs.kpi_table import Days, KpiTable

_STDOUT = Path("-")


def _day(_context: click.Context, _option: click.Parameter, given: datetime | None) -> str | None:
    return None if given is None else given.date().isoformat()


_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@source
@click.option("--from", "first", type=_DAY, callback=_day, metavar="DAY", help="The first day.")
@click.option("--to", "last", type=_DAY, callback=_day, metavar="DAY", help="The last day.")
@click.option(
    "--breakdown",
    metavar="NAME",
    help="The KPIs of every group of this breakdown, instead of whole days.",
)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write the table as CSV, with all digits. `-` is standard output.",
)
@click.option(
    "--parquet",
    "parquet_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the table as Parquet, with exact decimals.",
)
@as_json
def kpis(
    *,
    source: Source,
    first: str | None,
    last: str | None,
    breakdown: str | None,
    csv_file: Path | None,
    parquet_file: Path | None,
    as_json: bool,
) -> None:
    """Show the published KPIs as one table.

    The table has one row for each published day, or with --breakdown, one row for each group of
    each day. DAY is a day such as 2024-05-25.

    \b
    ops kpis --out out --from 2024-05-01 --to 2024-05-31
    ops kpis --stack trip-kpis --csv kpis.csv
    ops kpis --stack trip-kpis --breakdown city --parquet cities.parquet
    """
    from ops.runs.kpi_table import Days

    if sum([csv_file is not None, parquet_file is not None, as_json]) > 1:
        raise click.UsageError("--csv, --parquet and --json cannot be combined: give one of them")
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    with _published(source, breakdown, Days(first=first, last=last)) as table:
        if csv_file == _STDOUT:
            table.write_csv(sys.stdout)
        elif csv_file is not None:
            table.to_csv(csv_file)
            _say_written(table, csv_file)
        elif parquet_file is not None:
            table.to_parquet(parquet_file)
            _say_written(table, parquet_file)
        elif as_json:
            print(json.dumps(table.to_json()))
        else:
            _show(table)


@contextmanager
def _published(source: Source, breakdown: str | None, days: Days) -> Iterator[KpiTable]:
    """Fetches the published KPIs; raises click.UsageError if there is no such breakdown."""
    from ops.runs.day_kpis import breakdowns_in
    from ops.runs.finished_run import counting_kpis, manifests, read_manifest
    from ops.runs.kpi_table import kpi_table

    objects = DayObjects(breakdown)

    def wanted(key: str) -> bool:
        day = objects.day_at(key)
        return day is None or day.isoformat() in days

    with source.manifests() as directory:
        source.also(directory, [objects.prefix], wanted=wanted)
        if breakdown is not None:
            runs = [read_manifest(file) for file in manifests(directory).values()]
            known = {*breakdowns_in(directory), *(name for run in runs for name in run.breakdowns)}
            if breakdown not in known:
                there = f"there are {', '.join(sorted(known))}" if known else "there is none"
                raise click.UsageError(f"{source.name} has no breakdown {breakdown!r}: {there}")
        yield kpi_table(
            directory, breakdown=breakdown, days=days, counting=counting_kpis(directory)
        )


def _say_written(table: KpiTable, file: Path) -> None:
    from ops.cli.terminal import remark

    rows = len(table.rows)
    remark(f"Wrote {rows:,} {'row' if rows == 1 else 'rows'} to {file}.")


def _show(table: KpiTable) -> None:
    """Shows the table; figures have all their digits."""
    from ops.cli import terminal
    from ops.cli.tables import Column, show_table
    from ops.runs.figures import grouped

    console = terminal.console()
    if not table.rows:
        terminal.say(console, "No KPIs are published for these days.")
        return
    attributes, names = table.attributes, table.kpis
    show_table(
        console,
        "Published KPIs" + (f" by {table.breakdown}" if table.breakdown else ""),
        [
            Column("date"),
            *map(Column, attributes),
            *(Column(name, is_number=True) for name in names),
        ],
        [
            [
                row.date,
                *("(none)" if (of := row.group.get(name)) is None else of for name in attributes),
                *(grouped(text) if (text := row.text(name)) else "" for name in names),
            ]
            for row in table.rows
        ],
    )
