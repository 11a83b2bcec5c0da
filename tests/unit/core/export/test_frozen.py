"""An export is cut into segments that have every file once, and is frozen to the byte."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import frozen_export, plan
from trip_kpis.core.errors import PlanMismatchError
from trip_kpis.core.export.frozen import FILE_WEIGHT, FrozenExport, freeze
from trip_kpis.core.export.manifests import Address, File, Summary

SUMMARY = Summary(
    export_arn="arn:aws:dynamodb:us-east-1:123456789012:table/trips/export/1-a",
    table_arn="arn:aws:dynamodb:us-east-1:123456789012:table/trips",
    table_id="id",
    export_time=datetime(2024, 5, 25, 2, 15, 0, 250_000, tzinfo=UTC),
    item_count=None,
    billed_size_bytes=7,
    output_format="DYNAMODB_JSON",
)
ADDRESS = Address("exports", "AWSDynamoDB/1-a/manifest-summary.json")


def file(name: int, items: int | None) -> File:
    key = f"AWSDynamoDB/1-a/data/{name:05d}.json.gz"
    return File(item_count=items, md5_checksum=f"md5 of {name}", data_file_s3_key=key)


def frozen(files: list[File], *, most_segments: int = 10_000) -> FrozenExport:
    return freeze(
        SUMMARY, files, address=ADDRESS, plan_sha256="0" * 64, most_segments=most_segments
    )


counts = st.lists(st.integers(0, 10**9) | st.integers(0, 5), max_size=60)
exports = st.builds(
    lambda items, most: frozen([file(n, of) for n, of in enumerate(items)], most_segments=most),
    st.lists(st.none() | st.integers(0, 10**9), max_size=20),
    st.integers(1, 25),
)


@given(counts, st.integers(1, 70))
def test_every_file_is_in_one_segment_and_no_segment_is_one_too_many(
    items: list[int], most: int
) -> None:
    files = [file(n, of) for n, of in enumerate(items)]
    export = frozen(files, most_segments=most)
    found = [one for segment in export.segments for one in segment]
    assert Counter((one.key, one.items, one.md5) for one in found) == Counter(
        (one.data_file_s3_key, one.item_count, one.md5_checksum) for one in files
    )
    assert len(export.segments) == max(1, min(len(files), most))
    assert sum(map(len, export.segments)) == len(files)
    assert export.items == sum(items)
    assert [export.items_of(n) for n in range(len(export.segments))] == [
        sum(one.items or 0 for one in segment) for segment in export.segments
    ]


@given(counts, st.integers(1, 70))
def test_no_segment_is_empty_while_another_has_two_files(items: list[int], most: int) -> None:
    export = frozen([file(n, of) for n, of in enumerate(items)], most_segments=most)
    of_segment = [len(segment) for segment in export.segments]
    assert min(of_segment) > 0 or max(of_segment) <= 1


@given(counts, st.integers(1, 70))
def test_segments_are_as_even_as_their_largest_file_lets_them_be(
    items: list[int], most: int
) -> None:
    export = frozen([file(n, of) for n, of in enumerate(items)], most_segments=most)
    weights = [
        (export.items_of(n) or 0) + FILE_WEIGHT * len(segment)
        for n, segment in enumerate(export.segments)
    ]
    assert max(weights) - min(weights) <= max(items, default=0) + FILE_WEIGHT


def test_empty_files_are_shared_by_all_segments() -> None:
    """A request each takes its time, too: one worker would still read them when all others have
    ended."""
    files = [file(n, 1_000 if n < 100 else 0) for n in range(5_000)]
    of_segment = [len(one) for one in frozen(files, most_segments=100).segments]
    assert (min(of_segment), max(of_segment)) == (50, 50)


@given(st.permutations([file(n, of) for n, of in enumerate([5, 5, 0, 3, 9, 9, 1])]))
def test_the_same_files_in_any_order_give_the_same_bytes(files: list[File]) -> None:
    in_order = sorted(files, key=lambda one: one.data_file_s3_key)
    one, other = (frozen(of, most_segments=3) for of in (files, in_order))
    assert one.to_bytes() == other.to_bytes()
    assert one.sha256 == other.sha256


@given(exports)
def test_reading_inverts_writing(export: FrozenExport) -> None:
    read = FrozenExport.from_bytes(export.to_bytes(), url="s3://b/export.json")
    assert read == export
    assert read.to_bytes() == export.to_bytes()


def test_an_export_has_its_instant_its_size_and_where_it_is() -> None:
    export = frozen([file(1, 5)])
    assert export.as_of == "2024-05-25T02:15:00.250000+00:00"
    assert (export.bucket, export.manifest_key) == ("exports", ADDRESS.summary_key)
    assert (export.export_arn, export.billed_bytes) == (SUMMARY.export_arn, 7)
    assert export.segments[0][0].key == "AWSDynamoDB/1-a/data/00001.json.gz"


@pytest.mark.parametrize(
    ("changes", "is_countable", "items"),
    [({}, True, 5), ({"item_count": None}, False, None), ({"md5_checksum": None}, False, 5)],
)
def test_an_export_is_countable_where_every_file_has_a_count_and_an_md5(
    changes: dict[str, Any], is_countable: bool, items: int | None
) -> None:
    export = frozen([msgspec.structs.replace(file(1, 5), **changes), file(2, 0)])
    assert (export.is_countable, export.items) == (is_countable, items)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema_version": 2}, "schema version is 2"),
        ({"segments": None}, "segments"),
        ({"segments": [[{"key": "k"}]]}, "segments"),
        ({"plan_sha256": 7}, "plan_sha256"),
    ],
)
def test_what_another_version_wrote_is_refused_by_its_url(
    changes: dict[str, Any], said: str
) -> None:
    document = json.loads(frozen([file(1, 5)]).to_bytes()) | changes
    with pytest.raises(PlanMismatchError) as caught:
        FrozenExport.from_bytes(json.dumps(document).encode(), url="s3://b/export.json")
    assert said in str(caught.value)
    assert "s3://b/export.json" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"{}", b'{"as_of":"\xff"}'])
def test_what_is_no_frozen_export_is_refused(body: bytes) -> None:
    with pytest.raises(PlanMismatchError, match=r"s3://b/export\.json"):
        FrozenExport.from_bytes(body, url="s3://b/export.json")


# The plan that reads it


def test_a_plan_that_reads_an_export_has_its_instant_and_its_segments() -> None:
    of, export = plan(source="export", total_segments=10_000), frozen_export(3, 2, 0)
    reading = of.with_export(export)
    assert (reading.as_of, reading.total_segments) == (export.as_of, 3)
    assert [reading.items_of(n) for n in range(3)] == [3, 2, 0]
    assert (of.as_of, of.items_of(0)) == (of.planned_at, None)


def test_plan_and_export_together_decide_the_digest() -> None:
    of, export = plan(source="export"), frozen_export(3)
    digests = {
        of.sha256,
        of.with_export(export).sha256,
        of.with_export(frozen_export(4)).sha256,
        replace(of, time_zone="Asia/Kolkata").with_export(export).sha256,
    }
    assert len(digests) == 4
    assert of.with_export(export).sha256 == of.with_export(frozen_export(3)).sha256


def test_an_export_that_cannot_be_counted_is_said_in_the_summary() -> None:
    of = plan(source="export")
    assert of.with_export(frozen_export(3)).warnings == of.warnings
    (said,) = set(of.with_export(frozen_export(None)).warnings) - set(of.warnings)
    assert "could not be checked" in said
