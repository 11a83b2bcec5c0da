"""`python -m ops`: the operator's commands."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import click
from rich.text import Text

from ops import interruption
from ops.cli import terminal

MISTAKE = 2
"""exit status of a mistake in the call; 1 is a run that failed"""

_COMMANDS = (
    "demo", "diff", "estimate", "quarantine", "report", "rerun", "run", "runs", "serve", "status",
)  # fmt: skip
"""each is the function of that name in ops.cli.commands"""


class _Commands(click.Group):
    """Ends with one line, not a traceback, for what the person at the keyboard can fix."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Imported when it is asked for: that takes seconds, in which Ctrl-C may come, too."""
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"ops.cli.commands.{name}"), name)
        return command

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            _say_interrupted()
            sys.exit(interruption.INTERRUPTED)
        except _mistakes() as error:
            message = Text.assemble(("Error: ", "bold red"), str(error))
            terminal.console(stderr=True).print(message, highlight=False, soft_wrap=True)
            sys.exit(MISTAKE)


def _mistakes() -> tuple[type[Exception], ...]:
    """Errors that are shown in one line. Imported when there is one: that takes seconds."""
    from ops.embedded.errors import EmbeddedCloudError
    from ops.local.out_directory import StateError
    from ops.local.trip_files import TripFileError
    from ops.runs.errors import ResultsError
    from ops.stack.account import AccountError
    from trip_kpis.core.errors import TripKpisError

    return (
        AccountError,
        EmbeddedCloudError,
        ResultsError,
        StateError,
        TripFileError,
        TripKpisError,
    )


@click.group(cls=_Commands)
def main() -> None:
    """Calculate exact KPIs for each day from a DynamoDB table of trips.

    \b
    python -m ops demo                                  one month of made-up trips
    python -m ops run --trips trips.csv --out out       your own trips, on this machine
    python -m ops estimate --stack trip-kpis            what a run would cost and find
    python -m ops run --stack trip-kpis                 a run of a deployed stack
    python -m ops status --stack trip-kpis              its progress, and what to do next

    With --out DIR: runs on this machine, in an embedded AWS. They need no account, and no data
    leaves the machine. With --stack NAME: runs of a deployed stack in your account.
    """


def _say_interrupted() -> None:
    if not interruption.was_said():
        terminal.console(stderr=True).print("Interrupted.")
        interruption.is_said()


def run_to_the_end() -> NoReturn:
    """Runs the command of this process. Once a signal has come, the exit status is that of an
    interrupted command, whatever became of the exception that it raised."""
    interruption.handle_signals()
    try:
        main(prog_name="python -m ops")
    except (SystemExit, KeyboardInterrupt):
        if not interruption.was_signalled():
            raise
    _say_interrupted()
    interruption.end()


if __name__ == "__main__":
    run_to_the_end()
