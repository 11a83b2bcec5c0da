"""Two runs at once, in either order of their ends: the later plan's figures are those that stay."""

import json
from typing import Any

import pytest

from tests.integration.pipeline import BUCKET_NAME, Pipeline
from tests.samples import trip

KEY = "kpis/date=2024-05-25/kpi.json"


def fare(amount: int, day: str = "2024-05-25", trip_id: str = "t-1") -> dict[str, Any]:
    return trip(trip_id, fare_amount={"N": str(amount)}, pickup_datetime={"S": f"{day} 13:19:00"})


def total(pipeline: Pipeline) -> int:
    figure: int = json.loads(pipeline.objects("kpis/")[KEY])["total_fare"]
    return figure


def scanned(pipeline: Pipeline, run_id: str) -> None:
    """A run as far as its merge: which the caller does later, or never."""
    pipeline.plan(run_id, total_segments=1)
    pipeline.scan(run_id=run_id)


def test_each_run_has_its_own_staging(pipeline: Pipeline) -> None:
    pipeline.make_table([fare(7)])
    scanned(pipeline, "first")
    scanned(pipeline, "second")
    parts = [key for key in pipeline.objects("staging/") if key.endswith(".parquet")]
    assert [key.split("/")[1] for key in parts] == ["run=first", "run=second"]


def test_the_older_run_that_ends_later_leaves_the_newer_ones_day(pipeline: Pipeline) -> None:
    pipeline.make_table([fare(7)])
    scanned(pipeline, "older")
    pipeline.put([fare(8)])
    pipeline.run("newer", total_segments=1)
    summary = pipeline.merge("older")
    assert (summary["days_superseded"], summary["days_published"]) == (1, 0)
    assert total(pipeline) == 8


def test_a_day_that_the_newer_run_found_unchanged_is_its_own_too(pipeline: Pipeline) -> None:
    """The object is the first run's, by its bytes; the newer run has confirmed it, and the older
    one, which saw the table in between, may not overwrite it."""
    pipeline.make_table([fare(7)])
    pipeline.run("first", total_segments=1)
    pipeline.put([fare(8)])
    scanned(pipeline, "older")
    pipeline.put([fare(7)])
    summary = pipeline.run("newer", total_segments=1)
    assert (summary["days_unchanged"], summary["days_published"]) == (1, 0)
    assert pipeline.merge("older")["days_superseded"] == 1
    assert total(pipeline) == 7


def test_with_no_other_run_under_way_an_unchanged_day_is_not_written(pipeline: Pipeline) -> None:
    pipeline.make_table([fare(7)])
    pipeline.run("first", total_segments=1)
    before = pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=KEY)["Metadata"]
    pipeline.run("second", total_segments=1)
    assert pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=KEY)["Metadata"] == before


def test_a_day_that_the_newer_run_has_removed_does_not_come_back(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VANISHED_DAYS", "remove")
    pipeline.make_table([fare(7), fare(9, "2024-05-26", "t-2")])
    pipeline.run("first", total_segments=1)
    scanned(pipeline, "older")
    pipeline.dynamodb.delete_item(TableName="trips", Key={"trip_id": {"S": "t-1"}})
    assert pipeline.run("newer", total_segments=1)["days_removed"] == 1
    assert pipeline.merge("older")["days_superseded"] >= 1
    assert list(pipeline.objects("kpis/")) == ["kpis/date=2024-05-26/kpi.json"]
