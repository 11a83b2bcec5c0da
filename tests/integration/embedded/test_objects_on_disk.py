"""Objects outlive the cloud that they were put into, as they were when the put was answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from botocore.exceptions import ClientError
from moto.moto_api._internal.models import moto_api_backend

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.objects_on_disk import ObjectOnDisk, ObjectsOnDisk
from ops.embedded.server import layered
from ops.local import trips_table
from ops.local.trip_files import Trips

BUCKET = "results"


@contextmanager
def cloud_on(directory: Path) -> Iterator[Any]:
    """An S3 client of a cloud that holds what the one before has left in `directory`."""
    objects = ObjectsOnDisk(directory)
    with EmbeddedCloud(middleware=objects.layer) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        objects.restore(BUCKET)
        objects.keep(BUCKET)
        yield s3


def everything(s3: Any) -> dict[str, tuple[Any, ...]]:
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    found = {}
    for one in listed:
        got = s3.get_object(Bucket=BUCKET, Key=one["Key"])
        found[one["Key"]] = (
            got["Body"].read(),
            got["Metadata"],
            got["ContentType"],
            got["ETag"],
            got["LastModified"],
        )
    return found


KEYS = ["plain", "a/b=c/part-00000.parquet", "ein Weg/über?x&y+z%2F", "long/" + "x" * 900, "a/../b"]


def test_the_files_of_a_table_export_come_back(tmp_path: Path) -> None:
    """Whoever resumes a run needs those that it began with."""
    objects = ObjectsOnDisk(tmp_path)
    with EmbeddedCloud(middleware=objects.layer) as cloud:
        s3, dynamodb = cloud.client("s3"), cloud.client("dynamodb")
        s3.create_bucket(Bucket=BUCKET)
        objects.keep(BUCKET)
        trips_table.load(
            dynamodb,
            "trips",
            Trips(hash_key="trip_id", sort_key=None, items={("t1",): {"trip_id": {"S": "t1"}}}),
            on_loaded=lambda _: None,
        )
        table_arn = dynamodb.describe_table(TableName="trips")["Table"]["TableArn"]
        dynamodb.export_table_to_point_in_time(TableArn=table_arn, S3Bucket=BUCKET)
        before = everything(s3)
    with cloud_on(tmp_path) as s3:
        assert everything(s3) == before
    assert {key.rpartition("/")[2] for key in before} > {"manifest-summary.json", "_started"}


def test_objects_come_back_with_body_metadata_type_etag_and_time(tmp_path: Path) -> None:
    with cloud_on(tmp_path) as s3:
        for number, key in enumerate(KEYS):
            s3.put_object(
                Bucket=BUCKET,
                Key=key,
                Body=bytes([number, 10, 255]),
                ContentType="application/json",
                Metadata={"as-of": "2024-05-25", "run-id": key[:5].strip()},
            )
        s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
        before = everything(s3)
    with cloud_on(tmp_path) as s3:
        assert everything(s3) == before
    assert before.keys() == {*KEYS, "empty"}
    assert before["plain"][:3] == (
        b"\x00\n\xff",
        {"as-of": "2024-05-25", "run-id": "plain"},
        "application/json",
    )


def test_what_is_replaced_refused_or_deleted_is_so_on_disk(tmp_path: Path) -> None:
    with cloud_on(tmp_path) as s3:
        for key in ("replaced", "kept", "deleted", "one", "two"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"first")
        s3.put_object(Bucket=BUCKET, Key="replaced", Body=b"second")
        with pytest.raises(ClientError):
            s3.put_object(Bucket=BUCKET, Key="kept", Body=b"second", IfNoneMatch="*")
        s3.delete_object(Bucket=BUCKET, Key="deleted")
        s3.delete_objects(
            Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in ("one", "two")]}
        )
        s3.copy_object(Bucket=BUCKET, Key="copied", CopySource=f"{BUCKET}/kept")
    with cloud_on(tmp_path) as s3:
        assert {key: found[0] for key, found in everything(s3).items()} == {
            "replaced": b"second",
            "kept": b"first",
            "copied": b"first",
        }


def test_what_is_missing_in_memory_stays_on_disk(tmp_path: Path) -> None:
    """Nobody has asked for its deletion: whatever emptied the memory, the disk has the objects."""
    with cloud_on(tmp_path) as s3:
        for key in ("deleted", "kept", "tagged"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"first")
        moto_api_backend.reset()
        s3.create_bucket(Bucket=BUCKET)
        s3.delete_object(Bucket=BUCKET, Key="deleted")
        with pytest.raises(ClientError):
            s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": []})
        s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": []})
        s3.delete_bucket(Bucket=BUCKET)
    with cloud_on(tmp_path) as s3:
        assert everything(s3).keys() == {"kept", "tagged"}


def test_a_bucket_that_nobody_asked_to_keep_is_not_kept(tmp_path: Path) -> None:
    with cloud_on(tmp_path) as s3:
        s3.create_bucket(Bucket="artifacts")
        s3.put_object(Bucket="artifacts", Key="code", Body=b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_write_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    """Seen from a layer further out, which has the answer and has not passed it on."""
    objects = ObjectsOnDisk(tmp_path)
    seen: list[list[str]] = []

    def outermost(application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            body = application(environ, start_response)
            seen.append([kept.key for kept in objects.objects(BUCKET)])
            return body

        return answer

    with EmbeddedCloud(middleware=layered(outermost, objects.layer)) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        objects.keep(BUCKET)
        s3.put_object(Bucket=BUCKET, Key="part", Body=b"x")
        s3.delete_object(Bucket=BUCKET, Key="part")
    assert seen == [[], ["part"], []]


def test_a_file_that_a_dying_process_left_half_written_is_no_object(tmp_path: Path) -> None:
    (tmp_path / BUCKET).mkdir()
    (tmp_path / BUCKET / ".x.part").write_bytes(b'{"key": "par')
    with cloud_on(tmp_path) as s3:
        assert everything(s3) == {}


def test_a_file_has_all_of_an_object() -> None:
    stored = ObjectOnDisk(
        key="ü\n/b",
        metadata={"x-amz-meta-a": "\n", "Content-Type": "text/plain"},
        last_modified=datetime.now(UTC) - timedelta(days=1),
        body=b"\n\n{}\n",
    )
    assert ObjectOnDisk.from_bytes(stored.to_bytes()) == stored
