"""How to go on after a run that failed, by the kind of its error; docs/operations.md says more."""

import shlex
from pathlib import Path

from ops.outcome import Outcome

_LOST = {
    "BrokenChainError",
    "CorruptPartError",
    "ForeignPartError",
    "PlanMismatchError",
    "PlanNotFoundError",
    "TableNotFoundError",
    "TooManyTripsError",
    "UnbalancedCountsError",
}
"""Going on would come to the same: what the run has left is not what it wrote, or what it was
planned for is not there any more."""


def way_out(outcome: Outcome, out: Path) -> tuple[str, str]:
    """What to do, and the command that does it; empty where there is none."""
    errors = {child.error for child in outcome.failed_segments} or {str(outcome.error)}
    if not outcome.is_planned:
        says = "The run has no plan yet, so there is nothing to go on with: mend what it says, and "
        return f"{says}start another.", ""
    if lost := sorted(errors & _LOST):
        says = f"After {lost[0]}, going on with this run comes to the same: start a new one, with "
        says += "`ops run` over the same trips. If the message names an object that somebody put "
        return f"{says}there, changed or damaged, docs/operations.md says what else there is.", ""
    if "TooManyRejectedError" in errors:
        says = f"Look at the rejected trips in {out / 'quarantine'}. Mend them and start a new "
        says += "run; or tolerate a larger share, which reads nothing again:"
        return says, rerun_command(outcome.run_id, out, "MaxRejectedShare=0.2")
    if "NothingCountedError" in errors:
        says = "If the attributes have other names, start a new run with --parameter "
        says += "FareAttribute=… and EstimatedFareAttribute=…; or keep the days that are there:"
        return says, rerun_command(outcome.run_id, out, "VanishedDays=keep")
    says = "Mend what it says, then go on with this run; what its segments have appended is not "
    says += "read again:"
    return says, rerun_command(outcome.run_id, out, *["NAME=VALUE"] * ("SettingError" in errors))


def rerun_command(run_id: str, out: Path, *parameters: str) -> str:
    """What goes on with the run, as one types it into a shell."""
    more = [word for parameter in parameters for word in ("--parameter", parameter)]
    return shlex.join(["python", "-m", "ops", "rerun", run_id, "--out", str(out), *more])
