"""Repeats calls to AWS until they are answered, for a run that is followed for hours."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from ops.stack.account import AccountError
from trip_kpis.aws.throttling import Backoff

GIVE_UP_MINUTES = 15
"""minutes without an answer"""
_TRANSIENT = (BotoConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)
_TOO_MANY_REQUESTS = {"SlowDown", "TooManyRequestsException", "RequestLimitExceeded"}

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class UntilAnswered:
    """Repeats a call whose error is transient, with growing waits.

    It says once that AWS does not answer, and once that it answers again.
    """

    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, call: Callable[[], _Answer], /) -> _Answer:
        """Returns the call's answer. Raises its error where that is not transient, and AccountError
        after GIVE_UP_MINUTES without an answer."""
        backoff = Backoff()
        lost_at = None
        while True:
            try:
                answer = call()
            except (BotoCoreError, ClientError, ResponseParserError) as error:
                if not is_transient(error):
                    raise
                if lost_at is None:
                    lost_at = self.clock()
                    self.say(
                        f"AWS does not answer ({error}). The run continues there; trying again for "
                        f"{GIVE_UP_MINUTES} minutes."
                    )
                elif self.clock() - lost_at >= GIVE_UP_MINUTES * 60:
                    raise AccountError(
                        f"AWS has not answered for {GIVE_UP_MINUTES} minutes: {error}"
                    ) from error
                self.sleep(backoff.next_seconds())
            else:
                if lost_at is not None:
                    self.say("AWS answers again.")
                return answer


def is_transient(error: Exception) -> bool:
    """Returns whether the same call may be answered later: no connection, throttling, a server's
    error."""
    if not isinstance(error, ClientError):
        return isinstance(error, _TRANSIENT)
    code = error.response["Error"].get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return "Throttl" in code or code in _TOO_MANY_REQUESTS or status == 429 or status >= 500
