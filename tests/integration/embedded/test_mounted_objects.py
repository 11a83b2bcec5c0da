"""Files of this machine as objects of a bucket: what S3 says of an object, they say."""

from __future__ import annotations

import json
import os
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ResponseStreamingError

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.export_files import ExportWriter

BUCKET = "mounted"
BODY = bytes(range(256)) * 40
WRITTEN = datetime(2024, 6, 1, 12, 30, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud(enforce_iam=True) as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        yield cloud


@pytest.fixture
def s3(cloud: EmbeddedCloud) -> Any:
    return cloud.client("s3")


@pytest.fixture
def prefix() -> str:
    """Another one for each test."""
    return f"{uuid.uuid4().hex}/"


def mount(cloud: EmbeddedCloud, prefix: str, directory: Path) -> None:
    """All files of a directory."""
    files = [file for file in directory.rglob("*") if file.is_file()]
    cloud.mount(
        BUCKET, {f"{prefix}{file.relative_to(directory).as_posix()}": file for file in files}
    )


@pytest.fixture
def file(cloud: EmbeddedCloud, prefix: str, tmp_path: Path) -> Path:
    """Mounted as `{prefix}file`."""
    file = tmp_path / "file"
    file.write_bytes(BODY)
    os.utime(file, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    mount(cloud, prefix, tmp_path)
    return file


def refusal(call: Any, **asked: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as raised:
        call(Bucket=BUCKET, **asked)
    response = raised.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_an_object_is_its_file(s3: Any, prefix: str, file: Path) -> None:
    got = s3.get_object(Bucket=BUCKET, Key=f"{prefix}file")
    assert got["Body"].read() == BODY
    assert got["ContentLength"] == len(BODY)
    assert got["LastModified"] == WRITTEN
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200
    head = s3.head_object(Bucket=BUCKET, Key=f"{prefix}file")
    (listed,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert got["ETag"] == head["ETag"] == listed["ETag"]
    assert head["ContentLength"] == listed["Size"] == len(BODY)
    assert head["LastModified"] == listed["LastModified"] == WRITTEN
    assert listed["Key"] == f"{prefix}file"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-300", 100, 300),
        ("bytes=10000-", 10_000, 10_239),
        ("bytes=10000-99999", 10_000, 10_239),
        ("bytes=-5", 10_235, 10_239),
    ],
)
def test_a_range_is_a_part_of_it(
    s3: Any, prefix: str, file: Path, asked: str, first: int, last: int
) -> None:
    got = s3.get_object(Bucket=BUCKET, Key=f"{prefix}file", Range=asked)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {first}-{last}/{len(BODY)}"
    assert got["ContentLength"] == last - first + 1
    assert got["Body"].read() == BODY[first : last + 1]


def test_a_range_behind_the_end_is_refused(s3: Any, prefix: str, file: Path) -> None:
    found = refusal(s3.get_object, Key=f"{prefix}file", Range="bytes=10240-10300")
    assert found == (416, "InvalidRange")


def test_an_empty_file_is_an_empty_object(
    cloud: EmbeddedCloud, s3: Any, prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    mount(cloud, prefix, tmp_path)
    got = s3.get_object(Bucket=BUCKET, Key=f"{prefix}empty")
    assert (got["Body"].read(), got["ContentLength"]) == (b"", 0)


def changed_size(file: Path) -> None:
    file.write_bytes(BODY + b"x")
    os.utime(file, (WRITTEN.timestamp(), WRITTEN.timestamp()))


def changed_time(file: Path) -> None:
    os.utime(file, (0, 0))


def put_in_its_place(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(BODY[::-1])
    other.replace(file)


@pytest.mark.parametrize("change", [changed_size, changed_time, put_in_its_place])
def test_a_file_that_has_changed_since_is_never_read(
    s3: Any, prefix: str, file: Path, change: Callable[[Path], None]
) -> None:
    """A run would mix the figures of both versions."""
    key = f"{prefix}file"
    before = s3.head_object(Bucket=BUCKET, Key=key)
    assert s3.get_object(Bucket=BUCKET, Key=key, IfMatch=before["ETag"])["Body"].read() == BODY
    change(file)
    assert refusal(s3.get_object, Key=key) == (412, "PreconditionFailed")
    for asked in ({}, {"IfMatch": before["ETag"]}, {"Range": "bytes=0-1"}):
        assert refusal(s3.get_object, Key=key, **asked)[0] == 412
        assert refusal(s3.head_object, Key=key, **asked)[0] == 412
    (listed,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert (listed["ETag"], listed["Size"]) == (before["ETag"], len(BODY))


def test_a_file_that_changes_while_it_is_sent_breaks_the_answer(
    cloud: EmbeddedCloud, s3: Any, prefix: str, tmp_path: Path
) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(1 << 26))
    mount(cloud, prefix, tmp_path)
    body = s3.get_object(Bucket=BUCKET, Key=f"{prefix}large")["Body"]
    assert len(body.read(1 << 16)) == 1 << 16
    with file.open("r+b") as written:
        written.seek(1 << 25)
        written.write(b"other")
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        body.read()


def test_a_file_that_is_gone_is_no_key(s3: Any, prefix: str, file: Path) -> None:
    file.unlink()
    assert refusal(s3.get_object, Key=f"{prefix}file") == (404, "NoSuchKey")
    assert refusal(s3.head_object, Key=f"{prefix}file")[0] == 404
    (listed,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert listed["Size"] == len(BODY)


def test_an_object_is_read_only(s3: Any, prefix: str, file: Path) -> None:
    key = f"{prefix}file"
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    for call, asked in (
        (s3.put_object, {"Body": b"other"}),
        (s3.delete_object, {}),
        (s3.put_object_tagging, {"Tagging": tags}),
        (s3.delete_object_tagging, {}),
        (s3.put_object_acl, {"ACL": "public-read"}),
    ):
        assert refusal(call, Key=key, **asked) == (403, "AccessDenied"), call
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == file.read_bytes() == BODY


def test_a_copy_of_an_object_is_refused_in_words(s3: Any, prefix: str, file: Path) -> None:
    source = {"Bucket": BUCKET, "Key": f"{prefix}file"}
    target = {"Bucket": BUCKET, "Key": f"{prefix}copy"}
    upload = s3.create_multipart_upload(**target)["UploadId"]
    for call, more in (
        (s3.copy_object, {}),
        (s3.upload_part_copy, {"UploadId": upload, "PartNumber": 1}),
    ):
        with pytest.raises(ClientError, match=f"{prefix}file is a file of this machine") as raised:
            call(CopySource=source, **target, **more)
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_versions_of_the_bucket_are_listed(s3: Any, prefix: str, file: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{prefix}other", Body=b"1")
    listed = s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)["Versions"]
    assert [one["Key"] for one in listed] == [f"{prefix}file", f"{prefix}other"]
    assert listed[0]["Size"] == len(BODY)
    assert all(one["IsLatest"] for one in listed)


def test_a_tree_is_listed_in_pages(
    cloud: EmbeddedCloud, s3: Any, prefix: str, tmp_path: Path
) -> None:
    keys = [f"{prefix}{folder}/ü {n:04d}.gz" for folder in ("a", "b/c") for n in range(1_100)]
    for key in keys:
        path = tmp_path / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(key.encode())
    mount(cloud, prefix, tmp_path)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    assert [found["Key"] for page in pages for found in page["Contents"]] == keys
    got = s3.get_object(Bucket=BUCKET, Key=keys[-1])
    assert got["Body"].read() == keys[-1].encode()


def test_a_body_is_never_in_memory_as_a_whole(
    cloud: EmbeddedCloud, s3: Any, prefix: str, tmp_path: Path
) -> None:
    """Most of the memory is what the server takes for any request."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 30)
        file.seek(1 << 29)
        file.write(b"middle")
    mount(cloud, prefix, tmp_path)
    key, piece, middle = f"{prefix}large", 128 << 20, 1 << 29
    tracemalloc.start()
    try:
        of_it = s3.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={middle}-{middle + 5}")
        assert of_it["Body"].read() == b"middle"
        read = s3.get_object(Bucket=BUCKET, Key=key, Range=f"bytes=0-{piece - 1}")["Body"]
        assert sum(map(len, read.iter_chunks(1 << 16))) == piece
        read = s3.get_object(Bucket=BUCKET, Key=key)["Body"]
        for _ in range(100):
            assert len(read.read(1 << 16)) == 1 << 16
        read.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32_000_000


@pytest.mark.parametrize(("action", "allowed"), [("s3:GetObject", True), ("s3:PutObject", False)])
def test_a_role_needs_the_permission_that_any_object_needs(
    cloud: EmbeddedCloud, prefix: str, file: Path, action: str, allowed: bool
) -> None:
    iam, name = cloud.client("iam"), f"reader-{uuid.uuid4().hex}"
    statement = {
        "Effect": "Allow", "Action": action, "Resource": f"arn:aws:s3:::{BUCKET}/{prefix}*"
    }  # fmt: skip
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy)
    reader = cloud.client("s3", role_arn=role)
    if allowed:
        got = reader.get_object(Bucket=BUCKET, Key=f"{prefix}file", Range="bytes=1-2")
        assert got["Body"].read() == BODY[1:3]
    else:
        assert refusal(reader.get_object, Key=f"{prefix}file") == (403, "AccessDenied")
        assert refusal(reader.head_object, Key=f"{prefix}file")[0] == 403


def test_an_exports_directory_is_an_export_in_a_bucket(
    cloud: EmbeddedCloud, s3: Any, prefix: str, tmp_path: Path
) -> None:
    export = ExportWriter(
        tmp_path,
        table_arn="arn:aws:dynamodb:us-east-1:123456789012:table/trips",
        table_id="3f2a",
        export_time=WRITTEN,
        bucket=BUCKET,
        files=2,
    )
    export.add({"trip_id": {"S": "t1"}})
    written = export.finish()
    mount(cloud, prefix, tmp_path)
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert {found["Key"] for found in listed} == {f"{prefix}{key}" for key in written.keys}
    summary = s3.get_object(Bucket=BUCKET, Key=f"{prefix}{written.manifest_key}")["Body"].read()
    assert json.loads(summary)["itemCount"] == 1
