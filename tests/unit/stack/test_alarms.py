"""Every alarm goes off at what it is about, and at nothing else."""

import json
import re
from typing import Any

import pytest

from tests.samples import counts
from tests.unit.stack.a_run import a_run
from tests.unit.stack.alarm import metrics, period_and_periods, state
from tests.unit.stack.resolved import ROOT, stack
from trip_kpis.aws.metrics import emit
from trip_kpis.core.run.manifest import Outcome, measured
from trip_kpis.core.run.run_metrics import Measure, of_proof

ALARMS = stack().of_type("AWS::CloudWatch::Alarm")
MACHINE = {"StateMachineArn": "TripKpisStateMachine"}
OURS = {"StackName": "trip-kpis"}

HOUR = 3_600_000
"""in milliseconds, the unit of AWS/States ExecutionTime"""
NOTHING: list[float] = []

# What the alarm looks at; the periods, each with the metric's values, that set it off; and those
# that do not.
CASES: dict[str, tuple[tuple[str, str, dict[str, str]], list[Any], list[Any]]] = {
    "RunFailedAlarm": (
        ("AWS/States", "ExecutionsFailed", MACHINE),
        [[[1.0]], [[0.0, 1.0]], [[1.0, 1.0]]],
        [[[0.0]], [NOTHING], [[1.0], [0.0]]],
    ),
    "RunTimedOutAlarm": (
        ("AWS/States", "ExecutionsTimedOut", MACHINE),
        [[[1.0]]],
        [[[0.0]], [NOTHING]],
    ),
    "RunThrottledAlarm": (
        ("AWS/States", "ExecutionThrottled", MACHINE),
        [
            [{"run": [1.0]}, {"run": [3.0]}, {"run": [2.0]}],
            [{"segments": [1.0]}, {"segments": [3.0]}, {"segments": [2.0]}],
            [{"run": [0.0], "segments": [1.0]}, {"run": [1.0]}, {"segments": [1.0, 2.0]}],
        ],
        [
            [{"segments": [9.0]}, {"segments": [0.0]}, {"segments": [9.0]}],
            [{"run": [9.0]}, {"segments": [9.0]}, {}],
            [{}] * 3,
        ],
    ),
    "TooManyRejectedAlarm": (
        ("TripKpis", "RejectedShare", OURS),
        [[[0.010001]], [[0.0, 0.5]]],
        # Exactly what is tolerated passes the gate, too.
        [[[0.01]], [[0.0]], [NOTHING]],
    ),
    "RunTooLongAlarm": (
        ("AWS/States", "ExecutionTime", MACHINE),
        [[[13.1 * HOUR]], [[0.1 * HOUR, 20.0 * HOUR]]],
        [[[13.0 * HOUR]], [[0.1 * HOUR]], [NOTHING]],
    ),
    "NoSuccessfulRunAlarm": (
        ("TripKpis", "DaysPublished", OURS),
        [[NOTHING] * 26, [[31.0], *[NOTHING] * 26]],
        # A run that found every day unchanged is one that succeeded.
        [[[0.0], *[NOTHING] * 25], [*[NOTHING] * 25, [31.0]]],
    ),
}


def test_every_alarm_is_played_here() -> None:
    assert set(CASES) == set(ALARMS)


@pytest.mark.parametrize("name", CASES)
def test_it_looks_at_what_it_is_about(name: str) -> None:
    namespace, metric, dimensions = CASES[name][0]
    looks_at = [CASES[name][0]]
    if name == "RunThrottledAlarm":  # the segments' executions are the Map Run's
        segments = {"StateMachineArn": f"{dimensions['StateMachineArn']}/ScanSegments"}
        looks_at.append((namespace, metric, segments))
    assert list(metrics(ALARMS[name])) == looks_at


def test_without_a_heartbeat_there_is_no_alarm_about_time() -> None:
    """For schedules of a week or rarer, which no alarm can look back over."""
    of = stack(MaxHoursWithoutSuccess="0")
    gone = {"NoSuccessfulRunAlarm", "RunTooLongAlarm"}
    assert set(ALARMS) - set(of.of_type("AWS::CloudWatch::Alarm")) == gone
    (dashboard,) = of.of_type("AWS::CloudWatch::Dashboard").values()
    names = re.findall(r":alarm:trip-kpis-([\w-]+)", dashboard["DashboardBody"])
    assert sorted(names) == ["run-failed", "run-throttled", "run-timed-out", "too-many-rejected"]


@pytest.mark.parametrize(
    ("name", "periods"), [(name, one) for name, case in CASES.items() for one in case[1]]
)
def test_it_goes_off(name: str, periods: list[list[float]]) -> None:
    assert state(ALARMS[name], periods) == "ALARM"


@pytest.mark.parametrize(
    ("name", "periods"), [(name, one) for name, case in CASES.items() for one in case[2]]
)
def test_it_stays_quiet(name: str, periods: list[list[float]]) -> None:
    assert state(ALARMS[name], periods) == "OK"


def written(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], tuple[Any, float]]:
    """What the log's lines tell CloudWatch: by namespace and name, dimensions and value.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    found = {}
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            (named,) = directive["Dimensions"]
            dimensions = {name: line[name] for name in named}
            for metric in directive["Metrics"]:
                (value,) = line[metric["Name"]]
                found[directive["Namespace"], metric["Name"]] = (dimensions, value)
    return found


@pytest.mark.parametrize(
    ("name", "measured", "expected"),
    [
        ("TooManyRejectedAlarm", of_proof(counts(counted=98, time_missing=2)), "ALARM"),
        ("TooManyRejectedAlarm", of_proof(counts(counted=99, time_missing=1)), "OK"),
        ("TooManyRejectedAlarm", of_proof(counts(counted=0)), "OK"),
        ("NoSuccessfulRunAlarm", measured(a_run()), "OK"),
        ("NoSuccessfulRunAlarm", measured(a_run(Outcome.UNCHANGED)), "OK"),
        # A run that goes no further than this has not published.
        ("NoSuccessfulRunAlarm", of_proof(counts()), "ALARM"),
    ],
)
def test_it_sees_what_the_program_itself_writes(
    name: str,
    measured: dict[Measure, float],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("POWERTOOLS_SERVICE_NAME", raising=False)
    emit(measured, stack_name="trip-kpis")
    ((namespace, metric, dimensions),) = metrics(ALARMS[name])
    dimensions_written, value = written(capsys).get((namespace, metric), (dimensions, None))
    assert dimensions_written == dimensions
    latest = [] if value is None else [value]
    _, periods = period_and_periods(ALARMS[name])
    assert state(ALARMS[name], [*[NOTHING] * (periods - 1), latest]) == expected


def test_thresholds_follow_the_parameters() -> None:
    of = stack(MaxRejectedShare="0.2", MaxHoursWithoutSuccess="3")
    rejected, long, none = (
        of[f"{name}Alarm"] for name in ("TooManyRejected", "RunTooLong", "NoSuccessfulRun")
    )
    assert [state(rejected, [[share]]) for share in (0.2, 0.21)] == ["OK", "ALARM"]
    assert [state(long, [[hours * HOUR]]) for hours in (1.5, 1.6)] == ["OK", "ALARM"]
    assert [state(none, [[1.0], *[NOTHING] * n]) for n in (2, 3)] == ["OK", "ALARM"]


def test_no_successful_run_says_so_only_while_runs_are_scheduled_and_says_when_it_is_over() -> None:
    assert ALARMS["NoSuccessfulRunAlarm"]["ActionsEnabled"] is True
    assert stack(ScheduleState="DISABLED")["NoSuccessfulRunAlarm"]["ActionsEnabled"] is False
    assert ALARMS["NoSuccessfulRunAlarm"]["OKActions"] == ["NotificationTopic"]


@pytest.mark.parametrize("hours", ["1", "168"])
def test_none_looks_back_further_than_cloudwatch_lets_it(hours: str) -> None:
    """A day; with periods of an hour or more, seven days.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    of = stack(MaxHoursWithoutSuccess=hours)
    for alarm in of.of_type("AWS::CloudWatch::Alarm").values():
        period, periods = period_and_periods(alarm)
        assert period * periods <= (7 * 86_400 if period >= 3600 else 86_400)


@pytest.mark.parametrize("name", ALARMS)
def test_somebody_learns_which_stack_it_is_and_what_to_do(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == ["NotificationTopic"]
    assert alarm["AlarmName"].startswith("trip-kpis-")
    assert "docs/operations.md" in alarm["AlarmDescription"]
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert len(alarm["AlarmDescription"]) <= 1024


@pytest.mark.parametrize("name", ALARMS)
def test_it_is_on_the_dashboard(name: str) -> None:
    arn = f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{ALARMS[name]['AlarmName']}"
    body = json.loads(stack()["RunsDashboard"]["DashboardBody"])
    (widget,) = (one for one in body["widgets"] if one["type"] == "alarm")
    assert arn in widget["properties"]["alarms"]
    assert len(widget["properties"]["alarms"]) == len(ALARMS)


def test_the_runbook_has_an_entry_for_every_alarm_and_for_no_other() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = runbook.split("\n## Alarms\n", 1)[1].split("\n## ", 1)[0]
    entries = re.findall(r"^\| \*\*([a-z-]+)\*\* \|", section, flags=re.MULTILINE)
    assert [f"trip-kpis-{entry}" for entry in entries] == [
        alarm["AlarmName"] for alarm in ALARMS.values()
    ]
