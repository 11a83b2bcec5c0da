"""Calls that are repeated until AWS answers, by a clock that only their waits move."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)

from ops.stack.account import AccountError
from ops.stack.retries import GIVE_UP_MINUTES, UntilAnswered, is_transient

LOST = EndpointConnectionError(endpoint_url="https://states.eu-west-1.amazonaws.com")


def answered(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "DescribeExecution")  # type: ignore[arg-type]


@dataclass
class Asked:
    """What is said, and the time that passes: only by waiting."""

    said: list[str] = field(default_factory=list)
    now: float = 0.0

    @property
    def ask(self) -> UntilAnswered:
        return UntilAnswered(self.said.append, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def failing(*errors: Exception) -> Callable[[], str]:
    """A call that raises these, one after the other, and then answers."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


def test_an_answer_at_once_is_an_answer() -> None:
    asked = Asked()
    assert (asked.ask(failing()), asked.said, asked.now) == ("answer", [], 0)


def test_a_lost_network_is_reported_once_and_so_is_its_return() -> None:
    asked = Asked()
    assert asked.ask(failing(*[LOST] * 9)) == "answer"
    lost, back = asked.said
    assert "AWS does not answer (Could not connect" in lost
    assert "The run continues there" in lost
    assert back == "AWS answers again."


def test_waits_become_longer_and_no_longer_than_a_minute() -> None:
    asked, waits = Asked(), list[float]()
    ask = UntilAnswered(asked.said.append, clock=lambda: 0.0, sleep=waits.append)
    ask(failing(*[LOST] * 20))
    assert waits[0] <= 2 < waits[3]
    assert max(waits) <= 60


def test_it_gives_up_after_a_time_without_an_answer() -> None:
    asked = Asked()
    with pytest.raises(AccountError, match=f"not answered for {GIVE_UP_MINUTES} minutes"):
        asked.ask(failing(*[LOST] * 1000))
    assert GIVE_UP_MINUTES * 60 <= asked.now <= GIVE_UP_MINUTES * 60 + 60
    assert len(asked.said) == 1


def test_an_answer_begins_that_time_anew() -> None:
    asked = Asked()
    for _ in range(100):
        asked.ask(failing(*[LOST] * 5))
    assert asked.now > GIVE_UP_MINUTES * 60


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (LOST, True),
        (ReadTimeoutError(endpoint_url="https://s3"), True),
        (answered("ThrottlingException", 400), True),
        (answered("SlowDown", 503), True),
        (answered("InternalError", 500), True),
        (answered("", 429), True),
        (answered("AccessDeniedException", 400), False),
        (answered("ExecutionDoesNotExist", 400), False),
        (answered("ExpiredTokenException", 403), False),
        (UnauthorizedSSOTokenError(), False),
        (NoCredentialsError(), False),
    ],
    ids=str,
)
def test_only_what_may_be_answered_later_is_repeated(error: Exception, expected: bool) -> None:
    assert is_transient(error) is expected
    asked = Asked()
    if expected:
        assert asked.ask(failing(error)) == "answer"
    else:
        with pytest.raises(type(error)):
            asked.ask(failing(error))
        assert asked.said == []
