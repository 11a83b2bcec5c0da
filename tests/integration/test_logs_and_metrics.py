"""What the handlers write to their logs: JSON with the run and the segment, and metrics."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.integration.pipeline import Pipeline
from tests.samples import trip
from trip_kpis.aws.logs import logger
from trip_kpis.core.errors import TooManyRejectedError, TransientError

Reported = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Reported:
    """Gives the lines that were written since the test began, to be asked once."""
    written = io.StringIO()
    # The logger has the standard output of when it was made.
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            monkeypatch.setattr(handler, "stream", written)

    def lines() -> list[dict[str, Any]]:
        text = written.getvalue() + capsys.readouterr().out
        return [json.loads(line) for line in text.splitlines()]

    return lines


def measured(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The metrics of all lines, but for those by reason."""
    found: dict[str, Any] = {}
    for line in lines:
        if "_aws" in line and "Reason" not in line:
            names = [one["Name"] for one in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
            found |= {name: line[name][0] for name in names}
    return found


def test_every_line_has_the_run_and_a_workers_lines_the_segment(
    pipeline: Pipeline, reported: Reported
) -> None:
    pipeline.make_table([trip("a")])
    pipeline.run("nightly", total_segments=2)
    lines = [line for line in reported() if "_aws" not in line]
    assert {line["run_id"] for line in lines} == {"nightly"}
    assert {line["segment"] for line in lines if line["message"] == "scanned"} == {0, 1}
    assert {line["message"] for line in lines} == {"planned", "scanned", "published"}
    assert all("segment" not in line for line in lines if line["message"] != "scanned")


def test_an_error_is_logged_with_the_run_and_the_segment(
    pipeline: Pipeline, reported: Reported
) -> None:
    pipeline.make_table([trip("a")])
    pipeline.plan(total_segments=1)
    with pytest.raises(Exception, match="segment is 7"):
        pipeline.scan(7)
    (line,) = [line for line in reported() if line["message"] != "planned"]
    assert (line["level"], line["message"]) == ("ERROR", "failed")
    assert (line["run_id"], line["segment"]) == ("run-1", 7)
    assert "segment is 7" in line["cause"]
    assert line["error"].endswith("Error")


def test_a_run_is_measured(pipeline: Pipeline, reported: Reported) -> None:
    pipeline.make_table([trip("a"), trip("b"), trip("c", fare_amount={"NULL": True})])
    pipeline.run(total_segments=1)
    found = measured(reported())
    assert found.pop("CostUsd") > 0
    assert found.pop("ScanSeconds") >= 0
    assert found.pop("ReadUnits") > 0
    assert found == {
        "PagesScanned": 1,
        "ItemsScanned": 3,
        "TripsCounted": 2,
        "TripsIncomplete": 1,
        "TripsRejected": 0,
        "Throttles": 0,
        "RejectedShare": 0,
        "InvocationsPerSegment": 1,
        "SegmentSkew": 1,
        "DaysPublished": 1,
    }


def test_the_share_of_rejected_trips_is_reported_even_where_it_stops_the_run(
    pipeline: Pipeline, reported: Reported
) -> None:
    pipeline.make_table([trip("a"), trip("b", fare_amount={"S": "free"})])
    with pytest.raises(TooManyRejectedError):
        pipeline.run(total_segments=1)
    lines = reported()
    assert measured(lines)["RejectedShare"] == 0.5
    assert "DaysPublished" not in measured(lines)
    (by_reason,) = [line for line in lines if "Reason" in line]
    assert (by_reason["Reason"], by_reason["TripsRejected"]) == ("fare_not_a_number", [1])


def test_an_invocation_that_fails_tells_what_it_has_appended(
    pipeline: Pipeline, reported: Reported
) -> None:
    pipeline.make_table(trip(f"t-{n}", padding={"S": "x" * 200_000}) for n in range(12))
    pipeline.plan(total_segments=1)
    reported()
    pages_asked_for = iter(range(100))

    def second_page_breaks() -> None:
        if next(pages_asked_for) == 1:
            raise ReadTimeoutError(endpoint_url="dynamodb")

    pipeline.after_scan.append(second_page_breaks)
    with pytest.raises(TransientError):
        pipeline.scan()
    assert measured(reported())["PagesScanned"] == 1
