"""The manifests of an export are taken as DynamoDB writes them, or refused with what to do."""

import base64
import hashlib
import json
from typing import Any

import pytest

from trip_kpis.core.errors import CorruptExportError, InputError, TripKpisError
from trip_kpis.core.export.manifests import (
    Address,
    File,
    Summary,
    check_manifest,
    checksum_keys,
    instant,
    read_files,
    read_summary,
)

FOLDER = "AWSDynamoDB/01716603300000-a1b2c3d4"
URL = f"s3://exports/{FOLDER}/manifest-summary.json"
TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/trips"
SUMMARY: dict[str, Any] = {
    "version": "2020-06-30",
    "exportArn": f"{TABLE_ARN}/export/01716603300000-a1b2c3d4",
    "startTime": "2024-05-25T02:15:00.000Z",
    "endTime": "2024-05-25T02:20:12.345Z",
    "tableArn": TABLE_ARN,
    "tableId": "0b0f7a1c-5c3e-4d0e-9b57-8f7f0f5c2b11",
    "exportTime": "2024-05-25T02:15:00.250Z",
    "s3Bucket": "exports",
    "s3Prefix": None,
    "s3SseAlgorithm": "AES256",
    "s3SseKmsKeyId": None,
    "manifestFilesS3Key": f"{FOLDER}/manifest-files.json",
    "billedSizeBytes": 12_345,
    "itemCount": 5,
    "outputFormat": "DYNAMODB_JSON",
    "exportType": "FULL_EXPORT",
}


def summary(**changes: Any) -> bytes:
    """What is None in `changes` is left out."""
    document = {**SUMMARY, **changes}
    left_out = {name for name, value in changes.items() if value is None}
    return json.dumps({k: v for k, v in document.items() if k not in left_out}).encode()


def line(name: str, items: int, **changes: Any) -> bytes:
    document = {
        "itemCount": items,
        "md5Checksum": "1B2M2Y8AsgTpgAmY7PhCfg==",
        "etag": "68b329da9893e34099c7d8ad5cb9c940-1",
        "dataFileS3Key": f"{FOLDER}/data/{name}.json.gz",
    }
    return json.dumps({**document, **changes}).encode() + b"\n"


def test_a_summary_says_what_was_exported_and_when() -> None:
    read = read_summary(summary(), url=URL)
    assert (read.export_arn, read.table_arn) == (SUMMARY["exportArn"], TABLE_ARN)
    assert (read.table_id, read.item_count) == (SUMMARY["tableId"], 5)
    assert read.billed_size_bytes == 12_345


@pytest.mark.parametrize(
    ("written", "as_of"),
    [
        ("2024-05-25T02:15:00.250Z", "2024-05-25T02:15:00.250000+00:00"),
        ("2024-05-25T02:15:00Z", "2024-05-25T02:15:00.000000+00:00"),
        ("2024-05-25T04:15:00.000001+02:00", "2024-05-25T02:15:00.000001+00:00"),
        ("2024-05-25T02:15:00", "2024-05-25T02:15:00.000000+00:00"),
    ],
)
def test_the_instant_is_utc_to_the_microsecond_however_it_is_written(
    written: str, as_of: str
) -> None:
    assert instant(read_summary(summary(exportTime=written), url=URL)) == as_of


def test_an_old_summary_without_a_type_is_a_full_exports() -> None:
    assert read_summary(summary(exportType=None), url=URL).export_type == "FULL_EXPORT"


@pytest.mark.parametrize(
    ("changes", "kind", "named"),
    [
        ({"outputFormat": "ION"}, InputError, ["ION", "DYNAMODB_JSON", "ExportFormat"]),
        (
            {"exportType": "INCREMENTAL_EXPORT", "exportTime": None},
            InputError,
            ["INCREMENTAL_EXPORT", "ExportType FULL_EXPORT"],
        ),
        ({"tableId": None}, CorruptExportError, ["tableId", "Nothing was published"]),
        ({"tableArn": 7}, CorruptExportError, ["tableArn", "Nothing was published"]),
        ({"exportTime": "yesterday"}, CorruptExportError, ["exportTime", "start a new run"]),
        ({"exportTime": None}, CorruptExportError, ["exportTime", "start a new run"]),
        ({"itemCount": "5"}, CorruptExportError, ["itemCount", "start a new run"]),
        ({"outputFormat": None}, CorruptExportError, ["outputFormat", "start a new run"]),
    ],
)
def test_a_wrong_summary_is_refused_with_its_url_the_value_and_what_to_do(
    changes: dict[str, Any], kind: type[TripKpisError], named: list[str]
) -> None:
    with pytest.raises(kind) as caught:
        read_summary(summary(**changes), url=URL)
    assert all(what in str(caught.value) for what in [URL, *named])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"tableArn":"\xff"}']
)
def test_what_is_no_summary_is_corrupt(body: bytes) -> None:
    with pytest.raises(CorruptExportError) as caught:
        read_summary(body, url=URL)
    assert URL in str(caught.value)


FILES_URL = f"s3://exports/{FOLDER}/manifest-files.json"


def files_of(*lines: bytes, **of_summary: Any) -> tuple[File, ...]:
    read = read_summary(summary(**of_summary), url=URL)
    return read_files(b"".join(lines), read, url=FILES_URL)


def test_files_are_read_a_line_each_also_empty_ones() -> None:
    files = files_of(line("b", 3), line("a", 2), line("c", 0))
    assert [(file.item_count, file.data_file_s3_key[-9:]) for file in files] == [
        (3, "b.json.gz"), (2, "a.json.gz"), (0, "c.json.gz"),
    ]  # fmt: skip
    assert {file.md5_checksum for file in files} == {"1B2M2Y8AsgTpgAmY7PhCfg=="}


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_the_end_of_the_last_line_decides_nothing(end: bytes) -> None:
    assert len(files_of(line("a", 2), line("b", 3).rstrip() + end)) == 2


def test_an_export_of_an_empty_table_may_list_nothing() -> None:
    assert files_of(itemCount=0) == ()


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([line("a", 2), line("b", 2)], ["2 files", "4 items", "says 5"]),
        ([line("a", 2), line("b", 4)], ["6 items", "says 5"]),
        ([], ["0 files", "0 items", "says 5"]),
        ([line("a", 2), line("a", 3)], ["a data file twice"]),
        ([line("a", 2), line("a", 3, dataFileS3Key="elsewhere/a.json.gz")], ["twice"]),
        ([line("a", 5), b"{\n"], ["not a list of an export's files"]),
        ([line("a", 5, dataFileS3Key=None)], ["dataFileS3Key"]),
        ([line("a", 5, itemCount="5")], ["itemCount"]),
        ([line("a", 5).replace(b"md5Checksum", b"md5")], ["md5Checksum"]),
        ([b"[]\n"], ["not a list"]),
        ([line("a", 5).replace(b"a.json", b"\xff.json")], ["utf-8"]),
    ],
)
def test_a_wrong_list_of_files_is_corrupt(lines: list[bytes], named: list[str]) -> None:
    with pytest.raises(CorruptExportError) as caught:
        files_of(*lines)
    expected = [FILES_URL, *named, "Nothing was published", "start a new run"]
    assert all(what in str(caught.value) for what in expected)


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_manifests_checksum_is_its_md5_in_base64(ending: bytes) -> None:
    md5 = base64.b64encode(hashlib.md5(summary(), usedforsecurity=False).digest())
    check_manifest(summary(), md5 + ending, url=URL)
    with pytest.raises(CorruptExportError) as caught:
        check_manifest(summary(itemCount=6), md5, url=URL)
    assert all(what in str(caught.value) for what in (URL, md5.decode(), "Copy the export again"))


@pytest.mark.parametrize("checksum", [b"", b"\xff\xfe", b"x" * 10_000])
def test_what_is_no_checksum_fits_no_manifest(checksum: bytes) -> None:
    with pytest.raises(CorruptExportError) as caught:
        check_manifest(summary(), checksum, url=URL)
    assert len(str(caught.value)) < 500


def test_a_checksum_is_beside_its_manifest_under_either_name() -> None:
    assert checksum_keys(f"{FOLDER}/manifest-files.json") == (
        f"{FOLDER}/manifest-files.md5",
        f"{FOLDER}/manifest-files.checksum",
    )


@pytest.mark.parametrize("prefix", ["", "here/", "a/b/"])
def test_an_address_is_the_folder_of_the_summary(prefix: str) -> None:
    address = Address.of_url(f"s3://exports/{prefix}{FOLDER}/manifest-summary.json")
    assert address == Address("exports", f"{prefix}{FOLDER}/manifest-summary.json")
    assert address.files_key == f"{prefix}{FOLDER}/manifest-files.json"


@pytest.mark.parametrize(
    "key",
    [f"{FOLDER}/data/x.json.gz", f"here/{FOLDER}/data/x.json.gz", "data/x.json.gz", "x.json.gz"],
)
def test_a_data_file_is_found_beside_its_manifests_wherever_they_were_copied(key: str) -> None:
    file = File(item_count=1, md5_checksum=None, data_file_s3_key=key)
    address = Address.of_url("s3://copies/of may/manifest-summary.json")
    assert address.data_key(file) == "of may/data/x.json.gz"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "manifest-summary.json",
        "s3://exports",
        f"s3://exports/{FOLDER}/",
        f"s3://exports/{FOLDER}/manifest-files.json",
        f"s3://exports/{FOLDER}/old-manifest-summary.json",
        f"s3:///{FOLDER}/manifest-summary.json",
        f"https://exports/{FOLDER}/manifest-summary.json",
        f"s3://exports/{FOLDER}/manifest-summary.json.gz",
    ],
)
def test_what_is_no_summarys_url_is_refused_with_the_form(url: str) -> None:
    with pytest.raises(InputError) as caught:
        Address.of_url(url)
    assert repr(url) in str(caught.value)
    assert "s3://bucket/prefix/AWSDynamoDB/export-id/manifest-summary.json" in str(caught.value)


def test_manifests_of_ones_own_may_leave_counts_and_checksums_open() -> None:
    read = Summary(
        table_arn=TABLE_ARN,
        table_id="id",
        export_time=read_summary(summary(), url=URL).export_time,
        item_count=None,
        output_format="DYNAMODB_JSON",
    )
    (file,) = read_files(line("a", 0, itemCount=None, md5Checksum=None), read, url=FILES_URL)
    assert (file.item_count, file.md5_checksum) == (None, None)
