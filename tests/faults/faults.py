"""The faults of a call, and of the delivery of an invocation, drawn from a seed."""

import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.http_calls import Call


class Fault(StrEnum):
    """The kinds of faults that are counted."""

    # The call has no effect:
    KILLED_BEFORE = "killed before a call took effect"
    TIMED_OUT_BEFORE = "time limit before a call took effect"
    PROVISIONED_THROUGHPUT = "ProvisionedThroughputExceededException"
    THROTTLING = "ThrottlingException"
    SLOW_DOWN = "SlowDown"
    CONFLICT = "ConditionalRequestConflict"
    ERROR_500 = "answer 500"
    ERROR_503 = "answer 503"
    CUT = "connection cut"
    UPLOAD_BROKEN = "body broken on its way up"
    # The call takes effect:
    KILLED_AFTER = "killed after a call took effect"
    TIMED_OUT_AFTER = "time limit after a call took effect"
    ANSWER_LOST = "response lost after the effect"
    BODY_CUT = "body cut short"
    BODY_BROKEN = "checksum broken"
    SLOW = "slow call"
    HANGS = "page that never comes"
    # It takes effect later, or something else happens first:
    DELAYED = "write delayed until after its successor (zombie)"
    TWICE_AT_ONCE = "delivered twice, interleaved"
    OVERTAKEN = "a newer run overtakes"
    # Of the world around a run:
    ARCHIVED = "published days archived"
    RECREATED = "table deleted and created again"
    DAMAGED = "export damaged"
    REPLACED = "export replaced or removed while it is read"
    PUT_RIGHT = "export put right"
    # Of a delivery:
    TWICE_IN_TURN = "delivered twice, in turn"
    TOO_MANY_REQUESTS = "Lambda.TooManyRequestsException"
    LITTLE_TIME = "almost no time left"
    DEADLY = "killed again and again"
    MERGED_EARLY = "merged before all segments were read"


_ANYWHERE = (
    Fault.KILLED_BEFORE,
    Fault.KILLED_AFTER,
    Fault.TIMED_OUT_BEFORE,
    Fault.TIMED_OUT_AFTER,
    Fault.ERROR_500,
    Fault.ERROR_503,
    Fault.CUT,
    Fault.ANSWER_LOST,
    Fault.SLOW,
    Fault.TWICE_AT_ONCE,
)
_OF_DYNAMODB = (Fault.PROVISIONED_THROUGHPUT, Fault.THROTTLING, Fault.BODY_CUT, Fault.BODY_BROKEN)
_OF_A_SCAN = (*_OF_DYNAMODB, Fault.HANGS, Fault.HANGS)
_OF_A_WRITE = (Fault.SLOW_DOWN, Fault.CONFLICT, Fault.UPLOAD_BROKEN, *(4 * (Fault.DELAYED,)))
_OF_A_READ = (Fault.SLOW_DOWN, Fault.BODY_CUT, Fault.BODY_BROKEN)
_OF_A_PIECE = (*_OF_A_READ, Fault.HANGS, Fault.HANGS)
_COMES_IN_BURSTS = {
    Fault.PROVISIONED_THROUGHPUT,
    Fault.THROTTLING,
    Fault.SLOW_DOWN,
    Fault.CONFLICT,
    Fault.ERROR_500,
    Fault.ERROR_503,
    Fault.CUT,
    Fault.BODY_CUT,
    Fault.BODY_BROKEN,
    Fault.UPLOAD_BROKEN,
    Fault.ANSWER_LOST,
}
_BURSTS = (1, 1, 1, 1, 1, 1, 2, 4, 8, 20, 80)
_RATES = (0.004, 0.02, 0.05, 0.12)
DELIVERY = (
    Fault.TWICE_IN_TURN,
    Fault.TWICE_IN_TURN,
    Fault.TOO_MANY_REQUESTS,
    Fault.LITTLE_TIME,
    Fault.LITTLE_TIME,
    Fault.DEADLY,
    Fault.MERGED_EARLY,
)
"""what can happen to a delivery"""


@dataclass(slots=True)
class Faults:
    """Draws faults one after the other; the order of the calls is part of the schedule."""

    rng: random.Random
    counts: Counter[Fault] = field(default_factory=Counter)
    is_on: bool = True
    _rate: float = field(init=False)
    _bursting: tuple[str, Fault, int] | None = None
    """(operation, fault, how many more)"""
    _deadly: int = 0
    """deliveries that are still to be killed"""

    def __post_init__(self) -> None:
        self._rate = self.rng.choice(_RATES)

    def at_call(self, call: Call) -> Fault | None:
        """Returns what happens to this attempt at a call; None: nothing."""
        if not self.is_on:
            return None
        if self._bursting and self._bursting[0] == call.operation:
            operation, fault, left = self._bursting
            self._bursting = (operation, fault, left - 1) if left > 1 else None
            return fault
        if self.rng.random() >= self._rate:
            return None
        fault = self.rng.choice(_ANYWHERE + _particular(call))
        if fault in _COMES_IN_BURSTS and (more := self.rng.choice(_BURSTS) - 1):
            self._bursting = (call.operation, fault, more)
        return fault

    def at_delivery(self) -> Fault | None:
        """Returns what happens to this delivery of an invocation."""
        if not self.is_on:
            return None
        if self._deadly:
            self._deadly -= 1
            return Fault.DEADLY
        if self.rng.random() >= self._rate:
            return None
        fault = self.rng.choice(DELIVERY)
        if fault is Fault.DEADLY:
            self._deadly = self.rng.randint(1, 12)
        return fault

    def at_service_call(self) -> Fault | None:
        """Returns what happens to a call that the state machine itself makes to DynamoDB."""
        if not self.is_on or self.rng.random() >= 2 * self._rate:
            return None
        return self.rng.choice((Fault.THROTTLING, Fault.ERROR_500, Fault.ANSWER_LOST))

    def happened(self, fault: Fault) -> None:
        """Counts a fault that was really injected."""
        self.counts[fault] += 1


def _particular(call: Call) -> tuple[Fault, ...]:
    if call.operation == "Scan":
        return _OF_A_SCAN
    if not call.is_of_s3:
        return _OF_DYNAMODB
    if call.is_of_piece:
        return _OF_A_PIECE
    return _OF_A_WRITE if call.is_write else _OF_A_READ
