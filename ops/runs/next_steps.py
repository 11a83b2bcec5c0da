"""How to go on after a run that failed, by the kind of its error; docs/operations.md says more."""

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from ops.runs.this_command import this_command


class NamedStack(Protocol):
    """A deployed stack."""

    @property
    def options(self) -> tuple[str, ...]:
        """What names it on the command line."""
        ...


Place = Path | NamedStack
"""Where a run is: the directory of a run on this machine, or a deployed stack."""

_LOST = {
    "BrokenChainError",
    "CorruptPartError",
    "ForeignPartError",
    "PlanMismatchError",
    "PlanNotFoundError",
    "TableNotFoundError",
    "TooManyPartsError",
    "TooManyTripsError",
    "UnbalancedCountsError",
}
"""Resuming would fail again: what the run has left is not what it wrote, or what it was
planned for is not there any more."""


def next_steps(
    run_id: str, errors: Collection[str], place: Place, *, is_planned: bool
) -> tuple[str, str]:
    """What to do after these errors, and the command that does it; empty where there is none."""
    if not is_planned:
        says = "The run has no plan yet, so there is nothing to resume: fix the cause, and "
        return f"{says}start another.", ""
    if lost := sorted({*errors} & _LOST):
        says = f"After {lost[0]}, resuming this run fails again: start a new one, with "
        says += "`ops run` over the same trips. If the message names an object that somebody put "
        return f"{says}there, changed or damaged, docs/operations.md says what else there is.", ""
    if "TooManyRejectedError" in errors:
        says = "Look at the rejected trips: "
        says += f"{ops_command('quarantine', run_id, place)}. Fix them and start a new "
        says += "run; or tolerate a larger share, which reads nothing again:"
        return says, _with_parameter(run_id, place, "MaxRejectedShare=0.2")
    if "NothingCountedError" in errors:
        says = "If the attributes have other names, start a new run with --parameter "
        says += "FareAttribute=… and EstimatedFareAttribute=…. If the table is empty on purpose, "
        says += "keep the published days:"
        if not isinstance(place, Path):
            says = says.replace("start a new run with --parameter ", "deploy the stack with ")
        return says, _with_parameter(run_id, place, "VanishedDays=keep")
    if "Lambda.TooManyRequestsException" in errors:
        says = "Lambda had no free execution for hours. Resume with fewer segments at a time; what "
        says += "its segments have appended is not read again:"
        return says, f"{rerun_command(run_id, place)} --max-concurrency N"
    says = "Fix the cause, then resume this run; what its segments have appended is not "
    says += "read again:"
    if "SettingError" in errors:
        return says, _with_parameter(run_id, place, "NAME=VALUE")
    return says, rerun_command(run_id, place)


def rerun_command(run_id: str, place: Place, *parameters: str) -> str:
    """What resumes the run, as one types it into a shell."""
    more = [word for parameter in parameters for word in ("--parameter", parameter)]
    return ops_command("rerun", run_id, place, *more)


def ops_command(verb: str, run_id: str, place: Place, *more: str) -> str:
    """A command about a run, as one types it into a shell."""
    return shlex.join([*this_command(), verb, run_id, *_options(place), *more])


def runs_command(place: Place) -> str:
    """What lists the runs there."""
    return shlex.join([*this_command(), "runs", *_options(place)])


def _options(place: Place) -> tuple[str, ...]:
    return ("--out", str(place)) if isinstance(place, Path) else place.options


def _with_parameter(run_id: str, place: Place, parameter: str) -> str:
    """Resumes the run under another parameter, which a stack is deployed with."""
    if not isinstance(place, Path):
        return f"sam deploy --parameter-overrides {parameter}\n  {rerun_command(run_id, place)}"
    return rerun_command(run_id, place, parameter)
