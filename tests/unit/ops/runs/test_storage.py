"""A bucket, a copy of it, and the directory of a run on this machine are read alike."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ops.object_on_disk import ObjectOnDisk, file_name
from ops.runs.storage import STATE_OBJECTS, Bucket, Directory, Storage

OBJECTS = {
    "staging/run=run-1/plan.json": b"{}",
    "staging/run=run-1/segment=00000/part-00000.parquet": b"one",
    "staging/run=run-1/segment=00001/part-00000.parquet": b"",
    "staging/run=run-10/plan.json": b"of another run",
}
WRITTEN_AT = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("s3", region_name="us-east-1")
        made.create_bucket(Bucket="results")
        yield made


@pytest.fixture(params=["bucket", "copy", "state"])
def storage(request: pytest.FixtureRequest, client: Any, tmp_path: Path) -> Storage:
    if request.param == "bucket":
        for key, body in OBJECTS.items():
            client.put_object(Bucket="results", Key=key, Body=body)
        return Bucket(client, "results")
    for key, body in OBJECTS.items():
        file, content = tmp_path / key, body
        if request.param == "state":
            file = tmp_path / STATE_OBJECTS / "results" / file_name(key)
            kept = ObjectOnDisk(key=key, metadata={}, last_modified=WRITTEN_AT, body=body)
            content = kept.to_bytes()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return Directory(tmp_path)


@pytest.mark.parametrize(
    "prefix", ["staging/run=", "staging/run=run-1/segment=", "staging/run=run-1/plan.json", "kpis/"]
)
def test_objects_are_listed_by_their_prefix(storage: Storage, prefix: str) -> None:
    listed = [one.key for one in storage.objects(prefix)]
    assert sorted(listed) == [key for key in OBJECTS if key.startswith(prefix)]


def test_an_object_is_listed_with_its_time(storage: Storage) -> None:
    assert all(one.written_at.tzinfo is not None for one in storage.objects("staging/"))


def test_a_body_is_read_or_there_is_none(storage: Storage) -> None:
    assert {key: storage.read(key) for key in OBJECTS} == OBJECTS
    assert storage.read("staging/run=run-2/plan.json") is None


def test_a_directory_reads_no_file_that_is_no_object_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert Directory(tmp_path).read("notes.txt") is None
    assert [*Directory(tmp_path).objects("")] == []


def test_a_bucket_that_is_not_there_is_an_error_unless_it_may_be_absent(client: Any) -> None:
    absent = Bucket(client, "elsewhere", may_be_absent=True)
    assert ([*absent.objects("kpis/")], absent.read("kpis/x")) == ([], None)
    with pytest.raises(ClientError):
        list(Bucket(client, "elsewhere").objects("kpis/"))
    with pytest.raises(ClientError):
        Bucket(client, "elsewhere").read("kpis/x")
