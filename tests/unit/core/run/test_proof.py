"""The chain check accepts exactly the whole chains."""

import gc
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import counts, frozen_export, header, plan, prove
from trip_kpis.core.errors import (
    BrokenChainError,
    ForeignPartError,
    MissingSegmentError,
    UnbalancedCountsError,
)
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.parts import PartHeader
from trip_kpis.core.run.plan import Plan


def key(segment: int, part: int) -> dict[str, dict[str, str]]:
    return {"trip_id": {"S": f"last of part {part} of segment {segment}"}}


def chain(of: Plan, segment: int, parts: int) -> list[PartHeader]:
    return [
        header(
            plan_sha256=of.sha256,
            segment=segment,
            part=part,
            start=None if part == 0 else key(segment, part - 1),
            end=None if part == parts - 1 else key(segment, part),
            counts=counts(counted=part, incomplete=segment, **{Reason.TIME_MISSING: 1}),
        )
        for part in range(parts)
    ]


def whole(lengths: list[int]) -> tuple[Plan, list[PartHeader]]:
    of = plan(total_segments=len(lengths))
    return of, [part for n, parts in enumerate(lengths) for part in chain(of, n, parts)]


lengths = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@given(lengths, st.randoms(use_true_random=False))
def test_whole_chains_are_proved_in_any_order_and_their_counts_add_up(
    of_length: list[int], order: random.Random
) -> None:
    of, headers = whole(of_length)
    shuffled = list(headers)
    order.shuffle(shuffled)
    proof = prove(of, shuffled)
    assert [segment.segment for segment in proof.segments] == list(range(len(of_length)))
    assert [segment.parts for segment in proof.segments] == of_length
    assert proof.counts == sum((part.counts for part in headers), Counts())
    assert proof.counts.balances


@given(lengths, st.data())
def test_a_chain_that_lacks_a_part_is_not_whole(of_length: list[int], data: st.DataObject) -> None:
    of, headers = whole(of_length)
    lost = data.draw(st.sampled_from(headers))
    is_last = lost.end is None
    with pytest.raises(MissingSegmentError if is_last else BrokenChainError) as caught:
        prove(of, [part for part in headers if part is not lost])
    assert f"segment {lost.segment} " in str(caught.value)


@given(lengths, st.data())
def test_a_part_that_is_there_twice_breaks_the_chain(
    of_length: list[int], data: st.DataObject
) -> None:
    of, headers = whole(of_length)
    with pytest.raises(BrokenChainError):
        prove(of, [*headers, data.draw(st.sampled_from(headers))])


@given(st.integers(2, 6), st.data())
def test_parts_that_have_changed_places_break_the_chain(length: int, data: st.DataObject) -> None:
    of, headers = whole([length])
    a, b = data.draw(st.lists(st.integers(0, length - 1), min_size=2, max_size=2, unique=True))
    swapped = list(headers)
    swapped[a] = replace(headers[b], part=a)
    swapped[b] = replace(headers[a], part=b)
    with pytest.raises(BrokenChainError):
        prove(of, swapped)


@given(lengths, st.data())
def test_a_part_that_begins_or_ends_elsewhere_breaks_the_chain(
    of_length: list[int], data: st.DataObject
) -> None:
    of, headers = whole(of_length)
    place = data.draw(st.integers(0, len(headers) - 1))
    changes = [{"start": {"trip_id": {"S": "elsewhere"}}}]
    if headers[place].end is not None:
        changes += [{"end": {"trip_id": {"S": "elsewhere"}}}, {"end": None}]
    if headers[place].part > 0:
        changes += [{"start": None}]
    headers[place] = replace(headers[place], **data.draw(st.sampled_from(changes)))
    with pytest.raises(BrokenChainError):
        prove(of, headers)


@given(lengths, st.data())
def test_a_segment_whose_last_part_does_not_reach_the_end_is_missing(
    of_length: list[int], data: st.DataObject
) -> None:
    of, headers = whole(of_length)
    last = data.draw(st.sampled_from([n for n, p in enumerate(headers) if p.end is None]))
    headers[last] = replace(headers[last], end=key(0, 99))
    with pytest.raises(MissingSegmentError, match="has not been read to its end"):
        prove(of, headers)


@given(lengths, st.data())
def test_a_part_of_another_plan_is_foreign(of_length: list[int], data: st.DataObject) -> None:
    of, headers = whole(of_length)
    place = data.draw(st.integers(0, len(headers) - 1))
    foreign: dict[str, Any] = data.draw(
        st.sampled_from([{"plan_sha256": plan("run-2").sha256}, {"segment": len(of_length)},
                         {"segment": -1}])
    )  # fmt: skip
    headers[place] = replace(headers[place], **foreign)
    with pytest.raises(ForeignPartError):
        prove(of, headers)


@given(lengths, st.data(), st.integers(-3, 3).filter(bool))
def test_counts_that_do_not_balance_are_refused(
    of_length: list[int], data: st.DataObject, surplus: int
) -> None:
    of, headers = whole(of_length)
    place = data.draw(st.integers(0, len(headers) - 1))
    name = data.draw(st.sampled_from(["scanned", "incomplete", "counted"]))
    was = headers[place].counts
    unbalanced = replace(was, **{name: getattr(was, name) + surplus})
    headers[place] = replace(headers[place], counts=unbalanced)
    with pytest.raises(UnbalancedCountsError, match=f"segment {headers[place].segment} part"):
        prove(of, headers)


def test_two_imbalances_that_cancel_out_are_both_found() -> None:
    of, headers = whole([2])
    headers[0] = replace(headers[0], counts=headers[0].counts + Counts(scanned=1))
    headers[1] = replace(headers[1], counts=headers[1].counts + Counts(counted=1))
    with pytest.raises(UnbalancedCountsError, match=r"part 0.*part 1"):
        prove(of, headers)


def test_a_segment_that_nobody_began_is_missing() -> None:
    of, headers = whole([1, 2, 1])
    with pytest.raises(MissingSegmentError, match="segment 1 has not been begun") as caught:
        prove(of, [part for part in headers if part.segment != 1])
    assert "resume the run" in str(caught.value)


def test_no_parts_at_all_prove_nothing() -> None:
    with pytest.raises(MissingSegmentError):
        prove(plan(total_segments=1), [])


def test_a_part_after_the_end_breaks_the_chain() -> None:
    of, headers = whole([1])
    with pytest.raises(BrokenChainError, match="after the segment's end"):
        prove(of, [*headers, replace(headers[0], part=1)])


def test_a_message_lists_twenty_problems_and_counts_the_rest() -> None:
    with pytest.raises(MissingSegmentError, match="and 80 more") as caught:
        prove(plan(total_segments=100), [])
    assert str(caught.value).count("has not been begun") == 20


def test_what_is_worst_is_named_first() -> None:
    of, headers = whole([2, 1, 1])
    headers[0] = replace(headers[0], plan_sha256="0" * 64)
    with pytest.raises(ForeignPartError):
        prove(of, headers[:2])


def test_a_segments_proof_says_who_read_it_and_where_its_rejected_trips_are() -> None:
    of, headers = whole([3])
    headers[0] = replace(headers[0], invocation="a", quarantine_key="q/0", worker_ms=2000)
    headers[1] = replace(headers[1], invocation="a", worker_ms=500)
    headers[2] = replace(headers[2], invocation="b", quarantine_key="q/2", worker_ms=500)
    (segment,) = prove(of, headers).segments
    assert (segment.parts, segment.invocations) == (3, 2)
    assert segment.quarantine_keys == ("q/0", "q/2")
    assert (segment.worker_ms, segment.gb_seconds) == (3000, 1.5)


def test_headers_that_come_in_order_are_not_kept() -> None:
    of, alive = plan(total_segments=1), []

    def headers() -> Iterator[PartHeader]:
        for number in range(200):
            (part,) = chain(of, 0, 1)
            start, end = key(0, number - 1) if number else None, key(0, number)
            yield replace(part, part=number, start=start, end=end if number < 199 else None)
        alive.append(sum(type(found) is PartHeader for found in gc.get_objects()))

    before = sum(type(found) is PartHeader for found in gc.get_objects())
    assert prove(of, headers()).segments[0].parts == 200
    assert alive[0] - before < 10


def test_a_part_that_comes_before_the_one_it_follows_waits_for_it() -> None:
    of, headers = whole([4])
    assert prove(of, [headers[n] for n in (2, 3, 1, 0)]).segments[0].parts == 4
    with pytest.raises(BrokenChainError, match="segment 0 lacks part 1, but has 2, 3"):
        prove(of, [headers[n] for n in (2, 3, 0)])
    with pytest.raises(BrokenChainError, match="segment 0 has part 3 twice"):
        prove(of, [headers[n] for n in (2, 3, 3, 0, 1)])


# The items that an export says


def reading(*items: int | None) -> tuple[Plan, list[PartHeader]]:
    """Segments with so many items, read in a part for each item."""
    of = plan(source="export").with_export(frozen_export(*items))
    places: list[dict[str, int] | None] = [None, *({"file": 0, "line": n} for n in range(1, 99))]
    return of, [
        header(
            plan_sha256=of.sha256,
            segment=segment,
            part=part,
            start=places[part],
            end=None if part >= (many or 0) - 1 else places[part + 1],
            counts=counts(counted=min(1, many or 0)),
        )
        for segment, many in enumerate(items)
        for part in range(max(1, many or 0))
    ]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_an_export_is_proved_where_every_segment_has_its_items(items: list[int]) -> None:
    proof = prove(*reading(*items))
    assert [segment.counts.scanned for segment in proof.segments] == items


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data(), st.sampled_from([-1, 1, 9]))
def test_a_segment_with_more_or_fewer_items_than_the_export_says_is_refused(
    items: list[int], data: st.DataObject, surplus: int
) -> None:
    of, headers = reading(*items)
    place = data.draw(st.integers(0, len(headers) - 1))
    was, segment = headers[place].counts, headers[place].segment
    changed = replace(was, scanned=was.scanned + surplus, counted=was.counted + surplus)
    headers[place] = replace(headers[place], counts=changed)
    with pytest.raises(UnbalancedCountsError) as caught:
        prove(of, headers)
    said = f"segment {segment} has {items[segment]} items, and {items[segment] + surplus} were read"
    assert said in str(caught.value)


def test_surpluses_that_cancel_out_are_both_found() -> None:
    of, headers = reading(1, 1)
    headers[0] = replace(headers[0], counts=counts(counted=2))
    headers[1] = replace(headers[1], counts=counts(counted=0))
    with pytest.raises(UnbalancedCountsError, match=r"segment 0 has 1.*segment 1 has 1"):
        prove(of, headers)


def test_an_export_without_counts_is_proved_by_its_chains_alone() -> None:
    of, headers = reading(None)
    assert prove(of, [replace(headers[0], counts=counts(counted=7))]).counts.counted == 7


def test_parts_of_the_same_plan_with_another_export_are_foreign() -> None:
    of, headers = reading(2)
    other = plan(source="export").with_export(frozen_export(2, 0))
    with pytest.raises(ForeignPartError):
        prove(other, headers)
    with pytest.raises(ForeignPartError):
        prove(of, [replace(headers[0], plan_sha256=plan(source="export").sha256), headers[1]])
