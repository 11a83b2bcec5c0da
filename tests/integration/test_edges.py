"""Tables at the edge: nothing in them, next to nothing, or something at an odd moment."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.pipeline import Pipeline
from tests.samples import trip
from trip_kpis.core.errors import PlanMismatchError


@pytest.mark.parametrize("total_segments", [1, 5])
def test_an_empty_table_is_a_whole_run_without_days(
    pipeline: Pipeline, total_segments: int
) -> None:
    pipeline.make_table()
    summary = pipeline.run(total_segments=total_segments)
    assert (summary["trips"], summary["scanned"], summary["total_fare"]) == (0, 0, "0")
    assert summary["days_published"] == 0
    assert pipeline.objects("kpis/") == {}
    assert list(pipeline.objects("runs/")) == ["runs/run=run-1/manifest.json"]


@pytest.mark.parametrize("total_segments", [1, 17])
def test_one_trip_is_one_day(pipeline: Pipeline, total_segments: int) -> None:
    pipeline.make_table([trip(fare_amount={"S": "10.036694629486497"})])
    summary = pipeline.run(total_segments=total_segments)
    assert (summary["trips"], summary["segments"]) == (1, total_segments)
    assert pipeline.objects("kpis/") == {
        "kpis/date=2024-05-25/kpi.json": b'{"date":"2024-05-25","trip_count":1,'
        b'"total_fare":10.036694629486497,"average_fare":10.036695,'
        b'"max_fare":10.036694629486497,"min_fare":10.036694629486497}\n'
    }


def test_segments_without_trips_are_proved_like_the_others(pipeline: Pipeline) -> None:
    pipeline.make_table([trip("a"), trip("b")])
    pipeline.run(total_segments=17)
    manifest = json.loads(pipeline.objects("runs/")["runs/run=run-1/manifest.json"])
    counted = [segment["counted"] for segment in manifest["by_segment"]]
    assert (len(counted), sum(counted)) == (17, 2)
    assert all(segment["parts"] == 1 for segment in manifest["by_segment"])


def test_an_empty_table_has_no_days(pipeline: Pipeline) -> None:
    pipeline.make_table()
    summary = pipeline.run(total_segments=2)
    assert (summary["scanned"], summary["incomplete"], summary["trips"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("America/Sao_Paulo", {"S": "2018-11-04 00:00:00"}, "2018-11-04"),  # there was no 00:00
        ("America/Sao_Paulo", {"S": "2018-11-04T03:00:00Z"}, "2018-11-04"),
        ("America/Sao_Paulo", {"N": "1541300399999"}, "2018-11-03"),
        ("Asia/Beirut", {"S": "2022-03-27 00:00:00"}, "2022-03-27"),
        ("Asia/Beirut", {"S": "2022-03-26T22:00:00Z"}, "2022-03-27"),
        ("Europe/Berlin", {"S": "2024-10-27T23:00:00Z"}, "2024-10-28"),
        ("Europe/Berlin", {"N": "1730069999"}, "2024-10-27"),
    ],
)
def test_a_trip_at_midnight_where_the_clocks_have_just_changed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, zone: str, moment: dict[str, str], day: str
) -> None:
    monkeypatch.setenv("TIME_ZONE", zone)
    pipeline.make_table([trip(pickup_datetime=moment)])
    pipeline.run(total_segments=1)
    assert list(pipeline.objects("kpis/")) == [f"kpis/date={day}/kpi.json"]


def test_a_day_is_published_from_the_earliest_day_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARLIEST_DAY", "1900-01-01")
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    pipeline.make_table(
        [
            trip("a", pickup_datetime={"S": "1899-12-31 23:59:59"}),
            trip("b", pickup_datetime={"S": "1900-01-01"}),
            trip("c", pickup_datetime={"N": "20240525"}),
        ]
    )
    summary = pipeline.run(total_segments=2)
    assert list(pipeline.objects("kpis/")) == [
        "kpis/date=1900-01-01/kpi.json",
        "kpis/date=1970-08-23/kpi.json",
    ]
    assert summary["rejected"] == {"time_out_of_range": 1}


def test_a_run_is_not_continued_with_another_earliest_day(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.make_table([trip("a")])
    pipeline.plan()
    monkeypatch.setenv("EARLIEST_DAY", "1990-01-01")
    with pytest.raises(PlanMismatchError, match=r"earliest_day was '2000-01-01'.*'1990-01-01'"):
        pipeline.plan("another", run_id="run-1")


def test_times_whose_format_names_utc_have_their_days_in_the_reporting_time_zone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIME_ZONE", "Europe/Berlin")
    monkeypatch.setenv("TIME_FORMATS", "%Y-%m-%d %H:%M:%S UTC")
    first = datetime(2024, 5, 25, 20, 0, tzinfo=UTC)
    pipeline.make_table(
        trip(
            f"t-{n}",
            fare_amount={"N": str(10 + n)},
            pickup_datetime={"S": f"{first + timedelta(minutes=40 * n):%Y-%m-%d %H:%M:%S} UTC"},
        )
        for n in range(10)
    )
    pipeline.run(total_segments=2)
    published = {key: json.loads(body) for key, body in pipeline.objects("kpis/").items()}
    assert {key: (day["trip_count"], day["total_fare"]) for key, day in published.items()} == {
        "kpis/date=2024-05-25/kpi.json": (3, 33),
        "kpis/date=2024-05-26/kpi.json": (7, 112),
    }


def test_strings_of_digits_are_epochs_where_the_formats_say_so(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIME_FORMATS", "epoch_milliseconds")
    pipeline.make_table([trip("a", pickup_datetime={"S": "1716643140000"})])
    pipeline.run(total_segments=1)
    assert list(pipeline.objects("kpis/")) == ["kpis/date=2024-05-25/kpi.json"]


def test_attributes_whose_names_have_dots_and_blanks_are_scanned_and_read(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARE_ATTRIBUTE", r"fare\.amount")
    monkeypatch.setenv("ESTIMATED_FARE_ATTRIBUTE", r"\ estimate")
    monkeypatch.setenv("DAY_ATTRIBUTE", r"trip\.start.picked\.up")
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    start = {"M": {"picked.up": {"S": "2024-05-25 13:19:00"}}}
    pipeline.make_table(
        {
            "trip_id": {"S": f"t-{n}"},
            "fare.amount": fare,
            " estimate": {"N": "5"},
            "trip.start": start,
            "fare": {"M": {"amount": {"N": "1000"}}},
        }
        for n, fare in enumerate([{"N": "7"}, {"S": "8.5"}, {"S": "free"}])
    )
    pipeline.run(total_segments=1)
    (day,) = pipeline.objects("kpis/").values()
    assert json.loads(day)["total_fare"] == 15.5
    (rejected,) = pipeline.objects("quarantine/").values()
    assert json.loads(rejected)["attribute"] == r"fare\.amount"


def test_a_merge_that_is_repeated_leaves_everything_as_it_was(pipeline: Pipeline) -> None:
    pipeline.make_table([trip("a"), trip("b")])
    first = pipeline.run(total_segments=2)
    published = pipeline.objects("kpis/")
    again = pipeline.merge()
    assert pipeline.objects("kpis/") == published
    assert {**again, "seconds": 0} == {**first, "seconds": 0}


def test_the_next_run_reports_what_changed_and_what_did_not(pipeline: Pipeline) -> None:
    pipeline.make_table(
        [
            trip("a", pickup_datetime={"S": "2024-05-25"}),
            trip("b", pickup_datetime={"S": "2024-05-26"}),
            trip("c", pickup_datetime={"S": "2024-05-27"}),
        ]
    )
    pipeline.run("first")
    pipeline.dynamodb.delete_item(TableName="trips", Key={"trip_id": {"S": "a"}})
    pipeline.put([trip("d", pickup_datetime={"S": "2024-05-26"})])
    summary = pipeline.run("second")
    assert (summary["days_published"], summary["days_unchanged"]) == (1, 1)
    assert summary["days_vanished"] == 1
    manifest = json.loads(pipeline.objects("runs/")["runs/run=second/manifest.json"])
    assert [(day["date"], day["outcome"]) for day in manifest["days"]] == [
        ("2024-05-25", "vanished"),
        ("2024-05-26", "published"),
        ("2024-05-27", "unchanged"),
    ]


def test_vanished_days_are_removed_where_the_stack_says_so(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.make_table([trip("a"), trip("b", pickup_datetime={"S": "2024-05-26"})])
    pipeline.run("first")
    pipeline.dynamodb.delete_item(TableName="trips", Key={"trip_id": {"S": "a"}})
    monkeypatch.setenv("VANISHED_DAYS", "remove")
    assert pipeline.run("second")["days_removed"] == 1
    assert list(pipeline.objects("kpis/")) == ["kpis/date=2024-05-26/kpi.json"]
