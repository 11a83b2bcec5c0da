"""A call that may not outlast what is left of an invocation."""

from threading import Event

import pytest

from trip_kpis.aws.deadline import OutOfTimeError, within


def test_what_a_call_gives_or_raises_in_time_is_given_and_raised() -> None:
    assert within(60, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_a_call_that_hangs_is_given_up() -> None:
    hang = Event()
    with pytest.raises(OutOfTimeError):
        within(0.01, hang.wait)
    hang.set()


@pytest.mark.parametrize("seconds", [0, -1])
def test_with_no_time_left_the_call_is_not_made(seconds: float) -> None:
    made = []
    with pytest.raises(OutOfTimeError):
        within(seconds, lambda: made.append(1))
    assert made == []


def test_a_time_out_of_the_calls_own_is_no_lack_of_time() -> None:
    def call() -> None:
        raise TimeoutError("the call's own")

    with pytest.raises(TimeoutError, match="the call's own"):
        within(60, call)
