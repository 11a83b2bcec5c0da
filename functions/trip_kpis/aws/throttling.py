"""Throttling: recognizes and counts throttled answers, and decides how long to wait."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from trip_kpis.core.errors import TransientError

_CODES = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}
_LONGEST_SECONDS = 60.0


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Decides how long to wait after throttling: up to 2 s, 4 s, 8 s …, and never above 60 s.

    Up to: from half of that on, by chance, so that workers do not come back in step. Before this
    begins, botocore has retried with waits of its own.
    """

    chance: Callable[[], float] = field(default_factory=lambda: random.random)
    _in_a_row: int = field(default=0, init=False)

    def next_seconds(self) -> float:
        self._in_a_row += 1
        longest: float = min(_LONGEST_SECONDS, 2.0 ** min(self._in_a_row, 10))
        return longest * (1 + self.chance()) / 2

    def over(self) -> None:
        """Ends the throttling: an answer has arrived."""
        self._in_a_row = 0


def is_throttling(error: TransientError) -> bool:
    """Returns whether AWS answered that there were too many requests."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and bool(_reasons(cause.response))


@contextmanager
def throttles_counted(client: Any, operation: str) -> Iterator[Counter[str]]:
    """Counts by reason the throttled requests of the block, also those that botocore retries.

    `operation` is that of the requests, such as ``dynamodb.Scan``. A given-up request that is still
    under way counts, too.
    """
    event = f"needs-retry.{operation}"
    counts: Counter[str] = Counter()

    def note(response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> None:
        if response is not None:
            counts.update(_reasons(response[1]))

    client.meta.events.register(event, note)
    try:
        yield counts
    finally:
        client.meta.events.unregister(event, note)


def listed(counts: Mapping[str, int]) -> str:
    """Formats the counts for a message: ``12 TableReadKeyRangeThroughputExceeded, 3
    ThrottlingException``."""
    return ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items()))


def _reasons(answer: Mapping[str, Any]) -> list[str]:
    """Returns the reasons of an answer that botocore has parsed; the error's code if it names none;
    otherwise empty.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
    """
    code = answer.get("Error", {}).get("Code")
    if code not in _CODES:
        return []
    # ThrottlingException has it with a small letter.
    given = answer.get("ThrottlingReasons") or answer.get("throttlingReasons") or ()
    return [one["reason"] for one in given if one.get("reason")] or [code]
