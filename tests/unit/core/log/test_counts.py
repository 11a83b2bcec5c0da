"""Counts that add up."""

from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts

numbers = st.integers(0, 10**12)
any_counts = st.builds(
    Counts,
    pages=numbers,
    scanned=numbers,
    excluded=numbers,
    incomplete=numbers,
    rejected=st.dictionaries(st.sampled_from(Reason), st.integers(1, 10**12)),
    counted=numbers,
    read_units=st.integers(0, 10**12).map(lambda halves: halves / 2),
    throttles=st.dictionaries(st.text(max_size=3), st.integers(1, 10**12)),
)


@given(any_counts, any_counts, any_counts)
def test_counts_are_a_commutative_monoid(a: Counts, b: Counts, c: Counts) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Counts() == a == Counts() + a


@given(any_counts)
def test_reading_inverts_writing(counts: Counts) -> None:
    assert Counts.from_json(counts.to_json()) == counts


def test_throttles_are_written_in_one_order() -> None:
    counts = Counts(throttles={"b": 1}) + Counts(throttles={"a": 2, "b": 3})
    assert list(counts.to_json()["throttles"].items()) == [("a", 2), ("b", 4)]


def test_counts_balance_when_every_scanned_item_became_one_of_the_four() -> None:
    rejected = {Reason.TIME_MISSING: 2, Reason.FARE_TOO_LARGE: 1}
    counts = Counts(scanned=15, excluded=5, incomplete=4, rejected=rejected, counted=3)
    assert counts.balances
    assert counts.rejected_in_all == 3
    assert not (counts + Counts(scanned=1)).balances
    assert not (counts + Counts(counted=1)).balances
    assert not (counts + Counts(incomplete=1)).balances
    assert not (counts + Counts(excluded=1)).balances
    assert not (counts + Counts(rejected={Reason.FARE_TOO_LARGE: 1})).balances


@given(any_counts, any_counts)
def test_the_sum_of_what_balances_balances(a: Counts, b: Counts) -> None:
    def balanced(counts: Counts) -> Counts:
        became = counts.excluded + counts.incomplete + counts.rejected_in_all + counts.counted
        return counts + Counts(scanned=became - counts.scanned)

    assert (balanced(a) + balanced(b)).balances
