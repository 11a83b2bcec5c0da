"""The segment log: appended once, read whole, and never believed when it was touched."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.pipeline import BUCKET_NAME, Pipeline, hook
from tests.samples import page, plan, trip
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.core.errors import (
    BrokenChainError,
    CorruptPartError,
    ForeignPartError,
    MissingSegmentError,
    TooManyPartsError,
)
from trip_kpis.core.log.part_builder import PartBuilder, Position

PLAN = plan(total_segments=2)
FOLDER = "staging/run=run-1/segment=00000/"
FIRST, SECOND = f"{FOLDER}part-00000.parquet", f"{FOLDER}part-00001.parquet"
BETWEEN = {"trip_id": {"S": "t-between"}}


def builder(position: Position, *items: dict[str, Any], end_key: Any = None) -> PartBuilder:
    of = PartBuilder(position=position, rules=PLAN.rules)
    of.add(page(items, rules=PLAN.rules, end_key=end_key))
    return of


@pytest.fixture
def log(pipeline: Pipeline) -> SegmentLog:
    return SegmentLog(bucket=Bucket(pipeline.s3, BUCKET_NAME), plan=PLAN)


def append(log: SegmentLog, of: PartBuilder, *, segment: int = 0) -> bool:
    return log.append(segment, of, Appender(invocation="i", memory_mb=512), worker_ms=7)


@pytest.fixture
def two_parts(log: SegmentLog) -> SegmentLog:
    """Segment 0, whole, in two parts."""
    first = builder(Position(), trip("a"), trip("b"), end_key=BETWEEN)
    assert append(log, first)
    assert append(log, builder(first.after, trip("c")))
    return log


def test_an_empty_log_begins_at_the_segments_beginning(log: SegmentLog) -> None:
    assert log.end(0) == Position()
    assert list(log.parts()) == []


def test_the_next_worker_goes_on_where_the_last_part_ends(log: SegmentLog) -> None:
    first = builder(Position(), trip("a"), end_key=BETWEEN)
    assert append(log, first)
    assert log.end(0) == first.after == Position(next_part=1, start=BETWEEN)
    assert log.end(1) == Position()


def test_a_part_without_an_end_key_finishes_the_segment(two_parts: SegmentLog) -> None:
    assert two_parts.end(0) == Position(next_part=2, finished=True)


def test_the_parts_hold_what_was_appended(two_parts: SegmentLog, pipeline: Pipeline) -> None:
    (first, rows), (second, _) = two_parts.parts()
    assert (first.segment, first.part, first.start, first.end) == (0, 0, None, BETWEEN)
    assert (second.part, second.start, second.end) == (1, BETWEEN, None)
    assert (first.invocation, first.worker_ms, first.memory_mb) == ("i", 7, 512)
    assert rows.to_pylist() == [
        {
            "date": date(2024, 5, 25),
            "trip_count": 2,
            "total_fare": Decimal(25),
            "min_fare": Decimal("12.5"),
            "max_fare": Decimal("12.5"),
        }
    ]
    assert list(pipeline.objects()) == [FIRST, SECOND]


def test_of_two_that_append_the_same_part_the_second_is_reported_so(
    log: SegmentLog, pipeline: Pipeline
) -> None:
    faster = builder(Position(), trip("a"), end_key=BETWEEN)
    slower = builder(Position(), trip("a"), trip("b"))
    assert append(log, faster)
    before = pipeline.objects()
    assert not append(log, slower)
    assert pipeline.objects() == before
    assert log.end(0) == faster.after


def test_the_rejected_trips_are_there_before_the_part_that_names_them(
    log: SegmentLog, pipeline: Pipeline
) -> None:
    assert append(log, builder(Position(), trip("a", fare_amount={"S": "free"})))
    ((header, _),) = log.parts()
    assert header.quarantine_key is not None
    assert header.quarantine_key.startswith("quarantine/run=run-1/segment=00000/part-00000-")
    assert header.quarantine_key in pipeline.objects()


@pytest.mark.parametrize("damage", [b"\x00", b"", b"PAR1"])
def test_a_part_with_other_bytes_is_damaged(
    two_parts: SegmentLog, pipeline: Pipeline, damage: bytes
) -> None:
    overwrite(pipeline, SECOND, damage)
    for read in (lambda: two_parts.end(0), lambda: list(two_parts.parts())):
        with pytest.raises(CorruptPartError, match="part-00001"):
            read()


def overwrite(pipeline: Pipeline, key: str, body: bytes, *, metadata: Any = None) -> None:
    """As something does that may write to the bucket; it keeps the metadata if given none."""
    kept = pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=key)["Metadata"]
    pipeline.s3.put_object(
        Bucket=BUCKET_NAME, Key=key, Body=body, Metadata=kept if metadata is None else metadata
    )


def test_a_single_flipped_bit_anywhere_is_damage(two_parts: SegmentLog, pipeline: Pipeline) -> None:
    body = pipeline.objects()[SECOND]
    for place in range(0, len(body), 97):
        flipped = bytearray(body)
        flipped[place] ^= 1
        overwrite(pipeline, SECOND, bytes(flipped))
        with pytest.raises(CorruptPartError):
            two_parts.end(0)


def test_a_truncated_part_is_damaged(two_parts: SegmentLog, pipeline: Pipeline) -> None:
    overwrite(pipeline, SECOND, pipeline.objects()[SECOND][:-1])
    with pytest.raises(CorruptPartError):
        two_parts.end(0)


def test_a_part_without_its_digest_is_damaged(two_parts: SegmentLog, pipeline: Pipeline) -> None:
    overwrite(pipeline, SECOND, pipeline.objects()[SECOND], metadata={})
    with pytest.raises(CorruptPartError):
        two_parts.end(0)


def copy(pipeline: Pipeline, source: str, to: str) -> None:
    pipeline.s3.copy_object(
        Bucket=BUCKET_NAME, Key=to, CopySource={"Bucket": BUCKET_NAME, "Key": source}
    )


@pytest.mark.parametrize("to", [SECOND, FIRST.replace("segment=00000", "segment=00001")])
def test_a_part_in_anothers_place_is_foreign(
    two_parts: SegmentLog, pipeline: Pipeline, to: str
) -> None:
    copy(pipeline, FIRST, to)
    with pytest.raises(ForeignPartError, match="holds part 0 of segment 0"):
        two_parts.end(int("segment=00001" in to))
    with pytest.raises(ForeignPartError):
        list(two_parts.parts())


def test_a_part_of_another_plan_is_foreign(two_parts: SegmentLog) -> None:
    other = SegmentLog(bucket=two_parts.bucket, plan=plan(total_segments=3))
    with pytest.raises(ForeignPartError, match="another plan of run run-1"):
        other.end(0)


def test_a_gap_breaks_the_chain(two_parts: SegmentLog, pipeline: Pipeline) -> None:
    pipeline.s3.delete_object(Bucket=BUCKET_NAME, Key=FIRST)
    with pytest.raises(BrokenChainError, match=r"segment 0 of run run-1.*part-00001"):
        two_parts.end(0)


def test_a_log_without_room_for_another_part_is_said_before_anything_is_read(
    log: SegmentLog,
) -> None:
    """A number of six digits would sort among those of five, and the log be read in that order."""
    last = Position(next_part=99_999, start=BETWEEN)
    log.check_room(0, last)
    with pytest.raises(TooManyPartsError, match=r"segment 0 of run run-1 has 100,000 parts.*total"):
        log.check_room(0, Position(next_part=100_000, start=BETWEEN))
    log.check_room(0, Position(next_part=100_000, finished=True))


def test_a_worker_stops_where_the_log_has_no_room(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trip_kpis.core.layout.LAST_PART", 1)
    pipeline.make_table(trip(f"t-{n}", padding={"S": "x" * 300_000}) for n in range(12))
    pipeline.plan(total_segments=1)
    with pytest.raises(TooManyPartsError):
        pipeline.scan(page_takes_ms=61_000)
    assert len(pipeline.objects(FOLDER)) == 2
    pipeline.scans.clear()
    with pytest.raises(TooManyPartsError):
        pipeline.scan()
    assert pipeline.scans == []


@pytest.mark.parametrize(
    "name", ["notes.txt", "part-00002.parquet.tmp", "part-2.parquet", "part-00000.parquet/x"]
)
def test_something_else_among_the_parts_is_never_passed_over(
    two_parts: SegmentLog, pipeline: Pipeline, name: str
) -> None:
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=FOLDER + name, Body=b"")
    with pytest.raises(BrokenChainError):
        two_parts.end(0)
    with pytest.raises((ForeignPartError, CorruptPartError)):
        list(two_parts.parts())


def test_a_run_whose_name_begins_like_anothers_has_its_own_log(
    two_parts: SegmentLog, log: SegmentLog
) -> None:
    longer = SegmentLog(bucket=log.bucket, plan=plan("run-10", total_segments=2))
    assert longer.end(0) == Position()
    assert append(longer, builder(Position(), trip("z")))
    assert len(list(two_parts.parts())) == 2
    assert len(list(longer.parts())) == 1


# What the merge makes of a log that was touched


@pytest.fixture
def scanned(pipeline: Pipeline) -> Pipeline:
    """A run of two segments, scanned in parts and not yet merged."""
    pipeline.make_table([trip(f"t-{n}", padding={"S": "x" * 200_000}) for n in range(24)])
    pipeline.plan(total_segments=2)
    for segment in (0, 1):
        pipeline.scan(segment, page_takes_ms=60_000)
    assert SECOND in pipeline.objects()
    return pipeline


def test_the_merge_publishes_nothing_of_a_run_that_lacks_a_part(scanned: Pipeline) -> None:
    for key, error in ((FIRST, BrokenChainError), (last_part(scanned), MissingSegmentError)):
        body, metadata = taken_away(scanned, key)
        with pytest.raises(error):
            scanned.merge()
        assert scanned.objects("kpis/") == scanned.objects("runs/") == {}
        scanned.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=body, Metadata=metadata)
    assert scanned.merge()["trips"] == 24


def last_part(pipeline: Pipeline) -> str:
    return max(pipeline.objects(FOLDER))


def taken_away(pipeline: Pipeline, key: str) -> tuple[bytes, dict[str, str]]:
    there = pipeline.s3.get_object(Bucket=BUCKET_NAME, Key=key)
    pipeline.s3.delete_object(Bucket=BUCKET_NAME, Key=key)
    return there["Body"].read(), there["Metadata"]


def test_the_merge_publishes_nothing_of_a_run_with_a_damaged_part(scanned: Pipeline) -> None:
    body = bytearray(scanned.objects()[SECOND])
    body[len(body) // 2] ^= 0x10
    overwrite(scanned, SECOND, bytes(body))
    with pytest.raises(CorruptPartError):
        scanned.merge()
    assert scanned.objects("kpis/") == scanned.objects("runs/") == {}


def test_the_merge_publishes_nothing_of_a_run_with_a_foreign_part(scanned: Pipeline) -> None:
    scanned.plan("other", total_segments=2)
    scanned.scan(0, run_id="other", page_takes_ms=60_000)
    copy(scanned, FIRST.replace("run-1", "other"), FIRST)
    with pytest.raises(ForeignPartError, match="segment 0 part 0 is of another plan"):
        scanned.merge()
    assert scanned.objects("kpis/") == {}


def test_a_worker_refuses_a_log_with_a_gap_rather_than_fix_it(scanned: Pipeline) -> None:
    taken_away(scanned, FIRST)
    with pytest.raises(BrokenChainError):
        scanned.scan(0)


def test_a_part_that_is_gone_once_it_is_listed_breaks_the_chain(
    two_parts: SegmentLog, pipeline: Pipeline
) -> None:
    def remove(**_: Any) -> None:
        pipeline.s3.delete_object(Bucket=BUCKET_NAME, Key=FIRST)

    hook(pipeline.s3, "provide-client-params.s3.GetObject", remove)
    with pytest.raises(BrokenChainError, match=f"{FIRST} was listed and is gone: start a new run"):
        list(two_parts.parts())
