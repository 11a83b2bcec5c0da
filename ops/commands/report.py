"""`python -m ops report`."""

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from ops import options
from ops.report.written import REPORT, write_report
from ops.results.errors import ResultsError
from ops.results.finished_run import manifests


@click.command()
@click.argument("run_id", required=False)
@options.out("The directory of a `run`, `rerun` or `demo`; or a copy of the bucket.")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"Where the report goes. [DIR/{REPORT}]",
)
def report(*, run_id: str | None, out: Path, to: Path | None) -> None:
    """Write a page that shows what a finished run has published, and why it can be trusted.

    RUN_ID may be left out: then it is the run of DIR that finished last. The page is one file that
    loads nothing: open it in a browser, mail it, keep it.

    \b
    python -m ops report --out out
    python -m ops report run-20240525T021500-3f2a --out out --to may.html
    """
    _say_where(Console(), write_report(out, run_id=run_id, to=to))


def leave_report(console: Console, out: Path, run_id: str | None = None) -> None:
    """At the end of a command that has executed the run, or None for the only one of `out`: writes
    its report if it is finished. An earlier run's does not stay. Never fails: the run's outcome
    is what the command is about."""
    (out / REPORT).unlink(missing_ok=True)
    finished = manifests(out)
    if run_id in finished or (run_id is None and finished):
        try:
            _say_where(console, write_report(out, run_id=run_id))
        except ResultsError as error:
            console.print(Text(f"There is no report: {error}"), soft_wrap=True)


def _say_where(console: Console, file: Path) -> None:
    console.print(Text.assemble("The report: ", (str(file), "bold")), soft_wrap=True)
