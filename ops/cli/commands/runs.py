"""`ops runs`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ops.cli.results import Source, as_json, source
from trip_kpis.core import layout

if TYPE_CHECKING:
    from ops.runs.run import Run


@click.command()
@source
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="How many runs to list, the newest first. With --stack, how many executions to read.",
)
@as_json
def runs(*, source: Source, last: int, as_json: bool) -> None:
    """List the runs, the newest first, and how they ended.

    A run has the name of its first execution, even if other executions have resumed it. For each
    unfinished run, the list shows the command that resumes it. `new/same` shows how many days the
    run published with new figures, and how many days already had the same figures. `USD` is the
    estimated cost on AWS. --json shows more figures of each run.

    \b
    ops runs --out out
    ops runs --stack trip-kpis --last 100
    ops runs --stack trip-kpis --json | jq '.[] | select(.status == "failed")'
    """
    of_stack = source.stack is not None
    found = (_of_stack(source, last) if of_stack else _of_directory(source))[:last]
    if as_json:
        click.echo(json.dumps([run.to_json() for run in found]))
    else:
        from ops.cli.runs_screen import show_runs

        show_runs(found, source.place, source.name)


def _of_directory(source: Source) -> tuple[Run, ...]:
    from ops.local.results import runs_in_directory

    assert source.out is not None
    return runs_in_directory(source.out)


def _of_stack(source: Source, last: int) -> tuple[Run, ...]:
    """Lists the runs by the executions that Step Functions remembers, and the manifests of earlier
    runs."""
    from ops.runs.run import runs_in
    from ops.stack.executions import executions
    from ops.stack.fetched import newest_first

    stack = source.stack
    assert stack is not None
    known = [one for one in executions(stack, last=last) if not one.is_estimate]
    keys = newest_first(stack, layout.MANIFESTS)
    executed = {layout.manifest_key(one.run_id) for one in known}
    before = [key for key in keys if key not in executed][: max(0, last - len(known))]
    with source.directory([*executed & {*keys}, *before]) as directory:
        return runs_in(directory, known[::-1])
