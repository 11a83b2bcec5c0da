"""`ops diff`."""

import json
import sys
from typing import NoReturn

import click

from ops.cli.results import Source, as_json, source
from trip_kpis.core import layout


@click.command()
@click.argument("before", metavar="RUN_A")
@click.argument("after", metavar="RUN_B")
@source
@as_json
def diff(*, source: Source, before: str, after: str, as_json: bool) -> NoReturn:
    """Compare two finished runs day by day.

    It compares the figures that each run calculated. The manifests keep these figures, even if
    later runs have published other figures. For each run it also lists the days that were open (not
    over), and the days that had fewer trips than when they were published before.

    The exit status is 0 if all days are equal, 1 if a day differs, and 2 if the command line is
    wrong.

    \b
    ops diff run-20240524T021500-91c0 run-20240525T021500-3f2a --stack trip-kpis
    ops diff first second --out out --json
    """
    from ops.cli import terminal
    from ops.cli.diff_screen import show_comparison
    from ops.runs.comparison import compare
    from ops.runs.finished_run import finished_run
    from ops.runs.staging_reader import staged_plans
    from ops.runs.storage import Directory

    with source.manifests(before, after) as directory:
        runs = finished_run(directory, before), finished_run(directory, after)
        source.also(directory, [layout.plan_key(run.run_id) for run in runs])
        copied = Directory(directory)
        plans = {**staged_plans(copied, before), **staged_plans(copied, after)}
        found = compare(*runs, plans)
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        show_comparison(terminal.console(), found)
    sys.exit(1 if found.differs else 0)
