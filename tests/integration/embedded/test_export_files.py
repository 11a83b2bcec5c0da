"""An export's files on disk, compared with what AWS's guide says of them and read by others."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops.embedded.export_files import ExportWriter, WrittenExport

TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/ProductCatalog"
EXPORT_TIME = datetime(2020, 11, 4, 7, 28, 34, 28_900, tzinfo=UTC)
END_TIME = datetime(2020, 11, 4, 7, 33, 43, 897_000, tzinfo=UTC)
DIGITS = "1234567890123456789012345678901234567.8"
"""38 of them, as many as a Number may have"""
ITEMS: list[dict[str, Any]] = [
    {"Id": {"N": "103"}, "Title": {"S": "Book 103 Title"}, "InPublication": {"BOOL": False}},
    {
        "Id": {"N": "104"},
        "Title": {"S": 'Ünïcode "🚕"\n\u2028 line'},
        "Authors": {"SS": ["A", "B"]},
    },
    {"Id": {"N": DIGITS}, "Nothing": {"NULL": True}, "Binary": {"B": "AAH/"}},
    {"Id": {"N": "1E-130"}, "Deep": {"M": {"List": {"L": [{"N": "1"}, {"BS": ["AAE=", "/w=="]}]}}}},
    {"Id": {"N": "106"}, "Large": {"S": "x" * (400 * 1024 - 16)}},
]


def writer(directory: Path, **more: Any) -> ExportWriter:
    options = {
        "table_arn": TABLE_ARN,
        "table_id": "12345a12-abcd-123a-ab12-1234abc12345",
        "export_time": EXPORT_TIME,
        "bucket": "ddb-productcatalog-export",
        **more,
    }
    return ExportWriter(directory, **options)


def written(directory: Path, items: list[Any], **more: Any) -> WrittenExport:
    export = writer(directory, **more)
    for item in items:
        export.add(item)
    return export.finish(end_time=END_TIME)


def manifests(directory: Path, export: WrittenExport) -> tuple[dict[str, Any], list[Any]]:
    summary = json.loads((directory / export.manifest_key).read_bytes())
    lines = (directory / summary["manifestFilesS3Key"]).read_text().splitlines()
    return summary, [json.loads(line) for line in lines]


def items_of(file: Path) -> list[Any]:
    """By Python's own gzip and json, the lines split at line feeds alone."""
    text = gzip.decompress(file.read_bytes()).decode()
    return [json.loads(line)["Item"] for line in text.split("\n")[:-1]]


@pytest.mark.parametrize("prefix", ["", "2020-Nov", "2020/Nov/"])
def test_the_files_are_where_dynamodb_puts_them(tmp_path: Path, prefix: str) -> None:
    export = written(tmp_path, ITEMS, prefix=prefix, files=3)
    keys = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert keys == set(export.keys)
    assert len(export.keys) == len(keys)
    folder = "/".join([part for part in prefix.split("/") if part] + ["AWSDynamoDB"])
    (export_id,) = {key.removeprefix(f"{folder}/").split("/")[0] for key in keys}
    assert re.fullmatch(r"01604474914028-[0-9a-f]{8}", export_id)
    names = [key.removeprefix(f"{folder}/{export_id}/") for key in export.keys]
    assert names[0] == "_started"
    assert all(re.fullmatch(r"data/[a-z2-7]{26}\.json\.gz", name) for name in names[1:4])
    assert names[4:] == [
        "manifest-files.json",
        "manifest-files.md5",
        "manifest-summary.json",
        "manifest-summary.md5",
    ]
    assert export.arn == f"{TABLE_ARN}/export/{export_id}"
    assert (tmp_path / export.keys[0]).read_bytes() == b""


def test_the_summary_is_that_of_the_guide(tmp_path: Path) -> None:
    export = written(tmp_path, ITEMS, prefix="2020-Nov", export_id="01234567890123-a1b2c3d4")
    summary, _ = manifests(tmp_path, export)
    assert summary == {
        "version": "2020-06-30",
        "exportArn": f"{TABLE_ARN}/export/01234567890123-a1b2c3d4",
        "startTime": "2020-11-04T07:28:34.028Z",
        "endTime": "2020-11-04T07:33:43.897Z",
        "tableArn": TABLE_ARN,
        "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
        "exportTime": "2020-11-04T07:28:34.028Z",
        "s3Bucket": "ddb-productcatalog-export",
        "s3Prefix": "2020-Nov",
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": "2020-Nov/AWSDynamoDB/01234567890123-a1b2c3d4/manifest-files.json",
        "billedSizeBytes": export.billed_size_bytes,
        "itemCount": len(ITEMS),
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    assert export.item_count == len(ITEMS)


def test_every_data_file_has_a_line_with_its_count_and_md5(tmp_path: Path) -> None:
    export = written(tmp_path, ITEMS, files=3)
    _, files = manifests(tmp_path, export)
    assert [sorted(file) for file in files] == [
        ["dataFileS3Key", "etag", "itemCount", "md5Checksum"]
    ] * 3
    assert [file["dataFileS3Key"] for file in files] == list(export.keys[1:4])
    for file in files:
        body = (tmp_path / file["dataFileS3Key"]).read_bytes()
        md5 = hashlib.md5(body).digest()
        assert file["md5Checksum"] == base64.b64encode(md5).decode()
        assert file["etag"] == hashlib.md5(md5).hexdigest() + "-1"
        assert file["itemCount"] == len(items_of(tmp_path / file["dataFileS3Key"]))


def test_the_checksum_files_have_the_base64_md5_of_the_manifests(tmp_path: Path) -> None:
    export = written(tmp_path, ITEMS)
    folder = (tmp_path / export.manifest_key).parent
    for name in ("manifest-summary", "manifest-files"):
        md5 = hashlib.md5((folder / f"{name}.json").read_bytes()).digest()
        assert (folder / f"{name}.md5").read_bytes() == base64.b64encode(md5)


def test_items_are_read_back_as_they_were(tmp_path: Path) -> None:
    export = written(tmp_path, ITEMS, files=2)
    _, files = manifests(tmp_path, export)
    found = [items_of(tmp_path / file["dataFileS3Key"]) for file in files]
    assert found == [ITEMS[0::2], ITEMS[1::2]]


def test_binary_values_may_be_bytes_and_items_may_be_encoded(tmp_path: Path) -> None:
    as_bytes = {"Id": {"B": b"\0\1\xff"}, "Set": {"BS": [b"\0\1", b"\xff"]}}
    as_text = {"Id": {"B": "AAH/"}, "Set": {"BS": ["AAE=", "/w=="]}}
    encoded = json.dumps(as_text).encode()
    export = written(tmp_path, [as_bytes, as_text, encoded])
    assert items_of(tmp_path / export.keys[1]) == [as_text] * 3


def test_duckdb_reads_all_files_to_the_last_digit(tmp_path: Path) -> None:
    numbers = [f"{sign}12345678901234567890.{n:018d}" for n in range(50) for sign in ("", "-")]
    items = [{"Id": {"B": f"{n:04d}"}, "Fare": {"N": number}} for n, number in enumerate(numbers)]
    export = written(tmp_path, items, files=7)
    columns = "{Item: 'STRUCT(Id STRUCT(B VARCHAR), Fare STRUCT(N DECIMAL(38, 18)))'}"
    glob = (tmp_path / export.keys[1]).parent / "*.json.gz"
    query = (
        f"SELECT Item.Id.B, Item.Fare.N FROM read_json('{glob}', columns = {columns}) ORDER BY 1"
    )
    assert duckdb.sql(query).fetchall() == [
        (f"{n:04d}", Decimal(number)) for n, number in enumerate(numbers)
    ]


def test_a_file_that_gets_no_item_is_empty_and_listed(tmp_path: Path) -> None:
    export = writer(tmp_path, files=4)
    for item in ITEMS:
        export.add(item, file=2)
    _, files = manifests(tmp_path, export.finish())
    assert [file["itemCount"] for file in files] == [0, 0, len(ITEMS), 0]
    for file in files[:2]:
        assert gzip.decompress((tmp_path / file["dataFileS3Key"]).read_bytes()) == b""


def test_a_table_without_items_has_an_export_too(tmp_path: Path) -> None:
    export = written(tmp_path, [])
    assert (export.item_count, export.billed_size_bytes) == (0, 0)
    assert items_of(tmp_path / export.keys[1]) == []


def test_there_may_be_more_data_files_than_a_process_can_open(tmp_path: Path) -> None:
    items = [{"Id": {"N": str(number)}} for number in range(6_000)]
    export = written(tmp_path, items, files=3_000)
    _, files = manifests(tmp_path, export)
    assert [file["itemCount"] for file in files] == [2] * 3_000
    assert items_of(tmp_path / files[-1]["dataFileS3Key"]) == [items[2_999], items[5_999]]


def test_items_are_not_kept_in_memory(tmp_path: Path) -> None:
    """100 MB of them go through in a tenth of that."""
    item = b'{"Large":{"S":"' + b"x" * 100_000 + b'"}}'
    export = writer(tmp_path, files=4)
    tracemalloc.start()
    try:
        for _ in range(1_000):
            export.add(item)
        export.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def test_two_exports_share_a_prefix(tmp_path: Path) -> None:
    first, second = (written(tmp_path, ITEMS, prefix="both") for _ in range(2))
    assert not set(first.keys) & set(second.keys)
