"""The next steps after a failed run fit its error, its figures and the place of the run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from ops.runs.next_steps import FailedRun, NextStep, Place, is_on_this_machine, next_steps
from ops.runs.run_log import Progress
from ops.runs.storage import Listed
from ops.runs.this_command import this_command
from tests.samples import plan
from trip_kpis.core import errors
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.run.plan import FrozenDefinition
from trip_kpis.core.run.quality import check_rejected_share

OUT = Path("out")
OPS = " ".join(this_command())
RERUN = f"{OPS} rerun run-1 --out out"
RIDES = FrozenDefinition.of(
    DefinitionFile(
        name="rides",
        text="""
[item]
day = "trip.at"
complete = ["status"]
[kpis]
revenue = { sum = "trip.price" }
tips = { sum = "tip", missing = 0 }
""",
    )
)
"""A definition that uses no parameter of the stack."""


class NoObjects:
    """A bucket without any."""

    def objects(self, prefix: str) -> Iterator[Listed]:
        yield from ()

    def read(self, key: str) -> bytes | None:
        return None


@dataclass
class OfStack:
    """A deployed stack, or one in `ops serve`."""

    is_embedded: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ("--stack", "trips")

    def bucket(self) -> NoObjects:
        return NoObjects()


STACK, SERVE = OfStack(), OfStack(is_embedded=True)


def after(
    error: str,
    place: Place = OUT,
    *,
    counts: Counts | None = None,
    times: tuple[str, ...] = (),
    is_planned: bool = True,
    **planned: object,
) -> list[NextStep]:
    frozen = plan(**planned) if is_planned else None
    progress = Progress(plan=frozen, counts=counts or Counts())
    failed = FailedRun(run_id="run-1", errors={error}, progress=progress, unreadable_times=times)
    return next_steps(failed, place)


def commands(steps: list[NextStep]) -> list[str]:
    return [command for step in steps for command in step.commands]


def rejecting(rejected: int, counted: int, reason: Reason = Reason.FARE_NOT_A_NUMBER) -> Counts:
    return Counts(scanned=rejected + counted, counted=counted, rejected={reason: rejected})


@pytest.mark.parametrize("error", ["AccessDeniedError", "TransientError", "Sandbox.Timedout"])
def test_what_can_be_fixed_is_resumed(error: str) -> None:
    (step,) = after(error)
    assert "resume this run" in step.says
    assert step.commands == (RERUN,)


def test_refused_invocations_are_resumed_by_fewer_workers() -> None:
    (step,) = after("Lambda.TooManyRequestsException")
    assert "Lambda had no free execution for hours" in step.says
    assert step.commands == (f"{RERUN} --max-concurrency N",)


@pytest.mark.parametrize(
    "error",
    [
        "BrokenChainError",
        "CorruptPartError",
        "ForeignPartError",
        "CorruptExportError",
        "DynamoDb.ExportNotFoundException",
        "ExportFailedError",
        "TooManyPartsError",
    ],
)
def test_what_is_lost_is_not(error: str) -> None:
    assert error.startswith("DynamoDb.") or hasattr(errors, error)
    (step,) = after(error)
    assert f"After {error}, resuming this run fails again: start a new one" in step.says
    assert step.commands == ()
    assert commands(after(error, STACK)) == [f"{OPS} run --stack trips"]


@pytest.mark.parametrize(
    ("error", "place", "words"),
    [
        ("ExportNotFoundError", OUT, "Put the files of the export back as they were"),
        ("ExportNotFoundError", OUT, "`cp -p`"),
        ("ExportNotFoundError", STACK, "If the objects of the export still exist"),
        ("PlanMismatchError", OUT, "Set what the error names as it was when the run began"),
        ("PlanMismatchError", STACK, "Set what the error names as it was when the run began"),
    ],
)
def test_what_can_be_put_back_is_resumed_then(error: str, place: Place, words: str) -> None:
    first, otherwise = after(error, place)
    assert words in first.says
    assert first.commands == (RERUN if place == OUT else f"{OPS} rerun run-1 --stack trips",)
    assert otherwise.says.startswith("If that is not possible, start a new run")
    assert otherwise.commands == (() if place == OUT else (f"{OPS} run --stack trips",))


def test_what_is_lost_decides_although_something_else_can_be_put_back() -> None:
    progress = Progress(plan=plan(), counts=Counts())
    errors = {"CorruptExportError", "ExportNotFoundError"}
    (step,) = next_steps(FailedRun(run_id="run-1", errors=errors, progress=progress), OUT)
    assert step.says.startswith("After CorruptExportError, resuming this run fails again")


def test_a_wrong_setting_may_be_a_definition_that_is_not_there() -> None:
    (step,) = after("SettingError")
    assert "If the error names a file, put it back as it was" in step.says
    assert "--parameter NAME=VALUE" in step.says
    assert step.commands == (RERUN,)


def test_a_run_without_a_plan_is_started_again() -> None:
    (step,) = after("SettingError", is_planned=False)
    assert "no plan yet" in step.says
    assert step.commands == ()


@pytest.mark.parametrize("place", [OUT, SERVE], ids=["laptop", "serve"])
@pytest.mark.parametrize(
    ("error", "counts"),
    [
        ("TooManyRejectedError", rejecting(3, 9)),
        ("TooManyRejectedError", rejecting(3, 9, Reason.TIME_UNREADABLE)),
        ("NothingCountedError", Counts()),
        ("NothingCountedError", Counts(scanned=3, incomplete=3)),
        ("SettingError", Counts()),
        ("MissingSegmentError", Counts()),
    ],
)
def test_on_this_machine_nothing_is_deployed_or_redriven(
    place: Place, error: str, counts: Counts
) -> None:
    for step in after(error, place, counts=counts, times=("25.05.2024",)):
        said = " ".join((step.says, *step.commands))
        assert "sam deploy" not in said
        assert "redrive" not in said.lower()


# Too many trips are rejected


@pytest.mark.parametrize(
    ("rejected", "counted", "share"),
    [(1, 3, "0.25"), (4, 9, "0.31"), (1, 99_999, "0.00001"), (123, 9_877, "0.013"), (9, 1, "0.9"),
     (999, 1, "1")],
)  # fmt: skip
def test_the_proposed_share_lets_this_run_pass(rejected: int, counted: int, share: str) -> None:
    counts = rejecting(rejected, counted)
    check_rejected_share(counts, tolerated=Decimal(share))
    last = commands(after("TooManyRejectedError", counts=counts))[-1]
    assert last == f"{RERUN} --parameter MaxRejectedShare={share}"


def test_no_share_lets_a_run_pass_that_counts_nothing() -> None:
    steps = after("TooManyRejectedError", counts=rejecting(5, 0))
    assert "MaxRejectedShare" not in str(steps)


@pytest.mark.parametrize(
    ("deployed", "expected"),
    [
        ("0.01", ["sam deploy --parameter-overrides MaxRejectedShare=0.25",
                  f"{OPS} rerun run-1 --stack trips"]),
        ("0.3", [f"{OPS} rerun run-1 --stack trips"]),
    ],
)  # fmt: skip
def test_a_share_that_the_stack_has_already_is_not_proposed(
    deployed: str, expected: list[str]
) -> None:
    place = OfStack(parameters={"MaxRejectedShare": deployed})
    steps = after("TooManyRejectedError", place, counts=rejecting(1, 3))
    assert commands(steps)[1:] == expected


def test_serve_is_started_again_for_another_share() -> None:
    steps = after("TooManyRejectedError", SERVE, counts=rejecting(1, 3))
    assert "stop `ops serve`" in steps[-1].says
    assert commands(steps) == [
        f"{OPS} quarantine run-1 --stack trips",
        "--parameter MaxRejectedShare=0.25",
        f"{OPS} run --stack trips",
    ]


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.TIME_UNREADABLE])
def test_the_most_frequent_reason_decides_what_else_is_said(reason: Reason) -> None:
    counts = Counts(scanned=9, counted=4, rejected={reason: 3, Reason.TIME_UNREADABLE: 2})
    steps = after("TooManyRejectedError", counts=counts, times=("25.05.2024",))
    assert len(steps) == 3
    assert "TimeFormats" not in str(steps)


# Times that cannot be read


def about_times(place: Place, *times: str, formats: tuple[str, ...] = ()) -> NextStep:
    counts = rejecting(3, 0, Reason.TIME_UNREADABLE)
    steps = after("TooManyRejectedError", place, counts=counts, times=times, time_formats=formats)
    return steps[1]


def test_the_format_of_unreadable_times_is_named() -> None:
    step = about_times(OUT, "25.05.2024 13:19")
    assert "'25.05.2024 13:19'" in step.says
    assert step.commands == ("--parameter 'TimeFormats=%d.%m.%Y %H:%M'",)


def test_the_formats_that_the_run_has_are_kept() -> None:
    step = about_times(OUT, "25.05.2024 13:19", formats=("%Y%m%d",))
    assert step.commands == ("--parameter 'TimeFormats=%Y%m%d|%d.%m.%Y %H:%M'",)


def test_times_that_do_not_show_day_and_month_name_both_formats() -> None:
    step = about_times(OUT, "05/06/2024")
    assert "do not show which number is the day" in step.says
    assert step.commands == (
        "--parameter TimeFormats=%d/%m/%Y",
        "--parameter TimeFormats=%m/%d/%Y",
    )


def test_times_in_no_known_form_are_shown() -> None:
    step = about_times(OUT, "some day")
    assert "'some day' are in no form that is read" in step.says


def test_the_time_that_is_shown_is_read_by_the_format_that_is_named() -> None:
    """Also where the first time of all has another form, which no format reads, or a rarer one."""
    step = about_times(OUT, "soon", "25/05/2024", "25.05.2024", "26.05.2024")
    assert step.commands == ("--parameter TimeFormats=%d.%m.%Y",)
    assert step.says.startswith(
        "Times such as '25.05.2024' (others, such as 'soon', have another form) are not read."
    )


def test_a_stack_is_deployed_with_the_format_once() -> None:
    new_run = f"{OPS} run --stack trips"
    assert about_times(STACK, "25.05.2024 13:19").commands == (
        """sam deploy --parameter-overrides 'TimeFormats="%d.%m.%Y %H:%M"'""",
        new_run,
    )
    deployed = OfStack(parameters={"TimeFormats": "%d.%m.%Y %H:%M"})
    assert about_times(deployed, "25.05.2024 13:19").commands == (new_run,)
    step = about_times(SERVE, "25.05.2024 13:19")
    assert step.commands == ("--parameter 'TimeFormats=%d.%m.%Y %H:%M'", new_run)


# Nothing counts


def test_an_empty_table_is_confirmed_or_the_days_are_kept() -> None:
    assert commands(after("NothingCountedError")) == [
        f"{RERUN} --confirm-empty-table",
        f"{RERUN} --parameter VanishedDays=keep",
    ]
    rerun = f"{OPS} rerun run-1 --stack trips"
    assert commands(after("NothingCountedError", STACK)) == [
        f"{rerun} --confirm-empty-table",
        "sam deploy --parameter-overrides VanishedDays=keep",
        rerun,
    ]
    kept = OfStack(parameters={"VanishedDays": "keep"})
    assert commands(after("NothingCountedError", kept))[1:] == [rerun]


def test_trips_of_days_to_come_name_the_day_attribute() -> None:
    steps = after("NothingCountedError", counts=Counts(scanned=3, counted=3))
    assert "If pickup_datetime, which DayAttribute names, is not the time" in steps[0].says
    assert f"{RERUN} --confirm-empty-table" in commands(steps)


def test_attributes_that_no_item_has_are_named() -> None:
    (step,) = after("NothingCountedError", counts=Counts(scanned=3, incomplete=3))
    assert step.says == (
        "3 of 3 items have no value at fare_amount or estimated_fare_amount. If the names are "
        "wrong, correct FareAttribute and EstimatedFareAttribute, then start a new run."
    )
    assert "confirm-empty-table" not in str(step)


# Another KPI definition than the default one


def test_attributes_of_another_definition_are_named_with_its_file() -> None:
    counts = Counts(scanned=3, incomplete=3)
    (step,) = after("NothingCountedError", counts=counts, kpi_definition=RIDES)
    assert step.says == (
        "3 of 3 items have no value at status or trip.price. If the names are wrong, correct "
        "rides.toml, then start a new run."
    )


def test_trips_of_days_to_come_name_the_day_of_another_definition() -> None:
    counts = Counts(scanned=3, counted=3)
    first, *_ = after("NothingCountedError", counts=counts, kpi_definition=RIDES)
    assert "If trip.at, which rides.toml names, is not the time" in first.says


@pytest.mark.parametrize(
    "reason", [one for one in Reason if one.name.startswith(("NUMBER_", "GROUP_", "TIME_"))]
)
def test_parameters_that_another_definition_does_not_use_are_not_named(reason: Reason) -> None:
    counts = rejecting(3, 9, reason)
    steps = after("TooManyRejectedError", counts=counts, kpi_definition=RIDES)
    assert "Attribute" not in str(steps)
    if reason in (Reason.TIME_MISSING, Reason.TIME_WRONG_TYPE):
        assert "trip.at" in steps[1].says
        assert "rides.toml" in steps[1].says


def test_fares_are_named_by_the_parameters_that_the_definition_uses() -> None:
    text = RIDES.text.replace('"trip.price"', '"${FareAttribute}"')
    definition = FrozenDefinition.of(DefinitionFile(name="rides", text=text))
    counts = rejecting(3, 9, Reason.FARE_WRONG_TYPE)
    steps = after("TooManyRejectedError", counts=counts, kpi_definition=definition)
    assert "fare_amount (named by FareAttribute) must be" in steps[1].says
    assert "Estimated" not in steps[1].says


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://localhost:5000", True),
        ("http://[::1]:5000", True),
        ("http://172.17.0.1:4566", True),
        ("https://dynamodb.eu-central-1.amazonaws.com", False),
        ("https://8.8.8.8", False),
        (None, False),
    ],
)
def test_an_endpoint_of_serve_is_recognized(url: str | None, expected: bool) -> None:
    assert is_on_this_machine(url) is expected
