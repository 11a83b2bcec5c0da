"""Whole runs over tables that shrink, that are not over, that are another one, or count nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import merge_partials
from ops.embedded.storage_patches import tables_have_an_id
from tests.faults.waiting import Clock
from tests.integration.pipeline import BUCKET_NAME, Pipeline
from tests.samples import trip
from trip_kpis.aws import planning
from trip_kpis.core.errors import NothingCountedError, PlanMismatchError, TableNotFoundError

DAY = "kpis/date=2024-05-25/kpi.json"


def on(day: str, trip_id: str = "t-1", **attributes: Any) -> dict[str, Any]:
    return trip(trip_id, pickup_datetime={"S": f"{day} 13:19:00"}, **attributes)


def trips(number: int, day: str = "2024-05-25") -> list[dict[str, Any]]:
    return [on(day, f"t-{n}") for n in range(number)]


def delete(pipeline: Pipeline, *numbers: int) -> None:
    """As TTL does."""
    for number in numbers:
        pipeline.dynamodb.delete_item(TableName="trips", Key={"trip_id": {"S": f"t-{number}"}})


def trip_count(pipeline: Pipeline, key: str = DAY) -> int:
    count: int = json.loads(pipeline.objects("kpis/")[key])["trip_count"]
    return count


def manifest(pipeline: Pipeline, run_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        pipeline.objects("runs/")[f"runs/run={run_id}/manifest.json"]
    )
    return document


# A table that is deleted and created again during a run


@pytest.fixture
def with_table_ids() -> Iterator[None]:
    with tables_have_an_id({"trips": "the-first-id"}):
        yield


@pytest.mark.usefixtures("with_table_ids")
def test_a_run_that_has_read_two_tables_is_not_published(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(40))
    planned = pipeline.plan(total_segments=4)
    for segment in planned["segments"][:2]:
        pipeline.scan(segment)
    pipeline.dynamodb.delete_table(TableName="trips")
    pipeline.make_table(on("2024-05-25", f"u-{n}", fare_amount={"N": "100"}) for n in range(40))
    for segment in planned["segments"][2:]:
        pipeline.scan(segment)
    with pytest.raises(PlanMismatchError, match="deleted and created again"):
        pipeline.merge()
    assert pipeline.objects("kpis/") == pipeline.objects("runs/") == {}


def test_a_run_whose_table_is_gone_is_not_published(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(4))
    pipeline.plan(total_segments=1)
    pipeline.scan()
    pipeline.dynamodb.delete_table(TableName="trips")
    with pytest.raises(TableNotFoundError):
        pipeline.merge()
    assert pipeline.objects("kpis/") == {}


# Days whose trips are deleted


@pytest.mark.parametrize(("shrunk_days", "count"), [("publish", 1), ("keep", 4)])
def test_a_day_that_lost_trips_is_listed_and_kept_where_that_is_asked_for(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, shrunk_days: str, count: int
) -> None:
    monkeypatch.setenv("SHRUNK_DAYS", shrunk_days)
    pipeline.make_table([*trips(4), on("2024-05-26", "other")])
    pipeline.run("first", total_segments=1)
    delete(pipeline, 0, 1, 2)
    summary = pipeline.run("second", total_segments=1)
    assert trip_count(pipeline) == count
    assert summary["days_shrank"] == 1
    assert summary["shrank_days"] == [{"date": "2024-05-25", "published": 4, "now": 1}]
    assert summary["days_shrunk"] == (shrunk_days == "keep")
    day, other = manifest(pipeline, "second")["days"]
    assert (day["published_trip_count"], day["trip_count"]) == (4, 1)
    assert day["outcome"] == ("shrunk" if shrunk_days == "keep" else "published")
    assert (other["published_trip_count"], other["outcome"]) == (None, "unchanged")


def test_a_day_that_was_published_without_its_count_in_metadata_shrinks_as_well(
    pipeline: Pipeline,
) -> None:
    """By the version before, or by another program."""
    pipeline.make_table(trips(4))
    pipeline.run("first", total_segments=1)
    body = pipeline.objects("kpis/")[DAY]
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=DAY, Body=body)
    delete(pipeline, 0)
    assert pipeline.run("second", total_segments=1)["shrank_days"] == [
        {"date": "2024-05-25", "published": 4, "now": 3}
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff", b'{"trip_count": "4"}'])
def test_a_foreign_object_in_a_days_place_is_overwritten(pipeline: Pipeline, body: bytes) -> None:
    pipeline.make_table(trips(4))
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=DAY, Body=body)
    summary = pipeline.run(total_segments=1)
    assert (summary["days_published"], summary["days_shrank"]) == (1, 0)
    assert trip_count(pipeline) == 4


@pytest.mark.parametrize("archived_with", [{"Metadata": {}}, None])
def test_an_archived_day_is_compared_without_its_body(
    pipeline: Pipeline, archived_with: dict[str, Any] | None
) -> None:
    """A lifecycle rule has moved it to Glacier: reading it would be refused."""
    pipeline.make_table(trips(4))
    pipeline.run("first", total_segments=1)
    metadata = pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=DAY)["Metadata"]
    body = pipeline.objects("kpis/")[DAY]
    pipeline.s3.put_object(
        Bucket=BUCKET_NAME,
        Key=DAY,
        Body=body,
        StorageClass="GLACIER",
        **(archived_with or {"Metadata": metadata}),
    )
    with pytest.raises(pipeline.s3.exceptions.InvalidObjectState):
        pipeline.s3.get_object(Bucket=BUCKET_NAME, Key=DAY)
    assert pipeline.run("second", total_segments=1)["days_unchanged"] == 1
    pipeline.put([on("2024-05-25", "one-more")])
    assert pipeline.run("third", total_segments=1)["days_published"] == 1
    assert trip_count(pipeline) == 5


def test_an_archived_day_that_says_no_count_is_kept_with_a_warning_where_shrunk_days_are(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHRUNK_DAYS", "keep")
    pipeline.make_table(trips(4))
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=DAY, Body=b"{}", StorageClass="GLACIER")
    summary = pipeline.run(total_segments=1)
    assert summary["days_shrunk"] == 1
    assert DAY in summary["warnings"][0]


# Days that are not over


@pytest.mark.parametrize("open_days", ["publish", "skip"])
def test_a_day_that_is_not_over_is_marked_or_skipped(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, open_days: str
) -> None:
    monkeypatch.setenv("OPEN_DAYS", open_days)
    clock = Clock(at=datetime(2024, 6, 3, 2, 15, tzinfo=UTC))
    monkeypatch.setattr(planning, "datetime", clock)
    monkeypatch.setattr(merge_partials, "datetime", clock)
    yesterday, today, tomorrow = "2024-06-02", "2024-06-03", "2024-06-04"
    pipeline.make_table([on(yesterday, "t-1"), on(today, "t-2"), on(tomorrow, "t-3")])
    summary = pipeline.run(total_segments=1)
    skips = open_days == "skip"
    assert (summary["days_published"], summary["days_skipped"]) == ((1, 1) if skips else (2, 0))
    assert (summary["days_not_yet"], summary["days_open"]) == (1, 1)
    assert summary["open_days"] == [today]
    assert [(day["open"], day["outcome"]) for day in manifest(pipeline, "run-1")["days"]] == [
        (False, "published"),
        (True, "skipped" if skips else "published"),
        (False, "not_yet"),
    ]
    marks = {
        key: pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=key)["Metadata"]["open"]
        for key in pipeline.objects("kpis/")
    }
    published = {f"kpis/date={yesterday}/kpi.json": "false"}
    assert marks == published | ({} if skips else {f"kpis/date={today}/kpi.json": "true"})


# A table in which nothing counts


@pytest.mark.parametrize("vanished_days", ["keep", "remove"])
def test_a_run_in_which_nothing_counts_fails(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, vanished_days: str
) -> None:
    """As with a FareAttribute that names nothing."""
    monkeypatch.setenv("VANISHED_DAYS", vanished_days)
    pipeline.make_table(trips(5))
    pipeline.run("first", total_segments=1)
    monkeypatch.setenv("FARE_ATTRIBUTE", "fair_amount")
    with pytest.raises(NothingCountedError, match=r"none of the 5 items.*5 are incomplete"):
        pipeline.run("second", total_segments=1)
    assert trip_count(pipeline) == 5


def test_an_empty_table_removes_published_days_only_if_that_is_confirmed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VANISHED_DAYS", "remove")
    pipeline.make_table(trips(2))
    pipeline.run("first", total_segments=1)
    delete(pipeline, 0, 1)
    with pytest.raises(NothingCountedError, match="is empty"):
        pipeline.run("second", total_segments=1)
    assert trip_count(pipeline) == 2
    assert pipeline.objects("lease/") == {}, "the next run need not wait for the one that refused"
    pipeline.run("third", total_segments=1, confirm_empty_table=True)
    assert pipeline.objects("kpis/") == {}
    assert not pipeline.waited


@pytest.mark.parametrize("vanished_days", ["keep", "remove"])
def test_a_table_of_days_to_come_fails_and_keeps_the_published_days(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, vanished_days: str
) -> None:
    """As with a DayAttribute that names the time at which DynamoDB deletes the trip."""
    monkeypatch.setenv("VANISHED_DAYS", vanished_days)
    pipeline.make_table(trips(2))
    pipeline.run("first", total_segments=1)
    for number in range(2):
        pipeline.dynamodb.put_item(TableName="trips", Item=on("2099-12-24", f"t-{number}"))
    with pytest.raises(NothingCountedError, match=r"all 2 trips .* 2099-12-24"):
        pipeline.run("second", total_segments=1)
    assert trip_count(pipeline) == 2
    assert pipeline.objects("lease/") == {}


def test_an_empty_table_keeps_the_published_days(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(2))
    pipeline.run("first", total_segments=1)
    delete(pipeline, 0, 1)
    assert pipeline.run("second", total_segments=1)["days_vanished"] == 1


# As-of times that no run can have


@pytest.mark.parametrize("as_of", ["zzzz", "2099-01-01T00:00:00.000000+00:00"])
def test_a_day_with_an_impossible_as_of_time_is_overwritten_and_reported(
    pipeline: Pipeline, as_of: str
) -> None:
    pipeline.make_table(trips(2))
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=DAY, Body=b"{}", Metadata={"as-of": as_of})
    summary = pipeline.run(total_segments=1)
    assert summary["days_published"] == 1
    assert [DAY in warning and as_of in warning for warning in summary["warnings"]] == [True]
    assert pipeline.run("second", total_segments=1)["warnings"] == []


@pytest.mark.parametrize("body", [b"", b"{}", b'{"days": [{"date": 5}]}', b"\xff"])
def test_a_later_runs_manifest_that_cannot_be_read_is_reported(
    pipeline: Pipeline, body: bytes
) -> None:
    pipeline.make_table(trips(2))
    pipeline.plan(total_segments=1)
    pipeline.scan()
    key = "runs/run=other/manifest.json"
    as_of = datetime.now(UTC).isoformat(timespec="microseconds")
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=body, Metadata={"as-of": as_of})
    summary = pipeline.merge()
    assert summary["days_published"] == 1
    assert key in summary["warnings"][0]


@pytest.mark.parametrize("key", ["runs/", "runs/run=x/", "runs/run=x/manifest.json.bak", "kpis/"])
def test_folders_and_foreign_objects_do_not_stop_a_merge(pipeline: Pipeline, key: str) -> None:
    pipeline.make_table(trips(2))
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=b"")
    assert pipeline.run(total_segments=1)["days_published"] == 1
