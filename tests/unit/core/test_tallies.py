"""Counts that add up."""

from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.rejections import Reason
from trip_kpis.core.tallies import Tally

counts = st.integers(0, 10**12)
tallies = st.builds(
    Tally,
    pages=counts,
    scanned=counts,
    incomplete=counts,
    rejected=st.dictionaries(st.sampled_from(Reason), st.integers(1, 10**12)),
    counted=counts,
    read_units=st.integers(0, 10**12).map(lambda halves: halves / 2),
    throttles=st.dictionaries(st.text(max_size=3), st.integers(1, 10**12)),
)


@given(tallies, tallies, tallies)
def test_tallies_are_a_commutative_monoid(a: Tally, b: Tally, c: Tally) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Tally() == a == Tally() + a


@given(tallies)
def test_reading_inverts_writing(tally: Tally) -> None:
    assert Tally.from_json(tally.to_json()) == tally


def test_a_part_of_an_earlier_version_has_no_throttles() -> None:
    document = Tally(pages=1).to_json()
    del document["throttles"]
    assert Tally.from_json(document) == Tally(pages=1)


def test_throttles_are_written_in_one_order() -> None:
    tally = Tally(throttles={"b": 1}) + Tally(throttles={"a": 2, "b": 3})
    assert list(tally.to_json()["throttles"].items()) == [("a", 2), ("b", 4)]


def test_a_tally_balances_when_every_scanned_item_became_one_of_the_three() -> None:
    rejected = {Reason.TIME_MISSING: 2, Reason.FARE_TOO_LARGE: 1}
    tally = Tally(scanned=10, incomplete=4, rejected=rejected, counted=3)
    assert tally.balances
    assert tally.rejected_in_all == 3
    assert not (tally + Tally(scanned=1)).balances
    assert not (tally + Tally(counted=1)).balances
    assert not (tally + Tally(incomplete=1)).balances
    assert not (tally + Tally(rejected={Reason.FARE_TOO_LARGE: 1})).balances


@given(tallies, tallies)
def test_the_sum_of_what_balances_balances(a: Tally, b: Tally) -> None:
    def balanced(tally: Tally) -> Tally:
        lacking = tally.incomplete + tally.rejected_in_all + tally.counted - tally.scanned
        return tally + Tally(scanned=lacking)

    assert (balanced(a) + balanced(b)).balances
