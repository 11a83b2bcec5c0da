"""Faults of the Lambda service, as it delivers invocations to worker processes."""

import random
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace

from ops.embedded.lambda_invocation import Invocation, Invoker, Outcome, error_payload
from tests.faults.faults import Fault
from tests.faults.slow_faults import FaultyServer

_RATE = 0.15
_DELIVERY = (
    Fault.TWICE_AT_ONCE,
    Fault.TWICE_AT_ONCE,
    Fault.TWICE_IN_TURN,
    Fault.TOO_MANY_REQUESTS,
    Fault.LITTLE_TIME,
    Fault.LITTLE_TIME,
)
_SECONDS_OF_A_SCAN = 4.0
"""so that a segment takes several invocations, and each appends more than once"""


@dataclass(slots=True)
class FaultyDeliveries:
    """An Invoker around one that really runs functions."""

    workers: Invoker
    server: FaultyServer
    seed: int | None = None
    """None: nothing happens"""
    invocations: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _delivered: Counter[str] = field(default_factory=Counter)

    def begin(self, seed: int) -> None:
        self.seed = seed
        self._delivered.clear()

    def end(self) -> None:
        self.seed = None

    def invoke(self, invocation: Invocation) -> Outcome:
        fault, seconds = self._drawn(invocation)
        if invocation.function.logical_id == "ScanSegmentFunction":
            invocation = _within(invocation, _SECONDS_OF_A_SCAN)
        if fault is not None:
            self.server.happened(fault)
        match fault:
            case Fault.TOO_MANY_REQUESTS:
                return _too_many_requests()
            case Fault.TWICE_AT_ONCE:
                other = threading.Thread(target=self.workers.invoke, args=[_another(invocation)])
                other.start()
                outcome = self.workers.invoke(invocation)
                other.join()
                return outcome
            case Fault.TWICE_IN_TURN:
                self.workers.invoke(_another(invocation))
            case Fault.LITTLE_TIME:
                invocation = _within(invocation, seconds)
        outcome = self.workers.invoke(invocation)
        if not outcome.failed:
            # A successor got on: now the writes of workers that are gone arrive.
            self.server.let_through()
        return outcome

    def close(self) -> None:
        self.workers.close()

    def _drawn(self, invocation: Invocation) -> tuple[Fault | None, float]:
        """By the seed, by what is delivered and by how often it was delivered before."""
        segment = invocation.payload.partition(b'"segment"')[2].decode()
        what = f"{invocation.function.logical_id} {segment}"
        with self._lock:
            self.invocations += 1
            self._delivered[what] += 1
            rng = random.Random(f"{self.seed} {what} {self._delivered[what]}")
        if self.seed is None or rng.random() >= _RATE:
            return None, 0.0
        return rng.choice(_DELIVERY), rng.uniform(0.02, 1.0)


def _within(invocation: Invocation, seconds: float) -> Invocation:
    return replace(invocation, function=replace(invocation.function, timeout_seconds=seconds))


def _another(invocation: Invocation) -> Invocation:
    return replace(invocation, request_id=str(uuid.uuid4()))


def _too_many_requests() -> Outcome:
    payload = error_payload("Lambda.TooManyRequestsException", "Rate Exceeded.")
    return Outcome(payload=payload, failed=True, duration_ms=0, billed_ms=0)
