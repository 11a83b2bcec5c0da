"""`ops demo`."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from ops import interruption
from ops.cli import options

_SEGMENTS = 16


@click.command()
@options.out("The directory for the results, as for `run --fresh`.", default="out/demo")
@click.option(
    "--break-segment",
    type=click.IntRange(0, _SEGMENTS - 1),
    metavar="N",
    help="Make segment N fail at its third page, show what you see after such a failure, and "
    "resume the run.",
)
def demo(*, out: Path, break_segment: int | None) -> NoReturn:
    """Run the whole job over a month of made-up trips.

    It shows the KPIs, and compares them with the expected figures. The exit status is 0 if all
    figures are as expected, else 1.

    \b
    ops demo
    ops demo --out out/broken --break-segment 7
    """
    from ops.cli import terminal
    from ops.cli.commands.report import leave_report
    from ops.cli.demo_screen import show_broken_demo, show_demo

    interruption.explain("The run had not started. Nothing of it is kept.")
    console = terminal.console()
    as_expected = (
        show_demo(console, out, _SEGMENTS)
        if break_segment is None
        else show_broken_demo(console, out, _SEGMENTS, break_segment)
    )
    leave_report(console, out)
    sys.exit(0 if as_expected else 1)
