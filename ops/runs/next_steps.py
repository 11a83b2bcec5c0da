"""Says what to do after a run that failed, by the kind of its error; docs/operations.md says more.

Steps are for the place where they are printed: a run on this machine, a deployed stack, or a stack
in the embedded AWS of `ops serve`.
"""

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol, assert_never
from urllib.parse import urlsplit

from ops.runs.run_log import Progress
from ops.runs.storage import Storage
from ops.runs.this_command import this_command
from ops.runs.time_formats import formats_of, is_read_by
from trip_kpis.core.items.attributes import AttributePath, dotted_path
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.run.plan import Plan


class NamedStack(Protocol):
    """A deployed stack."""

    @property
    def account(self) -> Any:
        """the `ops.stack.account.Account` in which it is deployed"""
        ...

    @property
    def options(self) -> tuple[str, ...]:
        """Returns the options that name it on the command line."""
        ...

    @property
    def parameters(self) -> Mapping[str, str]:
        """Returns the parameters with which it is deployed now."""
        ...

    @property
    def is_embedded(self) -> bool:
        """Returns whether `ops serve` runs it: then it has no Redrive, and nothing deploys it
        again."""
        ...

    def bucket(self) -> Storage:
        """Returns the name of the bucket to which its runs write."""
        ...


Place = Path | NamedStack
"""The place of a run: the directory of a run on this machine, or a deployed stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """What next steps depend on."""

    run_id: str
    errors: Collection[str]
    progress: Progress
    """counts of its segments"""
    unreadable_times: Sequence[str] = ()
    """some of the times that it rejected as unreadable"""


@dataclass(frozen=True, slots=True)
class NextStep:
    """An advice, and the commands or options for it, if there are any."""

    says: str
    commands: tuple[str, ...] = field(default=())


_LOST = {
    "BrokenChainError",
    "CorruptExportError",
    "CorruptPartError",
    "DynamoDb.ExportNotFoundException",
    "ExportFailedError",
    "ForeignPartError",
    "PlanNotFoundError",
    "TableNotFoundError",
    "TooManyGroupsError",
    "TooManyPartsError",
    "TooManyTripsError",
    "UnbalancedCountsError",
}
"""Errors after which resuming would fail again: the run's objects are not what it wrote, or what
the plan refers to does not exist any more."""


def next_steps(run: FailedRun, place: Place) -> list[NextStep]:
    """Returns what to do after these errors, in the order in which to consider it."""
    if run.progress.plan is None:
        says = "The run has no plan yet, so there is nothing to resume. Fix the cause, then start "
        return [NextStep(f"{says}another.")]
    if lost := sorted({*run.errors} & _LOST):
        says = f"After {lost[0]}, resuming this run fails again: start a new one. If the message "
        says += "names an object that somebody put there, changed or damaged, docs/operations.md "
        return [NextStep(f"{says}says what else there is.", _new_run(place))]
    if restore := _what_to_restore(run.errors, place):
        says = f"{restore}, then resume this run. Finished work is not repeated:"
        resume = NextStep(says, (rerun_command(run.run_id, place),))
        says = "If that is not possible, start a new run"
        new_run = _new_run(place)
        return [resume, NextStep(f"{says}:" if new_run else f"{says}.", new_run)]
    if "TooManyRejectedError" in run.errors:
        return list(_after_rejections(run, place, run.progress.plan))
    if "NothingCountedError" in run.errors:
        return list(_after_nothing_counted(run, place, run.progress.plan))
    if "Lambda.TooManyRequestsException" in run.errors:
        says = "Lambda had no free execution for hours. Resume with fewer segments at a time. "
        says += "Finished work is not repeated:"
        return [NextStep(says, (f"{rerun_command(run.run_id, place)} --max-concurrency N",))]
    if "SettingError" in run.errors and isinstance(place, Path):
        says = "If the error names a file, put it back as it was. If it names a parameter, add "
        says += "--parameter NAME=VALUE to the command. Resume this run. Finished work is not "
        return [NextStep(f"{says}repeated:", (rerun_command(run.run_id, place),))]
    if "SettingError" in run.errors:
        purpose = "To correct the parameter that the error names"
        return [_resume_with("NAME", "VALUE", run, place, purpose=purpose)]
    says = "Fix the cause, then resume this run. Finished work is not repeated:"
    return [NextStep(says, (rerun_command(run.run_id, place),))]


def _what_to_restore(errors: Collection[str], place: Place) -> str:
    """Says what must be again as it was before the run can be resumed; empty if nothing."""
    if "ExportNotFoundError" in errors:
        if isinstance(place, Path):
            says = "Put the files of the export back as they were, with the same times of "
            return f"{says}modification (`cp -p`)"
        says = "If the objects of the export still exist, correct the permissions that "
        return f"{says}docs/operations.md names for this error"
    if "PlanMismatchError" in errors:
        return "Set what the error names as it was when the run began"
    return ""


def _after_rejections(run: FailedRun, place: Place, plan: Plan) -> Iterator[NextStep]:
    yield from _about_rejected(run, place, plan)
    counts = run.progress.counts
    if counts.counted:
        share, deployed = _sufficient_share(counts), _deployed(place, "MaxRejectedShare")
        yield _resume_with(
            "MaxRejectedShare",
            str(share),
            run,
            place,
            purpose="To accept this share of rejected trips",
            is_deployed=_is_at_least(deployed, share),
        )


def _about_rejected(run: FailedRun, place: Place, plan: Plan) -> Iterator[NextStep]:
    """Says how to look at the rejected trips, and what to do about most of them."""
    yield NextStep(
        "Look at the rejected trips. If they are wrong, correct them and start a new run:",
        (ops_command("quarantine", run.run_id, place),),
    )
    rejected = run.progress.counts.rejected
    most = max(rejected, key=lambda reason: rejected[reason], default=None)
    if most is Reason.TIME_UNREADABLE:
        if run.unreadable_times:
            yield _about_times(run, place, plan)
    elif most is not None:
        yield NextStep(_about_reason(most, plan))


def _named(paths: Iterable[AttributePath], plan: Plan) -> tuple[str, str]:
    """Returns the paths, and the parameters or the definition's file that names them."""
    named = plan.named(paths)
    by = dict.fromkeys(one.parameter or _file_of(plan) for one in named)
    return _joined([dotted_path(one.path) for one in named], "or"), _joined([*by], "and")


def _fares(plan: Plan) -> Sequence[AttributePath]:
    definition = plan.definition
    return [path for path in definition.paths if path in definition.fares]


def _joined(words: Sequence[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _file_of(plan: Plan) -> str:
    return f"{plan.kpi_definition.name}.toml"


def _about_reason(reason: Reason, plan: Plan) -> str:
    """Says what to do about trips that were rejected for this reason."""
    match reason:
        case Reason.FARE_WRONG_TYPE:
            fares, by = _named(_fares(plan), plan)
            return (
                f"What is at {fares} (named by {by}) must be a Number or a String. If a fare is in "
                "a map, name the value in it, such as trip_end.fare_amount, and start a new run."
            )
        case Reason.FARE_NOT_A_NUMBER:
            says = "A fare that is a String must be a decimal number such as 12.50: without a "
            return f"{says}currency, a decimal comma, or separators between thousands."
        case Reason.FARE_TOO_PRECISE:
            return "A fare can have 18 decimal places at the most: round the fares."
        case Reason.FARE_TOO_LARGE:
            fares, by = _named(_fares(plan), plan)
            return f"A fare must be below 1,000,000,000. Check {fares} (named by {by})."
        case Reason.NUMBER_WRONG_TYPE:
            return (
                "What a KPI is calculated from must be a Number or a String. If it is in a map or "
                f"a list, name the value in it in {_file_of(plan)}, and start a new run."
            )
        case Reason.NUMBER_NOT_A_NUMBER:
            return (
                "A number that is a String must be decimal, such as 12.50. If a word means that "
                f"there is none, name it in item.null_values of {_file_of(plan)}."
            )
        case Reason.NUMBER_TOO_PRECISE:
            return "A number can have 18 decimal places at the most: round the numbers."
        case Reason.NUMBER_TOO_LARGE:
            return (
                "A number, after its scale, must be below 1,000,000,000, and so must the sum of "
                "an item's several attributes. Check the attributes and scales of "
                f"{_file_of(plan)}."
            )
        case Reason.GROUP_WRONG_TYPE:
            return (
                "What a breakdown groups by must be a String, a Number or a Boolean. If it is in a "
                f"map or a list, name the value in it in {_file_of(plan)}, and start a new run."
            )
        case Reason.TIME_MISSING:
            day, by = _named(plan.definition.day.paths, plan)
            says = f"Trips have no value at {day}. If the time has another name, correct {by}, "
            return f"{says}then start a new run."
        case Reason.TIME_WRONG_TYPE:
            day, by = _named(plan.definition.day.paths, plan)
            says = f"What is at {day} must be a String or a Number. If the time is in a map, name "
            return f"{says}the value in it in {by}, then start a new run."
        case Reason.TIME_UNREADABLE:
            return "Times have a form that is not read: TimeFormats can describe it."
        case Reason.TIME_OUT_OF_RANGE:
            says = "Times must be from EarliestDay to 2100-12-31. If older trips are to count, "
            return f"{says}start a new run with an earlier EarliestDay."
    assert_never(reason)


def _about_times(run: FailedRun, place: Place, plan: Plan) -> NextStep:
    texts = run.unreadable_times
    found = formats_of(texts, plan.rules)
    if not found:
        return NextStep(
            f"Times such as {texts[0]!r} are in no form that is read. If a format describes them, "
            "start a new run with TimeFormats (docs/parameters.md)."
        )
    read = [text for text in texts if is_read_by(found[0], text, plan.rules)]
    others = [text for text in texts if text not in read]
    times = f"Times such as {read[0]!r}"
    if others:
        times += f" (others, such as {others[0]!r}, have another form)"
    values = ["|".join([*plan.time_formats, one]) for one in found]
    if (deployed := _deployed(place, "TimeFormats")) in values:
        return NextStep(
            f"{times} are read by TimeFormats={deployed}, which the stack has now. Start a new "
            "run:",
            _new_run(place),
        )
    if len(found) == 1:
        says = f"{times} are not read. To read them, start a new run with"
    else:
        says = f"{times} do not show which number is the day and which the month. Find that out: "
        says += "the wrong format counts trips on wrong days. Then start a new run with one of"
    if isinstance(place, Path):
        return NextStep(f"{says}:", tuple(_option("TimeFormats", value) for value in values))
    change = _option if place.is_embedded else _deploy
    commands = (*(change("TimeFormats", value) for value in values), *_new_run(place))
    return NextStep(f"{says}: {_SERVE_AGAIN}" if place.is_embedded else f"{says}:", commands)


def _after_nothing_counted(run: FailedRun, place: Place, plan: Plan) -> Iterator[NextStep]:
    counts = run.progress.counts
    if counts.counted:
        day, by = _named(plan.definition.day.paths, plan)
        yield NextStep(
            f"If {day}, which {by} names, is not the time of the trip, correct {by}, then start "
            "a new run. Else wait until a day is over."
        )
    if counts.counted or not counts.scanned:
        yield NextStep(
            "If every published day is to be removed, resume the run and confirm that:",
            (ops_command("rerun", run.run_id, place, "--confirm-empty-table"),),
        )
        yield _resume_with(
            "VanishedDays",
            "keep",
            run,
            place,
            purpose="To keep the published days",
            is_deployed=_deployed(place, "VanishedDays") == "keep",
        )
        return
    if counts.rejected:
        yield from _about_rejected(run, place, plan)
    if counts.incomplete:
        needed, by = _named(plan.definition.needed, plan)
        yield NextStep(
            f"{counts.incomplete:,} of {counts.scanned:,} items have no value at {needed}. If the "
            f"names are wrong, correct {by}, then start a new run."
        )


_SERVE_AGAIN = "stop `ops serve`, which forgets its runs, start it again with this parameter, and "
_SERVE_AGAIN += "start a run."


def _resume_with(
    parameter: str,
    value: str,
    run: FailedRun,
    place: Place,
    *,
    purpose: str,
    is_deployed: bool = False,
) -> NextStep:
    """Says how to resume the run with another value of a parameter, which may be deployed already;
    if the run cannot be resumed, how to start another one."""
    resume = rerun_command(run.run_id, place)
    if isinstance(place, Path):
        says = f"{purpose}, resume the run with this parameter. Finished work is not repeated:"
        return NextStep(says, (rerun_command(run.run_id, place, f"{parameter}={value}"),))
    if is_deployed:
        deployed = f"{parameter} is {_deployed(place, parameter)} now"
        return NextStep(f"{purpose}, resume the run: {deployed}.", (resume,))
    if place.is_embedded:
        commands = (_option(parameter, value), *_new_run(place))
        return NextStep(f"{purpose}, {_SERVE_AGAIN}", commands)
    says = f"{purpose}, deploy the stack with this parameter and resume the run. Finished work is "
    return NextStep(f"{says}not repeated:", (_deploy(parameter, value), resume))


def _new_run(place: Place) -> tuple[str, ...]:
    """Returns the command that starts a run; for trips in files, only the user knows it."""
    return () if isinstance(place, Path) else (_command("run", *place.options),)


def _option(parameter: str, value: str) -> str:
    return shlex.join(["--parameter", f"{parameter}={value}"])


def _deploy(parameter: str, value: str) -> str:
    """Quotes a value that contains blanks, as SAM needs it."""
    quoted = f'"{value}"' if set(value) & {" ", "|"} else value
    return shlex.join(["sam", "deploy", "--parameter-overrides", f"{parameter}={quoted}"])


def _deployed(place: Place, parameter: str) -> str:
    return "" if isinstance(place, Path) else place.parameters.get(parameter, "")


def _sufficient_share(counts: Counts) -> Decimal:
    """Returns the share of rejected trips, rounded up to two digits: with it, the run passes."""
    exact = Decimal(counts.rejected_in_all) / (counts.rejected_in_all + counts.counted)
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), rounding=ROUND_CEILING)
    return min(rounded, Decimal(1)).normalize()


def _is_at_least(text: str, share: Decimal) -> bool:
    try:
        return Decimal(text) >= share
    except InvalidOperation:
        return False


def is_on_this_machine(url: str | None) -> bool:
    """Returns whether an endpoint is one of `ops serve`, and not of an account: its host is this
    machine, or has a private address, as a Docker bridge has."""
    host = urlsplit(url or "").hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def rerun_command(run_id: str, place: Place, *parameters: str) -> str:
    """Returns the command that resumes the run, for a shell."""
    more = [word for parameter in parameters for word in ("--parameter", parameter)]
    return ops_command("rerun", run_id, place, *more)


def ops_command(verb: str, run_id: str, place: Place, *more: str) -> str:
    """Returns a command about a run, for a shell."""
    return _command(verb, run_id, *_options(place), *more)


def runs_command(place: Place) -> str:
    """Returns the command that lists the runs of the place, for a shell."""
    return _command("runs", *_options(place))


def _command(verb: str, *words: str) -> str:
    return shlex.join([*this_command(), verb, *words])


def _options(place: Place) -> tuple[str, ...]:
    return ("--out", str(place)) if isinstance(place, Path) else place.options
