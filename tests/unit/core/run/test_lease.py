"""Who may publish next: one merge at a time, and nobody while an earlier one may still be alive."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from trip_kpis.core.run.lease import MARGIN, Lease

NOW = datetime(2024, 6, 1, 2, 15, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)


def lease(run_id: str = "run-1", invocation: str = "i-1", ends: timedelta = TEN_MINUTES) -> Lease:
    return Lease.wanted(run_id=run_id, invocation=invocation, deadline=NOW + ends)


def test_what_is_written_is_read_back() -> None:
    assert Lease.from_bytes(lease().to_bytes(), now=NOW) == lease()


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"not JSON", b'{"run_id": 1}',
     json.dumps(json.loads(lease().to_bytes()) | {"deadline": "soon"}).encode(),
     json.dumps(json.loads(lease().to_bytes()) | {"deadline": "2024-06-01T02:20:00"}).encode(),
     lease(ends=timedelta(minutes=17)).to_bytes(), lease(ends=timedelta(days=9999)).to_bytes()],
)  # fmt: skip
def test_what_no_merge_can_have_written_is_nobodys_lease(body: bytes) -> None:
    assert Lease.from_bytes(body, now=NOW) is None


def test_another_run_waits_for_the_deadline_and_a_margin() -> None:
    closed = NOW + TEN_MINUTES + MARGIN
    assert not lease().may_be_taken_by("run-2", now=NOW)
    assert not lease().may_be_taken_by("run-2", now=closed)
    assert lease().may_be_taken_by("run-2", now=closed + timedelta(microseconds=1))


def test_an_invocation_of_the_same_run_takes_over_at_once_and_the_lease_stays_closed() -> None:
    """The earlier invocation may be alive until its own deadline, which is the later one here."""
    first, second = lease(), lease(invocation="i-2", ends=timedelta(minutes=2))
    assert first.may_be_taken_by("run-1", now=NOW)
    taken = first.taken_over_by(second)
    assert (taken.invocation, taken.deadline) == ("i-2", second.deadline)
    assert not taken.may_be_taken_by("run-2", now=NOW + timedelta(minutes=5))


def test_a_third_invocation_remembers_the_first() -> None:
    first = lease(ends=timedelta(minutes=14))
    second = first.taken_over_by(lease(invocation="i-2", ends=timedelta(minutes=1)))
    third = second.taken_over_by(lease(invocation="i-3", ends=timedelta(minutes=1)))
    assert third.closed_until == first.deadline


def test_another_run_owes_nothing_to_the_one_before() -> None:
    second = lease("run-2", "i-2", timedelta(minutes=30))
    assert lease().taken_over_by(second) == second


def test_who_follows_nobody_leaves_nothing() -> None:
    assert lease().after_release(follows=None, now=NOW) is None
    of_another_run = lease("run-2", "i-2")
    assert of_another_run.after_release(follows=lease(), now=NOW) is None


def test_who_follows_an_invocation_that_may_be_alive_leaves_the_lease_closed() -> None:
    first = lease()
    second = first.taken_over_by(lease(invocation="i-2", ends=timedelta(minutes=14)))
    left = second.after_release(follows=first, now=NOW)
    assert left is not None
    assert left.released
    assert left.closed_until == first.deadline
    assert left.may_be_taken_by("run-1", now=NOW)
    assert not left.may_be_taken_by("run-2", now=NOW + TEN_MINUTES)
    later = NOW + TEN_MINUTES + MARGIN + timedelta(seconds=1)
    assert second.after_release(follows=first, now=later) is None
