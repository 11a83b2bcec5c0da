"""What throttling is, and how long a worker stays away from it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from trip_kpis.aws.clients import aws_call
from trip_kpis.aws.throttling import Backoff, is_throttling, listed
from trip_kpis.core.errors import TransientError


def transient(error: Exception) -> TransientError:
    """As the boundary raises it."""
    with pytest.raises(TransientError) as caught, aws_call("dynamodb:Scan", "trips"):
        raise error
    return caught.value


def answered(code: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}, **more}, "Scan")


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    ],
)
def test_too_many_requests_is_throttling(code: str) -> None:
    assert is_throttling(transient(answered(code)))


@pytest.mark.parametrize(
    "error",
    [
        answered("InternalServerError"),
        answered("LimitExceededException"),
        ReadTimeoutError(endpoint_url="dynamodb"),
    ],
)
def test_other_trouble_is_not(error: Exception) -> None:
    assert not is_throttling(transient(error))


def test_an_error_without_a_cause_is_not() -> None:
    assert not is_throttling(TransientError("something"))


def seconds(backoff: Backoff, times: int) -> list[float]:
    return [backoff.next_seconds() for _ in range(times)]


def test_waits_grow_and_are_capped() -> None:
    assert seconds(Backoff(chance=lambda: 1.0), 8) == [2, 4, 8, 16, 32, 60, 60, 60]
    assert seconds(Backoff(chance=lambda: 0.0), 8) == [1, 2, 4, 8, 16, 30, 30, 30]


def test_waits_for_ever_stay_at_the_cap() -> None:
    assert seconds(Backoff(chance=lambda: 1.0), 5_000)[-1] == 60


def test_an_answer_begins_the_waits_anew() -> None:
    backoff = Backoff(chance=lambda: 1.0)
    seconds(backoff, 5)
    backoff.over()
    assert backoff.next_seconds() == 2


def test_two_workers_do_not_wait_in_step() -> None:
    assert seconds(Backoff(), 20) != seconds(Backoff(), 20)


def test_counts_are_listed_for_a_message() -> None:
    assert listed({"b": 2, "a": 10}) == "10 a, 2 b"
