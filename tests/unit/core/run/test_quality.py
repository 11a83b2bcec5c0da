"""The gate before publishing: a run in which nothing counts."""

import pytest

from tests.samples import counts
from trip_kpis.core.errors import NothingCountedError
from trip_kpis.core.run.quality import check_something_counts


def test_what_is_all_excluded_points_to_the_conditions() -> None:
    with pytest.raises(NothingCountedError) as caught:
        check_something_counts(counts(counted=0, excluded=7))
    assert "none of the 7 items of the table counts (7 are excluded, " in str(caught.value)
    assert "[item.where]" in str(caught.value)


def test_what_is_incomplete_points_to_the_attributes() -> None:
    with pytest.raises(NothingCountedError) as caught:
        check_something_counts(counts(counted=0, incomplete=6, excluded=1))
    assert "1 are excluded, 6 are incomplete" in str(caught.value)
    assert "FareAttribute" in str(caught.value)


def test_an_empty_table_and_one_trip_pass() -> None:
    check_something_counts(counts(counted=0))
    check_something_counts(counts(counted=1, excluded=9))
