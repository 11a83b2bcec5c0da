"""Many calls at once, their results in order."""

import threading
from itertools import count, islice

import pytest

from trip_kpis.aws.concurrency import in_order


def test_results_come_in_the_order_of_their_arguments_whichever_is_ready_first() -> None:
    second_done = threading.Event()

    def call(number: int) -> int:
        if number == 0:
            assert second_done.wait(30)
        if number == 1:
            second_done.set()
        return number * number

    assert list(in_order(call, range(1000))) == [number * number for number in range(1000)]


def test_nothing_in_gives_nothing_out() -> None:
    assert list(in_order(str, [])) == []


def test_the_first_failure_is_raised_and_the_rest_is_not_begun() -> None:
    begun = []

    def call(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise LookupError(number)
        return number

    with pytest.raises(LookupError):
        list(in_order(call, range(10_000)))
    assert len(begun) < 1000


def test_arguments_are_taken_as_results_are_so_that_memory_is_bounded() -> None:
    arguments = count()
    results = in_order(lambda number: number, arguments)
    assert list(islice(results, 500)) == list(range(500))
    assert next(arguments) < 1000
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("abandons", [True, False])
def test_whoever_takes_no_more_waits_for_calls_under_way_unless_they_only_read(
    abandons: bool,
) -> None:
    begun, may_end, has_ended = threading.Event(), threading.Event(), threading.Event()

    def call(number: int) -> int:
        if number == 1:
            begun.set()
            if abandons:
                may_end.wait(30)
            has_ended.set()
        return number

    results = in_order(call, range(9), workers=1, ahead=2, abandons=abandons)
    assert next(results) == 0
    assert begun.wait(30)
    results.close()  # type: ignore[attr-defined]
    assert has_ended.is_set() is not abandons
    may_end.set()
