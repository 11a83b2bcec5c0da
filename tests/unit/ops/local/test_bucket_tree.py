"""The bucket as a directory: what it holds now, and what is somebody else's stays."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.local.bucket_tree import mirror
from ops.runs.storage import Bucket

DAY = "kpis/date=2024-05-25/kpi.json"
MANIFEST = "runs/run=r/manifest.json"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="results")
        yield client


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in directory.rglob("*")
        if file.is_file()
    }


def leave_day_and_manifest(s3: Any, body: bytes) -> None:
    for key in (DAY, MANIFEST):
        s3.put_object(Bucket="results", Key=key, Body=body)


def test_what_an_earlier_run_left_goes_and_what_somebody_put_there_stays(
    s3: Any, tmp_path: Path
) -> None:
    s3.put_object(Bucket="results", Key="kpis/date=2024-05-25/kpi.json", Body=b"new")
    s3.put_object(Bucket="results", Key="runs/run=r/manifest.json", Body=b"proof")
    s3.put_object(Bucket="results", Key="staging/run=r/plan.json", Body=b"plan")
    for stale in ("kpis/date=2024-05-25/kpi.json", "kpis/date=2023-01-01/kpi.json"):
        (tmp_path / stale).parent.mkdir(parents=True)
        (tmp_path / stale).write_bytes(b"old")
    (tmp_path / "kpis" / "notes.txt").write_bytes(b"mine")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "marathon.csv").write_bytes(b"mine")

    mirror(Bucket(s3, "results"), tmp_path)

    assert tree(tmp_path) == {
        "kpis/date=2024-05-25/kpi.json": b"new",
        "kpis/notes.txt": b"mine",
        "runs/run=r/manifest.json": b"proof",
        "runs/marathon.csv": b"mine",
    }
    assert not (tmp_path / "kpis" / "date=2023-01-01").exists()


def test_of_a_bucket_that_is_not_there_nothing_is_left(s3: Any, tmp_path: Path) -> None:
    """The execution that failed of that says so."""
    stale = tmp_path / "kpis/date=2024-05-25/kpi.json"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")
    assert mirror(Bucket(s3, "elsewhere", may_be_absent=True), tmp_path) == ()
    assert tree(tmp_path) == {}


def test_where_not_all_can_be_written_the_directory_stays_as_it_was(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(s3, "results")
    leave_day_and_manifest(s3, b"old")
    mirror(bucket, tmp_path)
    before = tree(tmp_path)
    leave_day_and_manifest(s3, b"new")
    write_bytes = Path.write_bytes

    def until_the_disk_is_full(file: Path, body: bytes) -> int:
        if file.name == "manifest.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(file, body)

    monkeypatch.setattr(Path, "write_bytes", until_the_disk_is_full)
    with pytest.raises(OSError, match="No space left"):
        mirror(bucket, tmp_path)
    assert tree(tmp_path) == before


def test_an_export_that_is_killed_leaves_the_manifest_for_the_next_one(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest says that the run is finished: nothing is exported after it."""
    leave_day_and_manifest(s3, b"new")
    bucket, replace = Bucket(s3, "results"), Path.replace

    class KilledError(BaseException): ...

    def until_killed(file: Path, to: Path) -> Path:
        if file.name == "manifest.json":
            raise KilledError
        return replace(file, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", until_killed)
        with pytest.raises(KilledError):
            mirror(bucket, tmp_path)
    assert [*tree(tmp_path)] == [DAY]
    (tmp_path / ".trip-kpis-export-killed").mkdir()
    mirror(bucket, tmp_path)
    assert tree(tmp_path) == {DAY: b"new", MANIFEST: b"new"}
    assert not [*tmp_path.glob(".trip-kpis-export-*")]
