"""`python -m ops`: the operator's commands."""

import signal
import sys
from typing import Any, NoReturn

import click
from rich.text import Text

from ops import terminal
from ops.account.account import AccountError
from ops.commands.demo import demo
from ops.commands.diff import diff
from ops.commands.ending import INTERRUPTED
from ops.commands.estimate import estimate
from ops.commands.quarantine import quarantine
from ops.commands.report import report
from ops.commands.rerun import rerun
from ops.commands.run import run
from ops.commands.runs import runs
from ops.commands.serve import serve
from ops.commands.status import status
from ops.embedded.errors import EmbeddedCloudError
from ops.results.errors import ResultsError
from ops.state_directory import StateError
from ops.trip_files import TripFileError
from trip_kpis.core.errors import TripKpisError

MISTAKE = 2
"""exit status of a mistake in the call; 1 is a run that failed"""


_MENDABLE = (
    AccountError,
    EmbeddedCloudError,
    ResultsError,
    StateError,
    TripFileError,
    TripKpisError,
)


class _Commands(click.Group):
    """Ends with one line, not a traceback, for what the person at the keyboard can mend."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except _MENDABLE as error:
            message = Text.assemble(("Error: ", "bold red"), str(error))
            terminal.console(stderr=True).print(message, highlight=False, soft_wrap=True)
            sys.exit(MISTAKE)


@click.group(cls=_Commands)
def main() -> None:
    """Exact per-day KPIs from a DynamoDB table of trips, run and repaired from here.

    \b
    python -m ops demo                                  a made-up month, to see it work
    python -m ops run --trips trips.csv --out out       your own trips, on this machine
    python -m ops estimate --stack trip-kpis            what a run would cost, and find
    python -m ops run --stack trip-kpis                 a run of a deployed stack
    python -m ops status --stack trip-kpis              how it stands, and what to do next

    With --out DIR: runs on this machine, in an embedded AWS. No account, and nothing leaves the
    machine. With --stack NAME: the runs of a stack in your account.
    """
    signal.signal(signal.SIGTERM, _stop)


for command in (demo, diff, estimate, quarantine, report, rerun, run, runs, serve, status):
    main.add_command(command)


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main(prog_name="python -m ops")
