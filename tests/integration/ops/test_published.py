"""What a failed execution has published is looked up, not concluded."""

from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.runs.published import Published, PublishedBefore
from ops.runs.storage import Bucket

BUCKET = "results"


@pytest.mark.parametrize(
    ("published", "says"),
    [
        (Published(), "nothing was published"),
        (
            Published(days=3),
            "3 of its days had been published before it failed; the manifest was not written",
        ),
        (
            Published(days=1, removed=2),
            (
                "1 of its days had been published and 2 vanished ones removed before it failed; "
                "the manifest was not written"
            ),
        ),
        (
            Published(days=3, has_manifest=True),
            "its figures were published, and its manifest written, before it failed",
        ),
        (
            Published(days=3, has_manifest=True, had_manifest=True),
            "the figures of an earlier, finished execution of this run stand",
        ),
    ],
)
def test_it_is_said_in_a_sentence(published: Published, says: str) -> None:
    assert str(published) == says


def put(client: Any, key: str, run_id: str = "") -> None:
    client.put_object(Bucket=BUCKET, Key=key, Body=b"{}", Metadata={"run-id": run_id})


def test_days_of_this_run_are_distinguished_from_those_of_others() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        for day in (1, 2, 3):
            put(client, f"kpis/date=2024-05-0{day}/kpi.json", "earlier")
        put(client, "runs/run=earlier/manifest.json")
        bucket = Bucket(client, BUCKET)
        before = PublishedBefore.of(bucket, "mine")
        assert before.now(bucket, "mine") == Published()
        put(client, "kpis/date=2024-05-01/kpi.json", "mine")
        client.delete_object(Bucket=BUCKET, Key="kpis/date=2024-05-03/kpi.json")
        assert before.now(bucket, "mine") == Published(days=1, removed=1)
        put(client, "runs/run=mine/manifest.json")
        assert before.now(bucket, "mine").has_manifest
        assert PublishedBefore.of(bucket, "mine").now(bucket, "mine").had_manifest


def test_a_day_counts_once_with_its_breakdowns() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        bucket = Bucket(client, BUCKET)
        before = PublishedBefore.of(bucket, "mine")
        put(client, "kpis/date=2024-05-01/kpi.json", "mine")
        for day in (1, 2):
            put(client, f"breakdowns/by=city/date=2024-05-0{day}/kpis.jsonl", "mine")
        assert before.now(bucket, "mine") == Published(days=2)
