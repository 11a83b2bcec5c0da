"""How far a run is, as the logs of its segments tell."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ops.runs.run_log import Progress, RunLog
from ops.runs.storage import Listed
from tests.day_rows import as_table
from tests.samples import counts, frozen_export, header, plan
from trip_kpis.core.layout import export_key, plan_key
from trip_kpis.core.log.parts import encode

PLAN = plan(total_segments=3)
NOW = datetime(2024, 6, 1, tzinfo=UTC)


class Bucket:
    """Objects in memory, and how often each was read."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.reads: Counter[str] = Counter()

    def objects(self, prefix: str) -> Iterator[Listed]:
        yield from (Listed(key, NOW) for key in sorted(self.bodies) if key.startswith(prefix))

    def read(self, key: str) -> bytes | None:
        self.reads[key] += 1
        return self.bodies.get(key)

    def append(self, segment: int, part: int, *, scanned: int, last: bool = False) -> str:
        key = f"staging/run={PLAN.run_id}/segment={segment:05d}/part-{part:05d}.parquet"
        appended = header(
            segment=segment,
            part=part,
            counts=counts(counted=0, incomplete=scanned),
            end=None if last else {"trip_id": {"S": "t-1"}},
        )
        self.bodies[key] = encode(appended, as_table({}))
        return key


class UnreachableError(Exception):
    """The bucket cannot be read now."""


@pytest.fixture
def bucket() -> Bucket:
    planned = Bucket()
    planned.bodies[plan_key(PLAN.run_id)] = PLAN.to_bytes()
    return planned


def test_a_run_without_a_plan_has_come_nowhere() -> None:
    assert RunLog(Bucket(), PLAN.run_id).look() == Progress()


def test_a_segment_is_begun_with_its_first_part_and_finished_with_its_last(bucket: Bucket) -> None:
    log = RunLog(bucket, PLAN.run_id)
    assert log.look() == Progress(plan=PLAN)
    bucket.append(0, 0, scanned=5)
    bucket.append(2, 0, scanned=7, last=True)
    seen = log.look()
    assert (seen.begun, seen.finished, seen.parts) == ({0, 2}, {2}, 2)
    assert (seen.segments, seen.counts.scanned, seen.counts.pages) == (3, 12, 2)
    bucket.append(0, 1, scanned=1, last=True)
    seen = log.look()
    assert (seen.begun, seen.finished, seen.parts) == ({0, 2}, {0, 2}, 3)
    assert (seen.counts.scanned, seen.counts.read_units) == (13, 1.5)


def test_every_part_is_read_once_however_often_one_looks(bucket: Bucket) -> None:
    log = RunLog(bucket, PLAN.run_id)
    key = bucket.append(0, 0, scanned=5)
    first = log.look()
    assert log.look() == log.look() == first
    assert bucket.reads[key] == bucket.reads[plan_key(PLAN.run_id)] == 1


def test_what_is_no_part_or_a_damaged_one_does_not_count(bucket: Bucket) -> None:
    damaged = bucket.append(0, 0, scanned=5)
    bucket.bodies[damaged] = b"PAR1 and then nothing"
    bucket.bodies[f"staging/run={PLAN.run_id}/segment=00001/notes.txt"] = b"mine"
    bucket.bodies[plan_key("run-10")] = PLAN.to_bytes()
    assert RunLog(bucket, PLAN.run_id).look() == Progress(plan=PLAN)


def test_a_plan_of_another_version_is_none(bucket: Bucket) -> None:
    bucket.bodies[plan_key(PLAN.run_id)] = b'{"schema_version": 999}'
    assert RunLog(bucket, PLAN.run_id).look() == Progress()


def test_at_least_what_was_scanned_is_expected(bucket: Bucket) -> None:
    bucket.append(0, 0, scanned=5)
    assert RunLog(bucket, PLAN.run_id).look().expected_items == 5


@pytest.mark.parametrize(
    ("files", "expected"), [((3, 4), 7), ((0, 0), 0), ((3, None), 0)], ids=repr
)
def test_what_an_export_has_is_known_once_it_is_complete(
    bucket: Bucket, files: tuple[int | None, ...], expected: int
) -> None:
    waiting = replace(PLAN, source="export")
    bucket.bodies[plan_key(PLAN.run_id)] = waiting.to_bytes()
    log = RunLog(bucket, PLAN.run_id)
    seen = log.look()
    assert (seen.plan, seen.segments) == (waiting, 0)
    assert seen.plan is not None
    assert seen.plan.waits_for_export
    frozen = frozen_export(*files, as_of=NOW)
    bucket.bodies[export_key(PLAN.run_id)] = frozen.to_bytes()
    seen = log.look()
    assert (seen.segments, seen.expected_items) == (2, expected)
    assert seen.plan is not None
    assert seen.plan.as_of == frozen.as_of
    assert log.look() == seen
    assert bucket.reads[export_key(PLAN.run_id)] == 2, "once in vain"


def test_a_look_that_fails_loses_no_part(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.append(0, 0, scanned=5)
    lost = bucket.append(1, 0, scanned=7)
    log, read = RunLog(bucket, PLAN.run_id), bucket.read

    def fail(key: str) -> bytes | None:
        if key == lost:
            raise UnreachableError
        return read(key)

    monkeypatch.setattr(bucket, "read", fail)
    with pytest.raises(UnreachableError):
        log.look()
    monkeypatch.undo()
    assert log.look().counts.scanned == 12
