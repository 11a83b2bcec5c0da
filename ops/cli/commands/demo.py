"""`python -m ops demo`."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from ops.cli import options, terminal
from ops.cli.broken_demo import show_broken_demo
from ops.cli.commands.report import leave_report
from ops.cli.demo_month import SEGMENTS, show_demo


@click.command()
@options.out("The directory for the results, as in `run`.", default="out/demo")
@click.option(
    "--break-segment",
    type=click.IntRange(0, SEGMENTS - 1),
    metavar="N",
    help="Let segment N fail at its third page, show what the operator sees, and resume the run.",
)
def demo(*, out: Path, break_segment: int | None) -> NoReturn:
    """Run the job over a month of made-up trips."""
    console = terminal.console()
    as_told = (
        show_demo(console, out)
        if break_segment is None
        else show_broken_demo(console, out, break_segment)
    )
    leave_report(console, out)
    sys.exit(0 if as_told else 1)
