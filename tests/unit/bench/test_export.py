"""The export's bench: files served as S3 serves them, every contender right, and what is wrong is
not measured."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bench import measured
from bench.export import Export, Figures, exported, table
from bench.known import check
from bench.replay import ReplayedTables
from bench.server import EXPORT_BUCKET, Server

ROOT = Path(__file__).resolve().parents[3]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def export() -> Iterator[Export]:
    with exported(pages=1, files=2) as made:
        yield made


@pytest.fixture
def s3(export: Export) -> Iterator[Any]:
    server = Server(ReplayedTables(pages=[]))
    server.objects.add_files(EXPORT_BUCKET, export.directory)
    thread = Thread(target=server.serve_forever)
    thread.start()
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield client
    client.close()
    server.shutdown()
    server.server_close()
    thread.join()


def data_files(export: Export) -> list[str]:
    return [key for key in export.written.keys if "/data/" in key]


def test_a_file_is_an_object_that_is_read_whole_or_in_pieces(export: Export, s3: Any) -> None:
    key = data_files(export)[0]
    body = (export.directory / key).read_bytes()
    whole = s3.get_object(Bucket=EXPORT_BUCKET, Key=key)
    assert whole["Body"].read() == body

    rest = f"bytes=100-{len(body) + 5_000}"
    piece = s3.get_object(Bucket=EXPORT_BUCKET, Key=key, Range=rest, IfMatch=whole["ETag"])
    assert piece["Body"].read() == body[100:]
    assert piece["ContentRange"] == f"bytes 100-{len(body) - 1}/{len(body)}"
    assert piece["ResponseMetadata"]["HTTPStatusCode"] == 206


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"IfMatch": '"another"'}, "PreconditionFailed"),
        ({"Range": "bytes=100000000-100000001"}, "InvalidRange"),
    ],
)
def test_another_version_and_bytes_that_are_not_there_are_refused(
    export: Export, s3: Any, asked: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=EXPORT_BUCKET, Key=data_files(export)[0], **asked)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("options", [(), ("1",)])
def test_duckdb_comes_to_the_known_figures(export: Export, options: tuple[str, ...]) -> None:
    done = measured.run(
        "bench.contenders.duckdb_read_json",
        str(export.directory),
        *options,
        endpoint_url=NOWHERE,
    )
    check(done.answer, export.known, of="DuckDB")
    day = min(export.known)
    fares = export.known[day].total_fare
    wrong = {**export.known, day: replace(export.known[day], total_fare=fares + 1)}
    with pytest.raises(RuntimeError, match=day):
        check(done.answer, wrong, of="DuckDB")


@pytest.mark.slow
def test_the_worker_is_measured_over_several_files_and_over_a_longer_one() -> None:
    options = ["--runs", "1", "--pages", "2", "--files", "3", "--times", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "export", "--json", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert [(one["trips"], one["files"]) for one in figures] == [(6_030, 3)] * 3 + [(12_060, 1)] * 3
    assert [one["ratio"] for one in figures if one["contender"] == "this project"] == [1.0, 1.0]
    assert all(one["peak_mb"] > 50 for one in figures)


def test_a_table_has_a_row_for_every_contender() -> None:
    figures = Figures(
        contender="another",
        trips=289_440,
        files=8,
        runs=5,
        cpu_seconds=5.339,
        trips_per_second=54_212.4,
        peak_mb=138.4,
        ratio=3.04,
    )
    assert table([figures]).splitlines()[2:] == [
        "| 289,440 | 8 | 5 | another | 5.34 s | 3.0 | 54,212 | 138 MB |"
    ]
