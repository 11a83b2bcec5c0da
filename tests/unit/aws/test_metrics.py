"""Metrics as lines of the log, by the names and with the dimensions that the stack looks at."""

import json
from typing import Any

import pytest

from tests.samples import counts
from trip_kpis.aws.metrics import emit
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.run.run_metrics import Measure, of_invocation, of_proof


def _one(value: Any) -> Any:
    """EMF has a list of a metric's values."""
    return value[0] if isinstance(value, list) else value


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.delenv("POWERTOOLS_SERVICE_NAME", raising=False)

    def lines(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        emit(*args, stack_name="trips-eu", **kwargs)
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [{name: _one(value) for name, value in line.items()} for line in found]

    return lines


def test_an_invocation_is_measured_with_the_stacks_name_as_its_one_dimension(written: Any) -> None:
    appended = counts(counted=5, incomplete=2) + Counts(throttles={"a": 2, "b": 1})
    (line,) = written(of_invocation(appended, seconds=1.5))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("TripKpis", [["StackName"]])
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units.pop("ScanSeconds") == "Seconds"
    assert set(units.values()) == {"Count"}
    del line["_aws"]
    assert line == {
        "StackName": "trips-eu",
        "PagesScanned": 1,
        "ItemsScanned": 7,
        "TripsCounted": 5,
        "TripsIncomplete": 2,
        "TripsRejected": 0,
        "ReadUnits": 0.5,
        "Throttles": 3,
        "ScanSeconds": 1.5,
    }


def test_rejected_trips_are_reported_by_reason_too(written: Any) -> None:
    appended = counts(counted=5, time_missing=2, fare_too_large=1)
    whole, *by_reason = written(of_invocation(appended, seconds=1), rejected=appended.rejected)
    assert whole["TripsRejected"] == 3
    assert {line["Reason"]: line["TripsRejected"] for line in by_reason} == {
        "fare_too_large": 1,
        "time_missing": 2,
    }
    for line in by_reason:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert [sorted(names) for names in directive["Dimensions"]] == [["Reason", "StackName"]]


@pytest.mark.parametrize(
    ("of", "share"), [(counts(counted=3, time_missing=1), 0.25), (Counts(), 0.0), (counts(), 0.0)]
)
def test_the_share_of_rejected_trips_is_of_the_completed_ones(of: Counts, share: float) -> None:
    assert of_proof(of) == {Measure.REJECTED_SHARE: share}
