"""An export as the source: read to the end, from any place on, and never believed when it is not
what DynamoDB says it is."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from ops.embedded.export_patches import ExportBehavior
from tests.exports import EXPORTED_AT, StoredExport
from tests.integration.pipeline import BUCKET_NAME, Context, Pipeline, hook, once_before
from tests.samples import trip
from trip_kpis.aws import export_files as export_module
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.deadline import OutOfTimeError
from trip_kpis.aws.export_files import ExportFiles
from trip_kpis.aws.read_budget import Pacer
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.aws.source_choice import source_of
from trip_kpis.aws.worker import Progress, SegmentWorker
from trip_kpis.core.errors import (
    CorruptExportError,
    ExportFailedError,
    ExportNotFoundError,
    InputError,
    MissingSegmentError,
    NoProgressError,
    PlanMismatchError,
    PlanNotFoundError,
    PointInTimeRecoveryError,
    TransientError,
    TripKpisError,
)
from trip_kpis.core.export import lines
from trip_kpis.core.items.pages import Cursor, Page
from trip_kpis.core.run.plan import Plan


def trips(count: int, *, first: int = 0, **attributes: Any) -> list[dict[str, Any]]:
    """Over three days; a tenth is incomplete, and a tenth is rejected."""
    fares: list[Any] = [None, {"S": "free"}]
    return [
        trip(
            f"t-{n:05d}",
            fare_amount=fares[n % 10] if n % 10 < 2 else {"N": f"{n}.25"},
            pickup_datetime={"S": f"2024-05-{25 + n % 3} 13:19:00"},
            **attributes,
        )
        for n in range(first, first + count)
    ]


@pytest.fixture
def table(exporting: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """An empty table, which can be exported."""
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    exporting.make_table()
    exporting.turn_recovery(True)
    return exporting


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page for every few items, a request for every few of those."""
    monkeypatch.setattr(lines, "BLOCK_BYTES", 500)
    monkeypatch.setattr(lines, "_COMPRESSED_BYTES", 100)
    monkeypatch.setattr(export_module, "PIECE_BYTES", 150)


def plan_of(pipeline: Pipeline, run_id: str = "run-1") -> Plan:
    return RunStore(Bucket(pipeline.s3, BUCKET_NAME)).plan(run_id)


def published(pipeline: Pipeline) -> dict[str, bytes]:
    return {
        key: body
        for prefix in ("kpis/", "breakdowns/", "runs/")
        for key, body in pipeline.objects(prefix).items()
    }


def keys_of(page: Page) -> list[str]:
    paths = [("trip_id",)]
    return [item["trip_id"]["S"] for item in page.items(range(page.length), paths=paths)]


# Pages


FILES = [trips(40), [], trips(1, first=40), trips(25, first=41), []]
"""in one segment the larger ones come first"""


@pytest.fixture
def source(table: Pipeline, small_blocks: None) -> ExportFiles:
    """Of these files, in one segment."""
    export = table.put_export(*FILES)
    table.planned_export(export_manifest=export.url, total_segments=1)
    found = source_of(plan_of(table))
    assert isinstance(found, ExportFiles)
    return found


def test_a_segments_pages_are_its_files_one_after_the_other(source: ExportFiles) -> None:
    pages = list(source.pages(0, after=None))
    by_size = [item for file in (FILES[0], FILES[3], FILES[2]) for item in file]
    assert [key for page in pages for key in keys_of(page)] == [
        item["trip_id"]["S"] for item in by_size
    ]
    assert sum(page.scanned for page in pages) == len(by_size)
    assert [page.end is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {page.read_units for page in pages} == {0.0}
    assert len(pages) > 20
    ends = [page.end for page in pages if page.resumes_at_once]
    assert ends == [*({"file": n, "line": 0} for n in range(1, 5)), None]


def test_whoever_goes_on_after_any_page_reads_the_rest(source: ExportFiles) -> None:
    pages = list(source.pages(0, after=None))
    for read, page in enumerate(pages[:-1], start=1):
        after = json.loads(json.dumps(page.end))
        rest = list(source.pages(0, after=after))
        assert [key for one in rest for key in keys_of(one)] == [
            key for one in pages[read:] for key in keys_of(one)
        ]
        assert [one.columns for one in rest] == [one.columns for one in pages[read:]]
        assert [one.end for one in rest] == [one.end for one in pages[read:]]


def read_before(pages: list[Page], last: Page) -> int:
    """How many items there are up to the end of that page."""
    return sum(page.scanned for page in pages[: pages.index(last) + 1])


@pytest.mark.parametrize("block_bytes", [1, 333, 2**20])
def test_a_cursor_is_a_place_in_the_file_however_large_the_blocks_are(
    source: ExportFiles, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    """The next worker may be of a version with other blocks."""
    pages = list(source.pages(0, after=None))
    whole = [key for page in pages for key in keys_of(page)]
    monkeypatch.setattr(lines, "BLOCK_BYTES", block_bytes)
    for page in pages[:-1]:
        rest = [key for one in source.pages(0, after=page.end) for key in keys_of(one)]
        assert rest == whole[read_before(pages, page) :]


def test_the_time_of_going_on_is_no_pages_time(table: Pipeline, small_blocks: None) -> None:
    export = table.put_export(trips(40))
    table.planned_export(export_manifest=export.url)
    seconds = iter(range(1000))
    plan = plan_of(table)
    assert plan.export is not None
    source = ExportFiles(
        bucket=Bucket(table.s3, BUCKET_NAME),
        plan=plan,
        export=plan.export,
        clock=lambda: float(next(seconds)),
    )
    first, *others = source.pages(0, after=next(source.pages(0, after=None)).end)
    assert first.sought_ms == 1000
    assert {page.sought_ms for page in others} == {0}
    assert {page.sought_ms for page in source.pages(0, after=None)} == {0}


def test_every_request_is_for_the_version_that_was_begun(
    source: ExportFiles, table: Pipeline
) -> None:
    asked: list[dict[str, Any]] = []
    hook(
        table.s3,
        "provide-client-params.s3.GetObject",
        lambda params, **_: asked.append({**params}),
    )
    list(source.pages(0, after=None))
    of_first = [one for one in asked if one["Key"] == asked[0]["Key"]]
    assert len(of_first) > 2
    etag = table.s3.head_object(Bucket=BUCKET_NAME, Key=asked[0]["Key"])["ETag"]
    assert [one.get("IfMatch") for one in of_first] == [None] + [etag] * (len(of_first) - 1)
    assert [one["Range"] for one in of_first[:2]] == ["bytes=0-149", "bytes=150-299"]


# Whole runs


def test_a_run_over_an_export_publishes_what_the_files_have(table: Pipeline) -> None:
    export = table.put_export(*FILES)
    summary = table.run(export_manifest=export.url)
    assert (summary["scanned"], summary["incomplete"]) == (66, 7)
    assert summary["rejected"] == {"fare_not_a_number": 7}
    assert (summary["counted"], summary["segments"], summary["read_units"]) == (52, 5, 0)
    assert (summary["source"], summary["export_arn"]) == ("export", export.written.arn)
    assert summary["as_of"] == EXPORTED_AT.isoformat(timespec="microseconds")
    assert set(table.objects("kpis/")) == {
        f"kpis/date=2024-05-{day}/kpi.json" for day in (25, 26, 27)
    }
    head = table.s3.head_object(Bucket=BUCKET_NAME, Key="kpis/date=2024-05-25/kpi.json")
    assert head["Metadata"]["as-of"] == summary["as_of"]
    assert table.scans == []


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_small_files_share_a_segment(table: Pipeline, segments: int) -> None:
    export = table.put_export(*FILES)
    alone = table.run("alone", export_manifest=export.url)
    figures = table.objects("kpis/")
    table.remove("kpis/")
    shared = table.run("shared", export_manifest=export.url, total_segments=segments)
    assert (alone["segments"], shared["segments"]) == (5, segments)
    assert table.objects("kpis/") == figures


def test_an_export_of_an_empty_table_is_a_whole_run_without_days(table: Pipeline) -> None:
    for number, files in enumerate([(), ([],), ([], [], [])]):
        export = table.put_export(*files)
        summary = table.run(f"run-{number}", export_manifest=export.url)
        assert (summary["scanned"], summary["days_published"]) == (0, 0)
        assert summary["segments"] == max(1, len(files))
    assert table.objects("kpis/") == {}


def test_a_file_of_one_item_as_large_as_items_can_be(table: Pipeline) -> None:
    (large,) = trips(1, first=2, padding={"S": "\u00e9" * 204_000})
    export = table.put_export([large], trips(2, first=5, padding={"S": "x" * 409_000}))
    summary = table.run(export_manifest=export.url)
    assert (summary["scanned"], summary["counted"]) == (3, 3)
    assert summary["total_fare"] == "13.75"


def test_a_run_makes_the_export_that_it_reads(table: Pipeline) -> None:
    table.put(trips(30))
    summary = table.run(source="export")
    assert (summary["scanned"], summary["segments"]) == (30, 8)
    assert summary["export_arn"].startswith("arn:aws:dynamodb:us-east-1:123456789012:table/trips/")
    assert any(
        key.startswith("exports/run=run-1/AWSDynamoDB/") for key in table.objects("exports/")
    )


def test_writes_after_the_instant_are_not_in_the_figures(table: Pipeline) -> None:
    table.put(trips(30))
    planned = table.planned_export()
    table.put(trips(30, first=30))
    for segment in planned["segments"]:
        table.scan(segment)
    assert table.merge()["scanned"] == 30


# The order of runs by their instants


def figure(pipeline: Pipeline) -> int:
    body = pipeline.objects("kpis/")["kpis/date=2024-05-25/kpi.json"]
    total: int = json.loads(body)["total_fare"]
    return total


def fare(amount: int) -> dict[str, Any]:
    return trip(fare_amount={"N": str(amount)})


def test_a_later_run_over_an_older_instant_leaves_the_newer_figures(table: Pipeline) -> None:
    older = table.put_export([fare(7)], export_time=EXPORTED_AT - timedelta(days=1))
    newer = table.put_export([fare(8)], export_time=EXPORTED_AT)
    assert table.run("first", export_manifest=newer.url)["days_published"] == 1
    again = table.run("second", export_manifest=older.url)
    assert (again["days_published"], again["days_superseded"]) == (0, 1)
    assert figure(table) == 8


def test_a_later_run_over_a_newer_instant_overwrites_the_older_figures(table: Pipeline) -> None:
    older = table.put_export([fare(7)], export_time=EXPORTED_AT - timedelta(days=1))
    newer = table.put_export([fare(8)], export_time=EXPORTED_AT)
    table.run("first", export_manifest=older.url)
    assert table.run("second", export_manifest=newer.url)["days_published"] == 1
    assert figure(table) == 8


def test_of_two_runs_over_the_same_export_the_one_that_was_planned_later_decides(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever their names are, and whichever ends last: the first was begun with a mistake."""
    export = table.put_export(trips(60))
    monkeypatch.setenv("FARE_ATTRIBUTE", "estimated_fare_amount")
    assert table.run("z-with-a-mistake", export_manifest=export.url)["days_published"] > 0
    monkeypatch.setenv("FARE_ATTRIBUTE", "fare_amount")
    corrected = table.run("corrected", export_manifest=export.url)
    assert (corrected["days_superseded"], corrected["days_unchanged"]) == (0, 0)
    of_corrected = table.objects("kpis/")
    monkeypatch.setenv("FARE_ATTRIBUTE", "estimated_fare_amount")
    assert table.merge("z-with-a-mistake")["days_published"] == 0
    assert table.objects("kpis/") == of_corrected
    assert corrected["days_published"] > 0


def test_an_export_from_before_a_scan_leaves_the_scans_figures_in_either_order(
    table: Pipeline,
) -> None:
    older = table.put_export([fare(7)])
    table.put([fare(8)])
    table.run("scan-first")
    assert table.run("export-second", export_manifest=older.url)["days_superseded"] == 1
    assert figure(table) == 8
    table.remove("kpis/")
    table.remove("runs/")
    table.run("export-first", export_manifest=older.url)
    assert table.run("scan-second")["days_published"] == 1
    assert figure(table) == 8


def test_a_scan_that_was_planned_before_the_instant_leaves_the_exports_figures(
    table: Pipeline,
) -> None:
    table.put([fare(7)])
    table.plan("scan", total_segments=1)
    table.scan(run_id="scan")
    table.put([fare(8)])
    assert table.run("export", source="export")["days_published"] == 1
    assert table.merge("scan")["days_superseded"] == 1
    assert figure(table) == 8


# Exports that are not what DynamoDB says


def wrong_md5(export: StoredExport) -> None:
    """The same lines, compressed otherwise."""
    body = gzip.decompress(export.body(export.data_keys[0]))
    export.put(export.data_keys[0], gzip.compress(body, 9))


def cut(export: StoredExport) -> None:
    export.put_data(0, export.body(export.data_keys[0])[:-20])


def cut_between_lines(export: StoredExport) -> None:
    body = gzip.decompress(export.body(export.data_keys[0]))
    export.put_data(0, gzip.compress(b"".join(body.splitlines(keepends=True)[:-1])))


def wrong_counts(export: StoredExport) -> None:
    """Each file's, where their sum is right."""

    def change(files: list[dict[str, Any]]) -> None:
        files[0]["itemCount"] += 1
        files[1]["itemCount"] -= 1

    export.list(change)


def no_json(export: StoredExport) -> None:
    body = gzip.decompress(export.body(export.data_keys[0])).splitlines(keepends=True)
    body[3] = b"{no json}\n"
    export.put_data(0, gzip.compress(b"".join(body)))


def replaced_while_read(export: StoredExport) -> None:
    key = export.data_keys[0]
    another = export.body(key) + gzip.compress(b"")
    before_second_request(export, lambda: export.put(key, another))


def removed_while_read(export: StoredExport) -> None:
    before_second_request(export, lambda: export.delete(export.data_keys[0]))


def before_second_request(export: StoredExport, act: Callable[[], object]) -> None:
    """Has `act` done before the second request for the first data file."""
    requests = iter(range(10**6))

    def in_between(params: dict[str, Any], **_: Any) -> None:
        if params["Key"] == export.data_keys[0] and next(requests) == 1:
            act()

    hook(export.s3, "provide-client-params.s3.GetObject", in_between)


Damage = Callable[[StoredExport], object]


@pytest.mark.parametrize(
    ("damage", "kind", "said"),
    [
        (wrong_md5, CorruptExportError, "its MD5 is"),
        (cut, CorruptExportError, "it is truncated"),
        (cut_between_lines, CorruptExportError, "has 39 items, and the export's manifest says 40"),
        (wrong_counts, CorruptExportError, "has 40 items, and the export's manifest says 41"),
        (no_json, CorruptExportError, "line 4, is not an item"),
        (lambda of: of.put_data(0, b"no gzip at all, but a text"), CorruptExportError, "not gzip"),
        (
            lambda of: of.put_data(0, b""),
            ExportNotFoundError,
            "is not there, is empty, or was replaced",
        ),
        (lambda of: of.delete(of.data_keys[0]), ExportNotFoundError, "StagingExpirationDays"),
        (replaced_while_read, CorruptExportError, "was replaced or removed"),
        (removed_while_read, CorruptExportError, "was replaced or removed"),
    ],
)
@pytest.mark.parametrize("is_cut_small", [False, True])
def test_a_data_file_that_is_not_what_the_manifest_says_fails_its_worker_by_name(
    table: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    damage: Damage,
    kind: type[TripKpisError],
    said: str,
    is_cut_small: bool,
) -> None:
    """And nothing is published, nor can be."""
    monkeypatch.setattr(export_module, "PIECE_BYTES", 150)
    if is_cut_small:
        monkeypatch.setattr(lines, "BLOCK_BYTES", 500)
        monkeypatch.setattr(lines, "_COMPRESSED_BYTES", 100)
    export = table.put_export(trips(40), trips(25, first=40))
    damage(export)
    table.planned_export(export_manifest=export.url)
    with pytest.raises(kind) as caught:
        table.scan(0)
    url = f"s3://{BUCKET_NAME}/{export.data_keys[0]}"
    assert all(what in str(caught.value) for what in (url, said, "tart a new run"))
    with pytest.raises((kind, ExportNotFoundError)):  # and again
        table.scan(0)
    with pytest.raises(MissingSegmentError):
        table.merge()
    assert published(table) == {}


@pytest.mark.parametrize(
    ("damage", "kind", "said"),
    [
        (
            lambda of: of.delete(of.written.manifest_key),
            ExportNotFoundError,
            ["manifest-summary.json is not there", "StagingExpirationDays"],
        ),
        (
            lambda of: of.delete(of.key("manifest-files.json")),
            ExportNotFoundError,
            ["manifest-files.json is not there"],
        ),
        (
            lambda of: of.delete(of.key("manifest-summary.md5")),
            CorruptExportError,
            ["manifest-summary.json has no checksum", ".md5 or .checksum"],
        ),
        (
            lambda of: of.delete(of.key("manifest-files.md5")),
            CorruptExportError,
            ["manifest-files.json has no checksum"],
        ),
        (
            lambda of: of.put(of.key("manifest-files.md5"), b"1B2M2Y8AsgTpgAmY7PhCfg=="),
            CorruptExportError,
            ["manifest-files.json is damaged", "1B2M2Y8AsgTpgAmY7PhCfg=="],
        ),
        (
            lambda of: of.put(of.written.manifest_key, of.body(of.written.manifest_key) + b"\n"),
            CorruptExportError,
            ["manifest-summary.json is damaged"],
        ),
        (
            lambda of: of.say(tableId="another"),
            InputError,
            ["id another", "name an export of this table"],
        ),
        (lambda of: of.say(outputFormat="ION"), InputError, ["ION", "DYNAMODB_JSON"]),
        (lambda of: of.say(exportType="INCREMENTAL_EXPORT"), InputError, ["INCREMENTAL_EXPORT"]),
        (lambda of: of.say(itemCount=66), CorruptExportError, ["65 items in all", "says 66"]),
        (
            lambda of: of.list(lambda files: files.pop()),
            CorruptExportError,
            ["40 items in all", "says 65"],
        ),
        (
            lambda of: of.list(lambda files: files.append(files[0])),
            CorruptExportError,
            ["names a data file twice"],
        ),
    ],
)
def test_manifests_that_are_wrong_fail_the_plan_before_anything_is_read(
    table: Pipeline, damage: Damage, kind: type[TripKpisError], said: list[str]
) -> None:
    export = table.put_export(trips(40), trips(25, first=40))
    damage(export)
    with pytest.raises(kind) as caught:
        table.planned_export(export_manifest=export.url)
    folder = export.url.removesuffix("manifest-summary.json")
    assert all(what in str(caught.value) for what in [folder, *said])
    assert list(table.objects("staging/")) == ["staging/run=run-1/plan.json"]
    with pytest.raises(PlanNotFoundError, match="still waits for its export"):
        table.scan(0)
    assert published(table) == {}


def test_an_old_export_without_a_type_is_read_and_checksums_of_either_name(
    table: Pipeline,
) -> None:
    export = table.put_export(trips(40))
    export.say(exportType=None)
    for name in ("manifest-files", "manifest-summary"):
        export.put(export.key(f"{name}.checksum"), export.body(export.key(f"{name}.md5")) + b"\n")
        export.delete(export.key(f"{name}.md5"))
    assert table.run(export_manifest=export.url)["scanned"] == 40


def test_an_export_may_have_been_copied_elsewhere(table: Pipeline) -> None:
    export = table.put_export(*FILES)
    table.s3.create_bucket(Bucket="copies")
    for key in export.written.keys:
        name = key.partition("AWSDynamoDB/")[2].partition("/")[2]
        table.s3.put_object(Bucket="copies", Key=f"of may/{name}", Body=export.body(key))
        export.delete(key)
    url = "s3://copies/of may/manifest-summary.json"
    assert table.run(export_manifest=url)["scanned"] == 66


# Planning


def test_an_export_is_begun_described_and_planned_once(table: Pipeline) -> None:
    table.put(trips(10))
    planned = table.plan(source="export")
    source = planned["source"]
    assert source == {
        "step": "start",
        "arn": None,
        "table_arn": "arn:aws:dynamodb:us-east-1:123456789012:table/trips",
        "bucket": BUCKET_NAME,
        "prefix": "exports/run=run-1",
        "token": source["token"],
        "kms_key_arn": None,
    }
    assert table.plan("retry", run_id="run-1")["source"] == source
    arn = table.start_export(source)
    assert table.start_export(source) == arn
    assert table.plan("resumed", run_id="run-1")["source"] == {"step": "describe", "arn": arn}
    table.plan_export(planned, arn=arn)
    assert table.plan("again", run_id="run-1")["source"] == {"step": "plan", "arn": None}


def test_another_run_begins_another_export(table: Pipeline) -> None:
    tokens = {table.plan(name, source="export")["source"]["token"] for name in ("a", "b")}
    assert len(tokens) == 2
    assert {len(token) for token in tokens} == {32}


def test_with_a_key_of_the_customer_the_export_has_it_too(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1b2c3d4e"
    monkeypatch.setenv("BUCKET_KMS_KEY_ARN", key)
    source = table.plan(source="export")["source"]
    assert (source["step"], source["kms_key_arn"]) == ("start_with_key", key)


def test_without_point_in_time_recovery_nothing_is_begun(table: Pipeline) -> None:
    table.turn_recovery(False)
    with pytest.raises(PointInTimeRecoveryError) as caught:
        table.plan(source="export")
    said = str(caught.value)
    assert "aws dynamodb update-continuous-backups --table-name trips" in said
    assert "source scan" in said
    assert table.objects("exports/") == published(table) == {}
    table.turn_recovery(True)
    assert table.planned_export("another")["segments"]


def test_an_export_that_is_there_needs_no_point_in_time_recovery(table: Pipeline) -> None:
    table.put(trips(10))
    arn = table.start_export(table.plan(source="export")["source"])
    table.turn_recovery(False)
    assert table.run("by-arn", export_arn=arn)["scanned"] == 10
    by_hand = table.put_export(trips(10))
    assert table.run("by-manifest", export_manifest=by_hand.url)["scanned"] == 10


def test_a_failed_export_fails_the_run_with_its_code_and_message(table: Pipeline) -> None:
    table.exports = ExportBehavior(failure=("S3AccessDenied", "may not write there"))
    with pytest.raises(ExportFailedError) as caught:
        table.planned_export()
    said = ("FAILED", "S3AccessDenied", "may not write there", "Start a new run", "source scan")
    assert all(what in str(caught.value) for what in said)
    assert "staging/run=run-1/export.json" not in table.objects("staging/")
    assert published(table) == {}


def test_an_export_that_is_not_complete_yet_is_a_reason_to_try_again(table: Pipeline) -> None:
    table.put(trips(10))
    table.exports = ExportBehavior(in_progress=1)
    planned = table.plan(source="export")
    arn = table.start_export(planned["source"])
    with pytest.raises(TransientError, match="not complete yet"):
        table.plan_export(planned, arn=arn)
    assert table.plan_export(planned, arn=arn)["segments"]


def test_an_export_that_nobody_knows_is_not_found(table: Pipeline) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/trips/export/01716603300000-a1b2c3d4"
    with pytest.raises(ExportNotFoundError) as caught:
        table.planned_export(export_arn=arn)
    assert all(what in str(caught.value) for what in (arn, "start a new run"))


def test_an_export_that_has_expired_is_not_found(table: Pipeline) -> None:
    """DynamoDB still knows it, and its objects are gone."""
    table.put(trips(10))
    arn = table.start_export(table.plan(source="export")["source"])
    table.remove("exports/")
    with pytest.raises(ExportNotFoundError, match="expires with StagingExpirationDays"):
        table.planned_export("later", export_arn=arn)


def test_an_export_of_the_table_that_had_the_name_before_is_refused(table: Pipeline) -> None:
    table.put(trips(10))
    arn = table.start_export(table.plan(source="export")["source"])
    table.dynamodb.delete_table(TableName="trips")
    table.make_table(trips(10))
    with pytest.raises(InputError, match="is of the table"):
        table.planned_export("later", export_arn=arn)


# Resuming


def test_a_repeated_plan_of_the_export_is_the_same_though_the_export_is_gone(
    table: Pipeline,
) -> None:
    """A retry, a redrive, and an execution that resumes the run."""
    export = table.put_export(*FILES)
    planned = table.plan(export_manifest=export.url)
    first = table.plan_export(planned)
    frozen = table.objects("staging/")
    export.delete(*export.written.keys)
    assert table.plan_export(planned) == first
    assert table.objects("staging/") == frozen
    resumed = table.planned_export("resumed", run_id="run-1")
    assert (resumed["plan_sha256"], resumed["segments"]) == (
        first["plan_sha256"],
        first["segments"],
    )


def test_a_run_that_is_continued_keeps_its_export_though_there_is_a_newer_one(
    table: Pipeline,
) -> None:
    table.put(trips(30))
    planned = table.planned_export()
    table.scan(planned["segments"][0])
    table.put(trips(30, first=30))
    began = plan_of(table)
    resumed = table.planned_export("resumed", run_id="run-1")
    for segment in resumed["segments"]:
        table.scan(segment)
    summary = table.merge()
    assert (summary["scanned"], summary["as_of"]) == (30, began.as_of)
    assert began.export is not None
    assert summary["export_arn"] == began.export.export_arn


def test_a_run_that_waited_for_its_export_goes_on_with_that(table: Pipeline) -> None:
    table.put(trips(30))
    arn = table.start_export(table.plan(source="export")["source"])
    table.put(trips(30, first=30))
    planned = table.planned_export("resumed", run_id="run-1")
    assert planned["run_id"] == "run-1"
    began = plan_of(table).export
    assert began is not None
    assert (began.export_arn, began.items) == (arn, 30)


def test_a_run_that_has_its_export_is_resumed_after_the_table_was_created_again(
    table: Pipeline,
) -> None:
    table.put(trips(30))
    planned = table.planned_export()
    table.scan(planned["segments"][0])
    table.dynamodb.delete_table(TableName="trips")
    table.make_table(trips(7, first=30))
    for segment in table.planned_export("resumed", run_id="run-1")["segments"]:
        table.scan(segment)
    assert table.merge()["scanned"] == 30


def test_a_run_that_has_its_export_is_merged_though_the_table_is_gone(table: Pipeline) -> None:
    table.put(trips(30))
    planned = table.planned_export()
    table.dynamodb.delete_table(TableName="trips")
    for segment in planned["segments"]:
        table.scan(segment)
    assert table.merge()["scanned"] == 30


def test_a_redrive_that_exports_a_table_that_was_created_again_is_refused_as_that(
    table: Pipeline,
) -> None:
    planned = table.plan(source="export")
    table.dynamodb.delete_table(TableName="trips")
    table.make_table(trips(7))
    table.turn_recovery(True)
    arn = table.start_export(planned["source"])
    for _ in range(2):
        with pytest.raises(PlanMismatchError, match="deleted and created again"):
            table.plan_export(planned, arn=arn)


def test_a_run_without_its_export_makes_none_of_a_table_that_was_created_again(
    table: Pipeline,
) -> None:
    table.plan(source="export")
    table.dynamodb.delete_table(TableName="trips")
    table.make_table(trips(7))
    table.turn_recovery(True)
    with pytest.raises(PlanMismatchError, match="deleted and created again"):
        table.plan("resumed", run_id="run-1")


def test_a_run_over_an_export_that_another_version_began_is_refused_as_that(
    table: Pipeline,
) -> None:
    export = table.put_export(trips(10))
    table.planned_export(export_manifest=export.url)
    key = "staging/run=run-1/plan.json"
    of_another = table.objects(key)[key].replace(b'"schema_version": 3', b'"schema_version": 2')
    table.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=of_another)
    with pytest.raises(PlanMismatchError, match="has schema version 2"):
        table.scan()


def test_a_run_is_not_continued_with_another_source_or_export(table: Pipeline) -> None:
    export, other = (table.put_export(trips(n)) for n in (10, 11))
    table.planned_export(export_manifest=export.url)
    table.plan("scan")
    for run_id, asked in (
        ("run-1", {"export_manifest": other.url}),
        ("run-1", {"source": "scan"}),
        ("scan", {"export_manifest": export.url}),
    ):
        with pytest.raises(PlanMismatchError):
            table.plan("resumed", run_id=run_id, **asked)
    assert table.plan("resumed", run_id="run-1", export_manifest=export.url)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b'"items":40', b'"items":41'),
        lambda body: body.replace(b'"schema_version":1', b'"schema_version":2'),
        lambda body: body.replace(b'"plan_sha256":"', b'"plan_sha256":"0'),
        lambda body: body[:-10],
        lambda body: body.replace(b"2024-06-01T02:15:00.25", b"2024-06-01T02:15:00.26"),
        lambda body: json.dumps({**json.loads(body), "segments": []}).encode(),
    ],
)
def test_a_frozen_export_that_was_changed_is_refused_by_everyone(
    table: Pipeline, change: Callable[[bytes], bytes]
) -> None:
    export = table.put_export(*FILES)
    planned = table.planned_export(export_manifest=export.url)
    key = "staging/run=run-1/export.json"
    body = table.objects("staging/")[key]
    assert change(body) != body
    table.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=change(body))
    for act in (lambda: table.scan(planned["segments"][0]), table.merge):
        with pytest.raises(PlanMismatchError):
            act()
    table.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=body)
    assert table.scan(planned["segments"][0])["finished"]


def test_a_frozen_export_of_another_run_is_refused(table: Pipeline) -> None:
    export = table.put_export(*FILES)
    for run_id in ("run-1", "run-2"):
        table.planned_export(run_id, export_manifest=export.url)
    one, other = (f"staging/run=run-{n}/export.json" for n in (1, 2))
    table.s3.copy_object(
        Bucket=BUCKET_NAME, Key=one, CopySource={"Bucket": BUCKET_NAME, "Key": other}
    )
    with pytest.raises(PlanMismatchError, match="belongs to another plan"):
        table.scan(0)


# Workers inside a file


@dataclass
class Timed:
    """A source of which every page takes some time of the invocation, and going on some more."""

    source: ExportFiles
    context: Context
    page_ms: int = 0
    seek_ms: int = 0

    def pages(self, segment: int, *, after: Cursor | None) -> Iterator[Page]:
        if after is not None and after["line"]:
            self.context.pass_time(self.seek_ms)
        if self.context.remaining_ms <= 0:
            raise OutOfTimeError
        for page in self.source.pages(segment, after=after):
            self.context.pass_time(self.page_ms)
            yield page

    def throttles_counted(self) -> AbstractContextManager[Any]:
        return self.source.throttles_counted()

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def if_throttled(self) -> str:
        return self.source.if_throttled


def work(
    pipeline: Pipeline,
    invocation: str,
    *,
    remaining_ms: int = 900_000,
    page_ms: int = 0,
    seek_ms: int = 0,
) -> Progress:
    """One invocation's work on segment 0."""
    plan = plan_of(pipeline)
    context = Context(aws_request_id=invocation, remaining_ms=remaining_ms)
    source = source_of(plan)
    assert isinstance(source, ExportFiles)
    return SegmentWorker(
        source=Timed(source, context, page_ms, seek_ms),
        log=SegmentLog(bucket=Bucket(pipeline.s3, BUCKET_NAME), plan=plan),
        plan=plan,
        segment=0,
        appender=Appender(invocation=invocation, memory_mb=512),
        pacer=Pacer.for_worker_of(plan),
        remaining_ms=context.get_remaining_time_in_millis,
    ).work()


def ends(pipeline: Pipeline) -> list[Cursor | None]:
    """Of the parts, in their order."""
    plan = plan_of(pipeline)
    log = SegmentLog(bucket=Bucket(pipeline.s3, BUCKET_NAME), plan=plan)
    return [header.end for header, _ in log.parts()]


@pytest.fixture
def one_file(table: Pipeline, small_blocks: None) -> Pipeline:
    """A run over one file of many pages, and the figures of it."""
    export = table.put_export(trips(60))
    table.run("whole", export_manifest=export.url)
    table.planned_export(export_manifest=export.url)
    return table


def check_whole(pipeline: Pipeline) -> dict[str, Any]:
    """Has the run's figures published, and compares them with those of a run in one piece."""
    whole = pipeline.objects("kpis/")
    pipeline.remove("kpis/")
    pipeline.remove("runs/")
    summary = pipeline.merge()
    assert (summary["scanned"], summary["counted"]) == (60, 48)
    assert pipeline.objects("kpis/") == whole
    return summary


def test_an_invocation_without_more_time_appends_inside_a_file(one_file: Pipeline) -> None:
    invocations = 0
    while not work(one_file, f"i-{invocations}", remaining_ms=60_000, page_ms=10_000).finished:
        invocations += 1
    found = ends(one_file)
    assert len(found) > 3
    assert found[-1] is None
    inside = [end for end in found if end is not None]
    assert [end["file"] for end in inside] == [0] * len(inside)
    assert [end["line"] for end in inside] == sorted({end["line"] for end in inside})
    assert check_whole(one_file)["invocations"] == invocations + 1


def test_a_worker_that_appends_inside_a_file_reads_on_from_there(one_file: Pipeline) -> None:
    """It does not inflate the file again from its beginning: where that takes longer than the time
    between two checkpoints, every part would be of one page."""
    assert work(one_file, "i", page_ms=20_000, seek_ms=200_000).finished
    assert len(ends(one_file)) > 2
    check_whole(one_file)


def pages_of(pipeline: Pipeline) -> list[Cursor | None]:
    """The ends of the pages of segment 0."""
    return [page.end for page in source_of(plan_of(pipeline)).pages(0, after=None)]


def test_a_checkpoint_waits_for_the_end_of_a_file(table: Pipeline, small_blocks: None) -> None:
    """Where that comes before a checkpoint and a half."""
    export = table.put_export(trips(20), trips(20, first=20))
    table.planned_export(export_manifest=export.url, total_segments=1)
    pages = pages_of(table)
    of_first = pages.index({"file": 1, "line": 0}) + 1
    work(table, "i", page_ms=80_000 // max(of_first, len(pages) - of_first))
    assert ends(table) == [{"file": 1, "line": 0}, None]
    assert table.merge()["scanned"] == 40


def test_a_checkpoint_does_not_wait_for_ever(table: Pipeline, small_blocks: None) -> None:
    export = table.put_export(trips(60))
    table.planned_export(export_manifest=export.url)
    page_ms = 7_000
    work(table, "i", page_ms=page_ms)
    first = ends(table)[0]
    read = pages_of(table).index(first) + 1
    assert 90_000 <= read * page_ms < 90_000 + page_ms
    assert table.merge()["scanned"] == 60


def test_the_time_of_going_on_inside_a_huge_file_ends_in_an_error_and_not_in_a_loop(
    one_file: Pipeline,
) -> None:
    """Inflating up to the place takes longer than an invocation has."""
    assert work(one_file, "i-1", remaining_ms=60_000, page_ms=10_000).appended == 1
    stuck = work(one_file, "i-2", remaining_ms=60_000, seek_ms=61_000)
    assert (stuck.finished, stuck.appended) == (False, 0)
    with pytest.raises(NoProgressError, match=r"segment 0 of run run-1.*ScanMemory"):
        work(one_file, "i-3", remaining_ms=60_000, seek_ms=61_000)
    assert work(one_file, "i-4").finished
    check_whole(one_file)


def test_slow_going_on_leaves_time_for_a_page_and_so_comes_to_an_end(one_file: Pipeline) -> None:
    invocations = 0
    while not work(
        one_file, f"i-{invocations}", remaining_ms=60_000, page_ms=5_000, seek_ms=35_000
    ).finished:
        invocations += 1
        assert invocations < 60
    check_whole(one_file)


def test_of_two_workers_inside_a_file_one_part_wins_and_the_other_goes_on_after_it(
    one_file: Pipeline,
) -> None:
    """The zombie of an invocation that timed out, and the one in its place."""
    assert work(one_file, "i-1", remaining_ms=60_000, page_ms=10_000).appended == 1
    before = ends(one_file)
    once_before(
        "PutObject",
        lambda: work(one_file, "zombie", remaining_ms=40_000, page_ms=10_000),
        key="part-00001.parquet",
    )
    slower = work(one_file, "i-2")
    assert (slower.finished, slower.appended) == (True, 1)
    found = ends(one_file)
    assert (found[:1], len(found), found[-1]) == (before, 3, None)
    assert found[1] is not None
    assert found[1]["line"] > before[0]["line"]  # type: ignore[index]
    assert check_whole(one_file)["invocations"] == 3


def test_a_duplicate_that_reads_the_whole_file_counts_once(one_file: Pipeline) -> None:
    once_before("PutObject", lambda: work(one_file, "i-2"), key="part-00000.parquet")
    slower = work(one_file, "i-1")
    assert (slower.finished, slower.appended, slower.counts.scanned) == (True, 0, 0)
    assert ends(one_file) == [None]
    assert check_whole(one_file)["parts"] == 1


def test_what_was_read_before_an_error_inside_a_file_is_appended(
    table: Pipeline, small_blocks: None
) -> None:
    export = table.put_export(trips(60))
    whole = export.body(export.data_keys[0])
    export.put(export.data_keys[0], whole[:-1])
    table.planned_export(export_manifest=export.url)
    for _ in range(2):
        with pytest.raises(CorruptExportError, match="it is truncated"):
            work(table, "i")
    (end,) = ends(table)
    assert end is not None
    assert end["line"] > 30
    export.put(export.data_keys[0], whole)
    assert work(table, "i-2").finished
    assert table.merge()["scanned"] == 60


def other_fares(body: bytes) -> bytes:
    return gzip.compress(gzip.decompress(body).replace(b'.25"}', b'.99"}'))


def packed_otherwise(body: bytes) -> bytes:
    return gzip.compress(gzip.decompress(body), 9)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (other_fares, bytes),
        (bytes, other_fares),
        (bytes, packed_otherwise),
        (bytes, lambda body: body[:100]),
    ],
    ids=["put right", "replaced", "packed otherwise", "cut"],
)
def test_a_file_is_resumed_only_if_its_beginning_is_what_was_read(
    table: Pipeline,
    small_blocks: None,
    first: Callable[[bytes], bytes],
    then: Callable[[bytes], bytes],
) -> None:
    """Whatever the manifest says of the file that is there now: the figures of the earlier parts
    come from the other one."""
    export = table.put_export(trips(60))
    (key,) = export.data_keys
    right = export.body(key)
    table.planned_export(export_manifest=export.url)
    export.put(key, first(right))
    assert work(table, "i-1", remaining_ms=60_000, page_ms=10_000).appended == 1
    export.put(key, then(right))
    for _ in range(2):
        with pytest.raises(CorruptExportError):
            work(table, "i-2")
    assert len(ends(table)) == 1
    with pytest.raises(MissingSegmentError):
        table.merge()


def test_no_line_of_another_file_is_appended_though_it_comes_in_fewer_bytes(
    table: Pipeline, small_blocks: None
) -> None:
    """The other file is compressed better: its lines after the cursor are there before as many
    bytes as were read of the first one."""
    noise = random.Random(1)
    items = [{**one, "noise": {"S": noise.randbytes(60).hex()}} for one in trips(60)]
    dearer = [
        {**one, "fare_amount": {"N": "999999"}, "noise": {"S": "0" * 120}} for one in trips(60)
    ]
    export = table.put_export(items)
    (key,) = export.data_keys
    right = export.body(key)
    table.run("whole", export_manifest=export.url)
    table.planned_export(export_manifest=export.url)
    assert work(table, "i-1", remaining_ms=60_000, page_ms=4_000).appended
    before = ends(table)
    export.put(
        key, gzip.compress(b"".join(json.dumps({"Item": one}).encode() + b"\n" for one in dearer))
    )
    for _ in range(2):
        with pytest.raises(CorruptExportError, match="was replaced"):
            work(table, "i-2")
    assert ends(table) == before
    export.put(key, right)
    assert work(table, "i-3").finished
    check_whole(table)
