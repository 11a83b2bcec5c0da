"""The command `ops`: the group of all verbs, and how the process ends."""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from ops import interruption
from ops.runs.this_command import this_command

MISTAKE = 2
"""exit status of a wrong command line; 1 is a run that failed"""

_COMMANDS = (
    "definition", "demo", "diff", "estimate", "init", "kpis", "quarantine", "report",
    "rerun", "run", "runs", "serve", "status",
)  # fmt: skip
"""names of functions, each in the module of that name in ops.cli.commands"""
_COMPLETION = "_OPS_COMPLETE"
"""the variable with which a shell requests completion (click's convention)"""


class _Commands(click.Group):
    """Loads a verb when it is called. Ends with one line, not a traceback, for what the person at
    the keyboard can fix."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"ops.cli.commands.{name}"), name)
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, arguments)
        except click.UsageError as error:
            if alike := get_close_matches(arguments[0], _COMMANDS):
                error.message += f" Did you mean {' or '.join(alike)}?"
            raise

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            _say_interrupted()
            sys.exit(interruption.INTERRUPTED)
        except _mistakes() as error:
            from rich.text import Text

            from ops.cli import terminal

            message = Text.assemble(("Error: ", "bold red"), str(error))
            terminal.console(stderr=True).print(message, highlight=False, soft_wrap=True)
            sys.exit(MISTAKE)


def _mistakes() -> tuple[type[Exception], ...]:
    """Lists the errors that are shown in one line. Those that are raised by modules that no command
    has loaded cannot have occurred."""
    found: list[type[Exception]] = []
    for module, name in (
        ("ops.embedded.errors", "EmbeddedCloudError"),
        ("ops.local.out_directory", "StateError"),
        ("ops.local.trip_files", "TripFileError"),
        ("ops.runs.errors", "ResultsError"),
        ("ops.stack.account", "AccountError"),
        ("trip_kpis.core.errors", "TripKpisError"),
    ):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


@click.group(cls=_Commands)
def main() -> None:
    """Calculates exact KPIs per day from a DynamoDB table of trips. Starts, follows and resumes
    runs.

    \b
    ops demo                                  a made-up month, to see it work
    ops run --trips trips.csv --out out       your own trips, on this machine
    ops estimate --stack trip-kpis            cost and duration of a run, before it
    ops run --stack trip-kpis                 a run of a deployed stack
    ops status --stack trip-kpis              its progress, and what to do next

    With --out DIR, runs are on this machine, in an embedded AWS: you need no account, and no data
    leaves the machine. With --stack NAME, they are those of a stack in your account.
    """


def _say_interrupted() -> None:
    if not interruption.was_said():
        print(interruption.message(), file=sys.stderr, flush=True)
        interruption.is_said()


def run_to_the_end() -> NoReturn:
    """Runs the command of this process. Once a signal has come, the exit status is that of an
    interrupted command, whatever became of the exception that it raised."""
    interruption.handle_signals()
    # A completion script is for the name that the shell knows.
    name = "ops" if _COMPLETION in os.environ else " ".join(this_command())
    try:
        main(prog_name=name, complete_var=_COMPLETION)
    except (SystemExit, KeyboardInterrupt):
        if not interruption.was_signalled():
            raise
    _say_interrupted()
    interruption.end()
