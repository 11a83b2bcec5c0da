"""The checker sees what a broken product would do at the end of a run."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from tests.faults.check import Checker
from tests.faults.http_calls import Call
from tests.faults.runs import Run
from tests.faults.store import Store
from tests.faults.table import Table
from tests.faults.trips import Truth

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
