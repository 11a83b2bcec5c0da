"""Measures, and prints the figures: `python -m bench`."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from bench import breakdowns as breakdowns_bench
from bench import cold as cold_bench
from bench import export as export_bench
from bench import laptop as laptop_bench
from bench import memory as memory_bench
from bench import merge as merge_bench
from bench import packages, performance_page
from bench import scale as scale_bench
from bench import scan as scan_bench
from trip_kpis.core.settings import MOST_SEGMENTS

_as_json = click.option("--json", "as_json", is_flag=True, help="One line of JSON, nothing else.")


@click.group()
def main() -> None:
    """Measures figures of this program on this machine, without a network."""


@main.command()
@click.option("--runs", type=click.IntRange(1), default=scan_bench.RUNS, show_default=True)
@click.option(
    "--pages", type=click.IntRange(2), default=60, show_default=True, help="Of a run of ours."
)
@click.option(
    "--items",
    type=click.Choice(list(dict.fromkeys(name for name, _ in scan_bench.VARIANTS))),
    multiple=True,
    help="Default: all.",
)
@click.option("--projected/--whole", default=None, help="With a projection or not; default: both.")
@click.option("--ours-alone", is_flag=True, help="Nothing to compare with, and quicker.")
@_as_json
def scan(
    *,
    runs: int,
    pages: int,
    items: Sequence[str],
    projected: bool | None,
    ours_alone: bool,
    as_json: bool,
) -> None:
    """Measures CPU and memory of the scan worker, and of the alternatives."""
    variants = [
        variant
        for variant in scan_bench.VARIANTS
        if (not items or variant[0] in items) and projected in (None, variant[1])
    ]
    figures = scan_bench.run(runs=runs, pages=pages, variants=variants, ours_alone=ours_alone)
    _print(figures, scan_bench.table(figures), as_json=as_json)


@main.command()
@click.option(
    "--pages", type=click.IntRange(1), default=2_000, show_default=True, help="Of the long segment."
)
@_as_json
def memory(*, pages: int, as_json: bool) -> None:
    """Measures the peak memory of the functions over a short and a long segment, and over one whose
    trips are nearly all rejected for large values."""
    figures = memory_bench.run(pages=pages)
    _print(figures, memory_bench.table(figures), as_json=as_json)


@main.command()
@click.option("--runs", type=click.IntRange(1), default=cold_bench.RUNS, show_default=True)
@_as_json
def cold(*, runs: int, as_json: bool) -> None:
    """Measures the import time and memory of each function's package."""
    try:
        figures = cold_bench.run(runs=runs)
    except packages.CannotBuildError as error:
        raise click.ClickException(str(error)) from error
    _print(figures, cold_bench.table(figures), as_json=as_json)


@main.command()
@click.option(
    "--segments",
    type=click.IntRange(1, MOST_SEGMENTS),
    default=merge_bench.SEGMENTS,
    show_default=True,
)
@click.option("--parts", type=click.IntRange(1), default=merge_bench.PARTS, show_default=True)
@click.option("--days", type=click.IntRange(1), default=merge_bench.DAYS, show_default=True)
@_as_json
def merge(*, segments: int, parts: int, days: int, as_json: bool) -> None:
    """Measures CPU and memory of the merge of the largest run; every published day is checked."""
    figures = merge_bench.run(segments=segments, parts=parts, days=days)
    _print(figures, merge_bench.table(figures), as_json=as_json)


@main.command()
@click.option(
    "--segments", type=click.IntRange(1), default=breakdowns_bench.SEGMENTS, show_default=True
)
@click.option("--days", type=click.IntRange(1), default=breakdowns_bench.DAYS, show_default=True)
@click.option(
    "--groups",
    type=click.IntRange(1),
    default=breakdowns_bench.GROUPS,
    show_default=True,
    help="Of a day, in each of two breakdowns.",
)
@_as_json
def breakdowns(*, segments: int, days: int, groups: int, as_json: bool) -> None:
    """Measures CPU and memory of the merge of a run with two breakdowns; every line is checked."""
    figures = breakdowns_bench.run(segments=segments, days=days, groups=groups)
    _print(figures, breakdowns_bench.table(figures), as_json=as_json)


@main.command()
@click.option("--runs", type=click.IntRange(1), default=export_bench.RUNS, show_default=True)
@click.option(
    "--pages",
    type=click.IntRange(1),
    default=export_bench.PAGES,
    show_default=True,
    help="Of the table that is exported, of 3,015 trips each.",
)
@click.option("--files", type=click.IntRange(1), default=export_bench.FILES, show_default=True)
@click.option(
    "--times",
    type=click.IntRange(1),
    default=export_bench.TIMES,
    show_default=True,
    help="As long is the single file, which is read once.",
)
@_as_json
def export(*, runs: int, pages: int, files: int, times: int, as_json: bool) -> None:
    """Measures CPU and memory of the scan worker over an export's files, and of DuckDB."""
    figures = export_bench.run(runs=runs, pages=pages, files=files, times=times)
    _print(figures, export_bench.table(figures), as_json=as_json)


@main.command()
@click.option("--runs", type=click.IntRange(1), default=laptop_bench.RUNS, show_default=True)
@click.option(
    "--pages",
    type=click.IntRange(1),
    multiple=True,
    default=laptop_bench.PAGES,
    show_default=True,
    help="Of a table that is exported, of 3,015 trips each.",
)
@click.option("--trips", type=click.IntRange(2), default=laptop_bench.TRIPS, show_default=True)
@_as_json
def laptop(*, runs: int, pages: Sequence[int], trips: int, as_json: bool) -> None:
    """Measures `ops run --export` and `ops run --trips` from start to report."""
    figures = laptop_bench.run(runs=runs, pages=pages, trips=trips)
    _print(figures, laptop_bench.table(figures), as_json=as_json)


@main.command()
@click.option(
    "--cpu-ms-per-page",
    type=click.FloatRange(0),
    default=scale_bench.CPU_MS_PER_PAGE,
    show_default=True,
    help="Of one processor, as `bench scan` measures it.",
)
@_as_json
def scale(*, cpu_ms_per_page: float, as_json: bool) -> None:
    """Calculates segments, payloads, duration and cost of a run over 10 GB, 1 TB and 100 TB."""
    figures = scale_bench.run(cpu_ms_per_page=cpu_ms_per_page)
    _print(figures, scale_bench.table(figures), as_json=as_json)


@main.command()
def page() -> None:
    """Measures all of it, and writes the tables of docs/performance.md."""
    measured = {"machine": performance_page.machine()}
    for name in measures():
        click.echo(f"measuring {name} ...", err=True)
        done = subprocess.run(
            [sys.executable, "-m", "bench", name], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            raise click.ClickException(f"{name} failed; the page is as it was")
        click.echo(done.stdout)
        measured[name] = done.stdout
    path = performance_page.PAGE
    path.write_text(performance_page.filled(path.read_text(), measured))


def measures() -> list[str]:
    """The commands that print a table, in their order."""
    return [name for name, command in main.commands.items() if command is not page]


def _print(figures: Sequence[Any], table: str, *, as_json: bool) -> None:
    print(json.dumps([asdict(one) for one in figures]) if as_json else table)


if __name__ == "__main__":
    main(prog_name="python -m bench")
