"""The checker sees what a broken product would do at the end of a run."""

import hashlib
import json
import random
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.check import Checker
from tests.faults.exports import Export
from tests.faults.http_calls import Call
from tests.faults.runs import Run
from tests.faults.store import Store
from tests.faults.table import Table
from tests.faults.trips import Truth
from tests.faults.waiting import Clock, Invocation

DAY = "kpis/date=2024-05-25/kpi.json"


@pytest.fixture
def checker() -> Checker:
    store = Store(now=lambda: datetime(2024, 6, 1, tzinfo=UTC))
    return Checker(store=store, removes_vanished_days=False)


def run_of(checker: Checker) -> Run:
    run = Run(run_id="run", table=Table(items=[]), truth=Truth())
    checker.runs["run"] = run
    return run


def put(checker: Checker, key: str, body: bytes, *, as_of: str = "1") -> None:
    headers = {"x-amz-meta-as-of": as_of, "x-amz-meta-run-id": "run"}
    checker.store.answer(
        Call(operation="PutObject", url="", key=key, query={}, headers=headers, body=body)
    )


def manifest(body: bytes) -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    return json.dumps({"days": [{"date": "2024-05-25", "sha256": digest}]}).encode()


@pytest.mark.parametrize("there", [None, b"another body"])
def test_a_manifest_before_its_days(checker: Checker, there: bytes | None) -> None:
    run_of(checker)
    if there is not None:
        put(checker, DAY, there)
    checker.wrong.clear()
    put(checker, "runs/run=run/manifest.json", manifest(b"{}"))
    (wrong,) = checker.wrong
    assert "2024-05-25" in wrong


@pytest.mark.parametrize("as_of", ["1", "2"])
def test_a_manifest_after_its_days_or_a_later_runs(checker: Checker, as_of: str) -> None:
    run_of(checker)
    put(checker, DAY, b"{}" if as_of == "1" else b"a later run's", as_of=as_of)
    checker.wrong.clear()
    put(checker, "runs/run=run/manifest.json", manifest(b"{}"))
    assert checker.wrong == []


def test_a_day_before_every_segment_is_read(checker: Checker) -> None:
    run_of(checker)
    put(checker, DAY, b"{}")
    assert any("before it had read every segment" in wrong for wrong in checker.wrong)


def test_what_is_published_by_a_run_that_failed_before_its_merge(checker: Checker) -> None:
    run = run_of(checker)
    put(checker, DAY, b"{}")
    put(checker, "runs/run=run/manifest.json", manifest(b"{}"))
    checker.wrong.clear()
    checker.not_finished(run, {})
    assert len(checker.wrong) == 2
    checker.wrong.clear()
    run.merge_began = True
    checker.not_finished(run, {})
    assert checker.wrong == []


PARTS = "staging/run=run/segment=00000"


def run_of_export(checker: Checker, items: int) -> Run:
    """A run that has frozen its export, all files of which are in one segment."""
    run = run_of(checker)
    run.reads_export = True
    run.export = Export.of(
        [{"trip_id": {"S": str(number)}} for number in range(items)],
        random.Random(1),
        description=run.table.description(),
        export_id="01717460000000-abcd0001",
        prefix="exports/run=run",
        at=datetime(2024, 6, 1, tzinfo=UTC),
    )
    files = [{"key": f"{run.export.folder}/data/{file.name}"} for file in run.export.files]
    freeze(checker, run.export.arn, [files])
    return run


def freeze(checker: Checker, arn: str, segments: list[Any]) -> None:
    document = {"export_arn": arn, "segments": segments}
    put(checker, "staging/run=run/export.json", json.dumps(document).encode())


def part(*, scanned: int, start: Any = None, end: Any = None) -> bytes:
    header = {"part": 0, "segment": 0, "start": start, "end": end, "tally": {"scanned": scanned}}
    table = pa.table({}).replace_schema_metadata({"trip_kpis": json.dumps(header)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_a_part_with_the_items_between_its_cursors(checker: Checker) -> None:
    run = run_of_export(checker, items=9)
    assert run.export is not None
    first = next(n for n, file in enumerate(run.export.files) if len(file.items) > 1)
    end = {"file": first, "line": 1}
    before = run.export.place_after(0, 1, end)
    put(checker, f"{PARTS}/part-00000.parquet", part(scanned=before, end=end))
    put(checker, f"{PARTS}/part-00001.parquet", part(scanned=9 - before, start=end))
    assert checker.wrong == []


@pytest.mark.parametrize("scanned", [8, 10])
def test_a_part_with_fewer_or_more_items_than_between_its_cursors(
    checker: Checker, scanned: int
) -> None:
    run_of_export(checker, items=9)
    put(checker, f"{PARTS}/part-00000.parquet", part(scanned=scanned))
    (wrong,) = checker.wrong
    assert f"has {scanned} items, and between its cursors are 9" in wrong


def test_a_run_that_freezes_another_export_or_not_all_files_of_its_own(checker: Checker) -> None:
    run = run_of_export(checker, items=9)
    assert run.export is not None
    checker.store.objects.clear()
    freeze(checker, f"{run.export.arn}-2", [])
    (wrong,) = checker.wrong
    assert "another export" in wrong
    checker.wrong.clear()
    checker.store.objects.clear()
    freeze(checker, run.export.arn, [[]])
    (wrong,) = checker.wrong
    assert "and frozen are" in wrong


def test_a_run_of_an_export_that_scans_the_table(checker: Checker) -> None:
    run_of_export(checker, items=1)
    invocation = Invocation(
        function="ScanSegment",
        payload={"run_id": "run"},
        aws_request_id="invocation-1",
        remaining_ms=1,
        clock=Clock(),
    )
    checker.watch_scan(
        invocation,
        Call(operation="Scan", url="", key="", query={}, headers={}, body=b"{}"),
    )
    (wrong,) = checker.wrong
    assert "scans the table" in wrong


def test_what_is_published_over_a_damaged_export(checker: Checker) -> None:
    run = run_of_export(checker, items=1)
    run.must_fail = True
    checker.finished(run, {"scanned": 0, "incomplete": 0, "counted": 0})
    (wrong,) = checker.wrong
    assert "damaged export" in wrong
