"""A merge that dies half-way through publishing is repeated, to the same bytes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.pipeline import BUCKET_NAME, Pipeline, hook
from tests.samples import trip
from trip_kpis.aws import clients
from trip_kpis.core.errors import TransientError

DAYS = 4


class DeadError(BaseException):
    """The process is gone: nothing that catches exceptions sees it."""


class Writes:
    """The functions' writes below kpis/ and runs/, in their order; `only` so many take effect."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.only = 1000

    def __call__(self, params: dict[str, Any], **_: Any) -> None:
        if params["Key"].startswith(("kpis/", "runs/")):
            if len(self.keys) >= self.only:
                raise DeadError
            self.keys.append(params["Key"])


@pytest.fixture
def writes(pipeline: Pipeline) -> Iterator[Writes]:
    pipeline.make_table(
        trip(f"t-{n}", pickup_datetime={"S": f"2024-05-{1 + n % DAYS:02d} 10:00:00"})
        for n in range(3 * DAYS)
    )
    pipeline.s3.put_bucket_versioning(
        Bucket=BUCKET_NAME, VersioningConfiguration={"Status": "Enabled"}
    )
    writes = Writes()
    hook(clients.s3(), "provide-client-params.s3.PutObject", writes)
    yield writes


def versions(pipeline: Pipeline) -> dict[str, str]:
    found = pipeline.s3.list_object_versions(Bucket=BUCKET_NAME, Prefix="kpis/")["Versions"]
    assert len(found) == len({one["Key"] for one in found}), "a day was written more than once"
    return {one["Key"]: one["VersionId"] for one in found}


@pytest.mark.parametrize("day", range(DAYS + 1))
def test_a_merge_that_dies_after_any_day_is_repeated_to_the_same_bytes(
    pipeline: Pipeline, writes: Writes, day: int
) -> None:
    planned = pipeline.plan(total_segments=3)
    for segment in planned["segments"]:
        pipeline.scan(segment)

    writes.only = day
    with pytest.raises(DeadError):
        pipeline.merge()
    assert len(pipeline.objects("kpis/")) == day
    assert pipeline.objects("runs/") == {}, "the manifest comes after every day"
    before = versions(pipeline) if day else {}

    writes.only, writes.keys = 1000, []
    again = pipeline.merge()
    assert again["days_published"] == DAYS
    assert len(writes.keys) == DAYS - day + 1
    assert writes.keys[-1] == "runs/run=run-1/manifest.json"
    after = versions(pipeline)
    assert {key: after[key] for key in before} == before, "what was published stays as it is"

    published = pipeline.objects("kpis/")
    pipeline.remove("kpis/")
    with pytest.raises(TransientError, match="run-1 is publishing or has been interrupted"):
        pipeline.run("undisturbed", total_segments=1)
    pipeline.merge("undisturbed")
    assert pipeline.objects("kpis/") == published
    assert len(published) == DAYS


def test_the_manifest_of_a_repeated_merge_names_every_day(
    pipeline: Pipeline, writes: Writes
) -> None:
    pipeline.plan(total_segments=1)
    pipeline.scan()
    writes.only = 2
    with pytest.raises(DeadError):
        pipeline.merge()
    writes.only = 1000
    pipeline.merge()
    manifest = json.loads(pipeline.objects("runs/")["runs/run=run-1/manifest.json"])
    assert [day["outcome"] for day in manifest["days"]] == ["published"] * DAYS
